"""Where pairs of axes and their colour bars stand on the page."""

from dataclasses import dataclass
from typing import Any

from trialbook.capture.interactive import texts
from trialbook.capture.interactive.axis import ticks
from trialbook.capture.interactive.unknown import Unknown

_CLOSE = 1e-3


@dataclass(eq=False)
class Place:
    """A pair of axes on the page.

    Attributes:
        axes: the pair.
        x: name of its x axis there.
        y: name of its y axis there.
        below: those that it is a twin of.
    """

    axes: Any
    x: str
    y: str
    below: "Place | None" = None

    @property
    def base(self) -> "Place":
        """Those whose place on the page it is."""
        return self.below or self


class Frame:
    """The part of a figure that its axes take, which becomes the whole page.

    Args:
        axes: all of them.
    """

    def __init__(self, axes: list[Any]) -> None:
        boxes = [one.get_position() for one in axes]
        self._left, self._bottom = min(box.x0 for box in boxes), min(box.y0 for box in boxes)
        self._width = max(box.x1 for box in boxes) - self._left
        self._height = max(box.y1 for box in boxes) - self._bottom
        if self._width <= 0 or self._height <= 0:
            raise Unknown("axes without a size")

    def across(self, axes: Any) -> list[float]:
        """Left and right of some axes, as parts of the page."""
        box = axes.get_position()
        return [_inside((edge - self._left) / self._width) for edge in (box.x0, box.x1)]

    def up(self, axes: Any) -> list[float]:
        """Bottom and top of some axes, as parts of the page."""
        box = axes.get_position()
        return [_inside((edge - self._bottom) / self._height) for edge in (box.y0, box.y1)]

    def beyond(self, axes: Any) -> tuple[float, float]:
        """Left and bottom of what may stand outside of the page."""
        box = axes.get_position()
        return (
            round(float((box.x0 - self._left) / self._width), 4),
            round(float((box.y0 - self._bottom) / self._height), 4),
        )

    @staticmethod
    def same(one: Any, other: Any) -> bool:
        """Whether two pairs of axes stand in one place."""
        pairs = zip(
            one.get_position(original=True).bounds, other.get_position(original=True).bounds, strict=True
        )
        return all(abs(first - second) < _CLOSE for first, second in pairs)

    @staticmethod
    def meet(one: Any, other: Any) -> bool:
        """Whether one pair of axes covers a part of another one."""
        first, second = one.get_position(), other.get_position()
        return bool(
            min(first.x1, second.x1) - max(first.x0, second.x0) > _CLOSE
            and min(first.y1, second.y1) - max(first.y0, second.y0) > _CLOSE
        )


def _inside(part: float) -> float:
    return round(min(1.0, max(0.0, float(part))), 4)


def colour_bar(bar: Any, frame: Frame) -> dict[str, Any]:
    """Place, name and ticks of a ``matplotlib.colorbar.Colorbar``.

    Raises:
        Unknown: it shows something else than the colours from end to end.
    """
    upright = bar.orientation == "vertical"
    axis = bar.ax.yaxis if upright else bar.ax.xaxis
    low, high = axis.get_view_interval()
    if bar.boundaries is not None or bar.values is not None or low > high or axis.get_scale() != "linear":
        raise Unknown("a colour bar in parts, or from high to low")
    if not bar.ax.get_visible():
        raise Unknown("a colour bar that is hidden")
    x, y = frame.beyond(bar.ax)
    across, up = frame.across(bar.ax), frame.up(bar.ax)
    look: dict[str, Any] = {"lenmode": "fraction"}
    if upright:
        look.update(x=max(x, across[0]), xanchor="left", y=sum(up) / 2, yanchor="middle", len=up[1] - up[0])
        if x >= 1:
            look["x"] = 1.02
    else:
        look.update(orientation="h", x=sum(across) / 2, xanchor="center", len=across[1] - across[0])
        look.update({"y": -0.15, "yanchor": "top"} if y < 0 else {"y": max(up[1], y), "yanchor": "bottom"})
    label = texts.of(axis.get_label())
    if label:
        look["title"] = {"text": label, "side": "right" if upright else "top"}
    title = texts.of(bar.ax.title)
    if title:
        if label:
            raise Unknown("a colour bar with two names")
        look["title"] = {"text": title, "side": "top"}
    look.update({name: value for name, value in ticks(axis, list).items() if name != "showgrid"})
    return look
