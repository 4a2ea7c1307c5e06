"""Wire types and methods of users."""

from typing import Any

import msgspec

from trialbook.wire.query import Empty
from trialbook.wire.table import METHODS, Permission


class Company(msgspec.Struct, frozen=True, kw_only=True):
    """The organisation; a server has one."""

    id: str
    name: str


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A person, or a machine that has its own key."""

    id: str
    name: str
    role: str
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


METHODS.add(
    "users.get_current_user",
    request=Empty,
    reply=CurrentUserReply,
    permit=Permission.READ,
    summary="Who is calling.",
)
METHODS.add(
    "users.get_all",
    request=GetAllUsers,
    reply=GetAllUsersReply,
    permit=Permission.READ,
    summary="Users of this server.",
)
METHODS.add(
    "users.get_by_id", request=GetUser, reply=CurrentUserReply, permit=Permission.READ, summary="One user."
)
METHODS.add(
    "users.get_preferences",
    request=Empty,
    reply=PreferencesReply,
    permit=Permission.READ,
    summary="What the page keeps for the caller.",
)
METHODS.add(
    "users.set_preferences",
    request=SetPreferences,
    reply=PreferencesUpdated,
    permit=Permission.READ,
    changes=True,
    summary="Keep something for the caller.",
)
