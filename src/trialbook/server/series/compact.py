"""Batch rows into chunk rows: points of one series come together, and old requests cost nothing to read.

Safe against everything that may happen meanwhile. The work is computed from a snapshot without any lock; the
transaction that writes it first deletes the batch rows that it came from. If even one of them is gone
(another process compacted it, the task was reset), it rolls back and nothing has happened. Every compaction
of an owner starts with that owner's oldest batch row, so two of them always meet there and cannot both
change a chunk.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from trialbook.server.core.numeric import np
from trialbook.server.series import pyramid
from trialbook.server.series.columns import Points, join
from trialbook.server.series.packing import batch_series, pack_chunk, unpack_batch, unpack_chunk
from trialbook.server.series.statistics import stored
from trialbook.server.stores.database import Database
from trialbook.server.stores.dialect import insert
from trialbook.server.stores.series import portions, series_batch, series_chunk, series_level, series_seen

_MOST_POINTS = 400_000
_MOST_ROWS = 256
_READ_AT_ONCE = 32
# Each series costs a row to write, and others wait for all rows of a transaction.
_MOST_SERIES = 1_000
_SEEN_SECONDS = 3600.0
_log = logging.getLogger("trialbook")


@dataclass(frozen=True, slots=True)
class Budget:
    """When an owner is due, and how long a call may take.

    Attributes:
        seconds: a call ends after the owner during which this time is over.
        rows: an owner with so many batch rows is due,
        points: or with so many points in them,
        age: or whose oldest batch row has waited so many seconds. 0 makes every owner due.
    """

    seconds: float = 1.0
    rows: int = 64
    points: int = 50_000
    age: float = 60.0


@dataclass(frozen=True, slots=True)
class Done:
    """What a call did; ``more`` says that owners which are due were left."""

    points: int = 0
    batches: int = 0
    more: bool = False


def compact(database: Database, budget: Budget | None = None, now: float | None = None) -> Done:
    """Move points of the owners that are due from batch rows to chunk rows.

    Args:
        database: where.
        budget: None means the default.
        now: seconds since the epoch; None means now.
    """
    budget = budget or Budget()
    moment = time.time() if now is None else now
    deadline = time.monotonic() + budget.seconds
    points = batches = 0
    owners = _due(database, budget, moment)
    for place, owner in enumerate(owners):
        while True:
            moved, rows, left = compact_owner(database, owner)
            points, batches = points + moved, batches + rows
            if time.monotonic() >= deadline:
                return Done(points, batches, left or place + 1 < len(owners))
            if not left or not rows:
                break
    with database.write() as connection:
        connection.execute(sa.delete(series_seen).where(series_seen.c.at < moment - _SEEN_SECONDS))
    return Done(points, batches, False)


def _due(database: Database, budget: Budget, now: float) -> list[str]:
    count, points = sa.func.count(), sa.func.sum(series_batch.c.points)
    oldest = sa.func.min(series_batch.c.received)
    query = (
        sa.select(series_batch.c.owner)
        .group_by(series_batch.c.owner)
        .having(sa.or_(count >= budget.rows, points >= budget.points, oldest <= now - budget.age))
        .order_by(points.desc())
    )
    with database.read() as connection:
        return list(connection.execute(query).scalars())


def compact_owner(database: Database, owner: str) -> tuple[int, int, bool]:
    """One transaction's worth of an owner's batch rows, oldest first.

    Returns:
        Points moved, batch rows deleted, and whether rows are left.
    """
    with database.read() as connection:
        ids, parts, left = _oldest(connection, owner)
        if not ids:
            return 0, 0, False
        rows, levels = [], []
        for number, points in parts.items():
            chunks = _rows(connection, number, points)
            rows += chunks
            levels += _levels(connection, number, chunks)
    try:
        with database.write() as connection:
            gone = sum(
                connection.execute(sa.delete(series_batch).where(series_batch.c.id.in_(some))).rowcount
                for some in portions(ids)
            )
            if gone != len(ids):
                connection.rollback()
                return 0, 0, False
            _write(connection, rows)
            _write_levels(connection, levels)
    except OperationalError as error:
        # PostgreSQL ends one of two that wait for each other; the batch rows are still there for the next
        # round.
        _log.info("compaction of %s waits for the next round: %s", owner, error.orig)
        return 0, 0, False
    return sum(len(points) for points in parts.values()), len(ids), left


def _oldest(connection: Connection, owner: str) -> tuple[list[int], dict[int, Points], bool]:
    query = (
        sa.select(series_batch.c.id, series_batch.c.points)
        .where(series_batch.c.owner == owner)
        .order_by(series_batch.c.id)
        .limit(_MOST_ROWS + 1)
    )
    ids: list[int] = []
    taken: set[int] = set()
    left: set[int] = set()
    total = 0
    parts: dict[int, list[Points]] = {}
    listed = connection.execute(query).all()
    for some in portions(listed[:_MOST_ROWS], _READ_AT_ONCE):
        if total > _MOST_POINTS:
            break
        many = {row.id: row.points for row in some}
        payloads = (
            sa.select(series_batch.c.id, series_batch.c.payload)
            .where(series_batch.c.id.in_(many))
            .order_by(series_batch.c.id)
        )
        for id, payload in connection.execute(payloads):
            series = batch_series(payload)
            if ids and total + many[id] > _MOST_POINTS:
                total += many[id]
                break
            if ids and (len(taken | series) > _MOST_SERIES or not left.isdisjoint(series)):
                # It waits, and with it all later points of its series, so that each keeps its order of arrival.
                left |= series
                continue
            ids.append(id)
            taken |= series
            total += many[id]
            for number, points in unpack_batch(payload).each():
                parts.setdefault(number, []).append(points)
    return ids, {number: join(found) for number, found in parts.items()}, len(ids) < len(listed)


def _rows(connection: Connection, number: int, points: Points) -> list[dict[str, Any]]:
    """Chunk rows for new points of a series: the last chunk is filled up, further ones are opened."""
    query = (
        sa.select(series_chunk.c.number, series_chunk.c.count, series_chunk.c.payload)
        .where(series_chunk.c.series_id == number)
        .order_by(series_chunk.c.number.desc())
        .limit(1)
    )
    last: Any = connection.execute(query).first()
    at = 0 if last is None else last.number + 1
    size = pyramid.SHAPE.chunk
    if last is not None and last.count < size:
        at = last.number
        points = join([unpack_chunk(last.payload), points])
    points = points.ordered()
    return [
        {"series_id": number, "number": at + place, **_columns(points.take(slice(start, start + size)))}
        for place, start in enumerate(range(0, len(points), size))
    ]


def _levels(connection: Connection, number: int, chunks: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of the pyramid for which there are chunks enough now."""
    fresh = {row["number"]: row["payload"] for row in chunks if row["count"] == pyramid.SHAPE.chunk}
    return list(pyramid.build(connection, number, max(fresh) + 1, fresh)) if fresh else []


