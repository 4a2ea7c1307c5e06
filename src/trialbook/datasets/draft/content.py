"""Changing what a draft holds: add, link, remove, sync."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np

from trialbook.datasets.draft.state import DraftState, overlaid
from trialbook.datasets.ingest.run import Sources
from trialbook.datasets.manifest.rows import LINK, NO_PACK, ROW, Rows, merged
from trialbook.datasets.paths import check, clashes, foreign, joined, last_of_each
from trialbook.datasets.patterns import Patterns, matcher
from trialbook.datasets.sources.scan import Scan, Skipped, scan_file, scan_folder
from trialbook.datasets.sources.stat_cache import same_facts
from trialbook.datasets.sources.unchanged import unchanged


@dataclass(frozen=True)
class Changes:
    """What one call did: numbers of paths, and what was left out."""

    added: int = 0
    modified: int = 0
    removed: int = 0
    unchanged: int = 0
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True)
class Link:
    """An object elsewhere that stands at a path.

    Attributes:
        path: in the dataset.
        url: of the object.
        size: bytes, −1 when unknown.
        etag: entity tag or version id; what a download must still find.
        sha256: of its content, zeros when unknown.
    """

    path: str
    url: str
    size: int = -1
    etag: str = ""
    sha256: bytes = bytes(32)


class ContentOfDraft(DraftState):
    """Members that change files and links."""

    def add_folder(
        self, folder: Path, dataset_path: str | PurePath | None = None, wildcard: Patterns = None,
        recursive: bool = True,
    ) -> Changes:  # fmt: skip
        """Take files of a folder into the version.

        Args:
            folder: to read from; it must stay until ``upload``.
            dataset_path: the folder inside the dataset that they land in.
            wildcard: takes only paths that match; see ``patterns.matcher``.
            recursive: False takes only its direct files.

        Returns:
            How many paths are new or have other bytes than before, and which names were left out.

        Raises:
            DatasetMissing: there is no such folder.
            SourceChanged: a file had to be read for the comparison and could not.
        """
        named = [wildcard] if isinstance(wildcard, str | PurePath) else wildcard or ()
        deeper = recursive or any("/" in str(pattern).strip("/") for pattern in named)
        return self._add(scan_folder(folder, deeper), dataset_path, wildcard, recursive)

    def add_sources(self, sources: Sources) -> None:
        """Take files that another draft had noted, as they were then."""
        self._make_way(sources.paths)
        self._forget(set(sources.paths) & set(self._links.paths))
        self._sources = overlaid(self._sources, sources)
        self._save()

    def add_file(self, file: Path, dataset_path: str | PurePath | None = None) -> Changes:
        """Take one file into the version, below ``dataset_path``.

        Raises:
            DatasetMissing: there is no such file.
        """
        return self._add(scan_file(file), dataset_path, None, True)

    def add_link(
        self, path: str, url: str, size: int = -1, etag: str = "", sha256: bytes = bytes(32)
    ) -> None:
        """Let a path stand for an object elsewhere.

        Args:
            path: in the dataset.
            url: of the object.
            size: bytes, −1 when unknown.
            etag: entity tag or version id; what a download must still find.
            sha256: of its content, zeros when unknown.
        """
        self.add_links([Link(path, url, size, etag, sha256)])

    def add_links(self, links: Sequence["Link"]) -> Changes:
        """``add_link`` for many at once; what is there already as it is counts as unchanged."""
        check([link.path for link in links])
        latest = {link.path: link for link in links}
        latest = {path: latest[path] for path in last_of_each(link.path for link in links)}
        there = {path: place for place, path in enumerate(self._links.paths)}
        changed = set(self._sources.paths)
        fresh: list[Link] = []
        added = modified = 0
        for path, link in sorted(latest.items()):
            base = self._here(path) if path not in changed and path not in there else -1
            if base >= 0 and _same_link(self.base, base, link):
                continue
            if path in there and _same_link(self._links, there[path], link):
                continue
            fresh.append(link)
            if path in there or path in changed or base >= 0:
                modified += 1
            else:
                added += 1
        if fresh:
            data = np.zeros(len(fresh), ROW)
            data["kind"], data["pack"] = LINK, NO_PACK
            data["size"] = [link.size for link in fresh]
            data["sha256"] = np.frombuffer(b"".join(link.sha256 for link in fresh), "<u8").reshape(-1, 4)
            paths = [link.path for link in fresh]
            rows = Rows(paths, data, (), ("",), {link.path: (link.url, link.etag) for link in fresh})
            self._make_way(paths)
            self._forget(set(paths))
            self._links = merged([self._links, rows])
            self._save()
        return Changes(added, modified, 0, len(latest) - len(fresh))

    def unportable(self) -> list[Skipped]:
        """Paths that this version brings and that not every system can hold, each with the reason."""
        mine = [*self._sources.paths, *self._links.paths]
        found = [Skipped(path, "not every system allows such a name") for path in foreign(mine)]
        new = set(mine)
        for first, second in clashes(self.paths()):
            if first in new or second in new:
                found.append(Skipped(second, f"it differs from {first!r} in case or accents only"))
        return found

    def remove(self, patterns: Patterns = None, recursive: bool = True) -> int:
        """Take paths out of the version.

        Args:
            patterns: see ``patterns.matcher``; None is every path.
            recursive: whether a pattern reaches into folders.

        Returns:
            How many were there.
        """
        paths = self.paths()
        wanted = matcher(patterns, recursive, paths)
        return self.remove_paths(path for path in paths if wanted(path))

    def sync(
        self, folder: Path | Scan, dataset_path: str | PurePath | None = None,
        kept: AbstractSet[str] = frozenset(),
    ) -> Changes:  # fmt: skip
        """Make the version below ``dataset_path`` equal to a folder, as far as the folder can be read.

        Args:
            folder: to read from, or what was seen there.
            dataset_path: what is not below it is left alone.
            kept: paths that the folder has and that stay as they are.

        Returns:
            Numbers of removed, added and modified paths. What could not be read stays as it is.
        """
        scan = folder if isinstance(folder, Scan) else scan_folder(folder)
        prefix = joined(dataset_path, "")
        there = {joined(dataset_path, path) for path in scan.paths}
        before = set(self.paths())
        gone = {path for path in before if path.startswith(prefix) and path not in there}
        gone = {path for path in gone if not scan.hides(path[len(prefix) :])}
        changes = self._add(scan, dataset_path, None, True, kept)
        if gone:
            self._forget(gone)
            self._removed |= gone & self._base_places.keys()
            self._save()
        removed = len(before.difference(self.paths()))
        return Changes(changes.added, changes.modified, removed, changes.unchanged, changes.skipped)

    def _add(
        self,
        scan: Scan,
        dataset_path: str | PurePath | None,
        wildcard: Patterns,
        recursive: bool,
        kept: AbstractSet[str] = frozenset(),
    ) -> Changes:
        started = self._clock()
        wanted = matcher(wildcard, recursive, scan.paths)
        chosen = [place for place, path in enumerate(scan.paths) if wanted(path)]
        if kept:
            chosen = [place for place in chosen if joined(dataset_path, scan.paths[place]) not in kept]
        paths = [joined(dataset_path, scan.paths[place]) for place in chosen]
        check(paths)
        files = [f"{scan.root}/{scan.paths[place]}" for place in chosen]
        facts = scan.facts[chosen]
        same = np.zeros(len(chosen), bool)
        if len(self.base):
            here = np.fromiter((self._here(path) for path in paths), np.int64, len(paths))
            remembered = self._stats.recall(scan)
            same = unchanged(files, facts, self.base, here, remembered.b3[chosen], self.policy.workers)
        before = set(self.paths()) if self._sources.paths or self._links.paths or len(self.base) else set()
        earlier = (
            dict(zip(self._sources.paths, self._sources.facts, strict=True)) if self._sources.paths else {}
        )
        added = modified = untouched = 0
        fresh = []
        for number, path in enumerate(paths):
            if (same[number] and path not in earlier) or (
                path in earlier and bool(same_facts(facts[number : number + 1], earlier[path].reshape(1))[0])
            ):
                untouched += 1
            else:
                fresh.append(number)
                if path in before:
                    modified += 1
                else:
                    added += 1
        self._scans.append((scan, dataset_path, chosen, started))
        if fresh:
            taken = Sources([paths[n] for n in fresh], [files[n] for n in fresh], facts[fresh])
            self._make_way(taken.paths)
            if self._links.paths:
                self._forget(set(taken.paths) & set(self._links.paths))
            self._sources = overlaid(self._sources, taken)
            self._save()
        return Changes(added, modified, 0, untouched, scan.skipped)


def _same_link(rows: Rows, place: int, link: Link) -> bool:
    row = rows.data[place]
    return (
        row["kind"] == LINK
        and int(row["size"]) == link.size
        and rows.links.get(rows.paths[place]) == (link.url, link.etag)
    )
