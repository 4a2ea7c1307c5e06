"""Members out of packs: read in runs, unpacked, and checked against their digests."""

import hashlib
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from blake3 import blake3

from trialbook.blobs.store import BlobStore
from trialbook.datasets.manifest.rows import DEFLATE, PIECES, STORED, Array
from trialbook.datasets.packs.layout import TAIL_BYTES, Members, decode_index, find_index
from trialbook.datasets.packs.recipes import Recipe, decode_recipe, recipe_length
from trialbook.datasets.storage.in_place import copy_span, in_place
from trialbook.datasets.storage.objects import missing, pack_key
from trialbook.errors import DatasetDamaged, DatasetMissing, FileMissing

try:
    from compression import zstd
except ImportError:
    from backports import zstd

RUN_BYTES = 8 << 20
_NEAR_RUN = 1 << 20
"""What is read at once from a disk: so much stays in the processor's cache until it is checked and written."""
_GAP = 64 << 10
_STEP = 1 << 20


@dataclass(frozen=True)
class Wanted:
    """A member to read: ``place`` is the caller's number of it."""

    place: int
    offset: int
    stored: int
    size: int
    method: int
    b3: bytes
    sha256: bytes


def wanted_of(places: Array, data: Array) -> list[Wanted]:
    """``Wanted`` for rows of one pack, in the order of their offsets."""
    order = places[np.argsort(data["offset"][places], kind="stable")]
    rows = data[order]
    b3, sha256 = np.ascontiguousarray(rows["b3"]).tobytes(), np.ascontiguousarray(rows["sha256"]).tobytes()
    numbers = (rows[name].tolist() for name in ("offset", "stored", "size", "method"))
    return [
        Wanted(place, offset, stored, size, method, b3[n : n + 32], sha256[n : n + 32])
        for n, place, offset, stored, size, method in zip(
            range(0, 32 * len(order), 32), order.tolist(), *numbers, strict=True
        )
    ]


