"""Facts about this server."""

from dataclasses import dataclass

from trialbook.base.version import __version__
from trialbook.server.services.accounts import API_VERSION, SERVER_VERSION, Accounts
from trialbook.wire.server import ServerInfo


@dataclass(frozen=True)
class About:
    """Which server this is, and how it is reached.

    Attributes:
        accounts: knows its identity.
        local_login: whether a page on this machine may log in without a key.
        address: what it hands out; empty where it was told none.
        listens: where it listens, as other machines reach it.
    """

    accounts: Accounts
    local_login: bool = False
    address: str = ""
    listens: str = ""

    def info(self) -> ServerInfo:
        """Version, identity, addresses."""
        return ServerInfo(
            version=__version__,
            api_version=API_VERSION,
            server_version=SERVER_VERSION,
            local_login=self.local_login,
            id=self.accounts.identity,
            address=self.address,
            listens=self.listens,
        )
