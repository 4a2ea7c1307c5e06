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


@handles("workers.get_runtime_properties")
def get_runtime_properties(context: Context, ask: wire.GetRuntimeProperties) -> wire.RuntimePropertiesReply:
    """What was set for a worker."""
    found = context.services.crew.properties(context, ask.worker)
    return wire.RuntimePropertiesReply(
        runtime_properties=[wire.RuntimeProperty(key=key, value=found[key]) for key in sorted(found)]
    )


@handles("workers.set_runtime_properties")
def set_runtime_properties(context: Context, ask: wire.SetRuntimeProperties) -> Empty:
    """Set some."""
    values = {one.key: one.value for one in ask.runtime_properties}
    context.services.crew.set_properties(context, ask.worker, values, context.origin)
    return Empty()
