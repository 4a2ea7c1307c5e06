"""Storing a large file that differs from an earlier one at its path: what is new of it, and a recipe."""

import os
import zlib
from dataclasses import dataclass

import numpy as np
from blake3 import blake3

from trialbook.blobs.store import BlobStore
from trialbook.datasets.manifest.rows import PIECES, ROW, STORED, ZSTD, digest_words
from trialbook.datasets.packs.chunks import Cutter, bits_for
from trialbook.datasets.packs.reader import PackReader, Wanted
from trialbook.datasets.packs.recipes import OWN, Recipe, encode_recipe
from trialbook.datasets.packs.writer import Digests, PackWriter
from trialbook.datasets.sources.digest import open_source, stream
from trialbook.datasets.sources.facts import Facts, facts_of

try:
    from compression import zstd
except ImportError:
    from backports import zstd

SMALLEST = 8 << 20
"""Bytes of a file below which looking for pieces is not worth it."""
_WORTH = 1 / 8
"""So much of a file must have been there before."""
_MEMBER = 8 << 20
_LEVEL = 3

Place = tuple[str, int, int, int]
"""Where a piece is stored: pack key, offset, stored bytes, method."""


@dataclass(frozen=True)
class Earlier:
    """The chunks of a stored file: where each is, None where only the file as a whole can be read."""

    places: dict[bytes, Place | None]
    bits: int


@dataclass(frozen=True)
class Cut:
    """A file on this machine in chunks."""

    digests: Digests
    facts: Facts
    sizes: list[int]
    b3: list[bytes]
    bits: int


def earlier(blobs: BlobStore, key: str, wanted: Wanted) -> Earlier:
    """The chunks of a stored file: those of its recipe, else by reading it.

    Raises:
        DatasetMissing, DatasetDamaged: it cannot be read.
    """
    reader = PackReader(blobs, key)
    if wanted.method == PIECES:
        recipe = reader.recipe(wanted)
        raw = np.ascontiguousarray(recipe.b3).tobytes()
        columns = (recipe.offset.tolist(), recipe.stored.tolist(), recipe.method.tolist())
        known: dict[bytes, Place | None] = {
            raw[32 * number : 32 * number + 32]: (recipe.key(number, key), *facts)
            for number, facts in enumerate(zip(*columns, strict=True))
        }
        return Earlier(known, recipe.bits)
    cutter = Cutter(bits_for(wanted.size))
    for _, parts in reader.members([wanted]):
        for part in parts:
            cutter.feed(part)
    cutter.finish()
    places: dict[bytes, Place | None] = {}
    at = wanted.offset
    for size, b3 in zip(cutter.sizes, cutter.digests, strict=True):
        places[b3] = (key, at, size, STORED) if wanted.method == STORED else None
        at += size
    return Earlier(places, cutter.bits)


def cut(source: str, size: int, sha256: bool, bits: int) -> Cut:
    """A file in chunks, in one pass.

    Raises:
        SourceChanged: see ``digest.stream``.
    """
    cutter = [Cutter(bits)]

    def sink(view: memoryview, at: int) -> None:
        if at == 0:
            cutter[0] = Cutter(bits)
        cutter[0].feed(view)

    digests, facts = stream(source, size, sha256, sink)
    cutter[0].finish()
    return Cut(digests, facts, cutter[0].sizes, cutter[0].digests, bits)


def worth_it(found: Cut, before: Earlier) -> bool:
    """Whether enough of a file was there before."""
    same = sum(size for size, b3 in zip(found.sizes, found.b3, strict=True) if b3 in before.places)
    return same >= _WORTH * found.digests.size


def write_pieces(
    writer: PackWriter, place: int, path: str, source: str, found: Cut, before: Earlier, packing: bool
) -> bool:
    """Store what is new of a file, and its recipe, in a pack of its own.

    Args:
        writer: of a new pack.
        place: the caller's number of the file.
        path: of the file in the dataset.
        source: the file on this machine.
        found: its chunks.
        before: those of the earlier file.
        packing: whether pieces are worth compressing.

    Returns:
        False when the file is not what it was when it was cut; the pack is of no use then.
    """
    pieces = _Pieces(writer, place, path, packing)
    places: list[Place | None] = []
    # The same chunk twice in one file is stored once.
    own: dict[bytes, int] = {}
    handle = open_source(source)
    try:
        if facts_of(os.fstat(handle)) != found.facts:
            return False
        at = 0
        for size, b3 in zip(found.sizes, found.b3, strict=True):
            known = before.places.get(b3)
            if known is None and b3 not in own:
                data = os.pread(handle, size, at)
                if blake3(data).digest() != b3:
                    return False
                own[b3] = pieces.add(data)
            places.append(known)
            at += size
    finally:
        os.close(handle)
    pieces.flush()
    keys: dict[str, int] = {}
    rows = []
    for b3, known in zip(found.b3, places, strict=True):
        if known is None:
            rows.append((OWN, *pieces.places[own[b3]]))
        else:
            rows.append((keys.setdefault(known[0], len(keys)), *known[1:]))
    pack, offset, stored, method = np.array(rows, np.int64).T
    b3s = np.frombuffer(b"".join(found.b3), "<u8").reshape(-1, 4)
    recipe = encode_recipe(
        Recipe(tuple(keys), pack, offset, stored, np.array(found.sizes), method, b3s, found.bits)
    )
    offset = pieces.member("recipe", recipe)
    row = np.zeros(1, ROW)
    row["b3"], row["sha256"] = digest_words(found.digests.b3), digest_words(found.digests.sha256)
    row["crc"], row["size"] = found.digests.crc, found.digests.size
    row["offset"], row["stored"], row["method"] = offset, len(recipe), PIECES
    writer.stand_for(place, row)
    return True


class _Pieces:
    """Gathers pieces into members; ``places`` has offset, stored bytes and method of each piece."""

    def __init__(self, writer: PackWriter, place: int, path: str, packing: bool) -> None:
        self._writer = writer
        self._place = place
        self._path = path
        self._packing = packing
        self._open: list[bytes] = []
        self._count = 0
        self._sizes: list[tuple[int, int]] = []
        self.places: list[tuple[int, int, int]] = []

    def add(self, data: bytes) -> int:
        """Keep a piece; its number."""
        stored, method = data, STORED
        if self._packing:
            packed = zstd.compress(data, _LEVEL)
            if len(packed) < len(data):
                stored, method = packed, ZSTD
        self._open.append(stored)
        self._sizes.append((len(stored), method))
        number = len(self.places) + len(self._sizes) - 1
        if sum(size for size, _ in self._sizes) >= _MEMBER:
            self.flush()
        return number

    def flush(self) -> None:
        """Write what is open as one member."""
        if not self._open:
            return
        offset = self.member(f"{self._count:05}", b"".join(self._open))
        self._count += 1
        for size, method in self._sizes:
            self.places.append((offset, size, method))
            offset += size
        self._open, self._sizes = [], []

    def member(self, name: str, data: bytes) -> int:
        """Append a member; where its data is."""
        digests = Digests(blake3(data).digest(), bytes(32), zlib.crc32(data), len(data))
        return self._writer.append(self._place, f"{self._path}.pieces/{name}", STORED, digests, data)
