"""Queues: making, changing and deleting them, and the order of the tasks that wait in one."""

from typing import Any

from trialbook.base.clock import Clock, iso
from trialbook.base.ids import new_id
from trialbook.errors import (
    NameTaken,
    NoDefaultQueue,
    QueueNotEmpty,
    TaskAlreadyQueued,
    TaskNotFound,
)
from trialbook.server.core.projection import Projection
from trialbook.server.services.call import Call
from trialbook.server.services.changes import changed
from trialbook.server.services.tasks.lifecycle import Lifecycle
from trialbook.server.stores.database import Database
from trialbook.server.stores.projects import COMPANY
from trialbook.server.stores.queues import QueueStore, document
from trialbook.server.stores.tasks import TaskStore, task
from trialbook.server.stores.users import UserStore
from trialbook.wire import queues as wire

FIRST = ("default", "services")
"""Users of the released clients enqueue to them without making them first."""
_FIRST_MADE = "first_queues"


class Queues:
    """Queues and their entries.

    Args:
        queues, tasks, users: the stores.
        lifecycle: takes a task out of a queue that goes.
    """

    def __init__(self, queues: QueueStore, tasks: TaskStore, users: UserStore, lifecycle: Lifecycle) -> None:
        self._queues = queues
        self._tasks = tasks
        self._users = users
        self._lifecycle = lifecycle

    def prepare(self, database: Database, clock: Clock) -> None:
        """Make the first queues, once: one that an administrator deletes stays deleted."""
        with database.write() as connection:
            if self._users.shared_value(connection, _FIRST_MADE) is not None:
                return
            self._users.set_shared_value(connection, _FIRST_MADE, "1")
            for name in FIRST:
                if self._queues.find_by_name(connection, name) is None:
                    now = clock()
                    values = {"id": new_id(), "name": name, "user": None, "created": now, "last_update": now}
                    self._queues.insert(connection, {**values, "tags": [], "system_tags": []})

    def create(self, call: Call, ask: wire.CreateQueue) -> str:
        """A new queue; its id.

        Raises:
            NameTaken: there is one of that name.
        """
        self._check_name(call, ask.name)
        id = new_id()
        values = {
            "id": id,
            "name": ask.name,
            "user": call.caller.user or None,
            "created": call.now,
            "last_update": call.now,
            "tags": sorted(set(ask.tags)),
            "system_tags": sorted(set(ask.system_tags)),
        }
        self._queues.insert(call.connection, values)
        changed(call, "queue", id, "created", after={"name": ask.name})
        return id

    def _check_name(self, call: Call, name: str) -> None:
        if self._queues.find_by_name(call.connection, name) is not None:
            raise NameTaken(f"there is a queue {name!r} already", name=name)

    def get(self, call: Call, id: str) -> dict[str, Any]:
        """A queue with the tasks that wait in it.

        Raises:
            QueueNotFound: there is none.
        """
        row = self._queues.require(call.connection, id)
        return document(row, self._queues.entries(call.connection, [id])[id])

    def find(self, call: Call, ask: wire.GetAllQueues, *, with_total: bool) -> wire.GetAllQueuesReply:
        """The queues of one page."""
        projection = Projection(ask.only_fields)
        rows, total, scroll = self._queues.find(call.connection, ask, with_total=with_total)
        entries: dict[str, list[dict[str, Any]]] = {}
        if projection.wants("entries"):
            entries = self._queues.entries(call.connection, [row.id for row in rows])
        found = [projection(document(row, entries.get(row.id, []))) for row in rows]
        return wire.GetAllQueuesReply(queues=found, total=total, scroll_id=scroll)

    def default(self, call: Call) -> wire.DefaultQueue:
        """The queue for tasks that name none.

        Raises:
            NoDefaultQueue: nobody made one.
        """
        row = self._queues.default(call.connection)
        if row is None:
            raise NoDefaultQueue("there is no default queue; make one named 'default'")
        return wire.DefaultQueue(id=row.id, name=row.name)

    def count(self, call: Call, id: str) -> int:
        """How many tasks wait."""
        self._queues.require(call.connection, id)
        return self._queues.count(call.connection, id)

    def take(self, call: Call, id: str, *, with_task: bool) -> wire.NextTaskReply:
        """Give the first task to a worker; nothing when none waits."""
        self._queues.require(call.connection, id)
        taken = self._queues.pop(call.connection, id, call.now)
        if taken is None:
            return wire.NextTaskReply()
        entry = wire.QueueEntry(task=taken.task, added=iso(taken.added))
        changed(call, "queue", id, "task taken", before={"task": taken.task}, after={"worker": call.worker})
        if not with_task:
            return wire.NextTaskReply(entry=entry)
        row = self._tasks.get(call.connection, taken.task)
        info = {"company": COMPANY, "user": row.user if row is not None else None}
        return wire.NextTaskReply(entry=entry, task_info=info)

    def edit(self, call: Call, ask: wire.UpdateQueue) -> dict[str, Any]:
        """Change what the request names; the changed fields.

        Raises:
            NameTaken: there is another one of that name.
        """
        row = self._queues.require(call.connection, ask.queue)
        values: dict[str, Any] = {}
        if ask.name is not None and ask.name != row.name:
            self._check_name(call, ask.name)
            values["name"] = ask.name
        for field in ("tags", "system_tags"):
            if getattr(ask, field) is not None:
                values[field] = sorted(set(getattr(ask, field)))
        if values:
            self._queues.change(call.connection, ask.queue, {**values, "last_update": call.now})
            changed(call, "queue", ask.queue, "edited", before=row._mapping, after=values)
        return values

    def delete(self, call: Call, id: str, *, force: bool) -> None:
        """Delete a queue; its tasks go back to what they were.

        Raises:
            QueueNotEmpty: tasks wait in it; ``force`` overrides.
        """
        row = self._queues.require(call.connection, id)
        entries = self._queues.entries(call.connection, [id])[id]
        if entries and not force:
            raise QueueNotEmpty(f"the queue holds {len(entries)} tasks; use force", id=id)
        for entry in entries:
            self._lifecycle.dequeue(call, entry["task"], None, reason="queue deleted", message="")
        self._queues.delete(call.connection, id)
        changed(call, "queue", id, "deleted", before={"name": row.name})

    def add(self, call: Call, id: str, task_id: str) -> None:
        """Put a task at the end; its status stays.

        Raises:
            TaskAlreadyQueued: it waits in a queue.
        """
        self._queues.require(call.connection, id)
        self._tasks.require(call.connection, task_id, task.c.id)
        if self._queues.holds(call.connection, task_id):
            raise TaskAlreadyQueued(f"task {task_id} waits in a queue already", id=task_id)
        self._queues.add(call.connection, id, task_id, call.now)
        changed(call, "queue", id, "task queued", after={"task": task_id})

    def remove(self, call: Call, id: str, task_id: str) -> None:
        """Take a task out; its status stays.

        Raises:
            TaskNotFound: it does not wait there.
        """
        self._place(call, id, task_id)
        self._queues.remove(call.connection, task_id)
        changed(call, "queue", id, "task left", before={"task": task_id})

    def move(self, call: Call, ask: wire.QueueTask, steps: int | None, *, back: bool = False) -> int:
        """Put a task before or behind others; its new position, from 0.

        Args:
            call: of this request.
            ask: names the queue and the task.
            steps: how many others it passes; None is all.
            back: towards the end.
        """
        waiting, old = self._place(call, ask.queue, ask.task)
        last = len(waiting) - 1
        far = len(waiting) if steps is None else steps
        new = min(last, old + far) if back else max(0, old - far)
        waiting.insert(new, waiting.pop(old))
        low, high = sorted((old, new))
        self._queues.reorder(call.connection, ask.queue, waiting[low : high + 1])
        was, now = {"task": ask.task, "position": old}, {"task": ask.task, "position": new}
        changed(call, "queue", ask.queue, "reordered", before=was, after=now)
        return new

    def first(self, call: Call, id: str) -> str | None:
        """The task that is taken next."""
        self._queues.require(call.connection, id)
        waiting = self._queues.entries(call.connection, [id])[id]
        return waiting[0]["task"] if waiting else None

    def _place(self, call: Call, id: str, task_id: str) -> tuple[list[str], int]:
        self._queues.require(call.connection, id)
        waiting = [entry["task"] for entry in self._queues.entries(call.connection, [id])[id]]
        if task_id not in waiting:
            raise TaskNotFound(f"task {task_id!r} does not wait in queue {id}", id=task_id)
        return waiting, waiting.index(task_id)
