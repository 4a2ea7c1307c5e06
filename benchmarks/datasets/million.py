"""A million small files, create to finalize, in a folder: where the time goes, and the memory.

    python -m benchmarks.datasets.million [--folder /tmp] [--files 1000000] [--source FOLDER]

Files of 4 KB of noise, a thousand to a folder, page cache as it comes; the storage waits for the disk. ``--source``
takes files that are there already, such as those of an earlier run, and leaves them.
"""

import argparse
import os
import resource
import shutil
import tempfile
import time
from pathlib import Path

from benchmarks.datasets.engine import OLD

from trialbook.base.ids import new_id
from trialbook.datasets.repository import Repository
from trialbook.datasets.sources.sniff import Policy
from trialbook.datasets.storage.folder import FolderBlobs


def make(folder: Path, count: int) -> None:
    """``count`` files."""
    for number in range(count):
        file = folder / f"{number // 1000:04}" / f"{number:08}.bin"
        if number % 1000 == 0:
            file.parent.mkdir(parents=True)
        file.write_bytes(os.urandom(4096))
        os.utime(file, (OLD, OLD))


def main() -> None:
    """Print a line for each step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--source", type=Path, default=None)
    given = parser.parse_args()
    top = Path(tempfile.mkdtemp(dir=given.folder))
    try:
        source = given.source or top / "source"
        if given.source is None:
            make(source, given.files)
        draft = Repository(FolderBlobs(top / "store"), top / "cache").begin(
            new_id(), policy=Policy(aliases=False)
        )
        begun = last = time.perf_counter()
        for name, step in (
            ("scan and note", lambda: draft.add_folder(source)),
            ("store", draft.upload),
            ("finish", lambda: draft.finish(whole_packs=True)),
        ):
            step()
            print(f"{name:14} {time.perf_counter() - last:7.2f} s", flush=True)
            last = time.perf_counter()
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(f"{'together':14} {last - begun:7.2f} s, {memory:.2f} GB at most", flush=True)
    finally:
        shutil.rmtree(top, ignore_errors=True)


if __name__ == "__main__":
    main()
