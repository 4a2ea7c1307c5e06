"""Finding, reading, making and changing tasks."""

from trialbook.server.rpc.registry import handles
from trialbook.server.services.bundle import Services
from trialbook.server.services.call import Call
from trialbook.wire import tasks as wire
from trialbook.wire.query import Empty, Updated


@handles("tasks.create")
def create(services: Services, call: Call, ask: wire.CreateTask) -> wire.TaskId:
    """A new task."""
    return wire.TaskId(id=services.tasks.editing.create(call, ask))


@handles("tasks.clone")
def clone(services: Services, call: Call, ask: wire.Clone) -> wire.TaskId:
    """A new task with the inputs of another."""
    return wire.TaskId(id=services.tasks.editing.clone(call, ask))


@handles("tasks.get_by_id")
def get_by_id(services: Services, call: Call, ask: wire.TaskRef) -> wire.TaskReply:
    """One task, whole."""
    return wire.TaskReply(task=services.tasks.reading.get(call, ask.task))


@handles("tasks.get_all")
def get_all(services: Services, call: Call, ask: wire.GetAllTasks) -> wire.GetAllTasksReply:
    """Tasks of one page."""
    return services.tasks.reading.find(call, ask, with_total=False)


@handles("tasks.get_all_ex")
def get_all_ex(services: Services, call: Call, ask: wire.GetAllTasks) -> wire.GetAllTasksReply:
    """Tasks of one page, with the total."""
    return services.tasks.reading.find(call, ask, with_total=True)


@handles("tasks.update")
def update(services: Services, call: Call, ask: wire.EditTask) -> Updated:
    """Change what the request names; what only describes the task, in any status."""
    fields = services.tasks.editing.edit(call, ask, described=True)
    return Updated(updated=int(bool(fields)), fields=fields)


@handles("tasks.edit")
def edit(services: Services, call: Call, ask: wire.EditTask) -> Updated:
    """Change what the request names."""
    fields = services.tasks.editing.edit(call, ask)
    return Updated(updated=int(bool(fields)), fields=fields)


@handles("tasks.validate")
def validate(services: Services, call: Call, ask: wire.CreateTask) -> Empty:
    """What ``tasks.create`` would refuse is refused."""
    services.tasks.editing.validate(call, ask)
    return Empty()


@handles("tasks.get_types")
def get_types(services: Services, call: Call, ask: wire.GetTypes) -> wire.TypesReply:
    """Types in use."""
    return wire.TypesReply(types=services.tasks.reading.types(call, ask.projects))


@handles("tasks.move")
def move(services: Services, call: Call, ask: wire.MoveTasks) -> wire.TasksMoved:
    """Another project."""
    project = services.tasks.editing.move(call, ask)
    return wire.TasksMoved(project_id=project, updated=len(set(ask.ids)))


@handles("tasks.activity")
def activity(services: Services, call: Call, ask: wire.TaskRef) -> wire.ActivityReply:
    """Every move of the status."""
    return wire.ActivityReply(activity=services.tasks.reading.activity(call, ask.task))
