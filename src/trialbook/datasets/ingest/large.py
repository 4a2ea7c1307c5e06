"""Large files of a run: several are read at once, in parts; some are compressed, some stored in pieces."""

import os
import zlib
from collections import deque
from concurrent.futures import Future

import numpy as np
from blake3 import blake3

from trialbook.datasets.ingest.piecing import SMALLEST, cut, earlier, worth_it, write_pieces
from trialbook.datasets.ingest.placing import Placing
from trialbook.datasets.manifest.rows import DEFLATE, FILE, STORED
from trialbook.datasets.packs.reader import wanted_of
from trialbook.datasets.packs.writer import Digests, PackWriter
from trialbook.datasets.sources.digest import digest_bytes_of, open_source, read_whole, stream, unreadable
from trialbook.datasets.sources.facts import Facts, facts_of
from trialbook.datasets.sources.sniff import SAMPLE, method, pack, places
from trialbook.datasets.storage.direct import Output
from trialbook.errors import DatasetDamaged, DatasetMissing

try:
    from compression import zstd
except ImportError:
    from backports import zstd

_STEP, _STEP_DIRECT = 512 << 10, 2 << 20
"""Bytes of a large file that are read, hashed and written at once; past the page cache a write waits for the disk."""
_EARLY = 64 << 20
"""Bytes of a very large file after which the disk begins to write them."""

_Compressed = tuple[bytes | None, Digests, Facts]
"""The packed bytes (None when they are no fewer), digests of the plain ones, and the file's facts."""
_Turn = tuple[int, int, Future[_Compressed] | None]
"""A large file that waits for its place in a pack: number, method, and its bytes when they are made beside."""


class LargeFiles(Placing):
    """Members that store large files."""

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
