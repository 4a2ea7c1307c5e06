"""The series store on both databases: whatever arrives, however it is cut and compacted, reads and
statistics are exact."""

import math
from collections.abc import Iterator
from typing import Any
from unittest import mock

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trialbook.base.ids import new_id
from trialbook.server.series import compact as compaction
from trialbook.server.series import long, pyramid, tiles
from trialbook.server.series import store as store_module
from trialbook.server.series.columns import Points
from trialbook.server.series.compact import Budget, compact, compact_owner
from trialbook.server.series.erase import erase_owner
from trialbook.server.series.hand_over import hand_over
from trialbook.server.series.pyramid import Shape
from trialbook.server.series.read import Spec, load, load_many
from trialbook.server.series.statistics import last_metrics
from trialbook.server.series.store import Numbers, prepare, store
from trialbook.server.series.tiles import Wanted
from trialbook.server.stores.database import Database, metadata
from trialbook.server.stores.series import (
    SINGLE_ITERATION,
    name_hash,
    of_owners,
    series,
    series_batch,
    series_chunk,
    series_level,
)

NOW = Budget(seconds=60, age=0)
Row = tuple[int, int, float]

SETTINGS = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)


@pytest.fixture
def database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    # Small chunks, so that a few points make many of them.
    monkeypatch.setattr(pyramid, "SHAPE", Shape(chunk=8, block=2, row=8, step=2))
    monkeypatch.setattr(tiles, "SMALL", 8)
    opened = Database(database_url)
    metadata.create_all(opened.engine)
    yield opened
    opened.close()


def put(
    database: Database, numbers: Numbers, owner: str, rows: list[tuple[int, Row]], now: float = 0.0
) -> None:
    """Store rows of (series, (iteration, time, value))."""
    names = [("m", f"v{number}") for number in range(max(number for number, _ in rows) + 1)]
    index = np.array([number for number, _ in rows], np.int64)
    iteration, time, value = zip(*(row for _, row in rows), strict=True)
    points = Points(np.array(iteration, np.int64), np.array(time, np.int64), np.array(value, np.float64))
    ready = prepare(owner, False, names, index, points)
    with database.write() as connection:
        ids = store(connection, numbers, ready, now)
    numbers.remember(owner, ready.names, ids)


ITERATION = st.one_of(
    st.integers(-5, 30),
    st.sampled_from([-(2**63), 2**63 - 1, -(2**31) + 1, 2**53 + 1]),
    st.integers(-(2**62), 2**62),
).filter(lambda number: number != SINGLE_ITERATION)
TIME = st.one_of(st.integers(0, 3), st.integers(-(2**52), 2**52))
VALUE = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, math.nan, math.inf, -math.inf, 1.7e308, 5e-324]), st.floats(-1e6, 1e6)
)
POINT = st.tuples(st.integers(0, 2), st.tuples(ITERATION, TIME, VALUE))
BATCHES = st.lists(st.lists(POINT, min_size=1, max_size=25), min_size=1, max_size=8)


def check_statistics(row: sa.Row[tuple[object, ...]], want: list[Row]) -> None:
    """Against the plainest computation there is."""
    found = row._mapping
    finite = [point for point in want if math.isfinite(point[2])]
    assert found["count"] == len(want)
    assert found["nonfinite"] == len(want) - len(finite)
    # `max` and `min` return the first of equal ones, so the list is turned round for the latest.
    last = max(reversed(want), key=lambda point: point[:2])
    first = min(want, key=lambda point: point[:2])
    for name, point in (("first", first), ("last", last)):
        assert found[f"{name}_iter"] == point[0]
        assert found[f"{name}_time"] == point[1]
        assert stored(found[f"{name}_value"]) == text(point[2])
    assert found["start_time"] == min(point[1] for point in want)
    assert found["end_time"] == max(point[1] for point in want)
    if not finite:
        assert found["min_value"] is found["max_value"] is found["min_iter"] is found["max_iter"] is None
        return
    least, most = min(point[2] for point in finite), max(point[2] for point in finite)
    assert found["min_value"] == least
    assert found["max_value"] == most
    assert found["min_iter"] == min(point[0] for point in finite if point[2] == least)
    assert found["max_iter"] == min(point[0] for point in finite if point[2] == most)
    if max(abs(point[2]) for point in finite) < 1e100:
        assert math.isclose(
            found["total"], math.fsum(point[2] for point in finite), rel_tol=1e-9, abs_tol=1e-6
        )


