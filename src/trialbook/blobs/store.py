"""What bytes by key promise, on any storage."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from trialbook.errors import FileMissing

PART = 1 << 20
"""Bytes that a read hands over at once."""


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


class BlobStore(Protocol):
    """Bytes by key.

    Every driver promises (checked by tests/contract/test_blob_store.py): ``put`` is atomic: a reader sees the old
    bytes, the new bytes or FileMissing, never a part, and a source that raises leaves the old bytes; ``put`` may be
    repeated; ``read`` gives exactly the span asked for; ``list`` yields each key once, in key order; a key that is
    not clean (see ``clean_key``) is FileMissing everywhere.
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

    def put(self, key: str, source: Iterable[bytes]) -> BlobInfo:
        """Store all that the source gives, replacing what was there."""
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


def clean_key(path: str) -> str:
    """The key of a path: no slash in front, none doubled, no way out of the folder.

    Raises:
        FileMissing: nothing is left, or a part is ``.``, ``..`` or holds a control character.
    """
    parts = [part for part in path.split("/") if part]
    bad = not parts or any(part in {".", ".."} or any(ord(letter) < 32 for letter in part) for part in parts)
    if bad or any(len(part.encode(errors="replace")) > 255 for part in parts):
        raise FileMissing(f"{path[:200]!r} is no path of a file", path=path[:200])
    return "/".join(parts)
