"""Moves of a task's status, one or many at once."""

from functools import partial
from typing import Any, TypedDict

from trialbook.server.rpc.registry import handles
from trialbook.server.services.bundle import Services
from trialbook.server.services.call import ERASED_AT_ONCE, Call
from trialbook.server.services.many import many
from trialbook.wire import task_lifecycle as wire
from trialbook.wire.query import Empty, ManyReply, Updated


class Said(TypedDict):
    """What the caller says about a move."""

    reason: str
    message: str


class Forced(Said):
    """And whether the table of moves counts."""

    force: bool


def _said(ask: wire.ManyTasks) -> Said:
    return Said(reason=ask.status_reason, message=ask.status_message)


def _forced(ask: Any) -> Forced:
    return Forced(reason=ask.status_reason, message=ask.status_message, force=ask.force)


@handles("tasks.started")
def started(services: Services, call: Call, ask: wire.ChangeStatus) -> wire.Started:
    """The task runs."""
    fields, fresh = services.tasks.lifecycle.started(call, ask.task, **_forced(ask))
    return wire.Started(updated=1, fields=fields, started=fresh)


@handles("tasks.stopped")
def stopped(services: Services, call: Call, ask: wire.ChangeStatus) -> Updated:
    """The task was stopped."""
    fields = services.tasks.lifecycle.ended(call, ask.task, "stopped", **_forced(ask))
    return Updated(updated=1, fields=fields)


@handles("tasks.failed")
def failed(services: Services, call: Call, ask: wire.ChangeStatus) -> Updated:
    """The task failed."""
    fields = services.tasks.lifecycle.ended(call, ask.task, "failed", **_forced(ask))
    return Updated(updated=1, fields=fields)


@handles("tasks.completed")
def completed(services: Services, call: Call, ask: wire.Completed) -> wire.CompletedReply:
    """The task ended well."""
    fields = services.tasks.lifecycle.ended(call, ask.task, "completed", **_forced(ask))
    if ask.publish:
        fields = services.tasks.lifecycle.publish(call, ask.task, publish_model=True, **_forced(ask))
    return wire.CompletedReply(updated=1, fields=fields, published=int(ask.publish))


@handles("tasks.stop")
def stop(services: Services, call: Call, ask: wire.ChangeStatus) -> Updated:
    """Ask for the end."""
    return Updated(updated=1, fields=services.tasks.lifecycle.stop(call, ask.task, **_forced(ask)))


@handles("tasks.close")
def close(services: Services, call: Call, ask: wire.ChangeStatus) -> Updated:
    """Close a stopped task."""
    return Updated(updated=1, fields=services.tasks.lifecycle.close(call, ask.task, **_forced(ask)))


@handles("tasks.publish")
def publish(services: Services, call: Call, ask: wire.Publish) -> Updated:
    """Freeze a task."""
    how = _forced(ask)
    fields = services.tasks.lifecycle.publish(call, ask.task, publish_model=ask.publish_model, **how)
    return Updated(updated=1, fields=fields)


@handles("tasks.reset")
def reset(services: Services, call: Call, ask: wire.Reset) -> dict[str, Any]:
    """Forget the results."""
    fields, counts = services.tasks.lifecycle.reset_as(call, ask)
    return {"updated": 1, "fields": fields, **counts}


@handles("tasks.ping")
def ping(services: Services, call: Call, ask: wire.Ping) -> Empty:
    """The task is alive."""
    services.tasks.lifecycle.ping(call, ask.task)
    return Empty()


@handles("tasks.enqueue")
def enqueue(services: Services, call: Call, ask: wire.Enqueue) -> wire.EnqueueReply:
    """Put a task into a queue."""
    fields = services.tasks.lifecycle.enqueue(call, ask.task, ask.queue, ask.queue_name, **_forced(ask))
    return wire.EnqueueReply(updated=1, fields=fields, queued=1, queue_watched=None)


@handles("tasks.dequeue")
def dequeue(services: Services, call: Call, ask: wire.Dequeue) -> wire.DequeueReply:
    """Take a task out of its queue."""
    fields, dequeued, updated = services.tasks.lifecycle.dequeue(
        call, ask.task, ask.new_status, reason=ask.status_reason, message=ask.status_message
    )
    return wire.DequeueReply(updated=updated, fields=fields, dequeued=dequeued)


@handles("tasks.delete")
def delete(services: Services, call: Call, ask: wire.DeleteTask) -> wire.DeleteTaskReply:
    """Delete a task."""
    return services.tasks.lifecycle.remove(call, ask)


@handles("tasks.archive_many")
def archive_many(services: Services, call: Call, ask: wire.ManyTasks) -> ManyReply:
    """Archive tasks."""
    return many(call, ask.ids, partial(services.tasks.lifecycle.archive, call, **_said(ask)))


@handles("tasks.unarchive_many")
def unarchive_many(services: Services, call: Call, ask: wire.ManyTasks) -> ManyReply:
    """Bring tasks back."""
    return many(call, ask.ids, partial(services.tasks.lifecycle.unarchive, call, **_said(ask)))


@handles("tasks.archive")
def archive(services: Services, call: Call, ask: wire.TasksRef) -> wire.Archived:
    """Archive tasks."""
    services.tasks.lifecycle.archive_all(call, ask.tasks)
    return wire.Archived(archived=len(ask.tasks))


@handles("tasks.unarchive")
def unarchive(services: Services, call: Call, ask: wire.TasksRef) -> wire.Archived:
    """Bring tasks back."""
    services.tasks.lifecycle.archive_all(call, ask.tasks, back=True)
    return wire.Archived(archived=len(ask.tasks))


@handles("tasks.enqueue_many")
def enqueue_many(services: Services, call: Call, ask: wire.EnqueueMany) -> ManyReply:
    """Put tasks into a queue."""
    act = partial(services.tasks.lifecycle.enqueue, call, queue=ask.queue, queue_name=ask.queue_name)
    return many(call, ask.ids, partial(act, **_forced(ask)))


@handles("tasks.dequeue_many")
def dequeue_many(services: Services, call: Call, ask: wire.ManyTasks) -> ManyReply:
    """Take tasks out of their queues."""
    act = partial(services.tasks.lifecycle.dequeue, call, new_status=None, **_said(ask))
    return many(call, ask.ids, act)


@handles("tasks.delete_many")
def delete_many(services: Services, call: Call, ask: wire.DeleteManyTasks) -> ManyReply:
    """Delete tasks."""
    files = ask.delete_external_artifacts
    act = partial(services.tasks.lifecycle.delete, call, force=ask.force, delete_files=files)
    return many(call, ask.ids, act, at_once=ERASED_AT_ONCE)


@handles("tasks.stop_many")
def stop_many(services: Services, call: Call, ask: wire.ManyTasks) -> ManyReply:
    """Ask tasks to end."""
    return many(call, ask.ids, partial(services.tasks.lifecycle.stop, call, **_forced(ask)))


@handles("tasks.publish_many")
def publish_many(services: Services, call: Call, ask: wire.ManyTasks) -> ManyReply:
    """Freeze tasks."""
    act = partial(services.tasks.lifecycle.publish, call, publish_model=True, **_forced(ask))
    return many(call, ask.ids, act)


@handles("tasks.reset_many")
def reset_many(services: Services, call: Call, ask: wire.ManyTasks) -> ManyReply:
    """Forget the results of tasks."""
    act = partial(services.tasks.lifecycle.reset, call, force=ask.force, clear_all=False)
    return many(call, ask.ids, act, at_once=ERASED_AT_ONCE)
