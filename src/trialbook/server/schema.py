"""Every table of the server: importing this fills ``metadata``."""

from trialbook.server.stores import (
    events,
    facets,
    journals,
    logs,
    models,
    projects,
    queues,
    series,
    tasks,
    users,
)
from trialbook.server.stores.database import Database, metadata

__all__ = [
    "events",
    "facets",
    "journals",
    "logs",
    "metadata",
    "models",
    "prepare",
    "projects",
    "queues",
    "series",
    "tasks",
    "users",
]


def prepare(database: Database) -> None:
    """Bring the database to the schema of this version."""
    with database.write() as connection:
        metadata.create_all(connection)
