"""Blobs on obstore: a local folder, memory, and by the same driver any object storage."""

import errno
import itertools
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from trialbook.base.ids import new_id
from trialbook.blobs.faults import in_the_way, missing, refused, translated
from trialbook.blobs.store import PART, BlobInfo, clean_key
from trialbook.errors import FileMissing

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_AT_ONCE = 64 << 20
"""Up to here a conditional put is one request, held in memory; beyond, a second object that is put into place."""
_MOST_PARTS = 9_000
"""S3 takes 10 000 parts."""
_SENDING = 4
"""Parts under way at once; each is in memory."""
_ASKING = 16
"""Empty objects that are asked for at once."""
_RESERVED = re.compile(r"#\d+~*$")
"""The local driver keeps such names for uploads in progress; a ``~`` behind takes ours out of its way."""


class ObjectStoreBlobs:
    """A ``BlobStore`` on an obstore store.

    Args:
        open: makes the store at its first use: obstore costs 20 MB, and a server may never see a file.
        where: the storage, for messages.
        write_part: bytes sent in one request, when a blob is larger.
        marked: other tools write here too, and mark folders by empty objects; these are not blobs.
    """

    def __init__(
        self, open: "Callable[[], ObjectStore]", where: str = "the files", write_part: int = 8 << 20,
        marked: bool = False,
    ) -> None:  # fmt: skip
        self._open = open
        self._where = where
        self._write_part = write_part
        self._marked = marked
        self._folder: Path | None = None

    @cached_property
    def _store(self) -> "ObjectStore":
        return self._open()

    @classmethod
    def in_folder(cls, folder: Path) -> "ObjectStoreBlobs":
        """Blobs as plain files below a folder, which is made when missing."""

        def opened() -> "ObjectStore":
            from obstore.store import LocalStore

            return LocalStore(folder, mkdir=True)

        blobs = cls(opened, str(folder))
        blobs._folder = folder
        return blobs

    @classmethod
    def in_memory(cls) -> "ObjectStoreBlobs":
        """Blobs that go with the process."""

        def opened() -> "ObjectStore":
            from obstore.store import MemoryStore

            return MemoryStore()

        return cls(opened, "memory")

    def _name(self, key: str) -> str:
        """What the driver calls a key: the key as it is, but for names that a folder's driver keeps for itself."""
        name = clean_key(key)
        return f"{name}~" if self._folder is not None and _RESERVED.search(name) else name

    def _info(self, meta: Any) -> BlobInfo:
        name, modified = meta["path"], meta["last_modified"].timestamp()
        if self._folder is not None and name.endswith("~") and _RESERVED.search(name):
            name = name[:-1]
        etag = meta["e_tag"] or f'"{meta["size"]:x}-{modified:.6f}"'
        return BlobInfo(name, meta["size"], etag if etag.startswith('"') else f'"{etag}"', modified)

    def head(self, key: str) -> BlobInfo:
        """See ``BlobStore``."""
        import obstore

        name = self._name(key)
        try:
            return self._info(obstore.head(self._store, name))
        except (FileNotFoundError, obstore.exceptions.BaseError) as error:
            raise translated(error, key, self._where) from None

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """See ``BlobStore``."""
        import obstore

        name = self._name(key)
        if self._folder is not None:
            # The driver reads a local file in pieces of 8 KiB, each by way of another thread.
            yield from _file_parts(self._folder / name, key, start, end)
            return
        whole = start == 0 and end is None
        if not whole:
            size = self.head(key).size
            end = size if end is None else min(end, size)
            if start >= end:
                return
        try:
            # One request: its bytes are those of one state of the blob, whoever replaces it meanwhile.
            found = obstore.get(self._store, name, options=None if whole else {"range": (start, end or 0)})
            for part in found.stream(min_chunk_size=PART):
                yield bytes(part)
        except (FileNotFoundError, obstore.exceptions.BaseError) as error:
            raise translated(error, key, self._where) from None

    def read_spans(self, key: str, spans: Sequence[tuple[int, int]]) -> list[bytes]:
        """See ``BlobStore``."""
        import obstore

        # The driver ends the process on a span that begins behind the end.
        size = self.head(key).size
        cut = [(min(start, size), min(max(start, end), size)) for start, end in spans]
        asked = [span for span in cut if span[0] < span[1]]
        if not asked:
            return [b"" for _ in cut]
        try:
            found = obstore.get_ranges(
                self._store,
                self._name(key),
                starts=[start for start, _ in asked],
                ends=[end for _, end in asked],
            )
        except (FileNotFoundError, obstore.exceptions.BaseError) as error:
            raise translated(error, key, self._where) from None
        parts = iter(found)
        return [bytes(next(parts)) if start < end else b"" for start, end in cut]

    def put(self, key: str, source: Iterable[bytes], size: int = 0) -> BlobInfo:
        """See ``BlobStore``.

        Args:
            key: of the blob.
            source: its bytes.
            size: how many they are, when known: a storage takes a limited number of parts.
        """
        name = self._name(key)
        self._put(name, key, iter(source), size)
        return self.head(key)

    def adopt(self, key: str, path: Path) -> BlobInfo:
        """Make a finished file the blob of a key; the file is gone from its place.

        Args:
            key: of the blob.
            path: moved in one step when it lies on the file system of a folder of blobs, else copied.
        """
        name = self._name(key)
        if not self._moved(key, name, path):
            with path.open("rb") as file:
                self._put(name, key, iter(lambda: file.read(PART), b""), path.stat().st_size)
            path.unlink()
        return self.head(key)

    def adopt_if_absent(self, key: str, path: Path) -> BlobInfo | None:
        """As ``adopt``, when there is no blob of that key; else None, and the file stays where it is."""
        name = self._name(key)
        if self._folder is not None:
            target = self._folder / name
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                # A link does what a rename cannot: it fails when somebody was faster.
                os.link(path, target)
            except FileExistsError:
                if target.is_file():
                    return None
                raise in_the_way(key) from None
            except NotADirectoryError:
                raise in_the_way(key) from None
            except OSError as error:
                if error.errno not in (errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EMLINK):
                    raise
            else:
                path.unlink()
                return self.head(key)
        with path.open("rb") as file:
            info = self.put_if_absent(key, iter(lambda: file.read(PART), b""))
        if info is not None:
            path.unlink()
        return info

    def _moved(self, key: str, name: str, path: Path) -> bool:
        if self._folder is None:
            return False
        target = self._folder / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            raise in_the_way(key) from None
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            return False
        return True

    def put_if_absent(self, key: str, source: Iterable[bytes]) -> BlobInfo | None:
        """See ``BlobStore``."""
        import obstore

        name = self._name(key)
        parts = iter(source)
        first, ended = _filled(parts, _AT_ONCE)
        if not ended:
            return self._place(key, name, itertools.chain(first, parts))
        try:
            obstore.put(self._store, name, b"".join(first), mode="create")
        except obstore.exceptions.AlreadyExistsError:
            return None
        except (FileNotFoundError, obstore.exceptions.BaseError) as error:
            raise refused(error, key, self._where) from error
        return self.head(key)

    def delete(self, key: str) -> None:
        """See ``BlobStore``."""
        import obstore

        # Some storages delete what is not there without a word.
        self.head(key)
        try:
            obstore.delete(self._store, self._name(key))
        except (FileNotFoundError, obstore.exceptions.BaseError) as error:
            raise translated(error, key, self._where) from None

    def list(self, prefix: str = "") -> Iterator[BlobInfo]:
        """See ``BlobStore``."""
        import obstore

        try:
            found = obstore.list(self._store, clean_key(prefix) if prefix else None).collect()
        except (FileNotFoundError, obstore.exceptions.BaseError) as error:
            raise translated(error, prefix, self._where) from None
        # Of two objects of one name, the larger is the file and the empty one marks a folder.
        infos = {info.key: info for info in sorted(map(self._info, found), key=lambda info: info.size)}
        if prefix:
            infos.pop(clean_key(prefix), None)
        if self._marked:
            for key in self._markers(infos):
                del infos[key]
        yield from (infos[key] for key in sorted(infos))

    def _markers(self, infos: Mapping[str, BlobInfo]) -> Iterator[str]:
        """Keys of the empty objects by which tools of object storages mark folders: ``folder/``.

        The driver names them without the slash; only the storage can tell such a folder, when nothing lies in it, from
        an empty file.
        """
        from concurrent.futures import ThreadPoolExecutor

        folders = {parent.as_posix() for key in infos for parent in PurePosixPath(key).parents}
        empty = [key for key, info in infos.items() if info.size == 0]
        yield from (key for key in empty if key in folders)
        doubtful = [key for key in empty if key not in folders]
        with ThreadPoolExecutor(_ASKING, "blobs-list") as pool:
            there = list(pool.map(self._there, doubtful))
        yield from (key for key, found in zip(doubtful, there, strict=True) if not found)

    def _there(self, key: str) -> bool:
        try:
            self.head(key)
        except FileMissing:
            return False
        return True

    def _place(self, key: str, name: str, source: Iterator[bytes]) -> BlobInfo | None:
        """Store beside, then put into place in one step that fails when somebody was faster."""
        import obstore

        beside = f"{name}.{new_id()}.part"
        self._put(beside, key, source, 0)
        try:
            obstore.copy(self._store, beside, name, overwrite=False)
        except obstore.exceptions.AlreadyExistsError:
            return None
        except (FileNotFoundError, obstore.exceptions.BaseError) as error:
            raise refused(error, key, self._where) from error
        finally:
            obstore.delete(self._store, beside)
        return self.head(key)

    def _put(self, name: str, key: str, source: Iterator[bytes], size: int) -> None:
        import obstore

        part = max(self._write_part, -(-size // _MOST_PARTS))
        first, ended = _filled(source, part)
        whole = itertools.chain(first, source)
        try:
            if ended:
                obstore.put(self._store, name, b"".join(first), use_multipart=False)
            else:
                obstore.put(self._store, name, whole, chunk_size=part, max_concurrency=_SENDING)
        except (FileNotFoundError, obstore.exceptions.BaseError) as error:
            raise refused(error, key, self._where) from error


def _file_parts(path: Path, key: str, start: int, end: int | None) -> Iterator[bytes]:
    try:
        file = path.open("rb", 0)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise missing(key) from None
    with file:
        file.seek(start)
        left = None if end is None else max(0, end - start)
        while left is None or left > 0:
            part = file.read(PART if left is None else min(PART, left))
            if not part:
                return
            if left is not None:
                left -= len(part)
            yield part


def _filled(source: Iterator[bytes], size: int) -> tuple[list[bytes], bool]:
    """Parts of more than ``size`` bytes in all, or everything; and whether it is everything."""
    parts: list[bytes] = []
    held = 0
    for part in source:
        parts.append(part)
        held += len(part)
        if held > size:
            return parts, False
    return parts, True
