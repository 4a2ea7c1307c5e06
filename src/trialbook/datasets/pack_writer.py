"""Writing one pack: members in order, some of them filled in by other threads while later ones are placed."""

import os
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trialbook.datasets.pack_layout import Members, ending, header_bytes, local_header
from trialbook.datasets.rows import ROW, STORED, Array

_BUFFER = 4 << 20


@dataclass(frozen=True)
class Digests:
    """What was read: BLAKE3, SHA-256 (zeros when not wanted), CRC-32, bytes."""

    b3: bytes
    sha256: bytes
    crc: int
    size: int


@dataclass(frozen=True)
class SealedPack:
    """A finished pack on local disk.

    Attributes:
        id: b3 of its index block.
        path: the file.
        bytes: its length.
        places: for each member, the caller's number of it.
        rows: one ``ROW`` per member, ``pack`` and ``origin`` zero.
        members: the index.
    """

    id: str
    path: Path
    bytes: int
    places: list[int]
    rows: Array
    members: Members


class PackWriter:
    """Appends members to a file; ``seal`` gives it its end and its name.

    Args:
        path: a new file.
        sha256: whether digests carry SHA-256.
    """

    def __init__(self, path: Path, sha256: bool) -> None:
        self._path = path
        self._sha256 = sha256
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        self._buffer: list[bytes | memoryview] = []
        self._buffered = 0
        self._flushed = 0
        self._places: list[int] = []
        self._names: list[str] = []
        self._rows: list[tuple[Digests | Future[Digests], int, int, int]] = []

    @property
    def handle(self) -> int:
        """The open file: a reserved member is written to it with ``os.pwrite``."""
        return self._handle

    @property
    def length(self) -> int:
        """Bytes placed so far."""
        return self._flushed + self._buffered

    def __len__(self) -> int:
        return len(self._rows)

    def append(self, place: int, name: str, method: int, digests: Digests, data: bytes | memoryview) -> None:
        """A member whose stored bytes are at hand."""
        head = local_header(name.encode(), method, digests.crc, digests.size, len(data))
        offset = self.length + len(head)
        self._note(place, name, digests, offset, len(data), method)
        self._buffer += (head, data)
        self._buffered += len(head) + len(data)
        if self._buffered >= _BUFFER:
            self.flush()

    def reserve(self, name: str, size: int) -> int:
        """Room for a stored member of ``size`` bytes; ``settle`` must follow before the next call.

        Returns:
            Where its data goes.
        """
        self.flush()
        offset = self._flushed + header_bytes(name.encode(), size)
        self._flushed = offset + size
        return offset

    def settle(
        self, place: int, name: str, offset: int, stored: int, digests: Future[Digests], method: int = STORED
    ) -> None:
        """The member in a reserved room: its bytes are written when the future is done."""
        self._note(place, name, digests, offset, stored, method)
        self._flushed = max(self._flushed, offset + stored)

    def _note(
        self,
        place: int,
        name: str,
        digests: "Digests | Future[Digests]",
        offset: int,
        stored: int,
        method: int,
    ) -> None:
        self._places.append(place)
        self._names.append(name)
        self._rows.append((digests, offset, stored, method))

    def settled(self) -> list[tuple[int, Digests]]:
        """Number and digests of every member so far; waits for those that are being written."""
        found = []
        for place, row in zip(self._places, self._rows, strict=True):
            digests = row[0]
            found.append((place, digests.result() if isinstance(digests, Future) else digests))
        return found

    def flush(self) -> None:
        """Write what is buffered."""
        if self._buffer:
            write_all(self._handle, b"".join(self._buffer), self._flushed)
            self._flushed += self._buffered
            self._buffer, self._buffered = [], 0

    def seal(self) -> SealedPack:
        """Wait for reserved members, write headers, index and directory.

        Raises:
            OSError: the disk is full.
            DatasetError: what a future raised.
        """
        self.flush()
        rows = np.zeros(len(self._rows), ROW)
        b3, sha256, crcs, sizes = [], [], [], []
        for number, (found, offset, stored, method) in enumerate(self._rows):
            digests = found
            if isinstance(digests, Future):
                digests = digests.result()
                name = self._names[number].encode()
                head = local_header(name, method, digests.crc, digests.size, stored)
                write_all(self._handle, head, offset - len(head))
            b3.append(digests.b3)
            sha256.append(digests.sha256)
            crcs.append(digests.crc)
            sizes.append(digests.size)
        rows["crc"], rows["size"] = crcs, sizes
        _, offsets, lengths, methods = zip(*self._rows, strict=True)
        rows["offset"], rows["stored"], rows["method"] = offsets, lengths, methods
        rows["b3"] = np.frombuffer(b"".join(b3), "<u8").reshape(-1, 4)
        if self._sha256:
            rows["sha256"] = np.frombuffer(b"".join(sha256), "<u8").reshape(-1, 4)
        members = Members(
            self._names, rows["b3"], rows["sha256"] if self._sha256 else np.zeros((0, 4), "<u8"),
            rows["crc"], rows["size"], rows["stored"], rows["offset"], rows["method"],
        )  # fmt: skip
        identity, tail = ending(members, self._flushed)
        write_all(self._handle, tail, self._flushed)
        length = self._flushed + len(tail)
        self.close()
        return SealedPack(identity, self._path, length, self._places, rows, members)

    def close(self) -> None:
        """Let go of the file; it stays as it is."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def write_all(handle: int, data: bytes | memoryview, place: int) -> None:
    """``os.pwrite`` until every byte is written."""
    view = memoryview(data)
    while len(view):
        done = os.pwrite(handle, view, place)
        view, place = view[done:], place + done
