"""Looking at a folder: which files it has, with the facts that tell later whether one has changed."""

import os
import stat
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trialbook.datasets.facts import facts_of
from trialbook.datasets.paths import refusal
from trialbook.datasets.rows import Array
from trialbook.errors import DatasetMissing

_SHORT = 1000
FACTS = np.dtype([("size", "<i8"), ("mtime", "<i8"), ("ctime", "<i8"), ("ino", "<u8"), ("mode", "<u4")])
"""``Facts`` as columns."""


@dataclass(frozen=True)
class Skipped:
    """A name that was left out: ``path`` (non-UTF-8 bytes as ``\\xNN``) and why."""

    path: str
    why: str


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


def scan_folder(folder: Path, recursive: bool = True) -> Scan:
    """Every file below a folder.

    Args:
        folder: to look at; a link to a folder is followed here, and nowhere below.
        recursive: False looks at its direct files only.

    Raises:
        DatasetMissing: there is no such folder.
    """
    root = os.path.realpath(folder)
    if not Path(root).is_dir():
        raise DatasetMissing(f"there is no folder {str(folder)!r}")
    walk = _Walk(root, recursive)
    walk.run()
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
    why = refusal(full.name) or (None if stat.S_ISREG(found.st_mode) else "it is no regular file")
    if why:
        return Scan(str(full.parent), [], np.zeros(0, FACTS), (Skipped(_shown(full.name), why),))
    return Scan(str(full.parent), [full.name], np.array([facts_of(found)], FACTS), ())


def _shown(name: str) -> str:
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


class _Walk:
    def __init__(self, root: str, recursive: bool) -> None:
        self._root = root
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
                self._skip(below.rstrip("/"), f"the folder cannot be read: {error.strerror}")
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
        if why is None and entry.is_symlink():
            why = self._link(entry)
        if why is None:
            try:
                found = entry.stat()
            except OSError as error:
                why = f"it cannot be read: {error.strerror}"
            else:
                if stat.S_ISREG(found.st_mode):
                    self.paths.append(path)
                    self.facts.extend(facts_of(found))
                    return
                why = "it is no regular file"
        self._skip(path, why)

    def _link(self, entry: Any) -> str | None:
        target = Path(os.path.realpath(entry.path))
        if not target.exists():
            return "it is a link to nothing"
        if target.is_dir():
            return "it is a link to a folder"
        return (
            None if str(target).startswith(self._root.rstrip("/") + "/") else "it is a link out of the tree"
        )

    def _skip(self, path: str, why: str) -> None:
        self.skipped.append(Skipped(_shown(path), why))
