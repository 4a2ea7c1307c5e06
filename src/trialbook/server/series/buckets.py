"""Points into the buckets of a chart, so that no spike and no NaN is hidden. Pure: no database.

A bucket keeps the first and last x, the least, greatest and last finite value, and how many points and
non-finite points it holds. Buckets of parts of a series are themselves joined into buckets, so a chunk that
lies in one bucket as a whole takes part through its statistics, without being unpacked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trialbook.server.core.numeric import Floats, Ints, np
from trialbook.server.series.columns import Points

COLUMNS = ("x_first", "x_last", "min", "max", "last", "count", "nonfinite")


@dataclass(frozen=True, slots=True)
class Grid:
    """The x axis of a chart: ``buckets`` equal parts from ``low`` to ``high``, both included."""

    low: float
    high: float
    buckets: int

    def place(self, x: Floats) -> Ints:
        """The bucket of each x, which must lie inside."""
        width = self.high - self.low
        if not width > 0:
            return np.zeros(len(x), np.int64)
        # Halved, because the distance of two 64-bit extremes times the number of buckets must stay finite.
        share = (x / 2 - self.low / 2) / (self.high / 2 - self.low / 2)
        return np.clip((share * self.buckets).astype(np.int64), 0, self.buckets - 1)

    def starts(self, x: Floats) -> Ints:
        """Where in rising x, at least one, each bucket that holds some begins."""
        first, last = self.place(x[[0, -1]]).tolist()
        if last - first > len(x) // 16:
            place = self.place(x)
            return np.append(0, np.flatnonzero(place[1:] != place[:-1]) + 1)
        # Many points a bucket: a bisection of all borders at once looks at few of them.
        wanted = np.arange(first + 1, last + 1)
        low, high = np.zeros(len(wanted), np.int64), np.full(len(wanted), len(x) - 1)
        for _ in range(len(x).bit_length()):
            middle = (low + high) >> 1
            before = self.place(x[middle]) < wanted
            low, high = np.where(before, middle + 1, low), np.where(before, high, middle)
        return np.unique(np.append(0, low))


@dataclass(frozen=True, slots=True, eq=False)
class Buckets:
    """Columns of equal length. ``order`` and ``order2`` tell which of two last values is the later one."""

    place: Ints
    x_first: Floats
    x_last: Floats
    min: Floats
    max: Floats
    last: Floats
    order: Ints
    order2: Ints
    count: Ints
    nonfinite: Ints

    def __len__(self) -> int:
        return len(self.place)

    def part(self, start: int, end: int) -> Buckets:
        """Some buckets that stand together."""
        return Buckets(*(getattr(self, name)[start:end] for name in Buckets.__slots__))


def to_bytes(parts: Sequence[Buckets]) -> memoryview:
    """The columns of tiles, tile after tile: of each five of f64, then two of u32.

    Written column by column for all tiles together: a thousand small tiles cost no more than a large one.
    """
    if not parts:
        return memoryview(b"")
    lengths = np.array([len(part) for part in parts], np.int64)
    # In units of 8 bytes, of which a bucket takes six, and of 4.
    out = np.empty(6 * int(lengths.sum()), "<f8")
    narrow = out.view("<u4")
    same = int(lengths[0]) if bool((lengths == lengths[0]).all()) else 0
    if not same:
        each = np.repeat(lengths, lengths)
        before = np.repeat(np.cumsum(lengths) - lengths, lengths)
        wide_at = 6 * before + np.arange(len(each)) - before
        narrow_at = wide_at + 6 * before + 10 * each
    for number, name in enumerate(COLUMNS):
        column = np.concatenate([getattr(part, name) for part in parts])
        if same and number < 5:
            out.reshape(-1, 6, same)[:, number] = column.reshape(-1, same)
        elif same:
            narrow.reshape(-1, 12, same)[:, 5 + number] = column.reshape(-1, same)
        elif number < 5:
            out[wide_at + number * each] = column
        else:
            narrow[narrow_at + (number - 5) * each] = column
    return out.data.cast("B")


def of_points(starts: Ints, place: Ints, x: Floats, key: Ints, key2: Ints, value: Floats) -> Buckets:
    """The buckets of points in order; the points of a bucket stand together.

    Args:
        starts: where each bucket begins, rising, the first at 0.
        place: of the buckets.
        x: of the points.
        key: integer form of ``x`` (iteration, or µs), rising within a bucket.
        key2: second order of points with the same x, rising among them.
        value: at least one.
    """
    ends = np.append(starts[1:], len(value)) - 1
    finite = np.isfinite(value)
    if bool(finite.all()):
        low, high = np.minimum.reduceat(value, starts), np.maximum.reduceat(value, starts)
        at, last, bad = ends, value[ends], np.zeros(len(starts), np.int64)
    else:
        at = np.maximum.reduceat(np.where(finite, np.arange(len(value)), -1), starts)
        none = at < 0
        low = np.minimum.reduceat(np.where(finite, value, np.inf), starts)
        high = np.maximum.reduceat(np.where(finite, value, -np.inf), starts)
        low[none] = high[none] = np.nan
        last = value[at]
        last[none] = np.nan
        bad = np.add.reduceat((~finite).astype(np.int64), starts)
    return Buckets(place, x[starts], x[ends], low, high, last, key[at], key2[at], ends - starts + 1, bad)


def of_series(grid: Grid, axis: Axis, points: Points, *, ordered: bool = False) -> Buckets:
    """The buckets of the points of one series, at least one point; every x lies inside.

    Args:
        grid: the axis.
        axis: what of a point is x.
        points: of the series.
        ordered: they are in order already, and only the second order may be missing.
    """
    if ordered:
        key, key2, value = points.iteration, points.time, points.value
    else:
        key, key2, value = axis.keys(points)
    x = axis.x(key)
    starts = grid.starts(x)
    return of_points(starts, grid.place(x[starts]), x, key, key2, value)


def merge(parts: Sequence[Buckets]) -> Buckets:
    """Buckets of several parts of one series as one list, each place once, rising."""
    if len(parts) == 1:
        return parts[0]
    return together(
        Buckets(*(np.concatenate([getattr(part, name) for part in parts]) for name in Buckets.__slots__))
    )


def together(held: Buckets) -> Buckets:
    """Each place once, rising; at least one bucket."""
    known = ~np.isnan(held.last)
    later = (held.order[1:] > held.order[:-1]) | (
        (held.order[1:] == held.order[:-1]) & (held.order2[1:] >= held.order2[:-1])
    )
    if not (bool((held.place[1:] >= held.place[:-1]).all()) and bool(known.all()) and bool(later.all())):
        # In each place the last bucket with a finite value comes last; lexsort is stable, so a later part wins a
        # tie.
        order = np.lexsort((held.order2, held.order, known, held.place))
        held = Buckets(*(getattr(held, name)[order] for name in Buckets.__slots__))
    starts = np.concatenate(([0], np.flatnonzero(held.place[1:] != held.place[:-1]) + 1))
    ends = np.concatenate((starts[1:], [len(held)])) - 1
    return Buckets(
        held.place[starts],
        np.minimum.reduceat(held.x_first, starts),
        np.maximum.reduceat(held.x_last, starts),
        np.fmin.reduceat(held.min, starts),
        np.fmax.reduceat(held.max, starts),
        held.last[ends],
        held.order[ends],
        held.order2[ends],
        np.add.reduceat(held.count, starts),
        np.add.reduceat(held.nonfinite, starts),
    )


@dataclass(frozen=True, slots=True)
class Axis:
    """How the points of one task lie on x.

    Attributes:
        kind: ``iter``, ``time`` (seconds since the epoch) or ``relative`` (seconds since ``origin``).
        origin: µs since the epoch of the task's first point; 0 for the other kinds.
    """

    kind: str
    origin: int = 0

    @property
    def by_iteration(self) -> bool:
        """True when x is the iteration."""
        return self.kind == "iter"

    def x(self, key: Ints) -> Floats:
        """x of iterations, or of times in µs."""
        return key.astype(np.float64) if self.by_iteration else (key - self.origin) / 1e6

    def keys(self, points: Points) -> tuple[Ints, Ints, Floats]:
        """The integer x, the second order and the value of points, in the order of x."""
        if self.by_iteration:
            points = points.ordered()
            return points.iteration, points.time, points.value
        turned = Points(points.time, points.iteration, points.value).ordered()
        return turned.iteration, turned.time, turned.value
