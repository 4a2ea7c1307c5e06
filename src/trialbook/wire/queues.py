"""Wire types and methods of queues."""

from typing import Annotated, Any

import msgspec

from trialbook.wire.query import DateFilter, Empty, Query, Updated
from trialbook.wire.table import METHODS, Permission, partial, queue, reads, works, writes


class QueueEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A task that waits."""

    task: str
    added: str


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """Tasks that wait for a worker, first come first served."""

    id: str
    name: str
    user: str | None
    company: str
    created: str
    last_update: str
    tags: list[str]
    system_tags: list[str]
    entries: list[QueueEntry]
    metadata: dict[str, Any]


QueueDocument = Annotated[dict[str, Any], partial(Queue)]


class CreateQueue(msgspec.Struct, frozen=True, kw_only=True):
    """Names of queues are unique."""

    name: str
    tags: list[str] = []
    system_tags: list[str] = []


class QueueId(msgspec.Struct, frozen=True, kw_only=True):
    """A new queue."""

    id: str


class GetQueue(msgspec.Struct, frozen=True, kw_only=True):
    """One queue."""

    queue: str


class QueueReply(msgspec.Struct, frozen=True, kw_only=True):
    """The queue."""

    queue: QueueDocument


class GetAllQueues(Query, frozen=True, kw_only=True):
    """Queues by any of the constraints."""

    last_update: DateFilter = None


class GetAllQueuesReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The page of queues. ``total`` counts all that match (in ``get_all_ex``)."""

    queues: list[QueueDocument]
    total: int | None = None
    scroll_id: str | None = None


class DefaultQueue(msgspec.Struct, frozen=True, kw_only=True):
    """The queue that is used when none is named."""

    id: str
    name: str


class NumEntries(msgspec.Struct, frozen=True, kw_only=True):
    """How many tasks wait."""

    num: int


class NextTask(msgspec.Struct, frozen=True, kw_only=True):
    """Take the first task."""

    queue: str
    get_task_info: bool = False


class NextTaskReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """No ``entry`` when the queue is empty."""

    entry: QueueEntry | None = None
    task_info: dict[str, Any] | None = None


class UpdateQueue(msgspec.Struct, frozen=True, kw_only=True):
    """Only what is given changes."""

    queue: str
    name: str | None = None
    tags: list[str] | None = None
    system_tags: list[str] | None = None


class DeleteQueue(msgspec.Struct, frozen=True, kw_only=True):
    """A queue that holds tasks needs ``force``; they go back to the status they had."""

    queue: str
    force: bool = False


class DeleteQueueReply(msgspec.Struct, frozen=True, kw_only=True):
    """How many were deleted."""

    deleted: int


class QueueTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task of a queue."""

    queue: str
    task: str


class MoveQueueTask(QueueTask, frozen=True, kw_only=True):
    """By how many places."""

    count: Annotated[int, msgspec.Meta(ge=1)] = 1


class PeekReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """No ``task`` when the queue is empty."""

    task: str | None = None


class TaskAdded(msgspec.Struct, frozen=True, kw_only=True):
    """1 when it was added."""

    added: int


class TaskRemoved(msgspec.Struct, frozen=True, kw_only=True):
    """1 when it was there."""

    removed: int


class TaskPosition(msgspec.Struct, frozen=True, kw_only=True):
    """The task's place, from 0."""

    position: int


METHODS.add(
    "queues.create",
    access=queue(),
    request=CreateQueue,
    reply=QueueId,
    permit=Permission.WRITE,
    since="2.4",
    changes=True,
    summary="Make a queue.",
)
METHODS.add(
    "queues.get_by_id",
    access=queue("queue"),
    request=GetQueue,
    reply=QueueReply,
    permit=Permission.READ,
    since="2.4",
    summary="One queue with its entries.",
)
METHODS.add(
    "queues.get_all",
    access=queue(),
    request=GetAllQueues,
    reply=GetAllQueuesReply,
    permit=Permission.READ,
    since="2.4",
    summary="Find queues.",
)
METHODS.add(
    "queues.get_all_ex",
    access=queue(),
    request=GetAllQueues,
    reply=GetAllQueuesReply,
    permit=Permission.READ,
    since="2.4",
    summary="Find queues; with the total.",
)
METHODS.add(
    "queues.get_default",
    access=queue(),
    request=Empty,
    reply=DefaultQueue,
    permit=Permission.READ,
    since="2.4",
    summary="The default queue.",
)
METHODS.add(
    "queues.get_num_entries",
    access=queue("queue"),
    request=GetQueue,
    reply=NumEntries,
    permit=Permission.READ,
    since="2.4",
    summary="How many tasks wait in a queue.",
)
METHODS.add(
    "queues.get_next_task",
    access=queue("queue"),
    request=NextTask,
    reply=NextTaskReply,
    permit=Permission.WORK,
    since="2.4",
    changes=True,
    summary="Take the first task of a queue.",
)
METHODS.add(
    "queues.update",
    access=queue("queue"),
    request=UpdateQueue,
    reply=Updated,
    permit=Permission.WRITE,
    since="2.4",
    changes=True,
    summary="Change a queue.",
)
METHODS.add(
    "queues.delete",
    access=queue("queue"),
    request=DeleteQueue,
    reply=DeleteQueueReply,
    permit=Permission.WRITE,
    since="2.4",
    changes=True,
    summary="Delete a queue.",
)

works(
    "queues.add_task",
    queue("queue"),
    QueueTask,
    TaskAdded,
    "Put a task at the end of a queue, as it is.",
    "2.4",
)
works(
    "queues.remove_task",
    queue("queue"),
    QueueTask,
    TaskRemoved,
    "Take a task out of a queue, as it is.",
    "2.4",
)
writes(
    "queues.move_task_forward", queue("queue"), MoveQueueTask, TaskPosition, "Let a task wait less.", "2.4"
)
writes(
    "queues.move_task_backward", queue("queue"), MoveQueueTask, TaskPosition, "Let a task wait longer.", "2.4"
)
works(
    "queues.move_task_to_front", queue("queue"), QueueTask, TaskPosition, "Make a task the next one.", "2.4"
)
writes(
    "queues.move_task_to_back", queue("queue"), QueueTask, TaskPosition, "Make a task the last one.", "2.4"
)
reads(
    "queues.peek_task",
    queue("queue"),
    GetQueue,
    PeekReply,
    "The next task of a queue, left in its place.",
    "2.15",
)
