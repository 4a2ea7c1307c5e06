"""Import this to have the whole method table filled."""

from trialbook.wire import auth, events, models, projects, queues, series, server, tasks, users, workers
from trialbook.wire.table import METHODS, Method, MethodTable, Permission

__all__ = [
    "METHODS",
    "Method",
    "MethodTable",
    "Permission",
    "auth",
    "events",
    "models",
    "projects",
    "queues",
    "series",
    "server",
    "tasks",
    "users",
    "workers",
]
