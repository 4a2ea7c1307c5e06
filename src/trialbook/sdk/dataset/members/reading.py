"""Reading single files of a version without a copy: one by path, or all as a stream."""

import io
import random
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import BinaryIO, cast

import numpy as np
from blake3 import blake3

from trialbook.blobs.store import BlobStore
from trialbook.datasets.copies.plan import by_pack
from trialbook.datasets.manifest.rows import FILE, LINK, STORED, Rows, digest_bytes
from trialbook.datasets.packs.reader import RUN_BYTES, PackReader, Wanted, wanted_of
from trialbook.datasets.paths import within
from trialbook.datasets.patterns import Patterns, matcher
from trialbook.datasets.storage.objects import pack_key
from trialbook.errors import DatasetDamaged, FileMissing, UsageError
from trialbook.sdk.dataset.links import download
from trialbook.sdk.dataset.members.base import DatasetBase

_BLOCK = 4 << 20
_WHOLE = 8 << 20
_MIXED = 8
"""So many runs are mixed when a stream is shuffled."""


class ReadingMixin(DatasetBase):
    """Members that read without a copy."""

    def open(self, path: str | PurePath) -> BinaryIO:
        """One file of the version, for reading; nothing else is fetched.

        Bytes are checked: of a file up to 8 MB, and of every compressed one, before the first is given out; of a larger
        one when it is read from its beginning to its end.

        Args:
            path: in the dataset.

        Returns:
            A binary file that can be read at any place.

        Raises:
            FileMissing: the version has no such file.
            DatasetMissing, DatasetDamaged: its bytes are gone, or not what was stored.
            SourceChanged: it is a link to an object that has changed.

        Example:
            >>> _ = pathlib.Path("labels.csv").write_text("name,digit")
            >>> data = Dataset.create("digits", "Vision")
            >>> _ = data.add_files("labels.csv"), data.finalize(auto_upload=True)
            >>> with data.open("labels.csv") as file:
            ...     file.read()
            b'name,digit'
        """
        self._opened.require_closed("open")
        path = within(path)
        rows = self._opened.version.rows
        place = rows.find(path)
        if place is None:
            raise FileMissing(f"dataset {self.id} has no file {path!r}", path=path)
        near = self._opened.home.repository.cached_copy(self._opened.root_id)
        if near is not None and (near / path).is_file():
            return (near / path).open("rb")
        row = rows.data[place]
        if row["kind"] == LINK:
            return self._open_link(rows, place)
        size = int(row["size"])
        if size <= _WHOLE or row["method"] != STORED:
            return self._open_whole(rows, place)
        return cast(
            "BinaryIO", io.BufferedReader(_StoredFile(self._opened.home.objects().blobs, rows, place), _BLOCK)
        )

    def _open_whole(self, rows: Rows, place: int) -> BinaryIO:
        reader = PackReader(self._opened.home.objects().blobs, rows.pack_of(place))
        spooled = io.BytesIO()
        for _, parts in reader.members(wanted_of(np.array([place]), rows.data)):
            for part in parts:
                spooled.write(part)
        spooled.seek(0)
        return spooled

    def _open_link(self, rows: Rows, place: int) -> BinaryIO:
        url, etag = rows.links[rows.paths[place]]
        row = rows.data[place]
        sha256 = digest_bytes(row["sha256"]) if row["sha256"].any() else b""
        with TemporaryDirectory(prefix="trialbook-link-") as folder:
            target = Path(folder) / "file"
            download(self._opened.home.connection, url, etag, int(row["size"]), sha256, target)
            # The open file outlives its name.
            return target.open("rb")

    def iterate(
        self,
        files: Patterns = None,
        shuffle: bool = False,
        seed: int = 0,
        epoch: int = 0,
        rank: int = 0,
        world_size: int = 1,
    ) -> Iterator[tuple[str, bytes]]:
        """The files of the version as a stream, checked, in the order in which they are stored; links are left out.

        Each rank gets its own files; all ranks together get every file once. Reading is done in runs of up to 8 MB, one
        run ahead.

        Args:
            files: only paths that match these, as in ``add_files``.
            shuffle: runs come in random order, and the files of eight runs are mixed.
            seed: of the order; the same on every rank.
            epoch: another one gives another order.
            rank: of this process, from 0.
            world_size: number of ranks.

        Returns:
            An iterator of path and content.

        Raises:
            UsageError: the version is open, or there is no such rank.

        Example:
            >>> _ = pathlib.Path("labels.csv").write_text("name,digit")
            >>> data = Dataset.create("digits", "Vision")
            >>> _ = data.add_files("labels.csv"), data.finalize(auto_upload=True)
            >>> [(path, len(content)) for path, content in data.iterate("*.csv", shuffle=True)]
            [('labels.csv', 10)]
        """
        if world_size < 1 or not 0 <= rank < world_size:
            raise UsageError(f"rank {rank} of {world_size}: it must be between 0 and {world_size - 1}")
        self._opened.require_closed("iterate")
        return self._streamed(files, random.Random(f"{seed}-{epoch}") if shuffle else None, rank, world_size)

    def _streamed(
        self, files: Patterns, order: random.Random | None, rank: int, world_size: int
    ) -> Iterator[tuple[str, bytes]]:
        rows = self._opened.version.rows
        runs = _runs(rows, matcher(files, among=rows.paths))
        if order is not None:
            order.shuffle(runs)
        mine = runs[rank::world_size]
        blobs = self._opened.home.objects().blobs

        def read(run: _Run) -> list[tuple[str, bytes]]:
            found = PackReader(blobs, run.pack).members(run.members)
            return [(rows.paths[item.place], b"".join(parts)) for item, parts in found]

        if order is None:
            for batch in _ahead(mine, read, 1):
                yield from batch
            return
        mixed: list[tuple[str, bytes]] = []
        for number, batch in enumerate(_ahead(mine, read, 2)):
            mixed += batch
            order.shuffle(mixed)
            keep = len(batch) * min(number + 1, _MIXED - 1)
            while len(mixed) > keep:
                yield mixed.pop()
        yield from mixed


