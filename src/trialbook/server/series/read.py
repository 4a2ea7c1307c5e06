"""The points of series: chunk rows and the batch rows that no compaction has taken yet, as one.

Callers hold one snapshot (``Database.read`` or ``write``), so a compaction between two statements is not seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from trialbook.server.series.columns import Batch, Points, empty, join, unpack_batch, unpack_chunk
from trialbook.server.stores.series import portions, series_batch, series_chunk

HEADERS = tuple(column for column in series_chunk.c if column.key != "payload")


@dataclass(frozen=True, slots=True)
class Spec:
    """A series to be read: its number, and its task or model."""

    number: int
    owner: str


class Tail:
    """What is not in chunks yet, of some owners; each batch row is unpacked once, when it is first needed."""

    def __init__(self, connection: Connection, owners: Iterable[str]) -> None:
        self._batches: dict[str, list[Batch]] = {}
        for some in portions(sorted(set(owners))):
            query = sa.select(series_batch.c.owner, series_batch.c.payload).where(series_batch.c.owner.in_(some))
            for owner, payload in connection.execute(query.order_by(series_batch.c.id)):
                self._batches.setdefault(owner, []).append(unpack_batch(payload))

    def of(self, spec: Spec) -> list[Points]:
        """The points of one series, in the order in which requests arrived."""
        found = (batch.of(spec.number) for batch in self._batches.get(spec.owner, ()))
        return [points for points in found if points is not None]


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
    parts = [unpack_chunk(payload) for payload in connection.execute(query).scalars()]
    parts += (tail or Tail(connection, [spec.owner])).of(spec)
    return join(parts).ordered()


def headers(connection: Connection, numbers: Iterable[int]) -> dict[int, list[Row[Any]]]:
    """The chunk rows of series without their payloads, by series, in chunk order."""
    found: dict[int, list[Row[Any]]] = {}
    for some in portions(sorted(set(numbers))):
        query = sa.select(*HEADERS).where(series_chunk.c.series_id.in_(some))
        for row in connection.execute(query.order_by(series_chunk.c.series_id, series_chunk.c.number)):
            found.setdefault(row.series_id, []).append(row)
    return found


def chunks(connection: Connection, number: int, wanted: Iterable[int]) -> Iterator[Points]:
    """The points of some chunks of a series."""
    for some in portions(sorted(wanted)):
        query = sa.select(series_chunk.c.payload).where(
            series_chunk.c.series_id == number, series_chunk.c.number.in_(some)
        )
        for payload in connection.execute(query.order_by(series_chunk.c.number)).scalars():
            yield unpack_chunk(payload)


def load_chunks(connection: Connection, number: int, wanted: Iterable[int]) -> Points:
    """The points of some chunks of a series, chunk after chunk."""
    parts = list(chunks(connection, number, wanted))
    return join(parts) if parts else empty()
