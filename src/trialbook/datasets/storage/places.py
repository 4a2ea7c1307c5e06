"""Where objects lie when a repository is a part of a larger store, or its packs are in several."""

from builtins import list as List
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from trialbook.blobs.store import BlobInfo, BlobStore
from trialbook.datasets.storage.in_place import in_place


class BlobsBelow:
    """A ``BlobStore`` of the keys below a prefix of another.

    Args:
        blobs: the larger store.
        prefix: without slashes at its ends.
    """

    def __init__(self, blobs: BlobStore, prefix: str) -> None:
        self._blobs = blobs
        self._prefix = prefix

    def _key(self, key: str) -> str:
        return f"{self._prefix}/{key}"

    def _info(self, info: BlobInfo) -> BlobInfo:
        return BlobInfo(info.key[len(self._prefix) + 1 :], info.size, info.etag, info.modified)

    def in_place(self, key: str) -> Path | None:
        """See ``InPlace``."""
        return in_place(self._blobs, self._key(key))

    def head(self, key: str) -> BlobInfo:
        """See ``BlobStore``."""
        return self._info(self._blobs.head(self._key(key)))

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """See ``BlobStore``."""
        return self._blobs.read(self._key(key), start, end)

    def read_spans(self, key: str, spans: Sequence[tuple[int, int]]) -> "List[bytes]":
        """See ``BlobStore``."""
        return self._blobs.read_spans(self._key(key), spans)

    def put(self, key: str, source: Iterable[bytes], size: int = 0) -> BlobInfo:
        """See ``BlobStore``."""
        return self._info(self._blobs.put(self._key(key), source, size))

    def put_if_absent(self, key: str, source: Iterable[bytes]) -> BlobInfo | None:
        """See ``BlobStore``."""
        found = self._blobs.put_if_absent(self._key(key), source)
        return self._info(found) if found is not None else None

    def delete(self, key: str) -> None:
        """See ``BlobStore``."""
        self._blobs.delete(self._key(key))

    def list(self, prefix: str = "") -> Iterator[BlobInfo]:
        """See ``BlobStore``."""
        below = self._key(prefix) if prefix else self._prefix
        return map(self._info, self._blobs.list(below))


class RoutedBlobs:
    """A ``BlobStore`` whose packs may lie in other stores.

    Args:
        home: has everything else, and all that is written.
        elsewhere: the store of a pack ``<owner>/<pack id>``; None when it is at home.
    """

    def __init__(self, home: BlobStore, elsewhere: Callable[[str], BlobStore | None]) -> None:
        self._home = home
        self._elsewhere = elsewhere

    def _store(self, key: str) -> BlobStore:
        if key.startswith("packs/"):
            return self._elsewhere(key[len("packs/") :].removesuffix(".zip")) or self._home
        return self._home

    def in_place(self, key: str) -> Path | None:
        """See ``InPlace``."""
        return in_place(self._store(key), key)

    def head(self, key: str) -> BlobInfo:
        """See ``BlobStore``."""
        return self._store(key).head(key)

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """See ``BlobStore``."""
        return self._store(key).read(key, start, end)

    def read_spans(self, key: str, spans: Sequence[tuple[int, int]]) -> "List[bytes]":
        """See ``BlobStore``."""
        return self._store(key).read_spans(key, spans)

    def put(self, key: str, source: Iterable[bytes], size: int = 0) -> BlobInfo:
        """See ``BlobStore``."""
        return self._store(key).put(key, source, size)

    def put_if_absent(self, key: str, source: Iterable[bytes]) -> BlobInfo | None:
        """See ``BlobStore``."""
        return self._store(key).put_if_absent(key, source)

    def delete(self, key: str) -> None:
        """See ``BlobStore``."""
        self._store(key).delete(key)

    def list(self, prefix: str = "") -> Iterator[BlobInfo]:
        """See ``BlobStore``; packs elsewhere are not listed."""
        return self._home.list(prefix)
