"""The private server of this user: found when it runs, started when it does not, on loopback only."""

import contextlib
import json
import os
import signal
import socket
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from trialbook.base.files import own_folder, read_json, write_json
from trialbook.client.session import Credentials
from trialbook.client.settings import Settings, clean_environment
from trialbook.errors import ConfigurationError, ConnectionFailed
from trialbook.journal.lock import FileLock
from trialbook.sdk.console import say

_PORT = 8008
_START_SECONDS = 20.0
_ADDRESSES = 100
_IDLE = {"TRIALBOOK_SERVER_IDLE_HOURS": "8"}
"""It ends itself; what the environment says instead wins."""


def find_or_start(settings: Settings) -> tuple[Settings, bool]:
    """Settings that name the private server, which answers when this returns.

    Args:
        settings: without a server; ``data_dir`` says where the private one lives.

    Returns:
        The completed settings, and True when the server was started just now.

    Raises:
        ConnectionFailed: it did not come up; the message holds the end of its log.
    """
    data = settings.data_dir / "server"
    found = _running(data)
    if found is not None:
        return _named(settings, data, found), False
    if own_folder(data) and any(data.iterdir()):
        say(f"Trialbook: other accounts could read {data}; access is closed to them now")
    # Two scripts that start together must not start two servers.
    with FileLock(data / "start.lock"):
        found = _running(data)
        if found is not None:
            return _named(settings, data, found), False
        return _named(settings, data, _start(data)), True


def stop(settings: Settings, timeout: float = 10.0) -> None:
    """End the private server that runs on ``settings.data_dir``, and wait for it.

    Args:
        settings: as given to ``find_or_start``.
        timeout: seconds to wait for its clean stop.
    """
    data = settings.data_dir / "server"
    found = read_json(data / "server.json")
    if not isinstance(found, dict) or _running(data) is None:
        return
    os.kill(int(found["pid"]), signal.SIGTERM)
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline and (data / "server.json").exists():
        time.sleep(0.05)


def _named(settings: Settings, data: Path, url: str) -> Settings:
    keys = read_json(data / "credentials.json")
    if not isinstance(keys, dict):
        raise ConfigurationError(f"the private server left no {data}/credentials.json")
    return replace(
        settings,
        api_host=url,
        web_host=url,
        files_host=f"{url}/files",
        former_files=_noted(data, f"{url}/files"),
        credentials=Credentials(keys["access_key"], keys["secret_key"], source=f"{data}/credentials.json"),
        source=f"the private server in {data}",
    )


def _noted(data: Path, files: str) -> tuple[str, ...]:
    """Remember the address of today; all that there were, newest last."""
    path = data / "addresses.json"
    known = read_json(path)
    former = [str(address) for address in known] if isinstance(known, list) else []
    if not former or former[-1] != files:
        former = [*(address for address in former if address != files), files][-_ADDRESSES:]
        write_json(path, former)
    return tuple(former)


def had(settings: Settings, address: str) -> bool:
    """Whether the private server of ``settings.data_dir`` has had an address."""
    known = read_json(settings.data_dir / "server" / "addresses.json")
    return isinstance(known, list) and f"{address}/files" in known


def _running(data: Path) -> str | None:
    """The address of a server on this data folder that answers."""
    with contextlib.suppress(ValueError):
        found = read_json(data / "server.json")
        if isinstance(found, dict) and _answers(str(found.get("url"))):
            return str(found["url"]).rstrip("/")
    return None


def _answers(url: str) -> bool:
    host, _, port = url.removeprefix("http://").rstrip("/").partition(":")
    try:
        with socket.create_connection((host, int(port or 80)), timeout=2.0) as connection:
            connection.settimeout(5.0)
            connection.sendall(
                f"GET /server.info HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
            )
            reply = b""
            while block := connection.recv(65536):
                reply += block
    except (OSError, ValueError):
        return False
    _, _, content = reply.partition(b"\r\n\r\n")
    try:
        envelope: Any = json.loads(content)
        return "version" in envelope["data"]
    except (ValueError, KeyError, TypeError):
        return False


def _start(data: Path) -> str:
    log = data / "server.log"
    with open(log, "ab", opener=lambda path, flags: os.open(path, flags, 0o600)) as output:
        import subprocess

        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "trialbook",
                "server",
                "--port",
                str(_free_port(data)),
                "--data",
                str(data),
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=_IDLE | clean_environment(),
            start_new_session=True,
        )
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        url = _running(data)
        if url is not None:
            return url
        if process.poll() is not None:
            break
        time.sleep(0.05)
    tail = log.read_text("utf-8", "replace")[-2000:]
    raise ConnectionFailed(
        f"The private server did not start (`trialbook server --data {data}`). Its log ends with:\n{tail}"
    )


def _free_port(data: Path) -> int:
    """The port of the last time, or the usual one, so that links in the browser's history and addresses of files stay
    good; any other when both are taken."""
    known = read_json(data / "addresses.json")
    last = urlsplit(str(known[-1])).port if isinstance(known, list) and known else None
    for port in (last, _PORT):
        with socket.socket() as probe:
            # As the server binds: connections of the one before that linger do not keep the port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port or _PORT))
            except OSError:
                continue
        return port or _PORT
    return 0
