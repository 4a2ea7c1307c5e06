"""The writing half of a journal: memory-mapped segments that outlive ``kill -9``.

A call copies its frame into a mapped page and returns: no system call, no fsync, no wait. The shipper's
thread makes the next segment in advance, so crossing into it costs a swap of two references.
"""

import mmap
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, time
from zlib import crc32

from trialbook.errors import JournalError
from trialbook.journal.frames import (
    CHECKSUM,
    LONGEST,
    OVERHEAD,
    POINT_BODY,
    POINT_BYTES,
    POINT_HEAD,
    SEGMENT_HEADER,
    SEGMENT_MAGIC,
    SEGMENT_VERSION,
    SINGLE_VALUE,
    Kind,
    encode_json,
    gap,
)
from trialbook.journal.losses import Tally
from trialbook.journal.rows import Row

SEGMENT_BYTES = 4 << 20
WAKE_BYTES = 256 << 10
_START = SEGMENT_HEADER.size
_RESERVE = 256
"""Bytes at the end of a segment that only the notice of a full disk may use: a process that is killed meanwhile must
not look complete."""
FULL = "the disk of this host is full"

_point_body = POINT_BODY.pack
_checksum = CHECKSUM.pack


@dataclass(slots=True)
class Segment:
    """One file of the stream. ``length`` counts bytes of frames; None while it is still written."""

    number: int
    path: Path
    map: mmap.mmap
    size: int
    first: int
    length: int | None = None


class Span:
    """A run of whole frames and the offset of the first."""

    __slots__ = ("data", "first")

    def __init__(self, first: int, data: bytes) -> None:
        self.first = first
        self.data = data


