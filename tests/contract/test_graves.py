"""Results that are erased: gone for every reader at once, deleted in many short transactions, on both databases."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from tests.support import frames
from tests.support.console import blocks
from tests.support.server import RunningServer
from tests.support.waiting import until

from trialbook.base.ids import new_id
from trialbook.server.core.patterns import program
from trialbook.server.series import erase as erasing
from trialbook.server.series import hand_over as giving
from trialbook.server.series import pyramid
from trialbook.server.series.columns import Points
from trialbook.server.series.compact import compact_owner
from trialbook.server.series.erase import clear, clear_graves, erase_all, erase_owner
from trialbook.server.series.hand_over import hand_over
from trialbook.server.series.pyramid import Shape
from trialbook.server.series.read import Spec, load
from trialbook.server.series.store import Numbers, prepare, store
from trialbook.server.stores import events, garbage, graves, journals, log_search, logs
from trialbook.server.stores.database import Database
from trialbook.server.stores.events import Stored, event
from trialbook.server.stores.graves import grave
from trialbook.server.stores.logs import console, log_block
from trialbook.server.stores.series import (
    of_owners,
    series,
    series_batch,
    series_chunk,
    series_level,
    series_seen,
)

SERIES, MANY = 250, 1500
OWNED = (series, series_batch, series_seen, event, log_block, console, journals.journal, grave)
LINES = {"Content-Type": "application/json-lines"}
POINTS = {"Content-Type": "application/x-trialbook-points"}


@pytest.fixture
def database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    # Small chunks, so that a few points make many rows of every kind.
    monkeypatch.setattr(pyramid, "SHAPE", Shape(chunk=8, block=2, row=8, step=2))
    opened = Database(database_url)
    yield opened
    opened.close()


def put(database: Database, owner: str, many: int, each: int) -> None:
    index = np.repeat(np.arange(many, dtype=np.int64), each)
    step = np.tile(np.arange(each, dtype=np.int64), many)
    names = [("m", f"v{number}") for number in range(many)]
    ready = prepare(owner, False, names, index, Points(step, step, index.astype(np.float64)))
    with database.write() as connection:
        store(connection, Numbers(), ready, 0.0)


def fill(database: Database, owner: str) -> None:
    """Rows of every kind, more than one slice of most."""
    put(database, owner, SERIES, 24)
    while compact_owner(database, owner)[2]:
        pass
    for _ in range(3):
        put(database, owner, SERIES, 2)
    plots = [Stored(events.PLOT, "m", "v", n, "", n, "", {"plot_str": "{}"}) for n in range(MANY)]
    with database.write() as connection:
        events.put(connection, events.pack(owner, False, plots))
        logs.append(connection, owner, blocks(1200, 1))
        seen = [{"owner": owner, "digest": f"{n}", "at": 1.0} for n in range(1100)]
        connection.execute(sa.insert(series_seen), seen)
        journals.lock(connection, f"j{owner}", owner, 1.0)
        journals.define(connection, f"j{owner}", {n: ("m", f"v{n}") for n in range(1100)})


def rows(database: Database, owner: str) -> Counter[str]:
    """What is left, by table; chunks and levels of series that are gone count as well."""
    found: Counter[str] = Counter()
    with database.read() as connection:
        for table in OWNED:
            query = sa.select(sa.func.count()).select_from(table).where(table.c.owner == owner)
            found[table.name] = connection.execute(query).scalar_one()
        others = sa.select(series.c.id).where(series.c.owner != owner)
        for table in (series_chunk, series_level):
            query = sa.select(sa.func.count()).select_from(table).where(table.c.series_id.not_in(others))
            found[table.name] = connection.execute(query).scalar_one()
        query = sa.select(sa.func.count()).select_from(journals.journal_series)
        where = journals.journal_series.c.journal_id == f"j{owner}"
        found["journal_series"] = connection.execute(query.where(where)).scalar_one()
    return +found


def seen(database: Database, owner: str) -> list[Any]:
    """What readers find."""
    with database.read() as connection:
        return [
            one
            for one in (
                of_owners(connection, [owner]),
                events.count(connection, owner, events.PLOT),
                events.page(connection, owner, events.PLOT, 0, 5),
                events.newest(connection, [owner], events.PLOT, 1),
                events.iterations(connection, owner, events.PLOT, None, 5),
                events.names(connection, [owner], None),
                events.ends(connection, owner, events.PLOT, None),
                logs.totals(connection, owner).lines,
                logs.lines(connection, owner, 0, 100),
                logs.entries(connection, owner, 0, 100),
                logs.before(connection, owner, 10**12, 5),
                logs.after(connection, owner, -1, 5),
                log_search.search(connection, owner, program("line"), "line", 0, 5)[0],
            )
            if one
        ]


class Written:
    """How many rows each transaction deletes, or writes otherwise."""

    def __init__(self, database: Database, verb: str = "DELETE") -> None:
        self.each: list[int] = []
        self._verb = verb
        sa.event.listen(database.engine, "begin", lambda _: self.each.append(0))
        sa.event.listen(database.engine, "after_cursor_execute", self._executed)

    def _executed(self, _: Any, cursor: Any, statement: str, *__: Any) -> None:
        if statement.startswith(self._verb):
            self.each[-1] += max(0, cursor.rowcount)


@pytest.mark.parametrize("deleted", [False, True])
def test_S7_erasing_very_much_is_a_mark_and_many_short_transactions(
    database: Database, deleted: bool
) -> None:
    owner, other = new_id(), new_id()
    fill(database, owner)
    put(database, other, 3, 24)
    compact_owner(database, other)
    before, neighbour = rows(database, owner), seen(database, other)
    assert len(before) == 10 and len(seen(database, owner)) == 13
    counted = Written(database)
    with database.write() as connection:
        erase_owner(connection, owner, deleted=deleted)
    assert sum(counted.each) <= 1
    assert seen(database, owner) == []
    while clear_graves(database):
        pass
    kept = {} if deleted else {"journal": 1, "journal_series": 1100}
    assert rows(database, owner) == kept
    assert sum(counted.each) == before.total() - sum(kept.values()) + 1
    assert max(counted.each) <= 1000
    assert len(counted.each) > 8
    assert seen(database, other) == neighbour
    with database.read() as connection:
        row = of_owners(connection, [other])[0]
        assert len(load(connection, Spec(row.id, other))) == 24


def test_S7_few_rows_go_at_once(database: Database) -> None:
    owner = new_id()
    put(database, owner, 3, 24)
    compact_owner(database, owner)
    with database.write() as connection:
        erase_owner(connection, owner)
    assert rows(database, owner) == {}


def test_S7_few_rows_of_many_bytes_do_not(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "BYTES", 1000)
    owner = new_id()

    def text() -> str:
        return "".join(new_id() for _ in range(20))

    plots = [Stored(events.PLOT, "m", "v", n, "", n, "", {"plot_str": text()}) for n in range(20)]
    with database.write() as connection:
        events.put(connection, events.pack(owner, False, plots))
    counted = Written(database)
    with database.write() as connection:
        erase_owner(connection, owner)
    assert seen(database, owner) == []
    assert clear(database, owner)
    assert rows(database, owner) == {}
    assert 0 < max(counted.each) < 10


def test_S7_clearing_goes_on_after_any_interruption(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = new_id()
    fill(database, owner)
    with database.write() as connection:
        erase_owner(connection, owner, deleted=True)
    real, left = erasing._slice, [0]

    class Killed(Exception):
        """The process ends here, with the transaction open."""

    def dying(connection: sa.Connection, owner: str, *, journals: bool, files: bool) -> bool:
        done = real(connection, owner, journals=journals, files=files)
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        return done

    monkeypatch.setattr(erasing, "_slice", dying)
    deaths = 0
    while True:
        left[0] = 1
        sizes = rows(database, owner).total()
        try:
            clear_graves(database, 60.0)
        except Killed:
            deaths += 1
            assert seen(database, owner) == []
            assert rows(database, owner).total() < sizes
        else:
            break
    assert deaths > 8
    assert rows(database, owner) == {}
    assert not clear(database, owner)


def test_S7_what_was_erased_is_given_to_nobody(database: Database) -> None:
    owner, other = new_id(), new_id()
    fill(database, owner)
    with database.write() as connection:
        erase_owner(connection, owner)
        assert not hand_over(connection, owner, other)
    assert rows(database, other).keys() <= {"series_chunk", "series_level"}
    # A second deletion, now of the task itself, takes the journals along.
    with database.write() as connection:
        erase_owner(connection, owner, deleted=True)
        erase_all(connection, owner)
        assert graves.before(connection, owner) == owner
    assert clear(database, owner)
    assert rows(database, owner) == {}


def test_S7_very_much_is_given_some_rows_at_a_time(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(giving, "ROWS", 100)
    owner, other = new_id(), new_id()
    fill(database, owner)
    before = rows(database, owner)
    moved = Written(database, "UPDATE")
    with database.write() as connection:
        assert hand_over(connection, owner, other)
        # Nothing more is given before that has come, and nothing of it is erased with either.
        assert not hand_over(connection, owner, new_id())
        for one in (owner, other):
            with pytest.raises(graves.Buried) as found:
                erase_owner(connection, one, deleted=True)
            assert (found.value.owner, graves.before(connection, one)) == (owner, owner)
    assert seen(database, owner) == []
    # The process ends after some of it, again and again; the loop of the next one goes on.
    while clear(database, owner, 0.0):
        assert seen(database, owner) == []
    assert max(moved.each) <= 101
    after = rows(database, other)
    given = ("series", "series_batch", "event", "log_block", "console")
    assert [after[name] for name in given] == [before[name] for name in given]
    assert rows(database, owner).keys() == {"journal", "journal_series"}
    with database.read() as connection:
        assert len(load(connection, Spec(of_owners(connection, [other])[0].id, other))) > 0


def test_S7_what_must_be_given_in_the_same_transaction_is(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(giving, "ROWS", 100)
    owner, other = new_id(), new_id()
    put(database, owner, SERIES, 3)
    with database.write() as connection:
        hand_over(connection, owner, other)
        erase_all(connection, owner)
        assert graves.before(connection, owner) is None
    assert rows(database, other)["series"] == SERIES


def test_S7_files_of_very_many_images_go_with_them(database: Database) -> None:
    owner = new_id()
    urls = [f"http://h/files/p/t.{owner}/metrics/{n}.png" for n in range(MANY)]
    images = [Stored(events.IMAGE, "m", "v", n, "", n, "", {"url": url}) for n, url in enumerate(urls)]
    images.append(Stored(events.IMAGE, "m", "other", 0, "", 0, "", {"url": "s3://elsewhere/x.png"}))
    with database.write() as connection:
        events.put(connection, events.pack(owner, False, images))
    written = Written(database, "INSERT INTO file_garbage")
    with database.write() as connection:
        erase_owner(connection, owner, deleted=True, files=True)
    assert clear(database, owner)
    assert rows(database, owner) == {}
    assert max(written.each) <= erasing.IMAGES
    with database.read() as connection:
        keys = set(connection.execute(sa.select(garbage.file_garbage.c.key)).scalars())
    assert {url.removeprefix("http://h/files/") for url in urls} <= keys
    assert not any("elsewhere" in key for key in keys)


def test_S7_an_image_is_looked_for_by_its_address(database: Database) -> None:
    """Of a variant with a hundred thousand of them, each new one would look at all."""
    owner, asked = new_id(), []

    def image(iteration: int, name: str) -> dict[str, Any]:
        return events.pack(
            owner,
            False,
            [Stored(events.IMAGE, "m", name, iteration, "", iteration, "", {"url": "http://h/x"})],
        )[0]

    sa.event.listen(
        database.engine, "before_cursor_execute", lambda *given: asked.append((given[2], given[3]))
    )
    with database.write() as connection:
        events.put(connection, [image(1, "v"), image(1, "other"), image(2, "v")])
    with database.read() as connection:
        found = sa.select(event.c.variant, event.c.iteration).where(event.c.owner == owner)
        assert set(map(tuple, connection.execute(found))) == {("v", 2), ("other", 1)}
        if database.dialect == "sqlite":
            [(statement, rows)] = [one for one in asked if one[0].startswith("DELETE FROM event")]
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", rows[0]).all()
            assert "event_url" in str(plan) and "event_identity" not in str(plan)


def test_S7_a_compaction_that_meets_a_clearing_writes_nothing(database: Database) -> None:
    owner = new_id()
    put(database, owner, 200, 24)
    with database.write() as connection:
        erase_owner(connection, owner)
    compact_owner(database, owner)
    assert seen(database, owner) == []
    assert clear(database, owner)
    assert rows(database, owner) == {}


def lines(task: str, many: int, value: float) -> bytes:
    scalar = {"type": "training_stats_scalar", "task": task, "metric": "m", "iter": 1}
    return "\n".join(
        json.dumps({**scalar, "variant": f"v{n}", "value": value, "timestamp": 5}) for n in range(many)
    ).encode()


def values(server: RunningServer, task: str) -> dict[str, float]:
    latest = server.call("events.get_task_latest_scalar_values", task=task)["metrics"]
    return {one["name"]: one["last_value"] for found in latest for one in found["variants"]}


def batch(server: RunningServer, task: str, journal: str) -> None:
    server.ask("events.add_batch", body=lines(task, 2, 7.0), headers=LINES)


def one_by_one(server: RunningServer, task: str, journal: str) -> None:
    for n in range(2):
        scalar = {"type": "training_stats_scalar", "task": task, "metric": "m", "variant": f"v{n}"}
        server.call("events.add", iter=1, value=7.0, **scalar)


def in_journal(server: RunningServer, task: str, journal: str) -> None:
    sent = [frames.series(n, "m", f"v{n}") + frames.point(n, 1, 1.7e9, 7.0) for n in range(2)]
    body = frames.body(task, journal, 0, b"".join(sent))
    assert server.ask("events.add_points", body=body, headers=POINTS).status == 200


def in_a_call(server: RunningServer, task: str, journal: str) -> None:
    scalar = {"type": "training_stats_scalar", "task": task, "metric": "m", "iter": 1, "value": 7.0}
    sent = [frames.call("events.add", variant=f"v{n}", **scalar) for n in range(2)]
    body = frames.body(task, journal, 0, b"".join(sent))
    assert server.ask("events.add_points", body=body, headers=POINTS).status == 200


@pytest.mark.parametrize("report", [batch, one_by_one, in_journal, in_a_call])
def test_S7_what_is_reported_after_a_reset_stays(
    server: RunningServer, report: Callable[[RunningServer, str, str], None]
) -> None:
    task = server.call("tasks.create", name="again", type="training")["id"]
    server.ask("events.add_batch", body=lines(task, 300, 1.0), headers=LINES)
    assert len(values(server, task)) == 300
    server.call("tasks.reset", task=task, force=True)
    assert values(server, task) == {}
    report(server, task, new_id())
    assert values(server, task) == {"v0": 7.0, "v1": 7.0}
    database = Database(server.database or f"sqlite:///{server.data}/trialbook.db")
    try:
        with database.read() as connection:
            assert graves.before(connection, task) is None
    finally:
        database.close()


def test_S7_a_journal_that_resets_its_task_goes_on(server: RunningServer) -> None:
    task = server.call("tasks.create", name="again", type="training")["id"]
    sent = [frames.series(n, "m", f"v{n}") + frames.point(n, 1, 1.7e9, 1.0) for n in range(300)]
    sent += [frames.call("tasks.reset", task=task, force=True), frames.point(3, 2, 1.7e9, 7.0)]
    body = frames.body(task, new_id(), 0, b"".join(sent))
    reply = server.ask("events.add_points", body=body, headers=POINTS).json()
    assert reply["data"]["warnings"] == []
    assert values(server, task) == {"v3": 7.0}


def test_S7_tasks_are_not_found_by_values_that_were_erased(server: RunningServer) -> None:
    mark = new_id()
    task = server.call("tasks.create", name=mark, type="training")["id"]
    server.ask("events.add_batch", body=lines(task, 300, 4.5), headers=LINES)
    row = next(iter(server.call("tasks.get_all_ex", id=[task])["tasks"]))["last_metrics"]
    ((metric, variants),) = row.items()
    variant = next(iter(variants))
    asked = {"id": [task], f"last_metrics.{metric}.{variant}.value": [4, 5]}
    assert len(server.call("tasks.get_all_ex", asked)["tasks"]) == 1
    server.call("tasks.reset", task=task, force=True)
    assert server.call("tasks.get_all_ex", asked)["tasks"] == []
    shown = server.call("tasks.get_all_ex", id=[task])["tasks"][0]
    assert not shown.get("last_metrics")


def test_S7_the_server_clears_what_was_deleted(server: RunningServer) -> None:
    task = server.call("tasks.create", name="gone", type="training")["id"]
    server.ask("events.add_batch", body=lines(task, 300, 1.0), headers=LINES)
    done = server.call("tasks.delete", task=task, force=True)
    assert done["freed"]["points"] == 300
    database = Database(server.database or f"sqlite:///{server.data}/trialbook.db")

    def left() -> int:
        with database.read() as connection:
            query = sa.select(sa.func.count()).select_from(series).where(series.c.owner == task)
            return int(connection.execute(query).scalar_one())

    try:
        until(lambda: not left())
    finally:
        database.close()
