"""Object storages: ``s3://``, ``gs://``, ``azure://``. Their libraries come with the first address of one."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

from trialbook.blobs.accounts import Accounts
from trialbook.blobs.store import BlobInfo, BlobStore
from trialbook.client.downloads import Broken, Piece, Progress, download
from trialbook.client.places import scheme_of
from trialbook.errors import ConnectionFailed, FileMissing, ServerFault, UsageError

if TYPE_CHECKING:
    from trialbook.blobs.buckets import Place

_BLOCK = 1 << 20


class Buckets:
    """See ``Driver``.

    Args:
        accounts: what opens them; asked at the first use.
        patience: seconds that a request is repeated.
    """

    def __init__(self, accounts: Callable[[], Accounts], patience: float) -> None:
        self._accounts = accounts
        self._patience = patience

    def upload(self, source: Path, url: str, progress: Progress) -> None:
        """See ``Driver``."""
        found = self._place(url)
        if scheme_of(url) == "azure" and "\\" in found.key:
            raise UsageError(f"Azure takes the backslash in {found.key!r} for a slash: rename the file")
        with source.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            _opened(found).put(found.key, _read(file, progress), size)

    def download(self, url: str, target: Path, progress: Progress) -> None:
        """See ``Driver``."""
        found = self._place(url)
        download(_Object(_opened(found), found.key), url, target, progress)

    def facts(self, url: str) -> BlobInfo | None:
        """See ``Driver``."""
        found = self._place(url)
        try:
            return _opened(found).head(found.key)
        except FileMissing:
            return None

    def delete(self, url: str) -> bool:
        """See ``Driver``."""
        found = self._place(url)
        try:
            _opened(found).delete(found.key)
        except FileMissing:
            return False
        return True

    def list(self, url: str) -> Iterator[tuple[str, BlobInfo]]:
        """See ``Driver``."""
        blobs, prefix = self.blobs(url)
        for info in blobs.list(prefix):
            yield info.key[len(prefix) :].lstrip("/"), info

    def blobs(self, url: str) -> tuple[BlobStore, str]:
        """See ``Driver``."""
        found = self._place(url, whole=True)
        return _opened(found), found.key

    def same(self, one: str, other: str) -> bool:
        """See ``Driver``."""
        return False

    def check_writable(self, url: str) -> None:
        """See ``Driver``: a small file is written, and deleted."""
        blobs, prefix = self.blobs(url)
        probe = f"{prefix}/.trialbook-probe".lstrip("/")
        blobs.put(probe, [b"may be deleted"])
        with contextlib.suppress(FileMissing):
            # Another process may have been here at the same moment.
            blobs.delete(probe)

    def _place(self, url: str, whole: bool = False) -> "Place":
        from trialbook.blobs.buckets import place

        found = place(url, self._accounts(), self._patience)
        if not found.key and not whole:
            raise UsageError(f"{url} names a bucket, not a file in it")
        return found


class _Object:
    """An object as a source of a download."""

    def __init__(self, blobs: BlobStore, key: str) -> None:
        self._blobs = blobs
        self._key = key

    def piece(self, start: int, tag: str) -> Piece:
        """See ``Source``."""
        info = self._blobs.head(self._key)
        if info.etag != tag:
            # Two halves of two files are not a file.
            start = 0
        return Piece(start, info.etag, self._blocks(start, info.size))

    def _blocks(self, start: int, size: int) -> Iterator[bytes]:
        try:
            while start < size:
                for block in self._blobs.read(self._key, start, size):
                    yield block
                    start += len(block)
        except (ConnectionFailed, ServerFault) as error:
            raise Broken(error) from error


def _opened(place: "Place") -> BlobStore:
    from trialbook.blobs.buckets import open_bucket

    return open_bucket(place.bucket)


def _read(file: IO[bytes], progress: Progress) -> Iterator[bytes]:
    done = 0
    while block := file.read(_BLOCK):
        yield block
        done += len(block)
        progress(done)
