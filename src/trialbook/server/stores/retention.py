"""How long things are kept: one row per project that says so, and one for all others."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.server.stores.database import metadata
from trialbook.server.stores.dialect import insert

retention = sa.Table(
    "retention",
    metadata,
    sa.Column("project", sa.String(32), primary_key=True),
    sa.Column("console_days", sa.Double, nullable=True),
    sa.Column("samples_days", sa.Double, nullable=True),
    sa.Column("archived_days", sa.Double, nullable=True),
)
"""``project`` is empty in the row for all projects without one of their own. NULL keeps for ever."""

FIELDS = ("console_days", "samples_days", "archived_days")


def put(connection: Connection, project: str, values: dict[str, float | None]) -> None:
    """Say how long; a rule that keeps everything is not a rule."""
    if all(value is None for value in values.values()):
        connection.execute(retention.delete().where(retention.c.project == project))
        return
    statement = insert(connection, retention).values(project=project, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["project"], set_=values))


def get(connection: Connection, project: str) -> dict[str, float | None]:
    """The rule of one project, or with an empty text the one for all others."""
    row = connection.execute(sa.select(retention).where(retention.c.project == project)).first()
    return {name: None if row is None else getattr(row, name) for name in FIELDS}


def rules(connection: Connection) -> "list[sa.Row[Any]]":
    """All of them."""
    return list(connection.execute(sa.select(retention)))
