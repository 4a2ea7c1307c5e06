"""Wire types and methods of tasks: finding, reading, making, changing."""

from typing import Any

import msgspec

from trialbook.wire.query import DateFilter, Empty, ListFilter, ProjectQuery, RangeFilter, Updated
from trialbook.wire.table import domain, owners, reads, works
from trialbook.wire.task_documents import Configuration, Parameter, TaskDocument


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


class GetAllTasks(ProjectQuery, frozen=True, kw_only=True):
    """Tasks by any of the constraints."""

    type: ListFilter = None
    status: ListFilter = None
    started: RangeFilter = None
    completed: RangeFilter = None
    active_duration: RangeFilter = None
    status_changed: DateFilter = None


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


class GetTypes(msgspec.Struct, frozen=True, kw_only=True):
    """No projects means all."""

    projects: list[str] | None = None


class TypesReply(msgspec.Struct, frozen=True, kw_only=True):
    """Types of tasks in use, sorted."""

    types: list[str]


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


class MoveTasks(msgspec.Struct, frozen=True, kw_only=True):
    """The project by id, or by its full path, which is made when missing."""

    ids: list[str]
    project: str | None = None
    project_name: str | None = None


class TasksMoved(msgspec.Struct, frozen=True, kw_only=True):
    """Where they are now, and how many there are."""

    project_id: str
    updated: int


reads("tasks.get_by_id", owners("task"), TaskRef, TaskReply, "One task, whole.")


reads("tasks.get_all", domain("task"), GetAllTasks, GetAllTasksReply, "Find tasks.")


reads("tasks.get_all_ex", domain("task"), GetAllTasks, GetAllTasksReply, "Find tasks; with the total.")


reads(
    "tasks.activity", owners("task"), TaskRef, ActivityReply, "Every move of a task's status: who, when, why."
)


works("tasks.create", domain("task"), CreateTask, TaskId, "Make a task.")


works("tasks.edit", owners("task"), EditTask, Updated, "Change a task.")


works("tasks.update", owners("task"), EditTask, Updated, "Change a task.")


works("tasks.clone", owners("task"), Clone, TaskId, "A new task with the inputs of another.")


works("tasks.move", owners("ids"), MoveTasks, TasksMoved, "Put tasks into another project.", "2.12", "slices")

reads("tasks.get_types", domain("task"), GetTypes, TypesReply, "Types of tasks in use.", "2.8")
works("tasks.validate", domain("task"), CreateTask, Empty, "Check a new task without making it.")
