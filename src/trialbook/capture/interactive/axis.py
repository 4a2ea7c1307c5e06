"""One axis of a pair of axes: its numbers as values of a page, and how it looks."""

import math
import sys
from typing import Any

from trialbook.capture.interactive import texts
from trialbook.capture.interactive.colours import css, number
from trialbook.capture.interactive.unknown import Unknown

_NUMBERS = frozenset({"ScalarFormatter", "LogFormatterSciNotation", "LogFormatterMathtext", "LogFormatter"})
_DATES = frozenset({"AutoDateFormatter", "ConciseDateFormatter", "DateFormatter", "PandasAutoDateFormatter"})
_PERIODS = "TimeSeries_DateFormatter"
_PLAIN = _NUMBERS | {"AutoDateFormatter", "ConciseDateFormatter", "PandasAutoDateFormatter", _PERIODS}
"""They write the value itself, and so does the page, at as many places as it is wide."""
_FINDERS = frozenset(
    {"AutoLocator", "MaxNLocator", "LogLocator", "AutoDateLocator", "PandasAutoDateLocator"}
    | {"TimeSeries_DateLocator"}
)
"""They look for places by themselves, and so does the page."""
_SIDES = {"x": ("bottom", "top"), "y": ("left", "right")}
_MOST_TICKS = 200
_TOLERANCE = 1e-9


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
        self._kind = type(self._formatter).__name__
        self.is_log = scale == "log"
        self._is_period = self._kind == _PERIODS
        self.is_date = self._kind in _DATES or self._is_period
        self.limits: tuple[float, float] = tuple(
            float(number(value)) for value in getattr(axes, f"get_{name}lim")()
        )  # type: ignore[assignment]

    def values(self, numbers: Any) -> list[Any]:
        """Numbers of the figure, as the page wants them: dates in ISO form, gaps as None.

        Raises:
            Unknown: something stands at or below the zero of a logarithmic axis, where the page draws nothing.
        """
        import numpy

        plain: Any = numpy.ma.filled(numpy.ma.asarray(numbers, dtype=float), numpy.nan)
        if self.is_log and bool((plain[numpy.isfinite(plain)] <= 0).any()):
            raise Unknown("what is not above zero on a logarithmic axis")
        return self.written(plain)

    def written(self, plain: Any) -> list[Any]:
        """The same for an array of any numbers."""
        import numpy

        if not self.is_date:
            return [value if math.isfinite(value) else None for value in plain.tolist()]
        finite = numpy.isfinite(plain)
        if self._is_period:
            # pandas counts periods of the axes' own length, and parts of them.
            begun = numpy.floor(plain[finite])
            index = sys.modules["pandas"].PeriodIndex
            this, following = (
                index.from_ordinals((begun + more).astype(int), freq=self._axes.freq).to_timestamp()
                for more in (0, 1)
            )
            dates = iter(this + (following - this) * (plain[finite] - begun))
        else:
            # In the zone of the axis, as the figure writes them; the page knows no zones.
            zone = getattr(self._formatter, "_tz", None) or getattr(self._formatter, "tz", None)
            dates = iter(sys.modules["matplotlib.dates"].num2date(plain[finite], tz=zone))
        return [next(dates).replace(tzinfo=None).isoformat() if there else None for there in finite]

    def place(self, value: Any) -> Any:
        """A position for a text: on a logarithmic axis they are given by exponents."""
        (found,) = self.values([value])
        return math.log10(found) if self.is_log and found else found

    def shows(self, value: float) -> bool:
        """Whether a value lies within the limits."""
        low, high = sorted(self.limits)
        return low - _TOLERANCE * (high - low) <= value <= high + _TOLERANCE * (high - low)

    def part(self, value: float) -> float:
        """Where a value stands, as a part of the axis."""
        low, high = self.limits
        if self.is_log:
            low, high, value = math.log10(low), math.log10(high), math.log10(value)
        return (value - low) / (high - low)

    def layout(self) -> dict[str, Any]:
        """Kind, name, range and ticks of the axis."""
        look: dict[str, Any] = {"type": "date" if self.is_date else self.axis.get_scale(), "zeroline": False}
        look["range"] = [self.place(value) for value in self.limits]
        if not self._axes.axison or not self.axis.get_visible():
            return {**look, "visible": False}
        label = self.axis.get_label()
        name = texts.of(label)
        if name:
            look["title"] = {"text": name, **_coloured(label.get_color())}
        look.update(self._ticks())
        return look

    @property
    def side(self) -> str:
        """Where its ticks are written, else where its name stands."""
        first, second = _SIDES[self.name]
        shown = self._written()
        if shown[0] != shown[1]:
            return first if shown[0] else second
        return second if self.axis.get_label_position() == second else first

    def _written(self) -> tuple[bool, bool]:
        kept = self._tick_params()
        first, second = _SIDES[self.name]
        return bool(kept.get(f"label{first}", True)), bool(kept.get(f"label{second}", False))

    def _tick_params(self) -> dict[str, Any]:
        if hasattr(self.axis, "get_tick_params"):
            return dict(self.axis.get_tick_params())
        # matplotlib before 3.7
        tick = self.axis.get_major_ticks(1)[0]
        first, second = _SIDES[self.name]
        shown = {f"label{first}": tick.label1.get_visible(), f"label{second}": tick.label2.get_visible()}
        return {**shown, "labelcolor": tick.label1.get_color()}

    def _ticks(self) -> dict[str, Any]:
        look: dict[str, Any] = {}
        if self.side == _SIDES[self.name][1]:
            look["side"] = self.side
        if not any(self._written()) or self._kind == "NullFormatter":
            look["showticklabels"] = False
        colour = self._tick_params().get("labelcolor")
        if colour is not None and colour != "inherit":
            look.update({"tickfont": found["font"]} if (found := _coloured(colour)) else {})
        if any(self.axis.get_minorticklocs()) and self._names_between():
            raise Unknown("texts at minor ticks")
        return {**look, **ticks(self.axis, self.written)}

    def _names_between(self) -> bool:
        formatter = self.axis.get_minor_formatter()
        if type(formatter).__name__ in _PLAIN | {"NullFormatter"}:
            return False
        return any(formatter.format_ticks(list(self.axis.get_minorticklocs())))


