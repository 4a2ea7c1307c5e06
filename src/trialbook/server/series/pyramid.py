"""What stands above the chunks of a long series: blocks of points, summed up, so that a wide chart reads few bytes.

A block of level 1 is 64 points of a chunk, one of the next level eight blocks of the level below. A row holds 512
blocks. Only full chunks take part, so a row never changes. What is not covered yet is read from the chunks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.errors import ServerFault
from trialbook.server.core.numeric import Floats, Ints, np
from trialbook.server.series.columns import Points
from trialbook.server.series.packing import unpack_chunks
from trialbook.server.stores.codec import compress, decompress
from trialbook.server.stores.series import portions, series_chunk, series_level

_VERSION = 1
_AT_ONCE = 1 << 21
"""Points of a series that one compaction adds to the pyramid, when it makes up for many that are missing."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Points of a chunk and of a block of level 1, blocks of a row, blocks that make one of the next level."""

    chunk: int = 4096
    block: int = 64
    row: int = 512
    step: int = 8

    def size(self, level: int) -> int:
        """Points in a block."""
        return self.block * int(self.step ** (level - 1))

    def held(self, level: int) -> int:
        """Points in a row."""
        return self.size(level) * self.row


SHAPE = Shape()


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """Columns of equal length: extents, statistics, and the last finite point by (iteration, time) and by (time,
    iteration); NaN where there is none."""

    first_iter: Ints
    last_iter: Ints
    first_time: Ints
    last_time: Ints
    tail_iter: Ints
    tail_time: Ints
    late_iter: Ints
    late_time: Ints
    nonfinite: Ints
    low: Floats
    high: Floats
    tail: Floats
    late: Floats

    def __len__(self) -> int:
        return len(self.low)

    def take(self, which: Any) -> Blocks:
        """The blocks at some positions."""
        return Blocks(*(getattr(self, name)[which] for name in _NAMES))


_NAMES = Blocks.__slots__
_INTS, _FLOATS = 9, 4


def join(parts: Sequence[Blocks]) -> Blocks:
    """All blocks, part after part; at least one part."""
    if len(parts) == 1:
        return parts[0]
    return Blocks(*(np.concatenate([getattr(part, name) for part in parts]) for name in _NAMES))


def of_points(points: Points, size: int) -> Blocks:
    """The blocks of points that stand chunk after chunk; ``size`` divides a chunk, and the number of points."""
    iteration, time = points.iteration.reshape(-1, size), points.time.reshape(-1, size)
    value = points.value.reshape(-1, size)
    finite = np.isfinite(value)
    some = finite.any(axis=1)
    each = np.arange(len(value))
    tail = size - 1 - finite[:, ::-1].argmax(axis=1)
    # Of equal times the later point has the greater iteration, because a chunk is in that order.
    late = size - 1 - np.where(finite, time, np.iinfo(np.int64).min)[:, ::-1].argmax(axis=1)
    late = np.where(some, late, size - 1)
    low = np.where(finite, value, np.inf).min(axis=1)
    high = np.where(finite, value, -np.inf).max(axis=1)
    return Blocks(
        iteration.min(axis=1),
        iteration.max(axis=1),
        time.min(axis=1),
        time.max(axis=1),
        iteration[each, tail],
        time[each, tail],
        iteration[each, late],
        time[each, late],
        (~finite).sum(axis=1),
        np.where(some, low, np.nan),
        np.where(some, high, np.nan),
        np.where(some, value[each, tail], np.nan),
        np.where(some, value[each, late], np.nan),
    )


def of_blocks(blocks: Blocks, step: int) -> Blocks:
    """Every ``step`` neighbours as one block."""
    parts = {name: getattr(blocks, name).reshape(-1, step) for name in _NAMES}
    tail = _latest(parts["tail_iter"], parts["tail_time"], parts["tail"])
    late = _latest(parts["late_time"], parts["late_iter"], parts["late"])
    each = np.arange(len(tail))
    return Blocks(
        parts["first_iter"].min(axis=1),
        parts["last_iter"].max(axis=1),
        parts["first_time"].min(axis=1),
        parts["last_time"].max(axis=1),
        parts["tail_iter"][each, tail],
        parts["tail_time"][each, tail],
        parts["late_iter"][each, late],
        parts["late_time"][each, late],
        parts["nonfinite"].sum(axis=1),
        np.fmin.reduce(parts["low"], axis=1),
        np.fmax.reduce(parts["high"], axis=1),
        parts["tail"][each, tail],
        parts["late"][each, late],
    )


