"""From files to sealed packs: every byte is read once, hashed, and written as it was hashed."""

import os
import zlib
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from blake3 import blake3

from trialbook.blobs.store import BlobStore
from trialbook.datasets.digest import Facts, digest_bytes_of, open_source, read_whole, stream, unreadable
from trialbook.datasets.known import Known
from trialbook.datasets.pack_reader import wanted_of
from trialbook.datasets.pack_writer import Digests, PackWriter, SealedPack, write_all
from trialbook.datasets.piecing import SMALLEST, cut, earlier, worth_it, write_pieces
from trialbook.datasets.rows import DEFLATE, FILE, NO_PACK, ROW, STORED, Array, Rows
from trialbook.datasets.scan import facts_of
from trialbook.datasets.sniff import SAMPLE, Policy, method, pack, places
from trialbook.errors import DatasetDamaged, DatasetMissing

try:
    from compression import zstd
except ImportError:
    from backports import zstd

SMALL = 512 << 10
_BATCH_FILES, _BATCH_BYTES = 256, 16 << 20
_IN_FLIGHT = 2
_EARLY = 64 << 20
"""Bytes of a very large file after which the disk begins to write them."""
_READING = os.O_RDONLY | os.O_CLOEXEC


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


_Compressed = tuple[bytes | None, Digests, Facts]
"""The packed bytes (None when they are no fewer), digests of the plain ones, and the file's facts."""
_Turn = tuple[int, int, Future[_Compressed] | None]
"""A large file that waits for its place in a pack: number, method, and its bytes when they are made beside."""

Ship = Callable[[SealedPack, Array], str]
"""Stores a sealed pack and the facts of its members; answers the pack's key. Runs on a thread of its own."""


