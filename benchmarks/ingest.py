"""How many points a second one server process makes durable, beside what the disk and SQLite allow in the
same run.

    python -m benchmarks.ingest [--points 4000000] [--body 100000] [--series 50] [--clients 4] [--database URL]

Bodies are prepared before the clock starts. The clock stops when the last reply has come; then every point
is counted through the API. The limit is the same zstd blobs of the same points, inserted into SQLite raw by
the process alone, each with a commit on disk (WAL, synchronous=FULL). The reference's JSON lines are
measured with the same server.
"""

import argparse
import json
import os
import re
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import urllib3

try:
    from compression import zstd
except ImportError:
    from backports import zstd

READY = re.compile(r"server ready at (http://\S+)")


def crc(records: Any) -> Any:
    """CRC-32 of the first 32 bytes of each record."""
    return [zlib.crc32(row) for row in np.ascontiguousarray(records.view(np.uint8).reshape(-1, 36)[:, :32])]


def frames(first: int, many: int, series: int) -> bytes:
    """POINT frames as a training run writes them: noisy values, regular iterations, times 1 ms apart."""
    kind = [
        ("head", "<u4"),
        ("series", "<u4"),
        ("iter", "<i8"),
        ("time", "<f8"),
        ("value", "<f8"),
        ("crc", "<u4"),
    ]
    records = np.zeros(many, np.dtype(kind))
    place = np.arange(first, first + many)
    records["head"] = 1 << 24 | 28
    records["series"] = place % series
    records["iter"] = place // series
    records["time"] = 1.7e9 + place * 1e-3
    records["value"] = np.random.default_rng(first).normal(size=many)
    records["crc"] = crc(records)
    return records.tobytes()


def definitions(series: int) -> bytes:
    """SERIES frames."""
    parts = []
    for number in range(series):
        payload = struct.pack("<IH", number, 4) + b"loss" + f"v{number}".encode()
        head = struct.pack("<I", 2 << 24 | len(payload)) + payload
        parts.append(head + struct.pack("<I", zlib.crc32(head)))
    return b"".join(parts)


class Server:
    """``trialbook server`` on a data folder of its own."""

    def __init__(self, data: Path, database: str | None) -> None:
        self.data = data
        command = [sys.executable, "-m", "trialbook", "server", "--port", "0", "--data", str(data)]
        if database:
            command += ["--database", database]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert self.process.stdout is not None
        for line in self.process.stdout:
            found = READY.search(line)
            if found:
                self.url = found[1]
                break
        else:
            raise RuntimeError("the server ended before it was ready")
        keys = json.loads((data / "credentials.json").read_text())
        self.http = urllib3.PoolManager(retries=False, maxsize=32)
        headers = urllib3.make_headers(basic_auth=f"{keys['access_key']}:{keys['secret_key']}")
        self.token = self.http.request("POST", f"{self.url}/auth.login", headers=headers).json()["data"][
            "token"
        ]

    def ask(self, method: str, body: bytes, content_type: str = "application/json") -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": content_type}
        reply = self.http.request("POST", f"{self.url}/{method}", body=body, headers=headers).json()
        if reply["meta"]["result_code"] != 200:
            raise RuntimeError(f"{method}: {reply['meta']['result_msg']}")
        return dict(reply["data"])

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        return self.ask(method, json.dumps(params).encode())

    def memory(self) -> float:
        """Resident megabytes."""
        return float(psutil.Process(self.process.pid).memory_info().rss / 1e6)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=60)


def in_parallel(works: Sequence[Callable[[], None]]) -> float:
    """Seconds until all are done."""
    threads = [threading.Thread(target=work) for work in works]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began


