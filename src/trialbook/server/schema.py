"""Every table of the server: importing this fills ``metadata``."""

from trialbook.server.stores import (
    datasets,
    events,
    facets,
    garbage,
    graves,
    journals,
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
    "datasets",
    "events",
    "facets",
    "garbage",
    "graves",
    "journals",
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
