"""Files and links of a version as programs see them."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from trialbook.datasets.sources.digest import stream


class FileEntry:
    """A file of a version.

    Attributes:
        relative_path: in the dataset.
        parent_dataset_id: the version that introduced these bytes at this path.
        size: bytes.
        local_path: where a file that is not uploaded yet lies on this host; None afterwards.

    Example:
        >>> entry = data.file_entries_dict["labels.csv"]
        >>> entry.relative_path, entry.size, entry.parent_dataset_id == data.id
        ('labels.csv', 15, True)
    """

    def __init__(
        self, relative_path: str, parent_dataset_id: str, size: int, local_path: str | None, digest: str,
        chunk: Callable[[], str | None],
    ) -> None:  # fmt: skip
        self.relative_path = relative_path
        self.parent_dataset_id = parent_dataset_id
        self.size = size
        self.local_path = local_path
        self._digest = digest
        self._chunk = chunk

    @cached_property
    def hash(self) -> str | None:
        """SHA-256 in hexadecimal; of a pending file it is computed now, of its bytes on this host. None when the
        version was stored without it."""
        if self._digest or self.local_path is None:
            return self._digest or None
        return sha256_of(self.local_path)

    @property
    def artifact_name(self) -> str | None:
        """The artifact of ``parent_dataset_id`` that holds it; None while it is pending.

        Example:
            >>> data.file_entries_dict["train/a.jpg"].artifact_name
            'data'
        """
        return self._chunk()

    def __repr__(self) -> str:
        return f"FileEntry({self.relative_path!r}, {self.size} bytes)"


class LinkEntry(NamedTuple):
    """A link of a version: an object elsewhere. ``size`` is None when it is not known."""

    link: str
    relative_path: str
    parent_dataset_id: str
    size: int | None
    hash: str | None


def sha256_of(file: str) -> str:
    """SHA-256 of a file of this host, in hexadecimal.

    Raises:
        SourceChanged: it is gone or keeps changing.
    """
    digests, _ = stream(file, Path(file).stat().st_size, True)
    return digests.sha256.hex()