def text(value: float) -> str:
    # The sign of zero is not kept in a statistic of SQLite's making, and NaN equals nothing.
    return "nan" if value != value else repr(value + 0.0)


def stored(value: float | None) -> str:
    return "nan" if value is None else text(value)


@SETTINGS
@given(BATCHES, st.sampled_from([1, 2, 1_000]), st.data())
def test_any_points_in_any_batches(
    database: Database, batches: list[list[tuple[int, Row]]], most: int, data: st.DataObject
) -> None:
    owner, numbers = new_id(), Numbers()
    want: dict[int, list[Row]] = {0: [], 1: [], 2: []}
    for batch in batches:
        put(database, numbers, owner, batch)
        for number, row in batch:
            want[number].append(row)
        if data.draw(st.booleans(), label="compact"):
            with mock.patch.object(compaction, "_MOST_SERIES", most):
                compact_owner(database, owner)
    with database.read() as connection:
        rows = {row.variant: row for row in of_owners(connection, [owner])}
        assert set(rows) == {f"v{number}" for number in want if want[number]}
        many = load_many(connection, [Spec(row.id, owner) for row in rows.values()])
        for variant, row in rows.items():
            expected = sorted(want[int(variant[1:])], key=lambda point: point[:2])
            points = load(connection, Spec(row.id, owner))
            assert points.iteration.tolist() == [point[0] for point in expected]
            assert points.time.tolist() == [point[1] for point in expected]
            assert points.value.tobytes() == np.array([point[2] for point in expected], np.float64).tobytes()
            assert many[row.id].value.tobytes() == points.value.tobytes()
            check_statistics(row, want[int(variant[1:])])


def test_S7_no_transaction_of_the_compaction_writes_rows_for_very_many_series(database: Database) -> None:
    owner, numbers = new_id(), Numbers()
    for step in range(3):
        for first in range(0, 2_000, 400):
            rows = [(first + place, (step, step, float(first + place))) for place in range(400)]
            put(database, numbers, owner, rows)
    written = []
    for _ in range(30):
        with database.read() as connection:
            before = connection.execute(sa.select(sa.func.sum(series_chunk.c.count))).scalar() or 0
        moved, batches, left = compact_owner(database, owner)
        with database.read() as connection:
            after = connection.execute(sa.select(sa.func.sum(series_chunk.c.count))).scalar()
        assert after - before == moved
        written.append((moved, batches))
        if not left:
            break
    # Two groups of 400 series at a time, each with its points of all three steps at once.
    assert written == [(2_400, 6), (2_400, 6), (1_200, 3)]
    with database.read() as connection:
        found = load_many(connection, [Spec(row.id, owner) for row in of_owners(connection, [owner])])
    assert len(found) == 2_000
    assert all(points.iteration.tolist() == [0, 1, 2] for points in found.values())


RANGE = st.one_of(
    st.none(), st.tuples(st.integers(-10, 40), st.integers(-10, 40)).map(lambda two: tuple(sorted(two)))
)


