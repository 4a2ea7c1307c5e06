"""Files behind HTTP addresses as blobs: reading anywhere, writing on our files endpoint."""

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import quote, unquote

from trialbook.blobs.store import PART, BlobInfo, FileParts, clean_key
from trialbook.client.answers import check_begun, starts, strong
from trialbook.client.downloads import Tries
from trialbook.client.files import FileClient, check
from trialbook.errors import ConnectionFailed, FileMissing

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

_SPAN = 8 << 20
_GAP = 64 << 10
"""Spans that lie closer are fetched as one."""


class ServerBlobs:
    """A folder of our files endpoint as blobs; for reading, a folder of any HTTP server.

    Args:
        files: the way there; its token goes to its own host only.
        url: of the folder, such as ``http://127.0.0.1:8008/files/datasets``.
    """

    def __init__(self, files: FileClient, url: str) -> None:
        self._files = files
        self._below = unquote(url.removeprefix(files.host)).strip("/")
        self._url = quote(unquote(url.rstrip("/")), safe=":/")

    def head(self, key: str) -> BlobInfo:
        """See ``BlobStore``."""
        return replace(http_head(self._files, self._address(key)), key=clean_key(key))

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """See ``BlobStore``."""
        return http_read(self._files, self._address(key), start, end)

    def read_spans(self, key: str, spans: Sequence[tuple[int, int]]) -> list[bytes]:
        """See ``BlobStore``."""
        return http_spans(self._files, self._address(key), spans)

    def put(self, key: str, source: Iterable[bytes], size: int = 0) -> BlobInfo:
        """See ``BlobStore``."""
        url = self._address(key)
        if isinstance(source, FileParts):
            return self._put_file(key, url, source.path, source.path.stat().st_size)
        parts = iter(source)
        start, first = b"", b""
        for part in parts:
            if len(start) + len(part) > _SPAN:
                first = part
                break
            start += part
        if not first:
            return self._put_small(key, url, start)
        with tempfile.TemporaryDirectory(prefix="trialbook-") as folder:
            # A request that breaks is sent again, so its bytes must still be there.
            path = Path(folder, "part")
            with path.open("wb") as file:
                file.writelines(chain([start, first], parts))
            return self._put_file(key, url, path, path.stat().st_size)

    def _put_file(self, key: str, url: str, path: Path, length: int) -> BlobInfo:
        etag = self._files.upload(path, url)
        return BlobInfo(clean_key(key), length, etag, 0.0) if etag else self.head(key)

    def _put_small(self, key: str, url: str, body: bytes) -> BlobInfo:
        reply = self._files.request("PUT", url, self._told(url, len(body)), body)
        check(reply, url)
        etag = reply.headers.get("ETag")
        return BlobInfo(clean_key(key), len(body), etag, 0.0) if etag else self.head(key)

    def put_if_absent(self, key: str, source: Iterable[bytes]) -> BlobInfo | None:
        """See ``BlobStore``. Not repeated when the answer is lost: nobody could tell then whose bytes are there."""
        url = self._address(key)
        with _spooled(source) as (file, size):
            headers = {**self._told(url, size), "If-None-Match": "*"}
            reply = self._files.request(
                "PUT", url, headers, file, repeat=False, timeout=max(60.0, size / 50_000)
            )
        if reply.status == 412:
            return None
        check(reply, url)
        return self.head(key)

    def delete(self, key: str) -> None:
        """See ``BlobStore``."""
        if not self._files.delete(self._address(key)):
            raise FileMissing(f"there is no file at {key!r}", path=key)

    def list(self, prefix: str = "") -> Iterator[BlobInfo]:
        """See ``BlobStore``."""
        url = self._address(prefix) if prefix else self._url
        reply = self._files.request("GET", f"{url}?list", {})
        check(reply, url)
        # The endpoint names files from its own top.
        skip = len(self._below) + 1 if self._below else 0
        for found in reply.json():
            yield BlobInfo(found["key"][skip:], found["size"], found["etag"], found["modified"])

    def _address(self, key: str) -> str:
        return f"{self._url}/{quote(clean_key(key), safe='/')}"

    def _told(self, url: str, size: int) -> dict[str, str]:
        return {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(size),
        }


