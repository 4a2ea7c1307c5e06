"""Repositories of datasets in the places that a destination can name."""

import os
from builtins import list as List
from collections.abc import Iterable, Iterator, Sequence
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

import msgspec

from trialbook.blobs.buckets import SCHEMES, open_bucket, place
from trialbook.blobs.store import PART, BlobInfo, BlobStore, clean_key
from trialbook.client.files import FileClient
from trialbook.datasets.folder import FolderBlobs
from trialbook.datasets.objects import FileParts
from trialbook.datasets.places import BlobsBelow
from trialbook.errors import BadRequest, ConnectionFailed, FileMissing, ServerFault, WireError
from trialbook.sdk.connection import Connection, local_path
from trialbook.sdk.storage_settings import storage_settings

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

list_of_infos = list[BlobInfo]

FOLDER = "trialbook-datasets"
"""The folder of a destination that holds its repository."""


class HttpBlobs:
    """A ``BlobStore`` on the files endpoint of a server, or, for reading, on any HTTP address.

    Args:
        files: of the connection; its token goes to its own host only.
        base: address of the folder.
    """

    def __init__(self, files: FileClient, base: str) -> None:
        self._files = files
        self._base = base.rstrip("/")

    def url(self, key: str) -> str:
        """Address of a blob."""
        return f"{self._base}/{quote(clean_key(key), safe='/')}"

    def head(self, key: str) -> BlobInfo:
        """See ``BlobStore``."""
        return http_head(self._files, self.url(key), key)

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """See ``BlobStore``."""
        return http_read(self._files, self.url(key), key, start, end)

    def put(self, key: str, source: Iterable[bytes], size: int = 0) -> BlobInfo:
        """See ``BlobStore``. Parts are kept until the server has them, so that a busy one can be asked again."""
        url = self.url(key)
        if isinstance(source, FileParts):
            self._files.upload(source.path, url)
            return BlobInfo(key, source.path.stat().st_size, "", 0.0)
        body = b"".join(source)
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(len(body))}
        timeout = max(60.0, len(body) / 50_000)
        reply = self._files.session.request(
            "PUT", url, {**headers, **self._files.bearer(url)}, body, timeout=timeout
        )
        _check(reply.status, url, key)
        return BlobInfo(key, len(body), reply.headers.get("ETag", ""), 0.0)

    def read_spans(self, key: str, spans: Sequence[tuple[int, int]]) -> "List[bytes]":
        """See ``BlobStore``."""
        return [b"".join(self.read(key, start, end)) for start, end in spans]

    def put_if_absent(self, key: str, source: Iterable[bytes]) -> BlobInfo | None:
        """See ``BlobStore``."""
        body = b"".join(source)
        url = self.url(key)
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(len(body)),
            "If-None-Match": "*",
            **self._files.bearer(url),
        }
        reply = self._files.session.request("PUT", url, headers, body)
        if reply.status == 412:
            return None
        _check(reply.status, url, key)
        return BlobInfo(key, len(body), reply.headers.get("ETag", ""), 0.0)

    def delete(self, key: str) -> None:
        """See ``BlobStore``."""
        url = self.url(key)
        reply = self._files.session.request("DELETE", url, self._files.bearer(url))
        _check(reply.status, url, key)

    def list(self, prefix: str = "") -> Iterator[BlobInfo]:
        """See ``BlobStore``."""
        url = self.url(prefix) if prefix else self._base
        reply = self._files.session.request("GET", f"{url}?list", self._files.bearer(url))
        _check(reply.status, url, prefix)
        # The endpoint names files from its own top.
        top = unquote(url.removeprefix(self._files.host).strip("/"))
        below = top.removesuffix(prefix.strip("/")) if prefix else f"{top}/"
        for info in msgspec.json.decode(reply.data, type=list_of_infos):
            yield BlobInfo(info.key.removeprefix(below), info.size, info.etag, info.modified)


