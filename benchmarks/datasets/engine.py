"""How fast the dataset engine is beside what bare system calls reach with the same data in the same run.

    python -m benchmarks.datasets.engine [--folder /tmp] [--small 20000] [--large 200] [--rows 1000000] [--rounds 3]

Every time is the median of ``--rounds``; each round measures limit and engine one after the other. Page cache warm.
The engine verifies what it reads; "durable" waits for the disk, as the default does;
the rest does not, as no limit does. Small files are deleted at the end only: ext4 is slow to create files soon after
deletions.
"""

import argparse
import hashlib
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import numpy as np
from blake3 import blake3

from trialbook.base.ids import new_id
from trialbook.datasets.manifest.diff import diff
from trialbook.datasets.manifest.roots import RangeRef, encode_ranges, open_range
from trialbook.datasets.manifest.rows import ROW, Rows
from trialbook.datasets.manifest.table import Table
from trialbook.datasets.repository import Repository
from trialbook.datasets.sources.sniff import Policy
from trialbook.datasets.storage.folder import FolderBlobs

P = ParamSpec("P")
T = TypeVar("T")

NATIVE = Policy(native=True, sha256=False, durable=False)
INTEROP = Policy(durable=False)
DURABLE = Policy()
OLD = 1_600_000_000
"""When the files were last written, in seconds since the epoch."""


def make(folder: Path, count: int, size: int) -> list[Path]:
    """Files of noise, a hundred to a folder, old enough for the stat cache; zips of others know no year before 1980."""
    files = []
    for number in range(count):
        file = folder / f"{number // 100:04}" / f"{number:06}.bin"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(os.urandom(size))
        os.utime(file, (OLD, OLD))
        files.append(file)
    return files


def read_and_hash(files: list[Path], sha256: bool) -> None:
    """The limit of taking files in: each opened, read and hashed, nothing else."""
    buffer = memoryview(bytearray(1 << 20))
    for file in files:
        handle = os.open(file, os.O_RDONLY)
        first, second = blake3(), hashlib.sha256()
        while count := os.readv(handle, [buffer]):
            first.update(buffer[:count])
            if sha256:
                second.update(buffer[:count])
        os.close(handle)
        first.digest()


def copy(files: list[Path], target: Path) -> None:
    """The limit of storing large files: one file of all bytes, through a buffer."""
    buffer = memoryview(bytearray(1 << 20))
    writing = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for file in files:
        handle = os.open(file, os.O_RDONLY)
        while count := os.readv(handle, [buffer]):
            os.write(writing, buffer[:count])
        os.close(handle)
    os.close(writing)


