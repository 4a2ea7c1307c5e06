"""Wire types and methods of a task's life: moves of its status, queues, archive, deletion."""

import msgspec

from trialbook.wire.query import Empty, ManyReply, Updated
from trialbook.wire.table import owners, works, writes


class ChangeStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for a move of the status; ``force`` skips the table of allowed moves."""

    task: str
    force: bool = False
    status_reason: str = ""
    status_message: str = ""


class Completed(ChangeStatus, frozen=True, kw_only=True):
    """``publish`` publishes the task right after."""

    publish: bool = False


class Publish(ChangeStatus, frozen=True, kw_only=True):
    """``publish_model`` publishes the output models too."""

    publish_model: bool = True


class Started(Updated, frozen=True, kw_only=True):
    """``started``: 1 when this call set the task going."""

    started: int = 0


class CompletedReply(Updated, frozen=True, kw_only=True):
    """``published``: 1 when the task was published too."""

    published: int = 0


class Reset(msgspec.Struct, frozen=True, kw_only=True):
    """Forget the results; ``clear_all`` forgets script and execution too. With ``keep_results`` an archived task, whose
    id is ``kept`` in the answer, has them from then on."""

    task: str
    force: bool = False
    clear_all: bool = False
    delete_external_artifacts: bool = False
    delete_output_models: bool = True
    return_file_urls: bool = False
    keep_results: bool = False
    status_reason: str = ""
    status_message: str = ""


class Enqueue(msgspec.Struct, frozen=True, kw_only=True):
    """Put a task at the end of a queue; without a queue, of the default one."""

    task: str
    queue: str | None = None
    queue_name: str | None = None
    verify_watched_queue: bool = False
    force: bool = False
    status_reason: str = ""
    status_message: str = ""


class EnqueueReply(Updated, frozen=True, kw_only=True):
    """``queued``: 1 when the task was added."""

    queued: int = 0
    queue_watched: bool | None = None


class Dequeue(msgspec.Struct, frozen=True, kw_only=True):
    """Take a task out of its queue; it goes to ``new_status``, else to the status it had before."""

    task: str
    new_status: str | None = None
    remove_from_all_queues: bool = False
    status_reason: str = ""
    status_message: str = ""


class DequeueReply(Updated, frozen=True, kw_only=True):
    """``dequeued``: 1 when it was in a queue."""

    dequeued: int = 0


class DeleteTask(msgspec.Struct, frozen=True, kw_only=True):
    """Without ``force`` only a task that was never run or is archived. ``delete_external_artifacts``: the server
    deletes the files that it holds for the task, in the background."""

    task: str
    force: bool = False
    move_to_trash: bool = False
    return_file_urls: bool = False
    delete_output_models: bool = True
    delete_external_artifacts: bool = False


class DeletedUrls(msgspec.Struct, frozen=True, kw_only=True):
    """Files that nothing names any more; the caller deletes them."""

    event_urls: list[str] = []
    model_urls: list[str] = []
    artifact_urls: list[str] = []


class Freed(msgspec.Struct, frozen=True, kw_only=True):
    """What a deletion gave back: points, console reports, plots and images, bytes of the database; and how many
    files of this server are being deleted."""

    points: int
    reports: int
    events: int
    bytes: int
    files: int


class DeleteTaskReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``urls`` on request."""

    deleted: bool
    updated_children: int = 0
    updated_models: int = 0
    deleted_models: int = 0
    urls: DeletedUrls | None = None
    freed: Freed | None = None


class ManyTasks(msgspec.Struct, frozen=True, kw_only=True):
    """Several tasks."""

    ids: list[str]
    force: bool = False
    status_reason: str = ""
    status_message: str = ""


class DeleteManyTasks(ManyTasks, frozen=True, kw_only=True):
    """As ``tasks.delete`` for each."""

    delete_external_artifacts: bool = False


class EnqueueMany(ManyTasks, frozen=True, kw_only=True):
    """Put tasks at the end of a queue; without a queue, of the default one."""

    queue: str | None = None
    queue_name: str | None = None


class TasksRef(msgspec.Struct, frozen=True, kw_only=True):
    """Several tasks, as the older methods name them."""

    tasks: list[str]


class Archived(msgspec.Struct, frozen=True, kw_only=True):
    """How many tasks changed."""

    archived: int


class Ping(msgspec.Struct, frozen=True, kw_only=True):
    """The task is alive."""

    task: str


works("tasks.started", owners("task"), ChangeStatus, Started, "The task runs.")


works(
    "tasks.stop",
    owners("task"),
    ChangeStatus,
    Updated,
    "Ask the task to end; a task that nothing runs is stopped at once.",
)


works("tasks.stopped", owners("task"), ChangeStatus, Updated, "The task was stopped.")


works("tasks.completed", owners("task"), Completed, CompletedReply, "The task ended well.")


works("tasks.failed", owners("task"), ChangeStatus, Updated, "The task failed.")


writes("tasks.close", owners("task"), ChangeStatus, Updated, "Close a stopped task.")


writes("tasks.publish", owners("task"), Publish, Updated, "Freeze a task.")


writes("tasks.publish_many", owners("ids"), ManyTasks, ManyReply, "Freeze tasks.", "2.13")


works("tasks.reset", owners("task"), Reset, Updated, "Forget a task's results.")


writes("tasks.reset_many", owners("ids"), ManyTasks, ManyReply, "Forget the results of tasks.", "2.13")


works("tasks.ping", owners("task"), Ping, Empty, "The task is alive.")


works("tasks.enqueue", owners("task"), Enqueue, EnqueueReply, "Put a task into a queue.")


works("tasks.dequeue", owners("task"), Dequeue, DequeueReply, "Take a task out of its queue.")


writes(
    "tasks.delete",
    owners("task"),
    DeleteTask,
    DeleteTaskReply,
    "Delete a task and its results.",
    transaction="slices",
)


writes(
    "tasks.delete_many", owners("ids"), DeleteManyTasks, ManyReply, "Delete tasks and their results.", "2.13"
)


writes("tasks.archive", owners("tasks"), TasksRef, Archived, "Archive tasks.", transaction="slices")


writes(
    "tasks.unarchive",
    owners("tasks"),
    TasksRef,
    Archived,
    "Bring tasks back from the archive.",
    transaction="slices",
)


writes("tasks.archive_many", owners("ids"), ManyTasks, ManyReply, "Archive tasks.", "2.13")


writes(
    "tasks.unarchive_many", owners("ids"), ManyTasks, ManyReply, "Bring tasks back from the archive.", "2.13"
)


writes("tasks.stop_many", owners("ids"), ManyTasks, ManyReply, "Ask tasks to end.", "2.13")

writes("tasks.enqueue_many", owners("ids"), EnqueueMany, ManyReply, "Put tasks into a queue.", "2.13")
works("tasks.dequeue_many", owners("ids"), ManyTasks, ManyReply, "Take tasks out of their queues.", "2.16")
