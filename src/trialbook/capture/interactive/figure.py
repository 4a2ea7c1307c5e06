"""A whole figure: its pairs of axes in their places, their artists as traces, titles, legends and notes."""

import math
from collections.abc import Iterator
from typing import Any

from trialbook.capture.interactive import areas, lines
from trialbook.capture.interactive.axis import Pair
from trialbook.capture.interactive.colours import css
from trialbook.capture.interactive.notes import note
from trialbook.capture.interactive.unknown import Unknown

MOST_AXES = 16
MOST_POINTS = 100_000
_SUBTITLE_SIZE = 14
_MANY_AXES = 4


def interactive(figure: Any) -> dict[str, Any] | None:
    """A figure in Plotly's JSON schema.

    Lines, steps, scattered points, bars, histograms, error bars, filled areas, bands, box plots, pies, meshes and small
    annotated images become interactive, in several pairs of axes with linear, logarithmic, date or category scales.
    Three-dimensional and polar axes, contours, arrows, tables and insets do not.

    Args:
        figure: a ``matplotlib.figure.Figure``.

    Returns:
        ``{"data", "layout"}``; None when it has anything that is not converted, or too much of it.
    """
    try:
        return _Page(figure).figure()
    except Unknown:
        return None


def drawn_axes(figure: Any) -> list[Any]:
    """The visible axes that are no colour bar."""
    return [
        axes for axes in figure.get_axes() if axes.get_visible() and getattr(axes, "_colorbar", None) is None
    ]


class _Page:
    """The figure while it is put together."""

    def __init__(self, figure: Any) -> None:
        self._figure = figure
        self._axes = drawn_axes(figure)
        self._traces: list[dict[str, Any]] = []
        self._layout: dict[str, Any] = {"hovermode": "closest", "barmode": "overlay"}
        self._shapes: list[dict[str, Any]] = []
        self._notes: list[dict[str, Any]] = []
        self._places: list[tuple[Any, str, str]] = []
        if not 0 < len(self._axes) <= MOST_AXES or is_pictures(figure):
            raise Unknown("no axes, or many, or photographs")
        own = [getattr(figure, name, None) for name in ("_suptitle", "_supxlabel", "_supylabel")]
        rest = [text for text in figure.texts if text not in own and text.get_text()]
        if rest or own[1] or own[2] or figure.images or figure.lines or figure.patches or figure.subfigs:
            raise Unknown("something beside the axes")
        boxes = [axes.get_position() for axes in self._axes]
        self._left, self._bottom = min(box.x0 for box in boxes), min(box.y0 for box in boxes)
        self._width = max(box.x1 for box in boxes) - self._left
        self._height = max(box.y1 for box in boxes) - self._bottom

    def figure(self) -> dict[str, Any]:
        """All of it."""
        for axes in self._axes:
            self._add(axes)
        if sum(len(trace.get("x", trace.get("z", ()))) for trace in self._traces) > MOST_POINTS:
            raise Unknown("too many points")
        title = _text(self._figure)
        if not title and len(self._axes) == 1:
            title = self._axes[0].get_title()
        self._layout["title"] = {"text": title}
        self._layout["showlegend"] = bool(self._figure.legends) or any(
            axes.get_legend() is not None for axes in self._axes
        )
        if len(self._axes) > _MANY_AXES:
            self._layout["font"] = {"size": 10}
        if any(
            trace.get("showscale") or trace.get("marker", {}).get("showscale") for trace in self._traces
        ) or any(look.get("side") == "right" for look in self._layout.values() if isinstance(look, dict)):
            # The right side, where the legend stands, is taken.
            self._layout["legend"] = {"orientation": "h", "y": -0.2}
        if self._shapes:
            self._layout["shapes"] = self._shapes
        if self._notes:
            self._layout["annotations"] = self._notes
        return {"data": self._traces, "layout": self._layout}

    def _add(self, axes: Any) -> None:
        if axes.name != "rectilinear" or axes.child_axes or axes.artists or axes.tables:
            raise Unknown(f"{axes.name} axes, insets or tables")
        pair = Pair(axes)
        number = len(self._places) + 1
        x, y = (f"x{number}", f"y{number}") if number > 1 else ("x", "y")
        x_layout, y_layout = pair.x.layout(), pair.y.layout()
        over = self._below(axes)
        if over is None:
            box = axes.get_position()
            x_layout["domain"] = [self._part(box.x0, "x"), self._part(box.x1, "x")]
            y_layout["domain"] = [self._part(box.y0, "y"), self._part(box.y1, "y")]
            x_layout["anchor"], y_layout["anchor"] = y, x
        elif over[2] == "x":
            x = over[0]
            y_layout.update(anchor=x, overlaying=over[1], side="right", showgrid=False)
        else:
            y = over[1]
            x_layout.update(anchor=y, overlaying=over[0], side="top", showgrid=False)
        if axes.get_aspect() in (1, 1.0, "equal") and not over:
            y_layout.update(scaleanchor=x, constrain="domain")
            x_layout.update(constrain="domain")
        if over is None or over[2] == "y":
            self._layout[f"xaxis{x[1:]}"] = x_layout
        if over is None or over[2] == "x":
            self._layout[f"yaxis{y[1:]}"] = y_layout
        self._places.append((axes, x, y))
        self._draw(pair, x, y)
        if len(self._axes) > 1 and axes.get_title() and over is None:
            self._subtitle(axes, x, y)

    def _below(self, axes: Any) -> tuple[str, str, str] | None:
        """The axes that these are a twin of: their names, and which of them is shared."""
        for other, x, y in self._places:
            if other.get_position().bounds == axes.get_position().bounds:
                for name in ("x", "y"):
                    if getattr(axes, f"get_shared_{name}_axes")().joined(axes, other):
                        return x, y, name
                raise Unknown("axes over axes")
        return None

    def _part(self, value: float, name: str) -> float:
        begin, size = (self._left, self._width) if name == "x" else (self._bottom, self._height)
        return round(min(1.0, max(0.0, float((value - begin) / size))), 4)

    def _subtitle(self, axes: Any, x: str, y: str) -> None:
        self._notes.append(
            {
                "text": axes.get_title(),
                "showarrow": False,
                "font": {"size": _SUBTITLE_SIZE},
                **{"x": 0.5, "y": 1, "xref": f"{x} domain", "yref": f"{y} domain"},
                **{"xanchor": "center", "yanchor": "bottom"},
            }
        )

    def _draw(self, pair: Pair, x: str, y: str) -> None:
        for trace in _name(pair.axes, list(_traces(pair))):
            if "across" in trace:
                self._shapes.append(_shape(trace, x, y))
            else:
                self._traces.append({**trace, "xaxis": x, "yaxis": y})
        self._notes += [
            note(pair, text, (x, y))
            for text in pair.axes.texts
            if text.get_visible() and text.get_text().strip()
        ]


