"""Manifests: rows in content-addressed ranges under a root."""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec
import numpy as np
from blake3 import blake3

from trialbook.datasets.manifest.rows import (
    DEFLATE,
    FILE,
    LINK,
    NO_PACK,
    PIECES,
    ROW,
    STORED,
    ZSTD,
    Array,
    Rows,
)
from trialbook.datasets.manifest.table import Table, encode_table
from trialbook.datasets.paths import check
from trialbook.errors import DatasetDamaged, DatasetError

FORMAT = 1
PIECED = 2
"""Format of a root whose version has files in pieces."""
_EXPECTED, _FEWEST, _MOST = 32768, 8192, 131072
_COLUMNS = (
    "kind",
    "mode",
    "size",
    "mtime",
    "b3",
    "sha256",
    "crc",
    "method",
    "offset",
    "stored",
    "pack",
    "origin",
)


class RangeRef(msgspec.Struct, frozen=True):
    """A range as a root names it: ``key`` is ``<owner>/<range id>``, ``first`` and ``last`` are paths."""

    key: str
    first: str
    last: str
    rows: int
    bytes: int


class PackRef(msgspec.Struct, frozen=True):
    """A pack as a root names it; ``live`` counts the distinct stored bytes of it that the version uses."""

    key: str
    bytes: int
    members: int
    live: int


class Root(msgspec.Struct, frozen=True):
    """One version: what it holds and where it comes from. See the format document.

    ``recipes`` has, for each recipe that a row uses (``<pack key>@<offset>``), the packs of its pieces and their bytes.
    """

    version: str
    created: float
    files: int
    links: int
    bytes: int
    parents: tuple[tuple[str, str], ...]
    graph: dict[str, tuple[str, ...]]
    ranges: tuple[RangeRef, ...]
    packs: tuple[PackRef, ...]
    format: int = FORMAT
    recipes: dict[str, tuple[tuple[str, int], ...]] = {}


@dataclass(frozen=True)
class EncodedRange:
    """A range ready to be stored; ``id`` is the b3 of ``data``."""

    id: str
    first: str
    last: str
    rows: int
    data: bytes


def encode_root(root: Root) -> tuple[str, bytes]:
    """The id and the bytes of a root."""
    plain = msgspec.to_builtins(root)
    if not root.recipes:
        del plain["recipes"]
    tidy = msgspec.json.encode(plain, order="sorted")
    return blake3(tidy).hexdigest(), tidy


def decode_root(data: bytes, root_id: str) -> Root:
    """A root from its bytes.

    Raises:
        DatasetDamaged: the bytes are not those of ``root_id``.
        DatasetError: a later Trialbook wrote it.
    """
    if blake3(data).hexdigest() != root_id:
        raise DatasetDamaged(f"root {root_id} does not have the bytes that its name says")
    try:
        version = msgspec.json.decode(data, type=dict).get("format")
        if version not in (FORMAT, PIECED):
            raise DatasetError(
                f"root {root_id} has format {version}, this Trialbook reads {PIECED}: upgrade it"
            )
        return msgspec.json.decode(data, type=Root)
    except msgspec.DecodeError as error:
        raise DatasetDamaged(f"root {root_id} cannot be read: {error}") from error


