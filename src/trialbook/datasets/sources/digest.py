"""Reading a file once: digests of exactly the bytes that are handed on."""

import hashlib
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor

from blake3 import blake3

from trialbook.datasets.crc import crc32
from trialbook.datasets.packs.writer import Digests
from trialbook.datasets.sources.facts import Facts, facts_of
from trialbook.errors import SourceChanged

ZERO = bytes(32)
_CHUNK = 512 << 10
"""It stays in the processor's cache from reading to writing."""
_TRIES = 3
_own = threading.local()


def digest_bytes_of(data: bytes, sha256: bool) -> Digests:
    """Digests of bytes in memory."""
    return Digests(
        blake3(data).digest(),
        hashlib.sha256(data).digest() if sha256 else ZERO,
        crc32(data),
        len(data),
    )


def open_source(source: str) -> int:
    """A file to read.

    Raises:
        SourceChanged: it is gone or may not be read.
    """
    try:
        return os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise unreadable(source, error) from error


def unreadable(source: str, error: OSError) -> SourceChanged:
    """What to raise when reading a file fails."""
    return SourceChanged(f"{source!r} cannot be read: {error.strerror}")


def read_whole(source: str) -> tuple[bytes, Facts]:
    """All bytes of a small file, and its facts at that moment; read again when it changes meanwhile.

    Raises:
        SourceChanged: gone, unreadable, or changing all the time.
    """
    for _ in range(_TRIES):
        handle = open_source(source)
        try:
            before = facts_of(os.fstat(handle))
            parts = []
            while part := os.read(handle, max(1, before[0] + 1)):
                parts.append(part)
            after = facts_of(os.fstat(handle))
        except OSError as error:
            raise unreadable(source, error) from error
        finally:
            os.close(handle)
        data = b"".join(parts)
        if before == after and len(data) == before[0]:
            return data, after
        time.sleep(0.01)
    raise SourceChanged(f"{source!r} is being written: add it when nobody writes to it any more")


def stream(
    source: str,
    size: int,
    sha256: bool,
    sink: Callable[[memoryview, int], None] | None = None,
    beside: Executor | None = None,
    chunk: int = _CHUNK,
) -> tuple[Digests, Facts]:
    """Digests of a file in one pass over small buffers, each given to ``sink`` with its place.

    Args:
        source: the file.
        size: the bytes that it must have.
        sha256: whether to compute it.
        sink: what else to do with the bytes; called from place 0 again when the file changed meanwhile.
        beside: where checksums of a buffer may run while the rest is done here.
        chunk: bytes of a buffer.

    Returns:
        The digests, and the file's facts after the last byte.

    Raises:
        SourceChanged: gone, unreadable, of another size, or changing all the time.
    """
    for _ in range(_TRIES):
        handle = open_source(source)
        try:
            before = facts_of(os.fstat(handle))
            digests = _pass(source, handle, sha256, sink, beside, chunk) if before[0] == size else None
            after = facts_of(os.fstat(handle))
        finally:
            os.close(handle)
        if digests is None or digests.size != size:
            raise SourceChanged(f"{source!r} has changed its size while it was read: add it again")
        if before == after:
            return digests, after
    raise SourceChanged(f"{source!r} is being written: add it when nobody writes to it any more")


def _read(source: str, handle: int, buffer: memoryview) -> int:
    try:
        return os.readv(handle, [buffer])
    except OSError as error:
        raise unreadable(source, error) from error


def _pass(
    source: str,
    handle: int,
    sha256: bool,
    sink: Callable[[memoryview, int], None] | None,
    beside: Executor | None,
    chunk: int,
) -> Digests:
    first, second, crc, place = blake3(), hashlib.sha256(), 0, 0
    if not hasattr(_own, "buffer") or len(_own.buffer) < chunk:
        _own.buffer = bytearray(chunk)
    whole = memoryview(_own.buffer)[:chunk]
    os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_SEQUENTIAL)

    def checks(view: memoryview, crc: int) -> int:
        # About half of the work, whichever digests are wanted.
        (second if sha256 else first).update(view)
        return crc32(view, crc)

    while count := _read(source, handle, whole):
        view = whole[:count]
        waiting = beside.submit(checks, view, crc) if beside else None
        if sha256:
            first.update(view)
        if sink:
            sink(view, place)
        crc = waiting.result() if waiting else checks(view, crc)
        place += count
    return Digests(first.digest(), second.digest() if sha256 else ZERO, crc, place)
