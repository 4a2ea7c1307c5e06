"""Much of it: a million scalars out and back, eight processes on one task, and how long a run takes to end.

    python -m benchmarks.tracking.volume [--scalars 1000000] [--each 100000] [--database URL]

The limit beside each number is the loop alone, with the same values appended to a list, in the same run.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.support.server import RunningServer

OUT = """
import json, sys, time
from trialbook import Task
count = int(sys.argv[1])
task = Task.init("Benchmarks", "volume", reuse_last_task_id=False, auto_resource_monitoring=False)
logger = task.get_logger()
report = logger.report_scalar
assert task.flush()
kept = []
began = time.perf_counter()
for step in range(count):
    kept.append(("loss", "train", 1 / (step + 1), step))
bare = time.perf_counter() - began
used = time.process_time()
began = time.perf_counter()
for step in range(count):
    report("loss", "train", 1 / (step + 1), step)
called = time.perf_counter() - began
assert task.flush()
stored = time.perf_counter() - began
used = time.process_time() - used
began = time.perf_counter()
found = Task.get_task(task_id=task.id).get_reported_scalars(max_samples=0)["loss"]["train"]
back = time.perf_counter() - began
assert len(found["x"]) == count and found["y"][-1] == 1 / count, len(found["x"])
print("RESULT", json.dumps({"bare": bare, "called": called, "stored": stored, "back": back, "cpu": used}))
"""
EIGHT = """
import multiprocessing, sys, time
from trialbook import Task

def work(rank, each):
    report = Task.current_task().get_logger().report_scalar
    for step in range(each):
        report("loss", f"rank {rank}", float(step), step)

if __name__ == "__main__":
    each = int(sys.argv[1])
    task = Task.init("Benchmarks", "eight", reuse_last_task_id=False, auto_resource_monitoring=False)
    print("TASK", task.id, flush=True)
    began = time.perf_counter()
    context = multiprocessing.get_context("fork")
    ranks = [context.Process(target=work, args=(rank, each)) for rank in range(8)]
    for rank in ranks:
        rank.start()
    for rank in ranks:
        rank.join()
        assert rank.exitcode == 0
    task.close()
    print("RESULT", time.perf_counter() - began)
"""
END = """
import sys, time
from trialbook import Task
task = Task.init("Benchmarks", "end", reuse_last_task_id=False)
for step in range(1000):
    task.get_logger().report_scalar("loss", "train", 1 / (step + 1), step)
print("TASK", task.id, flush=True)
sys.stdin.readline()
for step in range(1000, 2000):
    task.get_logger().report_scalar("loss", "train", 1 / (step + 1), step)
print("LAST", time.time(), flush=True)
"""


def program(server: RunningServer, home: Path, text: str, *arguments: str) -> str:
    """Standard output of a script that reports to the server."""
    path = home / "program.py"
    path.write_text(text)
    done = subprocess.run(
        [sys.executable, str(path), *arguments],
        env=server.client_environment(home),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def line(output: str, key: str) -> str:
    """What follows a key at the start of a line."""
    return next(row[len(key) + 1 :] for row in output.splitlines() if row.startswith(key + " "))


def end_seconds(server: RunningServer, home: Path, *, gone: bool) -> tuple[float, str]:
    """Seconds from the last report to the end of the process, and its task."""
    path = home / "end.py"
    path.write_text(END)
    process = subprocess.Popen(
        [sys.executable, str(path)],
        env=server.client_environment(home),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin and process.stdout
    task = last = ""
    for row in process.stdout:
        if row.startswith("TASK "):
            task = row[5:].strip()
            if gone:
                server.kill()
            process.stdin.write("\n")
            process.stdin.flush()
        if row.startswith("LAST "):
            last = row[5:]
            break
    process.wait()
    return time.time() - float(last), task


def points(server: RunningServer, task: str) -> int:
    """Points of a task that a reader finds, without those of the machine."""
    found: dict[str, Any] = server.call("tasks.get_by_id", task=task)["task"]["last_metrics"]
    every = [one for variants in found.values() for one in variants.values()]
    return sum(int(one["count"]) for one in every if one["metric"] == "loss")


def main() -> None:
    """Print seconds and rates."""
    options = argparse.ArgumentParser()
    options.add_argument("--scalars", type=int, default=1_000_000)
    options.add_argument("--each", type=int, default=100_000)
    options.add_argument("--database")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        server = RunningServer(home / "server", chosen.database)
        count = chosen.scalars
        out = json.loads(line(program(server, home, OUT, str(count)), "RESULT"))
        print(f"{count} scalars, one process")
        print(f"  the loop alone            {out['bare']:6.2f} s")
        print(
            f"  all calls                 {out['called']:6.2f} s  {out['called'] / out['bare']:5.1f} x the loop"
        )
        print(
            f"  all stored and readable   {out['stored']:6.2f} s  {out['stored'] / out['bare']:5.1f} x the loop"
        )
        print(f"  CPU of the process, each  {out['cpu'] / count * 1e6:6.2f} us")
        print(f"  full history back         {out['back']:6.2f} s")
        written = program(server, home, EIGHT, str(chosen.each))
        seconds, there = float(line(written, "RESULT")), points(server, line(written, "TASK"))
        assert there == 8 * chosen.each, there
        print(
            f"8 processes x {chosen.each} on one task: {there} points, exact, {seconds:.2f} s to the end of close"
        )
        near = sorted(end_seconds(server, home, gone=False)[0] for _ in range(3))[1]
        print(f"end of a run after its last report, server reachable   {near:6.2f} s")
        away, task = end_seconds(server, home, gone=True)
        print(f"end of a run after its last report, server gone        {away:6.2f} s")
        server.start()
        deadline = time.time() + 60
        while points(server, task) < 2000 and time.time() < deadline:
            subprocess.run(
                [sys.executable, "-m", "trialbook", "sync"],
                env=server.client_environment(home),
                capture_output=True,
            )
        assert points(server, task) == 2000, points(server, task)
        print("  and after `trialbook sync` all of its points are there")
        server.stop()


if __name__ == "__main__":
    main()
