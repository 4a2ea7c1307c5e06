"""Wire types and methods of tasks."""

from typing import Any

import msgspec

from trialbook.wire.query import DateFilter, Empty, ListFilter, ManyReply, Query, RangeFilter, Updated
from trialbook.wire.table import METHODS, Permission
from trialbook.wire.task_documents import Artifact, Configuration, Parameter, TaskDocument


class TaskRef(msgspec.Struct, frozen=True, kw_only=True):
    """One task."""

    task: str


class TaskReply(msgspec.Struct, frozen=True, kw_only=True):
    """The task."""

    task: TaskDocument


class CreateTask(msgspec.Struct, frozen=True, kw_only=True):
    """A new task in status ``created``.

    Attributes:
        id: chosen by the caller (32 hexadecimal characters); creating the same id again changes nothing.
        project_name: full path of the project, made with its parents when missing; ``project`` wins.
        output_dest: where artifacts go.
    """

    name: str
    type: str = "training"
    id: str | None = None
    project: str | None = None
    project_name: str | None = None
    comment: str = ""
    tags: list[str] = []
    system_tags: list[str] = []
    parent: str | None = None
    script: dict[str, Any] | None = None
    execution: dict[str, Any] | None = None
    hyperparams: dict[str, dict[str, Parameter]] | None = None
    configuration: dict[str, Configuration] | None = None
    container: dict[str, Any] | None = None
    models: dict[str, Any] | None = None
    runtime: dict[str, Any] | None = None
    output: dict[str, Any] | None = None
    output_dest: str | None = None


class TaskId(msgspec.Struct, frozen=True, kw_only=True):
    """A new task."""

    id: str


class GetAllTasks(Query, frozen=True, kw_only=True):
    """Tasks by any of the constraints."""

    comment: str | None = None
    user: ListFilter = None
    type: ListFilter = None
    status: ListFilter = None
    project: ListFilter = None
    parent: ListFilter = None
    created: RangeFilter = None
    started: RangeFilter = None
    completed: RangeFilter = None
    active_duration: RangeFilter = None
    last_iteration: RangeFilter = None
    status_changed: DateFilter = None
    last_update: DateFilter = None
    last_change: DateFilter = None
    include_subprojects: bool = False


class GetAllTasksReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The page of tasks. ``total`` counts all that match (in ``get_all_ex``)."""

    tasks: list[TaskDocument]
    total: int | None = None
    scroll_id: str | None = None


class EditTask(msgspec.Struct, frozen=True, kw_only=True):
    """Only what is given changes; ``runtime``, ``hyperparams``, ``configuration`` and ``container`` are replaced
    whole, ``script``, ``execution``, ``models`` and ``output`` are merged by their first level."""

    task: str
    force: bool = False
    name: str | None = None
    comment: str | None = None
    type: str | None = None
    project: str | None = None
    parent: str | None = None
    tags: list[str] | None = None
    system_tags: list[str] | None = None
    output_dest: str | None = None
    script: dict[str, Any] | None = None
    execution: dict[str, Any] | None = None
    hyperparams: dict[str, dict[str, Parameter]] | None = None
    configuration: dict[str, Configuration] | None = None
    container: dict[str, Any] | None = None
    models: dict[str, Any] | None = None
    output: dict[str, Any] | None = None
    runtime: dict[str, Any] | None = None


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
    """Forget the results; ``clear_all`` forgets script and execution too."""

    task: str
    force: bool = False
    clear_all: bool = False
    delete_external_artifacts: bool = False
    delete_output_models: bool = True
    return_file_urls: bool = False
    status_reason: str = ""
    status_message: str = ""


class Clone(msgspec.Struct, frozen=True, kw_only=True):
    """A new task with the inputs of this one."""

    task: str
    new_task_name: str | None = None
    new_task_comment: str | None = None
    new_task_parent: str | None = None
    new_task_project: str | None = None
    new_task_tags: list[str] | None = None
    new_task_system_tags: list[str] | None = None
    new_task_hyperparams: dict[str, dict[str, Parameter]] | None = None
    new_task_configuration: dict[str, Configuration] | None = None
    new_task_container: dict[str, Any] | None = None
    execution_overrides: dict[str, Any] | None = None


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
    """Without ``force`` only a task that was never run or is archived."""

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


class DeleteTaskReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``urls`` on request."""

    deleted: bool
    updated_children: int = 0
    updated_models: int = 0
    deleted_models: int = 0
    urls: DeletedUrls | None = None


class ManyTasks(msgspec.Struct, frozen=True, kw_only=True):
    """Several tasks."""

    ids: list[str]
    force: bool = False
    status_reason: str = ""
    status_message: str = ""


