"""One axis of a pair of axes: its numbers as values of a page, and how it looks."""

import math
import sys
from typing import Any

from trialbook.capture.interactive.colours import number
from trialbook.capture.interactive.unknown import Unknown

_DATES = frozenset({"AutoDateFormatter", "ConciseDateFormatter", "DateFormatter", "PandasAutoDateFormatter"})
_FIXED = frozenset({"FixedFormatter", "StrCategoryFormatter"})
_MOST_TICKS = 200


class Side:
    """The x or the y of a ``matplotlib.axes.Axes``.

    Args:
        axes: both of them.
        name: "x" or "y".

    Raises:
        Unknown: its scale is neither linear nor logarithmic.
    """

    def __init__(self, axes: Any, name: str) -> None:
        self._axes = axes
        self.name = name
        self.axis = getattr(axes, f"{name}axis")
        scale = self.axis.get_scale()
        if scale not in ("linear", "log"):
            raise Unknown(f"a {scale} axis")
        self._formatter = self.axis.get_major_formatter()
        kind = type(self._formatter).__name__
        self.is_log = scale == "log"
        self._is_period = kind == "TimeSeries_DateFormatter"
        self.is_date = kind in _DATES or self._is_period

    def values(self, numbers: Any) -> list[Any]:
        """Numbers of the figure, as the page wants them: dates in ISO form, gaps as None."""
        import numpy

        plain: Any = numpy.ma.filled(numpy.ma.asarray(numbers, dtype=float), numpy.nan)
        if not self.is_date:
            return [value if math.isfinite(value) else None for value in plain.tolist()]
        finite = numpy.isfinite(plain)
        if self._is_period:
            # pandas counts periods of the axes' own length.
            index = sys.modules["pandas"].PeriodIndex.from_ordinals(
                plain[finite].astype(int), freq=self._axes.freq
            )
            dates = iter(index.to_timestamp())
        else:
            # In the zone of the axis, as the figure writes them; the page knows no zones.
            zone = getattr(self._formatter, "_tz", None) or getattr(self._formatter, "tz", None)
            dates = iter(sys.modules["matplotlib.dates"].num2date(plain[finite], tz=zone))
        return [next(dates).replace(tzinfo=None).isoformat() if there else None for there in finite]

    def place(self, value: Any) -> Any:
        """A position for a text: on a logarithmic axis they are given by exponents."""
        (found,) = self.values([value])
        return math.log10(found) if self.is_log and found else found

    def layout(self) -> dict[str, Any]:
        """Kind, name, range and ticks of the axis."""
        label = self.axis.get_label().get_text()
        look: dict[str, Any] = {"type": "date" if self.is_date else self.axis.get_scale(), "zeroline": False}
        if label:
            look["title"] = {"text": label}
        look.update(self._range())
        if not self._axes.axison or not self.axis.get_visible():
            look["visible"] = False
        elif not self.is_date:
            look.update(self._ticks())
        return look

    def _range(self) -> dict[str, Any]:
        low, high = (number(value) for value in getattr(self._axes, f"get_{self.name}lim")())
        if getattr(self._axes, f"get_autoscale{self.name}_on")():
            return {"autorange": "reversed"} if low > high else {}
        return {"range": [self.place(low), self.place(high)]}

    def _ticks(self) -> dict[str, Any]:
        places = list(self.axis.get_majorticklocs())
        if not places:
            return {"showticklabels": False, "showgrid": False}
        if not self._has_texts() or len(places) > _MOST_TICKS:
            return {}
        texts = [str(text) for text in self._formatter.format_ticks(places)]
        return {"tickvals": self.values(places), "ticktext": texts}

    def _has_texts(self) -> bool:
        """Whether the program gave the ticks their texts; else the page finds ticks of its own."""
        kind = type(self._formatter).__name__
        # The texts of set_ticks come from a function.
        fixed = type(self.axis.get_major_locator()).__name__ == "FixedLocator"
        return kind in _FIXED or (kind == "FuncFormatter" and fixed)


class Pair:
    """Both axes of a ``matplotlib.axes.Axes``.

    Args:
        axes: to be shown.
    """

    def __init__(self, axes: Any) -> None:
        self.axes = axes
        self.x = Side(axes, "x")
        self.y = Side(axes, "y")

    def where(self, transform: Any) -> tuple[bool, bool]:
        """Whether x and y of what is drawn with this transform are numbers on these axes."""
        x, y = transform.contains_branch_seperately(self.axes.transData)
        return bool(x), bool(y)

    def points(self, xy: Any) -> dict[str, list[Any]]:
        """``{"x", "y"}`` of rows of two numbers."""
        import numpy

        rows = numpy.ma.asarray(xy).reshape(-1, 2)
        return {"x": self.x.values(rows[:, 0]), "y": self.y.values(rows[:, 1])}