class Ingest:
    """One run over sources.

    Args:
        spool: folder for packs in the making.
        policy: of the draft.
        known: content that is stored already.
        ship: see ``Ship``.
        workers: threads for large files.
        blobs: where the packs of ``known`` lie; without it no file is stored in pieces.
    """

    def __init__(
        self, spool: Path, policy: Policy, known: Known, ship: Ship, workers: int | None = None,
        blobs: BlobStore | None = None,
    ) -> None:  # fmt: skip
        self._blobs = blobs
        self._spool = spool
        self._policy = policy
        self._known = known
        self._ship = ship
        self._workers = workers or policy.workers or min(8, os.cpu_count() or 1)
        self._writer: PackWriter | None = None
        self._sealing: deque[PackWriter] = deque()
        self._shipping: deque[Future[tuple[SealedPack, str]]] = deque()
        self._number = 0
        self._packs = list(known.rows.packs)
        self._seen: dict[bytes, int] = {}
        self._samples: set[tuple[int, bytes]] = set()
        self._same: dict[int, int] = {}

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
        sizes = self._sources.facts["size"].tolist()
        place, count = 0, len(sizes)
        while place < count:
            end, total = place, 0
            while end < count and end - place < _BATCH_FILES and sizes[end] < SMALL and total < _BATCH_BYTES:
                total += sizes[end]
                end += 1
            if end > place:
                self._small(place, end)
            else:
                while end < count and sizes[end] >= SMALL:
                    end += 1
                self._large(place, end)
            place = end
        self._cut()
        while self._sealing:
            self._seal_oldest()
        while self._shipping:
            self._shipped()

    def _small(self, start: int, end: int) -> None:
        """A batch of small files: opened together, so that a cold disk reads ahead, then read one by one."""
        files, facts = self._sources.files, self._sources.facts
        sha256 = self._policy.sha256
        read: list[tuple[bytes, Digests]] = []
        expected = facts[start:end].tolist()
        handles: list[int] = []
        try:
            # A hundred thousands of these calls are felt: the loop goes through as few functions as it can.
            for name in files[start:end]:
                try:
                    handle = os.open(name, _READING)
                except OSError:
                    handle = open_source(name)
                handles.append(handle)
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_WILLNEED)
            for number, handle in enumerate(handles):
                try:
                    data = os.read(handle, expected[number][0] + 1)
                except OSError as error:
                    raise unreadable(files[start + number], error) from error
                now: Facts = facts_of(os.fstat(handle))
                if now != expected[number] or len(data) != now[0]:
                    data, now = read_whole(files[start + number])
                    facts[start + number] = now
                read.append((data, digest_bytes_of(data, sha256)))
        finally:
            for handle in handles:
                os.close(handle)
        if self._known.empty:
            maybe = [False] * len(read)
        else:
            maybe = self._known.any_of([digests.b3 for _, digests in read]).tolist()
        paths, policy, seen = self._sources.paths, self._policy, self._seen
        for place, (data, digests), known in zip(range(start, end), read, maybe, strict=True):
            if (known or digests.b3 in seen) and self._is_there(place, digests.b3, known):
                continue
            seen.setdefault(digests.b3, place)
            how, path = method(policy, paths[place], len(data), data), paths[place]
            if how != STORED and (packed := pack(how, data)) is not None:
                self._room(len(packed)).append(place, path, how, digests, packed)
            else:
                self._room(len(data)).append(place, path, STORED, digests, data)

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
        first = self._seen.setdefault(b3, place)
        if first != place and self._policy.aliases:
            self._same[place] = first
            return True
        return False

    def _large(self, start: int, end: int) -> None:
        """A run of large files: several are read at once, their places in the pack are given in path order."""
        waiting: deque[_Turn] = deque()
        for place in range(start, end):
            how = self._looked_at(place, waiting)
            if how is None or self._in_pieces(place, how):
                continue
            later = None
            if how != STORED and int(self._sources.facts["size"][place]) <= self._policy.pack_bytes:
                later = self._pool.submit(self._compressed, place, how)
            waiting.append((place, how, later))
            if len(waiting) > self._workers:
                self._place(*waiting.popleft())
        while waiting:
            self._place(*waiting.popleft())

    def _looked_at(self, place: int, waiting: "deque[_Turn]") -> int | None:
        """How to store a file, judged by a sample; None when its content is stored already."""
        source = self._sources.files[place]
        handle = open_source(source)
        try:
            now = facts_of(os.fstat(handle))
            self._sources.facts[place] = now
            sample = b"".join(os.pread(handle, SAMPLE, at) for at in places(now[0]))
        except OSError as error:
            raise unreadable(source, error) from error
        finally:
            os.close(handle)
        mark = (now[0], blake3(sample).digest())
        if now[0] in self._known.sizes or mark in self._samples:
            while waiting:
                self._place(*waiting.popleft())
            self._settle_all()
            digests, _ = stream(source, now[0], False)
            if self._is_there(place, digests.b3, True):
                return None
        self._samples.add(mark)
        return method(self._policy, self._sources.paths[place], now[0], sample)

    def _in_pieces(self, place: int, how: int) -> bool:
        """Store what is new of a file that was there in another form; False when that is not the way."""
        path, size = self._sources.paths[place], int(self._sources.facts["size"][place])
        policy, rows = self._policy, self._known.rows
        if self._blobs is None or not (policy.native and policy.pieces) or size < SMALLEST:
            return False
        number = rows.find(path)
        if number is None or rows.data["kind"][number] != FILE or rows.data["size"][number] < SMALLEST:
            return False
        (wanted,) = wanted_of(np.array([number]), rows.data)
        try:
            before = earlier(self._blobs, rows.pack_of(number), wanted)
        except (DatasetMissing, DatasetDamaged):
            # What cannot be read can lend nothing; the new file is stored as a whole.
            return False
        source = self._sources.files[place]
        found = cut(source, size, policy.sha256, before.bits)
        if not worth_it(found, before):
            return False
        writer = self._new_writer()
        self._sealing.append(writer)
        if not write_pieces(writer, place, path, source, found, before, how != STORED):
            self._sealing.remove(writer)
            writer.discard()
            return False
        self._sources.facts[place] = found.facts
        self._relieve()
        return True

    def _place(self, place: int, how: int, later: "Future[_Compressed] | None") -> None:
        path, size = self._sources.paths[place], int(self._sources.facts["size"][place])
        if later is not None:
            packed, digests, facts = later.result()
            if packed is not None:
                self._sources.facts[place] = facts
                self._seen.setdefault(digests.b3, place)
                self._room(len(packed)).append(place, path, how, digests, packed)
                return
            how = STORED
        if size > self._policy.pack_bytes:
            self._alone(place, how)
            return
        writer = self._room(size)
        offset = writer.reserve(path, size)
        writer.settle(
            place, path, offset, size, self._pool.submit(self._copied, place, writer, offset, False)
        )

    def _alone(self, place: int, how: int) -> None:
        """A file larger than a pack gets one of its own."""
        path, size = self._sources.paths[place], int(self._sources.facts["size"][place])
        writer = self._new_writer()
        offset = writer.reserve(path, 0 if how != STORED else size)
        offset += 20 if how != STORED and size >= 0xFFFFFFFF else 0
        if how != STORED:
            packed = self._streamed(place, how, writer.handle, offset)
            if packed is not None:
                done: Future[Digests] = Future()
                done.set_result(packed[0])
                writer.settle(place, path, offset, packed[1], done, how)
                self._sealing.append(writer)
                self._relieve()
                return
        found = self._pool.submit(self._copied, place, writer, offset, True)
        writer.settle(place, path, offset, size, found)
        self._sealing.append(writer)
        self._relieve()

    def _copied(self, place: int, writer: PackWriter, offset: int, alone: bool) -> Digests:
        size, handle = int(self._sources.facts["size"][place]), writer.handle
        early = alone and self._policy.durable

        def sink(view: memoryview, at: int) -> None:
            write_all(handle, view, offset + at)
            if early and (at + len(view)) % _EARLY < len(view):
                writer.sync_soon()

        beside = self._beside if alone else None
        digests, facts = stream(self._sources.files[place], size, self._policy.sha256, sink, beside)
        self._sources.facts[place] = facts
        return digests

    def _compressed(self, place: int, how: int) -> _Compressed:
        data, facts = read_whole(self._sources.files[place])
        return pack(how, data), digest_bytes_of(data, self._policy.sha256), facts

    def _streamed(self, place: int, how: int, handle: int, offset: int) -> tuple[Digests, int] | None:
        size = int(self._sources.facts["size"][place])
        state: dict[str, int] = {"at": offset}
        packer = [zlib.compressobj(1, zlib.DEFLATED, -15) if how == DEFLATE else zstd.ZstdCompressor(3)]

        def sink(view: memoryview, at: int) -> None:
            if at == 0:
                state["at"] = offset
                packer[0] = (
                    zlib.compressobj(1, zlib.DEFLATED, -15) if how == DEFLATE else zstd.ZstdCompressor(3)
                )
            packed = packer[0].compress(view)
            write_all(handle, packed, state["at"])
            state["at"] += len(packed)

        digests, facts = stream(self._sources.files[place], size, self._policy.sha256, sink, self._beside)
        rest = packer[0].flush()
        write_all(handle, rest, state["at"])
        stored = state["at"] + len(rest) - offset
        self._sources.facts[place] = facts
        if stored < size:
            os.ftruncate(handle, offset + stored)
            return digests, stored
        os.ftruncate(handle, 0)
        return None

    def _room(self, size: int) -> PackWriter:
        writer = self._writer
        if writer is not None:
            if writer.takes(size, self._policy.pack_bytes, self._policy.pack_members):
                return writer
            self._cut()
        self._writer = self._new_writer()
        return self._writer

    def _new_writer(self) -> PackWriter:
        self._number += 1
        return PackWriter(
            self._spool / f"pack-{os.getpid()}-{self._number}", self._policy.sha256, self._flusher
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
            for place, b3 in self._writer.settled():
                self._seen.setdefault(b3, place)
        while self._sealing:
            self._seal_oldest()

    def _seal_oldest(self) -> None:
        # It stays in the queue until it is sealed: who clears up after a failure looks there.
        sealed = self._sealing[0].seal()
        self._sealing.popleft()
        b3 = np.ascontiguousarray(sealed.rows["b3"]).tobytes()
        for number, place in enumerate(sealed.places):
            self._seen.setdefault(b3[32 * number : 32 * number + 32], place)
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
