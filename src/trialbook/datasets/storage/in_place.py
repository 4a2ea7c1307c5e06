"""Blobs that are files of this machine: read where they lie, through a buffer that stays in the processor's cache."""

import mmap
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, runtime_checkable

from trialbook.blobs.store import BlobStore
from trialbook.datasets.storage.direct import STEP, write_all

_own = threading.local()


@runtime_checkable
class InPlace(Protocol):
    """A store some of whose blobs are files of this machine."""

    def in_place(self, key: str) -> Path | None:
        """Where the blob of a key lies, whether it exists or not; None when it is not a file of this machine."""
        ...


def in_place(blobs: BlobStore, key: str) -> Path | None:
    """The file of this machine that has a blob's bytes, whether it exists or not; None when there is none."""
    return blobs.in_place(key) if isinstance(blobs, InPlace) else None


def copy_span(source: Path, start: int, end: int, target: int, see: Callable[[memoryview], object]) -> int:
    """Write a span of a file to an open one, from its beginning.

    Args:
        source: of the bytes.
        start: first of them.
        end: behind the last.
        target: open for writing.
        see: is given each part before it is written.

    Returns:
        How many there were; fewer than asked for when the file is shorter.
    """
    if not hasattr(_own, "buffer"):
        _own.buffer = memoryview(mmap.mmap(-1, STEP))
    buffer: memoryview = _own.buffer
    handle = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        place = start
        while count := os.preadv(handle, (buffer[: min(STEP, end - place)],), place):
            part = buffer[:count]
            see(part)
            write_all(target, part, place - start)
            place += count
        return place - start
    finally:
        os.close(handle)
