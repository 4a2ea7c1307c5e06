"""Which server an address leads to.

A server has an identity that it tells to everybody, so that two addresses of one server (another name, a tunnel, a
proxy, ``localhost``, another port after a restart) are one server here. What was recorded names the server as it was
reached then; it is read at the address of today, and only that one is ever sent a token.
"""

import threading
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

IDENTITY_HEADER = "X-Trialbook-Files"
"""Of every answer of a files endpoint: the server's identity and, encoded, the path below the endpoint."""

_FOREIGN_SECONDS = 60.0
"""How long it holds that nobody we know is behind an address: a server may be moved there."""

Look = Callable[[str], "str | None"]
"""Asks an address, without a token, for ``IDENTITY_HEADER``: None when nobody answers, empty when another does."""


class Told(NamedTuple):
    """A files endpoint: who it is, and where it begins in the address that was asked."""

    identity: str
    base: str


def told(header: str, url: str) -> Told | None:
    """What the header of an answer says of the address that was asked; None when it fits no such address.

    Example:
        >>> told("a1b2 p/x%20y", "http://lab/trialbook/files/p/x%20y")
        Told(identity='a1b2', base='http://lab/trialbook/files')
    """
    identity, _, path = header.partition(" ")
    depth = len(unquote(path).split("/")) if path else 0
    parts = url.partition("?")[0].partition("#")[0].rstrip("/").split("/")
    base, rest = parts[: len(parts) - depth], parts[len(parts) - depth :]
    # A name may hold an encoded slash, which is not part of its own in the address.
    if not identity or unquote("/".join(rest)) != unquote(path).rstrip("/") or len(base) < 3:
        return None
    return Told(identity, "/".join(base))


class Addresses:
    """The addresses of one files endpoint.

    Args:
        host: its address today, such as ``http://127.0.0.1:8008/files``.
        look: asks an address who it is.
        former: addresses that it is known to have had.
    """

    def __init__(self, host: str, look: Look, former: Iterable[str] = ()) -> None:
        self.host = host.rstrip("/")
        self._path = urlsplit(self.host).path
        self._look = look
        self._lock = threading.Lock()
        self._identity = ""
        self._ours = {_plain(address) for address in (*former, self.host)}
        self._foreign: dict[str, float] = {}

    def here(self, url: str, exists: Callable[[str], bool]) -> str:
        """The address of a recorded file today.

        Args:
            url: as recorded.
            exists: whether there is a file at an address of this endpoint; asked for the path of an unknown host that
                nobody answers at any more. One that answers tells who it is.

        Returns:
            The address on this host, or ``url`` when it belongs to another one.
        """
        if _below(self.host, url) or not url.lower().startswith(("http://", "https://")):
            return url
        plain = _plain(url)
        now = self._known(plain)
        if now or self._is_foreign(plain):
            return now or url
        header = self._look(plain)
        if header is None:
            return self._left(plain, exists) or url
        found = told(header, plain)
        if found is not None and found.identity == self.identity():
            with self._lock:
                self._ours.add(found.base)
            return self._known(plain) or url
        with self._lock:
            self._foreign[_group(plain)] = time.monotonic() + _FOREIGN_SECONDS
        return url

    def identity(self) -> str:
        """The identity of the endpoint; empty while it does not answer, and of a server that has none."""
        if not self._identity:
            self._identity = (self._look(self.host) or "").partition(" ")[0]
        return self._identity

    def _known(self, url: str) -> str:
        with self._lock:
            base = max((base for base in self._ours if _below(base, url)), key=len, default="")
        return self.host + url[len(base) :] if base else ""

    def _is_foreign(self, url: str) -> bool:
        with self._lock:
            return self._foreign.get(_group(url), 0.0) > time.monotonic()

    def _left(self, url: str, exists: Callable[[str], bool]) -> str:
        """The address here of a file whose host has gone, when this endpoint has one at the same path."""
        parts = urlsplit(url)
        base = f"{parts.scheme}://{parts.netloc}{self._path}"
        now = self.host + url[len(base) :]
        if not (self._path and _below(base, url) and exists(now)):
            return ""
        with self._lock:
            self._ours.add(base)
        return now


def _below(base: str, url: str) -> bool:
    return url == base or url.startswith((base + "/", base + "?"))


def _group(url: str) -> str:
    """What is taken to be one server that is not ours: a host and the first folder on it."""
    return "/".join(url.partition("?")[0].split("/")[:4])


def _plain(url: str) -> str:
    """An address in one spelling: scheme and host in small letters, no usual port, no slash at the end."""
    scheme, mark, rest = url.partition("://")
    end = min((rest.find(letter) for letter in "/?#" if letter in rest), default=len(rest))
    host, scheme = rest[:end].lower(), scheme.lower()
    host = host.removesuffix({"http": ":80", "https": ":443"}.get(scheme, ""))
    return f"{scheme}{mark}{host}{rest[end:]}".rstrip("/")
