"""Facts about the server."""

from trialbook.server.rpc.registry import handles
from trialbook.server.services.bundle import Services
from trialbook.server.services.call import Call
from trialbook.wire import server as wire
from trialbook.wire.query import Empty


@handles("server.info")
def info(services: Services, _call: Call, _ask: Empty) -> wire.ServerInfo:
    """Version, and whether a page here may log in without a key."""
    return services.about.info()


@handles("debug.ping")
def ping(_services: Services, _call: Call, _ask: Empty) -> wire.Pong:
    """Alive."""
    return wire.Pong(msg="Trialbook is up")
