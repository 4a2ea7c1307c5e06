"""Exact statistics: of the points of one request, merged into those of the series, and as the wire shows
them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Connection

from trialbook.server.series.columns import Batch, Points, stable_order
from trialbook.server.series.numeric import Ints, np
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


@dataclass(slots=True)
class Summary:
    """Statistics of some points of one series. A value is None where there is none; NaN is a value."""

    count: int = 0
    nonfinite: int = 0
    first_value: float | None = None
    first_iter: int | None = None
    first_time: int | None = None
    last_value: float | None = None
    last_iter: int | None = None
    last_time: int | None = None
    start_time: int = 0
    end_time: int = 0
    min_value: float | None = None
    min_iter: int | None = None
    max_value: float | None = None
    max_iter: int | None = None
    total: float = 0.0


def summarise(batch: Batch) -> list[Summary]:
    """One summary per series of the batch."""
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
    columns = zip(
        counts.tolist(),
        nonfinite.tolist(),
        value[starts].tolist(),
        points.iteration[starts].tolist(),
        points.time[starts].tolist(),
        value[ends].tolist(),
        points.iteration[ends].tolist(),
        points.time[ends].tolist(),
        np.minimum.reduceat(points.time, starts).tolist(),
        np.maximum.reduceat(points.time, starts).tolist(),
        least.tolist(),
        points.iteration[least_at].tolist(),
        most.tolist(),
        points.iteration[most_at].tolist(),
        total.tolist(),
        strict=True,
    )
    summaries = [Summary(*row) for row in columns]
    for summary in summaries:
        if summary.nonfinite == summary.count:
            summary.min_value = summary.min_iter = summary.max_value = summary.max_iter = None
    return summaries


def _first_of_each(segment: Ints, chosen: Any, many: int) -> Ints:
    """Per segment the position of its first chosen point; 0 where none is chosen."""
    at = np.flatnonzero(chosen)
    first = np.zeros(many, np.int64)
    # Written backwards, so that the first position is the one that stays.
    first[segment[at[::-1]]] = at[::-1]
    return first


def merge(old: Summary, new: Summary) -> Summary:
    """The statistics of both, ``new`` having arrived later.

    First and last go by (iteration, time), and of equal ones the later arrival is the last. Of equal minima
    and maxima the one of the lowest iteration counts. So the result does not depend on how points were cut
    into requests.
    """
    if not old.count:
        return new
    if not new.count:
        return old
    first = new if (new.first_iter, new.first_time) < (old.first_iter, old.first_time) else old
    last = new if (new.last_iter, new.last_time) >= (old.last_iter, old.last_time) else old
    least = _extreme(old, new, old.min_value, old.min_iter, new.min_value, new.min_iter)
    most = _extreme(old, new, _minus(old.max_value), old.max_iter, _minus(new.max_value), new.max_iter)
    return Summary(
        count=old.count + new.count,
        nonfinite=old.nonfinite + new.nonfinite,
        first_value=first.first_value,
        first_iter=first.first_iter,
        first_time=first.first_time,
        last_value=last.last_value,
        last_iter=last.last_iter,
        last_time=last.last_time,
        start_time=min(old.start_time, new.start_time),
        end_time=max(old.end_time, new.end_time),
        min_value=least.min_value,
        min_iter=least.min_iter,
        max_value=most.max_value,
        max_iter=most.max_iter,
        total=old.total + new.total,
    )


def _minus(value: float | None) -> float | None:
    return None if value is None else -value


def _extreme(
    old: Summary, new: Summary, a: float | None, a_at: int | None, b: float | None, b_at: int | None
) -> Summary:
    if a is None or b is None:
        return new if a is None else old
    return new if (b, b_at) < (a, a_at) else old


def from_row(row: Any) -> Summary:
    """The summary in a row of the ``series`` table; of a series without points an empty one."""
    if not row.count:
        return Summary()
    return Summary(
        count=row.count,
        nonfinite=row.nonfinite,
        first_value=_value(row.first_value),
        first_iter=row.first_iter,
        first_time=row.first_time,
        last_value=_value(row.last_value),
        last_iter=row.last_iter,
        last_time=row.last_time,
        start_time=row.start_time,
        end_time=row.end_time,
        min_value=row.min_value,
        min_iter=row.min_iter,
        max_value=row.max_value,
        max_iter=row.max_iter,
        total=_value(row.total),
    )


def to_columns(summary: Summary) -> dict[str, Any]:
    """The summary as columns of the ``series`` table."""
    return {
        "count": summary.count,
        "nonfinite": summary.nonfinite,
        "first_value": stored(summary.first_value),
        "first_iter": summary.first_iter,
        "first_time": summary.first_time,
        "last_value": stored(summary.last_value),
        "last_iter": summary.last_iter,
        "last_time": summary.last_time,
        "start_time": summary.start_time,
        "end_time": summary.end_time,
        "min_value": summary.min_value,
        "min_iter": summary.min_iter,
        "max_value": summary.max_value,
        "max_iter": summary.max_iter,
        "total": stored(summary.total),
    }


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
        scalars is left out; an owner shows its first 2 000 series, as the reference does.
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
