"""Colours, markers and line styles."""

import sys
from typing import Any

from trialbook.capture.interactive.unknown import Unknown

PIXELS = 96 / 72
"""Of a point: matplotlib measures in points, a browser in pixels."""
_DASHES = {"-": "solid", "--": "dash", "-.": "dashdot", ":": "dot"}
_STROKES = frozenset("x+1234|_")
_MARKERS = {
    "o": "circle",
    ".": "circle",
    ",": "circle",
    "s": "square",
    "D": "diamond",
    "d": "diamond-tall",
    "^": "triangle-up",
    "v": "triangle-down",
    "<": "triangle-left",
    ">": "triangle-right",
    "*": "star",
    "p": "pentagon",
    "h": "hexagon",
    "H": "hexagon2",
    "8": "octagon",
    "X": "x",
    "P": "cross",
    "x": "x-thin",
    "+": "cross-thin",
    "|": "line-ns",
    "_": "line-ew",
    "1": "y-down",
    "2": "y-up",
    "3": "y-left",
    "4": "y-right",
}


def css(colour: Any, alpha: Any = None) -> str:
    """A colour in any of matplotlib's forms, as ``rgba(…)``."""
    one = alpha if isinstance(alpha, (int, float)) else None
    red, green, blue, opacity = sys.modules["matplotlib.colors"].to_rgba(colour, one)
    return f"rgba({round(255 * red)},{round(255 * green)},{round(255 * blue)},{round(opacity, 3):g})"


def dash(style: Any) -> str:
    """A line style by its sign; others are solid."""
    return _DASHES.get(style, "solid") if isinstance(style, str) else "dash"


def symbol(marker: Any) -> str:
    """A marker by its sign.

    Raises:
        Unknown: the page has no such one.
    """
    if not isinstance(marker, str) or marker not in _MARKERS:
        raise Unknown(f"the marker {marker!r}")
    name = _MARKERS[marker]
    # A shape without an inside has no colour but that of its stroke.
    return f"{name}-open" if marker in _STROKES else name


def scale_of(mapped: Any) -> dict[str, Any]:
    """How numbers become colours: ``colorscale`` and the numbers at its ends.

    Raises:
        Unknown: they do not become colours evenly.
    """
    norm = mapped.norm
    if type(norm).__name__ != "Normalize":
        raise Unknown(f"colours by {type(norm).__name__}")
    steps = [step / 10 for step in range(11)]
    return {
        "colorscale": [[step, css(mapped.get_cmap()(step))] for step in steps],
        "zmin": number(norm.vmin),
        "zmax": number(norm.vmax),
    }


def number(value: Any) -> Any:
    """A plain number."""
    return value.item() if hasattr(value, "item") else value
