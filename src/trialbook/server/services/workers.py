"""Workers: who is there, and what they run."""

import hashlib
from typing import Any

import sqlalchemy as sa

from trialbook.base.clock import iso
from trialbook.errors import BadField, TaskNotFound
from trialbook.server.services.accounts import COMPANY_NAME
from trialbook.server.services.call import Call
from trialbook.server.services.changes import changed, progressed
from trialbook.server.stores.projects import COMPANY
from trialbook.server.stores.queues import QueueStore, queue
from trialbook.server.stores.tasks import TaskStore, task
from trialbook.server.stores.workers import WorkerStore
from trialbook.wire.workers import RegisterWorker, Worker, WorkerQueue, WorkerReport, WorkerTask

SILENCE = 600.0
"""Seconds after which a worker that does not report is gone."""


class Workers:
    """What workers say, and what is known of them.

    Args:
        workers, tasks, queues: the stores.
    """

    def __init__(self, workers: WorkerStore, tasks: TaskStore, queues: QueueStore) -> None:
        self._workers = workers
        self._tasks = tasks
        self._queues = queues

    def register(self, call: Call, ask: RegisterWorker, ip: str) -> None:
        """A worker begins; one that is known begins anew."""
        self._workers.drop_silent(call.connection, call.now)
        row = self._fresh(call, ask.worker, ip)
        timeout = float(ask.timeout) if ask.timeout > 0 else SILENCE
        self._workers.put(
            call.connection, {**row, "queues": ask.queues, "tags": ask.tags, "timeout": timeout}
        )
        changed(call, "worker", ask.worker, "registered", after={"queues": ask.queues, "tags": ask.tags})

    @staticmethod
    def _fresh(call: Call, name: str, ip: str) -> dict[str, Any]:
        if not name.strip():
            raise BadField("worker: a worker needs a name that is not blank", field="worker")
        return {
            "name_digest": _digest(name),
            "name": name,
            "user": call.caller.user,
            "ip": ip,
            "queues": [],
            "tags": [],
            "registered": call.now,
            "last_report": call.now,
            "timeout": SILENCE,
            "task": None,
            "queue": None,
            "machine_stats": {},
            "properties": {},
        }

    def unregister(self, call: Call, name: str) -> None:
        """A worker ends."""
        self._workers.drop(call.connection, _digest(name))
        changed(call, "worker", name, "unregistered")

    def properties(self, call: Call, name: str) -> dict[str, str]:
        """What was set for a worker; nothing for one that is not known."""
        known = self._workers.get(call.connection, _digest(name))
        return {} if known is None else dict(known.properties)

    def set_properties(self, call: Call, name: str, values: dict[str, str | None], ip: str) -> None:
        """Set properties of a worker; None takes one away. An unknown worker is registered."""
        known = self._workers.get(call.connection, _digest(name))
        row = dict(known._mapping) if known is not None else self._fresh(call, name, ip)
        held = {**row["properties"], **values}
        row["properties"] = {key: value for key, value in held.items() if value is not None}
        self._workers.put(call.connection, row)

    def report(self, call: Call, ask: WorkerReport, ip: str) -> None:
        """A sign of life of a worker, and of the task that it runs.

        Raises:
            TaskNotFound: it runs a task that is gone.
        """
        known = self._workers.get(call.connection, _digest(ask.worker))
        row = dict(known._mapping) if known is not None else self._fresh(call, ask.worker, ip)
        given = {name: getattr(ask, name) for name in ("queues", "tags", "machine_stats")}
        row.update({name: value for name, value in given.items() if value is not None})
        row.update(task=ask.task or None, queue=ask.queue or None, last_report=call.now, ip=ip)
        self._workers.put(call.connection, row)
        if ask.task:
            if self._tasks.get(call.connection, ask.task, task.c.id) is None:
                raise TaskNotFound(f"there is no task {ask.task!r}", id=ask.task)
            call.connection.execute(
                task.update()
                .where(task.c.id == ask.task)
                .values(last_worker=ask.worker, last_worker_report=call.now, last_update=call.now)
            )
        progressed(call, "worker", ask.worker, listed=True)

    def alive(self, call: Call, last_seen: float | None, tags: list[str]) -> list[Worker]:
        """Workers that have reported in time, by name."""
        rows = self._workers.alive(call.connection, call.now)
        if last_seen:
            rows = [row for row in rows if call.now - row.last_report <= last_seen]
        if tags:
            rows = [row for row in rows if set(tags) & set(row.tags)]
        queues = self._shown_queues(call, {id for row in rows for id in (*row.queues, row.queue) if id})
        tasks = self._shown_tasks(call, {row.task for row in rows if row.task})
        return [
            Worker(
                id=row.name,
                ip=row.ip,
                user={"id": row.user},
                company={"id": COMPANY, "name": COMPANY_NAME},
                queues=[queues[id] for id in row.queues if id in queues],
                register_time=iso(row.registered),
                last_activity_time=iso(row.last_report),
                last_report_time=iso(row.last_report),
                tags=row.tags,
                system_tags=[],
                task=tasks.get(row.task),
                queue=queues.get(row.queue),
            )
            for row in rows
        ]

    def _shown_queues(self, call: Call, ids: set[str]) -> dict[str, WorkerQueue]:
        rows = call.connection.execute(sa.select(queue.c.id, queue.c.name).where(queue.c.id.in_(ids)))
        return {
            row.id: WorkerQueue(
                id=row.id, name=row.name, num_tasks=self._queues.count(call.connection, row.id)
            )
            for row in list(rows)
        }

    @staticmethod
    def _shown_tasks(call: Call, ids: set[str]) -> dict[str, WorkerTask]:
        columns = (task.c.id, task.c.name, task.c.started, task.c.last_iteration)
        rows = call.connection.execute(sa.select(*columns).where(task.c.id.in_(ids)))
        return {
            row.id: WorkerTask(
                id=row.id,
                name=row.name,
                running_time=int((call.now - row.started) * 1000) if row.started else 0,
                last_iteration=row.last_iteration,
            )
            for row in rows
        }


def _digest(name: str) -> str:
    return hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
