"""Tasks and queues."""

import re
from typing import TYPE_CHECKING

from trialbook.base.unicode import storable
from trialbook.errors import QueueNotFound, TaskNotQueued, UsageError
from trialbook.sdk.task.answers import Response, server_session
from trialbook.sdk.task.base import TaskBase

if TYPE_CHECKING:
    from typing_extensions import Self

    from trialbook.client.api import GetAllQueues


class QueuesMixin(TaskBase):
    """Members that put tasks into queues and take them out."""

    @classmethod
    def enqueue(
        cls,
        task: "str | Self",
        queue_name: str | None = None,
        queue_id: str | None = None,
        force: bool = False,
    ) -> Response:
        """Put a task into a queue.

        Args:
            task: the task or its id.
            queue_name: name of the queue.
            queue_id: its id, instead of the name.
            force: reset the task first when its status does not allow it.

        Returns:
            The server's answer: ``queued``, ``updated`` and ``fields`` (the new status and ``execution.queue``).

        Raises:
            UsageError: neither name nor id.
            QueueNotFound: no queue of that name.
            TaskStatusRefused: it runs, waits in a queue or is published.

        Example:
            >>> draft = Task.create("Examples", "queued")
            >>> Task.enqueue(draft, "default").queued
            1
            >>> Task.dequeue(draft).fields.status
            'created'
        """
        if not queue_name and not queue_id:
            raise UsageError("enqueue needs queue_name or queue_id")
        session = server_session()
        queue_id = queue_id or cls._find_queue(str(queue_name))
        task_id = task if isinstance(task, str) else task.id
        if force:
            session.api.tasks.reset({"task": task_id, "force": True})
        return Response(session.api.tasks.enqueue({"task": task_id, "queue": queue_id}, repeat=False))

    @classmethod
    def dequeue(cls, task: "str | Self") -> Response:
        """Take a task out of its queue.

        Args:
            task: the task or its id.

        Returns:
            The server's answer: ``dequeued``, ``updated`` and ``fields``.

        Raises:
            TaskNotQueued: it is in no queue.

        Example:
            >>> _ = Task.enqueue(draft, queue_name="default")
            >>> Task.dequeue(draft).dequeued
            1
            >>> draft.status
            'created'
        """
        task_id = task if isinstance(task, str) else task.id
        answer = Response(server_session().api.tasks.dequeue({"task": task_id}, repeat=False))
        if not answer.dequeued and not answer.updated:
            raise TaskNotQueued(f"task {task_id} is in no queue")
        return answer

    @classmethod
    def get_num_enqueued_tasks(cls, queue_name: str | None = None, queue_id: str | None = None) -> int:
        """How many tasks wait in a queue.

        Args:
            queue_name: name of the queue.
            queue_id: its id, instead of the name.

        Returns:
            The number.

        Raises:
            UsageError: neither name nor id.
            QueueNotFound: there is no such queue.

        Example:
            >>> before = Task.get_num_enqueued_tasks(queue_name="default")
            >>> _ = Task.enqueue(draft, queue_name="default")
            >>> Task.get_num_enqueued_tasks(queue_name="default") - before
            1
        """
        if not queue_name and not queue_id:
            raise UsageError("get_num_enqueued_tasks needs queue_name or queue_id")
        queue = queue_id or cls._find_queue(str(queue_name))
        return int(server_session().api.queues.get_num_entries({"queue": queue})["num"])

    def get_executed_queue(self, return_name: bool = False) -> str | None:
        """The queue that the task waits in, or was last taken from.

        Args:
            return_name: the name instead of the id.

        Returns:
            The id or name; None when it was in none.

        Example:
            >>> _ = Task.enqueue(draft, queue_name="default")
            >>> draft.get_executed_queue(return_name=True)
            'default'
        """
        queue = (self._record.fresh().get("execution") or {}).get("queue")
        if not queue or not return_name:
            return str(queue) if queue else None
        return str(self._record.api.queues.get_by_id({"queue": queue})["queue"]["name"])

    # -- inside ---

    @classmethod
    def _find_queue(cls, name: str) -> str:
        ask: GetAllQueues = {
            "name": f"^{re.escape(storable(name))}$",
            "only_fields": ["id"],
            "search_hidden": True,
        }
        queues = server_session().api.queues.get_all(ask).get("queues") or []
        if not queues:
            raise QueueNotFound(f"there is no queue {name!r}")
        return str(queues[0]["id"])
