"""The console on both databases: numbers that never change, however blocks are merged."""

import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trialbook.base.ids import new_id
from trialbook.server.stores import log_index, log_search, logs
from trialbook.server.stores.database import Database, metadata
from trialbook.server.stores.logs import Entry, Line

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)


@pytest.fixture
def database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    # Small blocks, so that a few lines make many of them.
    monkeypatch.setattr(logs, "BLOCK", 200)
    monkeypatch.setattr(logs, "_SMALL", 100)
    monkeypatch.setattr(logs, "_MERGE_FROM", 2)
    monkeypatch.setattr(logs, "_PAGE", 3)
    opened = Database(database_url)
    metadata.create_all(opened.engine)
    yield opened
    opened.close()


REQUEST = st.tuples(
    st.sampled_from(["w1", "w2"]),
    st.lists(
        st.tuples(st.integers(0, 50), st.sampled_from([20, 30]), st.integers(0, 3), TEXT),
        min_size=1,
        max_size=6,
    ),
    st.booleans(),
)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(REQUEST, min_size=1, max_size=12), st.data())
def test_numbers_never_change(
    database: Database, requests: list[tuple[str, list[tuple[int, int, int, str]], bool]], data: st.DataObject
) -> None:
    owner = new_id()
    entries: list[tuple[Entry, str]] = []
    lines: list[Line] = []
    for worker, rows, merge in requests:
        reports = [Entry(time * 1000, level, stream, text) for time, level, stream, text in rows]
        with database.write() as connection:
            logs.append(connection, owner, logs.pack(worker, reports))
        for report in reports:
            text = report.text.removesuffix("\n").replace("\r\n", "\n")
            entries.append((report._replace(text=text), worker))
            for one in text.split("\n"):
                lines.append(Line(len(lines), report.time, report.level, report.stream, one, worker))
        if merge:
            logs.merge(database)
    with database.read() as connection:
        total = logs.totals(connection, owner)
        assert (total.lines, total.entries) == (len(lines), len(entries))
        low, high = sorted(
            data.draw(st.tuples(st.integers(-3, len(lines) + 3), st.integers(0, len(lines) + 3)))
        )
        assert logs.lines(connection, owner, low, high) == [
            line for line in lines if low <= line.number < high
        ]
        low, high = max(0, min(low, high)), max(0, high)
        assert logs.entries(connection, owner, low, high) == entries[low:high]
        moment = data.draw(st.integers(0, 51))
        many = data.draw(st.integers(1, 10))
        assert (
            logs.before(connection, owner, moment, many)
            == [e for e in entries if e[0].time < moment * 1000][-many:]
        )
        assert (
            logs.after(connection, owner, moment, many)
            == [e for e in entries if e[0].time > moment * 1000][:many]
        )


def test_merging_makes_few_blocks(database: Database) -> None:
    owner = new_id()
    for n in range(60):
        with database.write() as connection:
            logs.append(connection, owner, logs.pack("w", [Entry(n, 20, 0, f"line {n}")]))
    assert logs.merge(database) == 60
    with database.read() as connection:
        blocks = connection.execute(sa.select(sa.func.count()).select_from(logs.log_block)).scalar_one()
        assert blocks < 15
        assert [line.text for line in logs.lines(connection, owner, 0, 100)] == [
            f"line {n}" for n in range(60)
        ]


