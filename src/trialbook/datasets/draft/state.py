"""What a draft holds: the parents' rows, what was changed, and what of that is stored already."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath

import numpy as np

from trialbook.base.clock import Clock
from trialbook.datasets.draft.commit import Written
from trialbook.datasets.draft.journal import DraftJournal, Layer
from trialbook.datasets.ingest.run import Sources
from trialbook.datasets.manifest.roots import Root
from trialbook.datasets.manifest.rows import Array, Rows, merged, places_of
from trialbook.datasets.paths import in_the_way
from trialbook.datasets.sources.scan import FACTS, Scan
from trialbook.datasets.sources.sniff import Policy
from trialbook.datasets.sources.stat_cache import StatCache, same_facts
from trialbook.datasets.storage.objects import Objects
from trialbook.errors import DatasetError


@dataclass(frozen=True)
class Standing:
    """A version in the making at one moment.

    Attributes:
        rows: of everything that is stored.
        pending: the files that are not.
        base: the parents' rows, merged in order.
        parents: their roots.
    """

    rows: Rows
    pending: Sources
    base: Rows
    parents: tuple[Root, ...]


class DraftState:
    """What every concern of ``Draft`` may use."""

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
        self.fresh = False
        self._scans: list[tuple[Scan, str | PurePath | None, list[int], float]] = []
        self._sources, removed, self._links = journal.read_changes()
        self._removed = set(removed)
        layers, self._packs = journal.read_layers()
        self._layer = latest(layers)
        self._standing: tuple[Rows, Sources] | None = None
        self._written = Written()
        self.root_id = ""
        """Of the finished version."""

    def look_in(self, objects: Objects) -> None:
        """Go on with the same repository, opened anew by someone who knows more places of packs."""
        self._objects = objects

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
        return len(self.standing()[1].paths)

    def paths(self) -> list[str]:
        """Every path of the version as it stands now, sorted."""
        if not (self._removed or self._sources.paths or self._links.paths):
            return list(self.base.paths)
        kept = (path for path in self.base.paths if path not in self._removed)
        return sorted({*kept, *self._sources.paths, *self._links.paths})

    def remove_paths(self, paths: Iterable[str]) -> int:
        """Take exactly these paths out of the version; how many were there."""
        gone = set(paths).intersection(self.paths())
        if gone:
            self._forget(gone)
            self._removed |= gone & self._base_places.keys()
            self._save()
        return len(gone)

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

    def _make_way(self, paths: Sequence[str]) -> None:
        """Take out what cannot stand beside new paths: the later one wins."""
        gone = in_the_way(self.paths(), paths)
        if gone:
            self._forget(gone)
            self._removed |= gone & self._base_places.keys()

    def _save(self) -> None:
        self._standing = None
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
        if self._standing is None:
            self._standing = self._stands()
        return self._standing

    def view(self) -> Standing:
        """All of it, as it is now."""
        return Standing(*self.standing(), self.base, self.parents)

    def _stands(self) -> tuple[Rows, Sources]:
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


def overlaid(below: Sources, above: Sources) -> Sources:
    """Files of two lists; at one path the second counts."""
    if not below.paths:
        return above
    covered = set(above.paths)
    keep = [place for place, path in enumerate(below.paths) if path not in covered]
    paths = [below.paths[place] for place in keep] + above.paths
    files = [below.files[place] for place in keep] + above.files
    order = sorted(range(len(paths)), key=paths.__getitem__)
    facts = np.concatenate([below.facts[keep], above.facts])[order]
    return Sources([paths[place] for place in order], [files[place] for place in order], facts)


def latest(layers: Sequence[Layer]) -> Layer:
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