def create(paths: list[Path], source: Path, target: Path, size: int) -> None:
    """The limit of a first copy: each file created, written from memory and closed."""
    data = os.urandom(size)
    for folder in sorted({path.parent for path in paths}):
        (target / folder.relative_to(source)).mkdir(parents=True, exist_ok=True)
    for path in paths:
        handle = os.open(target / path.relative_to(source), os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        os.write(handle, data)
        os.close(handle)


def commit(repository: Repository, folder: Path, policy: Policy, *parents: str) -> str:
    """Create to finalize."""
    draft = repository.begin(new_id(), parents, policy)
    draft.add_folder(folder)
    draft.upload()
    return draft.finish().version


class Report:
    """Collects times and prints medians with their ratio to the limit."""

    def __init__(self) -> None:
        self._times: dict[str, list[float]] = {}

    def take(self, name: str, work: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        """Run, note the time, and give what it gave."""
        start = time.perf_counter()
        result = work(*given, **named)
        self._times.setdefault(name, []).append(time.perf_counter() - start)
        return result

    def line(self, name: str, limit: str | None = None) -> None:
        """Print one result; the ratio is the median over rounds of limit/time, 1.0 being as fast as the limit."""
        times = self._times[name]
        text = f"{name:52} {statistics.median(times):8.3f} s (best {min(times):.3f})"
        if limit:
            ratio = statistics.median(bare / own for bare, own in zip(self._times[limit], times, strict=True))
            text += f"   {ratio:5.2f} of: {limit}"
        print(text, flush=True)


def small_files(report: Report, top: Path, count: int, rounds: int) -> None:
    """Many files of 4 KB."""
    source = top / "small"
    files = make(source, count, 4096)
    for number in range(rounds):
        here = top / f"round{number}"
        fast = Repository(FolderBlobs(here / "store", durable=False), here / "cache")
        report.take("small: read + both hashes", read_and_hash, files, True)
        first = report.take("small: create to finalize, interop", commit, fast, source, INTEROP)
        report.take("small: create-write-close", create, files, source, here / "bare", 4096)
        report.take("small: first copy, verified", fast.copy, first)
        report.take("small: copy again", fast.copy, first)
        sure = Repository(FolderBlobs(here / "sure"), here / "sure-cache")
        report.take("small: create to finalize, interop, durable", commit, sure, source, DURABLE)
        for file in files[number::100]:
            file.write_bytes(os.urandom(4096))
            os.utime(file, (OLD + number + 1, OLD + number + 1))
        child = report.take("small: next version, 1 % changed", commit, fast, source, INTEROP, first)
        report.take("small: copy of it, the first one cached", fast.copy, child)
        report.take("small: squash", fast.squash, new_id(), [child])
    report.line("small: read + both hashes")
    report.line("small: create to finalize, interop", "small: read + both hashes")
    report.line("small: create to finalize, interop, durable", "small: read + both hashes")
    report.line("small: next version, 1 % changed")
    report.line("small: create-write-close")
    report.line("small: first copy, verified", "small: create-write-close")
    report.line("small: copy again")
    report.line("small: copy of it, the first one cached")
    report.line("small: squash")


def large_files(report: Report, top: Path, count: int, rounds: int) -> None:
    """Files of 10 MB that do not compress."""
    source = top / "large"
    files = make(source, count, 10_000_000)
    for number in range(rounds):
        here = top / f"large{number}"
        here.mkdir()
        report.take("large: copy", copy, files, here / "bare")
        (here / "bare").unlink()
        report.take("large: read + both hashes", read_and_hash, files, True)
        report.take("large: read + BLAKE3", read_and_hash, files, False)
        for name, policy in (("native", NATIVE), ("interop", INTEROP)):
            repository = Repository(FolderBlobs(here / name, durable=False), here / f"cache-{name}")
            version = report.take(f"large: create to finalize, {name}", commit, repository, source, policy)
            if name == "native":
                report.take("large: first copy, verified", repository.copy, version)
            shutil.rmtree(here / name)
        shutil.rmtree(here)
    report.line("large: copy")
    report.line("large: read + BLAKE3")
    report.line("large: create to finalize, native", "large: copy")
    report.line("large: read + both hashes")
    report.line("large: create to finalize, interop", "large: read + both hashes")
    report.line("large: first copy, verified", "large: copy")
    shutil.rmtree(source)


def check(held: dict[str, bytes]) -> None:
    """The least that a reader of manifests must do."""
    for part in held.values():
        blake3(part).digest()


def manifests(report: Report, count: int, rounds: int) -> None:
    """Two manifests that differ in 1 % of their rows, spread over all ranges."""
    data = np.zeros(count, ROW)
    data["b3"] = np.frombuffer(os.urandom(32 * count), "<u8").reshape(-1, 4)
    data["size"] = 4096
    paths = [f"train/{number // 1000:04}/{number:08}.jpg" for number in range(count)]
    one = Rows(paths, data, ("v/p",), ("v",))
    changed = data.copy()
    changed["b3"][::200] += 1
    other_paths = paths.copy()
    for place in range(100, count, 200):
        other_paths[place] += ".new"
    other = Rows(other_paths, changed, ("v/p",), ("v",))
    held: dict[str, bytes] = {}

    def stored(rows: Rows) -> list[RangeRef]:
        refs = []
        for part in encode_ranges(rows):
            key = f"v/{part.id}"
            held[key] = part.data
            refs.append(RangeRef(key, part.first, part.last, part.rows, len(part.data)))
        return refs

    def load(ref: RangeRef) -> Table:
        return open_range(held[ref.key], ref.key)

    first, second = stored(one), stored(other)
    for _ in range(rounds):
        report.take("manifest: encode", stored, one)
        report.take("manifest: BLAKE3 of both", check, held)
        found = report.take("manifest: diff, 1 % differs", diff, first, second, load)
        assert len(found.modified) == len(range(0, count, 200))
        assert len(found.added) == len(found.removed) == len(range(100, count, 200))
    size = sum(ref.bytes for ref in first) / 1e6
    print(f"manifest of {count} rows: {size:.0f} MB in {len(first)} ranges")
    report.line("manifest: encode")
    report.line("manifest: diff, 1 % differs", "manifest: BLAKE3 of both")


def main() -> None:
    """Run all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--small", type=int, default=20_000)
    parser.add_argument("--large", type=int, default=200)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    top = Path(tempfile.mkdtemp(dir=given.folder))
    report = Report()
    try:
        if given.small:
            small_files(report, top, given.small, given.rounds)
        if given.large:
            large_files(report, top, given.large, given.rounds)
        if given.rows:
            manifests(report, given.rows, given.rounds)
    finally:
        shutil.rmtree(top, ignore_errors=True)


if __name__ == "__main__":
    main()