class Writer:
    """Appends frames to the segments of one journal. Any thread may call it.

    Args:
        folder: the journal's folder; it exists.
        wake: called (cheap, any thread) each time another 256 KiB have been written.
        segment_bytes: size of a segment file.
    """

    def __init__(self, folder: Path, wake: Callable[[], None], segment_bytes: int = SEGMENT_BYTES) -> None:
        self._folder = folder
        self._wake = wake
        self._segment_bytes = segment_bytes
        # A signal handler that reports may interrupt a report of its own thread: it must neither wait for ever nor
        # write in between.
        self._lock = threading.RLock()
        self._inside = False
        self._deferred: list[bytes] = []
        self._released = 0
        self._sealed: list[Segment] = []
        self._spare: Segment | None = None
        self._made = 0
        self._lost = Tally()
        self._retry_at = 0.0
        self._noticed = -1
        self.latest: int | None = None
        """Iteration of the last point that the program reported; for what is shown beside it."""
        self._current: Segment
        self._map: mmap.mmap
        self._size: int
        self._shift: int
        self._position: int
        self._bound: int
        self._install(self._make(segment_bytes), 0)

    def point(self, series: int, iteration: int, value: float) -> None:
        """Append a POINT with the current time.

        Raises:
            struct.error: the iteration is not an integer of 64 bits or the value not a number; nothing was written.
        """
        head = _point_body(POINT_HEAD, series, iteration, time(), value)
        frame = head + _checksum(crc32(head))
        with self._lock:
            if self._inside:
                self._deferred.append(frame)
                return
            self._inside = True
            try:
                start = self._position
                end = start + POINT_BYTES
                if end > self._bound:
                    if not self._room(POINT_BYTES, iteration):
                        return
                    start = self._position
                    end = start + POINT_BYTES
                self._map[start:end] = frame
                # Last, so that a signal which raises in between leaves the frame out as a whole.
                self._position = end
            finally:
                self._inside = False
        self.latest = iteration
        if self._deferred:
            self._catch_up()

    def row(self, row: Row, iteration: int, values: Sequence[float]) -> None:
        """Append a ROW with the current time.

        Raises:
            struct.error: the iteration is not an integer of 64 bits or a value not a number; nothing was written.
        """
        frame = row.frame(iteration, time(), values)
        with self._lock:
            if self._inside:
                self._deferred.append(frame)
                return
            self._inside = True
            try:
                if self._position + row.bytes > self._bound and not self._room(
                    row.bytes, iteration, points=row.points
                ):
                    return
                end = self._position + row.bytes
                self._map[self._position : end] = frame
                self._position = end
            finally:
                self._inside = False
        self.latest = iteration
        if self._deferred:
            self._catch_up()

    def append(self, frame: bytes, counted: bool = True) -> int | None:
        """Append a whole frame.

        Args:
            frame: as ``encode`` makes it.
            counted: count it as lost when there is no room.

        Returns:
            The offset after it; None when the disk has no room for it.
        """
        length = len(frame)
        with self._lock:
            if self._inside:
                self._deferred.append(frame)
                return self._position + self._shift
            self._inside = True
            try:
                if self._position + length > self._bound and not self._room(length, counted=counted):
                    return None
                start = self._position
                end = start + length
                self._map[start:end] = frame
                self._position = end
            finally:
                self._inside = False
        if self._deferred:
            self._catch_up()
        return end + self._shift

    def _catch_up(self) -> None:
        """Append what a signal handler reported while it had interrupted a report of the same thread."""
        with self._lock:
            waiting, self._deferred = self._deferred, []
            for frame in waiting:
                self.append(frame)

    @property
    def end(self) -> int:
        """The offset after the last frame."""
        with self._lock:
            return self._position + self._shift

    def span(self, offset: int) -> Span | None:
        """The frames from ``offset`` to the end of the segment that holds it; None when there are none yet.

        Where the frames were acknowledged and deleted, a GAP stands for them.
        """
        with self._lock:
            current = self._current
            length = self._position - _START
            for segment in [*self._sealed, current]:
                filled = length if segment.length is None else segment.length
                if segment.first <= offset < segment.first + filled:
                    begin = offset - segment.first + _START
                    return Span(offset, segment.map[begin : _START + filled])
            # The server has less than it acknowledged: a backup of it came back. The rest must not wait for that.
            return Span(offset, gap(offset, self._released)) if offset < self._released else None

    def release(self, offset: int) -> None:
        """Delete the segments that lie wholly before ``offset``."""
        with self._lock:
            done = [segment for segment in self._sealed if segment.first + (segment.length or 0) <= offset]
            self._sealed = [segment for segment in self._sealed if segment not in done]
            if done:
                self._released = max(segment.first + (segment.length or 0) for segment in done)
        for segment in done:
            segment.map.close()
            segment.path.unlink(missing_ok=True)

    def prepare(self) -> None:
        """Make the next segment in advance; the shipper calls this in its own thread."""
        if self._spare is not None or self._position < self._size // 4:
            return
        try:
            spare = self._make(self._segment_bytes)
        except OSError:
            return
        with self._lock:
            if self._spare is None:
                self._spare = spare
                return
        self._discard(spare)

    def take_lost(self) -> Tally:
        """The frames that found no room since the last call."""
        with self._lock:
            lost, self._lost = self._lost, Tally()
            return lost

    def bytes_on_disk(self) -> int:
        """Bytes of the segments that are not yet released."""
        with self._lock:
            return sum(segment.size for segment in self._sealed) + self._size

    def close(self) -> None:
        """Give the maps back; the files stay. Appending afterwards raises ``ValueError``."""
        with self._lock:
            if self._spare is not None:
                self._discard(self._spare)
                self._spare = None
            for segment in [*self._sealed, self._current]:
                segment.map.close()

    def abandon(self) -> None:
        """In a forked child: forget the parent's maps without touching its files."""
        self._lock = threading.RLock()
        self._inside = False
        self._deferred = []
        self._spare = None
        self._sealed = []

    def _room(self, need: int, iteration: int | None = None, counted: bool = True, points: int = 1) -> bool:
        """Under the lock: make sure ``need`` bytes fit, and wake the shipper."""
        if need > LONGEST + OVERHEAD:
            raise JournalError("a frame holds less than 16 MiB")
        # A full disk is asked again each second only: asking costs a tenth of a millisecond.
        full = self._position + need > self._size - _RESERVE
        if full and (monotonic() < self._retry_at or not self._rolled(need)):
            if counted:
                self._miss(iteration, points)
            return False
        self._wake()
        self._bound = min(self._size - _RESERVE, self._position + need + WAKE_BYTES)
        return True

    def _miss(self, iteration: int | None, points: int) -> None:
        number = iteration if isinstance(iteration, int) and iteration != SINGLE_VALUE else None
        missed = Tally()
        missed.add(points, time(), number)
        if self._noticed != self._current.number:
            # Once per segment, as it fills at the next success.
            frame = encode_json(Kind.LOSS, missed.loss("frame", FULL))
            end = self._position + len(frame)
            self._noticed = self._current.number
            if end <= self._size:
                self._map[self._position : end] = frame
                self._position = end
                self._wake()
                return
        self._lost.merge(missed)

    def _rolled(self, need: int) -> bool:
        try:
            self._roll(need)
        except OSError:
            self._retry_at = monotonic() + 1.0
            return False
        return True

    def _roll(self, need: int) -> None:
        whole = need + _START + _RESERVE
        segment = self._spare
        if segment is not None and segment.size >= whole:
            self._spare = None
        else:
            segment = self._make(max(self._segment_bytes, whole))
        current = self._current
        current.length = self._position - _START
        self._sealed.append(current)
        self._install(segment, current.first + current.length)

    def _install(self, segment: Segment, first: int) -> None:
        segment.first = first
        segment.map[:_START] = SEGMENT_HEADER.pack(SEGMENT_MAGIC, SEGMENT_VERSION, first)
        self._current = segment
        self._map = segment.map
        self._size = segment.size
        self._shift = first - _START
        self._position = _START
        self._bound = min(segment.size - _RESERVE, _START + WAKE_BYTES)

    def _make(self, size: int) -> Segment:
        number = self._made
        self._made += 1
        path = self._folder / f"{number:08d}.seg"
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            # Reserved now: a full disk is an OSError here instead of a SIGBUS in the middle of training.
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(handle, 0, size)
            else:
                os.ftruncate(handle, size)
            return Segment(number, path, _mapped(handle, size), size, 0)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        finally:
            os.close(handle)

    @staticmethod
    def _discard(segment: Segment) -> None:
        segment.map.close()
        segment.path.unlink(missing_ok=True)


def _mapped(handle: int, size: int) -> mmap.mmap:
    populate = getattr(mmap, "MAP_POPULATE", 0)
    if populate:
        return mmap.mmap(handle, size, flags=mmap.MAP_SHARED | populate)
    return mmap.mmap(handle, size)
