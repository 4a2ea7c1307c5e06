"""What this server's own files hold of datasets: their content for the page, and freeing what nobody needs."""

import threading
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

from trialbook.blobs.store import BlobStore
from trialbook.errors import (
    BadField,
    BodyTooLarge,
    DatasetDamaged,
    DatasetError,
    DatasetMissing,
    FileMissing,
    ServerFault,
)
from trialbook.wire.datasets import ContentEntry, DatasetVersion, GetContent, GetContentReply

if TYPE_CHECKING:
    from trialbook.datasets.manifest.rows import Array, Rows
    from trialbook.datasets.storage.objects import Objects

_REMEMBERED = 4
_LARGEST = 256 << 20
_OWNED = ("packs", "ranges", "roots", "states")


@dataclass(frozen=True)
class _Shown:
    """Rows of a version with running sums, so that a folder is summed without a look at its files."""

    rows: "Rows"
    bytes: "Array"
    added: "Array"
    modified: "Array"
    removed: list[str]


class DatasetFiles:
    """Repositories below this server's files.

    Args:
        blobs: the server's files; numpy and the dataset engine load at the first use.
    """

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, ...], _Shown] = OrderedDict()

    def key(self, repository: str) -> str | None:
        """The folder of a repository among the files; None when it is elsewhere."""
        parts = urlsplit(repository)
        if parts.scheme not in ("http", "https"):
            return None
        _, found, below = unquote(parts.path).partition("/files/")
        below = below.strip("/")
        if not found or not below:
            return None
        try:
            self._blobs.head(f"{below}/format.json")
        except FileMissing:
            return None
        return below

    def require_root(self, repository: str, version: str, root: str) -> None:
        """Check that a manifest is there, when it lies in this server's files.

        Raises:
            BadField: it is not.
        """
        below = self.key(repository)
        if below is None or not root:
            return
        try:
            self._blobs.head(f"{below}/roots/{version}/{root}.json")
        except FileMissing:
            raise BadField(f"root: the manifest {root} is not in {repository}", field="root") from None

    def content(
        self, ask: GetContent, version: DatasetVersion, against: Sequence[DatasetVersion]
    ) -> GetContentReply:
        """One folder of a version compared with others, whose later ones win."""
        shown = self._shown(version, against)
        if shown is None:
            return GetContentReply(readable=False)
        folder = ask.folder.strip("/")
        prefix = f"{folder}/" if folder else ""
        found = _search(shown, prefix, ask.search.casefold()) if ask.search else _find(shown, prefix)
        if ask.pattern:
            wanted = ask.pattern.casefold()
            found = [one for one in found if wanted in one.name.casefold()]
        if ask.changed:
            found = [one for one in found if _changed(shown, one)]
        found.sort()
        low, high = _span(shown.rows.paths, prefix)
        start = ask.page * ask.page_size
        return GetContentReply(
            readable=True,
            entries=[_entry(shown, one) for one in found[start : start + ask.page_size]],
            total=len(found),
            files=high - low,
            bytes=int(shown.bytes[high] - shown.bytes[low]),
            against=against[0].id if against else None,
            added=int(shown.added[-1]),
            modified=int(shown.modified[-1]),
            removed=len(shown.removed),
        )

    def file(self, version: DatasetVersion, path: str, limit: int | None) -> bytes | Iterator[bytes]:
        """The bytes of a file, or its first ones: one of more than 8 MiB in parts, so that it never lies in memory.

        A large file is found to be damaged at its end only; then the iterator raises, and the answer breaks off.

        Raises:
            FileMissing: no such file, or its bytes are elsewhere or damaged.
            BodyTooLarge: it is too large for one answer.
        """
        from trialbook.datasets.repository import Version

        below = self.key(version.repository)
        if below is None or version.places or not version.root:
            raise FileMissing(f"this server does not hold the files of version {version.id}", path=path)
        objects = self._objects(below)
        try:
            opened = Version(objects, version.root, objects.root(version.id, version.root))
            place = opened.rows.find(path)
            if place is None:
                raise FileMissing(f"version {version.id} has no file {path!r}", path=path)
            size = int(opened.rows.data["size"][place])
            if size > _LARGEST:
                raise BodyTooLarge(
                    f"{path!r} has {size} bytes; fetch it with `trialbook data get --files`", limit=_LARGEST
                )
            parts = opened.parts(path)
            # What is missing at all must be told before the answer begins.
            first = bytes(next(parts, b""))
            if limit is not None:
                return _start(limit, first, parts)
            return first if len(first) == size else map(bytes, chain([first], parts))
        except (DatasetMissing, DatasetDamaged) as error:
            raise FileMissing(str(error), path=path) from error

    def free(self, repository: str, owner: str, keep: set[str]) -> int:
        """Delete what a deleted version left; the bytes that were freed."""
        below = self.key(repository)
        if below is None:
            return 0
        freed = 0
        for kind in _OWNED:
            for info in list(self._blobs.list(f"{below}/{kind}/{owner}")):
                if info.key[len(below) + 1 :] not in keep:
                    freed += self._drop(info.key, info.size)
        for kind in ("versions", "drafts"):
            self._drop(f"{below}/{kind}/{owner}.json", 0)
        return freed

    def _drop(self, key: str, size: int) -> int:
        try:
            self._blobs.delete(key)
        except FileMissing:
            return 0
        return size

    def _objects(self, below: str) -> "Objects":
        from trialbook.datasets.storage.objects import Objects
        from trialbook.datasets.storage.places import BlobsBelow

        return Objects(BlobsBelow(self._blobs, below))

    def _shown(self, version: DatasetVersion, against: Sequence[DatasetVersion]) -> "_Shown | None":
        below = self.key(version.repository)
        if below is None or not version.root:
            return None
        readable = [one for one in against if one.root and one.repository == version.repository]
        name = (below, version.root, *(one.root for one in readable))
        with self._lock:
            found = self._known.get(name)
            if found is not None:
                self._known.move_to_end(name)
                return found
        try:
            found = _compared(
                self._objects(below), version, readable if len(readable) == len(against) else []
            )
        except DatasetError as error:
            raise ServerFault(f"the manifest of version {version.id} cannot be read: {error}") from error
        with self._lock:
            self._known[name] = found
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return found


