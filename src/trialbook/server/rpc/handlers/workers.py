"""Workers."""

from trialbook.server.rpc.context import Context
from trialbook.server.rpc.registry import handles
from trialbook.wire import workers as wire
from trialbook.wire.query import Empty


@handles("workers.register")
def register(context: Context, ask: wire.RegisterWorker) -> Empty:
    """A worker begins."""
    context.services.crew.register(context, ask, context.origin)
    return Empty()


@handles("workers.unregister")
def unregister(context: Context, ask: wire.UnregisterWorker) -> Empty:
    """A worker ends."""
    context.services.crew.unregister(context, ask.worker)
    return Empty()


@handles("workers.status_report")
def status_report(context: Context, ask: wire.WorkerReport) -> Empty:
    """A sign of life."""
    context.services.crew.report(context, ask, context.origin)
    return Empty()


@handles("workers.get_all")
def get_all(context: Context, ask: wire.GetAllWorkers) -> wire.GetAllWorkersReply:
    """Workers that are alive."""
    return wire.GetAllWorkersReply(workers=context.services.crew.alive(context, ask.last_seen, ask.tags))
