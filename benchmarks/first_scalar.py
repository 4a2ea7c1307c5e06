"""From ``Task.init`` to the first scalar that the server has acknowledged, server running.

    python -m benchmarks.first_scalar

Each round is a fresh process; the import of ``Task`` is shown apart. The ratio is to the HTTP
round trips that no client can do without (log in, make the task, send the point), measured in the same run.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import urllib3
from tests.support.server import RunningServer

ROUNDS = 9
LIMIT_MS = 300.0
PROGRAM = """
import time
import trialbook
began = time.perf_counter()
from trialbook import Task
imported = time.perf_counter()
task = Task.init("Benchmarks", "first scalar", reuse_last_task_id=False)
ready = time.perf_counter()
task.get_logger().report_scalar("loss", "train", 0.5, 1)
assert task.flush()
print("TIMES", imported - began, ready - imported, time.perf_counter() - imported)
began = time.perf_counter()
task.close()
print("CLOSE", time.perf_counter() - began)
"""


def round_trip(server: RunningServer) -> float:
    """Median seconds of an authorised call on a kept connection."""
    times = []
    for _ in range(30):
        began = time.perf_counter()
        server.call("users.get_current_user")
        times.append(time.perf_counter() - began)
    return sorted(times)[15]


def main() -> None:
    """Print milliseconds and the ratio."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        server = RunningServer(home / "server")
        urllib3.disable_warnings()
        environment = {**server.client_environment(home), "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
        results, closes = [], []
        for _ in range(ROUNDS):
            done = subprocess.run(
                [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
            )
            lines = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines() if line}
            results.append([float(value) * 1000 for value in lines["TIMES"]])
            closes.append(float(lines["CLOSE"][0]) * 1000)
        trip = round_trip(server) * 1000
        server.stop()
    results.sort(key=lambda values: values[2])
    imported, ready, acknowledged = results[ROUNDS // 2]
    print(f"SDK imported               {imported:7.1f} ms")
    print(f"Task.init returned         {ready:7.1f} ms")
    print(
        f"first scalar acknowledged  {acknowledged:7.1f} ms = {acknowledged / (5 * trip):.1f} × five round trips"
    )
    print(f"close                      {sorted(closes)[ROUNDS // 2]:7.1f} ms")
    print(f"limit {LIMIT_MS:.0f} ms: {'kept' if acknowledged <= LIMIT_MS else 'MISSED'}")


if __name__ == "__main__":
    main()
