"""The way from this process to its server: settings, session, files, and the journals' transport."""

import socket
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from trialbook.base import process
from trialbook.base.process import Kept
from trialbook.capture.secret_values import remember
from trialbook.client import settings
from trialbook.client.places import copy_atomic as copy_atomic
from trialbook.client.places import local_path as local_path
from trialbook.client.settings import Settings
from trialbook.errors import ConnectionFailed, TrialbookError
from trialbook.sdk.accounts.storage_progress import Meter, report_every

if TYPE_CHECKING:
    # They come with the first connection.
    from trialbook.client.session import Session
    from trialbook.client.storage import Storage
    from trialbook.journal.delivery import Reply

POINTS = "application/x-trialbook-points"
_COMPRESS_FROM = 16 << 10
_SILENCE = 10.0
_REVIVE_SECONDS = 600.0
_PRIVATE_ADVICE = (
    "It is the private server of your account, which has ended; the next Task.init or `trialbook sync` starts it "
    "again."
)


class Connection:
    """A session and what was read to open it.

    Args:
        settings: complete: they name a server.
        started: the private server was started for this connection.
        private: it leads to the private server.
    """

    def __init__(self, settings: Settings, started: bool = False, private: bool = False) -> None:
        from trialbook.client.files import FileClient
        from trialbook.client.session import Session
        from trialbook.client.storage import Storage
        from trialbook.sdk.accounts.nearer import nearer
        from trialbook.sdk.accounts.storage_settings import accounts

        # A program that prints its own configuration must not publish the key to its readers.
        for secret in (settings.credentials.secret_key, settings.credentials.token):
            remember(secret)
        self.settings = settings
        self.started = started
        self.private = private
        self.session = Session(
            settings.api_host,
            settings.credentials,
            settings.verify,
            settings.connect_timeout,
            settings.worker,
            refused=settings.refused_timeout,
            **({"advice": _PRIVATE_ADVICE} if private else {}),
        )
        self.files = FileClient(self.session, settings.files_host, settings.former_files)
        self.storage = Storage(self.files, accounts, settings.connect_timeout, nearer)
        self.transport = ServerTransport(self.session, self.storage)


class ServerTransport:
    """``trialbook.journal.delivery.Transport`` over a session."""

    def __init__(self, session: "Session", storage: "Storage") -> None:
        self._session = session
        self._storage = storage
        # On loopback the processor is scarcer than the wire.
        self._compress = not _loopback(session.host)

    def send(self, body: bytes) -> "Reply":
        """Deliver one body to ``events.add_points``."""
        from trialbook.journal.delivery import Reply

        encoding = None
        if self._compress and len(body) >= _COMPRESS_FROM:
            body, encoding = _packed(body), "zstd"
        # Short, because a dead link shows only by silence, and a body that is sent twice is applied once.
        data = self._session.post(
            "events.add_points", body, POINTS, patience=2.0, timeout=_SILENCE, encoding=encoding
        )
        return Reply(int(data["acked"]), list(data.get("warnings") or []))

    def reachable(self, timeout: float) -> bool:
        """Whether the server answers anything at all. That its host takes a connection says nothing: the system does
        that also for a program that hangs."""
        ping = f"{self._session.host}/debug.ping"
        try:
            self._session.request("GET", ping, {}, patience=timeout, timeout=timeout)
        except ConnectionFailed:
            return False
        except TrialbookError:
            return True
        return True

    def upload(self, source: Path, url: str) -> None:
        """Store a file at an address of the files host, in an object storage, or in a local folder."""
        name = url.rpartition("/")[2]
        meter = Meter(f"uploading {name}", source.stat().st_size, report_every["upload"], bar=False)
        self._storage.upload(source, url, meter)


_lock = process.Lock()
_current: "Kept[Connection | None]" = Kept(None)
_asked = Kept(0.0)


def connect(read: Settings | None = None) -> Connection:
    """The connection of this process, opened at the first call.

    Args:
        read: settings to use instead of the process's; nothing is remembered then.

    Raises:
        ConfigurationError: the configuration file is broken.
        ConnectionFailed: the private server could not be started.
    """
    if read is not None:
        return _open(read)
    with _lock:
        before, _asked.value = _asked.value, time.monotonic()
        if _current.value is not None and _current.value.private and _asked.value - before > _REVIVE_SECONDS:
            # It may have ended, because nobody used it meanwhile.
            from trialbook.sdk.servers import private_server

            again, _ = private_server.find_or_start(settings.load())
            if again.api_host != _current.value.settings.api_host:
                _current.value = None
        if _current.value is None:
            _current.value = _open(settings.load())
        return _current.value


def disconnect() -> None:
    """Forget the connection, so that the next one reads the settings anew."""
    with _lock:
        _current.value = None


def _open(read: Settings) -> Connection:
    started = False
    private = not read.api_host
    if private:
        from trialbook.sdk.servers import private_server

        read, started = private_server.find_or_start(read)
    if not read.files_host:
        read = replace(read, files_host=f"{read.api_host}/files")
    return Connection(read, started, private)


def _loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1", socket.gethostname()) or host.startswith("127.")


def _packed(body: bytes) -> bytes:
    try:
        from compression import zstd
    except ImportError:
        from backports import zstd
    packed: bytes = zstd.compress(body, 1)
    return packed
