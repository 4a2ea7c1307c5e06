"""What tells whether a linked file of a folder has changed: noted where other storages give an entity tag.

A stamp is ``size-mtime-ctime-filesystem``, hexadecimal; an older one has the first two only. Size and modification
time are the same on every machine that has the file, so a copy asks for those. The time of the last change of any
kind, which no program sets back, means something on the file system where it was noted. It finds an edit whose
modification time was set back; a change of rights or names counts there as well.
"""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path


def stamper() -> Callable[[Path, int, int, int], str]:
    """Makes stamps of files by path, size, mtime and ctime; it looks at each folder once."""
    filesystem = cache(_filesystem)
    return lambda path, size, mtime, ctime: f"{size:x}-{mtime:x}-{ctime:x}-{filesystem(path.parent):x}"


def stamp_of(path: Path, facts: os.stat_result) -> str:
    """The stamp of one file."""
    return stamper()(path, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)


def other_file(stamp: str, facts: os.stat_result) -> bool:
    """Whether a file is another one than was noted, as any machine sees it."""
    return stamp.split("-")[:2] != [f"{facts.st_size:x}", f"{facts.st_mtime_ns:x}"]


def untouched(before: str, now: str) -> bool:
    """Whether nothing was done to a file between two stamps, as far as they tell."""
    old, new = before.split("-"), now.split("-")
    here = len(old) == len(new) == 4 and old[3] == new[3]
    return old[: 3 if here else 2] == new[: 3 if here else 2]


def _filesystem(folder: Path) -> int:
    return os.statvfs(folder).f_fsid
