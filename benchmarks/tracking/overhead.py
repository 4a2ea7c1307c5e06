"""What watching costs a training loop: the resource monitor, the console and the shipper, beside the same loop alone.

    python -m benchmarks.tracking.overhead

Loops with and without a task take turns, each in a process of its own. A step is about 5 ms of numpy on one processor,
three scalars and, every tenth, a line of text. The first three numbers are parts of one and the same process, told
apart by thread, and hardly depend on what else the machine does; the two after them compare processes.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.server import RunningServer

ROUNDS, STEPS, IDLE, SETTLE = 3, 1500, 20.0, 6.0
LIMIT_LOOP, LIMIT_MONITOR = 0.02, 0.01

LOOP = f"""
import sys, time
import numpy
logger = None
if sys.argv[1] == "watched":
    from trialbook import Task
    logger = Task.init("Benchmarks", "overhead", reuse_last_task_id=False).get_logger()
began = time.monotonic()
weights = numpy.random.default_rng(1).normal(size=(320, 320))
state = weights
# Once per run: git, packages and machine are looked at. That is told apart below.
while time.monotonic() < began + {SETTLE}:
    state = numpy.tanh(weights @ state)
wall, processor, main, calls = time.perf_counter(), time.process_time(), time.thread_time(), 0.0
for step in range({STEPS}):
    for _ in range(3):
        state = numpy.tanh(weights @ state)
    loss = float(numpy.abs(state).mean())
    begun = time.thread_time()
    if logger:
        logger.report_scalar("loss", "train", loss, step)
        logger.report_scalar("loss", "validation", loss / 2, step)
        logger.report_scalar("rate", "rate", 0.1, step)
    if step % 10 == 0:
        print("step", step, loss, flush=True)
    calls += time.thread_time() - begun
main = time.thread_time() - main
processor = time.process_time() - processor
print("SPENT", time.perf_counter() - wall, processor)
print("PARTS", calls, processor - main, main - calls)
"""

ALONE = f"""
import sys, time
from trialbook import Task
task = Task.init("Benchmarks", "monitor", reuse_last_task_id=False, auto_resource_monitoring=sys.argv[1] == "watched")
task.get_logger().report_scalar("a", "b", 1.0, 1)
time.sleep({SETTLE})
print("BEGUN", time.process_time())
processor = time.process_time()
time.sleep({IDLE})
print("SPENT", {IDLE}, time.process_time() - processor)
"""


def run(source: str, kind: str, server: RunningServer, home: Path) -> dict[str, list[float]]:
    """What a program says, by the word in front."""
    environment = server.client_environment(home)
    environment |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    done = subprocess.run(
        [sys.executable, "-c", source, kind],
        env=environment,
        cwd=home,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = (line.split() for line in done.stdout.splitlines())
    return {line[0]: [float(value) for value in line[1:]] for line in lines if line and line[0].isupper()}


def main() -> None:
    """Print the ratios."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        server = RunningServer(home / "server")
        try:
            wall, processor, own, calls, threads = [], [], [], [], []
            for _ in range(ROUNDS):
                bare = run(LOOP, "bare", server, home)
                watched = run(LOOP, "watched", server, home)
                wall.append(watched["SPENT"][0] / bare["SPENT"][0] - 1)
                processor.append(watched["SPENT"][1] / bare["SPENT"][1] - 1)
                own.append(bare["SPENT"][1] / STEPS)
                calls.append((watched["PARTS"][0] - bare["PARTS"][0]) / watched["PARTS"][2])
                # They wake by the clock, however little of a processor a crowded machine leaves to the loop.
                threads.append(watched["PARTS"][1] / watched["SPENT"][0])
            print(
                f"a step alone: {1000 * statistics.median(own):.2f} ms of processor time; {os.cpu_count()} processors"
            )
            show("calls in the loop, of the loop's own work", calls, LIMIT_LOOP)
            show("threads beside the loop, of the time on the wall", threads, LIMIT_LOOP)
            show("both", [sum(parts) for parts in zip(calls, threads, strict=True)], LIMIT_LOOP)
            show("process with a task beside one without, processor time", processor, LIMIT_LOOP)
            show("process with a task beside one without, time on the wall", wall, LIMIT_LOOP)
            with_monitor, without = run(ALONE, "watched", server, home), run(ALONE, "bare", server, home)
            share = (with_monitor["SPENT"][1] - without["SPENT"][1]) / IDLE
            print(f"resource monitor: {100 * share:.2f} % of a processor (limit {100 * LIMIT_MONITOR:.0f} %)")
            begun = with_monitor["BEGUN"][0]
            print(
                f"import, Task.init and what it finds out in the background: {begun:.2f} s of processor time, once"
            )
        finally:
            server.stop()


def show(name: str, ratios: list[float], limit: float) -> None:
    middle, low, high = (100 * value for value in (statistics.median(ratios), min(ratios), max(ratios)))
    span = f"of {len(ratios)} rounds: {low:.2f} to {high:.2f}"
    print(f"{name}: +{middle:.2f} % ({span}; limit {100 * limit:.0f} %)")


if __name__ == "__main__":
    main()
