"""Calls to the server: one HTTP pool, one token, bounded patience, errors that say what to do."""

import base64
import json
import threading
import time
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from trialbook.base import process
from trialbook.base.retry import backoff
from trialbook.client.calls import nouns
from trialbook.errors import (
    BadCredentials,
    ConfigurationError,
    ConnectionFailed,
    NoCredentials,
    ServerFault,
    Unauthorized,
    WireError,
    from_wire,
)

if TYPE_CHECKING:
    from urllib3 import PoolManager
    from urllib3.response import BaseHTTPResponse

    from trialbook.client.api import BodyMethod, Calls, Fetches

_sessions: "weakref.WeakSet[Session]" = weakref.WeakSet()
_BUSY = frozenset({429, 502, 503, 509})
_LOG_IN_SECONDS = 10.0
_REFRESH_BEFORE = 360.0
_NEW_KEY = (
    "Who can log in on its page makes a key there, under Settings → API keys; else ask an administrator of the server "
    "for one, who finds Settings → People there, or types `trialbook user add NAME` on its machine."
)


@dataclass(frozen=True)
class Credentials:
    """A key pair or a ready token, and where it was found (for messages)."""

    access_key: str = ""
    secret_key: str = ""
    token: str = ""
    source: str = ""

    def __repr__(self) -> str:
        return f"Credentials(access_key={self.access_key[:4]}…, source={self.source!r})"