@contextmanager
def _spooled(source: Iterable[bytes]) -> Iterator[tuple[IO[bytes], int]]:
    with tempfile.TemporaryFile(prefix="trialbook-") as file:
        file.writelines(source)
        yield file, file.tell()


def http_head(files: FileClient, url: str) -> BlobInfo:
    """Facts of a file behind an address.

    Raises:
        FileMissing: there is none.
    """
    found = files.facts(url)
    if found is None:
        raise FileMissing(f"there is no file at {url}", path=url)
    return found


def entity(headers: Mapping[str, str]) -> str:
    """What tells whether a file behind an address is still the same."""
    return headers.get("ETag") or headers.get("Last-Modified") or ""


def http_spans(files: FileClient, url: str, spans: Sequence[tuple[int, int]]) -> list[bytes]:
    """Several spans of a file behind an address; neighbours travel together.

    Raises:
        FileMissing: there is none.
    """
    runs: list[list[int]] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if runs and start - runs[-1][1] <= _GAP and end - runs[-1][0] <= _SPAN:
            runs[-1][1] = max(runs[-1][1], end)
        else:
            runs.append([start, end])
    if not runs:
        http_head(files, url)
    fetched = [(first, last, b"".join(http_read(files, url, first, last))) for first, last in runs]
    return [_taken(fetched, start, end) for start, end in spans]


def _taken(fetched: Sequence[tuple[int, int, bytes]], start: int, end: int) -> bytes:
    for first, last, data in fetched:
        if first <= start < end <= last:
            return data[start - first : end - first]
    return b""


def http_read(files: FileClient, url: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """A span of a file behind an address; from a server that knows no ranges, the rest is read and dropped.

    Where the connection breaks, it goes on from there as long as the server says that the file is the same; while
    nothing has been handed out, it begins again.

    Raises:
        FileMissing: there is none.
        ConnectionFailed: the server is away, or broke off.
    """
    from urllib3.exceptions import HTTPError

    if end is not None and start >= end:
        http_head(files, url)
        return
    etag, begun = "", start
    tries = Tries(url)
    while True:
        headers = {"Accept-Encoding": "identity"}
        if start or end is not None:
            headers["Range"] = f"bytes={start}-{'' if end is None else end - 1}"
        if etag:
            headers["If-Range"] = etag
        reply = files.request("GET", url, headers, preload=False)
        before, problem = start, None
        try:
            if reply.status == 416:
                return
            check(reply, url)
            if reply.status == 206 and starts(reply) != start:
                raise ConnectionFailed(f"{url} sent a different part of the file than was asked for")
            if etag and reply.status == 200 and strong(reply) != etag:
                raise ConnectionFailed(f"{url} was changed while it was read")
            etag = strong(reply)
            for data in _wanted(reply, start if reply.status == 200 else 0, end, start):
                yield data
                start += len(data)
        except HTTPError as error:
            problem = error
        finally:
            if left_unread(reply):
                reply.close()
            reply.release_conn()
        if problem is None:
            return
        if start == begun:
            # Whatever the file is by now, it is read as a whole.
            etag = ""
        elif not etag:
            raise ConnectionFailed(f"the download of {url} broke off: {problem}") from problem
        tries.broke(problem, start > before)


def _wanted(reply: "BaseHTTPResponse", skip: int, end: int | None, start: int) -> Iterator[bytes]:
    left = None if end is None else end - start
    came = False
    for part in _gathered(reply):
        came = True
        data = part[skip:] if skip else part
        skip = max(0, skip - len(part))
        if left is not None:
            data = data[:left]
            left -= len(data)
        if data:
            yield data
        if left == 0:
            return
    check_begun(reply, came)


def _gathered(reply: "BaseHTTPResponse") -> Iterator[bytes]:
    """The content in parts. Some answers come in pieces of a few bytes: as long as none was handed out, a connection
    that breaks costs nothing."""
    parts: list[bytes] = []
    size = 0
    for piece in reply.stream(PART):
        parts.append(piece)
        size += len(piece)
        if size >= PART:
            yield b"".join(parts)
            parts, size = [], 0
    if parts:
        yield b"".join(parts)


def left_unread(reply: "BaseHTTPResponse") -> bool:
    """Whether a connection still carries bytes that nobody wants, and cannot be used again."""
    return getattr(reply, "length_remaining", 0) not in (0, None)