def _traces(pair: Pair) -> Iterator[dict[str, Any]]:
    axes = pair.axes
    used: set[int] = set()
    for image in _visible(axes.images):
        yield areas.picture(pair, image)
    for container in axes.containers:
        kind = type(container).__name__
        if kind == "BarContainer" and all(patch in axes.patches for patch in container.patches):
            used.update(id(patch) for patch in container.patches)
            yield lines.bars(pair, container)
        elif kind == "ErrorbarContainer":
            trace, parts = lines.error_bars(pair, container)
            used.update(id(part) for part in parts)
            yield trace
    for found in _visible(axes.collections):
        if id(found) not in used:
            yield from areas.collection(pair, found)
    for patch in _visible(axes.patches):
        if id(patch) not in used:
            yield areas.patch(pair, patch)
    for line in _visible(axes.lines):
        if id(line) not in used:
            plain = pair.where(line.get_transform()) == (True, True)
            yield lines.line(pair, line) if plain else lines.guide(pair, line)


def _visible(artists: Any) -> Iterator[Any]:
    return (artist for artist in artists if artist.get_visible())


def _shape(trace: dict[str, Any], x: str, y: str) -> dict[str, Any]:
    """A line or a band that crosses the axes, whatever they show."""
    across = trace["across"]
    return {
        "type": trace["type"],
        "xref": f"{x} domain" if across == "x" else x,
        "yref": f"{y} domain" if across == "y" else y,
        **{f"{name}{number}": trace[name][number] for name in "xy" for number in (0, 1)},
        "line": trace["line"],
        **({"fillcolor": trace["fillcolor"], "layer": "below"} if "fillcolor" in trace else {}),
    }


def _name(axes: Any, traces: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The traces with the names that a legend gives them, when they have none of their own."""
    legend = axes.get_legend()
    if legend is not None and not any(trace.get("name") for trace in traces):
        handles = getattr(legend, "legend_handles", [])
        for handle, text in zip(handles, legend.get_texts(), strict=False):
            _give(text.get_text(), _hue_of(handle), traces)
    found = []
    for trace in traces:
        # A line without points is there for its place in the legend: what is drawn in its colour gets its name.
        if trace.get("x") == [] and trace["type"] == "scatter":
            if not trace.get("name") or _give(trace["name"], _hue(trace), traces):
                continue
            trace.update(x=[None], y=[None], visible=True)
        found.append(trace)
    return found


def _give(name: str, hue: str, traces: list[dict[str, Any]]) -> bool:
    # A line before the band around it.
    for trace in sorted(traces, key=lambda one: "fill" in one):
        if not trace.get("name") and trace.get("x") and "across" not in trace and _hue(trace) == hue:
            trace.update(name=name)
            trace.pop("showlegend", None)
            return True
    return False


def _hue(trace: dict[str, Any]) -> str:
    colour = trace.get("line", trace.get("marker", {})).get("color")
    return _opaque(colour) if isinstance(colour, str) else ""


def _hue_of(handle: Any) -> str:
    if hasattr(handle, "get_color"):
        return _opaque(css(handle.get_color()))
    face: Any = handle.get_facecolor() if hasattr(handle, "get_facecolor") else ()
    return _opaque(css(face[0] if getattr(face, "ndim", 1) == 2 and len(face) else face)) if len(face) else ""


def _opaque(colour: str) -> str:
    return colour.rpartition(",")[0]


def heading(figure: Any) -> str:
    """What a figure is called: its title, that of its first axes that has one, or that of its window; may be empty."""
    title = _text(figure) or next((axes.get_title() for axes in figure.get_axes() if axes.get_title()), "")
    if not title and figure.canvas.manager is not None:
        title = figure.canvas.manager.get_window_title() or ""
        if title == f"Figure {figure.canvas.manager.num}":
            title = ""
    return str(title).strip()


def _text(figure: Any) -> str:
    title = getattr(figure, "_suptitle", None)
    return str(title.get_text()) if title is not None else ""


def is_pictures(figure: Any) -> bool:
    """Whether images are all that it shows: photographs, or a grid of them."""
    axes = drawn_axes(figure)
    shown = [one for one in axes if one.images]
    return bool(shown) and not any(
        one.lines
        or one.patches
        or one.collections
        or one.tables
        or any(text.get_text() for text in one.texts)
        for one in axes
    )


def resolution(figure: Any, most: int = 2000) -> float:
    """Dots per inch for a picture of it that is no larger than ``most`` pixels in one direction."""
    width, height = figure.get_size_inches()
    return min(float(figure.dpi), most / max(float(width), float(height), math.ulp(1.0)))
