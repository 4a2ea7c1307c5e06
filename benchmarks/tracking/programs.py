"""One run of one tracker, measured from inside; a process of its own for every number.

    python benchmarks/tracking/programs.py TRACKER MODE COUNT SECONDS FOLDER

It runs in the environment of the tracker that it measures, so it imports nothing but that. The last line that it
prints is a JSON object. Modes: ``trivial`` (one scalar), ``singles`` (one scalar per call), ``tens`` (ten scalars per
step, in one call where the tracker has such a call), ``steps`` (a training step of a millisecond with ten scalars
against the same step without).
"""

import json
import math
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

NAMES = [f"metric_{number}" for number in range(10)]


class Tracker(Protocol):
    """What every tracker is asked to do."""

    def one(self, name: str, value: float, step: int) -> None:
        """Report a scalar."""

    def many(self, values: dict[str, float], step: int) -> None:
        """Report the scalars of a step."""

    def end(self) -> None:
        """Return when everything is stored, as far as the tracker's own call for that goes."""


class Bare:
    """Appends to a list: what the loop itself costs."""

    def __init__(self, folder: Path) -> None:
        self._kept: list[tuple[str, float, int]] = []

    def one(self, name: str, value: float, step: int) -> None:
        self._kept.append((name, value, step))

    def many(self, values: dict[str, float], step: int) -> None:
        for name, value in values.items():
            self._kept.append((name, value, step))

    def end(self) -> None:
        self._kept.clear()


class Trialbook:
    """Our SDK against our server; ``end`` returns when the server has acknowledged everything."""

    def __init__(self, folder: Path) -> None:
        from trialbook import Task

        self.task = Task.init("Benchmarks", "tracking", reuse_last_task_id=False)
        self._report = self.task.get_logger().report_scalar
        self._report_all = self.task.get_logger().report_scalars
        print("TASK", self.task.id, flush=True)

    def one(self, name: str, value: float, step: int) -> None:
        self._report(name, "train", value, step)

    def many(self, values: dict[str, float], step: int) -> None:
        self._report_all(values, step)

    def end(self) -> None:
        self.task.close()


class ClearML:
    """The released SDK against our server, or offline."""

    def __init__(self, folder: Path) -> None:
        from clearml import Task

        if os.environ.get("BENCH_OFFLINE"):
            Task.set_offline(offline_mode=True)
        self.task = Task.init(
            "Benchmarks", "tracking", reuse_last_task_id=False, auto_resource_monitoring=False
        )
        self._report = self.task.get_logger().report_scalar

    def one(self, name: str, value: float, step: int) -> None:
        self._report(name, "train", value, step)

    def many(self, values: dict[str, float], step: int) -> None:
        for name, value in values.items():
            self._report(name, "train", value, step)

    def end(self) -> None:
        self.task.close()


class MLflow:
    """MLflow on its SQLite store, in the process."""

    def __init__(self, folder: Path) -> None:
        import mlflow

        mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
        mlflow.set_experiment("benchmarks")
        mlflow.start_run()
        self._mlflow = mlflow

    def one(self, name: str, value: float, step: int) -> None:
        self._mlflow.log_metric(name, value, step=step)

    def many(self, values: dict[str, float], step: int) -> None:
        self._mlflow.log_metrics(values, step=step)

    def end(self) -> None:
        self._mlflow.end_run()


class WandB:
    """Weights & Biases, offline."""

    def __init__(self, folder: Path) -> None:
        import wandb

        self._run = wandb.init(project="benchmarks", mode="offline", dir=str(folder))

    def one(self, name: str, value: float, step: int) -> None:
        self._run.log({name: value})

    def many(self, values: dict[str, float], step: int) -> None:
        self._run.log(values)

    def end(self) -> None:
        self._run.finish()


class Aim:
    """Aim on a local repository."""

    def __init__(self, folder: Path) -> None:
        from aim import Run

        self._run = Run(repo=str(folder), system_tracking_interval=None)

    def one(self, name: str, value: float, step: int) -> None:
        self._run.track(value, name=name, step=step)

    def many(self, values: dict[str, float], step: int) -> None:
        self._run.track(values, step=step)

    def end(self) -> None:
        self._run.close()


