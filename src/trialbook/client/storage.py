"""Files by address: folders, HTTP, our files endpoint and object storages behind one door."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import unquote

from trialbook.base.files import new_beside
from trialbook.base.retry import backoff
from trialbook.blobs.accounts import Accounts
from trialbook.blobs.schemes import SCHEMES
from trialbook.blobs.store import BlobInfo, BlobStore
from trialbook.client.blobs import ServerBlobs
from trialbook.client.files import FileClient, Progress, unheard
from trialbook.client.places import child_address, copy_atomic, existing_path, local_path, scheme_of
from trialbook.errors import ConnectionFailed, FileMissing, ServerFault, UsageError

if TYPE_CHECKING:
    # Object storages come with the first address of one.
    from trialbook.blobs.buckets import Place

_BLOCK = 1 << 20


def _as_it_is(url: str, writing: bool) -> str:
    return url


class Storage:
    """Every file that has an address.

    Args:
        files: for HTTP; None for a process without a server.
        accounts: what opens the object storages; asked at the first use.
        patience: seconds that a request to an object storage is repeated.
        nearer: the address to use on this machine for another, and whether to write there.
    """

    def __init__(
        self,
        files: FileClient | None,
        accounts: Callable[[], Accounts] = Accounts,
        patience: float = 30.0,
        nearer: Callable[[str, bool], str] = _as_it_is,
    ) -> None:
        self._nearer = nearer
        self._files = files
        self._accounts = accounts
        self._patience = patience

    def upload(self, source: Path, url: str, progress: Progress = unheard) -> None:
        """Store a file at an address; it is there as a whole, or not at all.

        Raises:
            ConnectionFailed, ServerFault: the storage is away or fails; later may help.
            StorageRefused: it lets nobody in with these credentials, or has no such bucket.
            UsageError: an unknown scheme, or a name that this storage changes.
            OSError: the source cannot be read, or a local target not written.
        """
        url = self._nearer(url, True)
        local = local_path(url)
        if local is not None:
            copy_atomic(source, local)
        elif scheme_of(url) in SCHEMES:
            found = self._place(url)
            if scheme_of(url) == "azure" and "\\" in found.key:
                raise UsageError(f"Azure takes the backslash in {found.key!r} for a slash: rename the file")
            with source.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                self._opened(found).put(found.key, _read(file, progress), size)
        else:
            self._http(url).upload(source, url, progress)

    def download(self, url: str, target: Path, progress: Progress = unheard) -> None:
        """Fetch a file; ``target`` is whole when this returns and untouched when it raises.

        Raises:
            FileMissing: there is none.
            ConnectionFailed, ServerFault, StorageRefused, UsageError: see ``upload``.
            OSError: the target cannot be written.
        """
        url = self._nearer(url, False)
        local = existing_path(url)
        if local is not None:
            if not local.is_file():
                raise FileMissing(f"there is no file {local}")
            copy_atomic(local, target)
        elif scheme_of(url) in SCHEMES:
            self._fetch(self._place(url), target, progress)
        else:
            self._http(url).download(url, target, progress)

    def facts(self, url: str) -> BlobInfo | None:
        """Size, etag and time of a file; None when there is none."""
        url = self._nearer(url, False)
        local = existing_path(url)
        if local is not None:
            if not local.is_file():
                return None
            found = local.stat()
            etag = f'"{found.st_ino:x}-{found.st_size:x}-{found.st_mtime_ns:x}"'
            return BlobInfo(str(local), found.st_size, etag, found.st_mtime)
        if scheme_of(url) in SCHEMES:
            there = self._place(url)
            try:
                return self._opened(there).head(there.key)
            except FileMissing:
                return None
        return self._http(url).facts(url)

    def delete(self, url: str) -> bool:
        """Remove a file; False when there was none."""
        url = self._nearer(url, False)
        local = local_path(url)
        if local is not None:
            there = local.is_file()
            local.unlink(missing_ok=True)
            return there
        if scheme_of(url) in SCHEMES:
            found = self._place(url)
            try:
                self._opened(found).delete(found.key)
            except FileMissing:
                return False
            return True
        return self._http(url).delete(url)

    def list(self, url: str) -> Iterator[tuple[str, BlobInfo]]:
        """Every file below an address: its path below it, and its facts; in order.

        Raises:
            UsageError: a storage that cannot be listed: any HTTP server but ours.
        """
        url = self._nearer(url, False)
        local = local_path(url)
        if local is not None:
            for path in sorted(found for found in local.rglob("*") if found.is_file()):
                facts = path.stat()
                name = path.relative_to(local).as_posix()
                yield name, BlobInfo(str(path), facts.st_size, "", facts.st_mtime)
            return
        blobs, prefix = self._blobs(url)
        for info in blobs.list(prefix):
            yield info.key[len(prefix) :].lstrip("/"), info

    def blobs(self, url: str) -> tuple[BlobStore, str]:
        """A storage as a ``BlobStore``, and the prefix of its keys that the address names.

        Raises:
            UsageError: a folder, or an HTTP server that is not ours.
        """
        return self._blobs(self._nearer(url, True))

    def _blobs(self, url: str) -> tuple[BlobStore, str]:
        if scheme_of(url) in SCHEMES:
            found = self._place(url, whole=True)
            return self._opened(found), found.key
        if local_path(url) is None and self._http(url).owns(url):
            files = self._http(url)
            return ServerBlobs(files, files.host), unquote(files.here(url)[len(files.host) :]).strip("/")
        raise UsageError(f"{url} cannot be listed: only object storages, our files server and folders can")

    def same(self, one: str, other: str) -> bool:
        """Whether two addresses lead to one file or folder: by other names of our server, of a folder or of a path."""
        if one.rstrip("/") == other.rstrip("/"):
            return True
        one, other = self._nearer(one, True), self._nearer(other, True)
        if one.rstrip("/") == other.rstrip("/"):
            return True
        kinds = {scheme_of(url) for url in (one, other)}
        if kinds <= {"", "file"}:
            mine, theirs = local_path(one), local_path(other)
            return mine is not None and theirs is not None and mine.resolve() == theirs.resolve()
        return kinds <= {"http", "https"} and self._files is not None and self._files.same(one, other)

    def child(self, url: str, name: str) -> str:
        """The address of a file below another; names are encoded where the scheme wants it."""
        return child_address(url, name)

    def check_writable(self, url: str) -> None:
        """Write and delete a small file at a destination.

        Raises:
            UsageError: a folder that cannot be made or written, or an unknown scheme.
            StorageRefused: the storage says no.
            ConnectionFailed, ServerFault: nobody can tell now.
        """
        url = self._nearer(url, True)
        local = local_path(url)
        if local is not None:
            try:
                local.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise UsageError(f"the destination {url} cannot be used: {error}") from error
            if not os.access(local, os.W_OK):
                raise UsageError(f"the destination {url} cannot be used: no permission to write there")
        elif scheme_of(url) in SCHEMES:
            found = self._place(url, whole=True)
            blobs = self._opened(found)
            probe = f"{found.key}/.trialbook-probe".lstrip("/")
            blobs.put(probe, [b"may be deleted"])
            with contextlib.suppress(FileMissing):
                # Another process may have been here at the same moment.
                blobs.delete(probe)

    def _opened(self, place: "Place") -> BlobStore:
        from trialbook.blobs.buckets import open_bucket

        return open_bucket(place.bucket)

    def _place(self, url: str, whole: bool = False) -> "Place":
        from trialbook.blobs.buckets import place

        found = place(url, self._accounts(), self._patience)
        if not found.key and not whole:
            raise UsageError(f"{url} names a bucket, not a file in it")
        return found

    def _http(self, url: str) -> FileClient:
        if self._files is None:
            raise UsageError(f"{url} needs a connection, and this process has none")
        return self._files

    def _fetch(self, found: "Place", target: Path, progress: Progress) -> None:
        blobs = self._opened(found)
        info = blobs.head(found.key)
        handle, part = new_beside(target)
        waits = backoff(0.2, longest=5.0)
        tries = 0
        try:
            with os.fdopen(handle, "wb") as file:
                there = 0
                while there < info.size:
                    before = there
                    try:
                        for block in blobs.read(found.key, there, info.size):
                            file.write(block)
                            there += len(block)
                            progress(there)
                    except (ConnectionFailed, ServerFault):
                        tries = 0 if there > before else tries + 1
                        if tries > 3:
                            raise
                        time.sleep(next(waits))
                        changed = blobs.head(found.key)
                        if changed.etag != info.etag:
                            # Two halves of two files are no file.
                            info, there = changed, 0
                            file.seek(0)
                            file.truncate()
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)


def _read(file: IO[bytes], progress: Progress) -> Iterator[bytes]:
    done = 0
    while block := file.read(_BLOCK):
        yield block
        done += len(block)
        progress(done)
