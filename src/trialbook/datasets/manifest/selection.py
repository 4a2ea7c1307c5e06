"""A part of a version: by pattern, or one of several equal parts."""

import hashlib
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np

from trialbook.datasets.manifest.roots import Root
from trialbook.datasets.manifest.rows import LINK, Array, Rows
from trialbook.datasets.patterns import Patterns, matcher
from trialbook.errors import UsageError


@dataclass(frozen=True)
class Selection:
    """What to take of a version.

    Attributes:
        patterns: see ``patterns.matcher``; none is all.
        part: number of the part, from 0; None is all.
        parts: how many parts there are; they are disjoint, and together they are the version.
    """

    patterns: tuple[str, ...] = ()
    part: int | None = None
    parts: int = 1

    @classmethod
    def of(cls, patterns: Patterns = None, part: int | None = None, parts: int = 1) -> "Selection":
        """A selection from loosely given arguments.

        Raises:
            UsageError: the part is not one of the parts.
        """
        given = [patterns] if isinstance(patterns, str | PurePath) else patterns or ()
        listed = tuple(sorted(one if isinstance(one, str) else one.as_posix() for one in given))
        if part is not None and (parts < 1 or not 0 <= part < parts):
            raise UsageError(f"part {part} of {parts}: it must be between 0 and {parts - 1}")
        return cls(listed, part, parts if part is not None else 1)

    @property
    def name(self) -> str:
        """Tells views apart; empty for all."""
        names = []
        if self.patterns:
            names.append(hashlib.sha256("\0".join(self.patterns).encode()).hexdigest()[:16])
        if self.part is not None:
            names.append(f"share-{self.part}-of-{self.parts}")
        return "-".join(names)

    def rows(self, rows: Rows, root: Root) -> Rows:
        """The rows that are meant."""
        every = rows
        if self.part is not None:
            rows = rows.take(dealt(rows, root, self.parts) == self.part)
        if self.patterns:
            wanted = matcher(self.patterns, among=every.paths)
            rows = rows.take(np.array([wanted(path) for path in rows.paths], bool))
        return rows


def dealt(rows: Rows, root: Root, parts: int) -> Array:
    """The part of each row.

    Chunks, those of ancestors first, go round: chunk *i* belongs to part *i* mod ``parts``. When there are fewer chunks
    than parts they are cut between files, the largest ones first, so that no part is empty while there are files. Links
    go round after the chunks.

    Args:
        rows: of the version.
        root: its root.
        parts: how many.
    """
    rank = {version: place for place, version in enumerate(_ancestors_first(root))}
    keys = sorted(rows.packs, key=lambda key: (rank.get(key.partition("/")[0], -1), key))
    place = {key: number for number, key in enumerate(keys)}
    linked = rows.data["kind"] == LINK
    files = np.flatnonzero(~linked)
    chunk = np.array([place[key] for key in rows.packs], np.int64)[rows.data["pack"][files]]
    # As they are stored: a part of a chunk is one stretch of it.
    order = np.lexsort((files, rows.data["offset"][files], chunk))
    used, begins, counts = np.unique(chunk[order], return_index=True, return_counts=True)
    shares = np.ones(len(used), np.int64)
    if len(used) < min(parts, len(files)):
        sizes = np.add.reduceat(rows.data["stored"][files][order].astype(np.float64) + 1, begins)
        for _ in range(min(parts, len(files)) - len(used)):
            load = np.where(shares < counts, sizes / shares, -1.0)
            shares[int(np.argmax(load))] += 1
    unit = np.zeros(len(files), np.int64)
    first = 0
    for begin, count, share in zip(begins.tolist(), counts.tolist(), shares.tolist(), strict=True):
        unit[order[begin : begin + count]] = first + np.arange(count) * share // count
        first += share
    result = np.zeros(len(rows), np.int64)
    result[files] = unit % parts
    result[linked] = (first + np.arange(int(linked.sum()))) % parts
    return result


def _ancestors_first(root: Root) -> list[str]:
    found: dict[str, None] = {}
    waiting = [(root.version, False)]
    while waiting:
        version, known = waiting.pop()
        if known:
            found[version] = None
        elif version not in found:
            waiting.append((version, True))
            waiting += [(one, False) for one in reversed(root.graph.get(version, ())) if one not in found]
    return list(found)
