"""The pyramid above the chunks, on both databases: a chart drawn from it equals one drawn from the points."""

import math
from collections.abc import Iterator

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trialbook.base.ids import new_id
from trialbook.server.series import long, pyramid, tiles
from trialbook.server.series.columns import Points
from trialbook.server.series.compact import compact_owner
from trialbook.server.series.pyramid import Shape
from trialbook.server.series.store import Numbers, prepare, store
from trialbook.server.series.tiles import Wanted
from trialbook.server.stores.database import Database, metadata
from trialbook.server.stores.series import SINGLE_ITERATION, of_owners, series_level

SHAPE = Shape(chunk=16, block=2, row=16, step=2)
BUCKETS = 64


@pytest.fixture
def database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    # So small that a few thousand points make several levels.
    monkeypatch.setattr(pyramid, "SHAPE", SHAPE)
    monkeypatch.setattr(tiles, "SMALL", 8)
    opened = Database(database_url)
    metadata.create_all(opened.engine)
    yield opened
    opened.close()


def put(database: Database, numbers: Numbers, owner: str, points: Points) -> None:
    ready = prepare(owner, False, [("m", "v")], np.zeros(len(points), np.int64), points)
    with database.write() as connection:
        ids = store(connection, numbers, ready, 0.0)
    numbers.remember(owner, ready.names, ids)


def tile(database: Database, owner: str, x: str, span: tuple[float, float] | None) -> tiles.Tiles:
    with database.read() as connection:
        row = of_owners(connection, [owner])[0]
        return tiles.read(connection, [Wanted(owner, "m", "v", row)], x, span, BUCKETS)


def xs(points: Points, x: str) -> np.ndarray:
    if x == "iter":
        return points.iteration.astype(np.float64)
    return (points.time - (int(points.time.min()) if x == "relative" else 0)) / 1e6


