"""From files to sealed packs: every byte is read once, hashed, and written as it was hashed."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from trialbook.datasets.ingest.large import LargeFiles
from trialbook.datasets.ingest.placing import Ship as Ship
from trialbook.datasets.ingest.placing import Sources as Sources
from trialbook.datasets.ingest.readers import Readers
from trialbook.datasets.ingest.reading import SMALL
from trialbook.datasets.ingest.small import SmallFiles
from trialbook.datasets.manifest.rows import NO_PACK, ROW, Rows


class Ingest(SmallFiles, LargeFiles):
    """One run over sources.

    Args:
        spool: folder for packs in the making.
        policy: of the draft.
        known: content that is stored already.
        ship: see ``Ship``.
        workers: threads for large files.
        blobs: where the packs of ``known`` lie; without it no file is stored in pieces.
        direct: packs are written past the page cache.
    """

    def run(self, sources: Sources) -> Rows:
        """Store all; the rows name packs that ``ship`` has stored.

        Raises:
            SourceChanged: a file went or kept changing.
            OSError: the disk is full.
        """
        self._sources = sources
        self._rows = np.zeros(len(sources.paths), ROW)
        self._rows["pack"] = NO_PACK
        self._rows["mtime"] = sources.facts["mtime"]
        self._rows["mode"] = (sources.facts["mode"] & 0o100) >> 6
        with (
            ThreadPoolExecutor(self._workers, "dataset") as self._pool,
            ThreadPoolExecutor(1, "dataset-sha") as self._beside,
            ThreadPoolExecutor(1, "dataset-ship") as self._shipper,
            ThreadPoolExecutor(1, "dataset-flush") as self._flusher,
            Readers(int((sources.facts["size"] < SMALL).sum()), self._policy.workers) as self._readers,
        ):
            try:
                self._all()
            except BaseException:
                for writer in [*self._sealing, *([self._writer] if self._writer else [])]:
                    self._pool.shutdown(wait=True, cancel_futures=True)
                    writer.discard()
                raise
        for place, first in self._same.items():
            for name in ("b3", "sha256", "size", "crc", "method", "offset", "stored", "pack"):
                self._rows[name][place] = self._rows[name][first]
        self._rows["mtime"] = sources.facts["mtime"]
        return Rows(sources.paths, self._rows, tuple(self._packs), ("",))

    def _all(self) -> None:
        small = self._sources.facts["size"] < SMALL
        # Where small files give way to large ones, and the other way round.
        turns = np.flatnonzero(small[1:] != small[:-1]) + 1
        ends = [*turns.tolist(), len(small)] if len(small) else []
        start = 0
        for end in ends:
            if small[start]:
                self._small(start, end)
            else:
                self._large(start, end)
            start = end
        self._cut()
        while self._sealing:
            self._seal_oldest()
        while self._shipping:
            self._shipped()
