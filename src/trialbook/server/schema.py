"""Every table of the server: importing this fills ``metadata``."""

from trialbook.server.stores import (
    changes,
    datasets,
    events,
    facets,
    garbage,
    graves,
    journals,
    leaving,
    logs,
    models,
    projects,
    queues,
    retention,
    series,
    tasks,
    users,
    workers,
)
from trialbook.server.stores.database import metadata

__all__ = [
    "changes",
    "datasets",
    "events",
    "facets",
    "garbage",
    "graves",
    "journals",
    "leaving",
    "logs",
    "metadata",
    "models",
    "projects",
    "queues",
    "retention",
    "series",
    "tasks",
    "users",
    "workers",
]
