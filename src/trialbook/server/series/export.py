"""All points of series for scripts and files, and the rows of the catalogue."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trialbook.server.core.numeric import np
from trialbook.server.series.columns import Points, empty
from trialbook.server.series.statistics import finite
from trialbook.server.series.tiles import Wanted
from trialbook.wire.series import Number, RawSeries, SeriesEntry

COLUMNS = "application/x-trialbook-columns"
MAGIC = b"TBR1"


def number(value: float | None) -> Number:
    """A value as JSON can say it. None, which is how the database keeps NaN, is NaN."""
    if value is None or value != value:
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def _seconds(time: int | None) -> float | None:
    return None if time is None else time / 1e6


def entry(row: Any) -> SeriesEntry:
    """A row of the ``series`` table as the catalogue shows it."""
    known = row.count - row.nonfinite
    single = row.single_time is not None
    some = bool(row.count)
    mean = row.total / known if known and row.total is not None else None
    return SeriesEntry(
        task=row.owner,
        is_model=row.is_model,
        metric=row.metric,
        variant=row.variant,
        count=row.count,
        nonfinite=row.nonfinite,
        version=row.version,
        first=number(row.first_value) if some else None,
        first_iter=row.first_iter,
        last=number(row.last_value) if some else None,
        last_iter=row.last_iter if some else None,
        last_time=_seconds(row.last_time) if some else None,
        start_time=_seconds(row.start_time) if some else None,
        end_time=_seconds(row.end_time) if some else None,
        min=row.min_value if some else None,
        min_iter=row.min_iter if some else None,
        max=row.max_value if some else None,
        max_iter=row.max_iter if some else None,
        mean=finite(mean),
        single=number(row.single_value) if single else None,
        single_time=_seconds(row.single_time) if single else None,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Points of one series that are to be sent, out of ``total`` in the range."""

    wanted: Wanted
    total: int
    points: Points


def cut(
    wanted: Wanted,
    points: Mapping[int, Points],
    span: tuple[float, float] | None,
    start: int,
    limit: int | None,
) -> Part:
    """The points of a series in a range of iterations, from point ``start`` on, at most ``limit``."""
    found = points[wanted.row.id] if wanted.row is not None else empty()
    if span is not None and len(found):
        x = found.iteration.astype(np.float64)
        found = found.take(np.flatnonzero((x >= span[0]) & (x <= span[1])))
    stop = len(found) if limit is None else start + limit
    return Part(wanted, len(found), found.take(slice(start, stop)))


def to_json(part: Part) -> RawSeries:
    """The points as lists; a value that JSON cannot say is a text."""
    values: list[Any] = part.points.value.tolist()
    if not bool(np.isfinite(part.points.value).all()):
        values = [number(value) for value in values]
    return RawSeries(
        task=part.wanted.owner,
        metric=part.wanted.metric,
        variant=part.wanted.variant,
        total=part.total,
        iter=part.points.iteration.tolist(),
        time=(part.points.time / 1e6).tolist(),
        value=values,
    )


def to_bytes(parts: list[Part]) -> bytes:
    """The points as ``application/x-trialbook-columns``: magic, u32 length, directory, then per series i64
    iterations, f64 seconds and f64 values."""
    offset = 0
    directory = []
    blobs = []
    for part in parts:
        columns = (
            part.points.iteration.astype("<i8").tobytes(),
            (part.points.time / 1e6).astype("<f8").tobytes(),
            part.points.value.astype("<f8").tobytes(),
        )
        blob = b"".join(columns)
        directory.append(
            {
                "task": part.wanted.owner,
                "metric": part.wanted.metric,
                "variant": part.wanted.variant,
                "total": part.total,
                "offset": offset,
                "length": len(part.points),
            }
        )
        blobs.append(blob)
        offset += len(blob)
    text = json.dumps({"series": directory}, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return b"".join((MAGIC, len(text).to_bytes(4, "little"), text, *blobs))
