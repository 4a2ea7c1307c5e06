"""Points as three columns, and the two byte layouts in which the database keeps them."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trialbook.errors import ServerFault
from trialbook.server.series.numeric import Floats, Ints, np
from trialbook.server.stores.codec import compress, decompress

VERSION = 1
_BATCH_HEAD = struct.Struct("<BII")
_CHUNK_HEAD = struct.Struct("<BI")


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Columns of equal length: iteration, time in µs since the epoch, value."""

    iteration: Ints
    time: Ints
    value: Floats

    def __len__(self) -> int:
        return len(self.iteration)

    def take(self, which: slice | Ints) -> Points:
        """The points at some positions."""
        return Points(self.iteration[which], self.time[which], self.value[which])

    def ordered(self) -> Points:
        """By (iteration, time); points that are equal in both stay in the order in which they came."""
        order = stable_order(None, self.iteration, self.time)
        return self if order is None else self.take(order)


def empty() -> Points:
    """No points."""
    return Points(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64))


def join(parts: Sequence[Points]) -> Points:
    """All points, part after part."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return empty()
    return Points(
        np.concatenate([part.iteration for part in parts]),
        np.concatenate([part.time for part in parts]),
        np.concatenate([part.value for part in parts]),
    )


def stable_order(group: Ints | None, iteration: Ints, time: Ints) -> Ints | None:
    """Positions that sort by (group, iteration, time), or None when everything is in order already.

    Args:
        group: small non-negative numbers; None means one group.
        iteration: second key.
        time: third key.
    """
    if len(iteration) < 2:
        return None
    order: Ints | None = None
    if group is not None and bool((group[1:] < group[:-1]).any()):
        # numpy sorts 16-bit numbers by radix, ten times faster than wider ones.
        keys = group.astype(np.uint16) if int(group.max()) < 65536 else group
        order = np.argsort(keys, kind="stable")
        group, iteration, time = group[order], iteration[order], time[order]
    fell = (iteration[1:] < iteration[:-1]) | ((iteration[1:] == iteration[:-1]) & (time[1:] < time[:-1]))
    if group is not None:
        fell &= group[1:] == group[:-1]
    if not bool(fell.any()):
        return order
    keys3 = (time, iteration) if group is None else (time, iteration, group)
    within = np.lexsort(keys3)
    return within if order is None else order[within]


def pack_columns(points: Points) -> bytes:
    """Differences of the integers, then the values with all first bytes together, all second bytes together
    …"""
    shuffled = np.ascontiguousarray(points.value, "<f8").view(np.uint8).reshape(-1, 8).T
    return b"".join((_delta(points.iteration), _delta(points.time), np.ascontiguousarray(shuffled).tobytes()))


def unpack_columns(data: bytes, count: int, offset: int = 0) -> Points:
    """The points that ``pack_columns`` was given."""
    span = 8 * count
    iteration = np.frombuffer(data, "<i8", count, offset).cumsum(dtype=np.int64)
    time = np.frombuffer(data, "<i8", count, offset + span).cumsum(dtype=np.int64)
    shuffled = np.frombuffer(data, np.uint8, span, offset + 2 * span).reshape(8, -1)
    value = np.ascontiguousarray(shuffled.T).reshape(-1).view("<f8")
    return Points(iteration, time, value)


def _delta(column: Ints) -> bytes:
    # Differences of 64-bit extremes wrap around; the sum wraps back, so every integer survives.
    out = np.empty(len(column), "<i8")
    out[:1] = column[:1]
    np.subtract(column[1:], column[:-1], out=out[1:])
    return out.tobytes()


def pack_chunk(points: Points) -> bytes:
    """The payload of a chunk row: u8 version, u32 count, zstd of the columns."""
    return _CHUNK_HEAD.pack(VERSION, len(points)) + compress(pack_columns(points))


def unpack_chunk(payload: bytes) -> Points:
    """The points of a chunk row."""
    version, count = _CHUNK_HEAD.unpack_from(payload)
    _check(version)
    return unpack_columns(decompress(payload[_CHUNK_HEAD.size :]), count)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Points of many series, series after series; ``starts[k]`` to ``starts[k + 1]`` belong to ``ids[k]``."""

    ids: Ints
    starts: Ints
    points: Points

    def each(self) -> Iterator[tuple[int, Points]]:
        """The number and the points of every series."""
        edges = self.starts.tolist()
        for place, number in enumerate(self.ids.tolist()):
            yield number, self.points.take(slice(edges[place], edges[place + 1]))


def pack_batch(batch: Batch) -> bytes:
    """The payload of a batch row: u8 version, u32 series, u32 points, zstd of (ids i64, counts u32, the
    columns)."""
    counts = np.diff(batch.starts).astype("<u4")
    body = b"".join((batch.ids.astype("<i8").tobytes(), counts.tobytes(), pack_columns(batch.points)))
    return _BATCH_HEAD.pack(VERSION, len(batch.ids), len(batch.points)) + compress(body)


def unpack_batch(payload: bytes) -> Batch:
    """The batch of a batch row."""
    version, many, count = _BATCH_HEAD.unpack_from(payload)
    _check(version)
    body = decompress(payload[_BATCH_HEAD.size :])
    ids = np.frombuffer(body, "<i8", many)
    starts = np.zeros(many + 1, np.int64)
    np.cumsum(np.frombuffer(body, "<u4", many, 8 * many), out=starts[1:])
    return Batch(ids, starts, unpack_columns(body, count, 12 * many))


def _check(version: int) -> None:
    if version != VERSION:
        raise ServerFault(
            f"points are stored in layout {version}, this server knows {VERSION}: "
            "the data folder belongs to a newer Trialbook, start that one"
        )
