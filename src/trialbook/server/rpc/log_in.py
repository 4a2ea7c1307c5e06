"""The ways in, as far as they concern HTTP: who may use which, and the cookie that a page gets."""

from trialbook.errors import Forbidden, NoCredentials
from trialbook.server.rpc import session
from trialbook.server.rpc.http_call import HttpCall
from trialbook.server.services.bundle import Services
from trialbook.server.services.caller import Caller
from trialbook.wire import auth as wire


def by_key(services: Services, call: HttpCall, ask: wire.Login) -> wire.LoginReply:
    """A token for a key, a token, or a page's form.

    Raises:
        NoCredentials, BadCredentials: nothing that is known was shown.
        Forbidden: a form did not come by POST.
    """
    accounts, caller = services.accounts, call.caller
    from_page = ask.access_key is not None or ask.secret_key is not None
    if from_page:
        if call.request is None or call.request.method != "POST":
            raise Forbidden("a key in the body must come by POST")
        caller = accounts.by_key(ask.access_key or "", ask.secret_key or "", origin=call.origin)
    if not caller.user:
        raise NoCredentials("log in with an access key and its secret")
    token, seconds = accounts.token(caller, ask.expiration_sec)
    if from_page:
        _set_cookie(services, call, token, seconds)
    return wire.LoginReply(token=token, server=accounts.identity)


def on_this_machine(services: Services, call: HttpCall) -> wire.LoginReply:
    """A session for a page on the machine of a private server.

    Raises:
        Forbidden: the page is elsewhere, or another person's.
    """
    request = call.request
    if not services.about.local_login or request is None or not session.is_local(request):
        raise Forbidden("only a page on the machine of a loopback-bound server may log in without a key")
    session.check_page(request)
    if not session.is_owner(request):
        raise Forbidden(
            "this program does not belong to the user who runs the server; as that user, run `trialbook open` for a"
            " link that logs in once, or log in with an access key"
        )
    return _page_session(services, call, services.accounts.local_admin(), "local")


def by_link(services: Services, call: HttpCall, ask: wire.LoginLink) -> wire.LoginReply:
    """A session for a page that was opened with a link.

    Raises:
        Forbidden: it is not a page that asks.
        BadToken: the link was used, or has ended.
    """
    if call.request is None:
        raise Forbidden("a link is used by a page")
    session.check_page(call.request)
    return _page_session(services, call, services.accounts.links.take(ask.link, call.now), "link")


def out(services: Services, call: HttpCall) -> None:
    """Forget the page's cookie, and end its session."""
    if call.caller.session:
        with call.write() as connection:
            services.accounts.end_session(connection, call.caller.session, call.caller.user)
        services.accounts.forget(call.caller.user)
    _set_cookie(services, call, "", 0)


def offered(services: Services, call: HttpCall) -> bool:
    """Whether this page may log in without a key, because it is on the machine of its private server."""
    request = call.request
    return (
        services.about.local_login
        and request is not None
        and session.is_local(request)
        and session.is_owner(request)
    )


def _page_session(services: Services, call: HttpCall, caller: Caller, method: str) -> wire.LoginReply:
    with call.write() as connection:
        token, seconds = services.accounts.page_token(connection, caller, method, call.origin)
    _set_cookie(services, call, token, seconds)
    return wire.LoginReply(token=token)


def _set_cookie(services: Services, call: HttpCall, token: str, seconds: int) -> None:
    secure = call.request is not None and call.request.url.scheme == "https"
    cookie = session.cookie_header(services.accounts.cookie, token, seconds, secure=secure)
    call.reply_headers.append(("Set-Cookie", cookie))
