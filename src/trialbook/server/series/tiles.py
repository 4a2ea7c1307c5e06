"""The part of series that a chart shows: a range, cut into as many buckets as there are pixels to fill.

The reply's layout is in docs/design/series-store.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.server.series import buckets as shapes
from trialbook.server.series.buckets import Axis, Buckets, Grid
from trialbook.server.series.columns import Points, join, stable_order
from trialbook.server.series.numeric import np
from trialbook.server.series.packing import unpack_chunks
from trialbook.server.series.read import Tail, chunks, headers, payloads
from trialbook.server.series.statistics import finite
from trialbook.server.stores.series import portions, series

MAGIC = b"TBT1"
_MOST_BUCKETS = 200_000
_AT_ONCE = 256
SMALL = 4 * 4096
"""A series of no more points is read as a whole."""
_POINTS = 131_072


@dataclass(frozen=True, slots=True)
class Wanted:
    """A series as asked for; ``row`` is its row of the ``series`` table, or None when nothing was
    reported."""

    owner: str
    metric: str
    variant: str
    row: Any | None


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """The buckets of one series; ``raw`` means that each is one point."""

    wanted: Wanted
    buckets: Buckets | None
    raw: bool


@dataclass(frozen=True, slots=True)
class Tiles:
    """The answer: all series on one grid."""

    x: str
    grid: Grid
    tiles: list[Tile]


def read(
    connection: Connection, wanted: Sequence[Wanted], x: str, span: tuple[float, float] | None, buckets: int
) -> Tiles:
    """The tiles of series.

    Args:
        connection: one snapshot.
        wanted: the series.
        x: ``iter``, ``time`` or ``relative``.
        span: the range of x; None means all that the series have.
        buckets: parts of the range; fewer, but at least 64, when very many series are asked for.
    """
    buckets = max(64, min(buckets, _MOST_BUCKETS // max(1, len(wanted))))
    present = [one for one in wanted if one.row is not None and one.row.count]
    axes = _axes(connection, {one.owner for one in present}, x)
    low, high = span if span is not None else _union(present, axes)
    grid = Grid(low, high, buckets)
    tail = Tail(connection, {one.owner for one in present})
    found: dict[int, Tile] = {}
    short = [one for one in present if one.row is not None and one.row.count <= SMALL]
    for some in _portions(short):
        found.update((id(tile.wanted), tile) for tile in _short(connection, grid, axes, some, tail))
    long = [one for one in present if id(one) not in found]
    listed = headers(connection, [one.row.id for one in long if one.row is not None])
    reader = _Reader(connection, grid)
    for one in long:
        assert one.row is not None
        plan = reader.plan(axes[one.owner], one.row.id, listed.get(one.row.id, []))
        found[id(one)] = reader.tile(one, plan, tail.of(one.row.id))
    return Tiles(x, grid, [found.get(id(one)) or Tile(one, None, True) for one in wanted])


def _portions(short: Sequence[Wanted]) -> Iterator[list[Wanted]]:
    """Slices of some ``_POINTS`` points together, so that memory does not grow with the number of series."""
    some: list[Wanted] = []
    points = 0
    for one in short:
        assert one.row is not None
        some.append(one)
        points += one.row.count
        if points >= _POINTS:
            yield some
            some, points = [], 0
    if some:
        yield some


def _short(
    connection: Connection, grid: Grid, axes: Mapping[str, Axis], some: Sequence[Wanted], tail: Tail
) -> list[Tile]:
    """The tiles of series that are read as a whole, all of them as one long column."""
    rows = [one.row for one in some if one.row is not None]
    at = {row.id: number for number, row in enumerate(rows)}
    packed = list(payloads(connection, list(at)))
    chunked, edges = unpack_chunks([payload for _, payload in packed])
    whose = np.repeat(np.array([at[number] for number, _ in packed], np.int64), np.diff(edges))
    late = [(at[row.id], part) for row in rows for part in tail.of(row.id)]
    points = join([chunked, *(part for _, part in late)])
    if late:
        numbers = np.array([number for number, _ in late], np.int64)
        whose = np.append(whose, np.repeat(numbers, [len(part) for _, part in late]))
    axis = axes[some[0].owner]
    key, key2 = (points.iteration, points.time) if axis.by_iteration else (points.time, points.iteration)
    value = points.value
    order = stable_order(whose, key, key2)
    if order is not None:
        whose, key, key2, value = whose[order], key[order], key2[order], value[order]
    if axis.by_iteration:
        x = axis.x(key)
    else:
        x = (key - np.array([axes[one.owner].origin for one in some], np.int64)[whose]) / 1e6
    inside = (x >= grid.low) & (x <= grid.high)
    if not bool(inside.all()):
        whose, key, key2, value, x = whose[inside], key[inside], key2[inside], value[inside], x[inside]
    if not len(x):
        return [Tile(one, None, True) for one in some]
    raw = np.bincount(whose, minlength=len(some)) <= grid.buckets
    place = grid.place(x)
    begins = (place[1:] != place[:-1]) | (whose[1:] != whose[:-1]) | raw[whose[1:]]
    starts = np.append(0, np.flatnonzero(begins) + 1)
    shown = shapes.of_points(starts, place[starts], x, key, key2, value)
    ends = np.searchsorted(whose[starts], np.arange(len(some)), side="right").tolist()
    tiles = []
    for one, exact, start, end in zip(some, raw.tolist(), [0, *ends], ends, strict=False):
        tiles.append(Tile(one, shown.part(start, end) if end > start else None, exact))
    return tiles


def _axes(connection: Connection, owners: set[str], x: str) -> dict[str, Axis]:
    if x != "relative":
        return dict.fromkeys(owners, Axis(x))
    origins: dict[str, int] = {}
    for some in portions(sorted(owners)):
        query = sa.select(series.c.owner, sa.func.min(series.c.start_time)).where(series.c.owner.in_(some))
        origins.update(dict(connection.execute(query.group_by(series.c.owner)).all()))
    return {owner: Axis(x, origins.get(owner) or 0) for owner in owners}


def _union(present: Sequence[Wanted], axes: dict[str, Axis]) -> tuple[float, float]:
    lows, highs = [], []
    for one in present:
        row, axis = one.row, axes[one.owner]
        assert row is not None
        ends = (row.first_iter, row.last_iter) if axis.by_iteration else (row.start_time, row.end_time)
        low, high = axis.x(np.array(ends, np.int64)).tolist()
        lows.append(low)
        highs.append(high)
    return (min(lows), max(highs)) if lows else (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What of a series' chunks lies in the range: wholly in one bucket, wholly in the range, or across its
    edge. ``rising`` is the last iteration when x is the iteration and every chunk begins behind the one before:
    then the order of x is the order of the chunks, and times decide nothing."""

    axis: Axis
    number: int
    whole: list[Any]
    inside: list[Any]
    across: list[Any]
    rising: int | None


