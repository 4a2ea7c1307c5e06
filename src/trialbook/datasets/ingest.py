"""From files to sealed packs: every byte is read once, hashed, and written as it was hashed."""

import os
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from blake3 import blake3

from trialbook.blobs.store import BlobStore
from trialbook.datasets.digest import digest_bytes_of, open_source, read_whole, stream, unreadable
from trialbook.datasets.direct import Output
from trialbook.datasets.facts import Facts, facts_of
from trialbook.datasets.known import Known
from trialbook.datasets.pack_reader import wanted_of
from trialbook.datasets.pack_writer import Digests, PackWriter, SealedPack
from trialbook.datasets.piecing import SMALLEST, cut, earlier, worth_it, write_pieces
from trialbook.datasets.readers import Readers
from trialbook.datasets.reading import BATCH_BYTES, BATCH_FILES, SMALL, UNREAD, Ask, Found
from trialbook.datasets.rows import DEFLATE, FILE, NO_PACK, ROW, STORED, Array, Rows, digest_words
from trialbook.datasets.sniff import SAMPLE, Policy, method, pack, places
from trialbook.errors import DatasetDamaged, DatasetMissing

try:
    from compression import zstd
except ImportError:
    from backports import zstd

_IN_FLIGHT = 2
_STEP, _STEP_DIRECT = 512 << 10, 2 << 20
"""Bytes of a large file that are read, hashed and written at once; past the page cache a write waits for the disk."""
_EARLY = 64 << 20
"""Bytes of a very large file after which the disk begins to write them."""


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
        direct: packs are written past the page cache.
    """

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

    def _small(self, start: int, end: int) -> None:
        """A run of small files, read in batches, here and in other processes."""
        cuts = self._batches(start, end)
        found = self._readers.read(self._asked(first, last) for first, last in cuts)
        for (first, _), (batch, room) in zip(cuts, found, strict=True):
            self._batch(first, batch, room)

    def _batches(self, start: int, end: int) -> list[tuple[int, int]]:
        so_far = np.cumsum(self._sources.facts["size"][start:end])
        cuts = []
        first = start
        while first < end:
            before = so_far[first - start - 1] if first > start else 0
            full = start + int(np.searchsorted(so_far, before + BATCH_BYTES)) + 1
            cuts.append((first, min(full, first + BATCH_FILES, end)))
            first = cuts[-1][1]
        return cuts

    def _asked(self, first: int, last: int) -> Ask:
        files, paths, facts = self._sources.files, self._sources.paths, self._sources.facts
        return Ask(files[first:last], paths[first:last], facts[first:last].tobytes(), self._policy)

    def _batch(self, first: int, found: Found, room: memoryview) -> None:
        """Members that were read, in path order: runs of them as they lie in the room, the others one by one."""
        rows, starts = _rows_of(found)
        apart: dict[int, tuple[int, bytes] | None] = {}
        for number in np.flatnonzero(rows["method"] == UNREAD).tolist():
            apart[number] = self._read_again(first + number, rows[number : number + 1])
        for number in self._there(first, rows["b3"]):
            apart[number] = None
        begin = 0
        for number in [*sorted(apart), len(rows)]:
            self._run(first, begin, number, rows, starts, room)
            begin = number + 1
            single = apart.get(number)
            if single is not None:
                place, row, (how, data) = first + number, rows[number], single
                digests = Digests(
                    row["b3"].tobytes(), row["sha256"].tobytes(), int(row["crc"]), int(row["size"])
                )
                self._room(len(data)).append(place, self._sources.paths[place], how, digests, data)

    def _read_again(self, place: int, row: Array) -> tuple[int, bytes]:
        """A file that was not as it had been seen: its method and its stored bytes; ``row`` gets its digests."""
        path = self._sources.paths[place]
        data, self._sources.facts[place] = read_whole(self._sources.files[place])
        digests = digest_bytes_of(data, self._policy.sha256)
        row["b3"], row["sha256"] = digest_words(digests.b3), digest_words(digests.sha256)
        row["crc"], row["size"] = digests.crc, digests.size
        how = method(self._policy, path, len(data), data)
        packed = pack(how, data) if how != STORED else None
        return (STORED, data) if packed is None else (how, packed)

    def _there(self, first: int, b3: Array) -> Iterator[int]:
        """Which files of a batch have content that is stored already."""
        if self._policy.aliases:
            whole = np.ascontiguousarray(b3).tobytes()
            digests = [whole[place : place + 32] for place in range(0, len(whole), 32)]
            known = self._known.any_of(b3).tolist()
            seen = self._seen
            for number, digest in enumerate(digests):
                if (known[number] or digest in seen) and self._is_there(
                    first + number, digest, known[number]
                ):
                    yield number
                else:
                    seen.setdefault(digest, first + number)
        else:
            for number in np.flatnonzero(self._known.any_of(b3)).tolist():
                if self._is_there(first + number, b3[number].tobytes(), True):
                    yield number

    def _run(self, first: int, begin: int, end: int, rows: Array, starts: Array, room: memoryview) -> None:
        """Members that lie behind each other in the room, into as many packs as they need."""
        policy = self._policy
        while begin < end:
            stored, at = rows["stored"][begin:end].astype(np.int64), starts[begin : end + 1]
            writer = self._room(int(stored[0]))
            full = writer.length + at[:-1] - at[0] + stored > policy.pack_bytes
            full[max(0, policy.pack_members - len(writer)) :] = True
            # Whatever the first is, it has its room.
            full[0] = False
            count = int(full.argmax()) or len(full)
            part = rows[begin : begin + count].copy()
            part["offset"] -= np.uint64(at[0])
            places = range(first + begin, first + begin + count)
            names = self._sources.paths[places.start : places.stop]
            writer.append_run(places, names, part, room[int(at[0]) : int(at[count])])
            begin += count

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
        if self._maybe_there(self._sources.paths[place], mark):
            while waiting:
                self._place(*waiting.popleft())
            self._settle_all()
            digests, _ = stream(source, now[0], False)
            if self._is_there(place, digests.b3, True):
                return None
        self._samples.add(mark)
        return method(self._policy, self._sources.paths[place], now[0], sample)

    def _maybe_there(self, path: str, mark: tuple[int, bytes]) -> bool:
        if self._policy.aliases:
            return mark[0] in self._known.sizes or mark in self._samples
        rows = self._known.rows
        number = rows.find(path)
        return number is not None and int(rows.data["size"][number]) == mark[0]

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
        self._seen.setdefault(found.digests.b3, place)
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
            packed = self._streamed(place, how, writer.file, offset)
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
        size = int(self._sources.facts["size"][place])
        early = alone and self._policy.durable

        def sink(view: memoryview, at: int) -> None:
            writer.file.write(view, offset + at)
            if early and (at + len(view)) % _EARLY < len(view):
                writer.sync_soon()

        beside = self._beside if alone else None
        chunk = _STEP_DIRECT if self._direct else _STEP
        digests, facts = stream(self._sources.files[place], size, self._policy.sha256, sink, beside, chunk)
        self._sources.facts[place] = facts
        return digests

    def _compressed(self, place: int, how: int) -> _Compressed:
        data, facts = read_whole(self._sources.files[place])
        return pack(how, data), digest_bytes_of(data, self._policy.sha256), facts

    def _streamed(self, place: int, how: int, file: Output, offset: int) -> tuple[Digests, int] | None:
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
            file.write(packed, state["at"])
            state["at"] += len(packed)

        digests, facts = stream(self._sources.files[place], size, self._policy.sha256, sink, self._beside)
        rest = packer[0].flush()
        file.write(rest, state["at"])
        stored = state["at"] + len(rest) - offset
        self._sources.facts[place] = facts
        if stored < size:
            os.ftruncate(file.handle, offset + stored)
            return digests, stored
        os.ftruncate(file.handle, 0)
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
            self._spool / f"pack-{os.getpid()}-{self._number}",
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


def _rows_of(found: Found) -> tuple[Array, Array]:
    """What was found as ``ROW``, and where each member begins with its header: one value more than there are rows."""
    numbers = np.frombuffer(found.numbers, "<u8").reshape(-1, 5)
    rows = np.zeros(len(numbers), ROW)
    rows["b3"] = np.frombuffer(found.b3, "<u8").reshape(-1, 4)
    rows["sha256"] = np.frombuffer(found.sha256, "<u8").reshape(-1, 4)
    for column, name in enumerate(("crc", "size", "offset", "stored", "method")):
        rows[name] = numbers[:, column]
    starts = np.zeros(len(numbers) + 1, np.int64)
    starts[1:] = (numbers[:, 2] + numbers[:, 3]).astype(np.int64)
    return rows, starts
