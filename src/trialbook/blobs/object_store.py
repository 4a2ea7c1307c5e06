"""Blobs on obstore: a local folder, memory, and by the same driver any object storage."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trialbook.blobs.store import PART, BlobInfo, clean_key
from trialbook.errors import BadRequest, FileMissing, ServerFault

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_WRITE_PART = 8 << 20
_RESERVED = re.compile(r"#\d+~*$")
"""The local driver keeps such names for uploads in progress; a ``~`` behind takes ours out of its way."""


class ObjectStoreBlobs:
    """A ``BlobStore`` on an obstore store.

    Args:
        open: makes the store at its first use: obstore costs 20 MB, and a server may never see a file.
    """

    def __init__(self, open: "Callable[[], ObjectStore]") -> None:
        self._open = open

    @cached_property
    def _store(self) -> "ObjectStore":
        return self._open()

    @classmethod
    def in_folder(cls, folder: Path) -> "ObjectStoreBlobs":
        """Blobs as plain files below a folder, which is made when missing."""

        def opened() -> "ObjectStore":
            from obstore.store import LocalStore

            return LocalStore(folder, mkdir=True)

        return cls(opened)

    @classmethod
    def in_memory(cls) -> "ObjectStoreBlobs":
        """Blobs that go with the process."""

        def opened() -> "ObjectStore":
            from obstore.store import MemoryStore

            return MemoryStore()

        return cls(opened)

    def head(self, key: str) -> BlobInfo:
        """See ``BlobStore``."""
        import obstore

        name = _stored(clean_key(key))
        try:
            return _info(obstore.head(self._store, name))
        except FileNotFoundError:
            raise _missing(key) from None
        except obstore.exceptions.BaseError as error:
            raise _translated(error, key) from error

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """See ``BlobStore``."""
        import obstore

        size = self.head(key).size
        name = _stored(clean_key(key))
        position, stop = start, size if end is None else min(end, size)
        while position < stop:
            upto = min(position + PART, stop)
            try:
                part = obstore.get_range(self._store, name, start=position, end=upto)
            except FileNotFoundError:
                raise _missing(key) from None
            yield bytes(part)
            position = upto

    def put(self, key: str, source: Iterable[bytes]) -> BlobInfo:
        """See ``BlobStore``."""
        import obstore

        try:
            obstore.put(self._store, _stored(clean_key(key)), iter(source), chunk_size=_WRITE_PART)
        except obstore.exceptions.BaseError as error:
            raise _refused(error, key) from error
        return self.head(key)

    def delete(self, key: str) -> None:
        """See ``BlobStore``."""
        import obstore

        self.head(key)
        try:
            obstore.delete(self._store, _stored(clean_key(key)))
        except FileNotFoundError:
            raise _missing(key) from None

    def list(self, prefix: str = "") -> Iterator[BlobInfo]:
        """See ``BlobStore``."""
        import obstore

        found = obstore.list(self._store, clean_key(prefix) if prefix else None).collect()
        yield from sorted((_info(item) for item in found), key=lambda info: info.key)


def _stored(key: str) -> str:
    return f"{key}~" if _RESERVED.search(key) else key


def _given(name: str) -> str:
    return name[:-1] if name.endswith("~") and _RESERVED.search(name) else name


def _info(meta: Any) -> BlobInfo:
    modified = meta["last_modified"].timestamp()
    etag = meta["e_tag"] or f'"{meta["size"]:x}-{modified:.6f}"'
    return BlobInfo(
        _given(meta["path"]), meta["size"], etag if etag.startswith('"') else f'"{etag}"', modified
    )


def _missing(key: str) -> FileMissing:
    return FileMissing(f"there is no file at {key!r}", path=key)


def _translated(error: Exception, key: str) -> Exception:
    text = str(error)
    # A folder, or a path through a file: nothing is there.
    return _missing(key) if any(f"os error {number}" in text for number in (20, 21)) else error


def _refused(error: Exception, key: str) -> Exception:
    text = str(error)
    if "os error 28" in text or "os error 122" in text:
        return ServerFault("the disk that holds the server's files is full")
    if "Upload aborted" in text or any(f"os error {number}" in text for number in (17, 20, 21)):
        return BadRequest(
            f"{key!r} cannot be stored: a folder, or a file instead of a folder, is in the way", path=key
        )
    return error
