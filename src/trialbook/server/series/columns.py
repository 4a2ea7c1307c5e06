"""Points as three columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trialbook.server.core.numeric import Floats, Ints, np


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Columns of equal length: iteration, time in µs since the epoch, value."""

    iteration: Ints
    time: Ints
    value: Floats

    def __len__(self) -> int:
        return len(self.iteration)

    def take(self, which: slice | Ints) -> Points:
        """The points at some positions."""
        return Points(self.iteration[which], self.time[which], self.value[which])

    def ordered(self) -> Points:
        """By (iteration, time); points that are equal in both stay in the order in which they came."""
        order = stable_order(None, self.iteration, self.time)
        return self if order is None else self.take(order)


def empty() -> Points:
    """No points."""
    return Points(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64))


def join(parts: Sequence[Points]) -> Points:
    """All points, part after part."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return empty()
    return Points(
        np.concatenate([part.iteration for part in parts]),
        np.concatenate([part.time for part in parts]),
        np.concatenate([part.value for part in parts]),
    )


def stable_order(group: Ints | None, iteration: Ints, time: Ints) -> Ints | None:
    """Positions that sort by (group, iteration, time), or None when everything is in order already.

    Args:
        group: small non-negative numbers; None means one group.
        iteration: second key.
        time: third key.
    """
    if len(iteration) < 2:
        return None
    order: Ints | None = None
    if group is not None and bool((group[1:] < group[:-1]).any()):
        # numpy sorts 16-bit numbers by radix, ten times faster than wider ones.
        keys = group.astype(np.uint16) if int(group.max()) < 65536 else group
        order = np.argsort(keys, kind="stable")
        group, iteration, time = group[order], iteration[order], time[order]
    fell = (iteration[1:] < iteration[:-1]) | ((iteration[1:] == iteration[:-1]) & (time[1:] < time[:-1]))
    if group is not None:
        fell &= group[1:] == group[:-1]
    if not bool(fell.any()):
        return order
    keys3 = (time, iteration) if group is None else (time, iteration, group)
    within = np.lexsort(keys3)
    return within if order is None else order[within]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Points of many series, series after series; ``starts[k]`` to ``starts[k + 1]`` belong to ``ids[k]``."""

    ids: Ints
    starts: Ints
    points: Points

    def each(self) -> Iterator[tuple[int, Points]]:
        """The number and the points of every series."""
        edges = self.starts.tolist()
        for place, number in enumerate(self.ids.tolist()):
            yield number, self.points.take(slice(edges[place], edges[place + 1]))
