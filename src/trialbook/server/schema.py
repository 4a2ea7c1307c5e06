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
    workers,
)
from trialbook.server.stores.database import metadata

__all__ = [
    "events",
    "facets",
    "journals",
    "logs",
    "metadata",
    "models",
    "projects",
    "queues",
    "series",
    "tasks",
    "users",
    "workers",
]
