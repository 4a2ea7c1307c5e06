"""Trialbook beside MLflow, W&B, Aim, Trackio, TensorBoard and the released clearml: what a run pays.

    python -m benchmarks.tracking.peers --peers FOLDER [--only trialbook,trackio] [--count 100000] [--seconds 5]

``FOLDER`` holds a virtual environment with the peers; it is made when missing. Ours runs against a server of its own,
and so does ``clearml``; the others write to their own local store. "Stored" ends when the tracker's own call for the
end of a run returns; ours then has the server's acknowledgement for everything, and the values are counted on the
server afterwards.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.server import RunningServer

PEERS = ["mlflow", "wandb", "aim", "trackio", "tensorboardX", "tensorboard", "clearml==2.1.12"]
PROGRAMS = Path(__file__).with_name("programs.py")
IMPORTS = {
    "trialbook": "from trialbook import Task",
    "tensorboardx": "from tensorboardX import SummaryWriter",
    "trackio": "import trackio",
    "wandb": "import wandb",
    "aim": "from aim import Run",
    "clearml": "from clearml import Task",
    "clearml-offline": "from clearml import Task",
    "mlflow": "import mlflow",
    "bare": "pass",
}
ROUNDS = 3
SLOW = {"mlflow", "clearml", "clearml-offline"}


def environment_of_peers(folder: Path) -> Path:
    """The Python of an environment with all peers that install here."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        for name in PEERS:
            done = subprocess.run(
                [python, "-m", "pip", "install", "-q", name], capture_output=True, text=True
            )
            if done.returncode:
                print(f"{name} does not install here: {done.stderr.strip().splitlines()[-1]}")
    return python


