"""Wire types and methods of users."""

from typing import Annotated, Any

import msgspec

from trialbook.wire.auth import NewCredential, Role
from trialbook.wire.query import Empty, Updated
from trialbook.wire.table import ADMINISTRATORS, ANYBODY, METHODS, OWN, Permission, domain, reads


class Company(msgspec.Struct, frozen=True, kw_only=True):
    """The organisation; a server has one."""

    id: str
    name: str


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A person, or a machine that has its own key."""

    id: str
    name: str
    role: str
    disabled: bool = False
    company: Company
    created: str | None = None
    given_name: str | None = None
    family_name: str | None = None


class CurrentUserReply(msgspec.Struct, frozen=True, kw_only=True):
    """The caller."""

    user: User


class GetAllUsers(msgspec.Struct, frozen=True, kw_only=True):
    """Filter by id."""

    id: list[str] | None = None


class GetAllUsersReply(msgspec.Struct, frozen=True, kw_only=True):
    """Users by name."""

    users: list[User]


class GetUser(msgspec.Struct, frozen=True, kw_only=True):
    """One user."""

    user: str


class PreferencesReply(msgspec.Struct, frozen=True, kw_only=True):
    """What the page keeps for the caller."""

    preferences: dict[str, Any] = {}


class SetPreferences(msgspec.Struct, frozen=True, kw_only=True):
    """First-level keys are replaced, null removes one."""

    preferences: dict[str, Any]


class PreferencesUpdated(msgspec.Struct, frozen=True, kw_only=True):
    """Always 1."""

    updated: int


UserName = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class CreateUser(msgspec.Struct, frozen=True, kw_only=True):
    """A new user, with a first access key."""

    name: UserName
    role: Role = "user"
    label: str = "first key"


class CreatedUser(msgspec.Struct, frozen=True, kw_only=True):
    """The user, and the key to hand over; its secret is shown this once."""

    user: User
    credentials: NewCredential


class WhoAmI(msgspec.Struct, frozen=True, kw_only=True):
    """``user``: who calls, with the role of this session; None for nobody, which is not an error. ``local_login``:
    whether a page that asks so may log in without a key."""

    user: User | None
    local_login: bool


class EditUser(msgspec.Struct, frozen=True, kw_only=True):
    """Only what is given changes. A disabled user's keys and tokens are refused until it is enabled again, and
    browsers must log in anew. A new role holds at once in this server process, within a minute in others."""

    user: str
    name: UserName | None = None
    role: Role | None = None
    disabled: bool | None = None


class UserDeleted(msgspec.Struct, frozen=True, kw_only=True):
    """Whether it was deleted."""

    deleted: bool


METHODS.add(
    "users.create",
    access=ADMINISTRATORS,
    request=CreateUser,
    reply=CreatedUser,
    permit=Permission.ADMIN,
    changes=True,
    summary="Add a user with a first access key.",
)
METHODS.add(
    "users.edit",
    access=ADMINISTRATORS,
    request=EditUser,
    reply=Updated,
    permit=Permission.ADMIN,
    changes=True,
    summary="Rename, disable or enable a user, or give it another role.",
)
METHODS.add(
    "users.delete",
    access=ADMINISTRATORS,
    request=GetUser,
    reply=UserDeleted,
    permit=Permission.ADMIN,
    changes=True,
    summary="Remove a user and its access keys; what it made stays.",
)
METHODS.add(
    "users.get_current_user",
    access=OWN,
    request=Empty,
    reply=CurrentUserReply,
    permit=Permission.READ,
    summary="Who is calling.",
)
METHODS.add(
    "users.whoami",
    access=ANYBODY,
    request=Empty,
    reply=WhoAmI,
    permit=Permission.PUBLIC,
    summary="Who is calling, if anybody is known.",
)
METHODS.add(
    "users.get_all",
    access=domain("user"),
    request=GetAllUsers,
    reply=GetAllUsersReply,
    permit=Permission.READ,
    summary="Users of this server.",
)
METHODS.add(
    "users.get_by_id",
    access=domain("user"),
    request=GetUser,
    reply=CurrentUserReply,
    permit=Permission.READ,
    summary="One user.",
)
METHODS.add(
    "users.get_preferences",
    access=OWN,
    request=Empty,
    reply=PreferencesReply,
    permit=Permission.READ,
    summary="What the page keeps for the caller.",
)
METHODS.add(
    "users.set_preferences",
    access=OWN,
    request=SetPreferences,
    reply=PreferencesUpdated,
    permit=Permission.READ,
    changes=True,
    summary="Keep something for the caller.",
)


class VaultsReply(msgspec.Struct, frozen=True, kw_only=True):
    """Always empty: settings live in the configuration file of each machine."""

    vaults: list[dict[str, Any]] = []


reads(
    "users.get_vaults", OWN, Empty, VaultsReply, "Settings that the server keeps for a user; there are none."
)