@dataclass(frozen=True)
class _Run:
    """Members of a pack that are read together."""

    pack: str
    members: list[Wanted]


def _runs(rows: Rows, wanted: Callable[[str], bool]) -> list[_Run]:
    places = np.flatnonzero(rows.data["kind"] == FILE).tolist()
    chosen = [place for place in places if wanted(rows.paths[place])]
    found: list[_Run] = []
    for pack, members in by_pack(rows, chosen):
        current: list[Wanted] = []
        held = 0
        for item in members:
            if current and held + item.stored > RUN_BYTES:
                found.append(_Run(pack, current))
                current, held = [], 0
            current.append(item)
            held += item.stored
        if current:
            found.append(_Run(pack, current))
    return found


def _ahead(
    runs: Sequence[_Run], read: Callable[[_Run], list[tuple[str, bytes]]], count: int
) -> Iterator[list[tuple[str, bytes]]]:
    """Results in order, with some being read while the first is used."""
    waiting: deque[Future[list[tuple[str, bytes]]]] = deque()
    left = iter(runs)
    with ThreadPoolExecutor(count + 1, "dataset-read") as pool:
        for run in left:
            waiting.append(pool.submit(read, run))
            if len(waiting) > count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


class _StoredFile(io.RawIOBase):
    """A member that is stored as it is, read in place; checked when it is read from end to end.

    Who reads on gets more at once, and the next part is fetched meanwhile.
    """

    def __init__(self, blobs: BlobStore, rows: Rows, place: int) -> None:
        super().__init__()
        row = rows.data[place]
        self._blobs = blobs
        self._key = pack_key(rows.pack_of(place))
        self._path = rows.paths[place]
        self._start, self._size = int(row["offset"]), int(row["size"])
        self._wanted = digest_bytes(row["b3"]) if row["b3"].any() else b""
        self._digest, self._digested = blake3(), 0
        self._place = 0
        self._held_at, self._held = 0, memoryview(b"")
        self._later: Future[bytes] | None = None
        self._pool: ThreadPoolExecutor | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = max(0, base + offset)
        return self._place

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        count = max(0, min(len(buffer), self._size - self._place))
        if not count:
            return 0
        data = self._at_hand(count)
        count = len(data)
        buffer[:count] = data
        if self._place == self._digested:
            self._digest.update(data)
            self._digested += count
            if self._digested == self._size and self._wanted and self._digest.digest() != self._wanted:
                raise DatasetDamaged(f"{self._path!r} does not have the bytes that were stored")
        self._place += count
        return count

    def _at_hand(self, count: int) -> memoryview:
        """Bytes from here on, ``count`` at most and one at least."""
        offset = self._place - self._held_at
        if not 0 <= offset < len(self._held):
            follows = 0 < self._place == self._held_at + len(self._held)
            later, self._later = self._later, None
            held = later.result() if follows and later else self._fetch(self._place, max(count, _BLOCK))
            self._held_at, self._held, offset = self._place, memoryview(held), 0
            after = self._place + len(held)
            if follows and after < self._size:
                self._pool = self._pool or ThreadPoolExecutor(1, "dataset-ahead")
                self._later = self._pool.submit(self._fetch, after, _WHOLE)
        return self._held[offset : offset + count]

    def _fetch(self, place: int, count: int) -> bytes:
        start, end = self._start + place, self._start + min(place + count, self._size)
        data = b"".join(self._blobs.read(self._key, start, end))
        if len(data) != end - start:
            raise DatasetDamaged(f"the pack that holds {self._path!r} is shorter than it was")
        return data

    def close(self) -> None:
        """Let go of what is held."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
        self._held = memoryview(b"")
        super().close()
