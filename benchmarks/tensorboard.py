"""What a watched ``add_scalar`` costs beside the same writer alone.

    .venv-frameworks/bin/python -m benchmarks.tensorboard

It needs the libraries that the tests watch: ``python -m tests.frameworks.environment`` makes their environment.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.server import RunningServer

CALLS = 100_000
ROUNDS = 3
LIMIT = 2.0
LIBRARIES = ("torch.utils.tensorboard", "tensorboardX")
LOOP = """
import importlib, sys, time
from trialbook import Task
library, wanted, folder, calls = sys.argv[1], sys.argv[2] == "on", sys.argv[3], int(sys.argv[4])
task = Task.init(
    "Benchmarks",
    "tensorboard",
    reuse_last_task_id=False,
    auto_resource_monitoring=False,
    auto_connect_frameworks={"tensorboard": wanted, "detect_repository": False},
)
writer = importlib.import_module(library).SummaryWriter(folder)
for step in range(1000):
    writer.add_scalar("loss/warm", 0.5, step)
began = time.perf_counter()
for step in range(calls):
    writer.add_scalar("loss/train", 0.5, step)
took = time.perf_counter() - began
writer.close()
print("TOOK", took)
"""


def seconds(library: str, wanted: str, home: Path, environment: dict[str, str]) -> float:
    """The loop in a fresh process."""
    folder = tempfile.mkdtemp(dir=home)
    command = [sys.executable, "-c", LOOP, library, wanted, folder, str(CALLS)]
    ended = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    return float(next(line.split()[1] for line in ended.stdout.splitlines() if line.startswith("TOOK")))


def main() -> None:
    """Run each writer with and without, in turns, and print the ratio of the medians."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        server = RunningServer(home / "server")
        environment = server.client_environment(home)
        try:
            for library in LIBRARIES:
                times: dict[str, list[float]] = {"off": [], "on": []}
                for _ in range(ROUNDS):
                    for wanted, taken in times.items():
                        taken.append(seconds(library, wanted, home, environment))
                alone, watched = (statistics.median(times[wanted]) for wanted in ("off", "on"))
                ratio = watched / alone
                print(
                    f"{library:24} alone {alone / CALLS * 1e6:6.1f} µs   watched {watched / CALLS * 1e6:6.1f} µs   "
                    f"{ratio:.2f} × (limit {LIMIT:.0f} ×: {'kept' if ratio < LIMIT else 'MISSED'})"
                )
        finally:
            server.stop()


if __name__ == "__main__":
    main()