def cuts(paths: list[str]) -> list[int]:
    """Where ranges end: ascending places, the last one is the number of paths."""
    crcs = np.fromiter(map(zlib.crc32, map(str.encode, paths)), np.uint32, len(paths))
    wish = np.flatnonzero(crcs * np.uint32(2654435761) < np.uint32((1 << 32) // _EXPECTED)) + 1
    ends: list[int] = []
    start = 0
    while start < len(paths):
        place = int(np.searchsorted(wish, start + _FEWEST))
        end = int(wish[place]) if place < len(wish) else len(paths)
        start = min(end, start + _MOST, len(paths))
        ends.append(start)
    return ends


def encode_ranges(rows: Rows) -> Iterator[EncodedRange]:
    """Cut rows into ranges, in path order."""
    start = 0
    for end in cuts(rows.paths):
        part = rows.span(start, end).compact()
        data = encode_range(part)
        yield EncodedRange(blake3(data).hexdigest(), part.paths[0], part.paths[-1], len(part), data)
        start = end


def encode_range(part: Rows) -> bytes:
    """The bytes of one range."""
    columns: dict[str, list[str] | Array] = {"path": part.paths}
    columns.update({name: part.data[name] for name in _COLUMNS})
    columns["packs"], columns["origins"] = list(part.packs), list(part.origins)
    if part.links:
        columns["link"] = [part.links.get(path, ("", ""))[0] for path in part.paths]
        columns["etag"] = [part.links.get(path, ("", ""))[1] for path in part.paths]
    return encode_table(columns)


def open_range(data: bytes, key: str) -> Table:
    """The table of a range, its bytes checked against its name."""
    if blake3(data).hexdigest() != key.rpartition("/")[2]:
        raise DatasetDamaged(f"range {key} does not have the bytes that its name says")
    return Table(data, f"range {key}")


def decode_range(table: Table, ref: RangeRef) -> Rows:
    """All rows of a range.

    Raises:
        DatasetDamaged: the rows contradict each other or the root.
        PathRefused: a path could leave the target folder.
    """
    paths = table.text("path")
    data = np.zeros(len(paths), ROW)
    for name in _COLUMNS:
        column = table.array(name)
        if len(column) != len(paths):
            raise DatasetDamaged(f"range {ref.key} has {len(column)} values for {len(paths)} paths in {name}")
        data[name] = column
    packs, origins = tuple(table.text("packs")), tuple(table.text("origins"))
    links = {}
    if table.count("link"):
        urls, etags = table.text("link"), table.text("etag")
        linked = np.flatnonzero(data["kind"] == LINK).tolist()
        if len(urls) != len(paths) or len(etags) != len(paths):
            raise DatasetDamaged(f"range {ref.key} has a different number of links than of paths")
        links = {paths[place]: (urls[place], etags[place]) for place in linked}
    rows = Rows(paths, data, packs, origins, links)
    _checked(rows, ref)
    return rows


def _checked(rows: Rows, ref: RangeRef) -> None:
    check(rows.paths)
    data = rows.data
    files = data["kind"] == FILE
    wrong = (
        len(rows) != ref.rows
        or any(first >= second for first, second in zip(rows.paths, rows.paths[1:], strict=False))
        or (data["origin"] >= len(rows.origins)).any()
        or (data["pack"][files] >= len(rows.packs)).any()
        or (data["pack"][~files] != NO_PACK).any()
        or (data["size"][files] < 0).any()
        or not np.isin(data["method"], (STORED, DEFLATE, ZSTD, PIECES)).all()
        or not (data["b3"][files].any(axis=1) | data["sha256"][files].any(axis=1)).all()
    )
    if wrong:
        raise DatasetDamaged(f"range {ref.key} has rows that contradict each other")


def pack_refs(rows: Rows, sizes: Callable[[str], tuple[int, int]]) -> tuple[PackRef, ...]:
    """The packs that rows use, by key.

    Args:
        rows: of a whole version.
        sizes: bytes and members of a pack by its key.
    """
    data = rows.data[rows.data["pack"] != NO_PACK]
    order = np.lexsort((data["offset"], data["pack"]))
    pack, offset, stored = data["pack"][order], data["offset"][order], data["stored"][order]
    first = np.ones(len(order), bool)
    first[1:] = (pack[1:] != pack[:-1]) | (offset[1:] != offset[:-1]) | (stored[1:] != stored[:-1])
    live = np.bincount(pack[first], weights=stored[first], minlength=len(rows.packs))
    used = np.unique(pack).tolist()
    found = [PackRef(rows.packs[number], *sizes(rows.packs[number]), int(live[number])) for number in used]
    return tuple(sorted(found, key=lambda ref: ref.key))
