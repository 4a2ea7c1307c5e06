"""What ``stat`` says about a file, and tells later whether it has changed."""

import os

Facts = tuple[int, int, int, int, int]
"""Size, mtime and ctime in nanoseconds, inode, mode: the columns of ``scan.FACTS``."""
_SIGNED = (1 << 63) - 1


def facts_of(found: os.stat_result) -> Facts:
    """The facts of one ``stat``."""
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino & _SIGNED, found.st_mode
