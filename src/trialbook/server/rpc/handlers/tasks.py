"""Finding, reading, making and changing tasks."""

from typing import Any

from trialbook.base.clock import iso
from trialbook.errors import MissingField
from trialbook.server.core.projection import Projection
from trialbook.server.rpc.context import Context
from trialbook.server.rpc.handlers.task_lifecycle import require_all
from trialbook.server.rpc.registry import handles
from trialbook.server.services.call import announce
from trialbook.server.stores.dataset_lists import DATASET
from trialbook.server.stores.tasks import task
from trialbook.wire import tasks as wire
from trialbook.wire.query import Empty, Updated


@handles("tasks.create")
def create(context: Context, ask: wire.CreateTask) -> wire.TaskId:
    """A new task."""
    return wire.TaskId(id=context.services.editing.create(context, ask))


@handles("tasks.clone")
def clone(context: Context, ask: wire.Clone) -> wire.TaskId:
    """A new task with the inputs of another."""
    return wire.TaskId(id=context.services.editing.clone(context, ask))


@handles("tasks.get_by_id")
def get_by_id(context: Context, ask: wire.TaskRef) -> wire.TaskReply:
    """One task, whole."""
    row = context.services.tasks.require(context.connection, ask.task)
    return wire.TaskReply(
        task=context.services.documents.build(context.connection, [row], Projection(None))[0]
    )


def _page(context: Context, ask: wire.GetAllTasks, *, with_total: bool) -> wire.GetAllTasksReply:
    services = context.services
    projection = Projection(ask.only_fields)
    more = []
    if ask.include_subprojects and ask.project:
        more = [services.finding.below(context.connection, task.c.project, ask.project)]
        ask = services.finding.without(ask, "project")
    columns = services.documents.columns(projection)
    rows, total, scroll = services.tasks.find(context.connection, ask, columns, more, with_total=with_total)
    documents = services.documents.build(context.connection, rows, projection)
    return wire.GetAllTasksReply(tasks=documents, total=total, scroll_id=scroll)


@handles("tasks.get_all")
def get_all(context: Context, ask: wire.GetAllTasks) -> wire.GetAllTasksReply:
    """Tasks of one page."""
    return _page(context, ask, with_total=False)


@handles("tasks.get_all_ex")
def get_all_ex(context: Context, ask: wire.GetAllTasks) -> wire.GetAllTasksReply:
    """Tasks of one page, with the total."""
    return _page(context, ask, with_total=True)


@handles("tasks.update")
def update(context: Context, ask: wire.EditTask) -> Updated:
    """Change what the request names; what only describes the task, in any status."""
    _apart(context, ask.task, ask.project)
    fields = context.services.editing.edit(context, ask, described=True)
    return Updated(updated=int(bool(fields)), fields=fields)


@handles("tasks.edit")
def edit(context: Context, ask: wire.EditTask) -> Updated:
    """Change what the request names."""
    _apart(context, ask.task, ask.project)
    fields = context.services.editing.edit(context, ask)
    return Updated(updated=int(bool(fields)), fields=fields)


@handles("tasks.validate")
def validate(context: Context, ask: wire.CreateTask) -> Empty:
    """What ``tasks.create`` would refuse is refused."""
    with context.connection.begin_nested() as trial:
        context.services.editing.create(context, ask)
        trial.rollback()
    context.published.clear()
    return Empty()


@handles("tasks.get_types")
def get_types(context: Context, ask: wire.GetTypes) -> wire.TypesReply:
    """Types in use."""
    return wire.TypesReply(types=context.services.usage.types(context.connection, ask.projects))


@handles("tasks.move")
def move(context: Context, ask: wire.MoveTasks) -> wire.TasksMoved:
    """Another project."""
    ids = list(dict.fromkeys(ask.ids))
    require_all(context, ids)
    (project,) = context.in_slices([""], lambda _: [_place(context, ask)])
    context.each(ids, lambda id: _move(context, id, project))
    return wire.TasksMoved(project_id=project, updated=len(ids))


def _place(context: Context, ask: wire.MoveTasks) -> str:
    project = context.services.editing.place(context, ask.project, ask.project_name)
    if project is None:
        raise MissingField("tasks.move needs project or project_name", field="project")
    return project


def _move(context: Context, id: str, project: str) -> None:
    row = context.services.tasks.require(context.connection, id, task.c.project, lock=True)
    _apart(context, id, project)
    context.services.tasks.change(context.connection, id, {"project": project, "last_change": context.now})
    announce(context, id, row.project, project)


def _apart(context: Context, id: str, project: str | None) -> None:
    """Let a version of a dataset into a project, unless another dataset is there that has one like it."""
    if project:
        columns = (task.c.project, task.c.system_tags, task.c.runtime)
        row = context.services.tasks.require(context.connection, id, *columns, lock=True)
        if DATASET in row.system_tags and row.project:
            version = str((row.runtime or {}).get("version") or "")
            context.services.datasets.keep_apart(context.connection, row.project, project, version)


@handles("tasks.activity")
def activity(context: Context, ask: wire.TaskRef) -> wire.ActivityReply:
    """Every move of the status."""
    services = context.services
    services.tasks.require(context.connection, ask.task, task.c.id)
    rows: list[Any] = services.tasks.history(context.connection, ask.task)
    users: list[Any] = services.users.users(
        context.connection, sorted({row.user for row in rows if row.user})
    )
    names = {user.id: user.name for user in users}
    return wire.ActivityReply(
        activity=[
            wire.Activity(
                time=iso(row.time),
                user=row.user,
                user_name=names.get(row.user, "the server"),
                method=row.method,
                from_status=row.from_status,
                to_status=row.to_status,
                reason=row.reason,
                message=row.message,
            )
            for row in rows
        ]
    )
