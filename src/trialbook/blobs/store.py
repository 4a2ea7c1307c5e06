"""What bytes by key promise, on any storage."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from trialbook.errors import FileMissing

PART = 1 << 20
"""Bytes that a read hands over at once."""
_BLOCK = 8 << 20


@dataclass(frozen=True)
class BlobInfo:
    """One blob.

    Attributes:
        key: its name.
        size: bytes.
        etag: changes when the bytes change; with the quotes of HTTP.
        modified: seconds since the epoch.
    """

    key: str
    size: int
    etag: str
    modified: float


class FileParts:
    """The bytes of a file, in parts; a store that knows files may take it as one, and again after a failure.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __iter__(self) -> Iterator[bytes]:
        with self.path.open("rb", 0) as file:
            while part := file.read(_BLOCK):
                yield part


class BlobStore(Protocol):
    """Bytes by key.

    Every driver promises (checked by tests/contract/test_blob_store.py): ``put`` is atomic: a reader sees the old
    bytes, the new bytes or FileMissing, never a part, and a source that raises leaves the old bytes; ``put`` may be
    repeated; of any number of ``put_if_absent`` on one key exactly one stores its bytes; ``read`` and ``read_spans``
    give exactly what lies in the span asked for; ``list`` yields each key once, in key order; a key that is not clean
    (see ``clean_key``) is FileMissing everywhere. A store that cannot be reached raises ConnectionFailed, one that
    fails ServerFault (both: try later), one that refuses the caller, or has no such bucket, StorageRefused.
    """

    def head(self, key: str) -> BlobInfo:
        """Facts of a blob.

        Raises:
            FileMissing: there is none.
        """
        ...

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Bytes from ``start`` up to, not including, ``end`` (None: to the end), in parts.

        Raises:
            FileMissing: there is none; when the first part is asked for.
        """
        ...

    def read_spans(self, key: str, spans: Sequence[tuple[int, int]]) -> list[bytes]:
        """The bytes of several spans ``(start, end)``, in the order asked for; neighbours travel together.

        Raises:
            FileMissing: there is none.
        """
        ...

    def put(self, key: str, source: Iterable[bytes], size: int = 0) -> BlobInfo:
        """Store all that the source gives, replacing what was there.

        Args:
            key: of the blob.
            source: its bytes.
            size: how many they are, when known: a storage takes a limited number of parts.
        """
        ...

    def put_if_absent(self, key: str, source: Iterable[bytes]) -> BlobInfo | None:
        """Store all that the source gives, unless there is a blob already; None then, and nothing is changed."""
        ...

    def delete(self, key: str) -> None:
        """Forget a blob.

        Raises:
            FileMissing: there is none.
        """
        ...

    def list(self, prefix: str = "") -> Iterator[BlobInfo]:
        """Every blob below a folder."""
        ...


_UNSTORABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_LONGEST = 2048


def clean_key(path: str) -> str:
    """The key of a path: no slash in front, none doubled, no way out of the folder.

    Raises:
        FileMissing: nothing is left, it is longer than 2 048 bytes or a part than 255, or a part is ``.``, ``..`` or
            holds what no storage takes: a control character, half of a surrogate pair, or no character at all.
    """
    parts = [part for part in path.split("/") if part]
    bad = not parts or any(part in {".", ".."} or _UNSTORABLE.search(part) for part in parts)
    sizes = [len(part.encode(errors="replace")) for part in parts]
    if bad or max(sizes) > 255 or sum(sizes) + len(sizes) > _LONGEST:
        raise FileMissing(
            f"{path[:200]!r} is not a path of a file: its parts have at most 255 bytes and no control characters",
            path=path[:200],
        )
    return "/".join(parts)
