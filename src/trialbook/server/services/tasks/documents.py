"""Tasks as the wire shows them: only the columns that a projection needs are read."""

from collections.abc import Sequence
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.base.clock import iso
from trialbook.server.core.projection import Projection
from trialbook.server.stores.projects import COMPANY
from trialbook.server.stores.tasks import task


class Metrics(Protocol):
    """Reads ``last_metrics`` by owner; of the metrics with these md5 only, or of all."""

    def __call__(
        self, connection: Connection, owners: Sequence[str], metric_hashes: Sequence[str] | None = None
    ) -> dict[str, Any]: ...


_TEXTS = ("name", "type", "status", "status_reason", "status_message", "project", "parent", "user", "comment")
_MOMENTS = (
    "status_changed",
    "created",
    "started",
    "completed",
    "published",
    "last_update",
    "last_change",
    "last_worker_report",
)
_NUMBERS = ("last_worker", "active_duration", "last_iteration")
_DOCUMENTS = ("tags", "system_tags", "hyperparams", "configuration", "container", "runtime")
_FILLED: dict[str, dict[str, Any]] = {
    "script": {},
    "execution": {
        "queue": None,
        "parameters": {},
        "model_desc": {},
        "model_labels": {},
        "framework": None,
        "artifacts": [],
    },
    "models": {"input": [], "output": []},
    "output": {"destination": None, "model": None, "result": None, "error": None},
}
"""Containers that clients dereference without asking are there even when empty."""


class Documents:
    """Rows to documents.

    Args:
        last_metrics: reads the statistics of series.
    """

    def __init__(self, last_metrics: Metrics) -> None:
        self._last_metrics = last_metrics

    def columns(self, projection: Projection) -> "list[sa.Column[Any]]":
        """What must be selected."""
        names = (*_TEXTS, *_MOMENTS, *_NUMBERS, *_DOCUMENTS, *_FILLED)
        found = [task.c.id, *(task.c[name] for name in names if projection.wants(name))]
        if projection.wants("execution"):
            found.append(task.c.queue)
        return found

    def build(
        self, connection: Connection, rows: "Sequence[sa.Row[Any]]", projection: Projection
    ) -> list[dict[str, Any]]:
        """The documents of some rows, in their order."""
        metrics = self.metrics(connection, [row.id for row in rows], projection)
        return [projection(self._one(row._mapping, metrics)) for row in rows]

    def metrics(
        self, connection: Connection, ids: Sequence[str], projection: Projection
    ) -> dict[str, Any] | None:
        """``last_metrics`` by owner; None when the projection leaves them out."""
        if not ids or not projection.wants("last_metrics"):
            return None
        return self._last_metrics(connection, ids, _asked_metrics(projection))

    @staticmethod
    def _one(row: Any, metrics: dict[str, Any] | None) -> dict[str, Any]:
        found: dict[str, Any] = {"id": row["id"], "company": COMPANY}
        for name in (*_TEXTS, *_NUMBERS, *_DOCUMENTS):
            if name in row:
                found[name] = row[name]
        for name in _MOMENTS:
            if name in row:
                found[name] = None if row[name] is None else iso(row[name])
        for name, defaults in _FILLED.items():
            if name in row:
                found[name] = {**defaults, **row[name]}
        if "execution" in row:
            found["execution"]["queue"] = row["queue"]
        if metrics is not None:
            found["last_metrics"] = metrics.get(row["id"], {})
        return found


def _asked_metrics(projection: Projection) -> list[str] | None:
    """The md5 of the metrics that the projection names, so that a table with three metric columns does not read the
    thousands that its tasks have; None when it wants them all."""
    paths = [path.split(".") for path in projection.keep if path.partition(".")[0] == "last_metrics"]
    if not paths or any(len(path) < 2 for path in paths):
        return None
    return sorted({path[1] for path in paths})