def test_merging_meets_a_reset(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = new_id()
    for n in range(6):
        with database.write() as connection:
            logs.append(connection, owner, logs.pack("w", [Entry(n, 20, 0, "x")]))
    real = logs._joined

    def race(rows: list[object]) -> dict[str, object]:
        with database.write() as connection:
            logs.erase(connection, owner)
            logs.append(connection, owner, logs.pack("w", [Entry(1, 20, 0, "new")]))
        return real(rows)

    monkeypatch.setattr(logs, "_joined", race)
    assert logs.merge(database) == 0
    with database.read() as connection:
        assert [line.text for line in logs.lines(connection, owner, 0, 100)] == ["new"]


def test_S1_a_search_that_takes_too_long_says_where_to_go_on(database: Database) -> None:
    """Between two lines: those of one block may be very many, or very long."""
    owner = new_id()
    for n in range(5):
        with database.write() as connection:
            logs.append(connection, owner, logs.pack("w", [Entry(n, 20, 0, "needle\nneedle")]))
    start, seen, rounds = 0, 0, 0
    with database.read() as connection:
        while True:
            found = log_search.search(connection, owner, re.compile("needle"), None, start, seconds=0.0)
            seen += found.total
            rounds += 1
            if found.next_line is None:
                break
            assert found.next_line > start
            start = found.next_line
    assert (seen, rounds) == (10, 10)


def test_forgetting_keeps_the_numbers(database: Database) -> None:
    owner = new_id()
    for n in range(60):
        with database.write() as connection:
            logs.append(connection, owner, logs.pack("w", [Entry(n * 1000, 20, 0, f"line {n}\nand more")]))
    logs.merge(database)
    with database.write() as connection:
        gone = logs.forget(connection, owner, 30_000)
    assert 0 < gone <= 30
    with database.read() as connection:
        held = logs.totals(connection, owner)
        assert (held.entries, held.lines, held.first_entry, held.first_line) == (60, 120, gone, 2 * gone)
        kept = logs.lines(connection, owner, 0, 1000)
        assert [line.number for line in kept] == list(range(2 * gone, 120))
        assert kept[0].text == f"line {gone}"
        assert next(e.text for e, _ in logs.entries(connection, owner, gone, 60)).startswith(f"line {gone}\n")
    with database.write() as connection:
        assert logs.forget(connection, owner, 30_000) == 0
        assert logs.forget(connection, owner) == 60 - gone
        logs.append(connection, owner, logs.pack("w", [Entry(99, 20, 0, "new")]))
    with database.read() as connection:
        assert [(line.number, line.text) for line in logs.lines(connection, owner, 0, 1000)] == [(120, "new")]
        assert connection.execute(sa.select(sa.func.count()).select_from(logs.log_block)).scalar_one() == 1


LETTERS = st.text(st.sampled_from("abcAB \u017fK\u0130\u0131éÉ\u00b5\u03bcß.1"), max_size=30)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(LETTERS, min_size=1, max_size=8),
    st.text(st.sampled_from("abcABkKsSiI é1."), min_size=1, max_size=5),
)
def test_the_index_never_hides_a_block(texts: list[str], wanted: str) -> None:
    """Whatever a search that ignores case finds in a block, the block's index knows."""
    pattern = re.compile(re.escape(wanted), re.IGNORECASE)
    if any(pattern.search(line) for text in texts for line in text.split("\n")):
        assert log_index.may_hold(log_index.index(texts), log_index.needed(wanted))


def test_a_search_unpacks_only_blocks_that_may_have_the_text(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = new_id()
    with database.write() as connection:
        for n in range(300):
            logs.append(
                connection,
                owner,
                logs.pack("w", [Entry(n, 20, 0, f"epoch {n} loss {n / 7:.6f} " + "x" * 80)]),
            )
        last = Entry(300, 20, 0, "Traceback (most recent call last):" + "y" * 99)
        logs.append(connection, owner, logs.pack("w", [last]))
    logs.merge(database)
    unpacked = []
    real = log_search.lines_of

    def counted(row: sa.Row[tuple[object, ...]]) -> Iterator[Line]:
        unpacked.append(row.first_line)
        return real(row)

    monkeypatch.setattr(log_search, "lines_of", counted)
    with database.read() as connection:
        blocks = connection.execute(sa.select(sa.func.count()).select_from(logs.log_block)).scalar_one()
        for text in ("traceback", "MOST RECENT"):
            unpacked.clear()
            pattern = re.compile(re.escape(text), re.IGNORECASE)
            found = log_search.search(connection, owner, pattern, text)
            assert [line.number for line in found.hits] == [300]
            assert found.next_line is None
            assert len(unpacked) < blocks / 10
        unpacked.clear()
        assert log_search.search(connection, owner, re.compile("nowhere"), "nowhere").total == 0
        assert len(unpacked) < blocks / 10
        # Without a text that is known, every block is looked at.
        unpacked.clear()
        assert log_search.search(connection, owner, re.compile("epoch \\d+"), None, most=5).total == 300
        assert len(unpacked) == blocks
