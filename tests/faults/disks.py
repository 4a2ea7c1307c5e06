"""Ways to fill a disk under a running process, and to give the room back."""

import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def tmpfs(folder: Path, megabytes: int) -> Iterator[Path]:
    """A disk of its own, small; the test is skipped where mounting is not allowed."""
    folder.mkdir()
    size = f"size={megabytes}m"
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("a disk of its own needs the right to mount one")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> None:
    """Leave no room: ``ballast`` takes all that there is."""
    block = bytes(1 << 16)
    with (folder / "ballast").open("wb", buffering=0) as file:
        try:
            while file.write(block):
                pass
        except OSError:
            return


def clear(folder: Path) -> None:
    """Give the room back."""
    (folder / "ballast").unlink()


def limit(pid: int, size: int) -> None:
    """Let no file of a process grow beyond ``size`` bytes; -1 lifts the limit. Needs no right that a user has not."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard if size < 0 else size, hard))
