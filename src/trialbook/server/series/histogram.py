"""Scalars as clients of ClearML read them: one point per iteration, thinned by the mean of windows.

ClearML keeps one event per (task, metric, variant, iteration), the newest. Here every point is kept;
this view alone shows the newest of equal iterations. Nothing is thinned while there are no more points than
asked for.
"""

from __future__ import annotations

from typing import Any, Literal

from trialbook.base.clock import iso
from trialbook.server.core.numeric import np
from trialbook.server.series.columns import Points
from trialbook.wire.events import Curve

DEFAULT_SAMPLES = 2000


def newest_of_each(points: Points) -> Points:
    """Of points with equal iteration the last one; the points are in the order (iteration, time, arrival)."""
    if len(points) < 2:
        return points
    last = np.append(points.iteration[1:] != points.iteration[:-1], True)
    return points if bool(last.all()) else points.take(np.flatnonzero(last))


def curve(name: str, points: Points, key: Literal["iter", "timestamp", "iso_time"], samples: int) -> Curve:
    """A series with at most ``samples`` points.

    Args:
        name: of the variant or task.
        points: in the order (iteration, time, arrival).
        key: what x is: the iteration, milliseconds since the epoch, or a date.
        samples: when there are more points, x is cut into so many windows of equal width; a window shows its
        begin
            and the mean of its finite values.
    """
    points = newest_of_each(points)
    if key == "iter":
        x, value = points.iteration, points.value
    else:
        order = np.argsort(points.time, kind="stable")
        x, value = points.time[order] // 1000, points.value[order]
    if len(x) > samples:
        x, value = _windows(x, value, samples)
    shown: Any = x.tolist()
    if key == "iso_time":
        shown = [iso(moment / 1000) for moment in shown]
    finite = np.isfinite(value)
    y: list[float | None] = value.tolist()
    if not bool(finite.all()):
        y = [number if good else None for number, good in zip(y, finite.tolist(), strict=True)]
    return Curve(name=name, x=shown, y=y)


def _windows(x: Any, value: Any, samples: int) -> tuple[Any, Any]:
    # Python's integers: the distance of two 64-bit extremes does not fit into 64 bits.
    low, high = int(x[0]), int(x[-1])
    width = -(-(high - low + 1) // samples)
    if high - low < 2**63:
        place = (x - low) // width
    else:
        place = np.array([(number - low) // width for number in x.tolist()], np.int64)
    starts = np.concatenate(([0], np.flatnonzero(place[1:] != place[:-1]) + 1))
    finite = np.isfinite(value)
    count = np.add.reduceat(finite.astype(np.int64), starts)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        mean = np.add.reduceat(np.where(finite, value, 0.0), starts) / count
    begins = np.array([low + int(number) * width for number in place[starts].tolist()], np.int64)
    return begins, mean
