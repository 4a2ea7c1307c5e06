"""The cache of shared views: read-only folders that are complete or not there."""

import fcntl
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trialbook.base.files import read_json, write_json
from trialbook.blobs.store import BlobStore
from trialbook.datasets.copies.materialise import materialise
from trialbook.datasets.copies.plan import Neighbour, plan
from trialbook.datasets.manifest.rows import Rows

_FEW = 1000
"""So many files or folders are looked at each time that a view is asked for."""
_LENDERS = 4
"""Complete views that a new one borrows files from, the latest first."""

FetchLinks = Callable[[Rows, Path, bool, int | None], None]
"""Brings the links of rows into a folder; True lets the caller change them; so many at once, None is a few."""


@dataclass(frozen=True)
class View:
    """A complete view: its files, and the version and root that it shows."""

    files: Path
    version: str
    root: str
    selection: str
    made: float


class Views:
    """Views below ``<cache>/views``.

    Args:
        cache: of the host; several processes may share it.
    """

    def __init__(self, cache: Path) -> None:
        self._folder = cache / "views"

    def find(self, root: str, selection: str = "") -> View | None:
        """A complete view, found by one small read however large it is."""
        return self._view(self._folder / _name(root, selection))

    def _view(self, folder: Path) -> View | None:
        mark = _mark(folder)
        if mark is None or not (folder / "files").is_dir():
            return None
        return View(folder / "files", mark["version"], mark["root"], mark["selection"], mark["made"])

    def complete(self) -> list[View]:
        """Every complete view, the latest first."""
        folders = self._folder.glob("*/view.json")
        found = [view for view in (self._view(mark.parent) for mark in folders) if view]
        return sorted(found, key=lambda view: -view.made)

    def build(
        self, version: str, root: str, selection: str, rows: Rows, blobs: BlobStore,
        rows_of: Callable[[View], Rows | None], now: Callable[[], float],
        links: "FetchLinks | None" = None, workers: int | None = None,
    ) -> View:  # fmt: skip
        """Make a view, or wait for another process that makes it.

        Args:
            version: that it shows.
            root: of the version.
            selection: names the part of it that ``rows`` are; empty for all.
            rows: what it will hold.
            blobs: where the packs lie.
            rows_of: rows of another view that may lend files; None when they cannot be had.
            now: seconds since the epoch, by the clock that file times come from.
            links: fetches the links of rows into a folder.
            workers: packs, and links, that are fetched at once; None lets their sizes decide.

        Raises:
            DatasetMissing, DatasetDamaged, OSError: see ``materialise``; no view is left behind.
        """
        name = _name(root, selection)
        with self._locked(name):
            found = self.find(root, selection)
            if found:
                return found
            lenders = []
            for view in self.complete()[:_LENDERS]:
                others = rows_of(view)
                if others is not None:
                    lenders.append(Neighbour(view.files, others, view.made))
            temporary = self._folder / f".{name}.{uuid.uuid4().hex}"
            try:
                materialise(plan(rows, lenders), blobs, temporary / "files", private=False, workers=workers)
                if links is not None and rows.links:
                    links(rows, temporary / "files", False, workers)
                made = {"version": version, "root": root, "selection": selection, "made": now()}
                made["seal"] = _seal(temporary / "files", rows.paths)
                write_json(temporary / "view.json", made, 0o444)
                # What stands there without a readable mark is not a view.
                self._discard(self._folder / name)
                temporary.rename(self._folder / name)
            except BaseException:
                shutil.rmtree(temporary, ignore_errors=True)
                raise
        built = self.find(root, selection)
        assert built is not None
        return built

    def intact(self, view: View) -> bool:
        """Whether a view looks as it was made: sizes of its files when they are few, else its folders' entries.

        Bounded in time whatever its size; changed bytes of the same size are ``verify``'s part.
        """
        mark = _mark(view.files.parent) or {}
        return _holds(view.files, mark.get("seal") or {})

    def linked(self, view: View) -> Path:
        """A folder of soft links to the files of a view; made anew when the view was, or when a link is gone."""
        folder = self._folder / f"{view.files.parent.name}-linked"
        with self._locked(folder.name):
            mark = read_json(folder / "linked.json") or {}
            if mark.get("made") != view.made or not _holds(folder / "files", mark.get("seal") or {}):
                self._discard(folder)
                temporary = self._folder / f".{folder.name}.{uuid.uuid4().hex}"
                paths = _linked(view.files.absolute(), temporary / "files")
                seal = _seal(temporary / "files", paths)
                write_json(temporary / "linked.json", {"made": view.made, "seal": seal}, 0o444)
                temporary.rename(folder)
        return folder / "files"

    def drop(self, root: str, selection: str = "") -> None:
        """Take a view away; programs that have its files open keep them."""
        folder = self._folder / _name(root, selection)
        with self._locked(folder.name):
            self._discard(folder)

    def _discard(self, folder: Path) -> None:
        if folder.exists():
            trash = self._folder / f".{folder.name}.{uuid.uuid4().hex}"
            folder.rename(trash)
            shutil.rmtree(trash, ignore_errors=True)

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._folder / f".{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            for left in self._folder.glob(f".{name}.*"):
                if left.suffix != ".lock":
                    shutil.rmtree(left, ignore_errors=True)
            yield
        finally:
            os.close(handle)


def _mark(folder: Path) -> dict[str, Any] | None:
    """What makes a folder a view; None when it is not there or not whole."""
    try:
        mark = read_json(folder / "view.json")
    except ValueError:
        return None
    whole = isinstance(mark, dict) and {"version", "root", "selection", "made"} <= mark.keys()
    return mark if whole else None


def _linked(source: Path, target: Path) -> list[str]:
    """Make a tree of soft links; the paths of its files."""
    paths: list[str] = []
    for name, _, files in os.walk(source):
        below = Path(name).relative_to(source)
        (target / below).mkdir(parents=True, exist_ok=True)
        for file in files:
            os.symlink(f"{name}/{file}", target / below / file)  # noqa: PTH211 (a million of them)
            paths.append((below / file).as_posix())
    return paths


def _holds(files: Path, seal: dict[str, dict[str, int]]) -> bool:
    """Whether a folder is as it was when it was sealed."""
    try:
        sizes = seal.get("sizes") or {}
        if any((files / path).lstat().st_size != size for path, size in sizes.items()):
            return False
        folders = seal.get("folders") or {}
        return all((files / path).stat().st_mtime_ns == moment for path, moment in folders.items())
    except OSError:
        return False


def _seal(files: Path, paths: list[str]) -> dict[str, dict[str, int]]:
    """What ``_holds`` compares with."""
    if len(paths) <= _FEW:
        there = ((path, files / path) for path in paths)
        return {"sizes": {path: file.lstat().st_size for path, file in there if file.exists()}}
    folders = {path.rpartition("/")[0] for path in paths}
    if len(folders) > _FEW:
        return {}
    return {"folders": {path: (files / path).stat().st_mtime_ns for path in folders}}


def _name(root: str, selection: str) -> str:
    return f"{root}-{selection}" if selection else root
