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
    # Whether the files of its images that lie on this server go as well.
    sa.Column("files", sa.Boolean, nullable=False, server_default=sa.false()),
    # Who gets it all, instead of nobody.
    sa.Column("heir", sa.String(32), nullable=True),
)
"""A row says: everything that was reported to ``owner`` is erased. No reader shows any of it, nothing is added before
the last of it has gone, and a loop deletes it, some rows at a time. Where there is an ``heir``, it is not erased but
given to that one, who meanwhile gets nothing else."""


class Buried(TaskRace):
    """What a task or model had before must be cleared first: roll back, clear, and begin again."""

    def __init__(self, owner: str) -> None:
        super().__init__(f"the former results of {owner} are being deleted; repeat the call", id=owner)
        self.owner = owner


def bury(
    connection: Connection,
    owner: str,
    now: float,
    *,
    journals: bool,
    files: bool = False,
    heir: str | None = None,
) -> None:
    """Hide everything that was reported to a task or model, for good.

    Args:
        connection: of a write transaction.
        owner: task or model id.
        now: seconds.
        journals: whether its journals go as well.
        files: whether the files of its images go as well.
        heir: id of the task that gets it all; it has nothing yet, and ``owner`` has no grave.
    """
    statement = insert(connection, grave)
    statement = statement.on_conflict_do_update(
        index_elements=["owner"],
        set_={name: sa.or_(grave.c[name], statement.excluded[name]) for name in ("journals", "files")},
    )
    row = {"owner": owner, "journals": journals, "since": now, "files": files, "heir": heir}
    connection.execute(statement, row)


def before(connection: Connection, owner: str) -> str | None:
    """Whose grave must be cleared before anything is added to a task or model: its own, or one that it inherits."""
    query = sa.select(grave.c.owner).where(sa.or_(grave.c.owner == owner, grave.c.heir == owner)).limit(1)
    return connection.execute(query).scalar()


def settle(connection: Connection, owner: str) -> None:
    """Check that nothing on its way from or to another task is erased with a task.

    Raises:
        Buried: a hand-over must be finished first.
    """
    mine = sa.or_(grave.c.owner == owner, grave.c.heir == owner)
    query = sa.select(grave.c.owner).where(mine, grave.c.heir.is_not(None)).limit(1)
    found = connection.execute(query).scalar()
    if found is not None:
        raise Buried(found)


def oldest(connection: Connection, many: int) -> list[str]:
    """Who waits longest to be cleared."""
    query = sa.select(grave.c.owner).order_by(grave.c.since, grave.c.owner).limit(many)
    return list(connection.execute(query).scalars())


def standing(owner: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """The condition of every reader: what the row belongs to has not been erased."""
    return owner.not_in(sa.select(grave.c.owner))
