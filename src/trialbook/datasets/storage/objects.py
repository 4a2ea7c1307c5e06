"""The objects of a repository by their meaning: pointers, roots, ranges, packs, drafts, receipts."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Lock
from typing import Any
from weakref import WeakValueDictionary

import msgspec
import numpy as np

from trialbook.base.ids import is_id
from trialbook.blobs.store import BlobStore, FileParts
from trialbook.datasets.manifest.roots import FORMAT, RangeRef, Root, decode_range, decode_root, open_range
from trialbook.datasets.manifest.rows import Array, Rows, settled
from trialbook.datasets.manifest.table import Table
from trialbook.datasets.storage.folder import LocalBlobs
from trialbook.datasets.storage.in_place import in_place
from trialbook.errors import DatasetDamaged, DatasetError, DatasetMissing, FileMissing

_FORMAT_KEY = "format.json"


def missing(blobs: BlobStore, text: str, where: str = "") -> DatasetMissing:
    """That something is missing, or, when there is no repository at all, that this is.

    Args:
        blobs: where it should be.
        text: what is missing.
        where: address of the repository; empty is its folder, when it is one of this machine.
    """
    try:
        blobs.head(_FORMAT_KEY)
    except FileMissing:
        near = in_place(blobs, _FORMAT_KEY)
        where = where or (str(near.parent) if near is not None else "its address")
        return DatasetMissing(
            f"there is no repository of datasets at {where}: is it mounted, and the address right? ({text})"
        )
    return DatasetMissing(text)


class Objects:
    """A repository's objects in a ``BlobStore``.

    Args:
        blobs: all keys are below its top.
        where: its address, for messages.
    """

    def __init__(self, blobs: BlobStore, where: str = "") -> None:
        self.blobs = blobs
        self.where = where

    def ensure(self) -> None:
        """Write ``format.json`` into a new repository, refuse a later one.

        Raises:
            DatasetError, DatasetDamaged: see ``check``.
        """
        if not self.check():
            self.establish()

    def establish(self) -> None:
        """Write ``format.json`` where ``check`` has found none."""
        self.put_json(_FORMAT_KEY, {"format": FORMAT})

    def check(self) -> bool:
        """Whether there is a repository, as far as its format tells; nothing is written.

        Raises:
            DatasetError: a later Trialbook wrote this repository.
            DatasetDamaged: the file holds something else.
        """
        try:
            found = msgspec.json.decode(self.whole(_FORMAT_KEY))["format"]
        except FileMissing:
            return False
        except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
            raise DatasetDamaged(
                f"{_FORMAT_KEY} of this repository cannot be read ({error}). Nothing else is lost: write "
                f'{{"format": {FORMAT}}} into it'
            ) from error
        if found != FORMAT:
            raise DatasetError(
                f"this repository has format {found}, this Trialbook reads {FORMAT}: upgrade it"
            )
        return True

    def _gone(self, text: str) -> DatasetMissing:
        """What is missing, or that the whole repository is."""
        return missing(self.blobs, text, self.where)

    def whole(self, key: str) -> bytes:
        """All bytes of an object.

        Raises:
            FileMissing: there is none.
        """
        return b"".join(self.blobs.read(key))

    def put_json(self, key: str, value: Any) -> None:
        """Write a JSON object."""
        self.blobs.put(key, [msgspec.json.encode(value)])

    def versions(self) -> list[str]:
        """Every version that has a pointer."""
        return list(self._named("versions"))

    def drafts(self) -> dict[str, dict[str, Any]]:
        """Every open draft and what it says."""
        found = {}
        for version in self._named("drafts"):
            head = self._draft(version)
            if head is not None:
                found[version] = head
        return found

    def _draft(self, version: str) -> dict[str, Any] | None:
        try:
            return msgspec.json.decode(self.whole(draft_key(version)), type=dict[str, Any])
        except FileMissing:
            return None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DatasetDamaged(
                f"the draft of version {version} cannot be read ({error}). Delete {draft_key(version)} of the "
                "repository when nobody writes that version any more"
            ) from error

    def _named(self, prefix: str) -> Iterator[str]:
        for info in self.blobs.list(prefix):
            name = info.key.rpartition("/")[2].removesuffix(".json")
            if is_id(name):
                yield name

    def pointer(self, version: str) -> str:
        """The root id of a version.

        Raises:
            DatasetMissing: there is no such version.
        """
        try:
            return str(msgspec.json.decode(self.whole(pointer_key(version)))["root"])
        except FileMissing:
            raise self._gone(f"there is no dataset version {version}") from None
        except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
            raise DatasetDamaged(f"the pointer of version {version} cannot be read: {error}") from error

    def root(self, version: str, root_id: str | None = None) -> Root:
        """The root of a version, checked.

        Raises:
            DatasetMissing: no such version, or its root is gone.
            DatasetDamaged: it is not what its name says.
        """
        root_id = root_id or self.pointer(version)
        try:
            root = decode_root(self.whole(root_key(version, root_id)), root_id)
        except FileMissing:
            raise self._gone(f"root {root_id} of version {version} is gone from the storage") from None
        if root.version != version:
            raise DatasetDamaged(f"root {root_id} belongs to version {root.version}, not to {version}")
        _remembered.add(root_id, root)
        return root

    def recall(self, version: str, root_id: str) -> Root:
        """``root`` by its id, from memory when this process has read or written it: it cannot have changed since.

        Whoever wants to know whether the storage still has it asks ``root``.

        Raises:
            DatasetMissing, DatasetDamaged: see ``root``.
        """
        found = _remembered.get(root_id)
        return found if found is not None and found.version == version else self.root(version, root_id)

    def range(self, ref: RangeRef) -> Table:
        """The table of a range, checked.

        Raises:
            DatasetMissing: it is gone.
            DatasetDamaged: it is not what its name says.
        """
        try:
            return open_range(self.whole(f"ranges/{ref.key}"), ref.key)
        except FileMissing:
            raise self._gone(f"range {ref.key} is gone from the storage") from None

    def rows(self, root: Root, anew: bool = False) -> Rows:
        """All rows of a version; nothing is read while somebody holds them already, unless ``anew``."""
        found = None if anew else _held.get(_content(root))
        if found is None:
            found = settled(
                concatenated(decode_range(self.range(ref), ref) for ref in root.ranges), root.graph
            )
            hold(root, found)
        return found

    def store_pack(
        self, owner: str, pack_id: str, path: Path, length: int, durable: bool, look: bool = True
    ) -> str:
        """Bring a sealed pack from local disk to its key, unless this owner's is there already.

        Args:
            owner: version that it belongs to.
            pack_id: of its content.
            path: where it is; gone afterwards.
            length: its bytes.
            durable: wait for the disk.
            look: whether it may be there already, from an earlier attempt.

        Returns:
            ``<owner>/<pack id>``.
        """
        key = pack_key(f"{owner}/{pack_id}")
        if look and self.length(key) == length:
            path.unlink(missing_ok=True)
        elif isinstance(self.blobs, LocalBlobs):
            self.blobs.adopt(key, path, durable)
        else:
            self.blobs.put(key, FileParts(path))
            path.unlink(missing_ok=True)
        return f"{owner}/{pack_id}"

    def length(self, key: str) -> int | None:
        """Bytes of an object; None when there is none."""
        try:
            return self.blobs.head(key).size
        except FileMissing:
            return None

    def drop(self, key: str) -> None:
        """Delete an object that may be gone."""
        try:
            self.blobs.delete(key)
        except FileMissing:
            return


_held: WeakValueDictionary[tuple[str, ...], Rows] = WeakValueDictionary()
"""Rows that somebody holds, by the ids of their ranges: these are hashes of what the ranges say, wherever they lie."""


class _Remembered:
    """Roots by id, the last ones used."""

    def __init__(self, most: int = 64) -> None:
        self._most = most
        self._lock = Lock()
        self._roots: OrderedDict[str, Root] = OrderedDict()

    def add(self, root_id: str, root: Root) -> None:
        with self._lock:
            self._roots[root_id] = root
            self._roots.move_to_end(root_id)
            if len(self._roots) > self._most:
                self._roots.popitem(last=False)

    def get(self, root_id: str) -> Root | None:
        with self._lock:
            return self._roots.get(root_id)


_remembered = _Remembered()


def hold(root: Root, rows: Rows) -> None:
    """Answer ``Objects.rows`` with these as long as somebody has them; they cannot be changed any more."""
    if root.ranges:
        rows.data.flags.writeable = False
        _held[_content(root)] = rows


def remember(root_id: str, root: Root) -> None:
    """Answer ``Objects.recall`` with what this process has just written."""
    _remembered.add(root_id, root)


def _content(root: Root) -> tuple[str, ...]:
    return tuple(ref.key.rpartition("/")[2] for ref in root.ranges)


def concatenated(parts: Iterable[Rows]) -> Rows:
    """Rows of ranges that follow each other."""
    paths: list[str] = []
    data: list[Array] = []
    links: dict[str, tuple[str, str]] = {}
    packs: dict[str, int] = {}
    origins: dict[str, int] = {}
    for part in parts:
        here = part.data.copy()
        for name, table, names in (("pack", packs, part.packs), ("origin", origins, part.origins)):
            numbers = np.array([table.setdefault(item, len(table)) for item in names], np.uint32)
            if len(numbers):
                inside = here[name] < len(numbers)
                here[name][inside] = numbers[here[name][inside]]
        if paths and part.paths and paths[-1] >= part.paths[0]:
            raise DatasetDamaged("the ranges of a version overlap")
        paths += part.paths
        data.append(here)
        links.update(part.links)
    return Rows(paths, np.concatenate(data), tuple(packs), tuple(origins), links) if data else Rows()


def pack_key(key: str) -> str:
    """The blob of a pack."""
    return f"packs/{key}.zip"


def pointer_key(version: str) -> str:
    """The blob of a pointer."""
    return f"versions/{version}.json"


def draft_key(version: str) -> str:
    """The blob of an open draft."""
    return f"drafts/{version}.json"


def root_key(version: str, root_id: str) -> str:
    """The blob of a root."""
    return f"roots/{version}/{root_id}.json"
