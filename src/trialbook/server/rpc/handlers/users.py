"""Users."""

from typing import Any

from msgspec import structs

from trialbook.base.clock import iso
from trialbook.errors import BadRequest
from trialbook.server.rpc import session
from trialbook.server.rpc.context import Context
from trialbook.server.rpc.registry import handles
from trialbook.server.services.accounts import COMPANY_NAME
from trialbook.server.stores.projects import COMPANY
from trialbook.wire import users as wire
from trialbook.wire.auth import NewCredential
from trialbook.wire.query import Empty, Updated


def _shown(row: Any) -> wire.User:
    return wire.User(
        id=row.id,
        name=row.name,
        role=row.role,
        disabled=bool(row.disabled),
        company=wire.Company(id=COMPANY, name=COMPANY_NAME),
        created=iso(row.created),
    )


def _require(context: Context, id: str) -> Any:
    row = context.services.users.get_user(context.connection, id)
    if row is None:
        raise BadRequest(f"there is no user {id!r}", id=id)
    return row


@handles("users.create")
def create(context: Context, ask: wire.CreateUser) -> wire.CreatedUser:
    """A new user with its first key."""
    id, key, secret = context.services.team.add(context, ask.name, ask.role, ask.label)
    return wire.CreatedUser(
        user=_shown(_require(context, id)),
        credentials=NewCredential(access_key=key, secret_key=secret, label=ask.label),
    )


@handles("users.edit")
def edit(context: Context, ask: wire.EditUser) -> Updated:
    """Another name or role."""
    changed = context.services.team.change(context, ask.user, ask.name, ask.role, ask.disabled)
    context.afterwards.append(lambda: context.services.accounts.forget(ask.user))
    return Updated(updated=int(bool(changed)), fields=changed)


@handles("users.delete")
def delete(context: Context, ask: wire.GetUser) -> wire.UserDeleted:
    """Remove a user."""
    context.services.team.remove(context, ask.user)
    context.afterwards.append(lambda: context.services.accounts.forget(ask.user))
    return wire.UserDeleted(deleted=True)


@handles("users.get_current_user")
def get_current_user(context: Context, _ask: Empty) -> wire.CurrentUserReply:
    """Who calls."""
    return wire.CurrentUserReply(user=_shown(_require(context, context.caller.user)))


@handles("users.whoami")
def whoami(context: Context, _ask: Empty) -> wire.WhoAmI:
    """Who calls, or nobody."""
    if context.caller.user:
        user = structs.replace(_shown(_require(context, context.caller.user)), role=context.caller.role)
        return wire.WhoAmI(user=user, local_login=False)
    request = context.request
    if not context.services.local_login or request is None:
        return wire.WhoAmI(user=None, local_login=False)
    return wire.WhoAmI(user=None, local_login=session.is_local(request) and session.is_owner(request))


@handles("users.get_by_id")
def get_by_id(context: Context, ask: wire.GetUser) -> wire.CurrentUserReply:
    """One user."""
    return wire.CurrentUserReply(user=_shown(_require(context, ask.user)))


@handles("users.get_all")
def get_all(context: Context, ask: wire.GetAllUsers) -> wire.GetAllUsersReply:
    """Users by name."""
    return wire.GetAllUsersReply(
        users=[_shown(row) for row in context.services.users.users(context.connection, ask.id)]
    )


@handles("users.get_preferences")
def get_preferences(context: Context, _ask: Empty) -> wire.PreferencesReply:
    """What the page keeps for the caller."""
    return wire.PreferencesReply(preferences=_require(context, context.caller.user).preferences)


@handles("users.set_preferences")
def set_preferences(context: Context, ask: wire.SetPreferences) -> wire.PreferencesUpdated:
    """Keep something for the caller; null removes."""
    merged = {**_require(context, context.caller.user).preferences, **ask.preferences}
    kept = {name: value for name, value in merged.items() if value is not None}
    context.services.users.set_preferences(context.connection, context.caller.user, kept)
    return wire.PreferencesUpdated(updated=1)


@handles("users.get_vaults")
def get_vaults(_context: Context, _ask: Empty) -> wire.VaultsReply:
    """None."""
    return wire.VaultsReply()
