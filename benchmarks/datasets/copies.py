"""A first local copy of large files from a local folder, beside a bare loop and the released clearml SDK.

    python -m benchmarks.datasets.copies [--clearml PYTHON] [--folder /tmp] [--large 200] [--huge 2000] [--rounds 5]

Everybody copies in turns, in each round from page cache that was read just before (``--cold``: dropped just before),
into a folder that was not there, after the disk has been given what was written before. "loop" reads each file of the
source, hashes it with BLAKE3 and writes it through a buffer of 128 KiB, on as many threads as ours. ``clearml 0`` is
the released SDK, which packed with ``compression=0`` and checks its zips on the way. Ours checks each file by its
digest. Each line has the clock and the processor time, and the ratios of both to the others: medians over rounds, above
1 the other takes longer. On a machine that does other things as well, only those of the processor time mean something.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from benchmarks.datasets.engine import make
from benchmarks.datasets.peers import ROOT, Do, sdk
from blake3 import blake3
from tests.support.server import RunningServer

_BUFFER = 128 << 10
_own = threading.local()


def one(file: Path, target: Path) -> None:
    """Read, hash and write a file."""
    if not hasattr(_own, "buffer"):
        _own.buffer = memoryview(bytearray(_BUFFER))
    buffer = _own.buffer
    digest = blake3()
    reading = os.open(file, os.O_RDONLY)
    writing = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    while count := os.readv(reading, [buffer]):
        digest.update(buffer[:count])
        os.write(writing, buffer[:count])
    os.close(reading)
    os.close(writing)
    digest.digest()


def loop(files: list[Path], source: Path, target: Path) -> None:
    """The bare loop."""
    for folder in {file.parent for file in files}:
        (target / folder.relative_to(source)).mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        for _ in pool.map(lambda file: one(file, target / file.relative_to(source)), files):
            pass


def prepare(folder: Path, cold: bool) -> None:
    """Bring the files of a folder into the page cache, or out of it, and let the disk have what waits for it."""
    os.sync()
    buffer = bytearray(_BUFFER)
    for file in folder.rglob("*"):
        if file.is_file():
            handle = os.open(file, os.O_RDONLY)
            if cold:
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            else:
                while os.readv(handle, [buffer]):
                    pass
            os.close(handle)


def run(
    title: str, source: Path, files: list[Path], given: argparse.Namespace, server: RunningServer
) -> None:
    """Print a line for each."""
    print(f"\n{title}, page cache {'cold' if given.cold else 'warm'}", flush=True)
    scratch = source.parent / f"{source.name}-copies"
    users: dict[str, tuple[Path, Do]] = {}
    times: dict[str, list[tuple[float, float]]] = {}
    with ExitStack() as stack:
        for name, python, mode in (
            ("trialbook", sys.executable, "native"),
            ("trialbook", sys.executable, ""),
            ("clearml", str(given.clearml), "0"),
        ):
            if not Path(python).exists():
                print(f"  {name} is not here: {python}")
                continue
            here = scratch / f"{name}-{mode}"
            here.mkdir(parents=True)
            do = stack.enter_context(sdk(server, python, name, mode, source, here))
            do("first")
            users[f"{name} {mode}".strip()] = here / "store", do
        for _ in range(given.rounds):
            prepare(source, given.cold)
            start, worked = time.perf_counter(), time.process_time()
            loop(files, source, scratch / "bare")
            took = time.perf_counter() - start, time.process_time() - worked
            times.setdefault("loop", []).append(took)
            shutil.rmtree(scratch / "bare")
            for name, (store, do) in users.items():
                prepare(store, given.cold)
                answer = do("copy")
                assert answer is not None
                times.setdefault(name, []).append(answer)
                do("forget")
    for name, found in times.items():
        text = "".join(f"{statistics.median(part):9.3f} s" for part in zip(*found, strict=True))
        for other in ("loop", "clearml 0"):
            if other != name and other in times and name.startswith("trialbook"):
                ratios = (
                    statistics.median(
                        its[kind] / own[kind] for its, own in zip(times[other], found, strict=True)
                    )
                    for kind in (0, 1)
                )
                text += "   {:.2f} ({:.2f}) x ".format(*ratios) + other
        print(f"  {name:18}{text}", flush=True)
    shutil.rmtree(scratch)


def main() -> None:
    """Run all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--clearml", type=Path, default=ROOT / ".venv-interop" / "bin" / "python")
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--large", type=int, default=200, help="files of 10 MB")
    parser.add_argument("--huge", type=int, default=2000, help="MB of one file")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cold", action="store_true")
    given = parser.parse_args()
    top = Path(tempfile.mkdtemp(prefix="trialbook-copies-", dir=given.folder))
    server = RunningServer(top / "server")
    try:
        for count, size, title in (
            (given.large, 10_000_000, f"{given.large} files of 10 MB"),
            (min(1, given.huge), given.huge * 1_000_000, f"one file of {given.huge} MB"),
        ):
            if count:
                source = top / f"source-{count}"
                run(title, source, make(source, count, size), given, server)
                shutil.rmtree(source)
    finally:
        server.stop()
        shutil.rmtree(top, ignore_errors=True)


if __name__ == "__main__":
    main()