class UrlBlobs:
    """One file under every key: a pack that has an address of its own.

    Args:
        files: of the connection.
        url: http(s), ``file://`` or a path.
    """

    def __init__(self, files: FileClient, url: str) -> None:
        self._files = files
        self._url = url
        self._bucket = bucket_blobs(url)
        self._path = None if self._bucket is not None else local_path(url)

    def head(self, key: str) -> BlobInfo:
        """See ``BlobStore``."""
        if self._bucket is not None:
            return self._bucket[0].head(self._bucket[1])
        if self._path is None:
            return http_head(self._files, self._url, key)
        try:
            facts = self._path.stat()
        except OSError:
            raise FileMissing(f"there is no file {self._path}", path=key) from None
        return BlobInfo(key, facts.st_size, f'"{facts.st_mtime_ns:x}"', facts.st_mtime)

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """See ``BlobStore``."""
        if self._bucket is not None:
            yield from self._bucket[0].read(self._bucket[1], start, end)
            return
        if self._path is None:
            yield from http_read(self._files, self._url, key, start, end)
            return
        try:
            handle = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            raise FileMissing(f"there is no file {self._path}", path=key) from None
        try:
            stop = os.fstat(handle).st_size if end is None else end
            while start < stop:
                part = os.pread(handle, min(8 << 20, stop - start), start)
                if not part:
                    return
                start += len(part)
                yield part
        finally:
            os.close(handle)

    def read_spans(self, key: str, spans: Sequence[tuple[int, int]]) -> "List[bytes]":
        """See ``BlobStore``."""
        return [b"".join(self.read(key, start, end)) for start, end in spans]

    def put_if_absent(self, key: str, source: Iterable[bytes]) -> BlobInfo | None:
        """Nothing is written to a single address."""
        raise BadRequest(f"{self._url} is read only", path=key)

    def put(self, key: str, source: Iterable[bytes], size: int = 0) -> BlobInfo:
        """Nothing is written to a single address."""
        raise BadRequest(f"{self._url} is read only", path=key)

    def delete(self, key: str) -> None:
        """Nothing is deleted at a single address."""
        raise BadRequest(f"{self._url} is read only", path=key)

    def list(self, prefix: str = "") -> Iterator[BlobInfo]:
        """Nothing is listed at a single address."""
        raise BadRequest(f"{self._url} is one file")


def open_blobs(connection: Connection, url: str) -> BlobStore:
    """The store at an address: a folder of this machine, or the files endpoint.

    Raises:
        UsageError: a scheme that cannot hold a repository.
    """
    bucket = bucket_blobs(url)
    if bucket is not None:
        blobs, key = bucket
        return BlobsBelow(blobs, key)
    path = local_path(url)
    if path is not None:
        return FolderBlobs(path)
    return HttpBlobs(connection.files, url)


def bucket_blobs(url: str) -> "tuple[BlobStore, str] | None":
    """The object storage that an address names, and the key in it; None for other addresses.

    Raises:
        UsageError: no bucket is named.
    """
    if urlsplit(url).scheme not in SCHEMES:
        return None
    found = place(url, storage_settings().accounts)
    return open_bucket(found.bucket), found.key


def repository_url(destination: str) -> str:
    """Address of the repository of a destination."""
    path = None if "://" in destination else Path(destination).expanduser().absolute()
    return f"{path or destination.rstrip('/')}/{FOLDER}"


def http_head(files: FileClient, url: str, key: str) -> BlobInfo:
    """Facts of a file behind an address.

    Raises:
        FileMissing: there is none.
    """
    reply = files.session.request("HEAD", url, files.bearer(url))
    _check(reply.status, url, key)
    return BlobInfo(key, int(reply.headers.get("Content-Length", -1)), entity(reply), _modified(reply))


def entity(reply: "BaseHTTPResponse") -> str:
    """What tells whether a file behind an address is still the same."""
    return reply.headers.get("ETag") or reply.headers.get("Last-Modified") or ""


def _modified(reply: "BaseHTTPResponse") -> float:
    text = reply.headers.get("Last-Modified")
    try:
        return parsedate_to_datetime(text).timestamp() if text else 0.0
    except ValueError:
        return 0.0


def http_read(files: FileClient, url: str, key: str, start: int, end: int | None) -> Iterator[bytes]:
    """A span of a file behind an address; from a server that knows no ranges, the rest is read and dropped.

    Raises:
        FileMissing: there is none.
        ConnectionFailed: the server is away, or broke off.
    """
    from urllib3.exceptions import HTTPError

    if end is not None and start >= end:
        http_head(files, url, key)
        return
    headers = files.bearer(url)
    if start or end is not None:
        headers["Range"] = f"bytes={start}-{'' if end is None else end - 1}"
    reply = files.session.request("GET", url, headers, preload=False)
    try:
        if reply.status == 416:
            return
        _check(reply.status, url, key)
        skip = start if reply.status == 200 and "Range" in headers else 0
        left = None if end is None else end - start
        for part in reply.stream(PART):
            data = part[skip:] if skip else part
            skip = max(0, skip - len(part))
            if left is not None:
                data = data[:left]
                left -= len(data)
            if data:
                yield data
            if left == 0:
                return
    except HTTPError as error:
        raise ConnectionFailed(f"the download of {url} broke off: {error}") from error
    finally:
        if left_unread(reply):
            reply.close()
        reply.release_conn()


def left_unread(reply: "BaseHTTPResponse") -> bool:
    """Whether a connection still carries bytes that nobody wants, and cannot be used again."""
    return getattr(reply, "length_remaining", 0) not in (0, None)


def _check(status: int, url: str, key: str) -> None:
    if status in (200, 201, 204, 206):
        return
    if status == 404:
        raise FileMissing(f"there is no file at {url}", path=key)
    if status >= 500:
        raise ServerFault(f"{url} answered HTTP {status}")
    raise WireError(f"{url} answered HTTP {status}")
