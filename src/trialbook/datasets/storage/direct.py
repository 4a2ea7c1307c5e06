"""Writing a file past the page cache, where the system can: what is written once and not read soon only pushes other
things out of memory there, and every page that the system must find for it costs as much as reading a small file."""

import contextlib
import mmap
import os
import threading
from pathlib import Path

BLOCK = 4096
"""Places and lengths that the disk takes are multiples of this, on every file system that is known to take any."""
STEP = 128 << 10
"""Bytes of a write through the page cache. For larger ones Linux looks for larger pieces of memory, which takes twice
the time of the whole write where memory is in use."""
_PART = 4 << 20
_WORTH = 64 << 10
_own = threading.local()


class Output:
    """A new file that several threads write at places of their own.

    Args:
        path: of the file.
        direct: past the page cache. Where the file system has no such way, it is written as usual.
    """

    def __init__(self, path: Path, direct: bool = False) -> None:
        self.handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        self._direct = -1
        if direct:
            with contextlib.suppress(OSError):
                self._direct = os.open(path, os.O_WRONLY | os.O_DIRECT | os.O_CLOEXEC)

    def write(self, data: bytes | memoryview, place: int) -> None:
        """Write all of it.

        Raises:
            OSError: the disk is full.
        """
        view = memoryview(data)
        if self._direct < 0 or len(view) < _WORTH:
            write_all(self.handle, view, place)
            return
        # Whole blocks go past the cache, their edges, which others may share, through it.
        first = -(-place // BLOCK) * BLOCK - place
        last = (place + len(view)) // BLOCK * BLOCK - place
        write_all(self.handle, view[:first], place)
        write_all(self.handle, view[last:], place + last)
        aligned = _aligned()
        for start in range(first, last, _PART):
            part = view[start : min(start + _PART, last)]
            aligned[: len(part)] = part
            self._whole_blocks(aligned[: len(part)], place + start)

    def _whole_blocks(self, view: memoryview, place: int) -> None:
        try:
            done = os.pwrite(self._direct, view, place)
        except OSError:
            # Its blocks are larger, or it is full: the usual way works, or says so.
            done = 0
        write_all(self.handle, view[done:], place + done)

    def close(self) -> None:
        """Let go of the file."""
        for handle in (self.handle, self._direct):
            if handle >= 0:
                os.close(handle)
        self.handle = self._direct = -1


def _aligned() -> memoryview:
    if not hasattr(_own, "buffer"):
        _own.buffer = memoryview(mmap.mmap(-1, _PART))
    buffer: memoryview = _own.buffer
    return buffer


def write_all(handle: int, data: bytes | memoryview, place: int) -> None:
    """``os.pwrite`` until every byte is written."""
    view = memoryview(data)
    while len(view):
        done = os.pwrite(handle, view[:STEP], place)
        view, place = view[done:], place + done
