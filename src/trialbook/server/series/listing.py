"""Every event of a task as one numbered list, so that a scroll is a number and a total is exact."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sqlalchemy.engine import Connection

from trialbook.errors import BadRequest
from trialbook.server.series.read import Spec, Tail, chunks, headers, load
from trialbook.server.series.statistics import finite
from trialbook.server.stores import events, logs
from trialbook.server.stores.series import SINGLE_ITERATION, of_owners

_LEVEL_NAMES = {10: "DEBUG", 20: "INFO", 30: "WARNING", 40: "ERROR", 50: "CRITICAL"}


@dataclass(frozen=True, slots=True)
class Source:
    """A part of the list: its length, and how to read a piece of it."""

    count: int
    read: Callable[[int, int], list[dict[str, Any]]]


def sources(
    connection: Connection, owner: str, event_type: str | None, metric: str | None = None
) -> list[Source]:
    """What a task has of one type, or of all: console by number, points by series, the rest by time.

    Args:
        connection: one snapshot.
        owner: task or model id.
        event_type: of the wire; None means all.
        metric: of points, only this metric.
    """
    found: list[Source] = []
    if event_type in (None, "log"):
        found.append(_console(connection, owner))
    if event_type in (None, "training_stats_scalar"):
        found.extend(_scalars(connection, owner, metric))
    for name, kind in events.KINDS.items():
        if event_type in (None, name):
            found.append(_others(connection, owner, kind))
    return found


def piece(parts: list[Source], start: int, stop: int) -> list[dict[str, Any]]:
    """Items ``start`` to ``stop`` (not included) of the whole list."""
    found: list[dict[str, Any]] = []
    begin = 0
    for part in parts:
        low, high = max(start - begin, 0), min(stop - begin, part.count)
        if low < high:
            found.extend(part.read(low, high))
        begin += part.count
    return found


def _console(connection: Connection, owner: str) -> Source:
    held = logs.totals(connection, owner)

    def read(start: int, stop: int) -> list[dict[str, Any]]:
        span = held.first_entry + start, held.first_entry + stop
        return [log_document(owner, entry, who) for entry, who in logs.entries(connection, owner, *span)]

    return Source(held.entries - held.first_entry, read)


def log_document(owner: str, entry: logs.Entry, worker: str) -> dict[str, Any]:
    """A console report as the wire shows it."""
    return {
        "task": owner,
        "type": "log",
        "timestamp": entry.time // 1000,
        "level": _LEVEL_NAMES.get(entry.level, "INFO"),
        "msg": entry.text,
        "worker": worker,
    }


def _others(connection: Connection, owner: str, kind: str) -> Source:
    def read(start: int, stop: int) -> list[dict[str, Any]]:
        return events.page(connection, owner, kind, start, stop)

    return Source(events.count(connection, owner, kind), read)


def _scalars(connection: Connection, owner: str, metric: str | None) -> Iterator[Source]:
    rows = of_owners(connection, [owner], None if metric is None else [metric])
    tails: list[Tail] = []

    def tail() -> Tail:
        if not tails:
            tails.append(Tail(connection, [owner]))
        return tails[0]

    for row in rows:
        if row.single_time is not None:
            yield Source(1, _single(row))
        if row.count:
            yield Source(row.count, _points(connection, row, tail))


def _single(row: Any) -> Callable[[int, int], list[dict[str, Any]]]:
    def read(start: int, stop: int) -> list[dict[str, Any]]:
        return [_scalar(row, SINGLE_ITERATION, row.single_time, row.single_value)]

    return read


def _points(
    connection: Connection, row: Any, tail: Callable[[], Tail]
) -> Callable[[int, int], list[dict[str, Any]]]:
    def read(start: int, stop: int) -> list[dict[str, Any]]:
        listed = headers(connection, [row.id]).get(row.id, [])
        held = tail().of(row.id)
        rising = all(one.last_iter < two.first_iter for one, two in pairwise(listed))
        last = listed[-1].last_iter if listed else None
        if rising and (last is None or all(int(part.iteration.min()) > last for part in held)):
            # Chunks follow one another, so only those that hold the piece are unpacked.
            begin = first = 0
            wanted: list[int] = []
            for chunk in listed:
                if begin < stop and begin + chunk.count > start:
                    first = begin if not wanted else first
                    wanted.append(chunk.number)
                begin += chunk.count
            if wanted and stop <= begin:
                points = chunks(connection, row.id, wanted)
                return list(_documents(row, points.take(slice(start - first, stop - first))))
        points = load(connection, Spec(row.id, row.owner), tail())
        return list(_documents(row, points.take(slice(start, stop))))

    return read


def _documents(row: Any, points: Any) -> Iterator[dict[str, Any]]:
    columns = (points.iteration.tolist(), points.time.tolist(), points.value.tolist())
    for iteration, time, value in zip(*columns, strict=True):
        yield _scalar(row, iteration, time, value)


def _scalar(row: Any, iteration: int, time: int, value: float | None) -> dict[str, Any]:
    return {
        "task": row.owner,
        "type": "training_stats_scalar",
        "metric": row.metric,
        "variant": row.variant,
        "iter": iteration,
        "timestamp": time // 1000,
        "value": finite(value),
        "model_event": row.is_model,
    }


@dataclass(frozen=True, slots=True)
class Place:
    """Where a scroll stands: how much was returned, and the total that it promised."""

    at: int
    total: int

    def text(self) -> str:
        """As a scroll id."""
        return f"{self.at}.{self.total}"


def place_of(scroll_id: str) -> Place:
    """The place of a scroll id.

    Raises:
        BadRequest: it is not one of ours.
    """
    at, dot, total = scroll_id.partition(".")
    if not (dot and at.isdigit() and total.isdigit()):
        raise BadRequest(f"{scroll_id!r} is not a scroll id of this method: start again without one")
    return Place(int(at), int(total))
