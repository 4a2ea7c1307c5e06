"""The ground that a figure is drawn on."""

import re
import sys
from typing import Any

from trialbook.capture.interactive.colours import css
from trialbook.capture.interactive.lines import Trace

_DARK, _BRIGHT = 0.18, 0.85
"""Brightness of 0 … 1; what is below the one or above the other is hard to see on one of the page's own grounds."""
_NUMBERS = re.compile(r"[\d.]+")


def own(figure: Any, axes: list[Any], traces: list[Trace], notes: list[dict[str, Any]]) -> dict[str, Any]:
    """Colours of ground and font, where the page's own would hide something that is drawn.

    Args:
        figure: a ``matplotlib.figure.Figure``.
        axes: the pairs of axes that are shown.
        traces: what is drawn.
        notes: texts.
    """
    used = [colour for trace in traces for colour in _colours(trace)]
    used += [note["font"]["color"] for note in notes if "color" in note.get("font", {})]
    ground = css(axes[0].get_facecolor())
    if not any(_hides(colour) for colour in used) and _brightness(ground) >= _DARK:
        return {}
    around = css(figure.get_facecolor())
    if _opacity(around) == 0:
        around = css("white")
    return {
        "paper_bgcolor": around,
        "plot_bgcolor": ground if _opacity(ground) else around,
        "font": {"color": css(sys.modules["matplotlib"].rcParams["text.color"])},
    }


def _colours(trace: Trace) -> list[str]:
    found = [trace.get("fillcolor")]
    for look in (trace.get("line", {}), trace.get("marker", {})):
        colours = look.get("color") if look.get("width", 1) else None
        found += colours if isinstance(colours, list) else [colours]
    return [colour for colour in found if isinstance(colour, str)]


def _hides(colour: str) -> bool:
    return _opacity(colour) > 0 and not _DARK <= _brightness(colour) <= _BRIGHT


def _opacity(colour: str) -> float:
    return float(_NUMBERS.findall(colour)[3])


def _brightness(colour: str) -> float:
    red, green, blue = (float(part) / 255 for part in _NUMBERS.findall(colour)[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
