"""Tables of the console: compressed blocks of entries, with line numbers that never change."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.server.stores import log_index
from trialbook.server.stores.codec import compress, decompress
from trialbook.server.stores.database import Database, metadata
from trialbook.server.stores.dialect import insert
from trialbook.server.stores.graves import standing
from trialbook.server.stores.series import portions

console = sa.Table(
    "console",
    metadata,
    sa.Column("owner", sa.String(32), primary_key=True),
    sa.Column("lines", sa.BigInteger, nullable=False),
    sa.Column("entries", sa.BigInteger, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    # What lies before was forgotten; numbers do not change.
    sa.Column("first_line", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("first_entry", sa.BigInteger, nullable=False, server_default="0"),
)
"""Totals of a task's console. Its row is the lock that gives line numbers out in turn."""

log_block = sa.Table(
    "log_block",
    metadata,
    sa.Column("owner", sa.String(32), primary_key=True),
    sa.Column("first_line", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("lines", sa.Integer, nullable=False),
    sa.Column("first_entry", sa.BigInteger, nullable=False),
    sa.Column("entries", sa.Integer, nullable=False),
    sa.Column("first_time", sa.BigInteger, nullable=False),
    sa.Column("last_time", sa.BigInteger, nullable=False),
    sa.Column("worker", sa.Text, nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("small", sa.Boolean, nullable=False),
    sa.Column("trigrams", sa.LargeBinary, nullable=True),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Index("log_block_entry", "owner", "first_entry"),
    sa.Index("log_block_small", "small", "owner", "first_line"),
)
"""``payload`` is zstd of JSON lines ``[time_µs, level, stream, text]``, one per entry; ``first_time`` and
``last_time`` are the least and the greatest; ``small`` marks what the compaction loop may still merge; ``trigrams`` is
the index for searches (``log_index.py``), which small blocks have not."""

BLOCK = 64 * 1024
"""Blocks are cut, and merged, at this many bytes of unpacked payload."""

_SMALL = BLOCK // 2
_MERGE_FROM = 8
_PAGE = 64


class Entry(NamedTuple):
    """One report: time in µs, level 10 … 50, stream 0 … 3 (report_text, stdout, stderr, logging), text."""

    time: int
    level: int
    stream: int
    text: str


class Line(NamedTuple):
    """One line of a console."""

    number: int
    time: int
    level: int
    stream: int
    text: str
    worker: str


class Totals(NamedTuple):
    """Size of a console, and where it begins: what lies before was forgotten."""

    lines: int
    entries: int
    bytes: int
    first_line: int = 0
    first_entry: int = 0


def totals(connection: Connection, owner: str) -> Totals:
    """How much console a task has."""
    found = connection.execute(sa.select(console).where(console.c.owner == owner)).first()
    if found is None:
        return Totals(0, 0, 0)
    return Totals(found.lines, found.entries, found.bytes, found.first_line, found.first_entry)


@dataclass(frozen=True, slots=True)
class Packed:
    """Reports of one worker as rows of ``log_block``, whose numbers count from the first of these reports."""

    lines: int
    entries: int
    bytes: int
    blocks: list[dict[str, Any]]


def pack(worker: str, reports: Sequence[Entry]) -> Packed:
    """Compress reports, and index them: work that needs no lock.

    Args:
        worker: who reported.
        reports: in order, at least one; the newline at the end of a text is dropped.
    """
    entries = [entry._replace(text=_trimmed(entry.text)) for entry in reports]
    heights = [1 + entry.text.count("\n") for entry in entries]
    encoded = [msgspec.json.encode(entry) for entry in entries]
    blocks = []
    line = start = size = 0
    for at, text in enumerate(encoded):
        size += len(text) + 1
        if size >= BLOCK or at + 1 == len(encoded):
            span = slice(start, at + 1)
            lines = sum(heights[span])
            blocks.append(_block(worker, line, lines, start, encoded[span], entries[span]))
            line += lines
            start, size = at + 1, 0
    return Packed(line, len(entries), sum(map(len, encoded)), blocks)


def append(connection: Connection, owner: str, packed: Packed) -> None:
    """Add reports at the end of a console.

    Args:
        connection: of a write transaction.
        owner: task or model id.
        packed: the reports.
    """
    row = {"owner": owner, "lines": packed.lines, "entries": packed.entries, "bytes": packed.bytes}
    statement = insert(connection, console).values(row)
    added = {name: console.c[name] + statement.excluded[name] for name in ("lines", "entries", "bytes")}
    statement = statement.on_conflict_do_update(index_elements=["owner"], set_=added)
    after = connection.execute(statement.returning(console.c.lines, console.c.entries)).one()
    line, entry = after.lines - packed.lines, after.entries - packed.entries
    rows = [
        {
            **block,
            "owner": owner,
            "first_line": line + block["first_line"],
            "first_entry": entry + block["first_entry"],
        }
        for block in packed.blocks
    ]
    connection.execute(sa.insert(log_block), rows)


def _trimmed(text: str) -> str:
    # A lone surrogate is not Unicode and could not be encoded.
    text = text.removesuffix("\n").replace("\r\n", "\n")
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _block(
    worker: str,
    line: int,
    lines: int,
    number: int,
    encoded: Sequence[bytes],
    entries: Sequence[Entry],
) -> dict[str, Any]:
    body = b"\n".join(encoded)
    small = len(body) < _SMALL
    return {
        "first_line": line,
        "lines": lines,
        "first_entry": number,
        "entries": len(encoded),
        "first_time": min(entry.time for entry in entries),
        "last_time": max(entry.time for entry in entries),
        "worker": worker,
        "size": len(body),
        "small": small,
        "trigrams": None if small else log_index.index([entry.text for entry in entries]),
        "payload": compress(body),
    }


_entry = msgspec.json.Decoder(Entry)


def _unpack(payload: bytes) -> list[Entry]:
    return _entry.decode_lines(decompress(payload))


def entries(connection: Connection, owner: str, start: int, stop: int) -> list[tuple[Entry, str]]:
    """Reports ``start`` to ``stop`` (not included) of a console, each with its worker."""
    if stop <= start:
        return []
    found: list[tuple[Entry, str]] = []
    for row in _covering(connection, owner, log_block.c.first_entry, start, stop):
        held = _unpack(row.payload)
        low, high = max(start - row.first_entry, 0), stop - row.first_entry
        found.extend((entry, row.worker) for entry in held[low:high])
    return found


def lines(connection: Connection, owner: str, start: int, stop: int) -> list[Line]:
    """Lines ``start`` to ``stop`` (not included) of a console."""
    if stop <= start:
        return []
    found: list[Line] = []
    for row in _covering(connection, owner, log_block.c.first_line, start, stop):
        found.extend(line for line in lines_of(row) if start <= line.number < stop)
    return found


def lines_of(row: Any) -> Iterator[Line]:
    """The lines of a block."""
    number = row.first_line
    for entry in _unpack(row.payload):
        for text in entry.text.split("\n"):
            yield Line(number, entry.time, entry.level, entry.stream, text, row.worker)
            number += 1


def _of(owner: str) -> sa.ColumnElement[bool]:
    return sa.and_(log_block.c.owner == owner, standing(log_block.c.owner))


def _covering(
    connection: Connection, owner: str, column: sa.Column[int], start: int, stop: int
) -> Iterator[Any]:
    """The blocks that hold numbers ``start`` to ``stop``, in order, a page at a time."""
    first = connection.execute(
        sa.select(sa.func.max(column)).where(_of(owner), column <= max(start, 0))
    ).scalar()
    at = -1 if first is None else first - 1
    while True:
        query = sa.select(log_block).where(_of(owner), column > at, column < stop)
        rows = connection.execute(query.order_by(column).limit(_PAGE)).all()
        yield from rows
        if len(rows) < _PAGE:
            return
        at = rows[-1]._mapping[column]


def before(connection: Connection, owner: str, moment: int, many: int) -> list[tuple[Entry, str]]:
    """The last reports older than ``moment`` (ms), oldest first."""
    found: list[tuple[Entry, str]] = []
    at: int | None = None
    while len(found) < many:
        query = sa.select(log_block).where(_of(owner), log_block.c.first_time < moment * 1000)
        if at is not None:
            query = query.where(log_block.c.first_line < at)
        rows = connection.execute(query.order_by(log_block.c.first_line.desc()).limit(_PAGE)).all()
        for row in rows:
            held = [(entry, row.worker) for entry in _unpack(row.payload) if entry.time // 1000 < moment]
            found[:0] = held
        if len(rows) < _PAGE:
            break
        at = rows[-1].first_line
    return found[-many:]


def after(connection: Connection, owner: str, moment: int, many: int) -> list[tuple[Entry, str]]:
    """The first reports newer than ``moment`` (ms), oldest first."""
    found: list[tuple[Entry, str]] = []
    at = -1
    while len(found) < many:
        query = sa.select(log_block).where(
            _of(owner),
            log_block.c.last_time >= (moment + 1) * 1000,
            log_block.c.first_line > at,
        )
        rows = connection.execute(query.order_by(log_block.c.first_line).limit(_PAGE)).all()
        for row in rows:
            found.extend((entry, row.worker) for entry in _unpack(row.payload) if entry.time // 1000 > moment)
        if len(rows) < _PAGE:
            break
        at = rows[-1].first_line
    return found[:many]


def merge(database: Database, seconds: float = 1.0) -> int:
    """Join small neighbouring blocks of consoles, so that a long run does not have a block per report.

    Args:
        database: where.
        seconds: ends after the console during which this time is over.

    Returns:
        How many blocks were joined.
    """
    deadline = time.monotonic() + seconds
    query = (
        sa.select(log_block.c.owner)
        .where(log_block.c.small)
        .group_by(log_block.c.owner)
        .having(sa.func.count() >= _MERGE_FROM)
    )
    with database.read() as connection:
        owners = list(connection.execute(query).scalars())
    joined = 0
    for owner in owners:
        joined += _merge_owner(database, owner)
        if time.monotonic() >= deadline:
            break
    return joined


def _merge_owner(database: Database, owner: str) -> int:
    with database.read() as connection:
        query = sa.select(log_block).where(log_block.c.small, log_block.c.owner == owner)
        rows = connection.execute(query.order_by(log_block.c.first_line).limit(4096)).all()
    groups = [group for group in _neighbours(rows) if len(group) > 1]
    merged = [_joined(group) for group in groups]
    gone = [row.first_line for group in groups for row in group]
    if not gone:
        return 0
    with database.write() as connection:
        # A reset of the task, or another server process, may have come between: then nothing is changed.
        deleted = 0
        for some in portions(gone):
            statement = sa.delete(log_block).where(
                log_block.c.owner == owner, log_block.c.first_line.in_(some)
            )
            deleted += connection.execute(statement.where(log_block.c.small)).rowcount
        if deleted != len(gone):
            connection.rollback()
            return 0
        connection.execute(sa.insert(log_block), merged)
    return len(gone)


def _neighbours(rows: Sequence[Any]) -> Iterator[list[Any]]:
    """Runs of blocks of one worker without a gap, of at most ``BLOCK`` bytes together."""
    run: list[Any] = []
    size = 0
    for row in rows:
        fits = run and row.worker == run[-1].worker and row.first_line == run[-1].first_line + run[-1].lines
        if not fits or size + row.size > BLOCK:
            if run:
                yield run
            run, size = [], 0
        run.append(row)
        size += row.size + 1
    if run:
        yield run


def _joined(rows: Sequence[Any]) -> dict[str, Any]:
    body = b"\n".join(decompress(row.payload) for row in rows)
    small = len(body) < _SMALL
    return {
        "owner": rows[0].owner,
        "first_line": rows[0].first_line,
        "lines": sum(row.lines for row in rows),
        "first_entry": rows[0].first_entry,
        "entries": sum(row.entries for row in rows),
        "first_time": min(row.first_time for row in rows),
        "last_time": max(row.last_time for row in rows),
        "worker": rows[0].worker,
        "size": len(body),
        "small": small,
        "trigrams": None if small else log_index.index([entry.text for entry in _entry.decode_lines(body)]),
        "payload": compress(body),
    }


def forget(connection: Connection, owner: str, before: int | None = None, most: int = 1000) -> int:
    """Drop the older part of a console, block by block; the numbers of what stays do not change.

    Args:
        connection: of a write transaction.
        owner: task or model id.
        before: µs since the epoch; blocks that hold anything as new stay. None drops everything.
        most: blocks to drop at once; the caller comes again until nothing goes.

    Returns:
        How many reports went.
    """
    held = connection.execute(sa.select(console).where(console.c.owner == owner).with_for_update()).first()
    if held is None:
        return 0
    first = None
    if before is not None:
        query = sa.select(log_block.c.first_line, log_block.c.first_entry)
        query = query.where(log_block.c.owner == owner, log_block.c.last_time >= before)
        first = connection.execute(query.order_by(log_block.c.first_line).limit(1)).first()
    line, entry = (held.lines, held.entries) if first is None else (first.first_line, first.first_entry)
    query = sa.select(log_block.c.first_line, log_block.c.first_entry)
    query = query.where(log_block.c.owner == owner, log_block.c.first_line < line)
    enough = connection.execute(query.order_by(log_block.c.first_line).offset(most).limit(1)).first()
    if enough is not None:
        line, entry = enough.first_line, enough.first_entry
    # Not what another server has joined meanwhile to a block that reaches over the edge.
    gone = log_block.c.first_line + log_block.c.lines <= line
    connection.execute(sa.delete(log_block).where(log_block.c.owner == owner, gone))
    connection.execute(
        sa.update(console).where(console.c.owner == owner).values(first_line=line, first_entry=entry)
    )
    return int(entry - held.first_entry)


def erase(connection: Connection, owner: str) -> None:
    """Forget a console."""
    connection.execute(sa.delete(log_block).where(log_block.c.owner == owner))
    connection.execute(sa.delete(console).where(console.c.owner == owner))
