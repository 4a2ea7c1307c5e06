"""Everything that was reported to a task or model, gone: at once for its readers, row by row for the database.

Few rows are deleted in the transaction that erases them. Of more, the transaction only says that they are erased
(``stores/graves.py``); what deletes them then holds the database for a thousand rows at a time.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.server.core.freed import Freed
from trialbook.server.series.hand_over import hand_some
from trialbook.server.stores import events, garbage, graves, logs
from trialbook.server.stores.database import Database
from trialbook.server.stores.events import event
from trialbook.server.stores.graves import grave
from trialbook.server.stores.journals import journal, journal_series
from trialbook.server.stores.logs import console, log_block
from trialbook.server.stores.series import (
    portions,
    series,
    series_batch,
    series_chunk,
    series_level,
    series_seen,
)

FEW = 128
"""So many rows are deleted at once; a transaction of a long list erases fifty tasks."""
ROWS, BYTES = 1000, 16 * 2**20
"""What one transaction deletes of a grave."""
IMAGES = 200
"""Of how many images it has the files deleted: each is unpacked."""
_SERIES = 200
"""Series whose points are looked for together."""


def erase_owner(connection: Connection, owner: str, *, deleted: bool = False, files: bool = False) -> None:
    """Erase points, statistics, events and console of a task or model.

    Args:
        connection: of a write transaction, which has the lock on the task's row.
        owner: task or model id.
        deleted: True when the task itself goes: then its journals are forgotten too. A reset keeps them, because a
            journal that is being sent goes on at its offset, with the series numbers that it has given;
            without its row the server would ask for a beginning that the client has deleted already.
        files: whether files of its images go as well, where this server holds them.

    Raises:
        Buried: what another task is given, or gives, would go too: that must be finished first.
    """
    graves.settle(connection, owner)
    if _are_few(connection, owner, deleted):
        if files:
            _drop_files(connection, owner, events.image_urls(connection, owner))
        erase_all(connection, owner, journals=deleted)
    else:
        graves.bury(connection, owner, time.time(), journals=deleted, files=files)
        connection.execute(sa.delete(console).where(console.c.owner == owner))


def _drop_files(connection: Connection, owner: str, urls: list[str]) -> None:
    keys = [key for url in urls if (key := garbage.own_key(url, owner)) is not None]
    # At once.
    garbage.add(connection, keys, 0.0)


def erase_all(connection: Connection, owner: str, *, journals: bool = False) -> None:
    """Delete every row of a task's or model's results in this transaction, however many there are.

    What an heir gets is given to it.
    """
    heir = connection.execute(sa.select(grave.c.heir).where(grave.c.owner == owner)).scalar()
    while heir is not None and hand_some(connection, owner, heir):
        pass
    numbers = sa.select(series.c.id).where(series.c.owner == owner)
    # Batch rows first: a compaction that is being computed finds them gone and gives up.
    connection.execute(sa.delete(series_batch).where(series_batch.c.owner == owner))
    connection.execute(sa.delete(series_chunk).where(series_chunk.c.series_id.in_(numbers)))
    connection.execute(sa.delete(series_level).where(series_level.c.series_id.in_(numbers)))
    connection.execute(sa.delete(series).where(series.c.owner == owner))
    connection.execute(sa.delete(series_seen).where(series_seen.c.owner == owner))
    events.erase(connection, owner)
    logs.erase(connection, owner)
    if journals:
        listed = sa.select(journal.c.id).where(journal.c.owner == owner)
        connection.execute(sa.delete(journal_series).where(journal_series.c.journal_id.in_(listed)))
        connection.execute(sa.delete(journal).where(journal.c.owner == owner))
        connection.execute(sa.delete(grave).where(grave.c.owner == owner))
    else:
        # Where the journals are to go, the grave stays for them.
        mine = sa.and_(grave.c.owner == owner, sa.not_(grave.c.journals))
        connection.execute(sa.delete(grave).where(mine))


def clear(database: Database, owner: str, seconds: float | None = None) -> bool:
    """Delete what is left in a grave, in many short transactions; False when there was no grave.

    Whoever stops in the middle, a process that is killed for example, leaves the rest for the next.

    Args:
        database: where.
        owner: task or model id.
        seconds: ends once this time is over; None means until the grave is empty.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    found = False
    while True:
        with database.write() as connection:
            # Its lock keeps other servers from the same rows.
            query = sa.select(grave).where(grave.c.owner == owner).with_for_update()
            row = connection.execute(query).first()
            if row is None:
                return found
            found = True
            given = row.heir is not None and hand_some(connection, owner, row.heir)
            if not given and not _slice(connection, owner, journals=row.journals, files=row.files):
                connection.execute(sa.delete(grave).where(grave.c.owner == owner))
                return True
        if deadline is not None and time.monotonic() >= deadline:
            return True


