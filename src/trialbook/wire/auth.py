"""Wire types and methods of auth: log-in, keys."""

from typing import Any, Literal

import msgspec

from trialbook.wire.query import Empty
from trialbook.wire.table import ANYBODY, METHODS, OWN, Permission

Role = Literal["admin", "user", "worker", "read-only"]
"""``admin`` may do everything, ``user`` everything but look after users, ``worker`` runs and reports, ``read-only``
looks."""


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """Log in with the ``Authorization`` header (Basic or Bearer), or, from a page, with a key and secret in the body.

    Attributes:
        expiration_sec: life of the token in seconds; 30 days when absent, one year at most.
        access_key: with ``secret_key``: the answer also sets the page's cookie.
    """

    expiration_sec: int | None = None
    access_key: str | None = None
    secret_key: str | None = None


class LoginReply(msgspec.Struct, frozen=True, kw_only=True):
    """A token for the ``Authorization: Bearer`` header, and which server gave it."""

    token: str
    server: str = ""


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """An access key, without its secret."""

    access_key: str
    label: str = ""
    role: str = ""
    created: str | None = None
    last_used: str | None = None
    last_used_from: str | None = None


class CreateCredentials(msgspec.Struct, frozen=True, kw_only=True):
    """Make an access key for the calling user.

    Attributes:
        label: what it is for.
        role: what the key may do, never more than its owner; absent means all that its owner may, whatever that
            will be.
    """

    label: str = ""
    role: Role | None = None


class NewCredential(msgspec.Struct, frozen=True, kw_only=True):
    """The only time that the secret is shown."""

    access_key: str
    secret_key: str
    label: str = ""
    role: str = ""


class CreateCredentialsReply(msgspec.Struct, frozen=True, kw_only=True):
    """The new key."""

    credentials: NewCredential


class GetCredentialsReply(msgspec.Struct, frozen=True, kw_only=True):
    """The calling user's keys."""

    credentials: list[Credential]
    additional_credentials: list[Any] = []


class EditCredentials(msgspec.Struct, frozen=True, kw_only=True):
    """Give a key another label."""

    access_key: str
    label: str = ""


class RevokeCredentials(msgspec.Struct, frozen=True, kw_only=True):
    """End a key; tokens made with it end at once. Administrators may name the user whose key it is."""

    access_key: str
    user: str | None = None


class RevokeReply(msgspec.Struct, frozen=True, kw_only=True):
    """How many keys were ended."""

    revoked: int


class OfUser(msgspec.Struct, frozen=True, kw_only=True):
    """Whose: the caller's when absent; another user's for administrators."""

    user: str | None = None


class LinkReply(msgspec.Struct, frozen=True, kw_only=True):
    """Opens a page once, within five minutes: ``/login#link=LINK``."""

    link: str


class LoginLink(msgspec.Struct, frozen=True, kw_only=True):
    """What stood behind ``#link=`` in the page's address."""

    link: str


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A browser that is logged in without a key.

    Attributes:
        method: ``local`` (the server's own user) or ``link``.
        current: the one that asks.
    """

    id: str
    method: str
    origin: str
    created: str
    expires: str
    current: bool = False


class SessionsReply(msgspec.Struct, frozen=True, kw_only=True):
    """The newest first."""

    sessions: list[Session]


class EndSession(msgspec.Struct, frozen=True, kw_only=True):
    """End a browser's session. Administrators may name the user whose it is."""

    session: str
    user: str | None = None


class CredentialUpdated(msgspec.Struct, frozen=True, kw_only=True):
    """How many keys changed."""

    updated: int


METHODS.add(
    "auth.login",
    access=ANYBODY,
    request=Login,
    reply=LoginReply,
    permit=Permission.PUBLIC,
    transaction="own",
    summary="Trade an access key and secret, or a token, for a token.",
)
METHODS.add(
    "auth.login_local",
    access=ANYBODY,
    request=Empty,
    reply=LoginReply,
    permit=Permission.PUBLIC,
    changes=True,
    transaction="own",
    summary="Log a page in without a key: a program of the user who runs a loopback-bound server, on its machine.",
)
METHODS.add(
    "auth.create_link",
    access=OWN,
    request=Empty,
    reply=LinkReply,
    permit=Permission.READ,
    changes=True,
    transaction="own",
    summary="A link that logs the caller's browser in once, within five minutes.",
)
METHODS.add(
    "auth.login_link",
    access=ANYBODY,
    request=LoginLink,
    reply=LoginReply,
    permit=Permission.PUBLIC,
    changes=True,
    transaction="own",
    summary="Log a page in with a link.",
)
METHODS.add(
    "auth.get_sessions",
    access=OWN,
    request=OfUser,
    reply=SessionsReply,
    permit=Permission.READ,
    summary="Browsers that are logged in without a key.",
)
METHODS.add(
    "auth.end_session",
    access=OWN,
    request=EndSession,
    reply=RevokeReply,
    permit=Permission.READ,
    changes=True,
    summary="End a browser's session.",
)
METHODS.add(
    "auth.logout",
    access=ANYBODY,
    request=Empty,
    reply=Empty,
    permit=Permission.PUBLIC,
    changes=True,
    transaction="own",
    summary="Forget the page's cookie.",
)
METHODS.add(
    "auth.create_credentials",
    access=OWN,
    request=CreateCredentials,
    reply=CreateCredentialsReply,
    permit=Permission.WRITE,
    changes=True,
    summary="Make an access key for the calling user.",
)
METHODS.add(
    "auth.get_credentials",
    access=OWN,
    request=OfUser,
    reply=GetCredentialsReply,
    permit=Permission.READ,
    summary="The calling user's access keys, without secrets.",
)
METHODS.add(
    "auth.edit_credentials",
    access=OWN,
    request=EditCredentials,
    reply=CredentialUpdated,
    permit=Permission.WRITE,
    since="2.19",
    changes=True,
    summary="Give an access key another label.",
)
METHODS.add(
    "auth.revoke_credentials",
    access=OWN,
    request=RevokeCredentials,
    reply=RevokeReply,
    permit=Permission.WRITE,
    changes=True,
    summary="End an access key.",
)
