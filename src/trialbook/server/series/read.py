"""The points of series: chunk rows and the batch rows that no compaction has taken yet, as one.

Callers hold one snapshot (``Database.read`` or ``write``), so a compaction between two statements is not
seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.server.series.columns import Points, join
from trialbook.server.series.packing import unpack_batch, unpack_chunks
from trialbook.server.stores.series import portions, series_batch, series_chunk

HEADERS = tuple(column for column in series_chunk.c if column.key != "payload")


@dataclass(frozen=True, slots=True)
class Spec:
    """A series to be read: its number, and its task or model."""

    number: int
    owner: str


class Tail:
    """What is not in chunks yet, of some owners; each batch row is unpacked once."""

    def __init__(self, connection: Connection, owners: Iterable[str]) -> None:
        self._found: dict[int, list[Points]] = {}
        for some in portions(sorted(set(owners))):
            query = (
                sa.select(series_batch.c.payload)
                .where(series_batch.c.owner.in_(some))
                .order_by(series_batch.c.id)
            )
            for payload in connection.execute(query).scalars():
                for number, points in unpack_batch(payload).each():
                    self._found.setdefault(number, []).append(points)

    def of(self, number: int) -> list[Points]:
        """The points of one series, in the order in which requests arrived."""
        return self._found.get(number, [])


def load(connection: Connection, spec: Spec, tail: Tail | None = None) -> Points:
    """Every point of a series, by (iteration, time, arrival).

    Args:
        connection: one snapshot.
        spec: the series.
        tail: when several series of one owner are read.
    """
    query = (
        sa.select(series_chunk.c.payload)
        .where(series_chunk.c.series_id == spec.number)
        .order_by(series_chunk.c.number)
    )
    points, _ = unpack_chunks(list(connection.execute(query).scalars()))
    return join([points, *(tail or Tail(connection, [spec.owner])).of(spec.number)]).ordered()


def load_many(connection: Connection, specs: Sequence[Spec], tail: Tail | None = None) -> dict[int, Points]:
    """Every point of several series, by series."""
    tail = tail or Tail(connection, {spec.owner for spec in specs})
    parts: dict[int, list[Points]] = {spec.number: [] for spec in specs}
    for some in portions(sorted(parts)):
        listed = list(payloads(connection, some))
        points, edges = unpack_chunks([payload for _, payload in listed])
        for (number, _), start, end in zip(listed, edges.tolist(), edges[1:].tolist(), strict=False):
            parts[number].append(points.take(slice(start, end)))
    return {number: join([*found, *tail.of(number)]).ordered() for number, found in parts.items()}


def payloads(connection: Connection, numbers: Sequence[int]) -> Iterator[tuple[int, bytes]]:
    """Every chunk of some series: the series' number and the payload, series after series, chunk after chunk."""
    for some in portions(sorted(numbers)):
        query = sa.select(series_chunk.c.series_id, series_chunk.c.payload)
        query = query.where(series_chunk.c.series_id.in_(some))
        for row in connection.execute(query.order_by(series_chunk.c.series_id, series_chunk.c.number)):
            yield row[0], row[1]


def headers_of(connection: Connection, number: int, spans: Iterable[tuple[int, int]]) -> list[Any]:
    """The chunk rows of one series in some spans of chunk numbers, without their payloads, in chunk order."""
    found: list[Any] = []
    for start, end in spans:
        query = sa.select(*HEADERS).where(
            series_chunk.c.series_id == number, series_chunk.c.number >= start, series_chunk.c.number < end
        )
        found.extend(connection.execute(query.order_by(series_chunk.c.number)))
    return found


def headers(connection: Connection, numbers: Iterable[int]) -> dict[int, list[Any]]:
    """The chunk rows of series without their payloads, by series, in chunk order."""
    found: dict[int, list[Any]] = {}
    for some in portions(sorted(set(numbers))):
        query = sa.select(*HEADERS).where(series_chunk.c.series_id.in_(some))
        for row in connection.execute(query.order_by(series_chunk.c.series_id, series_chunk.c.number)):
            found.setdefault(row.series_id, []).append(row)
    return found


def chunks(connection: Connection, number: int, which: Sequence[int], *, times: bool = True) -> Points:
    """The points of some chunks of a series, chunk after chunk.

    Args:
        connection: one snapshot.
        number: the series.
        which: numbers of its chunks.
        times: False leaves every time 0.
    """
    found: list[bytes] = []
    for some in portions(sorted(which)):
        query = sa.select(series_chunk.c.payload).where(
            series_chunk.c.series_id == number, series_chunk.c.number.in_(some)
        )
        found.extend(connection.execute(query.order_by(series_chunk.c.number)).scalars())
    return unpack_chunks(found, times=times)[0]
