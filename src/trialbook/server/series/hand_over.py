"""Everything that was reported to a task, given to another one: a little at once, else some rows at a time."""

from __future__ import annotations

import time

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.server.stores import graves
from trialbook.server.stores.events import event
from trialbook.server.stores.logs import console, log_block
from trialbook.server.stores.series import portions, series, series_batch, series_seen

ROWS = 1000
"""What one transaction gives."""
_KEYS = (
    (series_batch, series_batch.c.id),
    (series, series.c.id),
    (event, event.c.id),
    (log_block, log_block.c.first_line),
)


def hand_over(connection: Connection, owner: str, to: str) -> bool:
    """Give points, statistics, events and console of a task to one that has none; False when there was nothing.

    Series keep their numbers, so chunks stay where they are and a compaction that is being computed stays right. A
    process that remembers such a number for the old owner finds no row of that owner and asks again. Journals stay: one
    that is being sent goes on at its offset, to the old owner.

    Of more than a thousand rows the transaction only says who gets them: no reader sees them at the old owner any
    more, and ``erase.clear`` brings them to the new one.

    Args:
        connection: of a write transaction.
        owner: task id.
        to: id of a task to which nothing was reported.
    """
    if graves.before(connection, owner) is not None:
        # What is left there was erased, or has its heir, and comes back to nobody.
        return False
    given = bool(connection.execute(_giving(console, owner, to)).rowcount)
    given = hand_some(connection, owner, to) or given
    if _left(connection, owner):
        graves.bury(connection, owner, time.time(), journals=False, heir=to)
    else:
        connection.execute(sa.delete(series_seen).where(series_seen.c.owner == owner))
    return given


def hand_some(connection: Connection, owner: str, to: str) -> bool:
    """Give up to a thousand rows; False when there are none."""
    left = ROWS
    for table, key in _KEYS:
        query = sa.select(key).where(table.c.owner == owner).order_by(key).limit(left)
        keys = list(connection.execute(query).scalars())
        for some in portions(keys):
            connection.execute(_giving(table, owner, to).where(key.in_(some)))
        left -= len(keys)
        if not left:
            break
    return left < ROWS


def _giving(table: sa.Table, owner: str, to: str) -> sa.Update:
    return sa.update(table).where(table.c.owner == owner).values(owner=to)


def _left(connection: Connection, owner: str) -> bool:
    return any(
        connection.execute(sa.select(key).where(table.c.owner == owner).limit(1)).first()
        for table, key in _KEYS
    )
