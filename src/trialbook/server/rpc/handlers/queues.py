"""Queues."""

from typing import Any

from trialbook.base.clock import iso
from trialbook.base.ids import new_id
from trialbook.errors import NameTaken, NoDefaultQueue, QueueNotEmpty, TaskAlreadyQueued, TaskNotFound
from trialbook.server.core.projection import Projection
from trialbook.server.rpc.context import Context
from trialbook.server.rpc.registry import handles
from trialbook.server.stores.projects import COMPANY
from trialbook.server.stores.queues import document
from trialbook.server.stores.tasks import task
from trialbook.wire import queues as wire
from trialbook.wire.query import Empty, Updated


def _check_name(context: Context, name: str) -> None:
    if context.services.queues.find_by_name(context.connection, name) is not None:
        raise NameTaken(f"there is a queue {name!r} already", name=name)


@handles("queues.create")
def create(context: Context, ask: wire.CreateQueue) -> wire.QueueId:
    """A new queue."""
    _check_name(context, ask.name)
    id = new_id()
    values = {
        "id": id,
        "name": ask.name,
        "user": context.caller.user or None,
        "created": context.now,
        "last_update": context.now,
        "tags": sorted(set(ask.tags)),
        "system_tags": sorted(set(ask.system_tags)),
    }
    context.services.queues.insert(context.connection, values)
    context.publish("queues", "queues", [id])
    return wire.QueueId(id=id)


@handles("queues.get_by_id")
def get_by_id(context: Context, ask: wire.GetQueue) -> wire.QueueReply:
    """One queue."""
    queues = context.services.queues
    row = queues.require(context.connection, ask.queue)
    return wire.QueueReply(queue=document(row, queues.entries(context.connection, [row.id])[row.id]))


def _page(context: Context, ask: wire.GetAllQueues, *, with_total: bool) -> wire.GetAllQueuesReply:
    queues = context.services.queues
    projection = Projection(ask.only_fields)
    rows, total, scroll = queues.find(context.connection, ask, with_total=with_total)
    entries: dict[str, list[dict[str, Any]]] = {}
    if projection.wants("entries"):
        entries = queues.entries(context.connection, [row.id for row in rows])
    found = [projection(document(row, entries.get(row.id, []))) for row in rows]
    return wire.GetAllQueuesReply(queues=found, total=total, scroll_id=scroll)


@handles("queues.get_all")
def get_all(context: Context, ask: wire.GetAllQueues) -> wire.GetAllQueuesReply:
    """Queues of one page."""
    return _page(context, ask, with_total=False)


@handles("queues.get_all_ex")
def get_all_ex(context: Context, ask: wire.GetAllQueues) -> wire.GetAllQueuesReply:
    """Queues of one page, with the total."""
    return _page(context, ask, with_total=True)


@handles("queues.get_default")
def get_default(context: Context, _ask: Empty) -> wire.DefaultQueue:
    """The default queue."""
    row = context.services.queues.default(context.connection)
    if row is None:
        raise NoDefaultQueue("there is no default queue; make one named 'default'")
    return wire.DefaultQueue(id=row.id, name=row.name)


@handles("queues.get_num_entries")
def get_num_entries(context: Context, ask: wire.GetQueue) -> wire.NumEntries:
    """How many tasks wait."""
    queues = context.services.queues
    queues.require(context.connection, ask.queue)
    return wire.NumEntries(num=queues.count(context.connection, ask.queue))


@handles("queues.get_next_task")
def get_next_task(context: Context, ask: wire.NextTask) -> wire.NextTaskReply:
    """Take the first task."""
    services = context.services
    services.queues.require(context.connection, ask.queue)
    taken = services.queues.pop(context.connection, ask.queue, context.now)
    if taken is None:
        return wire.NextTaskReply()
    entry = wire.QueueEntry(task=taken.task, added=iso(taken.added))
    context.publish("queues", "queues", [ask.queue])
    if not ask.get_task_info:
        return wire.NextTaskReply(entry=entry)
    row = services.tasks.get(context.connection, taken.task)
    info = {"company": COMPANY, "user": row.user if row is not None else None}
    return wire.NextTaskReply(entry=entry, task_info=info)


