"""Wire types and methods of auth: log-in, keys."""

from typing import Any

import msgspec

from trialbook.wire.query import Empty
from trialbook.wire.table import METHODS, Permission


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
    created: str | None = None
    last_used: str | None = None
    last_used_from: str | None = None


class CreateCredentials(msgspec.Struct, frozen=True, kw_only=True):
    """Make an access key for the calling user."""

    label: str = ""


class NewCredential(msgspec.Struct, frozen=True, kw_only=True):
    """The only time that the secret is shown."""

    access_key: str
    secret_key: str
    label: str = ""


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
    """End a key; tokens made with it end at once."""

    access_key: str


class RevokeReply(msgspec.Struct, frozen=True, kw_only=True):
    """How many keys were ended."""

    revoked: int


class CredentialUpdated(msgspec.Struct, frozen=True, kw_only=True):
    """How many keys changed."""

    updated: int


METHODS.add(
    "auth.login",
    request=Login,
    reply=LoginReply,
    permit=Permission.PUBLIC,
    transaction="own",
    summary="Trade an access key and secret, or a token, for a token.",
)
METHODS.add(
    "auth.login_local",
    request=Empty,
    reply=LoginReply,
    permit=Permission.PUBLIC,
    changes=True,
    transaction="own",
    summary="Log a page in without a key, on the machine that runs a loopback-bound server.",
)
METHODS.add(
    "auth.logout",
    request=Empty,
    reply=Empty,
    permit=Permission.PUBLIC,
    changes=True,
    transaction="own",
    summary="Forget the page's cookie.",
)
METHODS.add(
    "auth.create_credentials",
    request=CreateCredentials,
    reply=CreateCredentialsReply,
    permit=Permission.WRITE,
    changes=True,
    summary="Make an access key for the calling user.",
)
METHODS.add(
    "auth.get_credentials",
    request=Empty,
    reply=GetCredentialsReply,
    permit=Permission.READ,
    summary="The calling user's access keys, without secrets.",
)
METHODS.add(
    "auth.edit_credentials",
    request=EditCredentials,
    reply=CredentialUpdated,
    permit=Permission.WRITE,
    since="2.19",
    changes=True,
    summary="Give an access key another label.",
)
METHODS.add(
    "auth.revoke_credentials",
    request=RevokeCredentials,
    reply=RevokeReply,
    permit=Permission.WRITE,
    changes=True,
    summary="End an access key.",
)
