"""From members to sealed packs: where each finds room, what is stored already, sealing and sending."""

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from trialbook.blobs.store import BlobStore
from trialbook.datasets.ingest.readers import Readers
from trialbook.datasets.manifest.known import Known
from trialbook.datasets.manifest.rows import NO_PACK, Array
from trialbook.datasets.packs.writer import PackWriter, SealedPack
from trialbook.datasets.sources.sniff import Policy
from trialbook.datasets.storage.folder import new_pack

_IN_FLIGHT = 2


@dataclass(frozen=True)
class Sources:
    """Files to store, sorted by path.

    Attributes:
        paths: in the dataset.
        files: on this machine.
        facts: ``FACTS`` as scanned; replaced by what was true when a file was read.
    """

    paths: list[str]
    files: list[str]
    facts: Array


Ship = Callable[[SealedPack, Array], str]
"""Stores a sealed pack and the facts of its members; answers the pack's key. Runs on a thread of its own."""


class Placing:
    """What small and large files of one run have in common; see ``Ingest``."""

    _sources: Sources
    _rows: Array
    _pool: ThreadPoolExecutor
    _beside: ThreadPoolExecutor
    _shipper: ThreadPoolExecutor
    _flusher: ThreadPoolExecutor
    _readers: Readers

    def __init__(
        self, spool: Path, policy: Policy, known: Known, ship: Ship, workers: int | None = None,
        blobs: BlobStore | None = None, direct: bool = False,
    ) -> None:  # fmt: skip
        self._blobs = blobs
        self._direct = direct
        self._spool = spool
        self._policy = policy
        self._known = known
        self._ship = ship
        self._workers = workers or policy.workers or min(8, os.cpu_count() or 1)
        self._writer: PackWriter | None = None
        self._sealing: deque[PackWriter] = deque()
        self._shipping: deque[Future[tuple[SealedPack, str]]] = deque()
        self._packs = list(known.rows.packs)
        self._seen: dict[bytes, int] = {}
        self._samples: set[tuple[int, bytes]] = set()
        self._same: dict[int, int] = {}

    def _is_there(self, place: int, b3: bytes, maybe_known: bool) -> bool:
        path = self._sources.paths[place]
        if maybe_known:
            rows = self._known.rows
            for found in self._known.find(b3):
                if self._policy.aliases or rows.paths[found] == path:
                    keep = self._rows["mtime"][place], self._rows["mode"][place]
                    self._rows[place] = rows.data[found]
                    self._rows["mtime"][place], self._rows["mode"][place] = keep
                    self._rows["origin"][place] = 0
                    return True
        if not self._policy.aliases:
            return False
        first = self._seen.setdefault(b3, place)
        if first != place:
            self._same[place] = first
        return first != place

    def _room(self, size: int) -> PackWriter:
        writer = self._writer
        if writer is not None:
            if writer.takes(size, self._policy.pack_bytes, self._policy.pack_members):
                return writer
            self._cut()
        self._writer = self._new_writer()
        return self._writer

    def _new_writer(self) -> PackWriter:
        return PackWriter(
            new_pack(self._spool),
            self._policy.sha256,
            self._flusher,
            self._direct,
        )

    def _cut(self) -> None:
        if self._writer is not None:
            self._sealing.append(self._writer)
            self._writer = None
            self._relieve()

    def _relieve(self) -> None:
        while len(self._sealing) > 1:
            self._seal_oldest()

    def _settle_all(self) -> None:
        """Know the digests of everything that was placed, before one more file may equal it."""
        if self._writer is not None:
            self._settle(self._writer)
        while self._sealing:
            self._seal_oldest()

    def _settle(self, writer: PackWriter) -> None:
        for place, b3 in writer.settled():
            self._seen.setdefault(b3, place)

    def _seal_oldest(self) -> None:
        # It stays in the queue until it is sealed: who clears up after a failure looks there.
        self._settle(self._sealing[0])
        sealed = self._sealing[0].seal()
        self._sealing.popleft()
        kept = self._rows[["mtime", "mode"]][sealed.places].copy()
        self._rows[sealed.places] = sealed.rows
        self._rows["pack"][sealed.places] = NO_PACK
        self._rows["mtime"][sealed.places], self._rows["mode"][sealed.places] = kept["mtime"], kept["mode"]
        facts = self._sources.facts[sealed.places].copy()
        self._shipping.append(self._shipper.submit(self._sent, sealed, facts))
        while len(self._shipping) > _IN_FLIGHT:
            self._shipped()

    def _sent(self, sealed: SealedPack, facts: Array) -> tuple[SealedPack, str]:
        try:
            return sealed, self._ship(sealed, facts)
        except BaseException:
            sealed.path.unlink(missing_ok=True)
            raise

    def _shipped(self) -> None:
        sealed, key = self._shipping.popleft().result()
        self._packs.append(key)
        self._rows["pack"][sealed.places] = len(self._packs) - 1
