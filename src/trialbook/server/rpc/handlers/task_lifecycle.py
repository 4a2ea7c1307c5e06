"""Moves of a task's status, one or many at once."""

import dataclasses
from collections.abc import Callable
from typing import Any

from trialbook.errors import WireError
from trialbook.server.rpc.context import ERASED_AT_ONCE, THINGS_AT_ONCE, Context
from trialbook.server.rpc.registry import handles
from trialbook.server.services.lifecycle import Survey
from trialbook.server.stores.graves import Buried
from trialbook.server.stores.tasks import task
from trialbook.wire import task_lifecycle as wire
from trialbook.wire.query import Empty, ManyFailure, ManyReply, Updated


@handles("tasks.started")
def started(context: Context, ask: wire.ChangeStatus) -> wire.Started:
    """The task runs."""
    fields, fresh = context.services.lifecycle.started(
        context, ask.task, force=ask.force, reason=ask.status_reason, message=ask.status_message
    )
    return wire.Started(updated=1, fields=fields, started=fresh)


def _ended(context: Context, ask: wire.ChangeStatus, status: str) -> dict[str, Any]:
    return context.services.lifecycle.ended(
        context, ask.task, status, force=ask.force, reason=ask.status_reason, message=ask.status_message
    )


@handles("tasks.stopped")
def stopped(context: Context, ask: wire.ChangeStatus) -> Updated:
    """The task was stopped."""
    return Updated(updated=1, fields=_ended(context, ask, "stopped"))


@handles("tasks.failed")
def failed(context: Context, ask: wire.ChangeStatus) -> Updated:
    """The task failed."""
    return Updated(updated=1, fields=_ended(context, ask, "failed"))


@handles("tasks.completed")
def completed(context: Context, ask: wire.Completed) -> wire.CompletedReply:
    """The task ended well."""
    fields = _ended(context, ask, "completed")
    if ask.publish:
        fields = context.services.lifecycle.publish(
            context,
            ask.task,
            force=ask.force,
            publish_model=True,
            reason=ask.status_reason,
            message=ask.status_message,
        )
    return wire.CompletedReply(updated=1, fields=fields, published=int(ask.publish))


@handles("tasks.stop")
def stop(context: Context, ask: wire.ChangeStatus) -> Updated:
    """Ask for the end."""
    fields = context.services.lifecycle.stop(
        context, ask.task, force=ask.force, reason=ask.status_reason, message=ask.status_message
    )
    return Updated(updated=1, fields=fields)


@handles("tasks.close")
def close(context: Context, ask: wire.ChangeStatus) -> Updated:
    """Close a stopped task."""
    fields = context.services.lifecycle.close(
        context, ask.task, force=ask.force, reason=ask.status_reason, message=ask.status_message
    )
    return Updated(updated=1, fields=fields)


@handles("tasks.publish")
def publish(context: Context, ask: wire.Publish) -> Updated:
    """Freeze a task."""
    fields = context.services.lifecycle.publish(
        context,
        ask.task,
        force=ask.force,
        publish_model=ask.publish_model,
        reason=ask.status_reason,
        message=ask.status_message,
    )
    return Updated(updated=1, fields=fields)


@handles("tasks.reset")
def reset(context: Context, ask: wire.Reset) -> dict[str, Any]:
    """Forget the results."""
    fields, counts = context.services.lifecycle.reset(
        context,
        ask.task,
        force=ask.force,
        clear_all=ask.clear_all,
        delete_models=ask.delete_output_models,
        keep_results=ask.keep_results,
        reason=ask.status_reason,
        message=ask.status_message,
    )
    return {"updated": 1, "fields": fields, **counts}


@handles("tasks.ping")
def ping(context: Context, ask: wire.Ping) -> Empty:
    """The task is alive."""
    context.services.lifecycle.ping(context, ask.task)
    return Empty()


@handles("tasks.enqueue")
def enqueue(context: Context, ask: wire.Enqueue) -> wire.EnqueueReply:
    """Put a task into a queue."""
    fields = context.services.lifecycle.enqueue(
        context,
        ask.task,
        ask.queue,
        ask.queue_name,
        force=ask.force,
        reason=ask.status_reason,
        message=ask.status_message,
    )
    return wire.EnqueueReply(updated=1, fields=fields, queued=1, queue_watched=None)


@handles("tasks.dequeue")
def dequeue(context: Context, ask: wire.Dequeue) -> wire.DequeueReply:
    """Take a task out of its queue."""
    fields, dequeued, updated = context.services.lifecycle.dequeue(
        context, ask.task, ask.new_status, reason=ask.status_reason, message=ask.status_message
    )
    return wire.DequeueReply(updated=updated, fields=fields, dequeued=dequeued)


@handles("tasks.delete")
def delete(context: Context, ask: wire.DeleteTask) -> wire.DeleteTaskReply:
    """Delete a task."""
    life, files = context.services.lifecycle, ask.delete_external_artifacts
    survey = _surveyed(context, ask.task, files=files or ask.return_file_urls)

    done = context.in_one(
        lambda: life.delete(
            context,
            ask.task,
            force=ask.force,
            delete_models=ask.delete_output_models,
            delete_files=files,
            survey=survey,
        )
    )
    freed = wire.Freed(**dataclasses.asdict(done.pop("freed")))
    urls = wire.DeletedUrls(**done.pop("urls"))
    return wire.DeleteTaskReply(
        deleted=True, urls=urls if ask.return_file_urls else None, freed=freed, **done
    )


