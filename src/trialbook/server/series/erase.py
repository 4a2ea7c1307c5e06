"""Everything that was reported to a task or model, gone."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.server.core.freed import Freed
from trialbook.server.stores import events, logs
from trialbook.server.stores.events import event
from trialbook.server.stores.journals import journal, journal_series
from trialbook.server.stores.logs import log_block
from trialbook.server.stores.series import series, series_batch, series_chunk, series_level, series_seen


def erase_owner(connection: Connection, owner: str, *, deleted: bool = False) -> Freed:
    """Erase points, statistics, events and console of a task or model.

    Args:
        connection: of a write transaction.
        owner: task or model id.
        deleted: True when the task itself goes: then its journals are forgotten too. A reset keeps them, because a
            journal that is being sent goes on at its offset, with the series numbers that it has given;
            without its row the server would ask for a beginning that the client has deleted already.
    """
    freed = _measured(connection, owner)
    numbers = sa.select(series.c.id).where(series.c.owner == owner)
    # Batch rows first: a compaction that is being computed finds them gone and gives up.
    connection.execute(sa.delete(series_batch).where(series_batch.c.owner == owner))
    connection.execute(sa.delete(series_chunk).where(series_chunk.c.series_id.in_(numbers)))
    connection.execute(sa.delete(series_level).where(series_level.c.series_id.in_(numbers)))
    connection.execute(sa.delete(series).where(series.c.owner == owner))
    connection.execute(sa.delete(series_seen).where(series_seen.c.owner == owner))
    events.erase(connection, owner)
    logs.erase(connection, owner)
    if deleted:
        journals = sa.select(journal.c.id).where(journal.c.owner == owner)
        connection.execute(sa.delete(journal_series).where(journal_series.c.journal_id.in_(journals)))
        connection.execute(sa.delete(journal).where(journal.c.owner == owner))
    return freed


def _measured(connection: Connection, owner: str) -> Freed:
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
