"""Who calls, and what the roles may do."""

from dataclasses import dataclass
from typing import Literal

from trialbook.wire.table import Permission

ROLES: dict[str, frozenset[Permission]] = {
    "admin": frozenset(Permission),
    "user": frozenset({Permission.PUBLIC, Permission.READ, Permission.WORK, Permission.WRITE}),
    "worker": frozenset({Permission.PUBLIC, Permission.READ, Permission.WORK}),
    "read-only": frozenset({Permission.PUBLIC, Permission.READ}),
}


@dataclass(frozen=True)
class Caller:
    """Who calls, and how it was proved.

    Attributes:
        user: id; empty for a caller that is not known.
        name: of the user.
        role: ``admin``, ``user``, ``worker``, ``read-only``, or empty.
        access_key: the key that the session was opened with; empty for a log-in on the server's own machine.
        kind: where the token came from.
        session: id of a browser's session; empty for a token that a key made.
        epoch: the number of the user's tokens when this one was made; another one ends them all.
    """

    user: str = ""
    name: str = ""
    role: str = ""
    access_key: str = ""
    kind: Literal["none", "token", "cookie", "key"] = "none"
    session: str = ""
    epoch: int = 0

    def may(self, permission: Permission) -> bool:
        """True when the caller holds the permission."""
        return permission is Permission.PUBLIC or permission in ROLES.get(self.role, frozenset())
