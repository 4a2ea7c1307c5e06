"""Changing what an open version holds: add, link, remove, sync."""

import glob
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePath

from trialbook.base import globs
from trialbook.client.places import scheme_of, unencoded
from trialbook.datasets.draft.draft import Changes, Link
from trialbook.datasets.manifest.rows import LINK
from trialbook.datasets.paths import joined, within
from trialbook.datasets.patterns import Patterns, matcher
from trialbook.datasets.sources.scan import Scan, scan_folder
from trialbook.errors import SourceChanged, UsageError
from trialbook.sdk.console import advice, say
from trialbook.sdk.dataset.given import required, threads
from trialbook.sdk.dataset.links import Found, find_many, place_of, same_as_link
from trialbook.sdk.dataset.members.base import DatasetBase
from trialbook.sdk.dataset.stamps import untouched
from trialbook.sdk.servers.connection import local_path as path_here

_WILD = ("*", "?", "[")
_EXTERNAL = "external files"


class ContentMixin(DatasetBase):
    """Members that change files and links."""

    def add_files(
        self,
        path: str | Path,
        wildcard: Patterns = None,
        local_base_folder: str | Path | None = None,
        dataset_path: str | Path | None = None,
        recursive: bool = True,
        verbose: bool = False,
        max_workers: int | None = None,
    ) -> int:
        """Take files into the version. Their bytes travel with ``upload``, so they must stay until then.

        Links to files are followed, wherever they lead; a link to a folder, and one that leads nowhere or back to
        itself, is left out and named on the console, as is what cannot be read.

        Args:
            path: a folder, a file, or a path with wildcards.
            wildcard: takes only what matches one of these. "*.jpg" matches in every folder, "a/*.json" anywhere
                below a, "a/**/*.json" the same, a name without wildcard that file or everything in that folder. The
                exact name of a file or folder means that one, even with brackets or stars in it.
            local_base_folder: paths in the dataset are relative to it; None is the folder itself, or the file's own,
                and for a path with wildcards the folder before the first of them: of "root/*" the file
                "root/train/0.jpg" becomes "train/0.jpg".
            dataset_path: folder of the dataset that they land in.
            recursive: False takes only what lies directly in the folder.
            verbose: print each path.
            max_workers: threads that compare files of more than 512 KB with those of the parents; None is a few. What
                is new is read by ``upload`` only.

        Returns:
            Number of files that are new to the version; changed ones are not counted.

        Raises:
            UsageError: there is nothing at the path, it is empty, the version is final, or ``max_workers`` is below 1.

        Example:
            >>> version = Dataset.create("digits", "Vision")
            >>> version.add_files("images", wildcard="*.jpg", dataset_path="pictures")
            2
            >>> version.list_files()
            ['pictures/train/a.jpg', 'pictures/train/b.jpg']
        """
        workers = threads(max_workers)
        sources, top = sources_of(path)
        base = local_base_folder or top
        draft = self._opened.draft("add_files")
        draft.policy = replace(draft.policy, workers=workers)
        before = set(draft.paths()) if verbose else set()
        self._opened.calls.note(
            "add_files",
            path=path,
            wildcard=wildcard,
            local_base_folder=local_base_folder,
            dataset_path=dataset_path,
            recursive=None if recursive else False,
        )
        changes = [
            self._add_one(
                one, wildcard, base if one.is_dir() or one.parent != base else None, dataset_path, recursive
            )
            for one in sources
        ]
        for change in changes:
            self._tell_skipped(change)
        if verbose:
            for name in sorted(set(draft.paths()) - before):
                say(f"added {name}")
            say(f"{sum(one.added for one in changes)} added, {sum(one.modified for one in changes)} modified")
        self._opened.forget()
        return sum(change.added for change in changes)

    def _add_one(
        self,
        path: Path,
        wildcard: Patterns,
        base: str | Path | None,
        dataset_path: str | Path | None,
        recursive: bool,
    ) -> Changes:
        draft = self._opened.draft("add_files")
        place: str | PurePath | None = dataset_path
        if base is not None:
            # Without "..", and with links as they are named.
            top = Path(os.path.normpath(Path(base).expanduser().absolute()))
            inside = Path(os.path.normpath((path if path.is_dir() else path.parent).absolute()))
            try:
                relative = inside.relative_to(top).as_posix()
            except ValueError:
                raise UsageError(f"local_base_folder {base} does not hold {path}") from None
            place = within(joined(dataset_path, relative))
        if path.is_dir():
            return draft.add_folder(path, place, wildcard, recursive)
        if wildcard and not matcher(wildcard, among=[path.name])(path.name):
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
        source_url: str | Path | Sequence[str | Path],
        wildcard: Patterns = None,
        dataset_path: str | Path | Sequence[str | Path] | None = None,
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
            UsageError: as many paths as addresses are needed, an address is empty, the version is final, or
                ``max_workers`` is below 1.

        Example:
            >>> version = Dataset.create("digits", "Vision")
            >>> version.add_external_files("images/train", dataset_path="linked")
            2
            >>> version.list_files()
            ['linked/a.jpg', 'linked/b.jpg']
        """
        workers = threads(max_workers)
        given = [source_url] if isinstance(source_url, str | PurePath) else source_url
        sources = [required("add_external_files", "source_url", one, "--links") for one in given]
        draft = self._opened.draft("add_external_files")
        if dataset_path is None or isinstance(dataset_path, str | PurePath):
            places: list[str | PurePath | None] = [dataset_path] * len(sources)
        else:
            places = list(dataset_path)
            if len(places) != len(sources):
                raise UsageError(
                    f"dataset_path has {len(places)} entries for {len(sources)} addresses: give one for each"
                )
        found = find_many(self._opened.home.connection, sources, wildcard, recursive, workers)
        self._opened.calls.note(
            "add_external_files",
            source_url=source_url,
            wildcard=wildcard,
            dataset_path=dataset_path,
            recursive=None if recursive else False,
        )
        known = draft.standing()[0].links
        links = [
            _link(place, item, known) for place, items in zip(places, found, strict=True) for item in items
        ]
        _tell_replaced(links)
        changes = draft.add_links(links)
        if verbose:
            for link in links:
                say(f"linked {link.path} to {link.url}")
            say(f"{changes.added} added, {changes.modified} modified")
        if links and _EXTERNAL not in self._opened.task.get_tags():
            self._opened.task.set_tags([*self._opened.task.get_tags(), _EXTERNAL])
        self._opened.forget()
        return changes.added

    def remove_files(
        self, dataset_path: str | Path | None = None, recursive: bool = True, verbose: bool = False
    ) -> int:
        """Take paths out of the version; parents keep theirs.

        Args:
            dataset_path: a path, a folder or a wildcard as in ``add_files``, or the address of external files; None is
                everything. The exact name of a path, of a folder or of an address means that one, even with brackets
                or stars in it.
            recursive: whether a pattern reaches into folders.
            verbose: print each path.

        Returns:
            How many were there.

        Raises:
            UsageError: the path is empty, or the version is final.

        Example:
            >>> version = Dataset.create("digits", "Vision", parent_datasets=[data])
            >>> version.remove_files("train/*.jpg")
            2
            >>> version.list_files()
            ['labels.csv']
        """
        if dataset_path is not None:
            text = required("remove_files", "dataset_path", dataset_path)
            dataset_path = text if isinstance(dataset_path, str) else PurePath(dataset_path).as_posix()
        draft = self._opened.draft("remove_files")
        before = draft.paths() if verbose else []
        self._opened.calls.note(
            "remove_files", dataset_path=dataset_path, recursive=None if recursive else False
        )
        if dataset_path is not None and "://" in dataset_path:
            count = self._remove_links(dataset_path)
        else:
            count = draft.remove(dataset_path, recursive)
        if verbose:
            left = set(draft.paths())
            for name in before:
                if name not in left:
                    say(f"removed {name}")
        self._opened.forget()
        return count

    def _remove_links(self, address: str) -> int:
        draft = self._opened.draft("remove_files")
        rows, _ = draft.standing()
        asked = _spelled(address)
        links = [(path, url, _spelled(url)) for path, (url, _) in rows.links.items()]
        exact = [path for path, url, _ in links if url == address]
        exact = exact or [path for path, _, plain in links if plain == asked]
        return draft.remove_paths(
            exact or [path for path, url, plain in links if _matches(url, address) or _matches(plain, asked)]
        )

    def sync_folder(
        self,
        local_path: str | Path,
        dataset_path: str | Path | None = None,
        verbose: bool = False,
        *,
        raise_on_error: bool = True,
    ) -> tuple[int, int, int]:
        """Make the version equal to a folder: what is new, changed or gone there is added, changed or removed here.

        A linked path is left alone when the folder has the same file there, else the folder's file takes its place.
        Where size and entity tag do not tell, the object is read and compared. A linked file of this folder that was
        touched in any way since (its rights, or its modification time set back after an edit) counts as changed.

        Args:
            local_path: the folder.
            dataset_path: only what is below this folder of the dataset is touched; None is everything.
            verbose: print the numbers.
            raise_on_error: False continues when something in it cannot be read: it is named, and what the version
                has of it stays.

        Returns:
            Numbers of paths removed, added and modified.

        Raises:
            UsageError: there is no such folder, its path is empty, or the version is final.
            SourceChanged: something in the folder cannot be read, and ``raise_on_error`` is on. Nothing was changed.

        Example:
            >>> version = Dataset.create("digits", "Vision", parent_datasets=[data])
            >>> pathlib.Path("images/labels.csv").unlink()
            >>> version.sync_folder("images")
            (1, 0, 0)
        """
        folder = Path(required("sync_folder", "local_path", local_path, "--folder")).expanduser()
        draft = self._opened.draft("sync_folder")
        if not folder.is_dir():
            raise UsageError(f"there is no folder {local_path}")
        scan = scan_folder(folder, may_read=True)
        if raise_on_error and scan.denied:
            named = "; ".join(f"{item.path}: {item.why}" for item in scan.denied[:5])
            leave = advice(", or say raise_on_error=False to leave it as it is", "")
            raise SourceChanged(
                f"{local_path} cannot be read as a whole ({named}), and what cannot be read is not gone: give this "
                f"account the right to read it{leave}. Nothing was changed."
            )
        self._opened.calls.note("sync_folder", local_path=local_path, dataset_path=dataset_path)
        place = within(dataset_path) or None
        changes = draft.sync(scan, place, self._same_links(scan, place))
        self._tell_skipped(changes)
        if verbose:
            say(f"{changes.removed} removed, {changes.added} added, {changes.modified} modified")
        self._opened.forget()
        return changes.removed, changes.added, changes.modified

    def _same_links(self, scan: Scan, place: str | None) -> set[str]:
        """Linked paths whose file in the folder is what the link stands for."""
        rows, _ = self._opened.draft("sync_folder").standing()
        prefix = joined(place, "")
        seen = dict(zip((f"{prefix}{path}" for path in scan.paths), scan.facts["size"].tolist(), strict=True))
        same = set()
        for path in sorted(seen.keys() & rows.links.keys()):
            row = rows.data[rows.find(path) or 0]
            if row["kind"] != LINK or (int(row["size"]) >= 0 and seen[path] != int(row["size"])):
                continue
            url, etag = rows.links[path]
            file = f"{scan.root}/{path[len(prefix) :]}"
            sha256 = row["sha256"].tobytes() if row["sha256"].any() else b""
            if same_as_link(self._opened.home.connection, url, etag, sha256, file):
                same.add(path)
        return same


def sources_of(path: str | Path) -> tuple[list[Path], Path | None]:
    """What a path of ``add_files`` means, and the folder before its first wildcard, if it has one.

    Raises:
        UsageError: it is empty, or there is nothing.
    """
    text = str(Path(required("add_files", "path", path, "--files")).expanduser())
    if os.path.lexists(text):
        return [Path(text)], None
    if any(mark in text for mark in _WILD):
        found = sorted(glob.glob(text, recursive=True))  # noqa: PTH207 (absolute patterns too)
        if found:
            parts = Path(text).parts
            fixed = next(n for n, part in enumerate(parts) if any(mark in part for mark in _WILD))
            return [Path(one) for one in found], Path(*parts[:fixed])
    raise UsageError(f"there is no file or folder {path}")


def _link(place: str | PurePath | None, found: Found, known: Mapping[str, tuple[str, str]]) -> Link:
    path, etag = place_of(place, found), found.etag
    url, before = known.get(path, ("", ""))
    if url == found.url and before and path_here(url) is not None and untouched(before, etag):
        # As it was noted on another machine: the link has not changed.
        etag = before
    return Link(path, found.url, found.size, etag)


def _tell_replaced(links: Sequence[Link]) -> None:
    """Say which links of one call others of it replace: a path holds one."""
    last = {link.path: link.url for link in links}
    replaced = [link for link in links if last[link.path] != link.url]
    for link in replaced[:10]:
        how = advice("a dataset_path for each address", "adding them one by one with --dataset-folder")
        say(
            f"Trialbook: {link.url} gave way to {last[link.path]}: both would become {link.path!r}; {how} keeps both"
        )
    if len(replaced) > 10:
        say(f"Trialbook: {len(replaced) - 10} more gave way")


def _spelled(url: str) -> str:
    """An address of this machine as its path says it: people write some letters of it encoded and some not."""
    path = path_here(url) if scheme_of(url) == "file" else None
    return url if path is None else unencoded(path)


def _matches(url: str, pattern: str) -> bool:
    return globs.fits(url, pattern) or url.startswith(pattern.rstrip("/") + "/")
