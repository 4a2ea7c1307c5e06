"""Planning a copy: what lies on this machine already, what must be read, from which pack."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trialbook.datasets.manifest.rows import FILE, LINK, PIECES, Rows, known
from trialbook.datasets.packs.reader import Wanted, wanted_of


@dataclass(frozen=True)
class Neighbour:
    """A complete view that may lend files.

    Attributes:
        folder: its files.
        rows: what it holds.
        made: when it was complete, seconds since the epoch; a file with a later mtime is not trusted.
    """

    folder: Path
    rows: Rows
    made: float


@dataclass(frozen=True)
class Plan:
    """How to make a folder of rows.

    Attributes:
        rows: all of them.
        near: row numbers and the files of this machine that have their bytes.
        far: packs and what to read of each.
        links: numbers of the rows that are links; fetching those is the caller's part.
    """

    rows: Rows
    near: list[tuple[int, Path, float]]
    far: list[tuple[str, list[Wanted]]]
    links: list[int]

    @property
    def bytes(self) -> int:
        """Stored bytes to read, each once; a file in pieces counts as a whole."""
        return sum(
            {
                (key, item.offset): item.size if item.method == PIECES else item.stored
                for key, wanted in self.far
                for item in wanted
            }.values()
        )


def plan(rows: Rows, neighbours: Sequence[Neighbour] = ()) -> Plan:
    """Decide for every row; a neighbour's file is taken when its bytes and its mode are the same."""
    near: dict[int, tuple[Path, float]] = {}
    far = np.flatnonzero(rows.data["kind"] == FILE).tolist()
    wanted = _contents(rows)
    for neighbour in neighbours:
        if not far:
            break
        lent = {content: place for place, content in enumerate(_contents(neighbour.rows)) if content}
        found = [(place, lent.get(wanted[place]) if wanted[place] else None) for place in far]
        paths = neighbour.rows.paths
        near.update(
            {
                place: (neighbour.folder / paths[other], neighbour.made)
                for place, other in found
                if other is not None
            }
        )
        far = [place for place, other in found if other is None]
    links = np.flatnonzero(rows.data["kind"] == LINK).tolist()
    return Plan(rows, [(place, *near[place]) for place in sorted(near)], by_pack(rows, far), links)


def _contents(rows: Rows) -> list[bytes]:
    """What makes two files the same: BLAKE3 and mode; nothing for links and where BLAKE3 is unknown."""
    b3 = np.ascontiguousarray(rows.data["b3"]).tobytes()
    usable = (known(rows.data["b3"]) & (rows.data["kind"] == FILE)).tolist()
    return [
        b3[32 * place : 32 * place + 32] + bytes((mode,)) if usable[place] else b""
        for place, mode in enumerate(rows.data["mode"].tolist())
    ]


def by_pack(rows: Rows, chosen: Sequence[int]) -> list[tuple[str, list[Wanted]]]:
    """Rows grouped by pack, each group in the order of offsets."""
    if not len(chosen):
        return []
    places = np.array(chosen)
    packs = rows.data["pack"][places]
    order = np.argsort(packs, kind="stable")
    bounds = np.flatnonzero(np.diff(packs[order])) + 1
    groups = np.split(places[order], bounds)
    return [(rows.pack_of(int(group[0])), wanted_of(group, rows.data)) for group in groups]
