"""Everything that was reported to a task or model, gone."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.server.stores import events, logs
from trialbook.server.stores.journals import journal, journal_series
from trialbook.server.stores.series import series, series_batch, series_chunk, series_seen


def erase_owner(connection: Connection, owner: str, *, deleted: bool = False) -> None:
    """Erase points, statistics, events and console of a task or model.

    Args:
        connection: of a write transaction.
        owner: task or model id.
        deleted: True when the task itself goes: then its journals are forgotten too. A reset keeps them,
        because a
            journal that is being sent goes on at its offset, with the series numbers that it has given;
            without its row the server would ask for a beginning that the client has deleted already.
    """
    numbers = sa.select(series.c.id).where(series.c.owner == owner)
    # Batch rows first: a compaction that is being computed finds them gone and gives up.
    connection.execute(sa.delete(series_batch).where(series_batch.c.owner == owner))
    connection.execute(sa.delete(series_chunk).where(series_chunk.c.series_id.in_(numbers)))
    connection.execute(sa.delete(series).where(series.c.owner == owner))
    connection.execute(sa.delete(series_seen).where(series_seen.c.owner == owner))
    events.erase(connection, owner)
    logs.erase(connection, owner)
    if deleted:
        journals = sa.select(journal.c.id).where(journal.c.owner == owner)
        connection.execute(sa.delete(journal_series).where(journal_series.c.journal_id.in_(journals)))
        connection.execute(sa.delete(journal).where(journal.c.owner == owner))
