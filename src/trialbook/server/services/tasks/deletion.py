"""What goes with a task, and with its results."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.errors import (
    TaskNotDeletable,
    TaskStatusRefused,
)
from trialbook.server.core.freed import Freed
from trialbook.server.series.erase import measured
from trialbook.server.services.call import Call
from trialbook.server.services.changes import changed, progressed
from trialbook.server.services.tasks.keeping import keep
from trialbook.server.services.tasks.moves import ARCHIVED, Moves
from trialbook.server.stores import events, garbage
from trialbook.server.stores.tasks import task
from trialbook.wire import task_lifecycle as wire
from trialbook.wire.states import LOCKED, may_move
from trialbook.wire.task_lifecycle import DeleteTask, DeleteTaskReply


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


class Deletion(Moves):
    """Forgets the results of a task, or the task itself."""

    def survey(self, call: Call, id: str, *, files: bool) -> Survey:
        """What a deletion of a task would free, and with ``files`` where its images are. Where no transaction is open
        it is taken from a snapshot of its own: it may take seconds."""
        with call.read() as connection:
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
                self._model_gone(call, found)
                deleted += 1
            else:
                self._models.change(call.connection, found.id, {"task": None})
                self._model_changed(call, found, {"task": None})
                updated += 1
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
            home = self._tasks.require(call.connection, child, task.c.project).project
            changed(
                call, "task", child, "edited", project=home, before={"parent": id}, after={"parent": None}
            )
        self._erase(call.connection, id, deleted=True, files=delete_files)
        self._tasks.delete(call.connection, id)
        self._projects.touch(call.connection, row.project, call.now)
        was = {"name": row.name, "type": row.type, "status": row.status, "project": row.project}
        changed(call, "task", id, "deleted", project=row.project, before=was)
        return {
            "updated_children": len(children),
            "deleted_models": deleted,
            "updated_models": updated,
            "urls": urls,
            "freed": freed,
        }

    def remove(self, call: Call, ask: DeleteTask) -> DeleteTaskReply:
        """Delete a task, in a transaction of its own where none is open."""
        files = ask.delete_external_artifacts
        survey = self.survey(call, ask.task, files=files or ask.return_file_urls)
        done = call.in_one(
            lambda: self.delete(
                call,
                ask.task,
                force=ask.force,
                delete_models=ask.delete_output_models,
                delete_files=files,
                survey=survey,
            )
        )
        freed = wire.Freed(**asdict(done.pop("freed")))
        urls = wire.DeletedUrls(**done.pop("urls"))
        return DeleteTaskReply(deleted=True, urls=urls if ask.return_file_urls else None, freed=freed, **done)

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
        if not force and not may_move(row.status, "created"):
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
        progressed(call, "task", id, ("series", "log", "events"))
        # The released client accepts only an object here, where `tasks.dequeue` answers a number.
        counts: dict[str, Any] = {"dequeued": {"removed": int(dequeued)}, "deleted_models": deleted}
        return fields, counts | ({"kept": kept} if kept else {})

    def reset_as(self, call: Call, ask: wire.Reset) -> tuple[dict[str, Any], dict[str, Any]]:
        """``reset`` as a request has it."""
        return self.reset(
            call,
            ask.task,
            force=ask.force,
            clear_all=ask.clear_all,
            delete_models=ask.delete_output_models,
            keep_results=ask.keep_results,
            reason=ask.status_reason,
            message=ask.status_message,
        )

    def _drop_draft_models(self, call: Call, id: str) -> int:
        dropped = 0
        for found in self._models.of_task(call.connection, id):
            if not found.ready and not self._used_elsewhere(call.connection, found.id, id):
                self._erase(call.connection, found.id, deleted=True)
                self._models.delete(call.connection, found.id)
                self._model_gone(call, found)
                dropped += 1
        return dropped


def _own_keys(urls: Iterable[str], id: str) -> list[str]:
    return [key for url in urls if (key := garbage.own_key(url, id)) is not None]
