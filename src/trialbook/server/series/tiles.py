"""The part of series that a chart shows: a range, cut into as many buckets as there are pixels to fill.

The reply's layout is in docs/design/series-store.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.server.core.numeric import np
from trialbook.server.series import buckets as shapes
from trialbook.server.series.buckets import Axis, Buckets, Grid
from trialbook.server.series.columns import join, stable_order
from trialbook.server.series.long import Reader
from trialbook.server.series.packing import unpack_chunks
from trialbook.server.series.read import Tail, payloads
from trialbook.server.series.statistics import finite
from trialbook.server.stores.series import portions, series

MAGIC = b"TBT1"
_MOST_BUCKETS = 200_000
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
    reader = Reader(connection, grid, [one.row.id for one in long if one.row is not None])
    for one in long:
        assert one.row is not None
        found[id(one)] = Tile(one, *reader.read(axes[one.owner], one.row, tail.of(one.row.id)))
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
    late = [(at[row.id], part) for row in rows for part in tail.of(row.id)]
    axis = axes[some[0].owner]
    contents = [payload for _, payload in packed]
    chunked, edges = unpack_chunks(contents, times=not axis.by_iteration or bool(late))
    whose = np.repeat(np.array([at[number] for number, _ in packed], np.int64), np.diff(edges))
    if axis.by_iteration and not late:
        rises = (chunked.iteration[1:] > chunked.iteration[:-1]) | (whose[1:] > whose[:-1])
        if not bool(rises.all()):
            # Of equal iterations the times decide.
            chunked, edges = unpack_chunks(contents)
    points = join([chunked, *(part for _, part in late)])
    if late:
        numbers = np.array([number for number, _ in late], np.int64)
        whose = np.append(whose, np.repeat(numbers, [len(part) for _, part in late]))
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
    if not present:
        return 0.0, 0.0
    rows = [one.row for one in present if one.row is not None]
    axis = axes[present[0].owner]
    if axis.by_iteration:
        ends = np.array([(row.first_iter, row.last_iter) for row in rows], np.int64)
        x = axis.x(ends)
    else:
        ends = np.array([(row.start_time, row.end_time) for row in rows], np.int64)
        x = (ends - np.array([axes[one.owner].origin for one in present], np.int64)[:, None]) / 1e6
    return float(x[:, 0].min()), float(x[:, 1].max())


def to_bytes(tiles: Tiles) -> bytes:
    """The answer as ``application/x-trialbook-tiles``."""
    offset = 0
    directory = []
    for tile in tiles.tiles:
        length = 0 if tile.buckets is None else len(tile.buckets)
        directory.append({**_describe(tile), "offset": offset, "length": length, "raw": tile.raw})
        offset += 48 * length
    text = msgspec.json.encode({**_frame(tiles), "series": directory})
    text += b" " * (-len(text) % 8)
    columns = shapes.to_bytes([tile.buckets for tile in tiles.tiles if tile.buckets is not None])
    return b"".join((MAGIC, len(text).to_bytes(4, "little"), text, columns))


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
