"""Facts about the server."""

from trialbook import __version__
from trialbook.server.rpc.context import Context
from trialbook.server.rpc.registry import handles
from trialbook.server.services.accounts import API_VERSION, SERVER_VERSION
from trialbook.wire import server as wire
from trialbook.wire.query import Empty


@handles("server.info")
def info(context: Context, _ask: Empty) -> wire.ServerInfo:
    """Version, and whether a page here may log in without a key."""
    return wire.ServerInfo(
        version=__version__,
        api_version=API_VERSION,
        server_version=SERVER_VERSION,
        local_login=context.services.local_login,
        id=context.services.accounts.identity,
        address=context.services.address,
        listens=context.services.listens,
    )


@handles("debug.ping")
def ping(_context: Context, _ask: Empty) -> wire.Pong:
    """Alive."""
    return wire.Pong(msg="Trialbook is up")
