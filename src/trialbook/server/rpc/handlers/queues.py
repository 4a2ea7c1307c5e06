"""Queues."""

from trialbook.server.rpc.registry import handles
from trialbook.server.services.bundle import Services
from trialbook.server.services.call import Call
from trialbook.wire import queues as wire
from trialbook.wire.query import Empty, Updated


@handles("queues.create")
def create(services: Services, call: Call, ask: wire.CreateQueue) -> wire.QueueId:
    """A new queue."""
    return wire.QueueId(id=services.queues.create(call, ask))


@handles("queues.get_by_id")
def get_by_id(services: Services, call: Call, ask: wire.GetQueue) -> wire.QueueReply:
    """One queue."""
    return wire.QueueReply(queue=services.queues.get(call, ask.queue))


@handles("queues.get_all")
def get_all(services: Services, call: Call, ask: wire.GetAllQueues) -> wire.GetAllQueuesReply:
    """Queues of one page."""
    return services.queues.find(call, ask, with_total=False)


@handles("queues.get_all_ex")
def get_all_ex(services: Services, call: Call, ask: wire.GetAllQueues) -> wire.GetAllQueuesReply:
    """Queues of one page, with the total."""
    return services.queues.find(call, ask, with_total=True)


@handles("queues.get_default")
def get_default(services: Services, call: Call, _ask: Empty) -> wire.DefaultQueue:
    """The default queue."""
    return services.queues.default(call)


@handles("queues.get_num_entries")
def get_num_entries(services: Services, call: Call, ask: wire.GetQueue) -> wire.NumEntries:
    """How many tasks wait."""
    return wire.NumEntries(num=services.queues.count(call, ask.queue))


@handles("queues.get_next_task")
def get_next_task(services: Services, call: Call, ask: wire.NextTask) -> wire.NextTaskReply:
    """Take the first task."""
    return services.queues.take(call, ask.queue, with_task=ask.get_task_info)


@handles("queues.update")
def update(services: Services, call: Call, ask: wire.UpdateQueue) -> Updated:
    """Change what the request names."""
    fields = services.queues.edit(call, ask)
    return Updated(updated=int(bool(fields)), fields=fields)


@handles("queues.delete")
def delete(services: Services, call: Call, ask: wire.DeleteQueue) -> wire.DeleteQueueReply:
    """Delete a queue; its tasks go back to what they were."""
    services.queues.delete(call, ask.queue, force=ask.force)
    return wire.DeleteQueueReply(deleted=1)


@handles("queues.add_task")
def add_task(services: Services, call: Call, ask: wire.QueueTask) -> wire.TaskAdded:
    """An entry; the task's status stays."""
    services.queues.add(call, ask.queue, ask.task)
    return wire.TaskAdded(added=1)


@handles("queues.remove_task")
def remove_task(services: Services, call: Call, ask: wire.QueueTask) -> wire.TaskRemoved:
    """No entry; the task's status stays."""
    services.queues.remove(call, ask.queue, ask.task)
    return wire.TaskRemoved(removed=1)


@handles("queues.move_task_forward")
def move_task_forward(services: Services, call: Call, ask: wire.MoveQueueTask) -> wire.TaskPosition:
    """Earlier."""
    return wire.TaskPosition(position=services.queues.move(call, ask, ask.count))


@handles("queues.move_task_backward")
def move_task_backward(services: Services, call: Call, ask: wire.MoveQueueTask) -> wire.TaskPosition:
    """Later."""
    return wire.TaskPosition(position=services.queues.move(call, ask, ask.count, back=True))


@handles("queues.move_task_to_front")
def move_task_to_front(services: Services, call: Call, ask: wire.QueueTask) -> wire.TaskPosition:
    """First."""
    return wire.TaskPosition(position=services.queues.move(call, ask, None))


@handles("queues.move_task_to_back")
def move_task_to_back(services: Services, call: Call, ask: wire.QueueTask) -> wire.TaskPosition:
    """Last."""
    return wire.TaskPosition(position=services.queues.move(call, ask, None, back=True))


@handles("queues.peek_task")
def peek_task(services: Services, call: Call, ask: wire.GetQueue) -> wire.PeekReply:
    """The next one."""
    return wire.PeekReply(task=services.queues.first(call, ask.queue))
