"""Changing what an open version holds: add, link, remove, sync."""

import glob
from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from trialbook.datasets.draft import Changes, Link
from trialbook.datasets.paths import joined
from trialbook.datasets.patterns import matcher
from trialbook.datasets.rows import LINK
from trialbook.errors import UsageError
from trialbook.sdk.console import say
from trialbook.sdk.dataset.base import DatasetBase, threads
from trialbook.sdk.dataset.entries import sha256_of
from trialbook.sdk.dataset.links import Found, find_many, place_of

_WILD = ("*", "?", "[")
_EXTERNAL = "external files"


class ContentMixin(DatasetBase):
    """Members that change files and links."""

    def add_files(
        self,
        path: str | Path,
        wildcard: str | Sequence[str] | None = None,
        local_base_folder: str | None = None,
        dataset_path: str | None = None,
        recursive: bool = True,
        verbose: bool = False,
        max_workers: int | None = None,
    ) -> int:
        """Take files into the version. Their bytes travel with ``upload``, so they must stay until then.

        Args:
            path: a folder, a file, or a path with wildcards.
            wildcard: takes only what matches one of these. "*.jpg" matches in every folder, "a/*.json" anywhere
                below a, a name without wildcard that file or everything in that folder.
            local_base_folder: paths in the dataset are relative to it; None is the folder itself, or the file's own.
            dataset_path: folder of the dataset that they land in.
            recursive: False takes only what lies directly in the folder.
            verbose: print each path.
            max_workers: threads that compare files of more than 512 KB with those of the parents; None is a few. What
                is new is read by ``upload`` only.

        Returns:
            Number of files that are new to the version; changed ones are not counted.

        Raises:
            UsageError: there is nothing at the path, the version is final, or ``max_workers`` is below 1.
        """
        workers = threads(max_workers)
        draft = self._draft("add_files")
        draft.policy = replace(draft.policy, workers=workers)
        before = set(draft.paths()) if verbose else set()
        self._note_call(
            "add_files",
            path=path,
            wildcard=wildcard,
            local_base_folder=local_base_folder,
            dataset_path=dataset_path,
            recursive=None if recursive else False,
        )
        changes = [
            self._add_one(Path(one), wildcard, local_base_folder, dataset_path, recursive)
            for one in _sources(path)
        ]
        for change in changes:
            self._tell_skipped(change)
        if verbose:
            for name in sorted(set(draft.paths()) - before):
                say(f"added {name}")
            say(f"{sum(one.added for one in changes)} added, {sum(one.modified for one in changes)} modified")
        self._note_changes()
        return sum(change.added for change in changes)

    def _add_one(
        self,
        path: Path,
        wildcard: str | Sequence[str] | None,
        base: str | None,
        dataset_path: str | None,
        recursive: bool,
    ) -> Changes:
        draft = self._draft("add_files")
        place = dataset_path
        if base is not None:
            top = Path(base).expanduser().absolute()
            inside = path.absolute() if path.is_dir() else path.absolute().parent
            try:
                relative = inside.relative_to(top).as_posix()
            except ValueError:
                raise UsageError(f"local_base_folder {base} does not hold {path}") from None
            place = joined(dataset_path, "" if relative == "." else relative).strip("/")
        if path.is_dir():
            return draft.add_folder(path, place, wildcard, recursive)
        if wildcard and not matcher(wildcard)(path.name):
            return Changes()
        return draft.add_file(path, place)

    @staticmethod
    def _tell_skipped(change: Changes) -> None:
        for item in change.skipped[:10]:
            say(f"Trialbook: {item.path} was left out: {item.why}")
        if len(change.skipped) > 10:
            say(f"Trialbook: {len(change.skipped) - 10} more were left out")

    def add_external_files(
        self,
        source_url: str | Sequence[str],
        wildcard: str | Sequence[str] | None = None,
        dataset_path: str | Sequence[str] | None = None,
        recursive: bool = True,
        verbose: bool = False,
        max_workers: int | None = None,
    ) -> int:
        """Name objects elsewhere; nothing is uploaded, and a copy of the version fetches them from there.

        Size and entity tag (or modification time) are noted, and a copy fails when they have changed.

        Args:
            source_url: one address or several: ``http(s)://`` for single files, ``file://`` or a path for files and
                folders.
            wildcard: takes only what matches one of these.
            dataset_path: folder of the dataset that they land in; one for all, or one for each address.
            recursive: False takes only what lies directly in a folder.
            verbose: print each path.
            max_workers: addresses that are asked at once; None is the number of processors, 16 at most.

        Returns:
            Number of links that are new to the version. An address that cannot be reached is logged and gives none.

        Raises:
            UsageError: as many paths as addresses are needed, the version is final, or ``max_workers`` is below 1.
        """
        workers = threads(max_workers)
        draft = self._draft("add_external_files")
        sources = [source_url] if isinstance(source_url, str) else [str(one) for one in source_url]
        if dataset_path is None or isinstance(dataset_path, str):
            places: list[str | None] = [dataset_path] * len(sources)
        else:
            places = list(dataset_path)
            if len(places) != len(sources):
                raise UsageError(
                    f"dataset_path has {len(places)} entries for {len(sources)} addresses: give one for each"
                )
        found = find_many(self._home.connection, sources, wildcard, recursive, workers)
        self._note_call(
            "add_external_files",
            source_url=source_url,
            wildcard=wildcard,
            dataset_path=dataset_path,
            recursive=None if recursive else False,
        )
        links = [_link(place, item) for place, items in zip(places, found, strict=True) for item in items]
        changes = draft.add_links(links)
        if verbose:
            for link in links:
                say(f"linked {link.path} to {link.url}")
            say(f"{changes.added} added, {changes.modified} modified")
        if links and _EXTERNAL not in self._task.get_tags():
            self._task.set_tags([*self._task.get_tags(), _EXTERNAL])
        self._note_changes()
        return changes.added

    def remove_files(
        self, dataset_path: str | None = None, recursive: bool = True, verbose: bool = False
    ) -> int:
        """Take paths out of the version; parents keep theirs.

        Args:
            dataset_path: a path, a folder or a wildcard as in ``add_files``, or the address of external files; None is
                everything.
            recursive: whether a pattern reaches into folders.
            verbose: print each path.

        Returns:
            How many were there.
        """
        draft = self._draft("remove_files")
        before = draft.paths() if verbose else []
        self._note_call("remove_files", dataset_path=dataset_path, recursive=None if recursive else False)
        if dataset_path is not None and "://" in dataset_path:
            count = self._remove_links(dataset_path)
        else:
            count = draft.remove(dataset_path, recursive)
        if verbose:
            left = set(draft.paths())
            for name in before:
                if name not in left:
                    say(f"removed {name}")
        self._note_changes()
        return count

    def _remove_links(self, address: str) -> int:
        draft = self._draft("remove_files")
        rows, _ = draft.standing()
        gone = [path for path, (url, _) in rows.links.items() if _matches(url, address)]
        return draft.remove_paths(gone)

    def sync_folder(
        self, local_path: str | Path, dataset_path: str | Path | None = None, verbose: bool = False
    ) -> tuple[int, int, int]:
        """Make the version equal to a folder: what is new, changed or gone there is added, changed or removed here.

        A linked path is left alone when the folder has the same file there, else the folder's file takes its place.

        Args:
            local_path: the folder.
            dataset_path: only what is below this folder of the dataset is touched; None is everything.
            verbose: print the numbers.

        Returns:
            Numbers of paths removed, added and modified.

        Raises:
            UsageError: there is no such folder, or the version is final.
        """
        draft = self._draft("sync_folder")
        folder = Path(local_path).expanduser()
        if not folder.is_dir():
            raise UsageError(f"there is no folder {local_path}")
        self._note_call("sync_folder", local_path=local_path, dataset_path=dataset_path)
        place = Path(dataset_path).as_posix() if dataset_path is not None else None
        place = None if place in (None, ".", "/") else place
        changes = draft.sync(folder, place, self._same_links(folder, place))
        self._tell_skipped(changes)
        if verbose:
            say(f"{changes.removed} removed, {changes.added} added, {changes.modified} modified")
        self._note_changes()
        return changes.removed, changes.added, changes.modified

    def _same_links(self, folder: Path, place: str | None) -> set[str]:
        """Linked paths whose file in the folder is what the link stands for."""
        rows, _ = self._draft("sync_folder").standing()
        prefix = joined(place, "")
        same = set()
        for number in [
            n for n, path in enumerate(rows.paths) if path in rows.links and path.startswith(prefix)
        ]:
            path, row = rows.paths[number], rows.data[number]
            file = folder / path[len(prefix) :]
            if row["kind"] != LINK or not file.is_file() or file.stat().st_size != int(row["size"]):
                continue
            if not row["sha256"].any() or sha256_of(str(file)) == row["sha256"].tobytes().hex():
                same.add(path)
        return same

    def _note_changes(self) -> None:
        """What was read of the content before is stale."""
        self._forget()


def _sources(path: str | Path) -> list[str]:
    text = str(Path(path).expanduser())
    if Path(text).exists():
        return [text]
    if any(mark in text for mark in _WILD):
        found = sorted(glob.glob(text, recursive=True))  # noqa: PTH207 (absolute patterns too)
        if found:
            return found
    raise UsageError(f"there is no file or folder {path}")


def _link(place: str | None, found: Found) -> Link:
    return Link(place_of(place, found), found.url, found.size, found.etag)


def _matches(url: str, pattern: str) -> bool:
    return url == pattern or fnmatchcase(url, pattern) or url.startswith(pattern.rstrip("/") + "/")