def journals(
    server: Server, clients: int, points: int, body: int, series: int
) -> tuple[float, list[float], list[str]]:
    """Seconds for all points, the time of each body, and the tasks; each client has a task and a journal of
    its own."""
    times: list[float] = []
    works, tasks = [], []
    for _ in range(clients):
        task = server.call("tasks.create", name="ingest", type="training", project_name="benchmarks")["id"]
        tasks.append(task)
        parts, at = [], 0
        for number in range(points // clients // body):
            raw = (definitions(series) if number == 0 else b"") + frames(number * body, body, series)
            head = json.dumps(
                {"task": task, "journal": task, "first": at, "host": "bench", "pid": 1}
            ).encode()
            parts.append(b"TBP1" + struct.pack("<I", len(head)) + head + raw)
            at += len(raw)

        def work(parts: list[bytes] = parts) -> None:
            for part in parts:
                began = time.perf_counter()
                server.ask("events.add_points", part, "application/x-trialbook-points")
                times.append(time.perf_counter() - began)

        works.append(work)
    return in_parallel(works), times, tasks


def json_lines(server: Server, clients: int, points: int, series: int) -> tuple[float, list[float]]:
    """Points a second through ``events.add_batch``, 10 000 events a request, and the time of each request."""
    times: list[float] = []
    works, total = [], 0
    for _ in range(clients):
        task = server.call("tasks.create", name="lines", type="training", project_name="benchmarks")["id"]
        bodies = []
        for first in range(0, points // clients, 10_000):
            lines = [
                json.dumps(
                    {
                        "timestamp": 1_795_169_520_849 + n,
                        "type": "training_stats_scalar",
                        "task": task,
                        "iter": n // series,
                        "metric": "loss",
                        "variant": f"v{n % series}",
                        "value": n / 7,
                        "allow_locked": False,
                        "model_event": False,
                        "method": "get",
                    }
                )
                for n in range(first, first + 10_000)
            ]
            bodies.append("\n".join(lines).encode())
            total += 10_000

        def work(bodies: list[bytes] = bodies) -> None:
            for body in bodies:
                began = time.perf_counter()
                server.ask("events.add_batch", body, "application/json-lines")
                times.append(time.perf_counter() - began)

        works.append(work)
    return total / in_parallel(works), sorted(times)


def stored_bytes(server: Server, data: Path, tasks: list[str]) -> float:
    """Bytes of the points of some tasks once they are packed, after the server has stopped: SQLite only."""
    with sqlite3.connect(data / "trialbook.db") as connection:
        marks = ",".join("?" * len(tasks))
        numbers = f"SELECT id FROM series WHERE owner IN ({marks})"
        total = 0
        for table, where, values in (
            ("series_chunk", f"series_id IN ({numbers})", tasks),
            ("series_level", f"series_id IN ({numbers})", tasks),
            ("series_batch", f"owner IN ({marks})", tasks),
        ):
            # 100 bytes a row for its other columns and its keys.
            query = f"SELECT coalesce(sum(length(payload) + 100), 0) FROM {table} WHERE {where}"
            total += connection.execute(query, values).fetchone()[0]
        points = connection.execute(
            f"SELECT sum(count) FROM series WHERE owner IN ({marks})", tasks
        ).fetchone()
        return float(total / points[0])


def raw_sqlite(folder: Path, body: int, rounds: int) -> float:
    """Points a second of plain blob inserts, a commit on disk each: zstd level 1 of differences and shuffled
    values."""
    connection = sqlite3.connect(folder / "raw.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE batch (id INTEGER PRIMARY KEY, payload BLOB)")
    columns = []
    for number in range(rounds):
        place = np.arange(number * body, (number + 1) * body)
        value = np.random.default_rng(number).normal(size=body)
        columns.append((place, place * 1000, value))
    began = time.perf_counter()
    for iteration, moment, value in columns:
        shuffled = np.ascontiguousarray(value.view(np.uint8).reshape(-1, 8).T)
        data = (
            np.diff(iteration, prepend=0).tobytes()
            + np.diff(moment, prepend=0).tobytes()
            + shuffled.tobytes()
        )
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO batch (payload) VALUES (?)", (zstd.compress(data, 1),))
        connection.execute("COMMIT")
    took = time.perf_counter() - began
    connection.close()
    return body * rounds / took


def fsyncs(folder: Path, rounds: int = 300) -> float:
    """4 KiB appends with fsync, a second."""
    with (folder / "fsync").open("wb", buffering=0) as file:
        began = time.perf_counter()
        for _ in range(rounds):
            file.write(bytes(4096))
            os.fsync(file.fileno())
        return rounds / (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--points", type=int, default=4_000_000)
    parser.add_argument("--body", type=int, default=100_000)
    parser.add_argument("--series", type=int, default=50)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument(
        "--lines", type=int, default=800_000, help="points sent as JSON lines; 0 leaves them out"
    )
    parser.add_argument("--database", default=None, help="address of an empty PostgreSQL database")
    ask = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = Server(folder / "data", ask.database)
        try:
            idle = server.memory()
            took, times, tasks = journals(server, ask.clients, ask.points, ask.body, ask.series)
            stored = sum(one["count"] for one in server.call("series.catalog", tasks=tasks)["series"])
            sent = ask.points // ask.clients // ask.body * ask.body * ask.clients
            if stored != sent:
                raise SystemExit(f"sent {sent} points, the server has {stored}")
            lines, late = json_lines(server, ask.clients, ask.lines, ask.series) if ask.lines else (0.0, [])
            held = server.memory()
            settle(psutil.Process(server.process.pid))
        finally:
            server.stop()
        each = None if ask.database else stored_bytes(server, folder / "data", tasks)
        limit = raw_sqlite(folder, ask.body, 20)
        syncs = fsyncs(folder)
    times.sort()
    rate = sent / took
    print(f"{sent} points, {ask.clients} clients, {ask.series} series, bodies of {ask.body}: all stored")
    print(f"ingest        {rate:12,.0f} points/s    {rate / 1_000_000:.2f} of 1 000 000")
    print(f"raw SQLite    {limit:12,.0f} points/s    ingest is {rate / limit:.2f} of it")
    print(f"fsync         {syncs:12,.0f} /s          a body costs {took / len(times) * syncs:.1f} of them")
    print(f"a body        {percentiles(times)}")
    if lines:
        print(f"JSON lines    {lines:12,.0f} points/s    {lines / 400_000:.2f} of 400 000")
        print(f"10 000 lines  {percentiles(late)}")
    if each is not None:
        print(f"stored        {each:12.2f} bytes/point {each / 12:.2f} of 12; a bare point has 24")
    print(f"memory        idle {idle:.0f} MB, afterwards {held:.0f} MB")


def percentiles(times: list[float]) -> str:
    """Of sorted seconds."""
    p50, p99 = times[len(times) // 2], times[int(len(times) * 0.99)]
    return f"p50 {p50 * 1e3:.0f} ms, p99 {p99 * 1e3:.0f} ms ({p99 / 0.3:.2f} of 0.3 s)"


def settle(process: psutil.Process, patience: float = 120.0) -> None:
    """Wait until the server rests: its compaction of what was sent is over."""
    deadline = time.monotonic() + patience
    quiet = 0
    while quiet < 6 and time.monotonic() < deadline:
        before = sum(process.cpu_times()[:2])
        time.sleep(0.5)
        quiet = quiet + 1 if sum(process.cpu_times()[:2]) - before < 0.02 else 0


if __name__ == "__main__":
    main()
