"""Files over HTTP: streamed in both directions, whole or not there, going on where a connection broke."""

import hashlib
import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from trialbook.base.retry import backoff
from trialbook.blobs.store import BlobInfo, clean_key
from trialbook.client.addresses import IDENTITY_HEADER, Addresses
from trialbook.client.answers import check_begun, starts, strong
from trialbook.client.downloads import Broken, Piece, Progress, download, silent
from trialbook.client.places import path_of
from trialbook.client.session import Session, refusal
from trialbook.errors import (
    ConnectionFailed,
    FileMissing,
    Forbidden,
    ServerFault,
    Unauthorized,
    WireError,
)

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

_BLOCK = 1 << 20
_LOOK_SECONDS = 2.0
"""How long the host of a recorded address is given to say who it is."""

_IN_PARTS = 16 << 20
"""From here on an upload to our own files host can go on where it broke."""

_REDIRECTED = frozenset({301, 302, 303, 307, 308})
_HOPS = 10
"""Redirects that are followed, one after the other."""

_REFUSED = frozenset({400, 401, 403, 404, 405, 406, 500, 501})
"""Answers to HEAD that say nothing about GET: signed addresses are often good for GET alone, and programs that know no
HEAD often fail over it."""


class FileClient:
    """The files endpoint of the server, and plain files of any HTTP server.

    Args:
        session: the caller's token goes with requests to ``host`` and to nobody else.
        host: address of the files, such as ``http://127.0.0.1:8008/files``.
        former: other addresses that this host has had.
    """

    def __init__(self, session: Session, host: str, former: Iterable[str] = ()) -> None:
        self.session = session
        self.host = host.rstrip("/")
        self._addresses = Addresses(host, self._look, former)

    def owns(self, url: str) -> bool:
        """Whether the address lies on this files host, by its name of today or an earlier one."""
        return self._here(self.here(url))

    def here(self, url: str) -> str:
        """The address of a recorded file as it is reached today."""
        return self._addresses.here(url, self._exists)

    def same(self, one: str, other: str) -> bool:
        """Whether two addresses lead to the same file or folder, by whatever names of this server."""
        return one.rstrip("/") == other.rstrip("/") or self.here(one).rstrip("/") == self.here(other).rstrip(
            "/"
        )

    def _look(self, url: str) -> str | None:
        """See ``addresses.Look``."""
        try:
            reply = self.session.request("HEAD", url, {}, patience=_LOOK_SECONDS, timeout=_LOOK_SECONDS)
        except ConnectionFailed:
            # Whoever takes a connection is somebody, also when the answer does not come in time.
            return "" if _taken(url) else None
        return reply.headers.get(IDENTITY_HEADER) or ""

    def _here(self, url: str) -> bool:
        return url == self.host or url.startswith(self.host + "/")

    def _exists(self, url: str) -> bool:
        headers = {"Authorization": f"Bearer {self.session.token()}"}
        return self.session.request("HEAD", url, headers).status == 200

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: Any = None,
        **how: Any,
    ) -> "BaseHTTPResponse":
        """One request to a file's address; the caller's token goes along when it is ours.

        Reading follows redirects, and each address that they lead to is told what it may know: the token is for this
        files host alone. Writing follows none: whoever answers could have us write where we never meant to.

        Args:
            method: of HTTP.
            url: as recorded.
            headers: beside the token.
            body: bytes or a file.
            how: as ``Session.request`` takes it.

        Raises:
            ConnectionFailed: nobody answers.
            WireError: the redirects lead nowhere.
        """
        seen = url
        for _ in range(_HOPS + 1):
            url = self.here(url)
            told = dict(headers)
            if self._here(url):
                told["Authorization"] = f"Bearer {self.session.token()}"
            reply = self.session.request(method, url, told, body, **how)
            leads = reply.headers.get("Location") if reply.status in _REDIRECTED else None
            if not leads or method not in ("GET", "HEAD"):
                return reply
            reply.close()
            reply.release_conn()
            try:
                url = urljoin(url, leads)
                followed = urlsplit(url).scheme in ("http", "https")
            except ValueError:
                followed = False
            if not followed:
                raise WireError(f"{seen} leads to {leads}, which is not an address of the web")
        raise WireError(f"{seen} was redirected {_HOPS} times and leads nowhere; is the address right?")

    def upload(self, source: Path, url: str, progress: Progress = silent) -> str:
        """Store a file. What a broken connection, or a killed process, has sent of a large one is not sent again.

        Args:
            source: the file.
            url: its address.
            progress: told the bytes that are stored.

        Returns:
            The file's entity tag; empty when the server does not tell it.

        Raises:
            ConnectionFailed: the server is away.
            WireError: the server refused it.
            OSError: the source cannot be read.
        """
        if self.owns(url):
            # In words, before a byte is sent: not every such name arrives at the server as what it is.
            clean_key(path_of(url))
        with source.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if self.owns(url) and size >= _IN_PARTS and self._upload_parts(file, source, url, size, progress):
                return ""
            reply = self._put(url, _Window(file, 0, size, progress), {"Content-Length": str(size)})
        check(reply, url)
        progress(size)
        return reply.headers.get("ETag") or ""

    def download(self, url: str, target: Path, progress: Progress = silent) -> None:
        """Fetch a file; ``target`` is whole when this returns and untouched when it raises.

        Raises:
            FileMissing: there is none.
            ConnectionFailed: the server is away, or broke off again and again.
        """
        download(_WebFile(self, url), url, target, progress)

    def delete(self, url: str) -> bool:
        """Remove a file; False when there was none."""
        reply = self.request("DELETE", url, {})
        if reply.status == 404:
            return False
        check(reply, url)
        return True

    def facts(self, url: str) -> BlobInfo | None:
        """What the server tells about a file, or None when there is none.

        Returns:
            Its ``size`` is -1 when it is not told; its ``etag`` is empty then.
        """
        from email.utils import parsedate_to_datetime

        found = self.asked(url)
        if found is None:
            return None
        headers, size = found
        modified = headers.get("Last-Modified")
        try:
            moment = parsedate_to_datetime(modified).timestamp() if modified else 0.0
        except ValueError:
            moment = 0.0
        return BlobInfo(url, size, headers.get("ETag") or "", moment)

    def asked(self, url: str, patience: float | None = None) -> tuple[Mapping[str, str], int] | None:
        """Headers of a file and its size, by GET where HEAD is refused; None when there is no file.

        Args:
            url: as recorded.
            patience: seconds to go on trying; None is the session's.

        Returns:
            The size is -1 when it is not told.

        Raises:
            ConnectionFailed, WireError: as ``request`` and ``check``.
        """
        plain = {"Accept-Encoding": "identity"}
        reply = self.request("HEAD", url, plain, patience=patience)
        told = _length(reply.headers)
        # What our own server has not, it has not.
        if reply.status in _REFUSED and not (reply.status == 404 and reply.headers.get(IDENTITY_HEADER)):
            # One byte of it. A server without ranges begins to send everything: the connection is given up.
            span = {**plain, "Range": "bytes=0-0"}
            reply = self.request("GET", url, span, patience=patience, preload=False)
            told = _length(reply.headers)
            if reply.status in (206, 416) and told is not None:
                told = reply.headers.get("Content-Range", "").rpartition("/")[2]
            if reply.status in (200, 206, 416):
                reply.close()
                reply.release_conn()
                # The first byte of an empty file is behind its end.
                return (reply.headers, int(told)) if told and told.isdigit() else (reply.headers, -1)
        if reply.status == 404:
            return None
        check(reply, url)
        return reply.headers, int(told) if told and told.isdigit() else -1

    def size(self, url: str) -> int | None:
        """Bytes of a file, or None when there is none or its size is not told."""
        found = self.facts(url)
        return found.size if found is not None and found.size >= 0 else None

    def _put(
        self, url: str, body: "_Window | bytes", headers: dict[str, str], timeout: float = 0.0
    ) -> "BaseHTTPResponse":
        size = len(body) if isinstance(body, bytes) else body.size
        told = {"Content-Type": "application/octet-stream", **headers}
        return self.request("PUT", url, told, body, timeout=timeout or max(60.0, size / 50_000))

    def _upload_parts(self, file: IO[bytes], source: Path, url: str, size: int, progress: Progress) -> bool:
        """False when the host does not know such uploads."""
        facts = os.fstat(file.fileno())
        # The same file to the same address is the same upload, also in another process.
        name = f"{url}\0{source}\0{size}\0{facts.st_mtime_ns}\0{facts.st_ino}"
        id = {"Upload-Id": hashlib.sha256(name.encode()).hexdigest()[:32]}
        asked = {"Content-Length": "0", "Content-Range": f"bytes */{size}"}
        reply = self._put(url, b"", {**id, **asked})
        stalled = 0
        while True:
            told = reply.headers.get("Upload-Offset")
            if reply.status not in (200, 202, 409):
                check(reply, url)
            if told is None:
                return False
            offset = int(told)
            progress(offset)
            if reply.status == 200:
                return True
            span = {
                "Content-Length": str(size - offset),
                "Content-Range": f"bytes {offset}-{size - 1}/{size}",
            }
            reply = self._put(url, _Window(file, offset, size, progress), {**id, **span})
            stalled = stalled + 1 if reply.headers.get("Upload-Offset") == told else 0
            if stalled > 3:
                raise ConnectionFailed(f"the upload to {url} makes no progress")


