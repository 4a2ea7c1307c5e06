"""The change log: nothing is missed, whoever commits when; old rows go."""

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from trialbook.base.ids import new_id
from trialbook.server import migrations
from trialbook.server.stores import changes as log
from trialbook.server.stores.database import Database


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    made = Database(database_url)
    migrations.prepare(made)
    yield made
    made.close()


def row(id: str, time: float = 1.0) -> dict[str, object]:
    values = {"time": time, "kind": "task", "id": id, "verb": "edited", "project": None, "user": None}
    return {**values, "method": "m", "operation": new_id(), "before": {}, "after": {"name": id}}


def taken(database: Database, place: log.Place, many: int = 0) -> tuple[list[str], log.Place]:
    """What a reader gets, once there are so many: a transaction of another database of the same PostgreSQL holds
    them back as well."""
    deadline = time.monotonic() + 60
    while True:
        with database.read() as connection:
            rows = log.read(connection, place)
        if len(rows) >= many or time.monotonic() > deadline:
            break
        time.sleep(0.02)
    return [one.id for one in rows], log.Place(rows[-1].xact, rows[-1].seq) if rows else place


def test_rows_come_in_their_order(database: Database) -> None:
    with database.write() as connection:
        log.append(connection, [row("a"), row("b")])
        log.append(connection, [])
    with database.write() as connection:
        log.append(connection, [row("c")])
    first, place = taken(database, log.Place(), 3)
    assert first == ["a", "b", "c"]
    assert taken(database, place) == ([], place)


@pytest.mark.parametrize("order", ["early number, late commit", "late number, late commit"])
def test_a_reader_misses_nothing_of_a_transaction_that_ends_later(database: Database, order: str) -> None:
    if database.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    with ExitStack() as open:
        one = open.enter_context(database.engine.connect())
        other = open.enter_context(database.engine.connect())
        ending = one.begin()
        # The transaction that began first may draw its number first or last: neither order may lose a row.
        log.append(one, [row("begun")])
        with other.begin():
            log.append(other, [row("meanwhile")])
            if order.startswith("late"):
                log.append(one, [row("once more")])
        seen, place = taken(database, log.Place())
        assert seen == [], "a row behind an open transaction was given out"
        ending.commit()
        more, _ = taken(database, place, 3 if order.startswith("late") else 2)
    expected = ["begun", "once more", "meanwhile"] if order.startswith("late") else ["begun", "meanwhile"]
    assert seen + more == expected


def test_a_number_drawn_before_one_that_was_read_is_read_as_well(database: Database) -> None:
    """The transaction that began later drew its number earlier, and ends later."""
    if database.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    with ExitStack() as open:
        old = open.enter_context(database.engine.connect())
        young = open.enter_context(database.engine.connect())
        first = old.begin()
        old.exec_driver_sql("SELECT pg_current_xact_id()")
        second = young.begin()
        log.append(young, [row("young")])
        log.append(old, [row("old")])
        first.commit()
        seen, place = taken(database, log.Place(), 1)
        assert seen == ["old"]
        second.commit()
        assert taken(database, place, 1)[0] == ["young"]


def test_old_rows_and_those_that_are_too_many_go(database: Database) -> None:
    with database.write() as connection:
        log.append(connection, [row(f"r{n}", time=float(n)) for n in range(10)])
        assert log.prune(connection, before=3.0, most=100) == 3
        assert log.prune(connection, before=0.0, most=4, at_once=2) == 2
        assert log.prune(connection, before=0.0, most=4) == 1
        assert log.prune(connection, before=0.0, most=4) == 0
        log.append(connection, [row("next")])
    # On SQLite too a number is never given twice, else a reader would skip what came after a clearing.
    with database.write() as connection:
        assert log.prune(connection, before=99.0, most=100) == 5
        log.append(connection, [row("new")])
    assert taken(database, log.Place(), 1)[0] == ["new"]
    with database.read() as connection:
        (left,) = log.read(connection, log.Place())
    assert left.seq == 12