def _columns(points: Points) -> dict[str, Any]:
    finite = np.isfinite(points.value)
    some = bool(finite.any())
    held = points.value[finite]
    tail = int(np.flatnonzero(finite)[-1]) if some else 0
    with np.errstate(over="ignore"):
        total = float(held.sum())
    return {
        "count": len(points),
        "nonfinite": len(points) - len(held),
        "first_iter": int(points.iteration[0]),
        "last_iter": int(points.iteration[-1]),
        "first_time": int(points.time.min()),
        "last_time": int(points.time.max()),
        "monotone": not bool((points.time[1:] < points.time[:-1]).any()),
        "min_value": float(held.min()) if some else None,
        "max_value": float(held.max()) if some else None,
        "total": stored(total),
        "tail_value": float(points.value[tail]) if some else None,
        "tail_iter": int(points.iteration[tail]) if some else None,
        "tail_time": int(points.time[tail]) if some else None,
        "payload": pack_chunk(points),
    }


def _write(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    statement = insert(connection, series_chunk)
    columns = {name: statement.excluded[name] for name in rows[0] if name not in ("series_id", "number")}
    statement = statement.on_conflict_do_update(index_elements=["series_id", "number"], set_=columns)
    ordered = sorted(rows, key=lambda row: (row["series_id"], row["number"]))
    connection.execute(statement, ordered)


def _write_levels(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        statement = insert(connection, series_level).on_conflict_do_nothing(
            index_elements=["series_id", "level", "number"]
        )
        connection.execute(
            statement, sorted(rows, key=lambda row: (row["series_id"], row["level"], row["number"]))
        )
