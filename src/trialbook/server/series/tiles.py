"""The part of series that a chart shows: a range, cut into as many buckets as there are pixels to fill.

The reply's layout is in docs/design/series-store.md.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.server.series import buckets as shapes
from trialbook.server.series.buckets import Axis, Buckets, Grid
from trialbook.server.series.columns import Points, join
from trialbook.server.series.numeric import np
from trialbook.server.series.read import Tail, chunks, headers
from trialbook.server.series.statistics import finite
from trialbook.server.stores.series import portions, series

MAGIC = b"TBT1"
_MOST_BUCKETS = 200_000
_AT_ONCE = 256
SMALL = 4 * 4096
"""A series of no more points in chunks is read as a whole."""


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
    # Chunks before the tail would lose points to a compaction between the two; one snapshot makes the order
    # free.
    listed = headers(connection, [one.row.id for one in present if one.row is not None])
    tail = Tail(connection, {one.owner for one in present})
    reader = _Reader(connection, grid, {})
    plans = {
        id(one): reader.plan(axes[one.owner], listed.get(one.row.id, []), one.row.id)
        for one in present
        if one.row
    }
    reader.fetch()
    tiles = []
    for one in wanted:
        plan = plans.get(id(one))
        if plan is None or one.row is None:
            tiles.append(Tile(one, None, True))
        else:
            tiles.append(reader.tile(one, plan, tail.of(one.row.id)))
    return Tiles(x, grid, tiles)


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


@dataclass(slots=True)
class _Plan:
    """What of a series' chunks lies in the range: wholly in one bucket, wholly in the range, or across its
    edge."""

    axis: Axis
    number: int
    whole: list[Any]
    inside: list[Any]
    across: list[Any]


class _Reader:
    """Reads chunks of many series with few statements: first those that every answer needs, then the rest."""

    def __init__(self, connection: Connection, grid: Grid, cache: dict[int, list[Points]]) -> None:
        self._connection = connection
        self._grid = grid
        self._needed: dict[int, list[int]] = {}
        self._cache = cache

    def plan(self, axis: Axis, rows: Sequence[Any], number: int) -> _Plan:
        plan = _Plan(axis, number, [], [], [])
        grid = self._grid
        for row in rows:
            ends = (row.first_iter, row.last_iter) if axis.by_iteration else (row.first_time, row.last_time)
            x = axis.x(np.array(ends, np.int64))
            if x[1] < grid.low or x[0] > grid.high:
                continue
            if x[0] < grid.low or x[1] > grid.high:
                plan.across.append(row)
                continue
            place = grid.place(x)
            one = place[0] == place[1] and (axis.by_iteration or row.monotone)
            (plan.whole if one else plan.inside).append(row)
        small = sum(row.count for row in rows) <= SMALL
        needed = rows if small else plan.across
        if needed:
            self._needed[number] = [row.number for row in needed]
        if small:
            # A short series is read as a whole: no second statement for its inner chunks.
            plan.across, plan.whole, plan.inside = list(rows), [], []
        return plan

    def fetch(self) -> None:
        for number, points in chunks(self._connection, self._needed):
            self._cache.setdefault(number, []).append(points)

    def tile(self, wanted: Wanted, plan: _Plan, tail: list[Points]) -> Tile:
        parts = [*self._cache.pop(plan.number, []), *tail]
        near = self._cut(plan.axis, join(parts)) if parts else None
        count = sum(row.count for row in (*plan.whole, *plan.inside)) + (len(near) if near is not None else 0)
        if count <= self._grid.buckets:
            if plan.whole or plan.inside:
                rest = self._load(plan.number, [*plan.whole, *plan.inside])
                near = join([*rest, near] if near is not None else rest)
            if near is None or not len(near):
                return Tile(wanted, None, True)
            key, _, value = plan.axis.keys(near)
            return Tile(wanted, shapes.of_each(plan.axis.x(key), value), True)
        found: list[Buckets] = []
        if plan.whole:
            found.append(_of_headers(self._grid, plan.axis, plan.whole))
        found.extend(
            self._shape(plan.axis, join(self._load(plan.number, plan.inside[start : start + _AT_ONCE])))
            for start in range(0, len(plan.inside), _AT_ONCE)
        )
        if near is not None and len(near):
            found.append(self._shape(plan.axis, near))
        return Tile(wanted, shapes.merge(found), False)

    def _load(self, number: int, rows: Sequence[Any]) -> list[Points]:
        return [points for _, points in chunks(self._connection, {number: [row.number for row in rows]})]

    def _shape(self, axis: Axis, points: Points) -> Buckets:
        key, key2, value = axis.keys(points)
        return shapes.of_points(self._grid, axis.x(key), key, key2, value)

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
    text = json.dumps({**_frame(tiles), "series": directory}, separators=(",", ":"), allow_nan=False).encode()
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
