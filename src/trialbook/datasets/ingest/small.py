"""Small files of a run: read in batches, placed in path order."""

from collections.abc import Iterator

import numpy as np

from trialbook.datasets.ingest.placing import Placing
from trialbook.datasets.ingest.reading import BATCH_BYTES, BATCH_FILES, UNREAD, Ask, Found
from trialbook.datasets.manifest.rows import ROW, STORED, Array, digest_words
from trialbook.datasets.packs.writer import Digests
from trialbook.datasets.sources.digest import digest_bytes_of, read_whole
from trialbook.datasets.sources.sniff import method, pack


class SmallFiles(Placing):
    """Members that store small files."""

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
