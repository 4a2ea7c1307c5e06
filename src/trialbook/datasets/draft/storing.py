"""Storing what a draft holds: upload, and what others have stored."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from trialbook.blobs.store import BlobStore
from trialbook.datasets.draft.commit import write_manifest
from trialbook.datasets.draft.journal import Layer
from trialbook.datasets.draft.state import DraftState, latest, overlaid
from trialbook.datasets.ingest.run import Ingest, Sources
from trialbook.datasets.manifest.known import Known
from trialbook.datasets.manifest.rows import LINK, Array, Rows, merged
from trialbook.datasets.packs.writer import SealedPack
from trialbook.datasets.paths import check
from trialbook.datasets.sources.scan import FACTS
from trialbook.datasets.sources.sniff import Policy
from trialbook.datasets.storage.folder import LocalBlobs, clear_spool
from trialbook.datasets.storage.objects import Objects
from trialbook.datasets.storage.prune import GRACE

_MUCH = 1 / 64
"""Packs of more than this part of the memory go past the page cache."""


class StoringOfDraft(DraftState):
    """Members that bring bytes into the storage."""

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
        # What is sent a second time, or by a second writer, may be there already.
        again, self.fresh = not self.fresh, False

        def ship(sealed: SealedPack, facts: Array) -> str:
            key = target.store_pack(
                self.version, sealed.id, sealed.path, sealed.bytes, policy.durable, look=again
            )
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
        spool = self._spool(blobs)
        there = Known(merged([self.base, self._layer.rows]))
        direct = policy.durable and isinstance(blobs, LocalBlobs) and _too_much_to_keep(sources)
        rows = Ingest(spool, policy, there, ship, blobs=self._objects.blobs, direct=direct).run(sources)
        self._sources.facts[waiting] = sources.facts
        numbers = np.array([number for number, key in enumerate(rows.packs) if key in shipped], np.uint32)
        alias = ~np.isin(rows.data["pack"], numbers)
        if self._same_as_member(rows, alias):
            self._journal.write_layer(Layer(rows, sources.facts))
        self._layer = latest([self._layer, Layer(rows, sources.facts)])
        self._save()
        return len(shipped)

    def _spool(self, blobs: BlobStore) -> Path:
        """Where packs for a storage are made; what a writer that was killed left there goes after a day."""
        if not isinstance(blobs, LocalBlobs):
            return self._journal.spool
        spool = blobs.spool()
        clear_spool(spool, self._clock() - GRACE)
        return spool

    def _same_as_member(self, rows: Rows, alias: Array) -> bool:
        """Whether some rows are in no pack's layer: they share a member with another path."""
        if alias.any():
            return True
        data = rows.data
        order = np.lexsort((data["offset"], data["pack"]))
        pack, offset = data["pack"][order], data["offset"][order]
        return bool(((pack[1:] == pack[:-1]) & (offset[1:] == offset[:-1])).any())

    def adopt(self, rows: Rows, packs: Mapping[str, tuple[int, int]]) -> None:
        """Take rows whose bytes are stored already, such as those of another version.

        Args:
            rows: files and links; at one path they replace what is there. Their origin becomes this version.
            packs: bytes and members of each pack that they use, by key.
        """
        check(rows.paths)
        files = rows.take(rows.data["kind"] != LINK)
        links = rows.take(rows.data["kind"] == LINK)
        self._make_way(rows.paths)
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
            self._layer = latest([self._layer, layer])
            self._sources = overlaid(self._sources, Sources(files.paths, [""] * len(files), facts))
        self._save()

    def save(self) -> str:
        """Write what is stored so far as a manifest that no pointer names, for a writer on another host.

        Returns:
            Id of the root, for ``restore``.
        """
        rows, _ = self.standing()
        _, root_id = write_manifest(
            self._objects, rows, self.version, self.parents, self._parent_ids, self._packs, self._clock(),
            written=self._written,
        )  # fmt: skip
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


def _too_much_to_keep(sources: Sources) -> bool:
    """Whether files are so large a part of the memory that their packs are better not kept there."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return int(sources.facts["size"].sum()) > memory * _MUCH
