"""A server with one thing of each kind in it, callers of all roles, and a caller that notes what should not have happened."""

import http.client
import json
import re
import socket
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import urllib3

from tests.fuzz.watch import Watch
from tests.support import frames
from tests.support.server import RunningServer
from trialbook.base.ids import new_id

HANG = 30.0
"""Seconds after which a call counts as hanging."""
ROLES = ["admin", "user", "worker", "read-only"]
_FRAME = re.compile(r'File "[^"]*/(src/trialbook/[^"]+)", line (\d+)')


class World:
    """The server, and what is in it; made new now and then, because callers delete what they are given.

    Args:
        server: one that nobody else uses.
        database: the address of its database.
    """

    def __init__(self, server: RunningServer, database: str) -> None:
        self.server = server
        self.watch = Watch(database)
        self.found: Counter[str] = Counter()
        self.examples: dict[str, str] = {}
        self.answers: Counter[int] = Counter()
        self.known: dict[str, list[str]] = {}
        self.tokens: dict[str, str] = {}
        self._http = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(HANG))
        self._told = len(server.log)
        self.renew()

    def renew(self) -> None:
        """Make one thing of each kind, and a caller of each role."""
        call, tag = self.server.call, new_id()[:6]
        project = call("projects.create", name=f"fuzz {tag}", description="d")["id"]
        tasks = [
            call("tasks.create", name=f"{tag} {n}", type="training", project=project)["id"] for n in range(4)
        ]
        for task in tasks[1:]:
            call("tasks.started", task=task)
        call("tasks.completed", task=tasks[2])
        call("tasks.completed", task=tasks[3])
        call("tasks.publish", task=tasks[3])
        lines = [
            {
                "type": "training_stats_scalar",
                "task": tasks[1],
                "iter": n,
                "metric": "loss",
                "variant": "train",
                "value": n,
            }
            for n in range(20)
        ] + [
            {"type": "log", "task": tasks[1], "msg": f"line {n}", "timestamp": 1_700_000_000_000 + n}
            for n in range(5)
        ]
        self.server.ask(
            "events.add_batch",
            body="\n".join(map(json.dumps, lines)).encode(),
            headers={"Content-Type": "application/json-lines"},
        )
        model = call("models.create", name=f"m {tag}", uri="file:///m", project=project, task=tasks[1])["id"]
        queue = call("queues.create", name=f"q {tag}")["id"]
        waiting = call("tasks.create", name="waits", type="training", project=project)["id"]
        call("tasks.enqueue", task=waiting, queue=queue)
        keys, users = [], []
        self.tokens = {"nobody": "", "stranger": "x.y.z"}
        for role in ROLES:
            made = call("users.create", name=f"{role} {tag}", role=role)
            pair = made["credentials"]
            headers = urllib3.make_headers(basic_auth=f"{pair['access_key']}:{pair['secret_key']}")
            reply = self._http.request("POST", f"{self.server.url}/auth.login", headers=headers).json()
            self.tokens[role] = reply["data"]["token"]
            keys.append(pair["access_key"])
            users.append(made["user"]["id"])
        self.known = {
            "task": [*tasks, waiting], "parent": tasks, "project": [project], "model": [model], "queue": [queue],
            "user": users, "key": keys, "worker": ["w:0", "w:1"], "metric": ["loss"], "variant": ["train"],
        }  # fmt: skip
        self._stored = self.watch.digest()

    def call(
        self,
        verb: str,
        path: str,
        body: bytes,
        headers: dict[str, str],
        caller: str = "admin",
        raw: bool = False,
    ) -> int:
        """Send it; the status, or 0 when no answer came. What is wrong with the answer is noted.

        Args:
            verb: any.
            path: begins with a slash.
            body: as it is sent.
            headers: beside the caller's own.
            caller: one of ``tokens``.
            raw: on a connection of its own, without any check of what is sent.
        """
        headers = dict(headers)
        if self.tokens[caller]:
            headers.setdefault("Authorization", f"Bearer {self.tokens[caller]}")
        shown = f"{caller}: {verb} {path[:200]} {headers.keys() - {'Authorization'}} {body[:300]!r}"
        before = self.watch.mark()
        try:
            if raw:
                status = self._raw(verb, path, body, headers)
            else:
                reply = self._http.request(
                    verb, self.server.url + path, body=body, headers=headers, preload_content=False
                )
                status = reply.status
                while reply.read1(1 << 16) if not path.startswith("/stream") else False:
                    pass
                reply.release_conn() if not path.startswith("/stream") else reply.close()
        except (TimeoutError, urllib3.exceptions.ReadTimeoutError):
            self._note(f"no answer within {HANG:.0f} s: {path.split('?')[0][:80]}", shown)
            return 0
        except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError) as error:
            self._note(f"no whole answer ({type(error).__name__}): {path.split('?')[0][:80]}", shown)
            return 0
        self.answers[status] += 1
        if status >= 500:
            self._note(f"{status}: {path.split('?')[0][:60]} {self._place()}", shown)
        elif "Traceback" in self.server.log[self._told :]:
            self._note(f"a traceback beside {status}: {path.split('?')[0][:60]} {self._place()}", shown)
        self._told = len(self.server.log)
        if self.watch.mark() != before:
            stored = self.watch.digest()
            if status >= 400:
                changed = [table for table in stored if stored[table] != self._stored.get(table)]
                if changed:
                    self._note(
                        f"refused with {status}, and changed {', '.join(changed)}: {path.split('?')[0][:60]}",
                        shown,
                    )
            self._stored = stored
        return status

    def _place(self) -> str:
        """Where the newest traceback of the log ends, in our own code."""
        news = self.server.log[self._told :]
        places = _FRAME.findall(news)
        last = [
            line for line in news.strip().splitlines() if line and not line.startswith((" ", "Traceback"))
        ]
        return f"{':'.join(places[-1]) if places else ''} {last[-1][:120] if last else ''}"

    def _note(self, what: str, shown: str) -> None:
        self.found[what] += 1
        self.examples.setdefault(what, shown)

    def _raw(self, verb: str, path: str, body: bytes, headers: dict[str, str]) -> int:
        at = urlsplit(self.server.url)
        assert at.hostname and at.port
        lines = [f"{verb} {path} HTTP/1.1", f"Host: {at.netloc}", "Connection: close"]
        sent = {"Content-Length": str(len(body)), **headers}
        lines += [f"{name}: {value}" for name, value in sent.items()]
        with socket.create_connection((at.hostname, at.port), timeout=HANG) as line:
            line.sendall("\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body)
            reply = http.client.HTTPResponse(line, method=verb)
            reply.begin()
            while not path.startswith("/stream") and reply.read1(1 << 16):
                pass
            return reply.status

    def report(self) -> str:
        """Everything that should not have happened, each kind with one example."""
        return "\n\n".join(
            f"{many} × {what}\n    {self.examples[what]}" for what, many in self.found.most_common()
        )

    def files(self) -> list[tuple[str, int]]:
        """Every stored file, and its size."""
        top = self.server.data / "files"
        return sorted(
            (str(file.relative_to(top)), file.stat().st_size) for file in top.rglob("*") if file.is_file()
        )

    def journal(self) -> bytes:
        """A right body of the journal's door, with one frame of each kind."""
        parts = frames.series(1, "loss", "train") + frames.points(
            1, [(n, 1.7e9 + n, 0.5 * n) for n in range(8)]
        )
        parts += frames.text("a line") + frames.row(9, 1.7e9, {1: 2.0}) + frames.loss("points", 3, "full")
        parts += frames.event(type="plot", metric="m", variant="v", iter=1, plot_str="{}", timestamp=1)
        parts += frames.call("tasks.edit", task=self.known["task"][1], comment="c")
        return frames.body(self.known["task"][1], new_id(), 0, parts)

    def lines(self) -> bytes:
        """Right JSON lines of the batch door."""
        task = self.known["task"][1]
        events: list[dict[str, Any]] = [
            {
                "type": "training_stats_scalar",
                "task": task,
                "iter": 3,
                "metric": "loss",
                "variant": "train",
                "value": 0.5,
            },
            {"type": "log", "task": task, "msg": "a line", "timestamp": 1_700_000_000_000, "level": "info"},
            {
                "type": "plot",
                "task": task,
                "iter": 1,
                "metric": "p",
                "variant": "v",
                "plot_str": "{}",
                "timestamp": 1,
            },
            {
                "type": "training_debug_image",
                "task": task,
                "iter": 1,
                "metric": "i",
                "variant": "v",
                "url": "http://h/x.png",
            },
        ]
        return "\n".join(map(json.dumps, events)).encode()

    @staticmethod
    def parts(folder: str) -> bytes:
        """A right multipart body with two files."""
        return (
            b"".join(
                f'--bound\r\nContent-Disposition: form-data; name="{folder}/{n}"; filename="{folder}/{n}"\r\n\r\ncontent\r\n'.encode()
                for n in range(2)
            )
            + b"--bound--\r\n"
        )


def data_url(server: RunningServer) -> str:
    """The address of a server's own database."""
    return server.database or f"sqlite:///{Path(server.data) / 'trialbook.db'}"