def clear_graves(database: Database, seconds: float = 1.0) -> bool:
    """Clear graves for a while; True when there is more to do."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        with database.read() as connection:
            owners = graves.oldest(connection, 1)
        if not owners:
            return False
        clear(database, owners[0], left)
    return True


def _slice(connection: Connection, owner: str, *, journals: bool, files: bool) -> bool:
    """Delete up to a thousand rows; False when there is none."""
    # The order of `erase_all`, and each table wholly before the next: a compaction takes batch rows and writes chunks
    # in one transaction, so where no batch row is seen every chunk is.
    if _drop(connection, series_batch, series_batch.c.id, series_batch.c.owner == owner):
        return True
    if files:
        many, urls = events.take_erased_images(connection, owner, IMAGES)
        _drop_files(connection, owner, urls)
        if many:
            return True
    if _drop(connection, event, event.c.id, event.c.owner == owner):
        return True
    if _drop(connection, log_block, log_block.c.first_line, log_block.c.owner == owner):
        return True
    query = sa.select(series.c.id).where(series.c.owner == owner).order_by(series.c.id).limit(_SERIES)
    some = list(connection.execute(query).scalars())
    if some:
        for table in (series_chunk, series_level):
            places = [column for column in table.primary_key if column.name != "series_id"]
            if _drop_of_series(connection, table, places, some):
                return True
        connection.execute(sa.delete(series).where(series.c.id.in_(some)))
        return True
    if _drop(connection, series_seen, series_seen.c.digest, series_seen.c.owner == owner, size=False):
        return True
    connection.execute(sa.delete(console).where(console.c.owner == owner))
    if not journals:
        return False
    query = sa.select(journal.c.id).where(journal.c.owner == owner).limit(1)
    one = connection.execute(query).scalar()
    if one is None:
        return False
    if not _drop(
        connection, journal_series, journal_series.c.local, journal_series.c.journal_id == one, size=False
    ):
        connection.execute(sa.delete(journal).where(journal.c.id == one))
    return True


def _drop(
    connection: Connection, table: sa.Table, key: Any, mine: sa.ColumnElement[bool], *, size: bool = True
) -> bool:
    weight = sa.func.length(table.c.payload) if size else sa.literal(0)
    found = connection.execute(sa.select(key, weight).where(mine).order_by(key).limit(ROWS)).all()
    keys = list(_light(found))
    for some in portions(keys):
        connection.execute(sa.delete(table).where(mine, key.in_(some)))
    return bool(keys)


def _drop_of_series(connection: Connection, table: sa.Table, places: list[Any], some: list[int]) -> bool:
    """Rows of one series after the other, each from its beginning: what a key of several columns finds at once."""
    rows, weight = 0, 0
    for number in some:
        mine = table.c.series_id == number
        query = sa.select(*places, sa.func.length(table.c.payload)).where(mine)
        found = connection.execute(query.order_by(*places).limit(ROWS - rows)).all()
        taken = 0
        for row in found:
            if rows and weight >= BYTES:
                break
            taken, rows, weight = taken + 1, rows + 1, weight + row[-1]
        if taken:
            *above, last = zip(places, found[taken - 1][:-1], strict=True)
            upto = last[0] <= last[1]
            for column, value in reversed(above):
                upto = sa.or_(column < value, sa.and_(column == value, upto))
            connection.execute(sa.delete(table).where(mine, upto))
        if taken < len(found) or rows >= ROWS or weight >= BYTES:
            break
    return rows > 0


def _light(rows: Any) -> Iterator[Any]:
    """Keys of rows of sixteen megabytes together; at least one."""
    weight = 0
    for key, size in rows:
        if weight >= BYTES:
            return
        weight += size
        yield key


def _are_few(connection: Connection, owner: str, deleted: bool) -> bool:
    numbers = sa.select(series.c.id).where(series.c.owner == owner)
    left = FEW + 1
    weight = 0
    tables = [
        (series, series.c.owner == owner),
        (series_batch, series_batch.c.owner == owner),
        (event, event.c.owner == owner),
        (log_block, log_block.c.owner == owner),
        (series_seen, series_seen.c.owner == owner),
        (series_chunk, series_chunk.c.series_id.in_(numbers)),
        (series_level, series_level.c.series_id.in_(numbers)),
    ]
    if deleted:
        journals = sa.select(journal.c.id).where(journal.c.owner == owner)
        tables.append((journal, journal.c.owner == owner))
        tables.append((journal_series, journal_series.c.journal_id.in_(journals)))
    for table, mine in tables:
        size = sa.func.length(table.c.payload) if "payload" in table.c else sa.literal(0)
        some = sa.select(size.label("size")).select_from(table).where(mine).limit(left).subquery()
        many, held = connection.execute(
            sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(some.c.size), 0))
        ).one()
        left, weight = left - many, weight + int(held)
        if left <= 0 or weight > BYTES:
            return False
    return True


def measured(connection: Connection, owner: str) -> Freed:
    """What goes when a task or model is erased: a look at every row."""

    def one(*columns: Any, where: Any) -> Any:
        return connection.execute(sa.select(*columns).where(where)).one()

    def size(column: Any) -> Any:
        return sa.func.coalesce(sa.func.sum(sa.func.length(column)), 0)

    numbers = sa.select(series.c.id).where(series.c.owner == owner)
    points = one(sa.func.coalesce(sa.func.sum(series.c.count), 0), where=series.c.owner == owner)[0]
    rows, held = one(sa.func.count(), size(event.c.payload), where=event.c.owner == owner)
    console = logs.totals(connection, owner)
    total = int(held)
    for table, where in (
        (series_chunk, series_chunk.c.series_id.in_(numbers)),
        (series_level, series_level.c.series_id.in_(numbers)),
        (series_batch, series_batch.c.owner == owner),
        (log_block, log_block.c.owner == owner),
    ):
        total += int(one(size(table.c.payload), where=where)[0])
    reports = console.entries - console.first_entry
    return Freed(points=int(points), reports=reports, events=rows, bytes=total)
