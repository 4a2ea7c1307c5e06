"""Table of the tasks and models whose results are gone for every reader, and still have rows."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.errors import TaskRace
from trialbook.server.stores.database import metadata
from trialbook.server.stores.dialect import insert

grave = sa.Table(
    "grave",
    metadata,
    sa.Column("owner", sa.String(32), primary_key=True),
    # Whether its journals go as well, because the task or model itself has gone.
    sa.Column("journals", sa.Boolean, nullable=False),
    sa.Column("since", sa.Double, nullable=False),
)
"""A row says: everything that was reported to ``owner`` is erased. No reader shows any of it, nothing is added before
the last of it has gone, and a loop deletes it, some rows at a time."""


class Buried(TaskRace):
    """What a task or model had before must be cleared first: roll back, clear, and begin again."""

    def __init__(self, owner: str) -> None:
        super().__init__(f"the former results of {owner} are being deleted; repeat the call", id=owner)
        self.owner = owner


def bury(connection: Connection, owner: str, now: float, *, journals: bool) -> None:
    """Hide everything that was reported to a task or model, for good.

    Args:
        connection: of a write transaction.
        owner: task or model id.
        now: seconds.
        journals: whether its journals go as well.
    """
    statement = insert(connection, grave)
    statement = statement.on_conflict_do_update(
        index_elements=["owner"], set_={"journals": sa.or_(grave.c.journals, statement.excluded.journals)}
    )
    connection.execute(statement, {"owner": owner, "journals": journals, "since": now})


def holds(connection: Connection, owner: str) -> bool:
    """Whether rows of former results are left."""
    return connection.execute(sa.select(grave.c.owner).where(grave.c.owner == owner)).first() is not None


def oldest(connection: Connection, many: int) -> list[str]:
    """Who waits longest to be cleared."""
    query = sa.select(grave.c.owner).order_by(grave.c.since, grave.c.owner).limit(many)
    return list(connection.execute(query).scalars())


def standing(owner: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """The condition of every reader: what the row belongs to has not been erased."""
    return owner.not_in(sa.select(grave.c.owner))
