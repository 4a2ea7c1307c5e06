"""Wire types and methods of server: facts about the server, health."""

import msgspec

from trialbook.wire.query import Empty
from trialbook.wire.table import ANYBODY, METHODS, Permission


class ServerInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a client may want to know before it logs in."""

    version: str
    api_version: str
    server_version: str
    local_login: bool
    id: str
    """Which server this is: the same at every address that leads to it."""
    address: str = ""
    """What to tell machines and people, where the server was given one (``TRIALBOOK_SERVER_ADDRESS``)."""
    listens: str = ""
    """Where it listens, as other machines reach it."""


class Pong(msgspec.Struct, frozen=True, kw_only=True):
    """The server answers."""

    msg: str


METHODS.add(
    "server.info",
    access=ANYBODY,
    request=Empty,
    reply=ServerInfo,
    permit=Permission.PUBLIC,
    summary="Version, and whether a page on this machine may log in without a key.",
)
METHODS.add(
    "debug.ping",
    access=ANYBODY,
    request=Empty,
    reply=Pong,
    permit=Permission.PUBLIC,
    summary="Answers when the server is up.",
)
