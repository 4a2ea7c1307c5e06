"""Access keys, and the browsers that are logged in without one."""

from typing import Any

from trialbook.base.clock import iso
from trialbook.server.services.accounts import Accounts
from trialbook.server.services.call import Call
from trialbook.server.stores.users import UserStore
from trialbook.wire import auth as wire
from trialbook.wire.table import Permission


class Credentials:
    """The caller's own, and for administrators everybody's.

    Args:
        users: the store.
        accounts: makes and ends them.
    """

    def __init__(self, users: UserStore, accounts: Accounts) -> None:
        self._users = users
        self._accounts = accounts

    def create(self, call: Call, ask: wire.CreateCredentials) -> wire.NewCredential:
        """A new access key of the caller. Neither does a key that may less than its owner make one that may more."""
        owner: Any = self._users.get_user(call.connection, call.caller.user)
        role = self._accounts.lesser(call.caller.role, ask.role)
        kept = None if ask.role is None and role == owner.role else role
        key, secret = self._accounts.create_key(call.connection, call.caller.user, ask.label, kept)
        return wire.NewCredential(access_key=key, secret_key=secret, label=ask.label, role=role)

    def keys(self, call: Call, user: str | None) -> list[wire.Credential]:
        """The access keys of the caller, or of another user.

        Raises:
            Forbidden: another one, and the caller is not an administrator.
        """
        owner: Any = self._users.get_user(call.connection, self._whose(call, user))
        rows: list[Any] = self._users.credentials(call.connection, owner.id) if owner else []
        return [
            wire.Credential(
                access_key=row.access_key,
                label=row.label,
                role=self._accounts.lesser(owner.role, row.role),
                created=iso(row.created),
                last_used=None if row.last_used is None else iso(row.last_used),
                last_used_from=row.last_used_from or None,
            )
            for row in rows
        ]

    def label(self, call: Call, ask: wire.EditCredentials) -> int:
        """Another label for a key of the caller; how many there were."""
        return self._users.change_credential(
            call.connection, ask.access_key, call.caller.user, label=ask.label
        )

    def revoke(self, call: Call, ask: wire.RevokeCredentials) -> int:
        """End a key; how many there were.

        Raises:
            Forbidden: another user's, and the caller is not an administrator.
        """
        owner = self._whose(call, ask.user)
        call.afterwards.append(lambda: self._accounts.forget(owner))
        return self._accounts.revoke(call.connection, owner, ask.access_key)

    def sessions(self, call: Call, user: str | None) -> list[wire.Session]:
        """Browsers that are logged in without a key.

        Raises:
            Forbidden: another user's, and the caller is not an administrator.
        """
        rows: list[Any] = self._users.sessions(call.connection, self._whose(call, user), call.now)
        return [
            wire.Session(
                id=row.id,
                method=row.method,
                origin=row.origin,
                created=iso(row.created),
                expires=iso(row.expires),
                current=row.id == call.caller.session,
            )
            for row in rows
        ]

    def end_session(self, call: Call, ask: wire.EndSession) -> int:
        """End the token of a browser; how many there were.

        Raises:
            Forbidden: another user's, and the caller is not an administrator.
        """
        owner = self._whose(call, ask.user)
        call.afterwards.append(lambda: self._accounts.forget(owner))
        return self._accounts.end_session(call.connection, ask.session, owner)

    def _whose(self, call: Call, user: str | None) -> str:
        if user and user != call.caller.user:
            self._accounts.require(call.caller, Permission.ADMIN)
            return user
        return call.caller.user
