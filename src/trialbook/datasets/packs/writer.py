"""Writing one pack: members in order, some of them filled in by other threads while later ones are placed."""

import os
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from trialbook.datasets.manifest.rows import ROW, STORED, Array, digest_words
from trialbook.datasets.packs.header import header_bytes, local_header
from trialbook.datasets.packs.layout import Members, ending
from trialbook.datasets.storage.direct import Output, write_all

_BUFFER = 4 << 20
_AT_ONCE = 1000
"""Pieces that one system call writes; the system takes 1 024."""
_BEHIND = 2
"""Buffers that may wait for the disk while the next one fills."""
_ZERO = bytes(32)


class Digests(NamedTuple):
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
        places: for each file in it, the caller's number of it.
        rows: one ``ROW`` per file, ``pack`` and ``origin`` zero.
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
        beside: where full buffers are written; None writes them at once.
        direct: past the page cache, see ``direct.Output``.
    """

    def __init__(
        self, path: Path, sha256: bool, beside: Executor | None = None, direct: bool = False
    ) -> None:
        self._path = path
        self._sha256 = sha256
        self._beside = beside
        self._writing: deque[Future[None]] = deque()
        self._file = Output(path, direct)
        self._buffer: list[bytes | memoryview] = []
        self._buffered = 0
        self._flushed = 0
        self._places: list[int] = []
        self._names: list[str] = []
        self._rows: list[Array] = []
        self._single: list[tuple[bytes, bytes, int, int, int, int, int]] = []
        self._open: dict[int, Future[Digests]] = {}
        self._whole: tuple[int, Array] | None = None

    @property
    def file(self) -> Output:
        """The open file: a reserved member is written to it."""
        return self._file

    @property
    def length(self) -> int:
        """Bytes placed so far."""
        return self._flushed + self._buffered

    def __len__(self) -> int:
        return len(self._names)

    def takes(self, size: int, most_bytes: int, most_members: int) -> bool:
        """Whether one more member of ``size`` bytes keeps within limits; an empty pack takes any."""
        count = len(self._names)
        return not count or (count < most_members and self._flushed + self._buffered + size <= most_bytes)

    def append(self, place: int, name: str, method: int, digests: Digests, data: bytes | memoryview) -> int:
        """A member whose stored bytes are at hand.

        Returns:
            Where its data is.
        """
        head = local_header(name.encode(), method, digests[2], digests[3], len(data))
        offset = self._flushed + self._buffered + len(head)
        self._places.append(place)
        self._names.append(name)
        self._single.append((*digests, offset, len(data), method))
        self._buffer += (head, data)
        self._buffered += len(head) + len(data)
        if self._buffered >= _BUFFER:
            self.flush()
        return offset

    def append_run(self, places: Sequence[int], names: list[str], rows: Array, data: memoryview) -> None:
        """Members that lie behind each other in memory, headers and all.

        Args:
            places: the caller's number of each.
            names: of each.
            rows: one ``ROW`` each, its ``offset`` counted from the start of ``data``, its ``pack`` zero.
            data: may change when this returns.
        """
        self.flush()
        self._fold()
        rows = rows.copy()
        rows["offset"] += np.uint64(self._flushed)
        self._places += places
        self._names += names
        self._rows.append(rows)
        self._file.write(data, self._flushed)
        self._flushed += len(data)

    def _fold(self) -> None:
        """Rows of the members that came one by one."""
        if not self._single:
            return
        b3, sha256, crc, size, offset, stored, method = zip(*self._single, strict=True)
        rows = np.zeros(len(self._single), ROW)
        rows["b3"] = np.frombuffer(b"".join(b3), "<u8").reshape(-1, 4)
        rows["sha256"] = np.frombuffer(b"".join(sha256), "<u8").reshape(-1, 4)
        rows["crc"], rows["size"], rows["offset"] = crc, size, offset
        rows["stored"], rows["method"] = stored, method
        self._rows.append(rows)
        self._single = []

    def stand_for(self, place: int, row: Array) -> None:
        """All members together are one file, whose row this is; the sealed pack shows that one only.

        Args:
            place: the caller's number of the file.
            row: one ``ROW``, its ``pack`` zero.
        """
        self._whole = (place, row)

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
        self._open[len(self._names)] = digests
        self._places.append(place)
        self._names.append(name)
        self._single.append((_ZERO, _ZERO, 0, 0, offset, stored, method))
        self._flushed = max(self._flushed, offset + stored)

    def settled(self) -> list[tuple[int, bytes]]:
        """Number and BLAKE3 of every member that came by ``settle``; waits for those that are being written."""
        return [(self._places[number], digests.result().b3) for number, digests in self._open.items()]

    def flush(self) -> None:
        """Hand what is buffered to the disk."""
        if not self._buffer:
            return
        pieces, place = self._buffer, self._flushed
        self._flushed += self._buffered
        self._buffer, self._buffered = [], 0
        if self._beside is None:
            write_pieces(self._file.handle, pieces, place)
            return
        while len(self._writing) >= _BEHIND:
            self._writing.popleft().result()
        self._writing.append(self._beside.submit(write_pieces, self._file.handle, pieces, place))

    def seal(self) -> SealedPack:
        """Wait for reserved members, write headers, index and directory.

        Raises:
            OSError: the disk is full.
            DatasetError: what a future raised.
        """
        self.flush()
        self._fold()
        rows = np.concatenate([np.zeros(0, ROW), *self._rows])
        for number, later in self._open.items():
            digests, row = later.result(), rows[number : number + 1]
            name, stored = self._names[number].encode(), int(row["stored"][0])
            head = local_header(name, int(row["method"][0]), digests.crc, digests.size, stored)
            self._file.write(head, int(row["offset"][0]) - len(head))
            row["b3"], row["sha256"] = digest_words(digests.b3), digest_words(digests.sha256)
            row["crc"], row["size"] = digests.crc, digests.size
        members = Members(
            self._names, rows["b3"], rows["sha256"] if self._sha256 else np.zeros((0, 4), "<u8"),
            rows["crc"], rows["size"], rows["stored"], rows["offset"], rows["method"],
        )  # fmt: skip
        identity, tail = ending(members, self._flushed)
        while self._writing:
            self._writing.popleft().result()
        self._file.write(tail, self._flushed)
        length = self._flushed + len(tail)
        self.close()
        if self._whole is not None:
            place, row = self._whole
            return SealedPack(identity, self._path, length, [place], row.reshape(1), members)
        return SealedPack(identity, self._path, length, self._places, rows, members)

    def sync_soon(self) -> None:
        """Let the disk begin with what is written, so that less is left to wait for at the end."""
        if self._beside is not None:
            self._writing.append(self._beside.submit(os.fdatasync, self._file.handle))

    def discard(self) -> None:
        """The pack is not wanted."""
        self.close()
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the file; it stays as it is."""
        wait(self._writing)
        self._file.close()


def write_pieces(handle: int, pieces: list[bytes | memoryview], place: int) -> None:
    """``write_all`` of pieces that follow each other, without joining them."""
    for start in range(0, len(pieces), _AT_ONCE):
        some = pieces[start : start + _AT_ONCE]
        length = sum(map(len, some))
        done = os.pwritev(handle, some, place)
        if done < length:
            write_all(handle, memoryview(b"".join(some))[done:], place + done)
        place += length
