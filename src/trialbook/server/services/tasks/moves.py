"""Every move of a task's status, with all that a move entails."""

from collections.abc import Sequence
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.base.clock import iso
from trialbook.errors import (
    TaskStatusRefused,
)
from trialbook.server.services.call import Call
from trialbook.server.services.changes import changed
from trialbook.server.stores.models import ModelStore
from trialbook.server.stores.projects import ProjectStore
from trialbook.server.stores.queues import QueueStore
from trialbook.server.stores.tasks import TASKS, TaskStore, task
from trialbook.wire.states import MOVES, may_move


class Eraser(Protocol):
    """Forgets points, events and console of a task or model; ``deleted`` when the owner itself goes too, ``files`` when
    files of its images on this server go as well."""

    def __call__(
        self, connection: Connection, owner: str, *, deleted: bool = False, files: bool = False
    ) -> None: ...


SILENT_WORKER_SECONDS = 600.0
"""A worker that has not reported for so long does not answer a request to stop."""

DEVELOPMENT = "development"
ARCHIVED = "archived"


def require_all(call: Call, tasks: TaskStore, ids: Sequence[str]) -> None:
    """Refuse a list with an unknown task before the first slice of it changes anything."""
    if not call.is_open:
        with call.read() as connection:
            for id in ids:
                tasks.require(connection, id, task.c.id)


