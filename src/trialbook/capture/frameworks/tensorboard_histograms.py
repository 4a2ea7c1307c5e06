"""Histograms over time as one surface, drawn anew only now and then."""

import time
from collections.abc import Callable
from typing import Any

ROWS = 60
"""Histograms that a surface shows; of more, every second is left out."""
BINS = 40
_PAUSE_SECONDS = 60.0


class Histograms:
    """The histograms of one line.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._rows: list[tuple[int, Any, Any]] = []
        self._stride = 1
        self._count = 0
        self._pending: tuple[int, Any, Any] | None = None
        self._drawn_at = clock()

    def add(self, iteration: int, edges: Any, counts: Any) -> bool:
        """Keep a histogram.

        Args:
            iteration: where it stands.
            edges: borders of the bins, one more than counts; ascending.
            counts: of the bins.

        Returns:
            True when it is time to draw: after the 1st, 2nd, 4th, 8th … histogram, and when a minute has passed.
        """
        row = (iteration, edges, counts)
        if self._count % self._stride == 0:
            self._rows.append(row)
            if len(self._rows) > ROWS:
                del self._rows[1::2]
                self._stride *= 2
        self._count += 1
        self._pending = row
        return self._count & (self._count - 1) == 0 or self._clock() - self._drawn_at >= _PAUSE_SECONDS

    @property
    def waiting(self) -> bool:
        """Whether there is something that was not drawn yet."""
        return self._pending is not None

    def draw(self) -> dict[str, Any]:
        """The surface of values, iterations and counts, in Plotly's schema; the newest histogram is always in it."""
        import numpy

        rows = list(self._rows)
        if self._pending is not None and rows[-1] is not self._pending:
            rows.append(self._pending)
        self._pending = None
        self._drawn_at = self._clock()
        low = min(float(edges[0]) for _, edges, _ in rows)
        high = max(float(edges[-1]) for _, edges, _ in rows)
        borders = numpy.linspace(low, high if high > low else low + 1.0, BINS + 1)
        heights = []
        for _, edges, counts in rows:
            # A bin that lies across a border is divided evenly.
            below = numpy.concatenate(([0.0], numpy.cumsum(counts)))
            heights.append(numpy.round(numpy.diff(numpy.interp(borders, edges, below)), 3).tolist())
        return {
            "data": [
                {
                    "type": "surface",
                    "x": numpy.round((borders[:-1] + borders[1:]) / 2, 9).tolist(),
                    "y": [iteration for iteration, _, _ in rows],
                    "z": heights,
                    "colorscale": "Viridis",
                    "showscale": False,
                    "hovertemplate": "value %{x}<br>iteration %{y}<br>count %{z}<extra></extra>",
                }
            ],
            "layout": {
                "scene": {
                    "xaxis": {"title": {"text": "value"}},
                    "yaxis": {"title": {"text": "iteration"}},
                    "zaxis": {"title": {"text": "count"}},
                }
            },
        }


def bins_of(message: Any) -> tuple[Any, Any] | None:
    """Edges and counts of a ``HistogramProto``; None when it is empty."""
    import numpy

    limits, counts = numpy.array(message.bucket_limit), numpy.array(message.bucket)
    filled = numpy.flatnonzero(counts)
    if not filled.size or limits.size != counts.size:
        return None
    first, last = filled[0], filled[-1]
    # The outermost bins reach to infinity; the message knows where their values end.
    edges = numpy.concatenate(([limits[first - 1] if first else message.min], limits[first : last + 1]))
    edges[0], edges[-1] = max(edges[0], message.min), min(edges[-1], message.max)
    return numpy.maximum.accumulate(edges), counts[first : last + 1]


def bins_in(table: Any) -> tuple[Any, Any] | None:
    """The same from the newer form: rows of left edge, right edge and count."""
    import numpy

    if not len(table):
        return None
    return numpy.append(table[:, 0], table[-1, 1]), table[:, 2]