class _WebFile:
    """A file of the web as a source of a download."""

    def __init__(self, files: FileClient, url: str) -> None:
        self._files = files
        self._url = url

    def piece(self, start: int, tag: str) -> Piece:
        """See ``Source``."""
        go_on = {"Range": f"bytes={start}-", "If-Range": tag} if start and tag else {}
        headers = {"Accept-Encoding": "identity", **go_on}
        reply = self._files.request("GET", self._url, headers, preload=False)
        try:
            if reply.status == 206 and starts(reply) != start:
                # A cache on the way mixes up parts; the whole it has as it is.
                reply.close()
                raise Broken(ConnectionFailed("another part came than was asked for"), again=True)
            if reply.status != 206:
                check(reply, self._url)
                # Another file by now, or a server without ranges: from the start.
                start = 0
        except BaseException:
            reply.release_conn()
            raise
        return Piece(start, strong(reply), _blocks(reply))


def _blocks(reply: "BaseHTTPResponse") -> Iterator[bytes]:
    from urllib3.exceptions import HTTPError

    came = False
    try:
        for block in reply.stream(_BLOCK):
            came = True
            yield block
        check_begun(reply, came)
    except HTTPError as error:
        raise Broken(error) from error
    finally:
        reply.release_conn()


def _length(headers: Mapping[str, str]) -> str | None:
    """How long the file is, when the headers say it: some servers pack whatever was asked for, and tell how long that
    is."""
    if headers.get("Content-Encoding", "identity").lower() != "identity":
        return None
    return headers.get("Content-Length")