# A run as it really is: iterations rise, and so do times but for a jitter, so that whole chunks lie in one
# bucket.
RUN = st.lists(st.tuples(st.integers(0, 5), VALUE), min_size=65, max_size=300).map(
    lambda some: [(n, n // 8 * 30 + jitter, value) for n, (jitter, value) in enumerate(some)]
)
CHART = st.one_of(
    RUN, st.lists(st.tuples(st.integers(-20, 400), st.integers(0, 400), VALUE), min_size=1, max_size=300)
)


@SETTINGS
@given(
    CHART,
    st.sampled_from(["iter", "time", "relative"]),
    RANGE,
    st.data(),
)
def test_tiles_hide_nothing(
    database: Database,
    rows: list[Row],
    x: str,
    span: tuple[int, int] | None,
    data: st.DataObject,
) -> None:
    owner, numbers = new_id(), Numbers()
    rows = [(iteration, time * 1_000_000, value) for iteration, time, value in rows]
    cut = data.draw(st.integers(0, len(rows)), label="cut")
    parts = [rows[:cut], rows[cut:]]
    if data.draw(st.booleans(), label="late"):
        parts.reverse()
    for part in parts:
        if part:
            put(database, numbers, owner, [(0, row) for row in part])
            if data.draw(st.booleans(), label="compact"):
                compact_owner(database, owner)
    rows = parts[0] + parts[1]
    with database.read() as connection:
        found = tiles.read(connection, [wanted(connection, owner)], x, span, 64)
    shown = found.tiles[0].buckets
    origin = min(row[1] for row in rows)

    def place(row: Row) -> float:
        return {"iter": row[0], "time": row[1] / 1e6, "relative": (row[1] - origin) / 1e6}[x]

    inside = [row for row in rows if span is None or span[0] <= place(row) <= span[1]]
    if shown is None:
        assert not inside
        return
    order = (lambda row: (row[0], row[1])) if x == "iter" else (lambda row: (row[1], row[0]))
    if len(inside) <= 64:
        assert found.tiles[0].raw
        ordered = sorted(inside, key=order)
        assert shown.x_first.tolist() == [place(row) for row in ordered]
        assert [text(v) for v in shown.last.tolist()] == [
            text(v if math.isfinite(v) else math.nan) for *_, v in ordered
        ]
        return
    assert not found.tiles[0].raw
    low, high = found.grid.low, found.grid.high
    buckets: dict[int, list[Row]] = {}
    for row in inside:
        at = min(63, int((place(row) - low) / (high - low) * 64)) if high > low else 0
        buckets.setdefault(at, []).append(row)
    assert shown.place.tolist() == sorted(buckets)
    for at, number in enumerate(sorted(buckets)):
        held = buckets[number]
        finite = [row for row in held if math.isfinite(row[2])]
        assert shown.count[at] == len(held)
        assert shown.nonfinite[at] == len(held) - len(finite)
        assert shown.x_first[at] == min(place(row) for row in held)
        assert shown.x_last[at] == max(place(row) for row in held)
        if not finite:
            assert math.isnan(shown.min[at]) and math.isnan(shown.max[at]) and math.isnan(shown.last[at])
            continue
        assert shown.min[at] == min(row[2] for row in finite)
        assert shown.max[at] == max(row[2] for row in finite)
        newest = max(order(row) for row in finite)
        assert shown.last[at] in {row[2] for row in finite if order(row) == newest}


def test_late_points_do_not_become_the_last_ones(database: Database) -> None:
    """Points that arrive late are earlier in their bucket than the compacted ones, whatever part they come
    from."""
    owner, numbers = new_id(), Numbers()
    rows = [(n, n * 1_000_000, float(n)) for n in range(640)]
    put(database, numbers, owner, [(0, row) for row in rows[325:]])
    compact_owner(database, owner)
    put(database, numbers, owner, [(0, row) for row in rows[:325]])
    with database.read() as connection:
        for x in ("iter", "time", "relative"):
            shown = tiles.read(connection, [wanted(connection, owner)], x, (0.0, 640.0), 64).tiles[0].buckets
            assert shown is not None
            assert shown.last.tolist() == [float(n + 9) for n in range(0, 640, 10)]


def test_a_chunk_whose_times_fall_is_read_for_a_time_axis(database: Database) -> None:
    owner, numbers = new_id(), Numbers()
    # In each chunk of 8 the last iteration is not the last moment.
    rows = [(n, (n // 8 * 100 + 7 - n % 8) * 1_000_000, float(n)) for n in range(512)]
    put(database, numbers, owner, [(0, row) for row in rows])
    compact_owner(database, owner)
    with database.read() as connection:
        shown = (
            tiles.read(connection, [wanted(connection, owner)], "time", (0.0, 6400.0), 64).tiles[0].buckets
        )
    assert shown is not None
    assert shown.last.tolist() == [float(n) for n in range(0, 512, 8)]


def wanted(connection: sa.Connection, owner: str) -> Wanted:
    row = of_owners(connection, [owner])[0]
    return Wanted(owner, row.metric, row.variant, row)


def test_wide_buckets_need_no_points(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chart of very many points unpacks none but the last few chunks, which no level covers yet."""
    owner, numbers = new_id(), Numbers()
    values = np.random.default_rng(3).normal(size=20_000)
    put(database, numbers, owner, [(0, (n, n, float(value))) for n, value in enumerate(values)])
    compact(database, NOW)
    unpacked: list[int] = []
    real = long.chunks

    def counted(connection: sa.Connection, number: int, which: list[int], *, times: bool = True) -> Points:
        unpacked.extend(which)
        return real(connection, number, which, times=times)

    monkeypatch.setattr(long, "chunks", counted)
    with database.read() as connection:
        found = tiles.read(connection, [wanted(connection, owner)], "iter", None, 64).tiles[0].buckets
    assert found is not None
    assert found.count.sum() == 20_000
    assert found.max.max() == values.max()
    assert len(unpacked) <= 2 < 20_000 / 8


def test_single_values_keep_the_newest(database: Database) -> None:
    owner, numbers = new_id(), Numbers()
    put(database, numbers, owner, [(0, (SINGLE_ITERATION, 5, 1.0)), (0, (SINGLE_ITERATION, 9, 2.0))])
    put(database, numbers, owner, [(0, (SINGLE_ITERATION, 7, 3.0)), (1, (4, 4, 4.0))])
    with database.read() as connection:
        single, plain = of_owners(connection, [owner])
        assert (single.count, single.single_value, single.single_time) == (0, 2.0, 9)
        assert plain.single_time is None
        assert load(connection, Spec(single.id, owner)).value.tolist() == []
        shown = last_metrics(connection, [owner])[owner][name_hash("m")]
        assert shown[name_hash("v0")]["value"] == shown[name_hash("v0")]["max_value"] == 2.0
        assert shown[name_hash("v1")]["value"] == 4.0
    # The same name may hold points as well; the single value then steps back but stays.
    put(database, numbers, owner, [(0, (3, 1, 8.0))])
    with database.read() as connection:
        row = of_owners(connection, [owner])[0]
        assert (row.count, row.last_value, row.min_iter, row.single_value) == (1, 8.0, 3, 2.0)


def test_a_rolled_back_batch_leaves_nothing(database: Database) -> None:
    owner, numbers = new_id(), Numbers()
    index, points = np.zeros(1, np.int64), Points(np.ones(1, np.int64), np.ones(1, np.int64), np.ones(1))
    ready = prepare(owner, False, [("m", "v0")], index, points)
    with pytest.raises(ZeroDivisionError), database.write() as connection:
        store(connection, numbers, ready, 0.0)
        raise ZeroDivisionError
    with database.read() as connection:
        assert of_owners(connection, [owner]) == []
    put(database, numbers, owner, [(0, (1, 1, 1.0))])
    with database.read() as connection:
        assert [row.count for row in of_owners(connection, [owner])] == [1]


def test_numbers_that_another_process_erased_are_made_anew(database: Database) -> None:
    owner, numbers = new_id(), Numbers()
    put(database, numbers, owner, [(0, (1, 1, 1.0)), (1, (1, 1, 1.0))])
    with database.write() as connection:
        erase_owner(connection, owner)
    # `numbers` still has the old ones.
    put(database, numbers, owner, [(0, (2, 2, 7.0)), (1, (2, 2, 8.0))])
    with database.read() as connection:
        rows = of_owners(connection, [owner])
        assert [(row.count, row.last_value) for row in rows] == [(1, 7.0), (1, 8.0)]
        assert load(connection, Spec(rows[0].id, owner)).value.tolist() == [7.0]


def test_S7_series_that_another_process_makes_meanwhile(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the making: the series is there once, and has the points of both."""
    if database.dialect == "sqlite":
        pytest.skip("there is one writer")
    owner, real = new_id(), store_module.create

    def late(*arguments: Any) -> dict[tuple[str, str], int]:
        monkeypatch.setattr(store_module, "create", real)
        put(database, Numbers(), owner, [(1, (5, 50, 1.5)), (2, (7, 70, 2.5))])
        return real(*arguments)

    monkeypatch.setattr(store_module, "create", late)
    put(
        database,
        Numbers(),
        owner,
        [(0, (1, 10, 0.5)), (1, (6, 60, 3.5)), (2, (2, 20, 4.5)), (3, (1, 1, 1.0))],
    )
    with database.read() as connection:
        rows = {row.variant: row for row in of_owners(connection, [owner])}
        assert len(rows) == 4
        check_statistics(rows["v0"], [(1, 10, 0.5)])
        check_statistics(rows["v1"], [(5, 50, 1.5), (6, 60, 3.5)])
        check_statistics(rows["v2"], [(2, 20, 4.5), (7, 70, 2.5)])
        check_statistics(rows["v3"], [(1, 1, 1.0)])
        found = load(connection, Spec(rows["v1"].id, owner))
        assert found.value.tolist() == [1.5, 3.5]


def test_T43_what_was_handed_over_gets_no_points_of_its_old_owner(database: Database) -> None:
    owner, other, numbers = new_id(), new_id(), Numbers()
    for value in range(20):
        put(database, numbers, owner, [(0, (value, value, float(value)))])
    compact_owner(database, owner)
    put(database, numbers, owner, [(0, (20, 20, 20.0))])
    with database.write() as connection:
        assert hand_over(connection, owner, other)
        assert not hand_over(connection, owner, new_id())
    # `numbers` still has the number that is the other's now.
    put(database, numbers, owner, [(0, (1, 1, 7.0))])
    compact_owner(database, other)
    compact_owner(database, owner)
    with database.read() as connection:
        for who, values in ((owner, [7.0]), (other, [float(value) for value in range(21)])):
            row = of_owners(connection, [who])[0]
            assert (row.count, row.last_value) == (len(values), values[-1])
            assert load(connection, Spec(row.id, who)).value.tolist() == values


def test_T43_compaction_meets_a_handing_over(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, other, numbers = new_id(), new_id(), Numbers()
    put(database, numbers, owner, [(0, (n, n, float(n))) for n in range(30)])
    real = compaction._rows

    def race(connection: sa.Connection, number: int, points: Points) -> list[dict[str, object]]:
        with database.write() as between:
            hand_over(between, owner, other)
        return real(connection, number, points)

    monkeypatch.setattr(compaction, "_rows", race)
    assert compact_owner(database, owner)[0] == 30
    check_thirty(database, other)


def test_erasing_leaves_the_neighbours(database: Database) -> None:
    numbers, owners = Numbers(), [new_id(), new_id()]
    for owner in owners:
        put(database, numbers, owner, [(0, (n, n, float(n))) for n in range(20)])
        compact_owner(database, owner)
        put(database, numbers, owner, [(0, (n, n, float(n))) for n in range(20, 25)])
    with database.write() as connection:
        erase_owner(connection, owners[0])
    with database.read() as connection:
        assert of_owners(connection, owners[:1]) == []
        row = of_owners(connection, owners[1:])[0]
        assert len(load(connection, Spec(row.id, owners[1]))) == 25
        left = connection.execute(sa.select(series_chunk.c.series_id).distinct()).scalars().all()
        assert left == [row.id]
        levels = connection.execute(sa.select(series_level.c.series_id).distinct()).scalars().all()
        assert levels == [row.id]
        assert connection.execute(sa.select(series_batch.c.owner).distinct()).scalars().all() == owners[1:]


def test_two_compactions_at_once_lose_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, numbers = new_id(), Numbers()
    put(database, numbers, owner, [(0, (n, n, float(n))) for n in range(30)])
    real = compaction._rows
    inner = []

    def race(connection: sa.Connection, number: int, points: Points) -> list[dict[str, object]]:
        # While the first compaction computes, a second one does all the work.
        if not inner:
            inner.append(None)
            inner[0] = compact_owner(database, owner)
        return real(connection, number, points)

    monkeypatch.setattr(compaction, "_rows", race)
    outer = compact_owner(database, owner)
    assert (outer[0], inner[0][0]) == (0, 30)
    check_thirty(database, owner)


def test_compaction_meets_a_reset(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, numbers = new_id(), Numbers()
    put(database, numbers, owner, [(0, (n, n, float(n))) for n in range(30)])
    real = compaction._rows

    def race(connection: sa.Connection, number: int, points: Points) -> list[dict[str, object]]:
        with database.write() as other:
            erase_owner(other, owner)
        return real(connection, number, points)

    monkeypatch.setattr(compaction, "_rows", race)
    assert compact_owner(database, owner)[0] == 0
    with database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(series_chunk)).scalar() == 0
        assert connection.execute(sa.select(sa.func.count()).select_from(series)).scalar() == 0


def test_a_failed_compaction_changes_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, numbers = new_id(), Numbers()
    put(database, numbers, owner, [(0, (n, n, float(n))) for n in range(30)])

    def broken(connection: sa.Connection, rows: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):
        patch.setattr(compaction, "_write", broken)
        compact_owner(database, owner)
    check_thirty(database, owner)
    assert compact(database, NOW).points == 30
    check_thirty(database, owner)


def check_thirty(database: Database, owner: str) -> None:
    with database.read() as connection:
        row = of_owners(connection, [owner])[0]
        points = load(connection, Spec(row.id, owner))
        assert points.value.tolist() == [float(n) for n in range(30)]


def test_a_reader_is_not_disturbed(database: Database) -> None:
    """A compaction between two statements of one reader is not seen by it."""
    owner, numbers = new_id(), Numbers()
    put(database, numbers, owner, [(0, (n, n, float(n))) for n in range(30)])
    with database.read() as connection:
        row = of_owners(connection, [owner])[0]
        assert compact(database, NOW).points == 30
        put(database, numbers, owner, [(0, (99, 99, 99.0))])
        assert len(load(connection, Spec(row.id, owner))) == 30
    with database.read() as connection:
        assert len(load(connection, Spec(row.id, owner))) == 31


def test_who_is_due(database: Database) -> None:
    numbers, young, old, big = Numbers(), new_id(), new_id(), new_id()
    put(database, numbers, young, [(0, (1, 1, 1.0))], now=1000.0)
    put(database, numbers, old, [(0, (1, 1, 1.0))], now=900.0)
    put(database, numbers, big, [(0, (n, 1, 1.0)) for n in range(40)], now=1000.0)
    assert compact(database, Budget(points=40, age=60.0), now=1001.0).points == 41
    with database.read() as connection:
        assert connection.execute(sa.select(series_batch.c.owner)).scalars().all() == [young]


def test_names_of_any_kind(database: Database) -> None:
    """Names are data: slashes, dots, NUL, emoji, a thousand characters."""
    owner, numbers = new_id(), Numbers()
    names = [("a/b.c$d", "é" * 1000), ("x\ufffdy", "日本"), ("", ""), ("😀" * 1000, "' OR 1=1 --")]
    index = np.arange(len(names))
    points = Points(index.astype(np.int64), index.astype(np.int64), index.astype(np.float64))
    ready = prepare(owner, False, names, index.astype(np.int64), points)
    with database.write() as connection:
        store(connection, numbers, ready, 0.0)
    with database.read() as connection:
        assert sorted((row.metric, row.variant) for row in of_owners(connection, [owner])) == sorted(names)
        assert len(of_owners(connection, [owner], ["😀" * 1000])) == 1
