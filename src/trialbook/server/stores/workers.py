"""Workers that take tasks from queues."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.server.stores.database import Database, Json, metadata

worker = sa.Table(
    "worker",
    metadata,
    sa.Column("name_digest", sa.String(32), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("user", sa.String(32), nullable=False),
    sa.Column("ip", sa.Text, nullable=False),
    sa.Column("queues", Json, nullable=False),
    sa.Column("tags", Json, nullable=False),
    sa.Column("registered", sa.Double, nullable=False),
    sa.Column("last_report", sa.Double, nullable=False),
    sa.Column("timeout", sa.Double, nullable=False),
    sa.Column("task", sa.String(32), nullable=True),
    sa.Column("queue", sa.String(32), nullable=True),
    sa.Column("machine_stats", Json, nullable=False),
    sa.Column("properties", Json, nullable=False, server_default="{}"),
)
"""One row per worker; there are few, so it needs no further index."""


class WorkerStore:
    """Rows of workers.

    Args:
        database: knows how to upsert.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, connection: Connection, digest: str) -> "sa.Row[Any] | None":
        """The row, or None."""
        return connection.execute(sa.select(worker).where(worker.c.name_digest == digest)).first()

    def put(self, connection: Connection, values: dict[str, Any]) -> None:
        """Insert or overwrite a row."""
        self._database.upsert(connection, worker, [values], ["name_digest"])

    def drop(self, connection: Connection, digest: str) -> None:
        """Forget a worker."""
        connection.execute(worker.delete().where(worker.c.name_digest == digest))

    def alive(self, connection: Connection, now: float) -> "list[sa.Row[Any]]":
        """Workers that have reported in time, by name."""
        statement = (
            sa.select(worker).where(worker.c.last_report + worker.c.timeout > now).order_by(worker.c.name)
        )
        return list(connection.execute(statement))

    def drop_silent(self, connection: Connection, before: float) -> int:
        """Forget those that were silent for long; how many."""
        return connection.execute(
            worker.delete().where(worker.c.last_report + worker.c.timeout < before)
        ).rowcount
