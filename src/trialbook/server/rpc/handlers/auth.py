"""Log-in and access keys."""

from typing import Any

from trialbook.base.clock import iso
from trialbook.errors import Forbidden, NoCredentials
from trialbook.server.rpc import session
from trialbook.server.rpc.context import Context
from trialbook.server.rpc.registry import handles
from trialbook.server.services.accounts import Caller
from trialbook.wire import auth as wire
from trialbook.wire.query import Empty


def _set_cookie(context: Context, token: str, seconds: int) -> None:
    secure = context.request is not None and context.request.url.scheme == "https"
    context.reply_headers.append(
        ("Set-Cookie", session.cookie_header(context.services.accounts.cookie, token, seconds, secure=secure))
    )


@handles("auth.login")
def login(context: Context, ask: wire.Login) -> wire.LoginReply:
    """A token for a key, a token, or a page's form."""
    accounts = context.services.accounts
    caller = context.caller
    from_page = ask.access_key is not None or ask.secret_key is not None
    if from_page:
        if context.request is None or context.request.method != "POST":
            raise Forbidden("a key in the body must come by POST")
        caller = accounts.by_key(ask.access_key or "", ask.secret_key or "", origin=context.origin)
    if not caller.user:
        raise NoCredentials("log in with an access key and its secret")
    token, seconds = accounts.token(caller, ask.expiration_sec)
    if from_page:
        _set_cookie(context, token, seconds)
    return wire.LoginReply(token=token, server=accounts.identity)


@handles("auth.login_local")
def login_local(context: Context, _ask: Empty) -> wire.LoginReply:
    """A session for a page on the machine of a private server."""
    request = context.request
    if not context.services.local_login or request is None or not session.is_local(request):
        raise Forbidden("only a page on the machine of a loopback-bound server may log in without a key")
    session.check_page(request)
    caller: Caller = context.services.accounts.local_admin()
    token, seconds = context.services.accounts.token(caller)
    _set_cookie(context, token, seconds)
    return wire.LoginReply(token=token)


@handles("auth.logout")
def logout(context: Context, _ask: Empty) -> Empty:
    """Forget the page's cookie."""
    _set_cookie(context, "", 0)
    return Empty()


@handles("auth.create_credentials")
def create_credentials(context: Context, ask: wire.CreateCredentials) -> wire.CreateCredentialsReply:
    """A new access key of the caller."""
    key, secret = context.services.accounts.create_key(context.connection, context.caller.user, ask.label)
    return wire.CreateCredentialsReply(
        credentials=wire.NewCredential(access_key=key, secret_key=secret, label=ask.label)
    )


@handles("auth.get_credentials")
def get_credentials(context: Context, _ask: Empty) -> wire.GetCredentialsReply:
    """The caller's access keys."""
    rows: list[Any] = context.services.users.credentials(context.connection, context.caller.user)
    return wire.GetCredentialsReply(
        credentials=[
            wire.Credential(
                access_key=row.access_key,
                label=row.label,
                created=iso(row.created),
                last_used=None if row.last_used is None else iso(row.last_used),
                last_used_from=row.last_used_from or None,
            )
            for row in rows
        ]
    )


@handles("auth.edit_credentials")
def edit_credentials(context: Context, ask: wire.EditCredentials) -> wire.CredentialUpdated:
    """Another label."""
    done = context.services.users.change_credential(
        context.connection, ask.access_key, context.caller.user, label=ask.label
    )
    return wire.CredentialUpdated(updated=done)


@handles("auth.revoke_credentials")
def revoke_credentials(context: Context, ask: wire.RevokeCredentials) -> wire.RevokeReply:
    """End a key."""
    return wire.RevokeReply(
        revoked=context.services.accounts.revoke(context.connection, context.caller, ask.access_key)
    )