def ticks(axis: Any, written: Any) -> dict[str, Any]:
    """Places and texts of the ticks, as far as the page does not find the same ones.

    Args:
        axis: a ``matplotlib.axis.Axis``.
        written: makes values of the page from an array of numbers.

    Raises:
        Unknown: there are too many of them.
    """
    import numpy

    places = numpy.asarray(axis.get_majorticklocs(), dtype=float)
    if not len(places):
        return {"showticklabels": False, "showgrid": False}
    formatter = axis.get_major_formatter()
    kind = type(formatter).__name__
    if kind in _PLAIN and type(axis.get_major_locator()).__name__ in _FINDERS:
        return {}
    low, high = sorted(float(value) for value in axis.get_view_interval())
    seen = places[(places >= low - _TOLERANCE * (high - low)) & (places <= high + _TOLERANCE * (high - low))]
    if len(seen) > _MOST_TICKS:
        raise Unknown("very many ticks")
    if kind in _PLAIN:
        return {"tickmode": "array", "tickvals": written(seen)}
    words = [texts.words(str(text)) for text in formatter.format_ticks(list(places))]
    offset = formatter.get_offset()
    if offset:
        raise Unknown(f"ticks that are counted from {offset}")
    inside = [word for word, place in zip(words, places, strict=True) if place in seen]
    return {"tickmode": "array", "tickvals": written(seen), "ticktext": inside}


def _coloured(colour: Any) -> dict[str, Any]:
    """A font of that colour; black is the page's own."""
    found = css(colour)
    return {} if found.startswith("rgba(0,0,0,") else {"font": {"color": found}}


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
