"""The dataset engine beside the released clearml SDK, DVC, restic and borg, on the same data.

    python -m benchmarks.datasets.peers [--clearml PYTHON] [--dvc DVC] [--folder /tmp] [--small 20000] [--large 200]
        [--huge 2000] [--only engine,trialbook,clearml,...]

``--clearml`` is the Python of an environment with ``clearml`` (default: ``.venv-interop``), ``--dvc`` the program.
A peer that is not there is left out and named. Ours is measured twice: the engine alone (as DVC, restic and borg are:
no server), and through ``trialbook.Dataset``, with the same program and against the same server as ``clearml``.
Everybody stores into a local folder. ``clearml 0`` is clearml with ``compression=0``. Ratios: SDKs to ``trialbook``,
the others to ``engine``; above 1 the peer takes longer. Each line has the clock, the processor time, and both ratios:
on a machine that does other things as well, only those of the processor time mean something.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.datasets.engine import OLD, create, make, read_and_hash
from benchmarks.datasets.engine import copy as copied
from tests.support.server import RunningServer

from trialbook.base.ids import new_id
from trialbook.datasets.repository import Repository
from trialbook.datasets.sources.sniff import Policy
from trialbook.datasets.storage.folder import FolderBlobs

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("sdk_program.py")
STEPS = {
    "first": "create -> finalize",
    "copy": "first local copy",
    "again": "copy again",
    "next": "next version, 1 % changed",
    "squash": "squash",
}
Took = tuple[float, float]
"""Seconds on the clock, and of processor time."""
Do = Callable[[str], Took | None]
"""Does one of ``STEPS`` and says how long it took; None: the tool has no such step."""


@contextmanager
def engine(source: Path, here: Path, native: bool) -> Iterator[Do]:
    """Our engine, waiting for the disk as it does by default."""
    repository = Repository(FolderBlobs(here / "store"), here / "cache")
    policy = Policy(native=True) if native else Policy()
    version = ""

    def do(step: str) -> Took:
        nonlocal version
        start, worked = time.perf_counter(), time.process_time()
        if step in {"first", "next"}:
            draft = repository.begin(new_id(), [version] if version else [], policy)
            draft.sync(source)
            draft.upload()
            version = draft.finish().version
        elif step == "squash":
            repository.squash(new_id(), [version])
        else:
            repository.copy(version)
        return time.perf_counter() - start, time.process_time() - worked

    yield do


@contextmanager
def sdk(server: RunningServer, python: str, name: str, mode: str, source: Path, here: Path) -> Iterator[Do]:
    """Either SDK in a process of its own, against our server."""
    environment = server.client_environment(here)
    if name == "trialbook":
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    else:
        environment.pop("PYTHONPATH", None)
        # Its default forks a reporter, which can hang; this documented setting sends the same requests.
        (here / "clearml.conf").write_text("sdk { development { report_use_subprocess: false } }\n")
    store = here / "store"
    store.mkdir()
    command = [python, str(PROGRAM), name, str(source), f"file://{store}", f"{name}-{mode}-{here.name}", mode]
    with (here / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=here, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        talk, listen = process.stdin, process.stdout
        if listen.readline().strip() != "ready":
            raise RuntimeError(f"{name} does not start:\n{(here / 'log').read_text()[-2000:]}")

        def do(step: str) -> Took:
            talk.write(step + "\n")
            talk.flush()
            answer = listen.readline().strip()
            if not answer:
                raise RuntimeError(f"{name} failed at {step}:\n{(here / 'log').read_text()[-2000:]}")
            clock, work = answer.split()
            return float(clock), float(work)

        try:
            yield do
        finally:
            talk.close()
            process.wait(60)


def of_children() -> float:
    """Processor time of all programs that ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def timed(commands: list[list[str]], where: Path, environment: dict[str, str] | None = None) -> Took:
    """What some programs take, one after the other."""
    start, worked = time.perf_counter(), of_children()
    for command in commands:
        done = subprocess.run(
            command, cwd=where, env={**os.environ, **(environment or {})}, capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr[-1000:]}")
    return time.perf_counter() - start, of_children() - worked


