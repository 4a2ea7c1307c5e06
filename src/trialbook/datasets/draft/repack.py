"""Packs of a version that hold members nobody uses, written anew with what is used."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from trialbook.blobs.store import BlobStore
from trialbook.datasets.copies.materialise import materialise
from trialbook.datasets.copies.plan import by_pack, plan
from trialbook.datasets.ingest.run import Ingest, Ship, Sources
from trialbook.datasets.manifest.known import Known
from trialbook.datasets.manifest.rows import FILE, Array, Rows, known, merged
from trialbook.datasets.packs.reader import RUN_BYTES, PackReader
from trialbook.datasets.packs.writer import Digests, PackWriter
from trialbook.datasets.sources.facts import facts_of
from trialbook.datasets.sources.scan import FACTS
from trialbook.datasets.sources.sniff import Policy
from trialbook.datasets.storage.folder import new_pack


def repacked(
    rows: Rows, members: Mapping[str, int], blobs: BlobStore, spool: Path, folder: Path, policy: Policy, ship: Ship
) -> Rows:  # fmt: skip
    """Rows that use every member of the packs named.

    Args:
        rows: of a whole version.
        members: of each pack that must be used as a whole, by key.
        blobs: where packs lie.
        spool: for packs in the making.
        folder: on this machine, for the files of packs that are opened.
        policy: of the new packs.
        ship: stores a new pack.

    Returns:
        The same rows when nothing had to be done.
    """
    files = rows.data["kind"] == FILE
    used = np.bincount(rows.data["pack"][files], minlength=len(rows.packs))
    partly = [
        number for number, key in enumerate(rows.packs) if key in members and 0 < used[number] < members[key]
    ]
    if not partly:
        return rows
    chosen = rows.take(files & np.isin(rows.data["pack"], np.array(partly, np.uint32)))
    small = np.maximum(chosen.data["stored"].astype(np.int64), chosen.data["size"]) <= RUN_BYTES
    # Members whose BLAKE3 is not known, of other writers' zips, must be read for it; large ones in such packs are rare.
    small &= known(chosen.data["b3"])
    result = merged([rows, _copied(chosen.take(small), blobs, spool, policy, ship)])
    return merged([result, _by_files(chosen.take(~small), blobs, spool, folder, policy, ship)])


def _copied(chosen: Rows, blobs: BlobStore, spool: Path, policy: Policy, ship: Ship) -> Rows:
    """Members of packs in new packs, unchanged, in path order."""
    if not len(chosen):
        return Rows()
    writer = _Packs(spool, policy, ship)
    for key, wanted in by_pack(chosen, range(len(chosen))):
        for item, data in PackReader(blobs, key).stored(wanted):
            digests = Digests(item.b3, item.sha256, int(chosen.data["crc"][item.place]), item.size)
            writer.append(item.place, chosen.paths[item.place], item.method, digests, data)
    writer.end()
    data = chosen.data.copy()
    for place, (row, pack) in writer.placed.items():
        for name in ("offset", "stored", "crc", "method"):
            data[name][place] = row[name]
        data["pack"][place] = pack
    return Rows(chosen.paths, data, tuple(writer.keys), chosen.origins)


class _Packs:
    """Packs in the making, one after the other."""

    def __init__(self, spool: Path, policy: Policy, ship: Ship) -> None:
        self._spool, self._policy, self._ship = spool, policy, ship
        self._writer: PackWriter | None = None
        self.keys: list[str] = []
        self.placed: dict[int, tuple[Array, int]] = {}

    def append(self, place: int, path: str, method: int, digests: Digests, data: memoryview) -> None:
        """A member; a pack that is full is sealed first."""
        writer = self._writer
        full = writer is not None and (
            writer.length + len(data) > self._policy.pack_bytes or len(writer) >= self._policy.pack_members
        )
        if full:
            self.end()
        if self._writer is None:
            self._writer = PackWriter(new_pack(self._spool), any(digests.sha256))
        self._writer.append(place, path, method, digests, data)

    def end(self) -> None:
        """Seal and store what is open."""
        if self._writer is None:
            return
        sealed, self._writer = self._writer.seal(), None
        self.keys.append(self._ship(sealed, np.zeros(len(sealed.places), FACTS)))
        self.placed.update(
            {place: (sealed.rows[number], len(self.keys) - 1) for number, place in enumerate(sealed.places)}
        )


def _by_files(chosen: Rows, blobs: BlobStore, spool: Path, folder: Path, policy: Policy, ship: Ship) -> Rows:
    if not len(chosen):
        return Rows()
    top = Path(tempfile.mkdtemp(prefix="repack-", dir=folder))
    try:
        materialise(plan(chosen), blobs, top, private=True)
        names = [f"{top}/{path}" for path in chosen.paths]
        facts = np.array([facts_of(Path(name).stat()) for name in names], FACTS)
        fresh = Ingest(spool, policy, Known(Rows()), ship).run(Sources(chosen.paths, names, facts))
    finally:
        shutil.rmtree(top, ignore_errors=True)
    data = fresh.data.copy()
    for name in ("mtime", "mode", "origin"):
        data[name] = chosen.data[name]
    return Rows(fresh.paths, data, fresh.packs, chosen.origins)