class TasksRef(msgspec.Struct, frozen=True, kw_only=True):
    """Several tasks, as the older methods name them."""

    tasks: list[str]


class Archived(msgspec.Struct, frozen=True, kw_only=True):
    """How many tasks changed."""

    archived: int


class SetRequirements(msgspec.Struct, frozen=True, kw_only=True):
    """Replaces ``script.requirements``."""

    task: str
    requirements: dict[str, Any]


class AddArtifacts(msgspec.Struct, frozen=True, kw_only=True):
    """Adds or overwrites by (key, mode); the others stay."""

    task: str
    artifacts: list[Artifact]
    force: bool = False


class ArtifactRef(msgspec.Struct, frozen=True, kw_only=True):
    """One artifact."""

    key: str
    mode: str = "output"


class DeleteArtifacts(msgspec.Struct, frozen=True, kw_only=True):
    """Artifacts that are not there are ignored."""

    task: str
    artifacts: list[ArtifactRef]
    force: bool = False


class Deleted(msgspec.Struct, frozen=True, kw_only=True):
    """1 when the task changed."""

    deleted: int


class TaskUpdated(msgspec.Struct, frozen=True, kw_only=True):
    """1 when the task changed."""

    updated: int


class AddModel(msgspec.Struct, frozen=True, kw_only=True):
    """Name a model in ``models.input`` or ``models.output``."""

    task: str
    name: str
    type: str
    model: str
    iteration: int | None = None


class DeleteModels(msgspec.Struct, frozen=True, kw_only=True):
    """``models``: list of ``{"name", "type"}``."""

    task: str
    models: list[dict[str, str]]


class GetHyperParams(msgspec.Struct, frozen=True, kw_only=True):
    """Of these tasks."""

    tasks: list[str]


class GetHyperParamsReply(msgspec.Struct, frozen=True, kw_only=True):
    """``params``: list of ``{"task", "hyperparams": [parameter]}``."""

    params: list[dict[str, Any]]


class EditHyperParams(msgspec.Struct, frozen=True, kw_only=True):
    """``replace_hyperparams``: ``none`` adds and overwrites, ``section`` first empties the sections named, ``all``
    first empties everything."""

    task: str
    hyperparams: list[Parameter]
    replace_hyperparams: str = "none"
    force: bool = False