@st.composite
def runs(draw: st.DrawFn) -> Points:
    """A run: iterations and times rise, with jumps, restarts and clocks that go back; spikes and holes in values."""
    many = draw(st.integers(1200, 4000))
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    step = random.choice([1, 1, 1, draw(st.sampled_from([1, 2, 50]))], many)
    iteration = np.cumsum(step)
    if draw(st.booleans()):
        iteration[many // 2 :] -= draw(st.integers(0, 300))
    time = np.cumsum(random.integers(0, draw(st.sampled_from([2, 1000, 10**7])), many)) + 10**15
    if draw(st.booleans()):
        time[many // 3 : many // 3 + 50] -= draw(st.integers(0, 10**8))
    value = random.normal(size=many)
    for place in random.integers(0, many, draw(st.integers(0, 60))):
        value[place] = random.choice([math.nan, math.inf, -math.inf, 1e300, -1e300])
    if draw(st.booleans()):
        # Longer than a block of every level but the highest.
        value[100:200] = math.nan
    iteration[iteration == SINGLE_ITERATION] = 0
    return Points(iteration.astype(np.int64), time.astype(np.int64), value)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
@given(runs(), st.sampled_from(["iter", "time", "relative"]), st.data())
def test_every_point_counts_once_and_near_its_place(
    database: Database, points: Points, x: str, data: st.DataObject
) -> None:
    owner, numbers = new_id(), Numbers()
    cuts = sorted(data.draw(st.lists(st.integers(1, len(points) - 1), max_size=4), label="requests"))
    for start, end in zip([0, *cuts], [*cuts, len(points)], strict=True):
        if end > start:
            put(database, numbers, owner, points.take(slice(start, end)))
            if data.draw(st.booleans(), label="compact"):
                compact_owner(database, owner)
    place = xs(points, x)
    span = None
    if data.draw(st.booleans(), label="zoom"):
        edges = sorted(place[data.draw(st.integers(0, len(points) - 1))] for _ in range(2))
        span = (float(edges[0]), float(edges[1]))
    found = tile(database, owner, x, span)
    shown, low, high = found.tiles[0].buckets, found.grid.low, found.grid.high
    assert shown is not None
    inside = np.flatnonzero((place >= low) & (place <= high))
    value = points.value[inside]
    finite = np.isfinite(value)
    assert shown.count.sum() == len(inside)
    assert shown.nonfinite.sum() == (~finite).sum()
    if not finite.any():
        assert np.isnan(shown.max).all()
        return
    # No spike is hidden, none is invented.
    assert np.nanmax(shown.max) == value[finite].max()
    assert np.nanmin(shown.min) == value[finite].min()
    if found.tiles[0].raw:
        return
    assert (np.diff(shown.place) > 0).all()
    width = (high - low) / BUCKETS
    at = (place[inside] - low) / width if width > 0 else np.zeros(len(inside))
    for number in range(len(shown)):
        bucket = int(shown.place[number])
        # Whatever lies an eighth of a bucket inside it is in it; whatever lies as far outside is not. At the last
        # border there is nothing to go over to.
        edge = BUCKETS + 1 if bucket == BUCKETS - 1 else bucket + 1
        core = (at > bucket + 0.126) & (at < edge - 0.126)
        near = (at > bucket - 0.126) & (at < edge + 0.126)
        assert core.sum() <= shown.count[number] <= near.sum()
        some, wide = value[core & finite], value[near & finite]
        if len(some):
            assert wide.max() >= shown.max[number] >= some.max()
            assert wide.min() <= shown.min[number] <= some.min()
            assert shown.last[number] in wide


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.integers(1000, 4000), st.integers(0, 2**32 - 1), st.data())
def test_a_run_in_order_is_drawn_as_by_hand(
    database: Database, many: int, seed: int, data: st.DataObject
) -> None:
    """The buckets cut the points in order; each is exactly what a plain computation over its points says."""
    random = np.random.default_rng(seed)
    value = random.normal(size=many)
    value[random.integers(0, many, many // 10)] = math.nan
    points = Points(
        np.arange(many, dtype=np.int64),
        np.arange(many, dtype=np.int64) * 1000 + random.integers(0, 900, many),
        value,
    )
    owner, numbers = new_id(), Numbers()
    put(database, numbers, owner, points)
    compact_owner(database, owner)
    x = data.draw(st.sampled_from(["iter", "time"]))
    found = tile(database, owner, x, None)
    shown = found.tiles[0].buckets
    assert shown is not None and not found.tiles[0].raw
    place = xs(points, x)
    start = 0
    for number, count in enumerate(shown.count.tolist()):
        part, where = value[start : start + count], place[start : start + count]
        finite = part[np.isfinite(part)]
        assert (shown.x_first[number], shown.x_last[number]) == (where[0], where[-1])
        assert shown.nonfinite[number] == count - len(finite)
        if len(finite):
            assert shown.min[number] == finite.min()
            assert shown.max[number] == finite.max()
            assert shown.last[number] == finite[-1]
        else:
            assert np.isnan(shown.last[number])
        start += count
    assert start == many


def test_the_pyramid_is_used_and_grows_level_by_level(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, numbers = new_id(), Numbers()
    many = SHAPE.held(8) + 100
    line = np.arange(many, dtype=np.int64)
    for start in range(0, many, 150):
        put(database, numbers, owner, Points(line, line * 1000, np.sin(line)).take(slice(start, start + 150)))
        if start % 300 == 0:
            compact_owner(database, owner)
    while compact_owner(database, owner)[2]:
        pass
    with database.read() as connection:
        number = of_owners(connection, [owner])[0].id
        heights = pyramid.heights(connection, [number])[number]
        assert heights == {level: many // SHAPE.held(level) for level in range(1, 9)}
        extents = connection.execute(
            sa.select(series_level.c.first_iter, series_level.c.last_iter)
            .where(series_level.c.level == 8)
            .order_by(series_level.c.number)
        ).all()
        assert [tuple(row) for row in extents] == [(0, SHAPE.held(8) - 1)]
    unpacked: list[int] = []
    real = long.chunks

    def counted(connection: sa.Connection, number: int, which: list[int], *, times: bool = True) -> Points:
        unpacked.extend(which)
        return real(connection, number, which, times=times)

    monkeypatch.setattr(long, "chunks", counted)
    assert tile(database, owner, "iter", None).tiles[0].buckets is not None
    assert len(unpacked) <= SHAPE.held(1) // SHAPE.chunk
    unpacked.clear()
    # A zoom to a few points finds its chunks through the extents.
    shown = tile(database, owner, "iter", (500.0, 520.0)).tiles[0]
    assert shown.raw and shown.buckets is not None
    assert shown.buckets.x_first.tolist() == [float(n) for n in range(500, 521)]
    assert len(set(unpacked)) <= 2 * SHAPE.held(1) // SHAPE.chunk + 1


def test_what_is_missing_is_made_up_for(database: Database) -> None:
    """A folder of before the pyramid gets it with the next compactions."""
    owner, numbers = new_id(), Numbers()
    line = np.arange(3 * SHAPE.held(1), dtype=np.int64)
    put(database, numbers, owner, Points(line, line, line.astype(np.float64)))
    compact_owner(database, owner)
    with database.write() as connection:
        connection.execute(sa.delete(series_level))
    more = np.arange(len(line), len(line) + SHAPE.chunk, dtype=np.int64)
    put(database, numbers, owner, Points(more, more, more.astype(np.float64)))
    compact_owner(database, owner)
    with database.read() as connection:
        number = of_owners(connection, [owner])[0].id
        assert pyramid.heights(connection, [number])[number] == {1: 3, 2: 1}
    found = tile(database, owner, "iter", None).tiles[0].buckets
    assert found is not None
    assert found.count.sum() == len(line) + SHAPE.chunk
    assert found.max.tolist() == found.x_last.tolist()


def test_extreme_iterations(database: Database) -> None:
    owner, numbers = new_id(), Numbers()
    many = SHAPE.held(1) * 2
    iteration = np.linspace(-(2.0**63), 2.0**63 - 2048, many).astype(np.int64)
    put(database, numbers, owner, Points(iteration, iteration, np.arange(many, dtype=np.float64)))
    compact_owner(database, owner)
    found = tile(database, owner, "iter", None).tiles[0].buckets
    assert found is not None
    assert found.count.sum() == many
    assert (np.diff(found.max) > 0).all()
