"""Who calls: the key, token or cookie of a request, and what a page's cookie may do."""

import base64
import binascii
import ipaddress
import os
from dataclasses import replace
from urllib.parse import SplitResult, urlsplit

from starlette.requests import Request

from trialbook.errors import BadCredentials, BadToken, Forbidden, NoCredentials
from trialbook.server.rpc import peer
from trialbook.server.services.accounts import Accounts
from trialbook.server.services.caller import Caller

WEB_HEADER = "x-trialbook-web"
_BROWSERS = frozenset(
    {
        "authorization", "cache-control", "connection", "cookie", "dnt", "downlink", "ect", "host", "keep-alive",
        "origin", "pragma", "priority", "purpose", "referer", "rtt", "save-data", "te", "upgrade-insecure-requests",
        "user-agent", "x-requested-with",
    }
)  # fmt: skip
_BROWSERS_BEGIN = ("accept", "content-", "if-", "sec-", "x-clearml-", "x-trains-", "x-trialbook-")
"""Headers that browsers and our own clients send. What else a request has was added on its way: every proxy, tunnel
and balancer has a name of its own for the address that it speaks for."""
NOBODY = Caller()


def identify(request: Request, accounts: Accounts, method: str) -> Caller:
    """The caller of an RPC request.

    Raises:
        Unauthorized: what was sent is not a valid key or token.
        Forbidden: a page's cookie came with a request that a page does not make.
    """
    header = request.headers.get("authorization", "")
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return accounts.by_token(value.strip())
    if scheme.lower() == "basic" and method == "auth.login":
        return accounts.by_key(*_pair(value), origin=origin(request))
    if header and scheme.lower() != "basic":
        raise NoCredentials(
            f"the authorization scheme {scheme!r} is not known; send Basic to auth.login, else Bearer"
        )
    # A log-in replaces the cookie, so the old one has no part in it.
    if method in {"auth.login", "auth.login_local", "auth.login_link"}:
        return NOBODY
    return _by_cookie(request, accounts)


def identify_for_file(request: Request, accounts: Accounts) -> Caller:
    """The caller of a file request. A page may GET and HEAD with its cookie alone: that changes nothing.

    Raises:
        Unauthorized, Forbidden: as ``identify``; and when nothing was sent at all.
    """
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return accounts.by_token(value.strip())
    if scheme.lower() == "basic":
        return accounts.by_key(*_pair(value), origin=origin(request))
    if request.method in {"GET", "HEAD"}:
        caller = _by_cookie(request, accounts, verbs=None)
    else:
        caller = _by_cookie(request, accounts, verbs=frozenset({"POST", "PUT", "DELETE"}))
    if not caller.user:
        raise NoCredentials("log in first: files need a token")
    return caller


def _by_cookie(
    request: Request, accounts: Accounts, verbs: frozenset[str] | None = frozenset({"POST"})
) -> Caller:
    """The caller of a page's request; a cookie that is no longer valid counts as none, so that what anybody may ask
    stays open to a page that must log in again. No ``verbs`` means that the request can change nothing."""
    cookie = request.cookies.get(accounts.cookie)
    if not cookie:
        return NOBODY
    if verbs is not None:
        check_page(request, verbs)
    try:
        found = accounts.by_token(cookie)
    except BadToken:
        return NOBODY
    return replace(found, kind="cookie")


def check_page(request: Request, verbs: frozenset[str] = frozenset({"POST"})) -> None:
    """What only a page of this server can send; a link or form on another site cannot.

    Raises:
        Forbidden: it was not sent.
    """
    if request.method not in verbs:
        raise Forbidden(
            f"a page's session may only call with {' or '.join(sorted(verbs))}, not {request.method}"
        )
    if request.headers.get(WEB_HEADER) != "1":
        raise Forbidden("a page's session must send the header X-Trialbook-Web: 1")
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise Forbidden("a page of another site may not call this server")
    origin = request.headers.get("origin")
    if origin and _split(origin).netloc != request.headers.get("host"):
        raise Forbidden("a page of another site may not call this server")


def is_local(request: Request) -> bool:
    """True when the page runs on the server's own machine and named it by a loopback address, so that no other name
    was pointed at it."""
    if request.client is None or not _loopback(request.client.host):
        return False
    host = _split(f"//{request.headers.get('host', '')}").hostname or ""
    return host == "localhost" or _loopback(host)


def is_owner(request: Request) -> bool:
    """True when the program at the other end belongs to the user that runs this server, and speaks for itself: other
    accounts of the machine reach a loopback port as well, and so does whoever comes through a proxy."""
    if not all(name in _BROWSERS or name.startswith(_BROWSERS_BEGIN) for name in request.headers):
        return False
    here = request.scope.get("server")
    if request.client is None or here is None or here[1] is None:
        return False
    return peer.owner((request.client.host, request.client.port), (here[0], here[1])) == os.geteuid()


def _split(address: str) -> SplitResult:
    """The parts of an address that a caller sent; of one that is none, no parts."""
    try:
        return urlsplit(address)
    except ValueError:
        return SplitResult("", "", "", "", "")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def origin(request: Request) -> str:
    """The caller's address."""
    return request.client.host if request.client else ""


def cookie_header(name: str, token: str, seconds: int, *, secure: bool) -> str:
    """``Set-Cookie`` for a page's session; no life ends it."""
    return f"{name}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{'; Secure' if secure else ''}"


def _pair(value: str) -> tuple[str, str]:
    try:
        # A header may hold any byte, and base64 refuses what is not ASCII by an error of its own.
        key, colon, secret = base64.b64decode(value.encode(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise BadCredentials("the Authorization header is not valid Basic") from None
    if not colon or not key or not secret:
        raise NoCredentials("the access key or the secret is empty")
    return key, secret