@handles("queues.update")
def update(context: Context, ask: wire.UpdateQueue) -> Updated:
    """Change what the request names."""
    queues = context.services.queues
    row = queues.require(context.connection, ask.queue)
    values: dict[str, Any] = {}
    if ask.name is not None and ask.name != row.name:
        _check_name(context, ask.name)
        values["name"] = ask.name
    for field in ("tags", "system_tags"):
        if getattr(ask, field) is not None:
            values[field] = sorted(set(getattr(ask, field)))
    if values:
        queues.change(context.connection, ask.queue, {**values, "last_update": context.now})
        context.publish("queues", "queues", [ask.queue])
    return Updated(updated=int(bool(values)), fields=values)


@handles("queues.delete")
def delete(context: Context, ask: wire.DeleteQueue) -> wire.DeleteQueueReply:
    """Delete a queue; its tasks go back to what they were."""
    services = context.services
    services.queues.require(context.connection, ask.queue)
    entries = services.queues.entries(context.connection, [ask.queue])[ask.queue]
    if entries and not ask.force:
        raise QueueNotEmpty(f"the queue holds {len(entries)} tasks; use force", id=ask.queue)
    for entry in entries:
        services.lifecycle.dequeue(context, entry["task"], None, reason="queue deleted", message="")
    services.queues.delete(context.connection, ask.queue)
    context.publish("queues", "queues", [ask.queue])
    return wire.DeleteQueueReply(deleted=1)


@handles("queues.add_task")
def add_task(context: Context, ask: wire.QueueTask) -> wire.TaskAdded:
    """An entry; the task's status stays."""
    queues = context.services.queues
    queues.require(context.connection, ask.queue)
    context.services.tasks.require(context.connection, ask.task, task.c.id)
    if queues.holds(context.connection, ask.task):
        raise TaskAlreadyQueued(f"task {ask.task} waits in a queue already", id=ask.task)
    queues.add(context.connection, ask.queue, ask.task, context.now)
    context.publish("queues", "queues", [ask.queue])
    return wire.TaskAdded(added=1)


@handles("queues.remove_task")
def remove_task(context: Context, ask: wire.QueueTask) -> wire.TaskRemoved:
    """No entry; the task's status stays."""
    queues = context.services.queues
    _place(context, ask)
    queues.remove(context.connection, ask.task)
    context.publish("queues", "queues", [ask.queue])
    return wire.TaskRemoved(removed=1)


def _place(context: Context, ask: wire.QueueTask) -> tuple[list[str], int]:
    queues = context.services.queues
    queues.require(context.connection, ask.queue)
    waiting = [entry["task"] for entry in queues.entries(context.connection, [ask.queue])[ask.queue]]
    if ask.task not in waiting:
        raise TaskNotFound(f"task {ask.task!r} does not wait in queue {ask.queue}", id=ask.task)
    return waiting, waiting.index(ask.task)


def _moved(context: Context, ask: wire.QueueTask, steps: int | None, back: bool) -> wire.TaskPosition:
    waiting, old = _place(context, ask)
    last = len(waiting) - 1
    far = len(waiting) if steps is None else steps
    new = min(last, old + far) if back else max(0, old - far)
    waiting.insert(new, waiting.pop(old))
    low, high = sorted((old, new))
    context.services.queues.reorder(context.connection, ask.queue, waiting[low : high + 1])
    context.publish("queues", "queues", [ask.queue])
    return wire.TaskPosition(position=new)


@handles("queues.move_task_forward")
def move_task_forward(context: Context, ask: wire.MoveQueueTask) -> wire.TaskPosition:
    """Earlier."""
    return _moved(context, ask, ask.count, back=False)


@handles("queues.move_task_backward")
def move_task_backward(context: Context, ask: wire.MoveQueueTask) -> wire.TaskPosition:
    """Later."""
    return _moved(context, ask, ask.count, back=True)


@handles("queues.move_task_to_front")
def move_task_to_front(context: Context, ask: wire.QueueTask) -> wire.TaskPosition:
    """First."""
    return _moved(context, ask, None, back=False)


@handles("queues.move_task_to_back")
def move_task_to_back(context: Context, ask: wire.QueueTask) -> wire.TaskPosition:
    """Last."""
    return _moved(context, ask, None, back=True)


@handles("queues.peek_task")
def peek_task(context: Context, ask: wire.GetQueue) -> wire.PeekReply:
    """The next one."""
    queues = context.services.queues
    queues.require(context.connection, ask.queue)
    waiting = queues.entries(context.connection, [ask.queue])[ask.queue]
    return wire.PeekReply(task=waiting[0]["task"] if waiting else None)
