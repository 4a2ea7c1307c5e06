"""Import this to have the whole method table filled."""

from trialbook.wire import (
    auth,
    datasets,
    event_pictures,
    events,
    logs,
    models,
    projects,
    queues,
    series,
    server,
    task_lifecycle,
    task_parts,
    tasks,
    users,
    workers,
)
from trialbook.wire.table import METHODS, Method, MethodTable, Permission

__all__ = [
    "METHODS",
    "Method",
    "MethodTable",
    "Permission",
    "auth",
    "datasets",
    "event_pictures",
    "events",
    "logs",
    "models",
    "projects",
    "queues",
    "series",
    "server",
    "task_lifecycle",
    "task_parts",
    "tasks",
    "users",
    "workers",
]