def _surveyed(context: Context, id: str, *, files: bool) -> Survey:
    """Taken from a snapshot of its own, where there is no transaction yet: it may take seconds."""
    if context.open_connection is not None:
        return context.services.lifecycle.survey(context.connection, id, files=files)
    with context.database.read() as connection:
        return context.services.lifecycle.survey(connection, id, files=files)


def many(
    context: Context, ids: list[str], act: Callable[[str], Any], at_once: int = THINGS_AT_ONCE
) -> ManyReply:
    """Do something to each; one that is refused does not stop the others."""
    distinct = list(dict.fromkeys(ids))
    refusals = context.in_slices(distinct, lambda some: [_attempt(context, id, act) for id in some], at_once)
    succeeded: list[dict[str, Any]] = []
    failures: list[ManyFailure] = []
    for id, refused in zip(distinct, refusals, strict=True):
        if refused is None:
            succeeded.append({"id": id})
        else:
            described = {
                "codes": [refused.code, refused.subcode],
                "msg": refused.message,
                "data": refused.data,
            }
            failures.append(ManyFailure(id=id, error=described))
    return ManyReply(succeeded=succeeded, failed=failures)


def _attempt(context: Context, id: str, act: Callable[[str], Any]) -> WireError | None:
    try:
        with context.connection.begin_nested():
            act(id)
    except Buried:
        # Of all of the slice: it begins again when what is in the way has been cleared.
        raise
    except WireError as error:
        return error
    return None


@handles("tasks.archive_many")
def archive_many(context: Context, ask: wire.ManyTasks) -> ManyReply:
    """Archive tasks."""
    life = context.services.lifecycle
    return many(
        context,
        ask.ids,
        lambda id: life.archive(context, id, reason=ask.status_reason, message=ask.status_message),
    )


@handles("tasks.unarchive_many")
def unarchive_many(context: Context, ask: wire.ManyTasks) -> ManyReply:
    """Bring tasks back."""
    life = context.services.lifecycle
    return many(
        context,
        ask.ids,
        lambda id: life.unarchive(context, id, reason=ask.status_reason, message=ask.status_message),
    )


@handles("tasks.archive")
def archive(context: Context, ask: wire.TasksRef) -> wire.Archived:
    """Archive tasks."""
    return _each(context, ask.tasks, context.services.lifecycle.archive)


@handles("tasks.unarchive")
def unarchive(context: Context, ask: wire.TasksRef) -> wire.Archived:
    """Bring tasks back."""
    return _each(context, ask.tasks, context.services.lifecycle.unarchive)


def require_all(context: Context, ids: list[str]) -> None:
    """Refuse a list with an unknown task before the first slice of it changes anything."""
    if context.open_connection is None:
        with context.database.read() as connection:
            for id in ids:
                context.services.tasks.require(connection, id, task.c.id)


def _each(context: Context, ids: list[str], act: Callable[[Context, str], None]) -> wire.Archived:
    require_all(context, ids)
    context.each(ids, lambda id: act(context, id))
    return wire.Archived(archived=len(ids))


@handles("tasks.enqueue_many")
def enqueue_many(context: Context, ask: wire.EnqueueMany) -> ManyReply:
    """Put tasks into a queue."""
    life = context.services.lifecycle
    return many(
        context,
        ask.ids,
        lambda id: life.enqueue(
            context,
            id,
            ask.queue,
            ask.queue_name,
            force=ask.force,
            reason=ask.status_reason,
            message=ask.status_message,
        ),
    )


@handles("tasks.dequeue_many")
def dequeue_many(context: Context, ask: wire.ManyTasks) -> ManyReply:
    """Take tasks out of their queues."""
    life = context.services.lifecycle
    return many(
        context,
        ask.ids,
        lambda id: life.dequeue(context, id, None, reason=ask.status_reason, message=ask.status_message),
    )


@handles("tasks.delete_many")
def delete_many(context: Context, ask: wire.DeleteManyTasks) -> ManyReply:
    """Delete tasks."""
    life = context.services.lifecycle
    files = ask.delete_external_artifacts
    return many(
        context,
        ask.ids,
        lambda id: life.delete(context, id, force=ask.force, delete_files=files),
        ERASED_AT_ONCE,
    )


@handles("tasks.stop_many")
def stop_many(context: Context, ask: wire.ManyTasks) -> ManyReply:
    """Ask tasks to end."""
    life = context.services.lifecycle
    return many(
        context,
        ask.ids,
        lambda id: life.stop(
            context, id, force=ask.force, reason=ask.status_reason, message=ask.status_message
        ),
    )


@handles("tasks.publish_many")
def publish_many(context: Context, ask: wire.ManyTasks) -> ManyReply:
    """Freeze tasks."""
    life = context.services.lifecycle
    return many(
        context,
        ask.ids,
        lambda id: life.publish(
            context,
            id,
            force=ask.force,
            publish_model=True,
            reason=ask.status_reason,
            message=ask.status_message,
        ),
    )


@handles("tasks.reset_many")
def reset_many(context: Context, ask: wire.ManyTasks) -> ManyReply:
    """Forget the results of tasks."""
    return many(
        context,
        ask.ids,
        lambda id: context.services.lifecycle.reset(context, id, force=ask.force, clear_all=False),
        ERASED_AT_ONCE,
    )
