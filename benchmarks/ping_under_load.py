"""How long another request waits while one client writes a lot.

    python -m benchmarks.ping_under_load [--only console,names,upload,bombs,reset,delete,keep,images,project]
                                         [--lines 1000000] [--names 100000] [--megabytes 2048]
                                         [--images 100000] [--tasks 2000]
                                         [--door lines|journal] [--together] [--database URL]

Two callers go on during each load: one reads a task, the other writes to one. Each line has the time of the load, and
the median, the 99th percentile and the worst of both callers, beside the same two callers on the idle server.
"""

import argparse
import gzip
import json
import os
import struct
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.ingest import Server, in_parallel

LINES, POINTS = "application/json-lines", "application/x-trialbook-points"
AT_ONCE = 50_000
KINDS = "console,names,upload,bombs,reset,delete,keep,images,project"


def frame(kind: int, payload: bytes) -> bytes:
    """One frame of a journal."""
    head = struct.pack("<I", kind << 24 | len(payload)) + payload
    return head + struct.pack("<I", zlib.crc32(head))


def console(task: str, lines: int, door: str) -> list[tuple[str, str, bytes]]:
    """Bodies of 50 000 lines."""
    bodies, at = [], 0
    for first in range(0, lines, AT_ONCE):
        texts = [
            f"epoch {n} loss {n / 7:.5f} a line as programs print it" for n in range(first, first + AT_ONCE)
        ]
        if door == "lines":
            events = [
                {"type": "log", "task": task, "msg": text, "timestamp": 1.7e12, "level": "info"}
                for text in texts
            ]
            bodies.append(("events.add_batch", LINES, "\n".join(map(json.dumps, events)).encode()))
        else:
            raw = b"".join(frame(3, struct.pack("<dBB", 1.7e9, 20, 1) + text.encode()) for text in texts)
            bodies.append(("events.add_points", POINTS, journal(task, at, raw)))
            at += len(raw)
    return bodies


def names(task: str, many: int, door: str) -> list[tuple[str, str, bytes]]:
    """One body with one point of each of many series."""
    point = {"type": "training_stats_scalar", "task": task, "timestamp": 1.7e12}
    if door == "lines":
        events = [{**point, "metric": f"m{n}", "variant": "v", "iter": 1, "value": n} for n in range(many)]
        return [("events.add_batch", LINES, "\n".join(map(json.dumps, events)).encode())]
    raw = b"".join(
        frame(2, struct.pack("<IH", n, 4) + f"m{n:03}"[:4].encode() + str(n).encode()) for n in range(many)
    )
    raw += b"".join(frame(1, struct.pack("<Iqdd", n, 1, 1.7e9, n)) for n in range(many))
    return [("events.add_points", POINTS, journal(task, 0, raw))]


def pictures(task: str, many: int) -> list[tuple[str, str, bytes]]:
    """Bodies of events of images."""
    event = {"type": "training_debug_image", "task": task, "metric": "m", "timestamp": 1.7e12}
    bodies = []
    for first in range(0, many, AT_ONCE):
        events = [
            {**event, "variant": f"v{n % 50}", "iter": n, "url": f"http://h/files/p/t.{task}/m/{n:08}.png"}
            for n in range(first, min(many, first + AT_ONCE))
        ]
        bodies.append(("events.add_batch", LINES, "\n".join(map(json.dumps, events)).encode()))
    return bodies


def journal(task: str, first: int, raw: bytes) -> bytes:
    """A body of a journal."""
    head = json.dumps({"task": task, "journal": task, "first": first, "host": "bench", "pid": 1}).encode()
    return b"TBP1" + struct.pack("<I", len(head)) + head + raw