class PackReader:
    """One pack in a store.

    Args:
        blobs: where it lies.
        key: ``<owner>/<pack id>``.
    """

    def __init__(self, blobs: BlobStore, key: str) -> None:
        self._blobs = blobs
        self._key = key
        self._file = in_place(blobs, pack_key(key))
        self._run = RUN_BYTES if self._file is None else _NEAR_RUN

    def index(self) -> Members:
        """Its members, from its own index block.

        Raises:
            DatasetMissing: the pack is gone.
            DatasetDamaged: it is not what its name says.
        """
        try:
            length = self._blobs.head(pack_key(self._key)).size
        except FileMissing:
            raise self._gone() from None
        start, end = find_index(self.span(max(0, length - TAIL_BYTES), length), length, self._key)
        return decode_index(self.span(start, end), self._key)

    def members(self, wanted: list[Wanted]) -> Iterator[tuple[Wanted, Iterator[memoryview]]]:
        """The checked bytes of members, in the order of their offsets.

        Args:
            wanted: sorted by offset.

        Yields:
            A member and its bytes. Those of a member of more than 8 MiB come in parts, and their check comes with
            the last one: use up the iterator before the bytes are trusted, and before the next member is asked for.

        Raises:
            DatasetMissing: the pack is gone.
            DatasetDamaged: bytes are not those of the row.
        """
        place = 0
        while place < len(wanted):
            first = wanted[place]
            if max(first.stored, first.size) > RUN_BYTES or first.method == PIECES:
                yield first, self._long(first)
                place += 1
                continue
            start, end, after = first.offset, first.offset + first.stored, place + 1
            while after < len(wanted):
                following = wanted[after]
                upto = following.offset + following.stored
                if (
                    following.method == PIECES
                    or following.offset - end > _GAP
                    or max(upto - start, following.size) > self._run
                ):
                    break
                end = max(end, upto)
                after += 1
            run = memoryview(self.span(start, end))
            for item in wanted[place:after]:
                stored = run[item.offset - start : item.offset - start + item.stored]
                yield item, iter((self._checked(item, stored),))
            place = after

    def can_copy(self, item: Wanted) -> bool:
        """Whether ``copy`` can bring a member, and is worth it."""
        return self._file is not None and item.method == STORED and item.size > _NEAR_RUN

    def copy(self, item: Wanted, target: int) -> None:
        """Write a member to an open, empty file, and check what was written.

        Args:
            item: one of which ``can_copy`` is true.
            target: open for writing.

        Raises:
            DatasetMissing, DatasetDamaged: see ``members``.
            OSError: the disk is full.
        """
        assert self._file is not None
        digest = blake3() if any(item.b3) else hashlib.sha256()
        try:
            count = copy_span(self._file, item.offset, item.offset + item.stored, target, digest.update)
        except (FileNotFoundError, NotADirectoryError):
            raise self._gone() from None
        if count != item.size or not matches(item, digest.digest, digest.digest):
            raise self._damaged(item)

    def stored(self, wanted: list[Wanted]) -> Iterator[tuple[Wanted, memoryview]]:
        """The stored bytes of members, as they are packed, once what they unpack to is checked.

        Args:
            wanted: sorted by offset, none of more than 8 MiB.

        Raises:
            DatasetMissing, DatasetDamaged: see ``members``.
        """
        for run, start in self._spans(wanted):
            for item in run[1]:
                data = run[0][item.offset - start : item.offset - start + item.stored]
                self._checked(item, data)
                yield item, data

    def _spans(self, wanted: list[Wanted]) -> Iterator[tuple[tuple[memoryview, list[Wanted]], int]]:
        place = 0
        while place < len(wanted):
            start, after = wanted[place].offset, place + 1
            end = start + wanted[place].stored
            while after < len(wanted) and wanted[after].offset - end <= _GAP:
                upto = wanted[after].offset + wanted[after].stored
                if upto - start > RUN_BYTES:
                    break
                end, after = max(end, upto), after + 1
            yield (memoryview(self.span(start, end)), wanted[place:after]), start
            place = after

    def _checked(self, item: Wanted, stored: memoryview) -> memoryview:
        data = stored if item.method == STORED else memoryview(self._unpacked(item, stored))
        if len(data) != item.size or not matches(
            item, blake3(data).digest, lambda: hashlib.sha256(data).digest()
        ):
            raise self._damaged(item)
        return data

    def _unpacked(self, item: Wanted, stored: memoryview) -> bytes:
        """One member's bytes, never more than one above its size."""
        try:
            if item.method == DEFLATE:
                return zlib.decompressobj(-15).decompress(stored, item.size + 1)
            return bytes(zstd.ZstdDecompressor().decompress(stored, max_length=item.size + 1))
        except (zlib.error, zstd.ZstdError, EOFError):
            raise self._damaged(item) from None

    def _long(self, item: Wanted) -> Iterator[memoryview]:
        first, second, size = blake3(), hashlib.sha256(), 0
        by_b3 = any(item.b3)
        for part in self._parts(item):
            size += len(part)
            if size > item.size:
                raise self._damaged(item)
            (first if by_b3 else second).update(part)
            yield memoryview(part)
        if size != item.size or not matches(item, first.digest, second.digest):
            raise self._damaged(item)

    def recipe(self, item: Wanted) -> Recipe:
        """How a file in pieces is put together.

        Raises:
            DatasetMissing, DatasetDamaged: see ``members``.
        """
        place = f"the recipe in pack {self._key} at byte {item.offset}"
        length = recipe_length(item.stored, place)
        return decode_recipe(self.span(item.offset, item.offset + length), item.size, place)

    def _pieces(self, item: Wanted) -> Iterator[bytes]:
        recipe = self.recipe(item)
        for start, end in recipe.runs(self._run):
            key, first = recipe.key(start, self._key), int(recipe.offset[start])
            reader = self if key == self._key else PackReader(self._blobs, key)
            run = memoryview(reader.span(first, int(recipe.offset[end - 1] + recipe.stored[end - 1])))
            for number in range(start, end):
                at = int(recipe.offset[number]) - first
                stored = run[at : at + int(recipe.stored[number])]
                if recipe.method[number] == STORED:
                    yield bytes(stored)
                else:
                    size = int(recipe.size[number])
                    part = bytes(zstd.ZstdDecompressor().decompress(stored, max_length=size + 1))
                    if len(part) != size:
                        raise self._damaged(item)
                    yield part

    def _parts(self, item: Wanted) -> Iterator[bytes]:
        if item.method == PIECES:
            try:
                yield from self._pieces(item)
            except (zstd.ZstdError, EOFError):
                raise self._damaged(item) from None
            return
        source = self._read(item.offset, item.offset + item.stored)
        if item.method == STORED:
            yield from source
            return
        try:
            if item.method == DEFLATE:
                opened = zlib.decompressobj(-15)
                for data in source:
                    while data:
                        yield opened.decompress(data, _STEP)
                        data = opened.unconsumed_tail
                yield opened.flush()
            else:
                reader = zstd.ZstdDecompressor()
                for data in source:
                    yield reader.decompress(data, _STEP)
                    while not reader.needs_input and not reader.eof:
                        yield reader.decompress(b"", _STEP)
        except (zlib.error, zstd.ZstdError, EOFError):
            raise self._damaged(item) from None

    def span(self, start: int, end: int) -> bytes:
        """Bytes of the pack as they are, unchecked.

        Raises:
            DatasetMissing: the pack is gone.
        """
        parts = list(self._read(start, end))
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _read(self, start: int, end: int) -> Iterator[bytes]:
        try:
            yield from self._blobs.read(pack_key(self._key), start, end)
        except FileMissing:
            raise self._gone() from None

    def _gone(self) -> DatasetMissing:
        owner, _, identity = self._key.partition("/")
        return missing(self._blobs, f"pack {identity} of version {owner} is gone from the storage")

    def _damaged(self, item: Wanted) -> DatasetDamaged:
        return DatasetDamaged(f"pack {self._key} is damaged at byte {item.offset}")


def matches(item: Wanted, b3: Callable[[], bytes], sha256: Callable[[], bytes]) -> bool:
    """Whether digests are those of a row; SHA-256 counts where BLAKE3 is unknown."""
    return b3() == item.b3 if any(item.b3) else sha256() == item.sha256
