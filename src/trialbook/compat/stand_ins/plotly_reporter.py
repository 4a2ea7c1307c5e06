"""Lines of ``Logger.report_line_plot``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass
class SeriesInfo:
    """One line.

    Args:
        name: of the line.
        data: N × 2 numbers.
        labels: shown at the points; one for each, or None.

    Raises:
        ValueError: data of another shape, or another number of labels.

    Example:
        >>> SeriesInfo("a", [[0, 1], [1, 3]]).data.shape
        (2, 2)
    """

    name: str
    data: Any
    labels: Sequence[str] | None = None

    def __post_init__(self) -> None:
        import numpy

        self.data = numpy.asarray(self.data)
        if self.data.ndim != 2 or self.data.shape[1] != 2:
            raise ValueError(f"a line is N × 2 numbers, got the shape {self.data.shape}")
        if self.labels is not None and len(self.labels) != len(self.data):
            raise ValueError(f"{len(self.data)} points have {len(self.data)} labels, got {len(self.labels)}")
