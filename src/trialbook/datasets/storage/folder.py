"""Blobs in a folder, written with the system calls that make them survive a crash, and readable in place."""

import contextlib
import os
import uuid
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from trialbook.base.files import new_beside
from trialbook.blobs.store import BlobInfo, BlobStore, clean_key
from trialbook.errors import BadRequest, FileMissing

_PART = 8 << 20
_STEP = 512 << 10
"""Parts of what is longer than ``_PART``: they stay in the processor's cache from reading to writing."""
_TEMPORARY = ".trialbook-tmp"


@runtime_checkable
class LocalBlobs(BlobStore, Protocol):
    """Blobs that are files of this machine."""

    def spool(self) -> Path:
        """A folder on the same file system for files that ``adopt`` will take."""
        ...

    def adopt(self, key: str, path: Path, durable: bool) -> BlobInfo:
        """Make a finished file the blob of a key in one step; the file is gone from its place."""
        ...

    def locate(self, key: str) -> Path:
        """Where the blob of a key lies, whether it exists or not."""
        ...


def new_pack(spool: Path) -> Path:
    """Where to make a pack. Threads and containers that share a folder may have one process number."""
    return spool / f"pack-{uuid.uuid4().hex}"


def clear_spool(spool: Path, before: float) -> None:
    """Delete what killed writers left half made, last written before a moment in seconds since the epoch."""
    for file in spool.iterdir():
        # Others clear up as well, and writers finish.
        with contextlib.suppress(FileNotFoundError):
            if file.lstat().st_mtime < before:
                file.unlink()


class FolderBlobs:
    """A ``BlobStore`` (and ``LocalBlobs``) of plain files.

    Args:
        folder: made with the first thing that is written: whoever reads in a folder that is not mounted makes none.
        durable: wait for the disk at each ``put`` and ``delete``.
    """

    def __init__(self, folder: Path, durable: bool = True) -> None:
        self._folder = folder
        self._durable = durable

    def spool(self) -> Path:
        """See ``LocalBlobs``."""
        spool = self._folder / _TEMPORARY
        spool.mkdir(parents=True, exist_ok=True)
        return spool

    def locate(self, key: str) -> Path:
        """See ``LocalBlobs``."""
        clean = clean_key(key)
        if clean.split("/", 1)[0] == _TEMPORARY:
            raise FileMissing(f"there is no file at {key!r}", path=key)
        return self._folder / clean

    def in_place(self, key: str) -> Path:
        """See ``InPlace``."""
        return self.locate(key)

    def head(self, key: str) -> BlobInfo:
        """See ``BlobStore``."""
        return _info(clean_key(key), self.locate(key))

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """See ``BlobStore``."""
        try:
            handle = os.open(self.locate(key), os.O_RDONLY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            raise FileMissing(f"there is no file at {key!r}", path=key) from None
        try:
            stop = os.fstat(handle).st_size if end is None else end
            step = _PART if stop - start <= _PART else _STEP
            while start < stop:
                part = os.pread(handle, min(step, stop - start), start)
                if not part:
                    return
                start += len(part)
                yield part
        except IsADirectoryError:
            raise FileMissing(f"there is no file at {key!r}", path=key) from None
        finally:
            os.close(handle)

    def read_spans(self, key: str, spans: Sequence[tuple[int, int]]) -> list[bytes]:
        """See ``BlobStore``."""
        return [b"".join(self.read(key, start, end)) for start, end in spans]

    def put(self, key: str, source: Iterable[bytes], size: int = 0) -> BlobInfo:
        """See ``BlobStore``."""
        self.locate(key)
        written = self._written(source)
        try:
            return self.adopt(key, written, self._durable)
        except BaseException:
            written.unlink(missing_ok=True)
            raise

    def put_if_absent(self, key: str, source: Iterable[bytes]) -> BlobInfo | None:
        """See ``BlobStore``."""
        target = self.locate(key)
        written = self._written(source)
        try:
            if self._durable:
                _sync(written)
            target.parent.mkdir(parents=True, exist_ok=True)
            # A second name of the same file: refused by the system when the name is taken.
            target.hardlink_to(written)
        except FileExistsError:
            if target.is_file():
                return None
            raise _in_the_way(key) from None
        except NotADirectoryError:
            raise _in_the_way(key) from None
        finally:
            written.unlink(missing_ok=True)
        if self._durable:
            _sync(target.parent)
        return _info(clean_key(key), target)

    def _written(self, source: Iterable[bytes]) -> Path:
        handle, written = new_beside(self.spool() / "part")
        try:
            with os.fdopen(handle, "wb", 0) as file:
                for part in source:
                    view = memoryview(part)
                    while len(view):
                        view = view[file.write(view) :]
            return written
        except BaseException:
            written.unlink(missing_ok=True)
            raise

    def adopt(self, key: str, path: Path, durable: bool) -> BlobInfo:
        """See ``LocalBlobs``."""
        target = self.locate(key)
        if durable:
            _sync(path)
        try:
            fresh = [folder for folder in target.parents if not folder.exists()]
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            raise _in_the_way(key) from None
        if durable:
            _sync(target.parent)
            for folder in fresh:
                _sync(folder.parent)
        return _info(clean_key(key), target)

    def delete(self, key: str) -> None:
        """See ``BlobStore``."""
        target = self.locate(key)
        self.head(key)
        try:
            target.unlink()
        except FileNotFoundError:
            raise FileMissing(f"there is no file at {key!r}", path=key) from None
        if self._durable:
            _sync(target.parent)

    def list(self, prefix: str = "") -> Iterator[BlobInfo]:
        """See ``BlobStore``."""
        top = self.locate(prefix) if prefix else self._folder
        found = []
        for folder, names, files in os.walk(top):
            if folder == str(self._folder):
                names[:] = [name for name in names if name != _TEMPORARY]
            found += [Path(folder, name) for name in files]
        keyed = sorted((path.relative_to(self._folder).as_posix(), path) for path in found)
        for key, path in keyed:
            try:
                info = _info(key, path)
            except FileMissing:
                continue
            yield info


def _info(key: str, path: Path) -> BlobInfo:
    try:
        facts = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise FileMissing(f"there is no file at {key!r}", path=key) from None
    if not path.is_file():
        raise FileMissing(f"there is no file at {key!r}", path=key)
    return BlobInfo(
        key, facts.st_size, f'"{facts.st_ino:x}-{facts.st_size:x}-{facts.st_mtime_ns:x}"', facts.st_mtime
    )


def _in_the_way(key: str) -> BadRequest:
    return BadRequest(f"{key!r} cannot be stored: a file or a folder is in the way", path=key)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