@contextmanager
def restic(source: Path, here: Path) -> Iterator[Do]:
    """restic, without a password prompt; it has no versions that are squashed, and no copy that is kept."""
    secret = {"RESTIC_PASSWORD": "x", "RESTIC_CACHE_DIR": str(here / "cache")}
    base = ["restic", "-q", "-r", str(here / "store")]
    timed([[*base, "init"]], here, secret)

    def do(step: str) -> Took | None:
        if step in {"first", "next"}:
            return timed([[*base, "backup", str(source)]], here, secret)
        if step == "copy":
            return timed([[*base, "restore", "latest", "--target", str(here / "out")]], here, secret)
        return None

    yield do


@contextmanager
def borg(source: Path, here: Path) -> Iterator[Do]:
    """borg without encryption; its default compression."""
    named = {"BORG_BASE_DIR": str(here / "base"), "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes"}
    timed([["borg", "init", "-e", "none", str(here / "store")]], here, named)
    count = 0

    def do(step: str) -> Took | None:
        nonlocal count
        if step in {"first", "next"}:
            count += 1
            return timed([["borg", "create", f"{here / 'store'}::{count}", str(source)]], here, named)
        if step == "copy":
            (here / "out").mkdir()
            return timed([["borg", "extract", f"{here / 'store'}::{count}"]], here / "out", named)
        return None

    yield do


