"""The server program: start, announce, serve, stop."""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn

from trialbook.base.clock import now
from trialbook.base.version import __version__
from trialbook.errors import ConfigurationError
from trialbook.server import settings as server_settings
from trialbook.server.core.folder import DataFolder
from trialbook.server.settings import Settings

_log = logging.getLogger("trialbook.server")


def main(**told: Any) -> int:
    """``trialbook server``: serve until SIGTERM or Ctrl-C.

    Args:
        told: settings by their names; None means the environment, else the default.

    Returns:
        0 after a clean stop, 1 when the server could not start; the reason is then on stderr.
    """
    try:
        return serve(server_settings.load(**told))
    except ConfigurationError as error:
        sys.stderr.write(f"trialbook server: {error}\n")
        return 1


def serve(settings: Settings) -> int:
    """Serve until a signal says to stop.

    Raises:
        ConfigurationError: the port, the data folder or the database cannot be used.
    """
    logging.basicConfig(
        level=settings.log_level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    # `rpc.app` logs a fault with its request id already.
    logging.getLogger("uvicorn.error").addFilter(
        lambda record: "Exception in ASGI" not in record.getMessage()
    )
    # Database, files, uploads and logs: whatever the shell says, they are the owner's.
    os.umask(0o077)
    folder = DataFolder(settings.data)
    try:
        listener = _listen(settings.host, settings.port)
        try:
            return _serve(settings, folder, listener)
        finally:
            listener.close()
    except ConfigurationError:
        folder.abandon()
        raise
    finally:
        folder.close()


def _serve(settings: Settings, folder: DataFolder, listener: socket.socket) -> int:
    from trialbook.server.wiring import build

    port = listener.getsockname()[1]
    host = _reachable(settings.host)
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    server = build(settings, folder, url)
    told = settings.address or url

    def ready() -> None:
        folder.announce(
            {"url": url, "address": told, "pid": os.getpid(), "version": __version__, "started": now()}
        )
        listens = f", and listens on {url}" if told != url else ""
        sys.stdout.write(f"Trialbook server ready at {told}{listens}\n")
        # On a terminal only: what goes to a file is read by others, and for longer than the link should live.
        if sys.stdout.isatty():
            link = server.services.accounts.links.make(server.services.accounts.local_admin(), now())
            sys.stdout.write(f"Open the page, once, within five minutes: {told}/login#link={link}\n")
        sys.stdout.flush()

    config = uvicorn.Config(
        server.app,
        http="httptools",
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=10,
        backlog=2048,
    )
    try:
        server.loops.start()
        server.relay.start()
        _Program(config, server.hub, ready).run(sockets=[listener])
    finally:
        folder.announcement.unlink(missing_ok=True)
        server.close()
    return 0


class _Program(uvicorn.Server):
    """uvicorn with our start line and a stop that ends live streams first."""

    def __init__(self, config: uvicorn.Config, hub: Any, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._hub = hub
        self._ready = ready
        self._hub_task: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._hub_task = asyncio.get_running_loop().create_task(self._hub.run())
        await super().startup(sockets)
        if not self.should_exit:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # A stream never ends by itself, so the graceful stop would wait for its whole time.
        self._hub.close()
        if self._hub_task is not None:
            self._hub_task.cancel()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Not remembered as uvicorn does: it would raise the signal again and the exit status would not be 0.
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True


def _reachable(host: str) -> str:
    """A host that others can be told: the one that is listened on, or where that is "all", the one that this machine
    has on its way out; its name when it has no way out."""
    family = {"0.0.0.0": socket.AF_INET, "": socket.AF_INET, "::": socket.AF_INET6}.get(host)
    if family is None:
        return host
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            # Nothing is sent: the system only says which address it would use. The other end is reserved for examples.
            probe.connect(("192.0.2.1" if family == socket.AF_INET else "2001:db8::1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()


def _listen(host: str, port: int) -> socket.socket:
    """A bound socket.

    Raises:
        ConfigurationError: the address cannot be had.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ConfigurationError(f"the address {host} cannot be used: {error}") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"port {port} on {host} cannot be used ({error.strerror}); stop what uses it, name another port with"
            " --port N, or take a free one with --port 0"
        ) from None
    listener.set_inheritable(False)
    return listener
