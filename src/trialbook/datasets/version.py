"""One finished version, as it is read."""

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np

from trialbook.datasets.manifest.roots import Root
from trialbook.datasets.manifest.rows import FILE, Rows
from trialbook.datasets.packs.reader import PackReader, wanted_of
from trialbook.datasets.patterns import matcher
from trialbook.datasets.storage.objects import Objects
from trialbook.errors import DatasetMissing


class Version:
    """One finished version, read only. Nothing of it is read before it is asked for."""

    def __init__(self, objects: Objects, root_id: str, root: Root) -> None:
        self._objects = objects
        self.root_id = root_id
        self.root = root

    @property
    def id(self) -> str:
        """Of the version."""
        return self.root.version

    @cached_property
    def rows(self) -> Rows:
        """All rows."""
        return self._objects.rows(self.root)

    def paths(self, patterns: str | Sequence[str] | None = None, recursive: bool = True) -> list[str]:
        """Sorted paths, files and links, that match; see ``patterns.matcher``."""
        return list(filter(matcher(patterns, recursive, self.rows.paths), self.rows.paths))

    def read(self, path: str) -> bytes:
        """The checked bytes of one file.

        Raises:
            DatasetMissing, DatasetDamaged: see ``parts``.
        """
        return b"".join(self.parts(path))

    def parts(self, path: str) -> Iterator[memoryview]:
        """The bytes of one file. Those of more than 8 MiB come in parts, and their check comes with the last one.

        Raises:
            DatasetMissing: no such file, or its pack is gone.
            DatasetDamaged: the stored bytes are not those of the manifest.
        """
        place = self.rows.find(path)
        if place is None or self.rows.data["kind"][place] != FILE:
            raise DatasetMissing(f"version {self.id} has no file {path!r}")
        reader = PackReader(self._objects.blobs, self.rows.pack_of(place))
        for _, parts in reader.members(wanted_of(np.array([place]), self.rows.data)):
            yield from parts
