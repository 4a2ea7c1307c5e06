"""Everything that was reported to a task, given to another one."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.server.stores import graves
from trialbook.server.stores.events import event
from trialbook.server.stores.logs import console, log_block
from trialbook.server.stores.series import series, series_batch


def hand_over(connection: Connection, owner: str, to: str) -> bool:
    """Give points, statistics, events and console of a task to one that has none; False when there was nothing.

    Series keep their numbers, so chunks stay where they are and a compaction that is being computed stays right. A
    process that remembers such a number for the old owner finds no row of that owner and asks again. Journals stay: one
    that is being sent goes on at its offset, to the old owner.

    Args:
        connection: of a write transaction.
        owner: task id.
        to: id of a task to which nothing was reported.
    """
    if graves.holds(connection, owner):
        # What is left there was erased, and comes back to nobody.
        return False
    tables = (series, series_batch, event, log_block, console)
    moved = [
        connection.execute(sa.update(table).where(table.c.owner == owner).values(owner=to)).rowcount
        for table in tables
    ]
    return any(moved)
