"""Workers."""

from trialbook.server.rpc.registry import handles
from trialbook.server.services.bundle import Services
from trialbook.server.services.call import Call
from trialbook.wire import workers as wire
from trialbook.wire.query import Empty


@handles("workers.register")
def register(services: Services, call: Call, ask: wire.RegisterWorker) -> Empty:
    """A worker begins."""
    services.workers.register(call, ask, call.origin)
    return Empty()


@handles("workers.unregister")
def unregister(services: Services, call: Call, ask: wire.UnregisterWorker) -> Empty:
    """A worker ends."""
    services.workers.unregister(call, ask.worker)
    return Empty()


@handles("workers.status_report")
def status_report(services: Services, call: Call, ask: wire.WorkerReport) -> Empty:
    """A sign of life."""
    services.workers.report(call, ask, call.origin)
    return Empty()


@handles("workers.get_all")
def get_all(services: Services, call: Call, ask: wire.GetAllWorkers) -> wire.GetAllWorkersReply:
    """Workers that are alive."""
    return wire.GetAllWorkersReply(workers=services.workers.alive(call, ask.last_seen, ask.tags))


@handles("workers.get_runtime_properties")
def get_runtime_properties(
    services: Services, call: Call, ask: wire.GetRuntimeProperties
) -> wire.RuntimePropertiesReply:
    """What was set for a worker."""
    found = services.workers.properties(call, ask.worker)
    return wire.RuntimePropertiesReply(
        runtime_properties=[wire.RuntimeProperty(key=key, value=found[key]) for key in sorted(found)]
    )


@handles("workers.set_runtime_properties")
def set_runtime_properties(services: Services, call: Call, ask: wire.SetRuntimeProperties) -> Empty:
    """Set some."""
    values = {one.key: one.value for one in ask.runtime_properties}
    services.workers.set_properties(call, ask.worker, values, call.origin)
    return Empty()
