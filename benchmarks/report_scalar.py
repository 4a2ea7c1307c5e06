"""What ``Logger.report_scalar``, and ten at once through ``report_scalars``, cost on the calling
thread, with a real server and the shipper running.

    python -m benchmarks.report_scalar

The limit is the least that such a call can do: pack a record, take a lock, copy it into a mapped page.
"""

import contextlib
import mmap
import os
import struct
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.server import RunningServer

CALLS = 300_000
LIMIT_P50, LIMIT_P999, LIMIT_TEN = 2.0, 50.0, 3.0


def microseconds(call: Callable[[int], object], calls: int = CALLS) -> list[float]:
    """Sorted durations of single calls."""
    clock = time.perf_counter_ns
    times = [0] * calls
    for number in range(calls):
        began = clock()
        call(number)
        times[number] = clock() - began
    return [value / 1000 for value in sorted(times)]


def limit() -> Callable[[int], None]:
    """Pack 36 bytes, take a lock, copy into a map."""
    room = mmap.mmap(-1, CALLS * 36)
    pack, lock, place = struct.Struct("<IIqddI").pack, threading.Lock(), [0]

    def call(number: int) -> None:
        with lock:
            at = place[0]
            room[at : at + 36] = pack(1, 2, number, time.time(), 0.5, 0)
            place[0] = at + 36

    return call


def show(name: str, times: list[float]) -> None:
    half, most = times[len(times) // 2], times[int(len(times) * 0.999)]
    print(f"{name:36} p50 {half:6.2f} µs   p99.9 {most:7.2f} µs   worst {times[-1] / 1000:6.2f} ms")


def main() -> None:
    """Report to a real server and print the ratio to the limit of the same run."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        server = RunningServer(home / "server")
        os.environ.update(server.client_environment(home))
        with contextlib.redirect_stdout(None):
            from trialbook import Task

            task = Task.init("Benchmarks", "report_scalar", auto_connect_streams=False)
        report = task.get_logger().report_scalar
        microseconds(lambda number: report("loss", "warm", 0.5, number), 20_000)
        least = microseconds(limit())
        one = microseconds(lambda number: report("loss", "train", 0.5, number))
        step = {f"loss/{place}": 0.5 for place in range(10)}
        rows = task.get_logger().report_scalars
        ten = microseconds(lambda number: rows(step, number), CALLS // 10)
        began = time.perf_counter()
        task.flush()
        drained = time.perf_counter() - began
        task.close()
        server.stop()
    show("limit: pack, lock, copy", least)
    show("Logger.report_scalar", one)
    show("Logger.report_scalars, ten at once", ten)
    half, most = one[CALLS // 2], one[int(CALLS * 0.999)]
    print(
        f"ratio to the limit at p50: {half / least[CALLS // 2]:.2f} ×; drained {drained:.2f} s after the last call"
    )
    kept = half <= LIMIT_P50 and most <= LIMIT_P999 and ten[len(ten) // 2] <= LIMIT_TEN
    print(
        f"limits {LIMIT_P50} µs and {LIMIT_P999} µs, {LIMIT_TEN} µs for ten: {'kept' if kept else 'MISSED'}"
    )


if __name__ == "__main__":
    main()
