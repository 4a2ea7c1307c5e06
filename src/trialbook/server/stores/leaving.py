"""Table of the projects that were deleted, and whose tasks and models still have to follow."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.server.stores.database import metadata

leaving = sa.Table(
    "leaving",
    metadata,
    sa.Column("project", sa.String(32), primary_key=True),
    # Whether what it held is deleted; else it stays, without a project.
    sa.Column("contents", sa.Boolean, nullable=False),
    sa.Column("since", sa.Double, nullable=False),
)
"""The project itself is gone when its row is written, so nothing is added to it; whoever clears it, the call or after a
crash a loop, takes some of its tasks and models in each transaction."""


def add(connection: Connection, projects: Sequence[str], *, contents: bool, now: float) -> None:
    """These are gone, and what they held follows."""
    rows = [{"project": one, "contents": contents, "since": now} for one in projects]
    connection.execute(leaving.insert(), rows)


def locked(connection: Connection, project: str) -> bool | None:
    """Whether the contents are deleted; None when the project is cleared. Others who clear it wait until the end of
    this transaction."""
    query = sa.select(leaving.c.contents).where(leaving.c.project == project).with_for_update()
    return connection.execute(query).scalar()


def oldest(connection: Connection) -> str | None:
    """Which one has waited longest."""
    query = sa.select(leaving.c.project).order_by(leaving.c.since, leaving.c.project).limit(1)
    return connection.execute(query).scalar()


def done(connection: Connection, project: str) -> None:
    """Nothing is left of it."""
    connection.execute(leaving.delete().where(leaving.c.project == project))