class DeleteHyperParams(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter without ``name`` is the whole section."""

    task: str
    hyperparams: list[Parameter]
    force: bool = False


class GetConfigurations(msgspec.Struct, frozen=True, kw_only=True):
    """``names`` absent means all."""

    tasks: list[str]
    names: list[str] | None = None


class GetConfigurationsReply(msgspec.Struct, frozen=True, kw_only=True):
    """``configurations``: list of ``{"task", "configuration": [item]}``."""

    configurations: list[dict[str, Any]]


class GetConfigurationNamesReply(msgspec.Struct, frozen=True, kw_only=True):
    """``configurations``: list of ``{"task", "names": [text]}``."""

    configurations: list[dict[str, Any]]


class EditConfiguration(msgspec.Struct, frozen=True, kw_only=True):
    """``replace_configuration`` drops the items that are not listed."""

    task: str
    configuration: list[Configuration]
    replace_configuration: bool = False
    force: bool = False


class DeleteConfiguration(msgspec.Struct, frozen=True, kw_only=True):
    """Names that are not there are ignored."""

    task: str
    configuration: list[str]
    force: bool = False


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """One move of the status."""

    time: str
    user: str | None
    user_name: str
    method: str
    from_status: str | None
    to_status: str
    reason: str
    message: str


class ActivityReply(msgspec.Struct, frozen=True, kw_only=True):
    """Oldest first."""

    activity: list[Activity]


class Ping(msgspec.Struct, frozen=True, kw_only=True):
    """The task is alive."""

    task: str


class MoveTasks(msgspec.Struct, frozen=True, kw_only=True):
    """The project by id, or by its full path, which is made when missing."""

    ids: list[str]
    project: str | None = None
    project_name: str | None = None


class TasksMoved(msgspec.Struct, frozen=True, kw_only=True):
    """Where they are now, and how many there are."""

    project_id: str
    updated: int


def _read(name: str, request: Any, reply: Any, summary: str, since: str = "2.1") -> None:
    METHODS.add(name, request=request, reply=reply, permit=Permission.READ, since=since, summary=summary)


def _write(name: str, request: Any, reply: Any, summary: str, since: str = "2.1") -> None:
    METHODS.add(
        name,
        request=request,
        reply=reply,
        permit=Permission.WRITE,
        since=since,
        changes=True,
        summary=summary,
    )


def _work(name: str, request: Any, reply: Any, summary: str, since: str = "2.1") -> None:
    METHODS.add(
        name, request=request, reply=reply, permit=Permission.WORK, since=since, changes=True, summary=summary
    )


_read("tasks.get_by_id", TaskRef, TaskReply, "One task, whole.")
_read("tasks.get_all", GetAllTasks, GetAllTasksReply, "Find tasks.")
_read("tasks.get_all_ex", GetAllTasks, GetAllTasksReply, "Find tasks; with the total.")
_read("tasks.activity", TaskRef, ActivityReply, "Every move of a task's status: who, when, why.")
_write("tasks.create", CreateTask, TaskId, "Make a task.")
_work("tasks.edit", EditTask, Updated, "Change a task.")
_work("tasks.update", EditTask, Updated, "Change a task.")
_work("tasks.started", ChangeStatus, Started, "The task runs.")
_work(
    "tasks.stop", ChangeStatus, Updated, "Ask the task to end; a task that nothing runs is stopped at once."
)
_work("tasks.stopped", ChangeStatus, Updated, "The task was stopped.")
_work("tasks.completed", Completed, CompletedReply, "The task ended well.")
_work("tasks.failed", ChangeStatus, Updated, "The task failed.")
_write("tasks.close", ChangeStatus, Updated, "Close a stopped task.")
_write("tasks.publish", Publish, Updated, "Freeze a task.")
_write("tasks.publish_many", ManyTasks, ManyReply, "Freeze tasks.", "2.13")
_write("tasks.reset", Reset, Updated, "Forget a task's results.")
_write("tasks.reset_many", ManyTasks, ManyReply, "Forget the results of tasks.", "2.13")
_work("tasks.ping", Ping, Empty, "The task is alive.")
_write("tasks.clone", Clone, TaskId, "A new task with the inputs of another.")
_write("tasks.enqueue", Enqueue, EnqueueReply, "Put a task into a queue.")
_work("tasks.dequeue", Dequeue, DequeueReply, "Take a task out of its queue.")
_write("tasks.delete", DeleteTask, DeleteTaskReply, "Delete a task and its results.")
_write("tasks.delete_many", ManyTasks, ManyReply, "Delete tasks and their results.", "2.13")
_write("tasks.archive", TasksRef, Archived, "Archive tasks.")
_write("tasks.unarchive", TasksRef, Archived, "Bring tasks back from the archive.")
_write("tasks.archive_many", ManyTasks, ManyReply, "Archive tasks.", "2.13")
_write("tasks.unarchive_many", ManyTasks, ManyReply, "Bring tasks back from the archive.", "2.13")
_write("tasks.stop_many", ManyTasks, ManyReply, "Ask tasks to end.", "2.13")
_work("tasks.set_requirements", SetRequirements, Updated, "Replace the packages of a task.")
_work("tasks.add_or_update_artifacts", AddArtifacts, TaskUpdated, "Add or overwrite artifacts.", "2.10")
_work("tasks.delete_artifacts", DeleteArtifacts, Deleted, "Remove artifacts.", "2.10")
_work("tasks.add_or_update_model", AddModel, TaskUpdated, "Name a model in a task.", "2.13")
_work("tasks.delete_models", DeleteModels, TaskUpdated, "Remove models from a task.", "2.13")
_work("tasks.move", MoveTasks, TasksMoved, "Put tasks into another project.", "2.12")
_read("tasks.get_hyper_params", GetHyperParams, GetHyperParamsReply, "The hyper-parameters of tasks.", "2.9")
_work(
    "tasks.edit_hyper_params",
    EditHyperParams,
    TaskUpdated,
    "Add, overwrite or replace hyper-parameters.",
    "2.9",
)
_work("tasks.delete_hyper_params", DeleteHyperParams, Deleted, "Remove hyper-parameters.", "2.9")
_read(
    "tasks.get_configurations",
    GetConfigurations,
    GetConfigurationsReply,
    "Configuration objects of tasks.",
    "2.9",
)
_read(
    "tasks.get_configuration_names",
    GetConfigurations,
    GetConfigurationNamesReply,
    "Names of the configuration objects of tasks.",
    "2.9",
)
_work(
    "tasks.edit_configuration",
    EditConfiguration,
    TaskUpdated,
    "Add or overwrite configuration objects.",
    "2.9",
)
_work("tasks.delete_configuration", DeleteConfiguration, Deleted, "Remove configuration objects.", "2.9")