def _latest(order: Ints, order2: Ints, value: Floats) -> Ints:
    """Per row the column of the finite value that comes last; of equal ones the later column."""
    best = np.zeros(len(value), np.int64)
    each = np.arange(len(value))
    for at in range(1, value.shape[1]):
        held, held2 = order[each, best], order2[each, best]
        after = (order[:, at] > held) | ((order[:, at] == held) & (order2[:, at] >= held2))
        known, none = ~np.isnan(value[:, at]), np.isnan(value[each, best])
        best = np.where(known & (none | after), at, best)
    return best


_PLAIN = ("first_iter", "first_time")
_ABOVE = {
    "last_iter": "first_iter",
    "last_time": "first_time",
    "tail_iter": "last_iter",
    "tail_time": "last_time",
    "late_iter": "tail_iter",
    "late_time": "tail_time",
}
"""Columns that are kept as their distance from another one, which zstd makes nothing of."""


def pack(blocks: Blocks) -> bytes:
    """The payload of a row: u8 version, zstd of the columns."""
    parts: list[Any] = []
    for name in _NAMES[:_INTS]:
        column = getattr(blocks, name)
        if name in _PLAIN:
            column = np.diff(column, prepend=np.int64(0))
        elif name in _ABOVE:
            # Distances of 64-bit extremes wrap around, and wrap back when they are added again.
            column = column - getattr(blocks, _ABOVE[name])
        parts.append(column.astype("<i8").tobytes())
    parts += [getattr(blocks, name).astype("<f8").tobytes() for name in _NAMES[_INTS:]]
    return bytes((_VERSION,)) + compress(b"".join(parts))


def unpack(payloads: Sequence[bytes]) -> Blocks:
    """The blocks of rows, row after row; at least one row."""
    bodies = []
    for payload in payloads:
        if payload[0] != _VERSION:
            raise ServerFault(
                f"charts are stored in layout {payload[0]}, this server knows {_VERSION}: the data folder belongs to"
                " another version of Trialbook, start that one; else the database is damaged: docs/howto/recovery.md"
            )
        bodies.append(decompress(memoryview(payload)[1:]))
    table = np.frombuffer(b"".join(bodies), np.uint8).reshape(len(bodies), -1)
    wide = table.shape[1] // (_INTS + _FLOATS)
    columns: dict[str, Any] = {}
    for at, name in enumerate(_NAMES):
        part = np.ascontiguousarray(table[:, at * wide : (at + 1) * wide])
        column = part.view("<i8" if at < _INTS else "<f8")
        if name in _PLAIN:
            column = column.cumsum(axis=1)
        elif name in _ABOVE:
            column = column + columns[_ABOVE[name]]
        columns[name] = column
    return Blocks(*(columns[name].reshape(-1) for name in _NAMES))


def heights(connection: Connection, numbers: Sequence[int]) -> dict[int, dict[int, int]]:
    """Per series and level, how many rows there are."""
    found: dict[int, dict[int, int]] = {}
    table = series_level.c
    for some in portions(sorted(numbers)):
        query = sa.select(table.series_id, table.level, sa.func.max(table.number)).where(
            table.series_id.in_(some)
        )
        for number, level, last in connection.execute(query.group_by(table.series_id, table.level)):
            found.setdefault(number, {})[level] = last + 1
    return found