class _Reader:
    """Reads long series: as few of their chunks as the answer needs."""

    def __init__(self, connection: Connection, grid: Grid) -> None:
        self._connection = connection
        self._grid = grid

    def plan(self, axis: Axis, number: int, rows: Sequence[Any]) -> _Plan:
        rising = axis.by_iteration and all(one.last_iter < two.first_iter for one, two in pairwise(rows))
        plan = _Plan(axis, number, [], [], [], rows[-1].last_iter if rows and rising else None)
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

    def tile(self, wanted: Wanted, plan: _Plan, tail: list[Points]) -> Tile:
        near = self._cut(plan.axis, join([self._load(plan.number, plan.across), *tail]))
        count = sum(row.count for row in (*plan.whole, *plan.inside)) + len(near)
        if not count:
            return Tile(wanted, None, True)
        if count <= self._grid.buckets:
            points = join([self._load(plan.number, [*plan.whole, *plan.inside]), near])
            key, key2, value = plan.axis.keys(points)
            x, each = plan.axis.x(key), np.arange(count)
            return Tile(wanted, shapes.of_points(each, self._grid.place(x), x, key, key2, value), True)
        found: list[Buckets] = []
        if plan.whole:
            found.append(_of_headers(self._grid, plan.axis, plan.whole))
        rising = plan.rising is not None and all(int(p.iteration.min()) > plan.rising for p in tail)
        for start in range(0, len(plan.inside), _AT_ONCE):
            points = self._load(plan.number, plan.inside[start : start + _AT_ONCE], times=not rising)
            found.append(shapes.of_series(self._grid, plan.axis, points, ordered=rising))
        if len(near):
            found.append(shapes.of_series(self._grid, plan.axis, near))
        return Tile(wanted, shapes.merge(found), False)

    def _load(self, number: int, rows: Sequence[Any], *, times: bool = True) -> Points:
        return chunks(self._connection, number, [row.number for row in rows], times=times)

    def _cut(self, axis: Axis, points: Points) -> Points:
        x = axis.x(points.iteration if axis.by_iteration else points.time)
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
    return shapes.merge(
        [
            Buckets(grid.place(x_first), x_first, x_last, low, high, tail, order, order2, count, bad),
            _no_buckets(),
        ]
    )


def _no_buckets() -> Buckets:
    none, nothing = np.empty(0, np.int64), np.empty(0, np.float64)
    return Buckets(none, nothing, nothing, nothing, nothing, nothing, none, none, none, none)


def to_bytes(tiles: Tiles) -> bytes:
    """The answer as ``application/x-trialbook-tiles``."""
    offset = 0
    directory, blobs = [], []
    for tile in tiles.tiles:
        blob = b"" if tile.buckets is None else tile.buckets.to_bytes()
        length = 0 if tile.buckets is None else len(tile.buckets)
        directory.append({**_describe(tile), "offset": offset, "length": length, "raw": tile.raw})
        blobs.append(blob)
        offset += len(blob)
    text = msgspec.json.encode({**_frame(tiles), "series": directory})
    text += b" " * (-len(text) % 8)
    return b"".join((MAGIC, len(text).to_bytes(4, "little"), text, *blobs))


def to_json(tiles: Tiles) -> dict[str, object]:
    """The answer as JSON: the columns as lists, null for NaN."""
    listed = []
    for tile in tiles.tiles:
        columns: dict[str, list[Any]] = {name: [] for name in shapes.COLUMNS}
        if tile.buckets is not None:
            columns = {
                name: [finite(v) for v in getattr(tile.buckets, name).tolist()] for name in shapes.COLUMNS
            }
        listed.append(
            {**_describe(tile), "length": len(columns["count"]), "raw": tile.raw, "points": columns}
        )
    return {**_frame(tiles), "series": listed}


def _frame(tiles: Tiles) -> dict[str, object]:
    return {"x": tiles.x, "range": [tiles.grid.low, tiles.grid.high], "buckets": tiles.grid.buckets}


def _describe(tile: Tile) -> dict[str, object]:
    one, row = tile.wanted, tile.wanted.row
    return {
        "task": one.owner,
        "metric": one.metric,
        "variant": one.variant,
        "count": row.count if row is not None else 0,
        "nonfinite": row.nonfinite if row is not None else 0,
        "version": row.version if row is not None else 0,
        "last": finite(row.last_value) if row is not None else None,
        "last_iter": row.last_iter if row is not None else None,
    }
