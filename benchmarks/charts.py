"""What a chart costs the server, beside what reading the same points from SQLite costs anyone, in the same run.

    python -m benchmarks.charts [--rounds 15] [--database URL]

A server process holds one series of 1 000 000 points and 1 000 series of 1 000, sent as a training run sends them
and packed by its own loop. Each request is repeated; printed are the median time at the client and the median CPU
time of the server process. The limit, in this process: the same values as raw float64 columns in a plain SQLite
table, read and reduced to a minimum and a maximum per bucket by one numpy pass.
"""

import argparse
import json
import sqlite3
import statistics
import struct
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from benchmarks.ingest import Server, definitions, frames, settle

from trialbook.server import migrations
from trialbook.server.series.columns import Points
from trialbook.server.series.compact import compact_owner
from trialbook.server.series.store import Numbers, prepare, store
from trialbook.server.stores.database import Database

BUCKETS = 512


def fill(server: Server, points: int, series: int) -> str:
    """A task with ``points`` points in each of ``series`` series, compacted."""
    task = str(server.call("tasks.create", name="charts", type="training", project_name="benchmarks")["id"])
    at, body = 0, 100_000
    for first in range(0, points * series, body):
        raw = (definitions(series) if first == 0 else b"") + frames(first, body, series)
        head = json.dumps({"task": task, "journal": task, "first": at, "host": "bench", "pid": 1}).encode()
        part = b"TBP1" + struct.pack("<I", len(head)) + head + raw
        server.ask("events.add_points", part, "application/x-trialbook-points")
        at += len(raw)
    return task


def write(url: str, owner: str, points: int, at_once: int = 400_000) -> None:
    """A series of very many points, through the same code and without HTTP, before the server starts."""
    database, numbers = Database(url), Numbers()
    migrations.prepare(database)
    random = np.random.default_rng(1)
    for first in range(0, points, at_once):
        line = np.arange(first, min(points, first + at_once), dtype=np.int64)
        part = Points(line, line * 1000 + 10**15, random.normal(size=len(line)))
        ready = prepare(owner, False, [("loss", "total")], np.zeros(len(line), np.int64), part)
        with database.write() as connection:
            store(connection, numbers, ready, 0.0)
        compact_owner(database, owner)
    database.close()


def asked(server: Server, process: psutil.Process, rounds: int, **ask: Any) -> tuple[float, float, int]:
    """Median ms at the client, mean ms of CPU in the server, bytes of an answer."""
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
    body = json.dumps({"buckets": BUCKETS, **ask}).encode()
    took, size = [], 0
    for number in range(rounds + 2):
        if number == 2:
            before = sum(process.cpu_times()[:2])
        began = time.perf_counter()
        reply = server.http.request("POST", f"{server.url}/series.tiles", body=body, headers=headers)
        took.append(time.perf_counter() - began)
        if reply.status != 200:
            raise SystemExit(reply.data[:300])
        size = len(reply.data)
    spent = sum(process.cpu_times()[:2]) - before
    return statistics.median(took[2:]) * 1e3, spent / rounds * 1e3, size


def whole(server: Server, process: psutil.Process, task: str, rounds: int = 5) -> None:
    """All points of a series as columns."""
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
    body = json.dumps({"series": {"tasks": [task]}, "format": "columns"}).encode()
    took = []
    before = sum(process.cpu_times()[:2])
    for _ in range(rounds):
        began = time.perf_counter()
        reply = server.http.request("POST", f"{server.url}/series.raw", body=body, headers=headers)
        took.append(time.perf_counter() - began)
    spent = (sum(process.cpu_times()[:2]) - before) / rounds
    print(
        f"{'all points of the first':22} server {spent * 1e3:6.1f} ms CPU   "
        f"client {statistics.median(took) * 1e3:6.1f} ms"
        f" ({statistics.median(took) / 0.5:4.2f} of 0.5 s)   {len(reply.data) / 1e6:5.2f} MB"
    )


