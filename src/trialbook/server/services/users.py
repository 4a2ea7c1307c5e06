"""Users of a server, looked after by its administrators."""

import unicodedata
from typing import Any

from trialbook.base.clock import iso
from trialbook.base.ids import new_id
from trialbook.errors import BadField, BadRequest
from trialbook.server.services.accounts import COMPANY_NAME, Accounts
from trialbook.server.services.call import Call
from trialbook.server.services.changes import changed
from trialbook.server.stores.projects import COMPANY
from trialbook.server.stores.users import UserStore
from trialbook.wire.users import Company, User


def _named(name: str) -> str:
    if not name.strip():
        raise BadField("name: a user needs a name that is not blank", field="name")
    return name.strip()


class Users:
    """Adds, changes and removes users. There is always an administrator.

    Args:
        users: their store.
        accounts: gives keys out, and remembers who calls.
    """

    def __init__(self, users: UserStore, accounts: Accounts) -> None:
        self._users = users
        self._accounts = accounts

    def add(self, call: Call, name: str, role: str, label: str) -> tuple[str, str, str]:
        """A new user: its id, its access key and the secret.

        Raises:
            BadField: the name is blank.
            BadRequest: somebody has this name.
        """
        id = new_id()
        name = _named(name)
        self._insist_unique(call, id, name)
        self._users.add_user(call.connection, id, name, role, call.now)
        changed(call, "user", id, "created", after={"name": name, "role": role})
        return id, *self._accounts.create_key(call.connection, id, label)

    def get(self, call: Call, id: str) -> User:
        """One user.

        Raises:
            BadRequest: there is none.
        """
        return _shown(self._require(call, id))

    def find(self, call: Call, ids: list[str] | None) -> list[User]:
        """Users by name; only some of them where ids are given."""
        return [_shown(row) for row in self._users.users(call.connection, ids)]

    def preferences(self, call: Call) -> dict[str, Any]:
        """What the page keeps for the caller."""
        return dict(self._require(call, call.caller.user).preferences)

    def set_preferences(self, call: Call, given: dict[str, Any]) -> None:
        """Keep something for the caller; None removes."""
        merged = {**self.preferences(call), **given}
        kept = {name: value for name, value in merged.items() if value is not None}
        self._users.set_preferences(call.connection, call.caller.user, kept)

    def change(
        self, call: Call, id: str, name: str | None, role: str | None, disabled: bool | None = None
    ) -> dict[str, Any]:
        """Rename, disable or enable a user, or give it another role; what changed.

        Raises:
            BadRequest: there is no such user, it is the last administrator, or somebody has this name.
        """
        row = self._require(call, id)
        given = {"name": _named(name) if name else None, "role": role, "disabled": disabled}
        changes = {key: held for key, held in given.items() if held is not None and held != getattr(row, key)}
        if "name" in changes:
            self._insist_unique(call, id, str(changes["name"]))
        if row.role == "admin" and ("role" in changes or changes.get("disabled")):
            self._keep_an_admin(call, id)
        call.afterwards.append(lambda: self._accounts.forget(id))
        if changes:
            self._users.change_user(call.connection, id, **changes)
            changed(call, "user", id, "edited", before=row._mapping, after=changes)
            if changes.get("disabled"):
                # They stay ended when the user is enabled again: that is for who has the key.
                self._users.end_tokens(call.connection, id)
        return changes

    def remove(self, call: Call, id: str) -> None:
        """Remove a user and its keys.

        Raises:
            BadRequest: there is no such user, or it is the last administrator.
        """
        row = self._require(call, id)
        if row.role == "admin":
            self._keep_an_admin(call, id)
        call.afterwards.append(lambda: self._accounts.forget(id))
        self._users.drop_user(call.connection, id)
        changed(call, "user", id, "deleted", before={"name": row.name, "role": row.role})

    def _insist_unique(self, call: Call, id: str, name: str) -> None:
        wanted = _seen(name)
        if not wanted:
            raise BadRequest("a user has a name", name=name)
        # One after the other: two that come together would not see each other's row.
        self._users.lock(call.connection)
        others: list[Any] = self._users.users(call.connection, None)
        if any(_seen(other.name) == wanted and other.id != id for other in others):
            raise BadRequest(
                f"there is a user named {name.strip()!r} already: choose another name", name=name
            )

    def _require(self, call: Call, id: str) -> Any:
        row = self._users.get_user(call.connection, id)
        if row is None:
            raise BadRequest(f"there is no user {id!r}", id=id)
        return row

    def _keep_an_admin(self, call: Call, id: str) -> None:
        if not self._users.other_admins(call.connection, id):
            raise BadRequest("this is the last administrator: make another user one first", id=id)


def _shown(row: Any) -> User:
    return User(
        id=row.id,
        name=row.name,
        role=row.role,
        disabled=bool(row.disabled),
        company=Company(id=COMPANY, name=COMPANY_NAME),
        created=iso(row.created),
    )


def _seen(name: str) -> str:
    """A name as people tell it apart: whatever the case, the width and the composition of its letters, and without
    characters that nobody sees."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return "".join(letter for letter in plain if unicodedata.category(letter) not in ("Cf", "Cc")).strip()
