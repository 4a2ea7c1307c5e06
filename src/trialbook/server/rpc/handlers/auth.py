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
from trialbook.wire.table import Permission


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
    if not session.is_owner(request):
        raise Forbidden(
            "this program does not belong to the user who runs the server; as that user, run `trialbook open` for a"
            " link that logs in once, or log in with an access key"
        )
    return _page_session(context, context.services.accounts.local_admin(), "local")


@handles("auth.create_link")
def create_link(context: Context, _ask: Empty) -> wire.LinkReply:
    """A link that logs the caller's browser in once."""
    return wire.LinkReply(link=context.services.accounts.links.make(context.caller, context.now))


@handles("auth.login_link")
def login_link(context: Context, ask: wire.LoginLink) -> wire.LoginReply:
    """A session for a page that was opened with a link."""
    request = context.request
    if request is None:
        raise Forbidden("a link is used by a page")
    session.check_page(request)
    return _page_session(context, context.services.accounts.links.take(ask.link, context.now), "link")


def _page_session(context: Context, caller: Caller, method: str) -> wire.LoginReply:
    with context.write() as connection:
        token, seconds = context.services.accounts.page_token(connection, caller, method, context.origin)
    _set_cookie(context, token, seconds)
    return wire.LoginReply(token=token)


@handles("auth.logout")
def logout(context: Context, _ask: Empty) -> Empty:
    """Forget the page's cookie, and end its session."""
    if context.caller.session:
        with context.write() as connection:
            context.services.accounts.end_session(connection, context.caller.session, context.caller.user)
        context.services.accounts.forget(context.caller.user)
    _set_cookie(context, "", 0)
    return Empty()


@handles("auth.create_credentials")
def create_credentials(context: Context, ask: wire.CreateCredentials) -> wire.CreateCredentialsReply:
    """A new access key of the caller."""
    owner: Any = context.services.users.get_user(context.connection, context.caller.user)
    # Neither does a key that may less than its owner make one that may more.
    role = context.services.accounts.lesser(context.caller.role, ask.role)
    key, secret = context.services.accounts.create_key(
        context.connection,
        context.caller.user,
        ask.label,
        None if ask.role is None and role == owner.role else role,
    )
    return wire.CreateCredentialsReply(
        credentials=wire.NewCredential(access_key=key, secret_key=secret, label=ask.label, role=role)
    )


@handles("auth.get_credentials")
def get_credentials(context: Context, ask: wire.OfUser) -> wire.GetCredentialsReply:
    """The caller's access keys, or another user's for an administrator."""
    owner: Any = context.services.users.get_user(context.connection, _whose(context, ask.user))
    rows: list[Any] = context.services.users.credentials(context.connection, owner.id) if owner else []
    return wire.GetCredentialsReply(
        credentials=[
            wire.Credential(
                access_key=row.access_key,
                label=row.label,
                role=context.services.accounts.lesser(owner.role, row.role),
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
    accounts, owner = context.services.accounts, _whose(context, ask.user)
    context.afterwards.append(lambda: accounts.forget(owner))
    return wire.RevokeReply(revoked=accounts.revoke(context.connection, owner, ask.access_key))


@handles("auth.get_sessions")
def get_sessions(context: Context, ask: wire.OfUser) -> wire.SessionsReply:
    """Browsers that are logged in without a key."""
    rows: list[Any] = context.services.users.sessions(
        context.connection, _whose(context, ask.user), context.now
    )
    return wire.SessionsReply(
        sessions=[
            wire.Session(
                id=row.id,
                method=row.method,
                origin=row.origin,
                created=iso(row.created),
                expires=iso(row.expires),
                current=row.id == context.caller.session,
            )
            for row in rows
        ]
    )


@handles("auth.end_session")
def end_session(context: Context, ask: wire.EndSession) -> wire.RevokeReply:
    """End the token of a browser."""
    accounts, owner = context.services.accounts, _whose(context, ask.user)
    context.afterwards.append(lambda: accounts.forget(owner))
    return wire.RevokeReply(revoked=accounts.end_session(context.connection, ask.session, owner))


def _whose(context: Context, user: str | None) -> str:
    """The user that is meant.

    Raises:
        Forbidden: another one, and the caller is no administrator.
    """
    if user and user != context.caller.user:
        context.services.accounts.require(context.caller, Permission.ADMIN)
        return user
    return context.caller.user