def table(path: Path, series: int, points: int) -> sqlite3.Connection:
    """Raw columns: iteration and value, one row per series."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA mmap_size=268435456")
    connection.execute("CREATE TABLE raw (id INTEGER PRIMARY KEY, iteration BLOB, value BLOB)")
    for number in range(series):
        value = np.random.default_rng(number).normal(size=points)
        connection.execute(
            "INSERT INTO raw (iteration, value) VALUES (?, ?)", (np.arange(points).tobytes(), value.tobytes())
        )
    connection.commit()
    return connection


def raw_pass(connection: sqlite3.Connection) -> None:
    """Every series read and reduced, one after the other."""
    for iteration, value in connection.execute("SELECT iteration, value FROM raw ORDER BY id"):
        x, y = np.frombuffer(iteration, np.int64), np.frombuffer(value, np.float64)
        place = (x - x[0]) * BUCKETS // (x[-1] - x[0] + 1)
        starts = np.flatnonzero(np.diff(place, prepend=-1))
        np.minimum.reduceat(y, starts)
        np.maximum.reduceat(y, starts)


def repeated(work: Callable[[], None], rounds: int) -> float:
    """Median ms of CPU."""
    took = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return statistics.median(took) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--database", default=None, help="address of an empty PostgreSQL database")
    parser.add_argument("--long", type=int, default=0, help="points of one more series, such as 100000000")
    ask = parser.parse_args()
    shapes = {"1 series x 1 000 000": (1, 1_000_000, 20.0), "1 000 series x 1 000": (1000, 1000, 100.0)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if ask.long:
            (folder / "data").mkdir()
            write(ask.database or f"sqlite:///{folder / 'data' / 'trialbook.db'}", "f" * 32, ask.long)
        server = Server(folder / "data", ask.database)
        try:
            process = psutil.Process(server.process.pid)
            tasks = {label: fill(server, points, series) for label, (series, points, _) in shapes.items()}
            settle(process)
            for at, (label, (series, points, most)) in enumerate(shapes.items()):
                query = {"tasks": [tasks[label]]}
                wall, spent, size = asked(server, process, ask.rounds, series=query)
                connection = table(folder / f"raw{at}.db", series, points)
                limit = repeated(lambda held=connection: raw_pass(held), ask.rounds)  # type: ignore[misc]
                connection.close()
                print(
                    f"{label:22} server {spent:6.1f} ms CPU ({spent / most:4.2f} of {most:.0f} ms)   "
                    f"client {wall:6.1f} ms   {size / 1e6:5.2f} MB   raw columns {limit:5.1f} ms: "
                    f"{spent / limit:.1f} times it"
                )
            part = {"series": {"tasks": [tasks["1 series x 1 000 000"]]}, "range": [400_000, 600_000]}
            wall, spent, _ = asked(server, process, ask.rounds, **part)
            print(f"{'a fifth of the first':22} server {spent:6.1f} ms CPU   client {wall:6.1f} ms")
            wall, spent, _ = asked(
                server, process, ask.rounds, series={"tasks": [tasks["1 series x 1 000 000"]]}, x="time"
            )
            print(f"{'the first over time':22} server {spent:6.1f} ms CPU   client {wall:6.1f} ms")
            whole(server, process, tasks["1 series x 1 000 000"])
            for label, span in (("", None), (", a thousandth", [ask.long * 0.4, ask.long * 0.401])):
                if ask.long:
                    query = {"tasks": ["f" * 32]}
                    wall, spent, _ = asked(server, process, ask.rounds, series=query, range=span)
                    text = f"{ask.long:,} points{label}"
                    print(
                        f"{text:32} server {spent:6.1f} ms CPU ({spent / 50:4.2f} of 50 ms)   client {wall:6.1f} ms"
                    )
        finally:
            server.stop()


if __name__ == "__main__":
    main()
