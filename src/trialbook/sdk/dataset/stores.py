"""Repositories of datasets in the places that a destination can name."""

import os
from builtins import list as List
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from trialbook.blobs.buckets import open_bucket, place
from trialbook.blobs.schemes import SCHEMES
from trialbook.blobs.store import BlobInfo, BlobStore
from trialbook.client.blobs import ServerBlobs, http_head, http_read, http_spans
from trialbook.client.files import FileClient
from trialbook.client.places import scheme_of
from trialbook.datasets.storage.folder import FolderBlobs
from trialbook.datasets.storage.places import BlobsBelow
from trialbook.errors import BadRequest, FileMissing
from trialbook.sdk.accounts.nearer import nearer
from trialbook.sdk.accounts.storage_settings import storage_settings
from trialbook.sdk.servers.connection import Connection, local_path

FOLDER = "trialbook-datasets"
"""The folder of a destination that holds its repository."""


class UrlBlobs:
    """One file under every key: a pack that has an address of its own.

    Args:
        files: of the connection.
        url: http(s), ``file://`` or a path.
    """

    def __init__(self, files: FileClient, url: str) -> None:
        self._files = files
        self._url = url = nearer(url)
        self._bucket = bucket_blobs(url)
        self._path = None if self._bucket is not None else local_path(url)

    def in_place(self, key: str) -> Path | None:
        """See ``InPlace``."""
        return self._path

    def head(self, key: str) -> BlobInfo:
        """See ``BlobStore``."""
        if self._bucket is not None:
            return self._bucket[0].head(self._bucket[1])
        if self._path is None:
            return replace(http_head(self._files, self._url), key=key)
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
            yield from http_read(self._files, self._url, start, end)
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
        if self._bucket is None and self._path is None:
            return http_spans(self._files, self._url, spans)
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
    url = nearer(url, writing=True)
    bucket = bucket_blobs(url)
    if bucket is not None:
        blobs, key = bucket
        return BlobsBelow(blobs, key)
    path = local_path(url)
    if path is not None:
        return FolderBlobs(path)
    # A folder is not a file to ask for: its first object tells whether it is ours under an earlier address.
    connection.files.here(f"{url}/format.json")
    return ServerBlobs(connection.files, connection.files.here(url))


def bucket_blobs(url: str) -> "tuple[BlobStore, str] | None":
    """The object storage that an address names, and the key in it; None for other addresses.

    Raises:
        UsageError: no bucket is named.
    """
    if scheme_of(url) not in SCHEMES:
        return None
    found = place(url, storage_settings().accounts)
    return open_bucket(found.bucket), found.key


def repository_url(destination: str) -> str:
    """Address of the repository of a destination."""
    path = None if "://" in destination else Path(destination).expanduser().absolute()
    return f"{path or destination.rstrip('/')}/{FOLDER}"