class Session:
    """A logged-in connection to one server. Safe for threads and, after ``forget``, for a forked child.

    Args:
        host: address of the API, such as ``http://127.0.0.1:8008``.
        credentials: key pair or token.
        verify: False accepts any certificate; a path names a bundle of authorities.
        patience: seconds that a call tries before ``ConnectionFailed``; also the longest time to connect.
        worker: name of this host in the server's records.
        refused: seconds that a call tries, ``patience`` at most, as long as the host has never answered and says at
            once that nobody listens there, or has a name that nobody knows. A server that was there comes back; None
            makes no difference between the two.
        advice: what to do when it does not answer, as whole sentences.

    Example:
        >>> session = Session("http://127.0.0.1:9", Credentials("key", "secret"), patience=0.1)
        >>> session.api.debug.ping()
        Traceback (most recent call last):
        ...
        trialbook.errors.ConnectionFailed: No Trialbook server answers at http://127.0.0.1:9 ...
    """

    def __init__(
        self,
        host: str,
        credentials: Credentials,
        verify: bool | str = True,
        patience: float = 30.0,
        worker: str = "",
        refused: float | None = None,
        advice: str = "Start it with `trialbook server`, or correct api.api_server in the configuration file "
        "(TRIALBOOK_API_HOST).",
    ) -> None:
        self.host = host.rstrip("/")
        self.credentials = credentials
        self.patience = patience
        self._verify = verify
        self._worker = worker
        self._refused = refused
        self._met = False
        self._advice = advice
        self._lock = threading.Lock()
        self._pool: PoolManager | None = None
        self._server = ""
        self._token = credentials.token
        # On the clock that nobody sets: how long a token is good does not change with the time of day.
        self._expires = (
            time.monotonic() + _lifetime(credentials.token, time.time()) if credentials.token else 0.0
        )
        _sessions.add(self)

    @property
    def api(self) -> "Calls":
        """Every method of the server, typed: ``session.api.tasks.edit({"task": task, "name": "new"})``. Beside what is
        asked it takes ``patience``, ``repeat`` and ``timeout``, and raises, as ``call`` does."""
        # Made anew each time: kept, it would keep the session.
        calls: Calls = nouns(self.call)
        return calls

    def fetching(self, accept: str, timeout: float = 300.0) -> "Fetches":
        """As ``api``, for answers that are not JSON; with the arguments of ``fetch``."""
        fetches: Fetches = nouns(lambda method, params: self.fetch(method, params, accept, timeout))
        return fetches

    def call(
        self,
        method: str,
        params: dict[str, Any] | None = None,
        patience: float | None = None,
        repeat: bool = True,
        timeout: float = 60.0,
    ) -> Any:
        """Run a method that is known only as text; one that is known is typed in ``api``.

        Args:
            method: ``service.action``.
            params: the request.
            patience: seconds to go on trying while the server is away; None is the session's.
            repeat: False for a call that must not run twice: a lost reply is then an error at once.
            timeout: seconds to wait for the answer of one try.

        Returns:
            ``data`` of the reply.

        Raises:
            ConnectionFailed: the server did not answer in time.
            WireError: the server refused; the subclass tells how.
        """
        headers = {"Content-Type": "application/json"}
        body = json.dumps(params or {}).encode()
        return _data(self._send(method, body, headers, patience, repeat, timeout), self.host)

    def post(
        self,
        method: "BodyMethod",
        body: bytes,
        content_type: str,
        patience: float | None = None,
        repeat: bool = True,
        timeout: float = 60.0,
        encoding: str | None = None,
    ) -> Any:
        """``call`` of a method that takes a body which is not JSON."""
        headers = {"Content-Type": content_type}
        if encoding:
            headers["Content-Encoding"] = encoding
        reply = self._send(method, body, headers, patience, repeat, timeout)
        return _data(reply, self.host)

    def fetch(self, method: str, params: dict[str, Any], accept: str, timeout: float = 300.0) -> bytes:
        """``call`` of a method whose answer is not JSON; its bytes.

        Args:
            method: ``service.action``.
            params: the request.
            accept: media type of the answer.
            timeout: seconds to wait for data.

        Raises:
            ConnectionFailed, WireError: as ``call`` does.
        """
        headers = {"Content-Type": "application/json", "Accept": accept}
        reply = self._send(method, json.dumps(params).encode(), headers, None, True, timeout)
        if reply.headers.get("Content-Type", "").partition(";")[0] != accept:
            _data(reply, self.host)
            raise ServerFault(
                f"{method} answered with {reply.headers.get('Content-Type')}, not with {accept}"
            )
        return reply.data

    def _send(
        self,
        method: str,
        body: bytes,
        headers: dict[str, str],
        patience: float | None,
        repeat: bool,
        timeout: float,
    ) -> "BaseHTTPResponse":
        patience = self.patience if patience is None else patience
        for attempt in (1, 2):
            token = self.token(patience)
            reply = self.request(
                "POST",
                f"{self.host}/{method}",
                {**headers, "Authorization": f"Bearer {token}"},
                body,
                patience,
                repeat,
                timeout,
            )
            if reply.status != 401 or attempt == 2 or not self._drop(token):
                break
        return reply

    def token(self, patience: float | None = None) -> str:
        """A token that is valid for some minutes; logs in when there is none.

        Raises:
            BadCredentials: the key pair is wrong; the message says where it was found.
            ConnectionFailed: the server did not answer in time.
        """
        with self._lock:
            if self._token and time.monotonic() < self._expires - _REFRESH_BEFORE:
                return self._token
            self._token = self._log_in(self.patience if patience is None else patience)
            self._expires = time.monotonic() + _lifetime(self._token)
            return self._token

    @property
    def known_server(self) -> str:
        """Which server this is, as far as it has told; empty before the first log-in."""
        return self._server

    @property
    def known_user(self) -> str:
        """Id of who is logged in, as far as the server's token tells; empty before the first log-in."""
        identity = _claims(self._token).get("identity")
        return str(identity.get("user") or "") if isinstance(identity, dict) else ""

    def server(self, patience: float | None = None) -> str:
        """Which server this is, the same at every address that leads to it; empty when it does not tell: another
        product, or an old version.

        Args:
            patience: seconds to go on trying while it is away; None is the session's.

        Raises:
            ConnectionFailed: the server did not answer in time.
        """
        if not self._server:
            reply = self.request(
                "GET", f"{self.host}/server.info", {}, patience=patience, timeout=_LOG_IN_SECONDS
            )
            try:
                self._server = str(_data(reply, self.host).get("id") or "")
            except WireError:
                return ""
        return self._server

    def request(
        self,
        verb: str,
        url: str,
        headers: dict[str, str],
        body: Any = None,
        patience: float | None = None,
        repeat: bool = True,
        timeout: float = 60.0,
        preload: bool = True,
    ) -> "BaseHTTPResponse":
        """One HTTP exchange, tried again while the server is away or busy.

        Args:
            verb: HTTP method.
            url: whole address.
            headers: as sent.
            body: bytes, or a file that can be rewound.
            patience: seconds to go on trying; None is the session's.
            repeat: False gives up when the connection breaks after the request was sent.
            timeout: seconds to wait for data of one try.
            preload: False leaves the content to be streamed by the caller.

        Raises:
            ConnectionFailed: no answer in time.
            ServerFault: it was busy all the time.
        """
        import urllib3
        from urllib3.exceptions import HTTPError

        patience = self.patience if patience is None else patience
        began = time.monotonic()
        waits = backoff(0.1, longest=5.0, deadline=began + patience)
        limits = urllib3.Timeout(connect=max(0.2, min(patience, 10.0)), read=timeout)
        if self._worker and url.startswith(f"{self.host}/"):
            headers = {**headers, "X-ClearML-Worker": self._worker}
        while True:
            problem: str
            busy: WireError | None = None
            absent = False
            try:
                if hasattr(body, "seek"):
                    body.seek(0)
                reply = self._http().request(
                    verb,
                    url,
                    body=body,
                    headers=headers,
                    timeout=limits,
                    retries=False,
                    # Whoever asks follows: even to look where one leads would fail at an address that is none.
                    redirect=False,
                    preload_content=preload,
                )
                self._met = True
                if reply.status not in _BUSY:
                    return reply
                busy = refusal(reply)
                problem = busy.message if busy else f"it is busy (HTTP {reply.status})"
                reply.release_conn()
            except urllib3.exceptions.SSLError as error:
                if "WRONG_VERSION_NUMBER" in str(error) or "RECORD_LAYER_FAILURE" in str(error):
                    plain = _origin(url).replace("https://", "http://", 1)
                    raise ConnectionFailed(
                        f"What answers at {_origin(url)} does not speak TLS: write {plain} as the address."
                    ) from error
                raise ConnectionFailed(
                    f"The certificate of {_origin(url)} was not accepted: {error}. Set api.verify_certificate "
                    "(TRIALBOOK_API_HOST_VERIFY_CERT) to a bundle of authorities, or to false."
                ) from error
            except (HTTPError, OSError) as error:
                problem = _plain(error)
                unsent = isinstance(
                    error, (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
                )
                if not repeat and not unsent:
                    raise ConnectionFailed(f"{_origin(url)} broke the connection: {problem}.") from error
                absent = self._absent(error)
            wait = next(waits, None)
            if absent and wait is not None and self._refused is not None:
                left = began + self._refused - time.monotonic()
                wait = min(wait, left) if left > 0 else None
            if wait is None and busy is not None:
                # It is there, and says what it waits for.
                raise busy
            if wait is None:
                raise ConnectionFailed(self._nobody(url, problem))
            time.sleep(wait)

    def _absent(self, error: Exception) -> bool:
        """Whether it looks as if no server were there, and not as if it were slow, or away for a moment."""
        from urllib3.exceptions import NameResolutionError

        if self._met:
            return False
        return isinstance(error, NameResolutionError) or isinstance(error.__cause__, ConnectionRefusedError)

    def _nobody(self, url: str, problem: str) -> str:
        """That nobody answers, and what to do about it."""
        if _origin(url) != _origin(self.host):
            return f"Nothing answers at {_origin(url)} ({problem})."
        return f"No Trialbook server answers at {self.host} ({problem}). {self._advice}"

    def forget(self) -> None:
        """In a forked child: drop the inherited connections, which belong to the parent."""
        self._lock = threading.Lock()
        self._pool = None

    def _http(self) -> "PoolManager":
        pool = self._pool
        if pool is None:
            import urllib3

            options: dict[str, Any] = {}
            if self._verify is False:
                options["cert_reqs"] = "CERT_NONE"
                urllib3.disable_warnings()
            elif isinstance(self._verify, str):
                options["ca_certs"] = self._verify
            pool = self._pool = urllib3.PoolManager(maxsize=8, blocksize=1 << 18, **options)
        return pool

    def _drop(self, token: str) -> bool:
        """Forget a token that the server refused; False when there is no key to get another."""
        with self._lock:
            if self._token == token:
                self._token = ""
            return bool(self.credentials.access_key)

    def _log_in(self, patience: float) -> str:
        keys = self.credentials
        if not keys.access_key:
            if keys.token:
                raise NoCredentials(
                    f"the token from {keys.source} has expired and there is no access key. {_NEW_KEY}"
                )
            # At an address where nobody is no key would help: that is said first.
            self.request("GET", f"{self.host}/debug.ping", {}, patience=patience, timeout=_LOG_IN_SECONDS)
            raise NoCredentials(
                f"no access key for {self.host}. Set api.credentials.access_key and secret_key in "
                f"~/trialbook.conf, or TRIALBOOK_API_ACCESS_KEY and TRIALBOOK_API_SECRET_KEY. {_NEW_KEY}"
            )
        pair = base64.b64encode(f"{keys.access_key}:{keys.secret_key}".encode()).decode()
        # A server that takes the connection and says nothing would hold up whoever wants to send, or to begin, by the
        # patience that long calls need.
        headers = {"Authorization": f"Basic {pair}"}
        reply = self.request(
            "POST", f"{self.host}/auth.login", headers, b"", patience, timeout=_LOG_IN_SECONDS
        )
        try:
            data = _data(reply, self.host)
        except Unauthorized as error:
            raise BadCredentials(
                f"{self.host} does not accept the access key {keys.access_key[:6]}… from {keys.source}: "
                f"{error.message}. Correct it there. {_NEW_KEY}"
            ) from error
        token = data.get("token")
        if not isinstance(token, str):
            raise ConfigurationError(
                f"{self.host} answered the log-in without a token; is it a Trialbook server?"
            )
        self._server = str(data.get("server") or "")
        return token


def _in_child() -> None:
    for session in list(_sessions):
        session.forget()


process.after_fork(_in_child)


def _data(reply: "BaseHTTPResponse", host: str) -> Any:
    try:
        envelope = json.loads(reply.data)
        meta = envelope["meta"]
        code = int(meta["result_code"])
    except (ValueError, KeyError, TypeError) as error:
        raise WireError(
            f"{host} answered HTTP {reply.status}, but not as a Trialbook API; is the address right?"
        ) from error
    if code == 200:
        return envelope.get("data") or {}
    raise _refused(meta, code)


def refusal(reply: "BaseHTTPResponse") -> WireError | None:
    """What a server of ours refused, in its own class and words; None when it is none, or says nothing.

    Args:
        reply: no success; what it holds is read.
    """
    from urllib3.exceptions import HTTPError

    if not reply.headers.get("Content-Type", "").startswith("application/json"):
        return None
    try:
        meta = json.loads(reply.data)["meta"]
        code = int(meta["result_code"])
        return _refused(meta, code) if code != 200 else None
    except (HTTPError, ValueError, KeyError, TypeError):
        return None


def _refused(meta: Any, code: int) -> WireError:
    data = meta.get("error_data")
    return from_wire(
        code,
        int(meta.get("result_subcode") or 0),
        str(meta.get("result_msg")),
        data if isinstance(data, dict) else None,
        str(meta.get("error_class") or ""),
    )


def _lifetime(token: str, now: float | None = None) -> float:
    """Seconds that a JWT is good from ``now`` on (None: from when it was issued, or from now when it does not say);
    0 for a text that is none."""
    claims = _claims(token)
    try:
        return float(claims["exp"]) - float(claims.get("iat", time.time()) if now is None else now)
    except (ValueError, KeyError, TypeError):
        return 0.0


def _claims(token: str) -> dict[str, Any]:
    """What a JWT says; nothing for a text that is none."""
    try:
        middle = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _plain(error: BaseException) -> str:
    text = str(error)
    for mark in ("): ", ">: "):
        text = text.rsplit(mark, 1)[-1]
    return text.strip().rstrip(".") or type(error).__name__