def during(server: Server, load: Callable[[], object]) -> None:
    """Run a load, and print how long the others waited meanwhile."""
    task = server.call("tasks.create", name="asked", type="training", project_name="benchmarks")["id"]
    server.call("tasks.started", task=task)
    over = threading.Event()
    waits: dict[str, list[float]] = {"read": [], "write": []}

    def ask(kind: str, method: str) -> None:
        while not over.is_set():
            began = time.perf_counter()
            server.call(method, task=task)
            waits[kind].append(time.perf_counter() - began)
            over.wait(0.01)

    threads = [
        threading.Thread(target=ask, args=pair)
        for pair in (("read", "tasks.get_by_id"), ("write", "tasks.ping"))
    ]
    for thread in threads:
        thread.start()
    began = time.perf_counter()
    load()
    took = time.perf_counter() - began
    over.set()
    for thread in threads:
        thread.join()
    shown = []
    for kind, found in waits.items():
        found.sort()
        middle, late = found[len(found) // 2], found[min(len(found) - 1, len(found) * 99 // 100)]
        shown.append(
            f"{kind} p50 {middle * 1e3:6.1f} ms  p99 {late * 1e3:7.1f} ms  worst {found[-1] * 1e3:7.1f} ms"
        )
    print(f"{took:7.2f} s   " + "   ".join(shown), flush=True)


def main() -> None:
    """Run the loads one after the other."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default=KINDS)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--names", type=int, default=100_000)
    parser.add_argument(
        "--images", type=int, default=100_000, help="of a task that is deleted with its files"
    )
    parser.add_argument(
        "--tasks", type=int, default=2000, help="of a project that is deleted with its contents"
    )
    parser.add_argument("--megabytes", type=int, default=2048)
    parser.add_argument("--door", choices=["lines", "journal"], default="lines")
    parser.add_argument("--together", action="store_true", help="all of them at once")
    parser.add_argument("--database")
    asked = parser.parse_args()
    print(f"load average {os.getloadavg()[0]:.1f}, door {asked.door}")
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "data", asked.database)
        try:
            print(f"{'idle':8}", end="")
            during(server, lambda: time.sleep(5))
            loads = {
                name: make() for name, make in kinds(server, asked).items() if name in asked.only.split(",")
            }
            if asked.together:
                loads = {"all": partial(in_parallel, list(loads.values()))}
            for name, load in loads.items():
                print(f"{name:8}", end="")
                during(server, load)
        finally:
            server.stop()


def kinds(server: Server, asked: argparse.Namespace) -> dict[str, Callable[[], Callable[[], object]]]:
    """What makes each load."""

    def writing(name: str, many: int, make: Callable[[str, int, str], list[tuple[str, str, bytes]]]) -> Any:
        task = server.call("tasks.create", name=name, type="training", project_name="benchmarks")["id"]
        bodies = make(task, many, asked.door)

        def load() -> None:
            for method, content, body in bodies:
                server.ask(method, body, content)

        return load

    def going(method: str, seconds: float = 20.0, **more: Any) -> Callable[[], object]:
        task = server.call("tasks.create", name=method, type="training", project_name="benchmarks")["id"]
        with_files = more.get("delete_external_artifacts")
        bodies = [*console(task, asked.lines, "lines"), *names(task, asked.names, "lines")]
        for name, content, body in pictures(task, asked.images) if with_files else bodies:
            server.ask(name, body, content)

        def load() -> None:
            server.call(f"tasks.{method}", task=task, force=True, **more)
            # What is left of it goes in the background.
            time.sleep(seconds)

        return load

    def project() -> Callable[[], object]:
        for n in range(asked.tasks):
            made = server.call("tasks.create", name=f"t{n}", type="training", project_name="going")["id"]
            for name, content, body in names(made, 5, "lines"):
                server.ask(name, body, content)
        (found,) = server.call("projects.get_all", name="^going$")["projects"]
        return partial(server.call, "projects.delete", project=found["id"], force=True, delete_contents=True)

    return {
        "console": lambda: writing("console", asked.lines, console),
        "names": lambda: writing("names", asked.names, names),
        "upload": lambda: lambda: upload(server, asked.megabytes),
        "bombs": lambda: lambda: bombs(server),
        "reset": lambda: going("reset"),
        "delete": lambda: going("delete"),
        "keep": lambda: going("reset", keep_results=True),
        "images": lambda: going("delete", delete_external_artifacts=True, return_file_urls=True),
        "project": project,
    }


def bombs(server: Server, many: int = 16) -> None:
    """Bodies of 64 KB that unpack to as much as is taken, all at once, five times."""
    body = gzip.compress(b"{" + b" " * (63 << 20), 9)
    headers = {"Authorization": f"Bearer {server.token}", "Content-Encoding": "gzip", "Content-Type": LINES}
    url = f"{server.url}/events.add_batch"
    for _ in range(5):
        in_parallel([lambda: server.http.request("POST", url, body=body, headers=headers)] * many)


def upload(server: Server, megabytes: int) -> None:
    """Put one large file."""

    def parts() -> Iterator[bytes]:
        block = os.urandom(1 << 20)
        for _ in range(megabytes):
            yield block

    headers = {"Authorization": f"Bearer {server.token}", "Content-Length": str(megabytes << 20)}
    reply = server.http.request("PUT", f"{server.url}/files/bench/large", body=parts(), headers=headers)
    if reply.status != 200:
        raise RuntimeError(f"the upload was refused with {reply.status}: {reply.data[:500]!r}")


if __name__ == "__main__":
    main()
