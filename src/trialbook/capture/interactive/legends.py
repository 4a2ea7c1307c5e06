"""Legends: which traces they name, how, and in which order."""

from typing import Any

from trialbook.capture.interactive import texts
from trialbook.capture.interactive.colours import css, opacity
from trialbook.capture.interactive.lines import Trace, marks, stroke
from trialbook.capture.interactive.unknown import Unknown

_NOTHING = ("None", "none", " ", "", None)
_FIRST_RANK = 1001
_CORNERS = {
    1: ("right", "top"),
    2: ("left", "top"),
    3: ("left", "bottom"),
    4: ("right", "bottom"),
    5: ("right", "middle"),
    6: ("left", "middle"),
    7: ("right", "middle"),
    8: ("center", "bottom"),
    9: ("center", "top"),
    10: ("center", "middle"),
}
_PARTS = {"left": 0.0, "bottom": 0.0, "center": 0.5, "middle": 0.5, "right": 1.0, "top": 1.0}


def entries(legend: Any, traces: list[Trace], own: dict[str, str], name: str, first: int) -> list[Trace]:
    """Give traces the names that they have in a legend, and their places in it.

    Args:
        legend: a ``matplotlib.legend.Legend``.
        traces: those that it may name; changed.
        own: the axes of what has to be added.
        name: of the legend in the layout.
        first: how many entries other legends have.

    Returns:
        Traces without a point, for entries that name nothing else.

    Raises:
        Unknown: an entry is drawn in a way that the page has not.
    """
    added = []
    free = [trace for trace in traces if "across" not in trace and trace.get("type") != "heatmap"]
    # Another name before matplotlib 3.7.
    handles = list(legend.legend_handles if hasattr(legend, "legend_handles") else legend.legendHandles)
    words = [texts.words(text.get_text(), text.get_parse_math()) for text in legend.get_texts()]
    if len(handles) != len(words):
        raise Unknown("a legend whose entries are more or fewer than its texts")
    for number, (handle, word) in enumerate(zip(handles, words, strict=True)):
        found = _meant(word, hue_of(handle), free, words)
        if found is None:
            found = {**_sample(handle), **own}
            added.append(found)
        else:
            free.remove(found)
        found.update(name=word, showlegend=True, legendrank=_FIRST_RANK + first + number)
        if name != "legend":
            found["legend"] = name
    return added


def _meant(word: str, hue: str, free: list[Trace], words: list[str]) -> Trace | None:
    # A line before the band around it. A line without points is there for its place in a legend alone.
    seen = sorted((trace for trace in free if trace["x"]), key=lambda one: "fill" in one)
    same = [trace for trace in seen if hue and hue_in(trace) == hue]
    both = [trace for trace in same if trace["name"] == word]
    named = [trace for trace in seen if trace["name"] == word]
    others = [trace for trace in same if trace["name"] not in words]
    unnamed = [trace for trace in others if not trace["name"]]
    empty = [trace for trace in free if not trace["x"] and trace["name"] == word]
    return next(iter([*both, *named, *unnamed, *others, *empty]), None)


def without_empty(traces: list[Trace]) -> list[Trace]:
    """The traces without those that show nothing, neither points nor an entry of a legend."""
    for trace in traces:
        if trace.get("x") == [] and trace.get("showlegend"):
            trace.update(x=[None], y=[None])
    return [trace for trace in traces if trace.get("x") != []]


def hue_in(trace: Trace) -> str:
    """The one colour of a trace without its opacity; empty when it has none or several."""
    look = trace.get("line") if trace.get("mode", "").startswith("lines") else trace.get("marker")
    colour = (look or {}).get("color")
    if trace.get("fill") and trace.get("fillcolor", "").rpartition(",")[2] != "0)":
        colour = trace["fillcolor"]
    return colour.rpartition(",")[0] if isinstance(colour, str) else ""


def hue_of(handle: Any) -> str:
    """The same of the sample in a legend."""
    if hasattr(handle, "get_markerfacecolor"):
        bare = handle.get_linestyle() in _NOTHING
        face = handle.get_markerfacecolor()
        hollow = isinstance(face, str) and face in _NOTHING
        found = (handle.get_markeredgecolor() if hollow else face) if bare else handle.get_color()
        return css(found).rpartition(",")[0]
    face = handle.get_facecolor() if hasattr(handle, "get_facecolor") else ()
    if not len(face) and hasattr(handle, "get_edgecolor"):
        face = handle.get_edgecolor()
    if not len(face):
        return ""
    return css(face[0] if getattr(face, "ndim", 1) == 2 else face).rpartition(",")[0]


def _sample(handle: Any) -> Trace:
    """A trace that is seen in the legend alone."""
    trace: Trace = {"type": "scatter", "x": [None], "y": [None], "hoverinfo": "skip"}
    if type(handle).__name__ == "Line2D":
        is_seen = opacity(handle) > 0
        has_line = is_seen and handle.get_linestyle() not in _NOTHING and handle.get_linewidth() > 0
        has_marks = is_seen and handle.get_marker() not in _NOTHING and handle.get_markersize() > 0
        modes = [mode for mode, there in (("lines", has_line), ("markers", has_marks)) if there]
        # An entry without a sample is a heading.
        trace["mode"] = "+".join(modes) or "none"
        if has_line:
            trace["line"] = stroke(handle)
        if has_marks:
            trace["marker"] = marks(handle)
        return trace
    hue = hue_of(handle)
    if type(handle).__name__ not in ("Rectangle", "PathCollection", "Polygon", "Patch", "LineCollection"):
        raise Unknown(f"a legend with a {type(handle).__name__}")
    if not hue:
        raise Unknown("an entry of a legend without a colour")
    symbol = "circle" if type(handle).__name__ == "PathCollection" else "square"
    if type(handle).__name__ == "LineCollection":
        return {**trace, "mode": "lines", "line": {"color": f"{hue},1)"}}
    return {**trace, "mode": "markers", "marker": {"symbol": symbol, "size": 12, "color": f"{hue},1)"}}


def stand_in(shape: Trace) -> Trace:
    """A trace without a point that stands in a legend for a shape, which cannot."""
    trace: Trace = {"type": "scatter", "x": [None], "y": [None], "hoverinfo": "skip", "showlegend": False}
    trace["name"] = shape["name"]
    if "fillcolor" in shape:
        return {
            **trace,
            "mode": "markers",
            "marker": {"symbol": "square", "size": 12, "color": shape["fillcolor"]},
        }
    return {**trace, "mode": "lines", "line": shape["line"]}


def layout(legend: Any, number: int, domain: tuple[list[float], list[float]], alone: bool) -> dict[str, Any]:
    """Where a legend stands, and its title.

    Args:
        legend: a ``matplotlib.legend.Legend``.
        number: how many of the same axes came before it.
        domain: of its axes, or the whole page.
        alone: whether it is the only one of the figure; then it has its place beside the axes.
    """
    look: dict[str, Any] = {}
    title = texts.of(legend.get_title())
    if title and title != "None":
        look["title"] = {"text": title}
    if alone:
        return look
    across, up = _CORNERS.get(getattr(legend, "_loc", 0), ("right", "top") if not number else ("left", "top"))
    (left, right), (bottom, top) = domain
    return {
        **look,
        "x": left + (right - left) * _PARTS[across],
        "y": bottom + (top - bottom) * _PARTS[up],
        "xanchor": across,
        "yanchor": up,
        "bgcolor": "rgba(128,128,128,0.15)",
        "font": {"size": 10},
    }
