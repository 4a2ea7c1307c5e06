"""The two byte layouts in which the database keeps points. See docs/design/series-store.md."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from trialbook.errors import ServerFault
from trialbook.server.core.numeric import Floats, Ints, np
from trialbook.server.series.columns import Batch, Points, empty
from trialbook.server.stores.codec import compress, decompress

VERSION = 2
_BATCH_HEAD = struct.Struct("<BII")
_CHUNK_HEAD = struct.Struct("<BI")
_WIDTHS = struct.Struct("<BBqq")
_FIRSTS = struct.Struct("<qq")


def pack_chunk(points: Points) -> bytes:
    """The payload of a chunk row: u8 version, u32 count, zstd of the columns."""
    body = _pack(points, np.zeros(1, np.int64))
    return _CHUNK_HEAD.pack(VERSION, len(points)) + compress(body)


def unpack_chunk(payload: bytes) -> Points:
    """The points of a chunk row."""
    return unpack_chunks([payload])[0]


def unpack_chunks(payloads: Sequence[bytes], *, times: bool = True) -> tuple[Points, Ints]:
    """The points of many chunk rows.

    Args:
        payloads: of the rows.
        times: False leaves every time 0, for readers that need none.

    Returns:
        All points, chunk after chunk, and where each chunk starts, with the end of the last one.
    """
    starts = np.zeros(len(payloads) + 1, np.int64)
    if not payloads:
        return empty(), starts
    counts = []
    for payload in payloads:
        version, count = _CHUNK_HEAD.unpack_from(payload)
        _check(version)
        counts.append(count)
    np.cumsum(counts, out=starts[1:])
    sums = _Sums(int(starts[-1]), times)
    for payload, at, count in zip(payloads, starts.tolist(), counts, strict=False):
        body = decompress(memoryview(payload)[_CHUNK_HEAD.size :])
        widths = _WIDTHS.unpack_from(body)
        sums.take(body, _WIDTHS.size + _FIRSTS.size, at, count, widths)
        sums.first(at, *_FIRSTS.unpack_from(body, _WIDTHS.size))
    return sums.points(starts[:-1]), starts


def pack_batch(batch: Batch) -> bytes:
    """The payload of a batch row: u8 version, u32 series, u32 points, zstd of (ids i64, counts u32, the
    columns)."""
    counts = np.diff(batch.starts).astype("<u4")
    columns = _pack(batch.points, batch.starts[:-1])
    body = b"".join((batch.ids.astype("<i8").tobytes(), counts.tobytes(), columns))
    return _BATCH_HEAD.pack(VERSION, len(batch.ids), len(batch.points)) + compress(body)


def unpack_batch(payload: bytes) -> Batch:
    """The batch of a batch row."""
    version, many, count = _BATCH_HEAD.unpack_from(payload)
    _check(version)
    body = decompress(memoryview(payload)[_BATCH_HEAD.size :])
    ids = np.frombuffer(body, "<i8", many)
    starts = np.zeros(many + 1, np.int64)
    np.cumsum(np.frombuffer(body, "<u4", many, 8 * many), out=starts[1:])
    at = 12 * many
    sums = _Sums(count, True)
    widths = _WIDTHS.unpack_from(body, at)
    at += _WIDTHS.size
    sums.take(body, at + 16 * many, 0, count, widths)
    firsts = np.frombuffer(body, "<i8", 2 * many, at)
    sums.iteration[starts[:-1]], sums.time[starts[:-1]] = firsts[:many], firsts[many:]
    return Batch(ids, starts, sums.points(starts[:-1]))


def batch_series(payload: bytes) -> set[int]:
    """The series of a batch row, without its points."""
    version, many, _ = _BATCH_HEAD.unpack_from(payload)
    _check(version)
    body = decompress(memoryview(payload)[_BATCH_HEAD.size :])
    return set(np.frombuffer(body, "<i8", many).tolist())


def _pack(points: Points, starts: Ints) -> bytes:
    """Both integer columns as steps above the least one, in as few bytes as the greatest needs, then the values; of
    everything wider than a byte all first bytes together, all second bytes together, …

    Args:
        points: segment after segment.
        starts: where each segment begins; no segment is empty.
    """
    steps = [_steps(column, starts) for column in (points.iteration, points.time)]
    return b"".join(
        (
            _WIDTHS.pack(*(width for width, _, _ in steps), *(least for _, least, _ in steps)),
            points.iteration[starts].astype("<i8").tobytes(),
            points.time[starts].astype("<i8").tobytes(),
            *(packed for _, _, packed in steps),
            _shuffled(np.ascontiguousarray(points.value, "<f8")),
        )
    )


def _steps(column: Ints, starts: Ints) -> tuple[int, int, bytes]:
    """Bytes per step, the least step, the steps above it; a segment's first step counts as the least."""
    # Differences of 64-bit extremes wrap around; the sum wraps back, so every integer survives.
    steps = np.empty_like(column)
    np.subtract(column[1:], column[:-1], out=steps[1:])
    inner = np.ones(len(column), np.bool_)
    inner[starts] = False
    least = int(steps[inner].min()) if len(column) > len(starts) else 0
    steps[starts] = least
    above = (steps - np.int64(least)).view(np.uint64)
    most = int(above.max()) if len(above) else 0
    width = next(width for width in (0, 1, 2, 4, 8) if most < 1 << 8 * width)
    return width, least, _shuffled(above.astype(f"<u{width}")) if width else b""


