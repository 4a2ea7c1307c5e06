"""Tasks that wait in a queue, and tasks that are put out of sight."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.errors import (
    BadField,
    NoDefaultQueue,
    QueueNotFound,
    TaskAlreadyQueued,
)
from trialbook.server.services.call import Call
from trialbook.server.services.changes import changed
from trialbook.server.services.tasks.moves import ARCHIVED, DEVELOPMENT, Moves, require_all
from trialbook.server.stores.queues import queue_entry
from trialbook.wire.states import MOVES


class Queueing(Moves):
    """Into a queue and out of it; into the archive and back."""

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
        changed(call, "queue", target, "task queued", after={"task": id})
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
            raise BadField(f"new_status: {new_status!r} is not a status", field="new_status")
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

    def archive_all(self, call: Call, ids: Sequence[str], *, back: bool = False) -> None:
        """Put tasks out of sight, or bring them back.

        Raises:
            TaskNotFound: one is not there; then none is moved.
        """
        require_all(call, self._tasks, ids)
        call.each(ids, partial(self.unarchive if back else self.archive, call))

    def _tag(self, call: Call, row: Any, tags: list[str], reason: str, message: str) -> None:
        values: dict[str, Any] = {"system_tags": tags, "last_change": call.now}
        if reason or message:
            values.update(status_reason=reason, status_message=message)
        self._tasks.change(call.connection, row.id, values)
        self._touched(call, row, values, "archived" if ARCHIVED in tags else "unarchived")
