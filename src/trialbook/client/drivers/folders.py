"""Folders of this machine: paths, and ``file://``."""

import os
from collections.abc import Iterator
from pathlib import Path

from trialbook.blobs.store import BlobInfo, BlobStore
from trialbook.client.downloads import Progress
from trialbook.client.places import copy_atomic, existing_path, local_path
from trialbook.errors import FileMissing, UsageError


class Folders:
    """See ``Driver``."""

    def upload(self, source: Path, url: str, progress: Progress) -> None:
        """See ``Driver``."""
        copy_atomic(source, _to_write(url))

    def download(self, url: str, target: Path, progress: Progress) -> None:
        """See ``Driver``."""
        local = _to_read(url)
        if not local.is_file():
            raise FileMissing(f"there is no file {local}")
        copy_atomic(local, target)

    def facts(self, url: str) -> BlobInfo | None:
        """See ``Driver``."""
        local = _to_read(url)
        if not local.is_file():
            return None
        found = local.stat()
        etag = f'"{found.st_ino:x}-{found.st_size:x}-{found.st_mtime_ns:x}"'
        return BlobInfo(str(local), found.st_size, etag, found.st_mtime)

    def delete(self, url: str) -> bool:
        """See ``Driver``."""
        local = _to_write(url)
        there = local.is_file()
        local.unlink(missing_ok=True)
        return there

    def list(self, url: str) -> Iterator[tuple[str, BlobInfo]]:
        """See ``Driver``."""
        local = _to_write(url)
        for path in sorted(found for found in local.rglob("*") if found.is_file()):
            facts = path.stat()
            name = path.relative_to(local).as_posix()
            yield name, BlobInfo(str(path), facts.st_size, "", facts.st_mtime)

    def blobs(self, url: str) -> tuple[BlobStore, str]:
        """See ``Driver``."""
        raise UsageError(f"{url} cannot be listed: only object storages, our files server and folders can")

    def same(self, one: str, other: str) -> bool:
        """See ``Driver``."""
        return _to_write(one).resolve() == _to_write(other).resolve()

    def check_writable(self, url: str) -> None:
        """See ``Driver``."""
        local = _to_write(url)
        try:
            local.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"the destination {url} cannot be used: {error}") from error
        if not os.access(local, os.W_OK):
            raise UsageError(f"the destination {url} cannot be used: no permission to write there")


def _to_write(url: str) -> Path:
    return _path(url, local_path(url))


def _to_read(url: str) -> Path:
    return _path(url, existing_path(url))


def _path(url: str, found: Path | None) -> Path:
    if found is None:
        raise UsageError(f"{url} is not an address of this machine")
    return found