def _taken(url: str) -> bool:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), _LOOK_SECONDS).close()
    except OSError:
        return False
    return True


class _Window:
    """A part of a file as a request's body; may be sent again."""

    def __init__(self, file: IO[bytes], start: int, end: int, progress: Progress) -> None:
        self._file = file
        self._start = start
        self._at = start
        self._end = end
        self._progress = progress
        self.size = end - start

    def seek(self, offset: int) -> None:
        self._at = self._start + offset
        self._file.seek(self._at)

    def read(self, size: int = -1) -> bytes:
        left = self._end - self._at
        data = self._file.read(left if size < 0 else min(size, left))
        self._at += len(data)
        self._progress(self._at)
        return data


def insist(attempt: Callable[[], None], seconds: float) -> None:
    """Try again while the storage is away, busy or failing.

    Args:
        attempt: what to do.
        seconds: how long.

    Raises:
        TrialbookError: of the last try.
    """
    waits = backoff(0.2, longest=5.0, deadline=time.monotonic() + seconds)
    while True:
        try:
            return attempt()
        except (ConnectionFailed, ServerFault):
            wait = next(waits, None)
            if wait is None:
                raise
        time.sleep(wait)


def check(reply: "BaseHTTPResponse", url: str) -> None:
    """Raise for an answer that is not a success: in our server's own class and words, when it is ours.

    Raises:
        FileMissing: 404.
        Unauthorized, Forbidden: 401 and 403.
        ServerFault: the server fails or is busy; later may help.
        WireError: any other.
    """
    status = reply.status
    if status in (200, 201, 202, 204, 206):
        return
    told = refusal(reply)
    if told is not None:
        raise told
    if status == 404:
        raise FileMissing(f"no file at {url}")
    if status in (401, 403):
        kind: type[WireError] = Unauthorized if status == 401 else Forbidden
        raise kind(f"{url} refuses the request (HTTP {status}); are the keys right, and the address?")
    if status >= 500 or status in (408, 429):
        raise ServerFault(f"{url} answered HTTP {status}")
    if status in _REDIRECTED:
        raise WireError(f"{url} leads to {reply.headers.get('Location')}: name that address instead")
    raise WireError(f"{url} answered HTTP {status}")
