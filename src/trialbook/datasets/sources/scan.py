"""Looking at a folder: which files it has, with the facts that tell later whether one has changed."""

import errno
import os
import stat
from array import array
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trialbook.datasets.manifest.rows import Array
from trialbook.datasets.paths import refusal
from trialbook.datasets.sources.facts import facts_of
from trialbook.errors import DatasetMissing, SourceChanged

_SHORT = 1000
FACTS = np.dtype([("size", "<i8"), ("mtime", "<i8"), ("ctime", "<i8"), ("ino", "<u8"), ("mode", "<u4")])
"""``Facts`` as columns."""


@dataclass(frozen=True)
class Skipped:
    """A name that was left out.

    Attributes:
        path: non-UTF-8 bytes as ``\\xNN``; empty for the folder itself.
        why: a reason for people.
        absent: False when there may be files that could not be seen: not to be taken for gone.
        denied: the system refused to read it.
    """

    path: str
    why: str
    absent: bool = True
    denied: bool = False


@dataclass(frozen=True)
class Scan:
    """Files below a folder, sorted by path.

    Attributes:
        root: the folder, absolute.
        paths: relative, with ``/``.
        facts: one ``FACTS`` per path.
        skipped: what was left out.
    """

    root: str
    paths: list[str]
    facts: Array
    skipped: tuple[Skipped, ...]

    @property
    def denied(self) -> list[Skipped]:
        """What the system refused to read."""
        return [item for item in self.skipped if item.denied]

    def hides(self, path: str) -> bool:
        """Whether a path that is not in ``paths`` may be there all the same."""
        return any(
            not item.path or path == item.path or path.startswith(f"{item.path}/")
            for item in self.skipped
            if not item.absent
        )


def scan_folder(folder: Path, recursive: bool = True, may_read: bool = False) -> Scan:
    """Every file below a folder.

    Args:
        folder: to look at; a link to a folder is followed here, and nowhere below. Links to files are followed.
        recursive: False looks at its direct files only.
        may_read: leave out, as denied, files that this account may not read; else reading them says so.

    Raises:
        DatasetMissing: there is no such folder.
        SourceChanged: it cannot be read.
    """
    root = os.path.realpath(folder)
    if not Path(root).is_dir():
        raise DatasetMissing(f"there is no folder {str(folder)!r}")
    walk = _Walk(root, recursive, may_read)
    walk.run()
    for item in walk.skipped:
        if not item.path:
            raise SourceChanged(f"{str(folder)!r} cannot be read: {item.why}")
    order = sorted(range(len(walk.paths)), key=walk.paths.__getitem__)
    raw = np.frombuffer(walk.facts, "<i8").reshape(-1, 5)[order] if order else np.zeros((0, 5))
    facts = np.zeros(len(order), FACTS)
    for number, name in enumerate(FACTS.names or ()):
        facts[name] = raw[:, number]
    skipped = tuple(sorted(walk.skipped, key=lambda item: item.path))
    return Scan(root, [walk.paths[place] for place in order], facts, skipped)


def scan_file(file: Path) -> Scan:
    """One file; its root is its folder.

    Raises:
        DatasetMissing: there is no such file.
    """
    full = file.absolute()
    try:
        found = full.stat()
    except OSError as error:
        raise DatasetMissing(f"{str(file)!r} cannot be read: {error.strerror}") from None
    why = refusal(full.name) or (None if stat.S_ISREG(found.st_mode) else "it is not a regular file")
    if why:
        return Scan(str(full.parent), [], np.zeros(0, FACTS), (Skipped(_shown(full.name), why),))
    return Scan(str(full.parent), [full.name], np.array([facts_of(found)], FACTS), ())


def _shown(name: str) -> str:
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _readable(path: str) -> bool:
    return os.access(path, os.R_OK, effective_ids=os.access in os.supports_effective_ids)


class _Walk:
    def __init__(self, root: str, recursive: bool, may_read: bool) -> None:
        self._root = root
        self._may_read = may_read
        self._recursive = recursive
        self.paths: list[str] = []
        # Numbers in a row, not a million tuples that the garbage collector would look through again and again.
        self.facts = array("q")
        self.skipped: list[Skipped] = []

    def run(self) -> None:
        waiting = [""]
        while waiting:
            below = waiting.pop()
            try:
                entries = os.scandir(f"{self._root}/{below}")
            except OSError as error:
                self._unread(below.rstrip("/"), "the folder cannot be read", error)
                continue
            with entries:
                for entry in entries:
                    path = below + entry.name
                    if entry.is_dir(follow_symlinks=False):
                        if self._recursive:
                            waiting.append(path + "/")
                    else:
                        self._file(path, entry)

    def _file(self, path: str, entry: "os.DirEntry[str]") -> None:
        # What the system names is never refused but for its length or its bytes.
        why = None if path.isascii() and len(path) <= _SHORT else refusal(path)
        if why is None:
            try:
                found = entry.stat()
            except OSError as error:
                if entry.is_symlink() and error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                    self._dangling(path, entry, error)
                else:
                    self._unread(path, "it cannot be read", error)
                return
            if self._may_read and not found.st_mode & stat.S_IROTH and not _readable(entry.path):
                self._unread(
                    path, "it cannot be read", PermissionError(errno.EACCES, os.strerror(errno.EACCES))
                )
                return
            if stat.S_ISREG(found.st_mode):
                self.paths.append(path)
                self.facts.extend(facts_of(found))
                return
            folder = stat.S_ISDIR(found.st_mode) and entry.is_symlink()
            if folder:
                # What it leads to may hold this very folder, or be as large as a disk.
                self._skip(
                    path, f"it is a link to the folder {_shown(os.path.realpath(entry.path))}: add that one"
                )
                return
            why = "it is not a regular file"
        self._skip(path, why)

    def _dangling(self, path: str, entry: "os.DirEntry[str]", error: OSError) -> None:
        """A link to nothing: its file system may be away, so what a version has there is not gone."""
        target = _shown(str(Path(entry.path).readlink()))
        loop = error.errno == errno.ELOOP
        why = (
            f"it is a link to {target}, which leads back to itself"
            if loop
            else f"it is a link to {target}, and nothing is there"
        )
        self.skipped.append(Skipped(_shown(path), why, absent=False))

    def _unread(self, path: str, what: str, error: OSError) -> None:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            self._skip(path, "it went while the folder was looked at")
            return
        self.skipped.append(Skipped(_shown(path), f"{what}: {error.strerror}", absent=False, denied=True))

    def _skip(self, path: str, why: str) -> None:
        self.skipped.append(Skipped(_shown(path), why))
