"""The addresses under which one files host has been known.

An address that was recorded names the server as it was reached then. A private server may run on another port today,
and a team's server be called by another name; the file is the same one, at the same path.
"""

import socket
import threading
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

_KNOCK_SECONDS = 2.0


class Addresses:
    """Recorded addresses, as they are reached now.

    Args:
        host: address of the files today, such as ``http://127.0.0.1:8008/files``.
        former: addresses that it is known to have had.
    """

    def __init__(self, host: str, former: Iterable[str] = ()) -> None:
        self.host = host.rstrip("/")
        self._path = urlsplit(self.host).path
        self._lock = threading.Lock()
        self._former = {address.rstrip("/") for address in former}

    def here(self, url: str, exists: Callable[[str], bool]) -> str:
        """The address of a recorded file today.

        Args:
            url: as recorded.
            exists: whether there is a file at an address of this host; asked for the path of an unknown host that
                nobody answers at any more. One that answers is another server, which may well have the same paths.

        Returns:
            The address on this host, or ``url`` when it belongs to another one.
        """
        if self._below(self.host, url) or not (self._path and url.startswith(("http://", "https://"))):
            return url
        parts = urlsplit(url)
        base = f"{parts.scheme}://{parts.netloc}{self._path}"
        if not self._below(base, url):
            return url
        now = self.host + url[len(base) :]
        with self._lock:
            if base in self._former:
                return now
        if _answers(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)):
            return url
        if not exists(now):
            return url
        with self._lock:
            self._former.add(base)
        return now

    @staticmethod
    def _below(base: str, url: str) -> bool:
        return url == base or url.startswith(base + "/")


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), _KNOCK_SECONDS).close()
    except OSError:
        return False
    return True
