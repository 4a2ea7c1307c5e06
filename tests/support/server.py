"""A real server process, started the way a user starts it, or forked from one that has done its imports."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import urllib3

from tests.support import forked

READY = re.compile(r"Trialbook server ready at (http://\S+)")


class RunningServer:
    """``trialbook server`` as a child process.

    Args:
        data: its data folder; kept over ``kill`` and ``start``.
        database: database address; None means SQLite in ``data``.
        port: 0 takes a free port at the first start; later starts keep the port, so that clients find it again.
        whole: start it as a user does, with all its imports; False forks it after these, where that can be done.
        more: settings of the server, as environment variables.
    """

    def __init__(
        self, data: Path, database: str | None = None, port: int = 0, *, whole: bool = False, **more: str
    ) -> None:
        self.data = data
        self.database = database
        self.port = port
        self.more = more
        self._whole = whole or not forked.AVAILABLE
        self.process: subprocess.Popen[str] | forked.Process | None = None
        self.url = ""
        self._http = urllib3.PoolManager(retries=False)
        self._token = ""
        self._log: list[str] = []
        self.start()

    def start(self) -> None:
        """Start it and wait for its ready line."""
        arguments = ["server", "--port", str(self.port), "--data", str(self.data)]
        if self.database:
            arguments += ["--database", self.database]
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("TRIALBOOK_", "CLEARML_"))}
        environment |= self.more
        if self._whole:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "trialbook", *arguments],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                env=environment,
            )
        else:
            self.process = forked.start(arguments, environment)
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._log.append(line)
            found = READY.search(line)
            if found:
                self.url = found[1].rstrip("/")
                break
        else:
            raise RuntimeError(f"the server ended with {self.process.wait()}:\n" + "".join(self._log))
        self.port = int(self.url.rsplit(":", 1)[1])
        # The pipe must be drained, or a talkative server would block on it.
        threading.Thread(target=self._drain, args=(self.process,), daemon=True).start()
        self._token = ""

    def _drain(self, process: "subprocess.Popen[str] | forked.Process") -> None:
        assert process.stdout is not None
        self._log.extend(process.stdout)

    @property
    def log(self) -> str:
        """What the server has printed so far."""
        return "".join(self._log)

    @property
    def files_url(self) -> str:
        """What a client's ``files_server`` names."""
        return f"{self.url}/files"

    @property
    def _credentials(self) -> dict[str, str]:
        return json.loads((self.data / "credentials.json").read_text())  # type: ignore[no-any-return]

    @property
    def access_key(self) -> str:
        return self._credentials["access_key"]

    @property
    def secret_key(self) -> str:
        return self._credentials["secret_key"]

    @property
    def token(self) -> str:
        """A token of the administrator."""
        if not self._token:
            headers = urllib3.make_headers(basic_auth=f"{self.access_key}:{self.secret_key}")
            reply = self._http.request("POST", f"{self.url}/auth.login", headers=headers).json()
            self._token = reply["data"]["token"]
        return self._token

    def ask(
        self, method: str, params: dict[str, Any] | None = None, **options: Any
    ) -> urllib3.BaseHTTPResponse:
        """The raw reply of one call as the administrator."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        headers.update(options.pop("headers", {}))
        body = options.pop("body", None) or json.dumps(params or {}).encode()
        return self._http.request(
            options.pop("verb", "POST"), f"{self.url}/{method}", body=body, headers=headers, **options
        )

    def call(self, method: str, params: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """``data`` of one call as the administrator; a refusal fails the test with the server's words."""
        reply = self.ask(method, {**(params or {}), **more})
        document = reply.json()
        assert document["meta"]["result_code"] == 200, f"{method}: {document['meta']}"
        return document["data"]  # type: ignore[no-any-return]

    def client_environment(self, home: Path) -> dict[str, str]:
        """An environment in which either SDK talks to this server and keeps its files below ``home``."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("TRIALBOOK_", "CLEARML_"))}
        settings = {
            "API_HOST": self.url,
            "WEB_HOST": self.url,
            "FILES_HOST": self.files_url,
            "API_ACCESS_KEY": self.access_key,
            "API_SECRET_KEY": self.secret_key,
            "CACHE_DIR": str(home / "cache"),
        }
        both = {
            f"{prefix}_{name}": value
            for prefix in ("TRIALBOOK", "CLEARML")
            for name, value in settings.items()
        }
        return {**kept, **both, "HOME": str(home), "PYTHONUNBUFFERED": "1"}

    def kill(self) -> None:
        """``kill -9``."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        return self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(timeout=30)