class Moves:
    """Moves of the status.

    Args:
        tasks, projects, models, queues: the stores.
        erase: forgets the results of a task.
    """

    def __init__(
        self, tasks: TaskStore, projects: ProjectStore, models: ModelStore, queues: QueueStore, erase: Eraser
    ) -> None:
        self._tasks = tasks
        self._projects = projects
        self._models = models
        self._queues = queues
        self._erase = erase

    def move(
        self,
        call: Call,
        row: Any,
        new: str,
        *,
        force: bool = False,
        reason: str = "",
        message: str = "",
        values: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Move a task to another status; the fields that changed, as the wire shows them.

        Raises:
            TaskStatusRefused: the table does not allow the move, and ``force`` is false.
        """
        old = row.status
        if not force and not may_move(old, new):
            raise TaskStatusRefused(
                f"a task that is {old} cannot become {new}; from there it may become:"
                f" {', '.join(sorted(MOVES[old])) or 'nothing else'}",
                id=row.id,
                status=old,
                new_status=new,
            )
        changes: dict[str, Any] = {
            "status": new,
            "status_reason": reason,
            "status_message": message,
            "status_changed": call.now if old != new else row.status_changed,
            "last_update": call.now,
            "last_change": call.now,
            **(values or {}),
        }
        self._tasks.change(call.connection, row.id, changes, only_from=old)
        if old != new:
            self._tasks.record(
                call.connection,
                row.id,
                time=call.now,
                user=call.caller.user or None,
                method=call.method,
                old=old,
                new=new,
                reason=reason,
                message=message,
            )
        self._touched(call, row, changes, verb=new if old != new else "edited")
        return _shown(changes)

    def forget(self, connection: Connection, owner: str) -> None:
        """Erase the results of a task or model that goes."""
        self._erase(connection, owner, deleted=True)

    def _touched(self, call: Call, row: Any, values: dict[str, Any], verb: str = "edited") -> None:
        self._projects.touch(call.connection, row.project, call.now)
        changed(call, "task", row.id, verb, project=row.project, before=row._mapping, after=values)

    def _unqueue(self, call: Call, id: str) -> bool:
        """Take a task out of its queue and tell the pages; False when it waits in none."""
        queue = self._queues.remove(call.connection, id)
        if queue is not None:
            changed(call, "queue", queue, "task left", before={"task": id})
        return queue is not None

    @staticmethod
    def _model_changed(call: Call, row: Any, values: dict[str, Any], verb: str = "edited") -> None:
        changed(call, "model", row.id, verb, project=row.project, before=row._mapping, after=values)

    @staticmethod
    def _model_gone(call: Call, row: Any) -> None:
        was = {"name": row.name, "uri": row.uri, "task": row.task}
        changed(call, "model", row.id, "deleted", project=row.project, before=was)

    def _row(self, call: Call, id: str) -> Any:
        return self._tasks.require(call.connection, id, lock=True)

    def started(
        self, call: Call, id: str, *, force: bool, reason: str, message: str
    ) -> tuple[dict[str, Any], int]:
        """The task runs; the changed fields, and 1 when it did not run before."""
        row = self._row(call, id)
        fresh = row.status != "in_progress"
        values = {"started": call.now, "completed": None, "active_duration": None} if fresh else {}
        fields = self.move(
            call, row, "in_progress", force=force, reason=reason, message=message, values=values
        )
        return fields, int(fresh)

    def ended(
        self, call: Call, id: str, new: str, *, force: bool, reason: str, message: str
    ) -> dict[str, Any]:
        """The task was stopped, failed or completed."""
        row = self._row(call, id)
        values: dict[str, Any] = {"completed": call.now} if row.status != new or row.completed is None else {}
        if values and row.started is not None:
            values["active_duration"] = max(0, int(call.now - row.started))
        self._unqueue(call, id)
        return self.move(call, row, new, force=force, reason=reason, message=message, values=values)

    def stop(self, call: Call, id: str, *, force: bool, reason: str, message: str) -> dict[str, Any]:
        """Ask for the end. Where nobody listens the task is stopped at once; else its worker sees ``stopping``."""
        row = self._row(call, id)
        listening = (
            row.status == "in_progress"
            and DEVELOPMENT not in row.system_tags
            and row.last_worker_report is not None
            and call.now - row.last_worker_report < SILENT_WORKER_SECONDS
        )
        if listening:
            return self.move(call, row, row.status, reason=reason, message="stopping")
        said = message or f"Stopped by {call.caller.name or 'unknown'}"
        return self.ended(call, id, "stopped", force=force, reason=reason, message=said)

    def close(self, call: Call, id: str, *, force: bool, reason: str, message: str) -> dict[str, Any]:
        """A stopped task is closed."""
        return self.move(call, self._row(call, id), "closed", force=force, reason=reason, message=message)

    def publish(
        self, call: Call, id: str, *, force: bool, publish_model: bool, reason: str, message: str
    ) -> dict[str, Any]:
        """Freeze a task, and the models that it made."""
        row = self._row(call, id)
        if row.status == "published":
            return self.move(call, row, "published", reason=reason, message=message)
        if not force and not may_move(row.status, "published"):
            raise TaskStatusRefused(
                f"a task that is {row.status} cannot be published; it must have ended first",
                id=id,
                status=row.status,
            )
        if publish_model:
            for item in row.models.get("output") or ():
                found = self._models.get(call.connection, item.get("model", ""))
                if found is not None and not found.ready:
                    self._models.change(
                        call.connection,
                        found.id,
                        {"ready": True, "last_update": call.now, "last_change": call.now},
                    )
                    self._model_changed(call, found, {"ready": True}, "published")
        return self.move(
            call,
            row,
            "published",
            force=force,
            reason=reason,
            message=message,
            values={"published": call.now},
        )

    def _used_elsewhere(self, connection: Connection, model: str, id: str) -> bool:
        return any(other != id for other in self.users_of_model(connection, model))

    def users_of_model(self, connection: Connection, model: str) -> list[str]:
        """Ids of the tasks that take a model as input."""
        field = TASKS.find("models.input.model")
        assert field is not None
        return list(connection.execute(sa.select(task.c.id).where(field.has([model]))).scalars())

    def ping(self, call: Call, id: str) -> None:
        """The task is alive. Small and frequent, so no page is told."""
        row = self._tasks.require(call.connection, id, task.c.started, task.c.status)
        values: dict[str, Any] = {"last_update": call.now}
        if row.started is not None and row.status == "in_progress":
            values["active_duration"] = max(0, int(call.now - row.started))
        call.connection.execute(task.update().where(task.c.id == id).values(**values))


_SHOWN = ("status", "status_reason", "status_message", "system_tags")
_SHOWN_MOMENTS = ("status_changed", "last_update", "last_change", "started", "completed", "published")


def _shown(changes: dict[str, Any]) -> dict[str, Any]:
    fields = {name: changes[name] for name in _SHOWN if name in changes}
    for name in _SHOWN_MOMENTS:
        if name in changes:
            fields[name] = None if changes[name] is None else iso(changes[name])
    return fields