@contextmanager
def dvc(program: str, source: Path, here: Path) -> Iterator[Do]:
    """DVC with a local remote: add and push; a pull into a fresh clone; a pull of what is there."""
    work, clone = here / "work", here / "clone"
    work.mkdir()
    person = {f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    quiet = {**person, "DVC_NO_ANALYTICS": "true", "HOME": str(here)}
    timed(
        [
            ["git", "init", "-q"],
            [program, "init", "-q"],
            [program, "remote", "add", "-d", "store", str(here / "store")],
        ],
        work,
        quiet,
    )
    shutil.copytree(source, work / "data")
    save = [["git", "add", "-A"], ["git", "commit", "-q", "-m", "data"]]

    def do(step: str) -> Took | None:
        if step == "next":
            for file in changed(work / "data", source):
                shutil.copy2(file, work / "data" / file.relative_to(source))
        if step in {"first", "next"}:
            took = timed([[program, "add", "-q", "data"], [program, "push", "-q"]], work, quiet)
            timed(save, work, quiet)
            return took
        if step == "copy":
            timed([["git", "clone", "-q", str(work), str(clone)]], here, quiet)
            return timed([[program, "pull", "-q"]], clone, quiet)
        if step == "again":
            return timed([[program, "pull", "-q"]], clone, quiet)
        return None

    yield do


def changed(there: Path, source: Path) -> list[Path]:
    """Files of ``source`` that are newer than their copies."""
    files = (file for file in source.rglob("*") if file.is_file())
    return [
        file
        for file in files
        if file.stat().st_mtime_ns != (there / file.relative_to(source)).stat().st_mtime_ns
    ]


def change(files: list[Path], round_: int) -> None:
    """Give 1 % of the files new bytes."""
    for file in files[round_ % 100 :: 100]:
        size = file.stat().st_size
        file.write_bytes(os.urandom(size))
        os.utime(file, (OLD + 10 + round_, OLD + 10 + round_))


def limits(files: list[Path], source: Path, here: Path) -> None:
    """What bare system calls take for the same bytes."""
    size = files[0].stat().st_size
    for name, work in (
        ("read + BLAKE3", lambda: read_and_hash(files, False)),
        ("read + BLAKE3 + SHA-256", lambda: read_and_hash(files, True)),
        ("copy into one file", lambda: copied(files, here / "bare")),
        ("create, write, close each", lambda: create(files, source, here / "each", min(size, 4096))),
    ):
        start = time.perf_counter()
        work()
        print(f"  limit: {name:32} {time.perf_counter() - start:9.3f} s", flush=True)


class Bench:
    """All tools over one kind of data."""

    def __init__(self, given: argparse.Namespace, server: RunningServer, scratch: Path) -> None:
        self._given = given
        self._server = server
        self._scratch = scratch

    def tools(self, source: Path) -> Iterator[tuple[str, Callable[[Path], "object"]]]:
        """Name and maker of every tool that is here."""
        given = self._given
        yield "engine", lambda here: engine(source, here, False)
        yield "engine native", lambda here: engine(source, here, True)
        for name, python, modes in (
            ("trialbook", sys.executable, ("", "native")),
            ("clearml", str(given.clearml), ("", "0")),
        ):
            for mode in modes:
                if Path(python).exists():
                    yield (
                        f"{name} {mode}".strip(),
                        lambda here, name=name, python=python, mode=mode: sdk(
                            self._server, python, name, mode, source, here
                        ),
                    )
                else:
                    print(f"  {name} is not here: {python}")
        for name, maker in (("restic", restic), ("borg", borg)):
            if shutil.which(name):
                yield name, lambda here, maker=maker: maker(source, here)
            else:
                print(f"  {name} is not installed")
        if given.dvc and shutil.which(given.dvc):
            yield "dvc", lambda here: dvc(given.dvc, source, here)
        else:
            print("  dvc is not here: give --dvc")

    def run(self, title: str, source: Path, files: list[Path], steps: list[str]) -> None:
        """Print the table of one kind of data."""
        print(f"\n{title}", flush=True)
        bare = self._scratch / f"limits-{source.name}"
        bare.mkdir()
        limits(files, source, bare)
        found: dict[str, dict[str, Took | None]] = {}
        for number, (name, maker) in enumerate(self.tools(source)):
            wanted = self._given.only.split(",")
            if self._given.only and not {name, name.split()[0]} & set(wanted):
                continue
            here = self._scratch / f"{source.name}-{name.replace(' ', '-')}"
            here.mkdir()
            times: dict[str, Took | None] = {}
            with maker(here) as do:  # type: ignore[attr-defined]
                for step in steps:
                    if step == "next":
                        change(files, number)
                    times[step] = do(step)
            found[name] = times
            text = "  ".join(f"{step} {took[0]:.3f}" for step, took in times.items() if took is not None)
            print(f"  {name:16} {text}", flush=True)
        for step in steps:
            print(f"  {STEPS[step]}")
            for name, times in found.items():
                mine = found.get("engine" if name in {"restic", "borg", "dvc"} else "trialbook", {}).get(step)
                took = times[step]
                if took is not None:
                    pairs = zip(took, mine, strict=True) if mine else ()
                    ratios = "".join(f"{own / ours:10.1f} x" for own, ours in pairs if ours)
                    print(f"    {name:16} {took[0]:9.3f} s {took[1]:9.3f} s {ratios}", flush=True)


def main() -> None:
    """Run all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--clearml", type=Path, default=ROOT / ".venv-interop" / "bin" / "python")
    parser.add_argument("--dvc", default="dvc")
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--small", type=int, default=20_000, help="files of 4 KB")
    parser.add_argument("--large", type=int, default=200, help="files of 10 MB")
    parser.add_argument("--huge", type=int, default=2000, help="MB of one file")
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(dir=given.folder))
    server = RunningServer(scratch / "server")
    bench = Bench(given, server, scratch)
    try:
        if given.small:
            source = scratch / "small"
            files = make(source, given.small, 4096)
            bench.run(f"{given.small} files of 4 KB", source, files, list(STEPS))
        if given.large:
            source = scratch / "large"
            files = make(source, given.large, 10_000_000)
            bench.run(f"{given.large} files of 10 MB", source, files, ["first", "copy", "again"])
        if given.huge:
            source = scratch / "huge"
            files = make(source, 1, given.huge * 1_000_000)
            bench.run(f"one file of {given.huge} MB", source, files, ["first", "copy", "again"])
    finally:
        server.stop()
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
