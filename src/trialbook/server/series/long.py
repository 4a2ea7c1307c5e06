"""The buckets of one long series: as few of its bytes as the answer needs.

A wide chart is drawn from blocks of the pyramid, taken whole, each into the bucket in which it begins. A block that is
wider than an eighth of a bucket, or lies across the edge of the range, is looked at through smaller blocks, and at
last through its points. So every point counts in one bucket, and stands at most an eighth of a bucket from its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sqlalchemy.engine import Connection

from trialbook.server.core.numeric import Floats, Ints, np
from trialbook.server.series import buckets as shapes
from trialbook.server.series import pyramid
from trialbook.server.series.buckets import Axis, Buckets, Grid
from trialbook.server.series.columns import Points, join
from trialbook.server.series.pyramid import Blocks
from trialbook.server.series.read import chunks, headers_of

_AT_ONCE = 256
_SHARE = 8
"""A block may be this part of a bucket."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What of a series' chunks lies in the range: wholly in one bucket, wholly in the range, or across its
    edge. ``rising`` is the last iteration when x is the iteration and every chunk begins behind the one before:
    then the order of x is the order of the chunks, and times decide nothing."""

    whole: list[Any]
    inside: list[Any]
    across: list[Any]
    rising: int | None


class Reader:
    """Reads long series.

    Args:
        connection: one snapshot.
        grid: the axis of the chart.
        numbers: the series that will be read.
    """

    def __init__(self, connection: Connection, grid: Grid, numbers: Sequence[int]) -> None:
        self._connection = connection
        self._grid = grid
        self._heights = pyramid.heights(connection, numbers)

    def read(self, axis: Axis, row: Any, tail: Sequence[Points]) -> tuple[Buckets | None, bool]:
        """The buckets of one series, None when it has nothing in the range; and whether each is one point.

        Args:
            axis: what of a point is x.
            row: of the ``series`` table.
            tail: its points that are in no chunk yet.
        """
        heights = self._heights.get(row.id, {})
        level = min(self._level(axis, row), max(heights, default=0))
        found: list[Buckets] = []
        if level:
            found, rest = self._wide(axis, row.id, level, heights)
        else:
            rest = self._spans(axis, row.id)
        plan = self._plan(axis, headers_of(self._connection, row.id, rest))
        near = self._cut(axis, join([self._load(row.id, plan.across), *tail]))
        count = sum(one.count for one in (*plan.whole, *plan.inside)) + len(near)
        count += sum(int(part.count.sum()) for part in found)
        if not count:
            return None, True
        if count <= self._grid.buckets:
            return self._exact(axis, row, tail), True
        # Beside blocks that lie before the chunks, times may decide.
        rising = (
            not found and plan.rising is not None and all(int(p.iteration.min()) > plan.rising for p in tail)
        )
        return shapes.merge([*found, *self._narrow(axis, row.id, plan, near, rising)]), False

    def _level(self, axis: Axis, row: Any) -> int:
        """The level whose blocks are small enough where the points of the series are spread evenly."""
        ends = (row.first_iter, row.last_iter) if axis.by_iteration else (row.start_time, row.end_time)
        first, last = axis.x(np.array(ends, np.int64)).tolist()
        width = (self._grid.high - self._grid.low) / self._grid.buckets
        share = width / (last - first) if last > first else 1.0
        points, level = row.count * min(share, 1.0) / _SHARE, 0
        while pyramid.SHAPE.size(level + 1) <= points:
            level += 1
        return level

    def _overlap(self, axis: Axis) -> tuple[str, int, int]:
        """The range of the chart in the units of the database, a little wider."""
        low, high = self._grid.low, self._grid.high
        if not axis.by_iteration:
            low, high = low * 1e6 + axis.origin - 10, high * 1e6 + axis.origin + 10
        else:
            # A float holds integers above 2⁵³ with gaps; x compares as float everywhere.
            low, high = low - abs(low) * 1e-15 - 1, high + abs(high) * 1e-15 + 1
        kind = "iter" if axis.by_iteration else "time"
        return kind, int(max(low, -(2.0**63))), int(min(high, 2.0**63 - 1025))

    def _wide(
        self, axis: Axis, number: int, level: int, heights: dict[int, int]
    ) -> tuple[list[Buckets], list[tuple[int, int]]]:
        """The buckets of what the pyramid covers, and the chunks that it does not."""
        shape, overlap = pyramid.SHAPE, self._overlap(axis)
        found: list[Buckets] = []
        covered, coarse = 0, np.empty(0, np.int64)
        for at in range(level, 0, -1):
            held, size = shape.held(at), shape.size(at)
            # What the level above could not show, and what lies behind its last row.
            finer = np.unique(coarse // held).tolist() if len(coarse) else []
            start = covered // held
            numbers, payloads = pyramid.rows(
                self._connection, number, at, start, overlap, [one for one in finer if one < start]
            )
            covered = max(covered, heights.get(at, 0) * held)
            if not numbers:
                continue
            blocks = pyramid.unpack(payloads)
            begin = (np.array(numbers, np.int64)[:, None] * held + np.arange(shape.row) * size).reshape(-1)
            if at < level:
                above = shape.size(at + 1)
                wanted = (begin >= start * held) | np.isin(begin // above * above, coarse)
                blocks, begin = blocks.take(wanted), begin[wanted]
            shown, coarse = self._sort(axis, blocks, begin, size)
            found += shown
        if len(coarse):
            found += self._refined(axis, number, coarse, shape.size(1))
        return found, [(covered // shape.chunk, 2**31 - 1)]

    def _sort(self, axis: Axis, blocks: Blocks, begin: Ints, size: int) -> tuple[list[Buckets], Ints]:
        """The buckets of blocks that are narrow enough, and where the others begin."""
        grid = self._grid
        kind = "iter" if axis.by_iteration else "time"
        first, last = (axis.x(getattr(blocks, f"{end}_{kind}")) for end in ("first", "last"))
        seen = (last >= grid.low) & (first <= grid.high)
        inside = (first >= grid.low) & (last <= grid.high)
        place = grid.place(np.clip(first, grid.low, grid.high))
        narrow = (last - first) * _SHARE * grid.buckets <= grid.high - grid.low
        narrow |= place == grid.place(np.clip(last, grid.low, grid.high))
        good = inside & narrow
        if bool(good.all()):
            chosen: Any = slice(None)
        else:
            chosen = np.flatnonzero(good)
        if not bool(good.any()):
            return [], begin[seen & ~good]
        part = blocks.take(chosen)
        if axis.by_iteration:
            tail, order, order2 = part.tail, part.tail_iter, part.tail_time
        else:
            tail, order, order2 = part.late, part.late_time, part.late_iter
        held = Buckets(
            place[chosen],
            first[chosen],
            last[chosen],
            part.low,
            part.high,
            tail,
            order,
            order2,
            np.full(len(part), size),
            part.nonfinite,
        )
        return [shapes.together(held)], begin[seen & ~good]

    def _refined(self, axis: Axis, number: int, begin: Ints, size: int) -> Iterator[Buckets]:
        """The buckets of blocks of the lowest level, from their points."""
        chunk = pyramid.SHAPE.chunk
        which, place = np.unique(begin // chunk, return_inverse=True)
        for start in range(0, len(which), _AT_ONCE):
            some = (place >= start) & (place < start + _AT_ONCE)
            points = chunks(self._connection, number, which[start : start + _AT_ONCE].tolist())
            at = (place[some] - start) * chunk + begin[some] % chunk
            near = self._cut(axis, points.take((at[:, None] + np.arange(size)).reshape(-1)))
            if len(near):
                yield shapes.of_series(self._grid, axis, near)

    def _exact(self, axis: Axis, row: Any, tail: Sequence[Points]) -> Buckets:
        """Every point of the range as a bucket of its own; there are few."""
        plan = self._plan(axis, headers_of(self._connection, row.id, self._spans(axis, row.id)))
        loaded = self._load(row.id, [*plan.whole, *plan.inside, *plan.across])
        points = self._cut(axis, join([loaded, *tail]))
        key, key2, value = axis.keys(points)
        x, each = axis.x(key), np.arange(len(points))
        return shapes.of_points(each, self._grid.place(x), x, key, key2, value)

    def _spans(self, axis: Axis, number: int) -> list[tuple[int, int]]:
        """Which chunks may hold points of the range."""
        rows = self._heights.get(number, {}).get(1, 0)
        return pyramid.chunk_spans(self._connection, number, rows, self._overlap(axis))

    def _plan(self, axis: Axis, rows: Sequence[Any]) -> _Plan:
        rising = axis.by_iteration and all(one.last_iter < two.first_iter for one, two in pairwise(rows))
        plan = _Plan([], [], [], rows[-1].last_iter if rows and rising else None)
        if not rows:
            return plan
        grid = self._grid
        names = ("first_iter", "last_iter") if axis.by_iteration else ("first_time", "last_time")
        first, last = (axis.x(np.array([getattr(row, name) for row in rows], np.int64)) for name in names)
        seen = (last >= grid.low) & (first <= grid.high)
        cut = (first < grid.low) | (last > grid.high)
        one = grid.place(np.clip(first, grid.low, grid.high)) == grid.place(
            np.clip(last, grid.low, grid.high)
        )
        for row, here, edge, narrow in zip(rows, seen.tolist(), cut.tolist(), one.tolist(), strict=True):
            if not here:
                continue
            if edge:
                plan.across.append(row)
            else:
                (plan.whole if narrow and (axis.by_iteration or row.monotone) else plan.inside).append(row)
        return plan

    def _narrow(self, axis: Axis, number: int, plan: _Plan, near: Points, rising: bool) -> Iterator[Buckets]:
        """The buckets of chunks: of those that lie in one bucket from their statistics, of others from points."""
        if plan.whole:
            yield _of_headers(self._grid, axis, plan.whole)
        for start in range(0, len(plan.inside), _AT_ONCE):
            points = self._load(number, plan.inside[start : start + _AT_ONCE], times=not rising)
            yield shapes.of_series(self._grid, axis, points, ordered=rising)
        if len(near):
            yield shapes.of_series(self._grid, axis, near)

    def _load(self, number: int, rows: Sequence[Any], *, times: bool = True) -> Points:
        return chunks(self._connection, number, [row.number for row in rows], times=times)

    def _cut(self, axis: Axis, points: Points) -> Points:
        x: Floats = axis.x(points.iteration if axis.by_iteration else points.time)
        inside = (x >= self._grid.low) & (x <= self._grid.high)
        return points if bool(inside.all()) else points.take(np.flatnonzero(inside))


def _of_headers(grid: Grid, axis: Axis, rows: Sequence[Any]) -> Buckets:
    """The buckets of chunks that lie in one bucket each, from their statistics."""

    def column(name: str, kind: Any) -> Any:
        return np.array([getattr(row, name) for row in rows], kind)

    first = column("first_iter" if axis.by_iteration else "first_time", np.int64)
    last = column("last_iter" if axis.by_iteration else "last_time", np.int64)
    none = np.array([row.tail_value is None for row in rows])
    names = ("tail_iter", "tail_time") if axis.by_iteration else ("tail_time", "tail_iter")
    order, order2 = (np.array([getattr(row, name) or 0 for row in rows], np.int64) for name in names)
    low, high, tail = (column(name, np.float64) for name in ("min_value", "max_value", "tail_value"))
    low[none] = high[none] = tail[none] = np.nan
    x_first, x_last = axis.x(first), axis.x(last)
    count, bad = column("count", np.int64), column("nonfinite", np.int64)
    return shapes.together(
        Buckets(grid.place(x_first), x_first, x_last, low, high, tail, order, order2, count, bad)
    )
