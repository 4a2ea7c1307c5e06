"""Users."""

from msgspec import structs

from trialbook.server.rpc import log_in
from trialbook.server.rpc.http_call import HttpCall
from trialbook.server.rpc.registry import handles
from trialbook.server.services.bundle import Services
from trialbook.server.services.call import Call
from trialbook.wire import users as wire
from trialbook.wire.auth import NewCredential
from trialbook.wire.query import Empty, Updated


@handles("users.create")
def create(services: Services, call: Call, ask: wire.CreateUser) -> wire.CreatedUser:
    """A new user with its first key."""
    id, key, secret = services.users.add(call, ask.name, ask.role, ask.label)
    credentials = NewCredential(access_key=key, secret_key=secret, label=ask.label)
    return wire.CreatedUser(user=services.users.get(call, id), credentials=credentials)


@handles("users.edit")
def edit(services: Services, call: Call, ask: wire.EditUser) -> Updated:
    """Another name or role."""
    changes = services.users.change(call, ask.user, ask.name, ask.role, ask.disabled)
    return Updated(updated=int(bool(changes)), fields=changes)


@handles("users.delete")
def delete(services: Services, call: Call, ask: wire.GetUser) -> wire.UserDeleted:
    """Remove a user."""
    services.users.remove(call, ask.user)
    return wire.UserDeleted(deleted=True)


@handles("users.get_current_user")
def get_current_user(services: Services, call: Call, _ask: Empty) -> wire.CurrentUserReply:
    """Who calls."""
    return wire.CurrentUserReply(user=services.users.get(call, call.caller.user))


@handles("users.whoami")
def whoami(services: Services, call: HttpCall, _ask: Empty) -> wire.WhoAmI:
    """Who calls, or nobody."""
    if not call.caller.user:
        return wire.WhoAmI(user=None, local_login=log_in.offered(services, call))
    user = structs.replace(services.users.get(call, call.caller.user), role=call.caller.role)
    return wire.WhoAmI(user=user, local_login=False)


@handles("users.get_by_id")
def get_by_id(services: Services, call: Call, ask: wire.GetUser) -> wire.CurrentUserReply:
    """One user."""
    return wire.CurrentUserReply(user=services.users.get(call, ask.user))


@handles("users.get_all")
def get_all(services: Services, call: Call, ask: wire.GetAllUsers) -> wire.GetAllUsersReply:
    """Users by name."""
    return wire.GetAllUsersReply(users=services.users.find(call, ask.id))


@handles("users.get_preferences")
def get_preferences(services: Services, call: Call, _ask: Empty) -> wire.PreferencesReply:
    """What the page keeps for the caller."""
    return wire.PreferencesReply(preferences=services.users.preferences(call))


@handles("users.set_preferences")
def set_preferences(services: Services, call: Call, ask: wire.SetPreferences) -> wire.PreferencesUpdated:
    """Keep something for the caller; null removes."""
    services.users.set_preferences(call, ask.preferences)
    return wire.PreferencesUpdated(updated=1)


@handles("users.get_vaults")
def get_vaults(_services: Services, _call: Call, _ask: Empty) -> wire.VaultsReply:
    """None."""
    return wire.VaultsReply()
