"""Rows: what a version knows about its files, in columns, sorted by path."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from trialbook.datasets.methods import DEFLATE as DEFLATE
from trialbook.datasets.methods import PIECES as PIECES
from trialbook.datasets.methods import STORED as STORED
from trialbook.datasets.methods import ZSTD as ZSTD
from trialbook.datasets.paths import folders, in_the_way

Array = npt.NDArray[Any]

Columns = Array | Mapping[str, Array]

FILE, LINK = 0, 1
NO_PACK = 0xFFFFFFFF

ROW = np.dtype(
    [
        ("b3", "<u8", (4,)),
        ("sha256", "<u8", (4,)),
        ("size", "<i8"),
        ("mtime", "<i8"),
        ("offset", "<u8"),
        ("stored", "<u8"),
        ("crc", "<u4"),
        ("pack", "<u4"),
        ("origin", "<u4"),
        ("method", "u1"),
        ("kind", "u1"),
        ("mode", "u1"),
    ]
)
"""One row without its path; the fields are those of the format document."""


@dataclass(frozen=True)
class Rows:
    """Rows sorted by path, no path twice.

    Attributes:
        paths: relative paths.
        data: one ``ROW`` per path.
        packs: ``<owner>/<pack id>`` by the numbers in ``data["pack"]``.
        origins: version ids by the numbers in ``data["origin"]``.
        links: URL and etag of the rows that are links.
    """

    paths: list[str] = field(default_factory=list)
    data: Array = field(default_factory=lambda: np.zeros(0, ROW))
    packs: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    links: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.paths)

    def take(self, chosen: Array | Sequence[int]) -> "Rows":
        """The rows at these places (ascending numbers), or where a mask is true."""
        places = np.asarray(chosen)
        if places.dtype == bool:
            places = np.flatnonzero(places)
        elif not len(places):
            places = places.astype(np.int64)
        paths = [self.paths[place] for place in places.tolist()]
        links = {path: self.links[path] for path in paths if path in self.links} if self.links else {}
        return Rows(paths, self.data[places], self.packs, self.origins, links)

    def span(self, start: int, end: int) -> "Rows":
        """The rows from one place up to, not including, another."""
        paths = self.paths[start:end]
        links = {path: self.links[path] for path in paths if path in self.links} if self.links else {}
        return Rows(paths, self.data[start:end], self.packs, self.origins, links)

    def find(self, path: str) -> int | None:
        """The place of a path; None when it is not here."""
        from bisect import bisect_left

        place = bisect_left(self.paths, path)
        return place if place < len(self.paths) and self.paths[place] == path else None

    def pack_of(self, place: int) -> str:
        """The pack key of a row."""
        return self.packs[int(self.data["pack"][place])]

    def compact(self) -> "Rows":
        """The same rows with only the packs and origins that they use, in order of first use."""
        data = self.data.copy()
        packs = _renumbered(data, "pack", self.packs)
        origins = _renumbered(data, "origin", self.origins)
        return Rows(self.paths, data, packs, origins, self.links)


def _renumbered(data: Array, name: str, names: tuple[str, ...]) -> tuple[str, ...]:
    used, first, where = np.unique(data[name], return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty(len(order), np.uint32)
    kept: list[str] = []
    for place in order.tolist():
        number = int(used[place])
        if number == NO_PACK:
            rank[place] = NO_PACK
        else:
            rank[place] = len(kept)
            kept.append(names[number])
    data[name] = rank[where.reshape(-1)]
    return tuple(kept)


def merged(layers: Iterable[Rows]) -> Rows:
    """One map from several: at one path the later layer wins, also where one has a file and the other a folder."""
    result = Rows()
    for layer in layers:
        result = _overlaid(result, layer)
    return result


def _overlaid(below: Rows, above: Rows) -> Rows:
    if not len(below) or not len(above):
        return above if len(above) else below
    packs, above_packs = _joined(below.packs, above.packs)
    origins, above_origins = _joined(below.origins, above.origins)
    top = above.data.copy()
    if len(above_packs):
        linked = top["pack"] == NO_PACK
        top["pack"] = above_packs[np.where(linked, 0, top["pack"])]
        top["pack"][linked] = NO_PACK
    if len(above_origins):
        top["origin"] = above_origins[top["origin"]]
    covered = {*above.paths, *in_the_way(below.paths, above.paths)}
    keep = np.fromiter((path not in covered for path in below.paths), bool, len(below))
    kept = [path for path in below.paths if path not in covered]
    paths = kept + above.paths
    order = sorted(range(len(paths)), key=paths.__getitem__)
    data = np.concatenate([below.data[keep], top])[order]
    links = {path: link for path, link in below.links.items() if path not in covered}
    return Rows([paths[place] for place in order], data, packs, origins, {**links, **above.links})


def settled(rows: Rows, graph: Mapping[str, Sequence[str]]) -> Rows:
    """Rows without those that stand where another one, of a later version, needs a folder or a file.

    Earlier Trialbooks, and the clearml SDK, wrote both down; no folder can hold them.

    Args:
        rows: of one version.
        graph: parents by version.
    """
    both = folders(rows.paths).intersection(rows.paths)
    if not both:
        return rows
    places = {path: place for place, path in enumerate(rows.paths)}
    gone: set[int] = set()
    for path in sorted(both):
        below = [place for name, place in places.items() if name.startswith(f"{path}/")]
        mine = rows.origins[int(rows.data["origin"][places[path]])]
        above = _ancestors(mine, graph)
        theirs = {rows.origins[int(rows.data["origin"][place])] for place in below}
        gone.update(below if theirs <= above else [places[path]])
    return rows.take([place for place in range(len(rows)) if place not in gone])


def _ancestors(version: str, graph: Mapping[str, Sequence[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [version]
    while waiting:
        fresh = set(graph.get(waiting.pop(), ())) - found
        found |= fresh
        waiting += fresh
    return found


def _joined(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[tuple[str, ...], Array]:
    numbers = {name: number for number, name in enumerate(first)}
    for name in second:
        numbers.setdefault(name, len(numbers))
    return tuple(numbers), np.array([numbers[name] for name in second], np.uint32)


def same_content(first: Columns, second: Columns) -> Array:
    """Which of two equally long runs of ``ROW``, or of its columns, have equal content.

    Links compare kind and size only.
    """
    b3 = _equal(first["b3"], second["b3"])
    sha = _equal(first["sha256"], second["sha256"])
    both_b3 = known(first["b3"]) & known(second["b3"])
    both_sha = known(first["sha256"]) & known(second["sha256"])
    content = np.where(both_b3, b3, both_sha & sha) | (first["kind"] == LINK)
    return np.asarray((first["kind"] == second["kind"]) & (first["size"] == second["size"]) & content)


def known(digests: Array) -> Array:
    """Which digests are not all zero."""
    return np.asarray((digests[:, 0] | digests[:, 1] | digests[:, 2] | digests[:, 3]) != 0)


def _equal(first: Array, second: Array) -> Array:
    same = first == second
    return np.asarray(same[:, 0] & same[:, 1] & same[:, 2] & same[:, 3])


def digest_words(digest: bytes) -> Array:
    """A digest of 32 bytes as a field of ``ROW``."""
    return np.frombuffer(digest, "<u8")


def digest_bytes(words: Array) -> bytes:
    """A field of ``ROW`` as 32 bytes."""
    return np.ascontiguousarray(words, "<u8").tobytes()


def places_of(paths: Sequence[str], within: Sequence[str]) -> Array:
    """Where each path stands in another list; −1 when it does not."""
    if paths == within:
        return np.arange(len(paths))
    numbers = {path: number for number, path in enumerate(within)}
    return np.fromiter((numbers.get(path, -1) for path in paths), np.int64, len(paths))
