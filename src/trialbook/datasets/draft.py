"""A version in the making: add, remove, upload, finish; a killed writer opens it again and goes on."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from trialbook.base.clock import Clock
from trialbook.datasets.commit import publish, write_manifest
from trialbook.datasets.draft_journal import DraftJournal, Layer
from trialbook.datasets.folder import LocalBlobs
from trialbook.datasets.ingest import Ingest, Sources
from trialbook.datasets.known import Known
from trialbook.datasets.manifest import Root
from trialbook.datasets.objects import Objects, draft_key
from trialbook.datasets.pack_writer import SealedPack
from trialbook.datasets.paths import check, clashes, foreign, joined
from trialbook.datasets.patterns import matcher
from trialbook.datasets.repack import repacked
from trialbook.datasets.rows import LINK, NO_PACK, ROW, Array, Rows, merged, places_of
from trialbook.datasets.scan import FACTS, Scan, Skipped, scan_file, scan_folder
from trialbook.datasets.sniff import Policy
from trialbook.datasets.stat_cache import StatCache, same_facts
from trialbook.datasets.unchanged import unchanged
from trialbook.errors import DatasetError

_MUCH = 1 / 8


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


class Draft:
    """Writes one version. Use ``Repository.begin``; close it with ``finish``, ``close`` or ``abandon``.

    Every change is on local disk when its call returns. Bytes travel in ``upload``. ``resumed`` says whether this host
    had something of it already.
    """

    def __init__(
        self, objects: Objects, journal: DraftJournal, stats: StatCache, clock: Clock, version: str,
        parents: Sequence[Root], parent_ids: Sequence[tuple[str, str]], policy: Policy,
    ) -> None:  # fmt: skip
        self.version = version
        self.policy = policy
        self.parents = tuple(parents)
        self._parent_ids = tuple(parent_ids)
        self._objects = objects
        self._journal = journal
        self._stats = stats
        self._clock = clock
        self.resumed = False
        self._scans: list[tuple[Scan, str | None, list[int], float]] = []
        self._sources, removed, self._links = journal.read_changes()
        self._removed = set(removed)
        layers, self._packs = journal.read_layers()
        self._layer = _latest(layers)

    @cached_property
    def base(self) -> Rows:
        """The parents' rows, merged in order."""
        return merged(self._objects.rows(root) for root in self.parents)

    @cached_property
    def _base_places(self) -> dict[str, int]:
        return {path: place for place, path in enumerate(self.base.paths)}

    @property
    def pending(self) -> int:
        """Number of files whose bytes are not stored yet."""
        return int((~self._stored_mask()).sum())

    def paths(self) -> list[str]:
        """Every path of the version as it stands now, sorted."""
        kept = (path for path in self.base.paths if path not in self._removed)
        return sorted({*kept, *self._sources.paths, *self._links.paths})

    def add_folder(
        self, folder: Path, dataset_path: str | None = None, wildcard: str | Sequence[str] | None = None,
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
        named = [wildcard] if isinstance(wildcard, str) else wildcard or ()
        deeper = recursive or any("/" in pattern.strip("/") for pattern in named)
        return self._add(scan_folder(folder, deeper), dataset_path, wildcard, recursive)

    def add_sources(self, sources: Sources) -> None:
        """Take files that another draft had noted, as they were then."""
        self._forget(set(sources.paths) & set(self._links.paths))
        self._sources = _overlaid(self._sources, sources)
        self._save()

    def add_file(self, file: Path, dataset_path: str | None = None) -> Changes:
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
            self._forget(set(paths))
            self._links = merged([self._links, rows])
            self._save()
        return Changes(added, modified, 0, len(latest) - len(fresh))

    def adopt(self, rows: Rows, packs: Mapping[str, tuple[int, int]]) -> None:
        """Take rows whose bytes are stored already, such as those of another version.

        Args:
            rows: files and links; at one path they replace what is there. Their origin becomes this version.
            packs: bytes and members of each pack that they use, by key.
        """
        check(rows.paths)
        files = rows.take(rows.data["kind"] != LINK)
        links = rows.take(rows.data["kind"] == LINK)
        self._forget(set(rows.paths))
        if len(links):
            data = links.data.copy()
            data["origin"] = 0
            self._links = merged([self._links, Rows(links.paths, data, (), ("",), links.links)])
        if len(files):
            files = files.compact()
            data = files.data.copy()
            data["origin"] = 0
            facts = np.zeros(len(files), FACTS)
            layer = Layer(Rows(files.paths, data, files.packs, ("",)), facts)
            used = {key: packs[key] for key in files.packs}
            self._packs.update(used)
            self._journal.write_layer(layer, *((key, *sizes) for key, sizes in used.items()))
            self._layer = _latest([self._layer, layer])
            self._sources = _overlaid(self._sources, Sources(files.paths, [""] * len(files), facts))
        self._save()

    def unportable(self) -> list[Skipped]:
        """Paths that this version brings and that not every system can hold, each with the reason."""
        mine = [*self._sources.paths, *self._links.paths]
        found = [Skipped(path, "not every system allows such a name") for path in foreign(mine)]
        new = set(mine)
        for first, second in clashes(self.paths()):
            if first in new or second in new:
                found.append(Skipped(second, f"it differs from {first!r} in case or accents only"))
        return found

    def remove(self, patterns: str | Sequence[str] | None = None, recursive: bool = True) -> int:
        """Take paths out of the version.

        Args:
            patterns: see ``patterns.matcher``; None is every path.
            recursive: whether a pattern reaches into folders.

        Returns:
            How many were there.
        """
        wanted = matcher(patterns, recursive)
        return self.remove_paths(path for path in self.paths() if wanted(path))

    def remove_paths(self, paths: Iterable[str]) -> int:
        """``remove`` of exactly these paths."""
        gone = set(paths).intersection(self.paths())
        if gone:
            self._forget(gone)
            self._removed |= gone & self._base_places.keys()
            self._save()
        return len(gone)

    def sync(
        self, folder: Path, dataset_path: str | None = None, kept: AbstractSet[str] = frozenset()
    ) -> Changes:
        """Make the version below ``dataset_path`` equal to a folder.

        Args:
            folder: to read from.
            dataset_path: what is not below it is left alone.
            kept: paths that the folder has and that stay as they are.

        Returns:
            Numbers of removed, added and modified paths.
        """
        scan = scan_folder(folder)
        prefix = joined(dataset_path, "")
        there = {joined(dataset_path, path) for path in scan.paths}
        gone = {path for path in self.paths() if path.startswith(prefix) and path not in there}
        changes = self._add(scan, dataset_path, None, True, kept)
        if gone:
            self._forget(gone)
            self._removed |= gone & self._base_places.keys()
            self._save()
        return Changes(changes.added, changes.modified, len(gone), changes.unchanged, changes.skipped)

    def _add(
        self,
        scan: Scan,
        dataset_path: str | None,
        wildcard: str | Sequence[str] | None,
        recursive: bool,
        kept: AbstractSet[str] = frozenset(),
    ) -> Changes:
        started = self._clock()
        wanted = matcher(wildcard, recursive)
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
            same = unchanged(files, facts, self.base, here, remembered.b3[chosen])
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
            if self._links.paths:
                self._forget(set(taken.paths) & set(self._links.paths))
            self._sources = _overlaid(self._sources, taken)
            self._save()
        return Changes(added, modified, 0, untouched, scan.skipped)

    def _here(self, path: str) -> int:
        return -1 if path in self._removed else self._base_places.get(path, -1)

    def _forget(self, paths: set[str]) -> None:
        if any(path in paths for path in self._sources.paths):
            keep = [place for place, path in enumerate(self._sources.paths) if path not in paths]
            self._sources = Sources(
                [self._sources.paths[place] for place in keep], [self._sources.files[place] for place in keep],
                self._sources.facts[keep],
            )  # fmt: skip
        if self._links.paths:
            self._links = self._links.take(
                [n for n, path in enumerate(self._links.paths) if path not in paths]
            )

    def _save(self) -> None:
        self._journal.write_changes(self._sources, self._removed, self._links)

    def _stored_mask(self) -> Array:
        """Which of the changed files are stored as they were added."""
        mask = np.zeros(len(self._sources.paths), bool)
        if not len(self._layer.rows):
            return mask
        where = places_of(self._sources.paths, self._layer.rows.paths)
        there = where >= 0
        mask[there] = same_facts(self._sources.facts[there], self._layer.facts[where[there]])
        return mask

    def upload(
        self,
        progress: Callable[[int, int], None] | None = None,
        policy: Policy | None = None,
        target: Objects | None = None,
        stored: Callable[[str], None] | None = None,
    ) -> int:
        """Store the bytes of every pending file.

        Args:
            progress: told the files and the bytes of each pack that has been stored, from another thread.
            policy: for this upload only; None is the draft's.
            target: a repository that takes the packs instead of the draft's own.
            stored: told the key of each pack before it counts as stored; with ``target``, the caller notes the place.

        Returns:
            Number of packs that were stored by this call.

        Raises:
            SourceChanged: a file went or kept changing; what was stored stays stored.
            OSError: the disk is full.
        """
        policy = policy or self.policy
        waiting = np.flatnonzero(~self._stored_mask())
        if not len(waiting):
            return 0
        target = target or self._objects
        chosen = waiting.tolist()
        sources = Sources(
            [self._sources.paths[place] for place in chosen], [self._sources.files[place] for place in chosen],
            self._sources.facts[waiting],
        )  # fmt: skip
        shipped: set[str] = set()

        def ship(sealed: SealedPack, facts: Array) -> str:
            key = target.store_pack(self.version, sealed.id, sealed.path, sealed.bytes, policy.durable)
            if stored is not None:
                stored(key)
            paths = [sources.paths[place] for place in sealed.places]
            rows = Rows(paths, sealed.rows, (key,), ("",))
            self._packs[key] = (sealed.bytes, len(sealed.members))
            self._journal.write_layer(Layer(rows, facts), (key, *self._packs[key]))
            shipped.add(key)
            if progress is not None:
                progress(len(sealed.places), int(sealed.rows["size"].sum()))
            return key

        blobs = target.blobs
        spool = blobs.spool() if isinstance(blobs, LocalBlobs) else self._journal.spool
        there = Known(merged([self.base, self._layer.rows]))
        direct = policy.durable and isinstance(blobs, LocalBlobs) and _too_much_to_keep(sources)
        rows = Ingest(spool, policy, there, ship, blobs=self._objects.blobs, direct=direct).run(sources)
        self._sources.facts[waiting] = sources.facts
        numbers = np.array([number for number, key in enumerate(rows.packs) if key in shipped], np.uint32)
        alias = ~np.isin(rows.data["pack"], numbers)
        if self._same_as_member(rows, alias):
            self._journal.write_layer(Layer(rows, sources.facts))
        self._layer = _latest([self._layer, Layer(rows, sources.facts)])
        self._save()
        return len(shipped)

    def _same_as_member(self, rows: Rows, alias: Array) -> bool:
        """Whether some rows are in no pack's layer: they share a member with another path."""
        if alias.any():
            return True
        data = rows.data
        order = np.lexsort((data["offset"], data["pack"]))
        pack, offset = data["pack"][order], data["offset"][order]
        return bool(((pack[1:] == pack[:-1]) & (offset[1:] == offset[:-1])).any())

    def rows(self) -> Rows:
        """The rows of the version as it would be finished now.

        Raises:
            DatasetError: files are pending.
        """
        if self.pending:
            raise DatasetError(f"{self.pending} files are not stored yet: upload first")
        return self.standing()[0]

    def standing(self) -> tuple[Rows, Sources]:
        """The rows of everything that is stored, and the files that are not."""
        mask = self._stored_mask()
        stored = self._layer.rows.take(places_of(self._sources.paths, self._layer.rows.paths)[mask])
        waiting = np.flatnonzero(~mask)
        pending = Sources(
            [self._sources.paths[place] for place in waiting.tolist()],
            [self._sources.files[place] for place in waiting.tolist()],
            self._sources.facts[waiting],
        )
        gone = self._removed.union(pending.paths)
        base = self.base
        if gone:
            base = base.take(np.array([path not in gone for path in base.paths], bool))
        rows = merged([base, stored, self._links])
        origins = tuple(origin or self.version for origin in rows.origins)
        return Rows(rows.paths, rows.data, rows.packs, origins, rows.links), pending

    def save(self) -> str:
        """Write what is stored so far as a manifest that no pointer names, for a writer on another host.

        Returns:
            Id of the root, for ``restore``.
        """
        rows, _ = self.standing()
        _, root_id = write_manifest(
            self._objects, rows, self.version, self.parents, self._parent_ids, self._packs, self._clock()
        )
        return root_id

    def restore(self, root_id: str) -> None:
        """Take over what a writer on another host has saved.

        Raises:
            DatasetMissing: it is gone.
        """
        root = self._objects.root(self.version, root_id)
        rows = self._objects.rows(root)
        mine = np.array([origin == self.version for origin in rows.origins], bool)
        self.adopt(
            rows.take(mine[rows.data["origin"]]) if len(rows) else rows,
            {ref.key: (ref.bytes, ref.members) for ref in root.packs},
        )
        there = set(rows.paths)
        self.remove_paths(path for path in self.base.paths if path not in there)

    def finish(self, whole_packs: bool = False) -> Root:
        """Make the version exist.

        Args:
            whole_packs: write the packs that this version brings anew when it does not use all of their members, as
                readers want that unpack a pack as a whole.

        Returns:
            Its root.

        Raises:
            DatasetError: files are pending, or a stored pack is gone.
            DatasetInUse: the version exists already.
        """
        rows = self.rows()
        if whole_packs:
            rows = self._whole(rows)
        root = publish(
            self._objects, rows, self.version, self.parents, self._parent_ids, self._packs, self._clock()
        )
        self._remember(rows)
        self._journal.erase()
        return root

    def _whole(self, rows: Rows) -> Rows:
        inherited = {ref.key for root in self.parents for ref in root.packs}
        sizes = {key: members for key, (_, members) in self._packs.items() if key not in inherited}
        blobs = self._objects.blobs
        spool = blobs.spool() if isinstance(blobs, LocalBlobs) else self._journal.spool

        def ship(sealed: SealedPack, facts: Array) -> str:
            key = self._objects.store_pack(
                self.version, sealed.id, sealed.path, sealed.bytes, self.policy.durable
            )
            self._packs[key] = (sealed.bytes, len(sealed.members))
            return key

        return repacked(rows, sizes, blobs, spool, self._journal.folder, self.policy, ship)

    def _remember(self, rows: Rows) -> None:
        for scan, prefix, chosen, started in self._scans:
            b3, sha256 = np.zeros((len(scan.paths), 4), "<u8"), np.zeros((len(scan.paths), 4), "<u8")
            facts = scan.facts.copy()
            places = np.array(chosen, np.int64)
            every = len(chosen) == len(scan.paths) and not (prefix or "").strip("/")
            paths = scan.paths if every else [joined(prefix, scan.paths[place]) for place in chosen]
            changed = places_of(paths, self._sources.paths)
            facts[places[changed >= 0]] = self._sources.facts[changed[changed >= 0]]
            row = places_of(paths, rows.paths)
            there = row >= 0
            b3[places[there]], sha256[places[there]] = (
                rows.data["b3"][row[there]],
                rows.data["sha256"][row[there]],
            )
            self._stats.remember(Scan(scan.root, scan.paths, facts, ()), b3, sha256, started)
        self._scans.clear()

    def close(self) -> None:
        """Leave the draft as it is, for another time or process."""
        if self._scans:
            self._remember(self.standing()[0])
        self._journal.release()

    def abandon(self) -> None:
        """Give the draft up; what it stored is left to the next prune."""
        self._objects.drop(draft_key(self.version))
        self._journal.erase()


def _too_much_to_keep(sources: Sources) -> bool:
    """Whether files are so large a part of the memory that their packs are better not kept there."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return int(sources.facts["size"].sum()) > memory * _MUCH


def _same_link(rows: Rows, place: int, link: Link) -> bool:
    row = rows.data[place]
    return (
        row["kind"] == LINK
        and int(row["size"]) == link.size
        and rows.links.get(rows.paths[place]) == (link.url, link.etag)
    )


def _overlaid(below: Sources, above: Sources) -> Sources:
    if not below.paths:
        return above
    covered = set(above.paths)
    keep = [place for place, path in enumerate(below.paths) if path not in covered]
    paths = [below.paths[place] for place in keep] + above.paths
    files = [below.files[place] for place in keep] + above.files
    order = sorted(range(len(paths)), key=paths.__getitem__)
    facts = np.concatenate([below.facts[keep], above.facts])[order]
    return Sources([paths[place] for place in order], [files[place] for place in order], facts)


def _latest(layers: Sequence[Layer]) -> Layer:
    """One layer from several: at one path the later one counts."""
    layers = [layer for layer in layers if len(layer.rows)]
    if len(layers) < 2:
        return layers[0] if layers else Layer(Rows(), np.zeros(0, FACTS))
    packs: dict[str, int] = {}
    paths: list[str] = []
    data, facts = [], []
    for layer in layers:
        here = layer.rows.data.copy()
        numbers = np.array([packs.setdefault(key, len(packs)) for key in layer.rows.packs], np.uint32)
        here["pack"] = numbers[here["pack"]]
        paths += layer.rows.paths
        data.append(here)
        facts.append(layer.facts)
    last = {path: place for place, path in enumerate(paths)}
    order = [last[path] for path in sorted(last)]
    rows = Rows([paths[place] for place in order], np.concatenate(data)[order], tuple(packs), ("",))
    return Layer(rows, np.concatenate(facts)[order])