def rows(
    connection: Connection,
    number: int,
    level: int,
    start: int = 0,
    overlap: tuple[str, int, int] | None = None,
    also: Sequence[int] = (),
) -> tuple[list[int], list[bytes]]:
    """Rows of a level: from row ``start`` on those that meet the overlap, and the rows ``also``.

    Args:
        connection: one snapshot.
        number: the series.
        level: from 1 on.
        start: the first row.
        overlap: ``iter`` or ``time``, and the range that the extent of a row must meet; None means all.
        also: further rows, before ``start``.

    Returns:
        Their numbers, rising, and their payloads.
    """
    table = series_level.c
    query = sa.select(table.number, table.payload).where(table.series_id == number, table.level == level)
    found = list(connection.execute(_overlapping(query.where(table.number >= start), overlap)))
    for some in portions(sorted(also)):
        found += connection.execute(query.where(table.number.in_(some)))
    found.sort(key=lambda row: row[0])
    return [row[0] for row in found], [row[1] for row in found]


def chunk_spans(
    connection: Connection, number: int, many: int, overlap: tuple[str, int, int]
) -> list[tuple[int, int]]:
    """Which chunks may meet a range, as the extents of level 1 say: from, to (not included).

    Args:
        connection: one snapshot.
        number: the series.
        many: rows of level 1.
        overlap: as for ``rows``.
    """
    table = series_level.c
    query = sa.select(table.number).where(table.series_id == number, table.level == 1)
    found = connection.execute(_overlapping(query, overlap).order_by(table.number)).scalars()
    each = SHAPE.held(1) // SHAPE.chunk
    spans: list[tuple[int, int]] = []
    for at in [*found, many]:
        start, end = at * each, (at + 1) * each if at < many else 2**31 - 1
        if spans and spans[-1][1] == start:
            start = spans.pop()[0]
        spans.append((start, end))
    return spans


def _overlapping(query: sa.Select[Any], overlap: tuple[str, int, int] | None) -> sa.Select[Any]:
    if overlap is None:
        return query
    kind, low, high = overlap
    first, last = series_level.c[f"first_{kind}"], series_level.c[f"last_{kind}"]
    return query.where(last >= low, first <= high)


def build(
    connection: Connection, number: int, full: int, fresh: Mapping[int, bytes]
) -> Iterator[dict[str, Any]]:
    """The rows that full chunks of a series allow and that are not there yet.

    Args:
        connection: one snapshot.
        number: the series.
        full: how many chunks, from the first on, are full.
        fresh: payloads of chunks that are not in the database yet, by number.
    """
    shape = SHAPE
    whole = full * shape.chunk // shape.held(1)
    if not whole:
        return
    there = heights(connection, [number]).get(number, {})
    each = shape.held(1) // shape.chunk
    below: dict[int, Blocks] = {}
    start = there.get(1, 0)
    done = min(whole, start + max(1, _AT_ONCE // shape.held(1)))
    for at in range(start, done):
        wanted = range(at * each, (at + 1) * each)
        held = dict(fresh)
        missing = [chunk for chunk in wanted if chunk not in held]
        if missing:
            table = series_chunk.c
            query = sa.select(table.number, table.payload).where(table.series_id == number)
            held.update(
                (row.number, row.payload)
                for row in connection.execute(query.where(table.number.in_(missing)))
            )
        points, _ = unpack_chunks([held[chunk] for chunk in wanted])
        below[at] = of_points(points, shape.block)
        yield _row(number, 1, at, below[at])
    level = 1
    while done >= shape.step:
        level += 1
        above: dict[int, Blocks] = {}
        for at in range(there.get(level, 0), done // shape.step):
            wanted = range(at * shape.step, (at + 1) * shape.step)
            lacking = [row for row in wanted if row not in below]
            if lacking:
                numbers, payloads = rows(connection, number, level - 1, 2**31 - 1, None, lacking)
                below.update((row, unpack([payload])) for row, payload in zip(numbers, payloads, strict=True))
            above[at] = of_blocks(join([below[row] for row in wanted]), shape.step)
            yield _row(number, level, at, above[at])
        below, done = above, done // shape.step


def _row(number: int, level: int, at: int, blocks: Blocks) -> dict[str, Any]:
    return {
        "series_id": number,
        "level": level,
        "number": at,
        "first_iter": int(blocks.first_iter.min()),
        "last_iter": int(blocks.last_iter.max()),
        "first_time": int(blocks.first_time.min()),
        "last_time": int(blocks.last_time.max()),
        "payload": pack(blocks),
    }
