"""What a kind of storage can do with its addresses."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from trialbook.blobs.store import BlobInfo, BlobStore
from trialbook.client.downloads import Progress


class Driver(Protocol):
    """One kind of storage. Addresses come as they are reached on this machine."""

    def upload(self, source: Path, url: str, progress: Progress) -> None:
        """Store a file; it is there as a whole, or not at all.

        Raises:
            ConnectionFailed, ServerFault: the storage is away or fails; later may help.
            StorageRefused: it lets nobody in with these credentials, or has no such bucket.
            UsageError: a name that this storage changes.
            OSError: the source cannot be read, or a local target not written.
        """
        ...

    def download(self, url: str, target: Path, progress: Progress) -> None:
        """Fetch a file; ``target`` is whole when this returns and untouched when it raises.

        Raises:
            FileMissing: there is none.
            ConnectionFailed, ServerFault, StorageRefused, UsageError: see ``upload``.
            OSError: the target cannot be written.
        """
        ...

    def facts(self, url: str) -> BlobInfo | None:
        """Size, etag and time of a file; None when there is none."""
        ...

    def delete(self, url: str) -> bool:
        """Remove a file; False when there was none."""
        ...

    def list(self, url: str) -> Iterator[tuple[str, BlobInfo]]:
        """Every file below an address: its path below it, and its facts; in order.

        Raises:
            UsageError: this storage cannot be listed.
        """
        ...

    def blobs(self, url: str) -> tuple[BlobStore, str]:
        """The storage as a ``BlobStore``, and the prefix of its keys that the address names.

        Raises:
            UsageError: it is not one.
        """
        ...

    def same(self, one: str, other: str) -> bool:
        """Whether two addresses of this kind, which differ, lead to one file or folder."""
        ...

    def check_writable(self, url: str) -> None:
        """Find out whether a destination can be written, as far as that can be told.

        Raises:
            UsageError: a folder that cannot be made or written.
            StorageRefused: the storage says no.
            ConnectionFailed, ServerFault: nobody can tell now.
        """
        ...
