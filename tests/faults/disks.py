"""Ways to fill a disk under a running process, and to give the room back."""

import os
import resource
import subprocess
from collections.abc import Callable, Iterator
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


@contextmanager
def failing(folder: Path) -> Iterator[tuple[Path, Callable[[], object]]]:
    """A disk of its own, and what makes its file system find a fault in itself: it lets nobody write from then on.

    Skipped where that is not allowed.
    """
    folder.mkdir()
    image = folder.with_suffix(".img")
    with image.open("wb") as file:
        file.truncate(32 << 20)
    for command in (
        ["mkfs.ext4", "-q", str(image)],
        ["mount", "-o", "loop,errors=remount-ro", str(image), str(folder)],
    ):
        try:
            done = subprocess.run(command, capture_output=True, check=False).returncode
        except FileNotFoundError:
            done = 1
        if done:
            pytest.skip("a file system of its own needs the right to mount one")
    try:
        device = f"{os.major(folder.stat().st_dev)}:{os.minor(folder.stat().st_dev)}"
        name = Path(f"/sys/dev/block/{device}").resolve().name
        trigger = Path("/sys/fs/ext4", name, "trigger_fs_error")
        if not os.access(trigger, os.W_OK):
            pytest.skip("this kernel has no way to make a file system fail")
        yield folder / "data", lambda: trigger.write_text("test")
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