def _compared(objects: "Objects", version: DatasetVersion, against: Sequence[DatasetVersion]) -> "_Shown":
    import numpy as np

    from trialbook.datasets.manifest.rows import merged, same_content

    rows = objects.rows(objects.root(version.id, version.root))
    sizes = np.maximum(rows.data["size"], 0)
    added = np.zeros(len(rows), bool)
    modified = np.zeros(len(rows), bool)
    removed: list[str] = []
    if against:
        base = merged(objects.rows(objects.root(one.id, one.root)) for one in against)
        there = {path: place for place, path in enumerate(base.paths)}
        where = np.fromiter((there.get(path, -1) for path in rows.paths), np.int64, len(rows))
        added = where < 0
        both = np.flatnonzero(~added)
        modified[both] = ~same_content(rows.data[both], base.data[where[both]])
        for place in both.tolist() if rows.links or base.links else ():
            path = rows.paths[place]
            modified[place] |= rows.links.get(path) != base.links.get(path)
        here = set(rows.paths)
        removed = [path for path in base.paths if path not in here]
    return _Shown(rows, _sums(sizes), _sums(added), _sums(modified), removed)


def _sums(values: "Array") -> "Array":
    import numpy as np

    return np.concatenate([np.zeros(1, np.int64), np.cumsum(values, dtype=np.int64)])


def _span(paths: list[str], prefix: str) -> tuple[int, int]:
    """Where the paths below a folder begin and end."""
    if not prefix:
        return 0, len(paths)
    # "0" is the character after "/".
    return bisect_left(paths, prefix), bisect_left(paths, prefix[:-1] + "0")