class Bench:
    """Runs the programs of all trackers, each in its own environment and an empty folder."""

    def __init__(self, peers: Path, server: RunningServer, scratch: Path) -> None:
        self._peers = peers
        self._server = server
        self._scratch = scratch
        self._runs = 0
        # Away from this checkout: what a tracker does about a repository is not the question here.
        self._program = shutil.copy(PROGRAMS, scratch)

    def python(self, tracker: str) -> str:
        """The interpreter that has the tracker."""
        return sys.executable if tracker in {"trialbook", "bare"} else str(self._peers)

    def environment(self, tracker: str, folder: Path) -> dict[str, str]:
        """Quiet, local, and with nothing left of earlier runs."""
        kept = self._server.client_environment(folder)
        kept.pop("PYTHONPATH", None)
        kept |= {"WANDB_SILENT": "true", "TRACKIO_DIR": str(folder), "MLFLOW_DISABLE_TELEMETRY": "true"}
        kept |= {"AIM_UI_TELEMETRY_ENABLED": "0", "DO_NOT_TRACK": "1", "HF_HUB_OFFLINE": "1"}
        if tracker == "trialbook":
            kept["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        if tracker == "clearml-offline":
            kept["BENCH_OFFLINE"] = "1"
        return kept

    def run(self, tracker: str, mode: str, count: int, seconds: float) -> dict[str, Any]:
        """The numbers of one process, with its wall time and what it left on the disk."""
        self._runs += 1
        folder = self._scratch / f"{tracker}-{self._runs}"
        folder.mkdir()
        command = [
            self.python(tracker),
            str(self._program),
            tracker,
            mode,
            str(count),
            str(seconds),
            str(folder),
        ]
        before = size(self._server.data)
        began = time.perf_counter()
        done = subprocess.run(
            command,
            env=self.environment(tracker, folder),
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=240,
        )
        wall = time.perf_counter() - began
        lines = [line[7:] for line in done.stdout.splitlines() if line.startswith("RESULT ")]
        if done.returncode or not lines:
            raise RuntimeError(f"{tracker} {mode} ended with {done.returncode}: {done.stderr[-600:]}")
        found: dict[str, Any] = json.loads(lines[0])
        found["wall"] = wall
        found["bytes"] = size(folder) + max(0, size(self._server.data) - before)
        for line in done.stdout.splitlines():
            if line.startswith("TASK "):
                found["task"] = line[5:]
        shutil.rmtree(folder)
        return found

    def import_seconds(self, tracker: str) -> float:
        """Median wall time of a process that imports what a script needs."""
        times = []
        with tempfile.TemporaryDirectory() as folder:
            environment = self.environment(tracker, Path(folder))
            for _ in range(ROUNDS):
                began = time.perf_counter()
                subprocess.run(
                    [self.python(tracker), "-c", IMPORTS[tracker]],
                    env=environment,
                    check=True,
                    capture_output=True,
                )
                times.append(time.perf_counter() - began)
        return sorted(times)[ROUNDS // 2]


@dataclass(frozen=True)
class Measured:
    """What was found about one tracker."""

    imported: float
    whole: float
    singles: dict[str, Any]
    tens: dict[str, Any]
    steps: dict[str, Any]


def measured(bench: Bench, tracker: str, count: int, seconds: float) -> Measured:
    """Run all modes of one tracker."""
    return Measured(
        imported=bench.import_seconds(tracker),
        whole=sorted(bench.run(tracker, "trivial", 1, 1)["wall"] for _ in range(ROUNDS))[ROUNDS // 2],
        singles=bench.run(tracker, "singles", count, seconds),
        tens=bench.run(tracker, "tens", count // 10, seconds),
        # A tracker that writes a step in 50 ms gets fewer of them.
        steps=bench.run(tracker, "steps", 400 if tracker in SLOW else 4000, seconds),
    )


def cells(found: dict[str, Any]) -> list[str]:
    """One row of a table of calls."""
    return [
        f"{found['scalars']}",
        f"{found['p50']:.2f}",
        f"{found['p999']:.0f}",
        f"{found['worst'] / 1000:.1f}",
        f"{found['scalars'] / found['stored']:.0f}",
        f"{found['cpu']:.1f}",
        f"{found['bytes'] / found['scalars']:.0f}",
        f"{found['memory']:.0f}",
    ]


def size(folder: Path) -> int:
    """Bytes of the files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def count_on_server(server: RunningServer, task: str) -> int:
    """Points that a reader finds."""
    found = server.call("tasks.get_by_id", task=task)["task"]["last_metrics"]
    return sum(int(one.get("count", 0)) for variants in found.values() for one in variants.values())


def table(title: str, columns: list[str], rows: dict[str, list[str]]) -> None:
    """Print a table with names in the first column."""
    print(f"\n{title}")
    print(f"{'':17s}" + "".join(f"{column:>13s}" for column in columns))
    for name, cells in rows.items():
        print(f"{name:17s}" + "".join(f"{cell:>13s}" for cell in cells), flush=True)


def main() -> None:
    """Measure every tracker and print the tables, each number beside its ratio to ours."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--peers", type=Path, required=True)
    options.add_argument("--only", default=",".join(IMPORTS))
    options.add_argument("--count", type=int, default=100_000)
    options.add_argument("--seconds", type=float, default=5.0)
    chosen = options.parse_args()
    trackers = [name for name in IMPORTS if name in {*chosen.only.split(","), "trialbook", "bare"}]
    python = environment_of_peers(chosen.peers.resolve())
    with tempfile.TemporaryDirectory() as folder:
        server = RunningServer(Path(folder) / "server")
        bench = Bench(python, server, Path(folder))
        bare = bench.import_seconds("bare")
        start: dict[str, list[str]] = {}
        calls: dict[str, list[str]] = {}
        tens: dict[str, list[str]] = {}
        steps: dict[str, list[str]] = {}
        for name in trackers:
            began = time.monotonic()
            try:
                found = measured(bench, name, chosen.count, chosen.seconds)
            except (RuntimeError, subprocess.SubprocessError) as error:
                print(f"{name}: left out, {error}")
                continue
            print(f"{name}: measured in {time.monotonic() - began:.0f} s", flush=True)
            start[name] = [f"{found.imported - bare:.3f}", f"{found.whole:.2f}"]
            calls[name], tens[name] = cells(found.singles), cells(found.tens)
            steps[name] = [f"{found.steps['plain_ms']:.2f}", f"{100 * found.steps['slower']:+.1f} %"]
            for run in (found.singles, found.tens):
                if "task" in run:
                    there = count_on_server(server, run["task"])
                    assert there >= run["scalars"], (there, run["scalars"])
        server.stop()
    heads = ["scalars", "p50 µs", "p99.9 µs", "worst ms", "stored/s", "CPU µs each", "bytes each", "peak MB"]
    table("A process that starts", ["import, s", "whole run, s"], start)
    table("One scalar per call", heads, calls)
    table("Ten scalars per step", heads, tens)
    table("A step of about a millisecond that reports ten scalars", ["step, ms", "slower"], steps)


if __name__ == "__main__":
    main()
