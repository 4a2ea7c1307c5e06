"""Exact statistics: of the points of one request, merged into those of the series, and as the wire shows
them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Connection

from trialbook.server.core.numeric import Floats, Ints, np
from trialbook.server.series.columns import Batch, Points, stable_order
from trialbook.server.stores.series import SINGLE_ITERATION, of_owners

_MOST_COMBINATIONS = 2000


def group(series: Ints, points: Points) -> Batch:
    """Points of several series, put together by series, each in the order (iteration, time, arrival).

    Args:
        series: for each point a small non-negative number.
        points: at least one.

    Returns:
        A batch whose ``ids`` are the numbers that occur, rising.
    """
    order = stable_order(series, points.iteration, points.time)
    if order is not None:
        series, points = series[order], points.take(order)
    edges = np.flatnonzero(series[1:] != series[:-1]) + 1
    starts = np.concatenate(([0], edges, [len(series)])).astype(np.int64)
    return Batch(series[starts[:-1]], starts, points)


_INTS = (
    "count",
    "nonfinite",
    "first_iter",
    "first_time",
    "last_iter",
    "last_time",
    "start_time",
    "end_time",
    "min_iter",
    "max_iter",
)
_FLOATS = ("first_value", "last_value", "min_value", "max_value", "total")
COLUMNS = (*_INTS, *_FLOATS)
"""The columns of the ``series`` table that hold statistics of points."""


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """Statistics of some series, one after the other, as columns. Where ``count`` is 0 the rest says nothing; a
    minimum or maximum that is NaN is none, because they are over finite values."""

    count: Ints
    nonfinite: Ints
    first_iter: Ints
    first_time: Ints
    last_iter: Ints
    last_time: Ints
    start_time: Ints
    end_time: Ints
    min_iter: Ints
    max_iter: Ints
    first_value: Floats
    last_value: Floats
    min_value: Floats
    max_value: Floats
    total: Floats

    def __len__(self) -> int:
        return len(self.count)

    def spread(self, places: Ints, many: int) -> Statistics:
        """The same among ``many`` series: row k stands at ``places[k]``, the others have no points."""
        columns = {}
        for name in COLUMNS:
            column = getattr(self, name)
            columns[name] = np.zeros(many, column.dtype)
            columns[name][places] = column
        return Statistics(**columns)


def summarise(batch: Batch) -> Statistics:
    """The statistics of each series of the batch."""
    points, starts = batch.points, batch.starts[:-1]
    value = points.value
    counts = np.diff(batch.starts)
    finite = np.isfinite(value)
    all_finite = bool(finite.all())
    nonfinite = (
        np.zeros(len(starts), np.int64) if all_finite else np.add.reduceat((~finite).astype(np.int64), starts)
    )
    low = value if all_finite else np.where(finite, value, np.inf)
    high = value if all_finite else np.where(finite, value, -np.inf)
    least = np.minimum.reduceat(low, starts)
    most = np.maximum.reduceat(high, starts)
    segment = np.repeat(np.arange(len(starts)), counts)
    least_at = _first_of_each(segment, (value == least[segment]) & finite, len(starts))
    most_at = _first_of_each(segment, (value == most[segment]) & finite, len(starts))
    with np.errstate(over="ignore"):
        total = np.add.reduceat(value if all_finite else np.where(finite, value, 0.0), starts)
    ends = batch.starts[1:] - 1
    none = nonfinite == counts
    return Statistics(
        counts,
        nonfinite,
        points.iteration[starts],
        points.time[starts],
        points.iteration[ends],
        points.time[ends],
        np.minimum.reduceat(points.time, starts),
        np.maximum.reduceat(points.time, starts),
        points.iteration[least_at],
        points.iteration[most_at],
        value[starts],
        value[ends],
        np.where(none, np.nan, least),
        np.where(none, np.nan, most),
        total,
    )


def _first_of_each(segment: Ints, chosen: Any, many: int) -> Ints:
    """Per segment the position of its first chosen point; 0 where none is chosen."""
    at = np.flatnonzero(chosen)
    first = np.zeros(many, np.int64)
    # Written backwards, so that the first position is the one that stays.
    first[segment[at[::-1]]] = at[::-1]
    return first


def merge(old: Statistics, new: Statistics) -> Statistics:
    """The statistics of both, row by row, ``new`` having arrived later.

    First and last go by (iteration, time), and of equal ones the later arrival is the last. Of equal minima
    and maxima the one of the lowest iteration counts. So the result does not depend on how points were cut
    into requests.
    """
    fresh, nothing = old.count == 0, new.count == 0
    first = fresh | _before(new.first_iter, new.first_time, old.first_iter, old.first_time)
    last = fresh | ~_before(new.last_iter, new.last_time, old.last_iter, old.last_time)
    least = fresh | _beats(new.min_value, new.min_iter, old.min_value, old.min_iter)
    most = fresh | _beats(-new.max_value, new.max_iter, -old.max_value, old.max_iter)
    start = fresh | (new.start_time < old.start_time)
    end = fresh | (new.end_time > old.end_time)
    taken = {"first": first, "last": last, "min": least, "max": most, "start": start, "end": end}
    columns = {}
    with np.errstate(over="ignore", invalid="ignore"):
        for name in COLUMNS:
            one, two = getattr(old, name), getattr(new, name)
            if name in ("count", "nonfinite", "total"):
                columns[name] = np.where(fresh, two, np.where(nothing, one, one + two))
            else:
                columns[name] = np.where(taken[name.partition("_")[0]] & ~nothing, two, one)
    return Statistics(**columns)


def _before(iteration: Ints, time: Ints, iteration2: Ints, time2: Ints) -> Any:
    return (iteration < iteration2) | ((iteration == iteration2) & (time < time2))


def _beats(new: Floats, new_at: Ints, old: Floats, old_at: Ints) -> Any:
    """Where the new minimum takes the place of the old one; NaN is none."""
    return np.isnan(old) | (new < old) | ((new == old) & (new_at < old_at))


def from_columns(held: Mapping[str, Sequence[Any]]) -> Statistics:
    """The statistics in columns of the ``series`` table."""
    columns: dict[str, Any] = {}
    for name in COLUMNS:
        if name in _INTS:
            columns[name] = np.array([number or 0 for number in held[name]], np.int64)
        else:
            # NULL is NaN.
            columns[name] = np.array(held[name], np.float64)
    return Statistics(**columns)


def to_lists(statistics: Statistics) -> dict[str, list[Any]]:
    """The statistics as columns of the ``series`` table."""
    lists: dict[str, list[Any]] = {}
    empty = statistics.count == 0
    without = {"min_iter": np.isnan(statistics.min_value), "max_iter": np.isnan(statistics.max_value)}
    for name in COLUMNS:
        column = getattr(statistics, name)
        held: list[Any] = column.tolist()
        if name in ("count", "nonfinite"):
            lists[name] = held
            continue
        gone = np.isnan(column) if name in _FLOATS else without.get(name, empty)
        if name != "total":
            gone = gone | empty
        if bool(gone.any()):
            held = [None if none else value for value, none in zip(held, gone.tolist(), strict=True)]
        lists[name] = held
    return lists


def stored(value: float | None) -> float | None:
    """A value as a column holds it: NaN is NULL."""
    return None if value is None or value != value else value


def _value(column: float | None) -> float:
    return math.nan if column is None else column


def finite(value: float | None) -> float | None:
    """A number for a strict JSON reply: null for what JSON cannot say."""
    return value if value is not None and math.isfinite(value) else None


def single_columns(value: float, time: int) -> dict[str, Any]:
    """What a series without points shows in tables and when sorted: its single value."""
    held = finite(value)
    return {
        "last_value": stored(value),
        "last_iter": SINGLE_ITERATION,
        "last_time": time,
        "min_value": held,
        "min_iter": SINGLE_ITERATION,
        "max_value": held,
        "max_iter": SINGLE_ITERATION,
    }


def last_metrics(
    connection: Connection, owners: Iterable[str], metric_hashes: Iterable[str] | None = None
) -> dict[str, dict[str, dict[str, dict[str, Any]]]]:
    """The ``last_metrics`` document of tasks or models.

    Args:
        connection: of a read or write transaction.
        owners: task and model ids.
        metric_hashes: only the metrics with these md5; None means all.

    Returns:
        By owner, md5 of the metric and md5 of the variant: names, last, least and greatest value with their
        iterations, first value, count and mean. A value that JSON cannot say is None. An owner without
        scalars is left out; an owner shows its first 2 000 series, as ClearML does.
    """
    documents: dict[str, dict[str, dict[str, dict[str, Any]]]] = {}
    shown: dict[str, int] = {}
    for row in of_owners(connection, owners, metric_hashes=metric_hashes):
        if not row.count and row.single_time is None:
            continue
        shown[row.owner] = shown.get(row.owner, 0) + 1
        if shown[row.owner] <= _MOST_COMBINATIONS:
            metric = documents.setdefault(row.owner, {}).setdefault(row.metric_hash, {})
            metric[row.variant_hash] = last_metric(row)
    return documents


def last_metric(row: Any) -> dict[str, Any]:
    """One entry of ``last_metrics`` from a row of the ``series`` table."""
    known = row.count - row.nonfinite
    return {
        "metric": row.metric,
        "variant": row.variant,
        "value": finite(row.last_value),
        "min_value": finite(row.min_value),
        "min_value_iteration": row.min_iter,
        "max_value": finite(row.max_value),
        "max_value_iteration": row.max_iter,
        "first_value": finite(row.first_value) if row.count else finite(row.single_value),
        "first_value_iteration": row.first_iter if row.count else SINGLE_ITERATION,
        "count": row.count or 1,
        "mean_value": finite(_value(row.total) / known) if known else finite(row.single_value),
    }
