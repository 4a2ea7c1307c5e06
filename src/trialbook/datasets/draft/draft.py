"""A version in the making: add, remove, upload, finish; a killed writer opens it again and goes on."""

import numpy as np

from trialbook.datasets.draft.commit import publish
from trialbook.datasets.draft.content import Changes as Changes
from trialbook.datasets.draft.content import ContentOfDraft
from trialbook.datasets.draft.content import Link as Link
from trialbook.datasets.draft.repack import repacked
from trialbook.datasets.draft.storing import StoringOfDraft
from trialbook.datasets.manifest.roots import Root
from trialbook.datasets.manifest.rows import Array, Rows, places_of
from trialbook.datasets.packs.writer import SealedPack
from trialbook.datasets.paths import joined, within
from trialbook.datasets.sources.scan import Scan
from trialbook.datasets.storage.objects import draft_key


class Draft(ContentOfDraft, StoringOfDraft):
    """Writes one version. Use ``Repository.begin``; close it with ``finish``, ``close`` or ``abandon``.

    Every change is on local disk when its call returns. Bytes travel in ``upload``. ``resumed`` says whether this host
    had something of it already, ``fresh`` that nobody can have stored anything of it.
    """

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
        root, self.root_id = publish(
            self._objects, rows, self.version, self.parents, self._parent_ids, self._packs, self._clock(),
            written=self._written,
        )  # fmt: skip
        # As they were written, should packs have been written anew.
        self._standing = (rows, self.standing()[1])
        self._remember(rows)
        self._journal.erase()
        return root

    def _whole(self, rows: Rows) -> Rows:
        inherited = {ref.key for root in self.parents for ref in root.packs}
        sizes = {key: members for key, (_, members) in self._packs.items() if key not in inherited}
        blobs = self._objects.blobs

        def ship(sealed: SealedPack, facts: Array) -> str:
            key = self._objects.store_pack(
                self.version, sealed.id, sealed.path, sealed.bytes, self.policy.durable
            )
            self._packs[key] = (sealed.bytes, len(sealed.members))
            return key

        return repacked(rows, sizes, blobs, self._spool(blobs), self._journal.folder, self.policy, ship)

    def _remember(self, rows: Rows) -> None:
        for scan, prefix, chosen, started in self._scans:
            b3, sha256 = np.zeros((len(scan.paths), 4), "<u8"), np.zeros((len(scan.paths), 4), "<u8")
            facts = scan.facts.copy()
            places = np.array(chosen, np.int64)
            every = len(chosen) == len(scan.paths) and not within(prefix)
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