class Trackio:
    """Trackio on its local database."""

    def __init__(self, folder: Path) -> None:
        import trackio

        trackio.init(project="benchmarks")
        self._trackio = trackio

    def one(self, name: str, value: float, step: int) -> None:
        self._trackio.log({name: value}, step=step)

    def many(self, values: dict[str, float], step: int) -> None:
        self._trackio.log(values, step=step)

    def end(self) -> None:
        self._trackio.finish()


class TensorBoardX:
    """Event files of TensorBoard."""

    def __init__(self, folder: Path) -> None:
        from tensorboardX import SummaryWriter

        self._writer = SummaryWriter(str(folder / "events"))

    def one(self, name: str, value: float, step: int) -> None:
        self._writer.add_scalar(name, value, step)

    def many(self, values: dict[str, float], step: int) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def end(self) -> None:
        self._writer.close()


TRACKERS: dict[str, Callable[[Path], Tracker]] = {
    "bare": Bare,
    "trialbook": Trialbook,
    "clearml": ClearML,
    "clearml-offline": ClearML,
    "mlflow": MLflow,
    "wandb": WandB,
    "aim": Aim,
    "trackio": Trackio,
    "tensorboardx": TensorBoardX,
}


def value_at(step: int) -> float:
    """A noisy loss, the same for everybody."""
    return 1.0 / (1.0 + 0.01 * step) + 0.05 * math.sin(step * 12.9898)


def quantile(sorted_values: list[int], share: float) -> float:
    """Microseconds at a share of the sorted nanoseconds."""
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))] / 1000


def measure_calls(tracker: Tracker, grouped: bool, count: int, seconds: float) -> dict[str, Any]:
    """Time every call until ``count`` calls or ``seconds`` are over, then the end."""
    spent: list[int] = []
    clock = time.perf_counter_ns
    began = clock()
    limit = began + int(seconds * 1e9)
    usage = time.process_time()
    for step in range(count):
        value = value_at(step)
        if grouped:
            values = dict.fromkeys(NAMES, value)
            before = clock()
            tracker.many(values, step)
        else:
            before = clock()
            tracker.one("loss", value, step)
        after = clock()
        spent.append(after - before)
        if after > limit:
            break
    called = clock()
    tracker.end()
    ended = clock()
    scalars = len(spent) * (10 if grouped else 1)
    cpu = time.process_time() - usage
    spent.sort()
    return {
        "scalars": scalars,
        "p50": quantile(spent, 0.5),
        "p999": quantile(spent, 0.999),
        "worst": spent[-1] / 1000,
        "called": (called - began) / 1e9,
        "stored": (ended - began) / 1e9,
        "cpu": cpu / scalars * 1e6,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def measure_steps(tracker: Tracker, count: int) -> dict[str, Any]:
    """Blocks of steps with and without reports in turn; the medians of the blocks tell what reporting costs."""
    work = math.sqrt
    loops = 1000
    began = time.perf_counter()
    for number in range(loops):
        work(number)
    # As many turns as fill a millisecond on this machine.
    turns = int(loops * 0.001 / (time.perf_counter() - began)) + 1
    blocks: dict[bool, list[float]] = {True: [], False: []}
    size = 100
    for block in range(max(2, count // size)):
        reporting = block % 2 == 1
        began = time.perf_counter()
        for step in range(block * size, (block + 1) * size):
            for number in range(turns):
                work(number)
            if reporting:
                tracker.many(dict.fromkeys(NAMES, value_at(step)), step)
        blocks[reporting].append(time.perf_counter() - began)
    tracker.end()
    with_reports, without = (sorted(blocks[key])[len(blocks[key]) // 2] for key in (True, False))
    return {"plain_ms": without / size * 1000, "slower": with_reports / without - 1}


def main() -> None:
    """Run one mode and print its numbers."""
    name, mode, count, seconds, folder = sys.argv[1:]
    tracker = TRACKERS[name](Path(folder))
    if mode == "trivial":
        tracker.one("loss", 0.5, 1)
        tracker.end()
        found: dict[str, Any] = {}
    elif mode == "steps":
        found = measure_steps(tracker, int(count))
    else:
        found = measure_calls(tracker, mode == "tens", int(count), float(seconds))
    print("RESULT " + json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