def _shuffled(column: Ints | Floats) -> bytes:
    planes: bytes = column.view(np.uint8).reshape(-1, column.itemsize).T.tobytes()
    return planes


@dataclass(slots=True, eq=False, init=False)
class _Sums:
    """Steps of many segments, that one running sum turns into integers."""

    iteration: Ints
    time: Ints
    value: Floats
    times: bool

    def __init__(self, count: int, times: bool) -> None:
        self.times = times
        self.iteration = np.empty(count, np.int64)
        self.time = np.empty(count, np.int64) if times else np.zeros(count, np.int64)
        self.value = np.empty(count, np.float64)

    def take(self, body: bytes, offset: int, at: int, count: int, widths: tuple[int, int, int, int]) -> None:
        """The columns of ``count`` points that ``_pack`` wrote; the first step of a segment is left to be set."""
        for column, width, least in zip((self.iteration, self.time), widths[:2], widths[2:], strict=True):
            part = column[at : at + count]
            if column is self.iteration or self.times:
                if width:
                    np.add(_gathered(body, offset, count, width), np.int64(least), out=part)
                else:
                    part.fill(least)
            offset += width * count
        planes = np.frombuffer(body, np.uint8, 8 * count, offset).reshape(8, -1)
        self.value[at : at + count].view(np.uint8).reshape(-1, 8)[:] = planes.T

    def first(self, at: int, iteration: int, time: int) -> None:
        """The first integers of the segment that begins at ``at``."""
        self.iteration[at] = iteration
        if self.times:
            self.time[at] = time

    def points(self, starts: Ints) -> Points:
        """The points, when every segment has its first integers."""
        for column in (self.iteration, self.time) if self.times else (self.iteration,):
            firsts = column[starts]
            column[starts] = 0
            sums = column.cumsum()
            # One sum over all segments: what had come together before a segment is taken off again.
            before = sums[starts] - firsts
            counts = np.diff(np.append(starts, len(column)))
            np.subtract(sums, np.repeat(before, counts), out=column)
        return Points(self.iteration, self.time, self.value)


def _gathered(body: bytes, offset: int, count: int, width: int) -> Ints:
    planes = np.frombuffer(body, np.uint8, width * count, offset)
    if width > 1:
        planes = np.ascontiguousarray(planes.reshape(width, -1).T).reshape(-1)
    return planes.view(f"<u{width}").astype(np.int64)


def _check(version: int) -> None:
    if version != VERSION:
        raise ServerFault(
            f"points are stored in layout {version}, this server knows {VERSION}: "
            "the data folder belongs to another version of Trialbook, start that one; else the database is damaged: "
            "docs/howto/recovery.md"
        )
