"""Planning a copy: what lies on this machine already, what must be read, from which pack."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trialbook.datasets.known import Known
from trialbook.datasets.pack_reader import Wanted, wanted_of
from trialbook.datasets.rows import FILE, LINK, Rows, digest_bytes


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
        """Stored bytes to read, each once."""
        return sum({(key, item.offset): item.stored for key, wanted in self.far for item in wanted}.values())


def plan(rows: Rows, neighbours: Sequence[Neighbour] = ()) -> Plan:
    """Decide for every row; a neighbour's file is taken when its bytes and its mode are the same."""
    near: dict[int, tuple[Path, float]] = {}
    for neighbour in neighbours:
        index = Known(neighbour.rows)
        missing = np.array(
            [place for place in np.flatnonzero(rows.data["kind"] == FILE) if place not in near]
        )
        if not len(missing):
            break
        digests = [digest_bytes(rows.data["b3"][place]) for place in missing]
        for place in missing[index.any_of(digests)].tolist():
            for found in index.find(digest_bytes(rows.data["b3"][place])):
                if neighbour.rows.data["mode"][found] == rows.data["mode"][place]:
                    near[place] = (neighbour.folder / neighbour.rows.paths[found], neighbour.made)
                    break
    far = [place for place in np.flatnonzero(rows.data["kind"] == FILE).tolist() if place not in near]
    links = np.flatnonzero(rows.data["kind"] == LINK).tolist()
    return Plan(rows, [(place, *near[place]) for place in sorted(near)], by_pack(rows, far), links)


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
