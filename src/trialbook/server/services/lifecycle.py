"""A task's life: every move of its status, with all that a move entails."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.base.clock import iso
from trialbook.errors import (
    BadField,
    NoDefaultQueue,
    QueueNotFound,
    TaskAlreadyQueued,
    TaskNotDeletable,
    TaskStatusRefused,
)
from trialbook.server.core.freed import Freed
from trialbook.server.core.moves import LOCKED, MOVES, allowed
from trialbook.server.series.erase import measured
from trialbook.server.services.call import Call, announce, announce_model, announce_queue
from trialbook.server.services.keeping import keep
from trialbook.server.stores import events, garbage
from trialbook.server.stores.models import ModelStore
from trialbook.server.stores.projects import ProjectStore
from trialbook.server.stores.queues import QueueStore, queue_entry
from trialbook.server.stores.tasks import TASKS, TaskStore, task


class Eraser(Protocol):
    """Forgets points, events and console of a task or model; ``deleted`` when the owner itself goes too, ``files`` when
    files of its images on this server go as well."""

    def __call__(
        self, connection: Connection, owner: str, *, deleted: bool = False, files: bool = False
    ) -> None: ...


@dataclass(frozen=True)
class Survey:
    """What is with a task before it is deleted: a look at every row of it, so it is taken without the lock.

    Attributes:
        events: where its images are; empty when nobody asked.
        keys: of these, what this server holds for it.
        freed: what goes with it and its draft models.
    """

    events: tuple[str, ...] = ()
    keys: frozenset[str] = frozenset()
    freed: Freed = field(default_factory=Freed)


SILENT_WORKER_SECONDS = 600.0
"""A worker that has not reported for so long does not answer a request to stop."""

DEVELOPMENT = "development"
ARCHIVED = "archived"


class Lifecycle:
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
        if not force and not allowed(old, new):
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
        self._touched(call, row)
        return _shown(changes)

    def forget(self, connection: Connection, owner: str) -> None:
        """Erase the results of a task or model that goes."""
        self._erase(connection, owner, deleted=True)

    def _touched(self, call: Call, row: Any) -> None:
        self._projects.touch(call.connection, row.project, call.now)
        announce(call, row.id, row.project)

    def _unqueue(self, call: Call, id: str) -> bool:
        """Take a task out of its queue and tell the pages; False when it waits in none."""
        queue = self._queues.remove(call.connection, id)
        announce_queue(call, queue)
        return queue is not None

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
        if not force and not allowed(row.status, "published"):
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
                    announce_model(call, found.id)
        return self.move(
            call,
            row,
            "published",
            force=force,
            reason=reason,
            message=message,
            values={"published": call.now},
        )

    def reset(
        self,
        call: Call,
        id: str,
        *,
        force: bool,
        clear_all: bool,
        delete_models: bool = True,
        keep_results: bool = False,
        reason: str = "",
        message: str = "",
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Forget the results, or keep them in an archived task; the changed fields, and counts of what went."""
        row = self._row(call, id)
        if row.status in LOCKED and not force:
            raise TaskStatusRefused("a published task cannot be reset", id=id, status=row.status)
        if not force and not allowed(row.status, "created"):
            raise TaskStatusRefused(f"a task that is {row.status} cannot be reset", id=id, status=row.status)
        dequeued = self._unqueue(call, id)
        kept = keep(call, self._tasks, self._models, row) if keep_results else None
        deleted = self._drop_draft_models(call, id) if delete_models else 0
        if kept is None:
            self._erase(call.connection, id)
        execution = {} if clear_all else dict(row.execution)
        inputs = [item for item in row.execution.get("artifacts") or () if item.get("mode") == "input"]
        execution["artifacts"] = inputs
        values: dict[str, Any] = {
            "last_iteration": 0,
            "started": None,
            "completed": None,
            "published": None,
            "active_duration": None,
            "last_worker": None,
            "last_worker_report": None,
            "runtime": {},
            "queue": None,
            "status_before_queue": None,
            "output": {**row.output, "result": None, "error": None, "model": None},
            "models": {**row.models, "output": []},
            "execution": execution,
        }
        if clear_all:
            values["script"] = {}
        fields = self.move(
            call,
            row,
            "created",
            force=force,
            reason=reason or "reset",
            message=message or "reset",
            values=values,
        )
        call.publish(f"task:{id}", "series")
        call.publish(f"task:{id}", "log")
        call.publish(f"task:{id}", "events")
        # The released client accepts only an object here, where `tasks.dequeue` answers a number.
        counts: dict[str, Any] = {"dequeued": {"removed": int(dequeued)}, "deleted_models": deleted}
        return fields, counts | ({"kept": kept} if kept else {})

    def _drop_draft_models(self, call: Call, id: str) -> int:
        dropped = 0
        for found in self._models.of_task(call.connection, id):
            if not found.ready and not self._used_elsewhere(call.connection, found.id, id):
                self._erase(call.connection, found.id, deleted=True)
                self._models.delete(call.connection, found.id)
                announce_model(call, found.id)
                dropped += 1
        return dropped

    def _used_elsewhere(self, connection: Connection, model: str, id: str) -> bool:
        return any(other != id for other in self.users_of_model(connection, model))

    def users_of_model(self, connection: Connection, model: str) -> list[str]:
        """Ids of the tasks that take a model as input."""
        field = TASKS.find("models.input.model")
        assert field is not None
        return list(connection.execute(sa.select(task.c.id).where(field.has([model]))).scalars())

    def enqueue(
        self,
        call: Call,
        id: str,
        queue: str | None,
        queue_name: str | None,
        *,
        force: bool,
        reason: str,
        message: str,
    ) -> dict[str, Any]:
        """Put a task at the end of a queue."""
        target = self._target(call.connection, queue, queue_name)
        row = self._row(call, id)
        if row.status == "queued" and not self._stale_entry(call.connection, id):
            raise TaskAlreadyQueued(f"task {id} waits in a queue already", id=id)
        self._unqueue(call, id)
        # An agent kills a development task instead of asking it to stop, so a queued one may not be marked as such.
        tags = [tag for tag in row.system_tags if tag != DEVELOPMENT]
        before = row.status if row.status != "queued" else row.status_before_queue
        values = {"queue": target, "status_before_queue": before, "system_tags": tags}
        fields = self.move(call, row, "queued", force=force, reason=reason, message=message, values=values)
        self._queues.add(call.connection, target, id, call.now)
        announce_queue(call, target)
        fields["execution.queue"] = target
        return fields

    def _stale_entry(self, connection: Connection, id: str) -> bool:
        """True when the status says queued but no queue holds the task: a worker took it and died."""
        return connection.execute(sa.select(queue_entry.c.id).where(queue_entry.c.task == id)).first() is None

    def _target(self, connection: Connection, queue: str | None, queue_name: str | None) -> str:
        if queue:
            return str(self._queues.require(connection, queue).id)
        if queue_name:
            found = self._queues.find_by_name(connection, queue_name)
            if found is None:
                raise QueueNotFound(f"there is no queue named {queue_name!r}", name=queue_name)
            return found
        default = self._queues.default(connection)
        if default is None:
            raise NoDefaultQueue("no queue was named and there is no default queue; make one named 'default'")
        return str(default.id)

    def dequeue(
        self, call: Call, id: str, new_status: str | None, *, reason: str, message: str
    ) -> tuple[dict[str, Any], int, int]:
        """Take a task out of its queue; the changed fields, dequeued 0 or 1, updated 0 or 1."""
        row = self._row(call, id)
        if new_status is not None and new_status not in MOVES:
            raise BadField(f"new_status: {new_status!r} is no status", field="new_status")
        removed = int(self._unqueue(call, id))
        if row.status not in {"queued", "in_progress"}:
            return {}, removed, 0
        if row.status == "in_progress" and new_status in {None, "in_progress"}:
            return {}, removed, 0
        target = new_status or row.status_before_queue or "created"
        values: dict[str, Any] = {"status_before_queue": None}
        if target != "in_progress":
            values["queue"] = None
        elif row.started is None:
            values["started"] = call.now
        fields = self.move(call, row, target, force=True, reason=reason, message=message, values=values)
        if "queue" in values:
            fields["execution.queue"] = None
        return fields, removed, 1

    def archive(self, call: Call, id: str, *, reason: str = "", message: str = "") -> None:
        """Put a task out of sight; a waiting one leaves its queue."""
        row = self._row(call, id)
        if row.status == "queued":
            self.dequeue(call, id, None, reason=reason, message=message)
        self._tag(call, row, sorted({*row.system_tags, ARCHIVED}), reason, message)

    def unarchive(self, call: Call, id: str, *, reason: str = "", message: str = "") -> None:
        """Bring a task back."""
        row = self._row(call, id)
        self._tag(call, row, [tag for tag in row.system_tags if tag != ARCHIVED], reason, message)

    def _tag(self, call: Call, row: Any, tags: list[str], reason: str, message: str) -> None:
        values: dict[str, Any] = {"system_tags": tags, "last_change": call.now}
        if reason or message:
            values.update(status_reason=reason, status_message=message)
        self._tasks.change(call.connection, row.id, values)
        self._touched(call, row)

    def survey(self, connection: Connection, id: str, *, files: bool) -> Survey:
        """What a deletion of a task would free, and with ``files`` where its images are."""
        going = [
            found.id
            for found in self._models.of_task(connection, id)
            if not found.ready and not self._used_elsewhere(connection, found.id, id)
        ]
        freed = sum((measured(connection, one) for one in (id, *going)), Freed())
        urls = events.image_urls(connection, id) if files else []
        return Survey(tuple(urls), frozenset(_own_keys(urls, id)), freed)

    def delete(
        self,
        call: Call,
        id: str,
        *,
        force: bool,
        delete_models: bool = True,
        delete_files: bool = False,
        survey: Survey | None = None,
    ) -> dict[str, Any]:
        """Delete a task with its results; with ``delete_files`` also the files of this server that it named.

        Args:
            call: of a write.
            id: of the task.
            force: also when it has run, or something hangs on it.
            delete_models: its drafts of models that no other task uses too.
            delete_files: see above.
            survey: what was found before; without it nobody learns what was freed, and where images were.

        Returns:
            ``updated_children``, ``deleted_models``, ``updated_models``, ``urls`` of files that nothing names now, and
            what was ``freed``.

        Raises:
            TaskNotDeletable: it has run and is not archived, or something published hangs on it; ``force`` overrides.
        """
        row = self._row(call, id)
        models = self._models.of_task(call.connection, id)
        if not force:
            self._check_deletable(call.connection, row, models)
        self._unqueue(call, id)
        urls: dict[str, list[str]] = {"model_urls": [], "artifact_urls": [], "event_urls": []}
        deleted = updated = 0
        survey = survey or Survey()
        for found in models:
            if delete_models and not found.ready and not self._used_elsewhere(call.connection, found.id, id):
                self._erase(call.connection, found.id, deleted=True)
                self._models.delete(call.connection, found.id)
                urls["model_urls"].append(found.uri)
                deleted += 1
            else:
                self._models.change(call.connection, found.id, {"task": None})
                updated += 1
            announce_model(call, found.id)
        urls["artifact_urls"] = [
            item["uri"]
            for item in row.execution.get("artifacts") or ()
            if item.get("uri") and item.get("mode", "output") == "output"
        ]
        urls["event_urls"] = list(survey.events)
        freed = survey.freed
        if delete_files:
            named = _own_keys([*urls["model_urls"], *urls["artifact_urls"]], id)
            garbage.add(call.connection, named, call.now)
            freed += Freed(files=len(survey.keys.union(named)))
        children = self._tasks.orphan(call.connection, id)
        for child in children:
            announce(call, child, self._tasks.require(call.connection, child, task.c.project).project)
        self._erase(call.connection, id, deleted=True, files=delete_files)
        self._tasks.delete(call.connection, id)
        self._touched(call, row)
        return {
            "updated_children": len(children),
            "deleted_models": deleted,
            "updated_models": updated,
            "urls": urls,
            "freed": freed,
        }

    def _check_deletable(self, connection: Connection, row: Any, models: list[Any]) -> None:
        if row.status != "created" and ARCHIVED not in row.system_tags:
            raise TaskNotDeletable(
                f"task {row.id} is {row.status} and not archived: archive it first, or use force", id=row.id
            )
        children = connection.execute(
            sa.select(task.c.id).where(task.c.parent == row.id, task.c.status == "published").limit(1)
        ).first()
        if children is not None:
            raise TaskNotDeletable(f"task {row.id} has published children; use force", id=row.id)
        if any(found.ready for found in models):
            raise TaskNotDeletable(f"task {row.id} has published models; use force", id=row.id)

    def ping(self, call: Call, id: str) -> None:
        """The task is alive. Small and frequent, so no page is told."""
        row = self._tasks.require(call.connection, id, task.c.started, task.c.status)
        values: dict[str, Any] = {"last_update": call.now}
        if row.started is not None and row.status == "in_progress":
            values["active_duration"] = max(0, int(call.now - row.started))
        call.connection.execute(task.update().where(task.c.id == id).values(**values))


def _own_keys(urls: Iterable[str], id: str) -> list[str]:
    return [key for url in urls if (key := garbage.own_key(url, id)) is not None]


_SHOWN = ("status", "status_reason", "status_message", "system_tags")
_SHOWN_MOMENTS = ("status_changed", "last_update", "last_change", "started", "completed", "published")


def _shown(changes: dict[str, Any]) -> dict[str, Any]:
    fields = {name: changes[name] for name in _SHOWN if name in changes}
    for name in _SHOWN_MOMENTS:
        if name in changes:
            fields[name] = None if changes[name] is None else iso(changes[name])
    return fields