class _Found(NamedTuple):
    """An entry of a folder before it is put into words, which only one page of them is. They sort as they are shown.

    Attributes:
        plain: False for a folder.
        start, end: its rows; none when all of it was removed.
        lost: something in it was removed.
    """

    plain: bool
    name: str
    start: int
    end: int
    lost: bool = False


def _find(shown: _Shown, prefix: str) -> list[_Found]:
    paths = shown.rows.paths
    place, end = _span(paths, prefix)
    cut = len(prefix)
    found: dict[str, _Found] = {}
    while place < end:
        name, slash, _ = paths[place][cut:].partition("/")
        after = _span(paths, f"{prefix}{name}/")[1] if slash else place + 1
        found[name + slash] = _Found(not slash, name, place, after)
        place = after
    low, high = _span(shown.removed, prefix)
    for path in shown.removed[low:high]:
        name, slash, _ = path[cut:].partition("/")
        known = found.get(name + slash)
        found[name + slash] = (
            _Found(not slash, name, 0, 0, True) if known is None else known._replace(lost=True)
        )
    return list(found.values())


def _search(shown: _Shown, prefix: str, wanted: str) -> list[_Found]:
    """Files anywhere below a folder, by a part of their path below it."""
    cut = len(prefix)
    paths, gone = shown.rows.paths, shown.removed
    low, high = _span(paths, prefix)
    found = [
        _Found(True, paths[place][cut:], place, place + 1)
        for place in range(low, high)
        if wanted in paths[place][cut:].casefold()
    ]
    low, high = _span(gone, prefix)
    lost = (path[cut:] for path in gone[low:high])
    return found + [_Found(True, name, 0, 0, True) for name in lost if wanted in name.casefold()]


def _changed(shown: _Shown, one: _Found) -> bool:
    sums = (shown.added, shown.modified)
    return one.lost or any(found[one.end] > found[one.start] for found in sums)


def _entry(shown: _Shown, one: _Found) -> ContentEntry:
    if one.start == one.end:
        return ContentEntry(name=one.name, kind="file" if one.plain else "folder", files=0, change="removed")
    if one.plain:
        return _file(shown, one.start, one.name)
    files = one.end - one.start
    added = int(shown.added[one.end] - shown.added[one.start])
    modified = int(shown.modified[one.end] - shown.modified[one.start])
    change = "added" if added == files else "modified" if added or modified or one.lost else ""
    size = int(shown.bytes[one.end] - shown.bytes[one.start])
    return ContentEntry(name=one.name, kind="folder", files=files, bytes=size, change=change)


def _file(shown: _Shown, place: int, name: str) -> ContentEntry:
    from trialbook.datasets.manifest.rows import LINK, digest_bytes

    row = shown.rows.data[place]
    changed = "added" if shown.added[place + 1] > shown.added[place] else ""
    if shown.modified[place + 1] > shown.modified[place]:
        changed = "modified"
    digest = row["sha256"] if row["sha256"].any() else row["b3"]
    return ContentEntry(
        name=name,
        kind="link" if row["kind"] == LINK else "file",
        bytes=int(row["size"]),
        change=changed,
        hash=digest_bytes(digest).hex() if digest.any() else "",
        link=shown.rows.links.get(shown.rows.paths[place], ("", ""))[0],
        modified=int(row["mtime"]) / 1e9,
    )


def safe_name(path: str) -> str:
    """The last part of a dataset path, as a file name for a browser.

    Raises:
        BadField: there is none.
    """
    name = PurePosixPath(path).name
    if not name:
        raise BadField("path: does not name a file", field="path")
    return name


def _start(limit: int, first: bytes, rest: "Iterable[memoryview]") -> bytes:
    """At most ``limit`` bytes, and little more is read."""
    found = bytearray(first)
    for part in rest if len(found) < limit else ():
        found += part
        if len(found) >= limit:
            break
    return bytes(found[:limit])
