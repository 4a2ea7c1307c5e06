"""A whole figure: its pairs of axes in their places, their artists as traces, titles, legends and notes."""

import math
from typing import Any

from trialbook.capture.interactive import artists, ground, known, legends, texts
from trialbook.capture.interactive.axis import Pair
from trialbook.capture.interactive.frame import Frame, Place, colour_bar
from trialbook.capture.interactive.lines import Trace
from trialbook.capture.interactive.notes import note
from trialbook.capture.interactive.unknown import Unknown

MOST_AXES = 16
MOST_POINTS = 100_000
_SUBTITLE_SIZE = 14
_MANY_AXES = 4
_LEVELS = {"heatmap": 1, "bar": 2, "scatter": 3}
"""The page draws one kind in front of the other, whatever their order."""


def interactive(figure: Any) -> dict[str, Any] | None:
    """A figure in Plotly's JSON schema.

    Lines, steps, scattered points, bars, histograms, error bars, filled areas, bands, box plots, pies, meshes and small
    annotated images become interactive, in several pairs of axes with linear, logarithmic, date or category scales.
    What is converted says what the figure says: values, limits, ticks and their texts, names, legends, colours,
    markers, dashes and what lies in front. Everything else (``known``) keeps it a picture: three-dimensional and
    polar axes, contours, arrows, tables, insets, hatches, formulas of more than letters.

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
    """The visible axes that are not a colour bar."""
    return [
        axes for axes in figure.get_axes() if axes.get_visible() and getattr(axes, "_colorbar", None) is None
    ]


class _Page:
    """The figure while it is put together."""

    def __init__(self, figure: Any) -> None:
        self._figure = figure
        self._axes = drawn_axes(figure)
        self._traces: list[Trace] = []
        self._layout: dict[str, Any] = {"hovermode": "closest", "barmode": "overlay"}
        self._shapes: list[dict[str, Any]] = []
        self._notes: list[dict[str, Any]] = []
        self._places: list[Place] = []
        self._bars: set[int] = set()
        if not 0 < len(self._axes) <= MOST_AXES or is_pictures(figure):
            raise Unknown("no axes, or many, or photographs")
        known.beside(figure)
        self._frame = Frame(self._axes)

    def figure(self) -> dict[str, Any]:
        """All of it."""
        for axes in self._axes:
            self._add(axes)
        if sum(len(trace.get("x") or trace.get("z") or ()) for trace in self._traces) > MOST_POINTS:
            raise Unknown("too many points")
        if any(id(axes) not in self._bars for axes in _colour_bars(self._figure)):
            raise Unknown("a colour bar of nothing that is shown")
        self._titles()
        self._legends()
        self._traces = legends.without_empty(self._traces)
        self._fill_empty()
        if len(self._axes) > _MANY_AXES:
            self._layout["font"] = {"size": 10}
        self._layout.update(ground.own(self._figure, self._axes, self._traces, self._notes))
        if self._shapes:
            self._layout["shapes"] = self._shapes
        if self._notes:
            self._layout["annotations"] = self._notes
        return {"data": self._traces, "layout": self._layout}

    def _add(self, axes: Any) -> None:
        pair = Pair(axes)
        number = len(self._places) + 1
        x, y = (f"x{number}", f"y{number}") if number > 1 else ("x", "y")
        looks = {"x": pair.x.layout(), "y": pair.y.layout()}
        below, shared = self._below(axes)
        if below is None:
            looks["x"].update(domain=self._frame.across(axes), anchor=y)
            looks["y"].update(domain=self._frame.up(axes), anchor=x)
            self._aspect(pair, looks, x)
            for name in "xy":
                self._together(axes, name, looks)
        elif shared == "x":
            x = below.x
            looks["y"].update(anchor=x, overlaying=below.y, side=pair.y.side, showgrid=False)
        else:
            y = below.y
            looks["x"].update(anchor=y, overlaying=below.x, side=pair.x.side, showgrid=False)
        for name, axis in (("x", x), ("y", y)):
            if below is None or name != shared:
                self._layout[f"{name}axis{axis[1:]}"] = looks[name]
        self._places.append(Place(axes, x, y, below))
        self._draw(pair, x, y)

    def _below(self, axes: Any) -> tuple[Place | None, str]:
        """The axes that these are a twin of, and which of the two is shared."""
        for place in self._places:
            other = place.axes
            if not self._frame.meet(other, axes):
                continue
            for name in ("x", "y"):
                joined = getattr(axes, f"get_shared_{name}_axes")().joined(axes, other)
                if joined and self._frame.same(other, axes):
                    self._is_twin(place, axes, name)
                    return place, name
            raise Unknown("axes over axes")
        return None, ""

    def _is_twin(self, place: Place, axes: Any, shared: str) -> None:
        twins = [one.axes for one in self._places if one.below is place]
        if twins or axes.get_zorder() < place.axes.get_zorder():
            raise Unknown("three axes in one place, or those behind others")
        own = axes.yaxis if shared == "x" else axes.xaxis
        sides = ("left", "right") if shared == "x" else ("bottom", "top")
        if any(axes.spines[side].get_position() != ("outward", 0.0) for side in sides if side in axes.spines):
            raise Unknown("an axis beside its axes")
        if axes.axison and own.get_visible() and axes.get_aspect() != "auto":
            raise Unknown("twin axes of one scale")

    def _aspect(self, pair: Pair, looks: dict[str, dict[str, Any]], x: str) -> None:
        aspect = pair.axes.get_aspect()
        if aspect == "auto":
            return
        if pair.x.is_log or pair.y.is_log or pair.x.is_date or pair.y.is_date:
            raise Unknown("axes of one scale that count differently")
        how = "range" if pair.axes.get_adjustable() == "datalim" else "domain"
        ratio = 1.0 if aspect == "equal" else float(aspect)
        looks["y"].update(scaleanchor=x, scaleratio=ratio, constrain=how)
        looks["x"].update(constrain=how)

    def _together(self, axes: Any, name: str, looks: dict[str, dict[str, Any]]) -> None:
        """What shares an axis is moved together."""
        if any(
            "scaleanchor" in look
            for look in [*self._layout.values(), *looks.values()]
            if isinstance(look, dict)
        ):
            return
        for place in self._places:
            if place.below is None and getattr(axes, f"get_shared_{name}_axes")().joined(axes, place.axes):
                looks[name]["matches"] = place.x if name == "x" else place.y
                return

    def _draw(self, pair: Pair, x: str, y: str) -> None:
        level = 0
        traces: list[Trace] = []
        shapes: list[tuple[int, Trace]] = []
        for artist, trace in artists.traces(pair):
            if trace is None:
                self._notes.append(note(pair, artist, (x, y)))
            elif "across" in trace:
                shapes.append((len(traces), trace))
            else:
                rank = _LEVELS.get(trace["type"], 0)
                if rank < level:
                    raise Unknown("bars or fields in front of lines")
                level = rank
                if getattr(artist, "colorbar", None) is not None:
                    self._colour_bar(artist, trace)
                traces.append({**trace, "xaxis": x, "yaxis": y})
        self._traces += traces
        for before, shape in shapes:
            self._shapes.append(_shape(shape, x, y, before, len(traces)))
            if not shape["name"]:
                continue
            # For its place in a legend, which shapes have not.
            self._traces.append({**legends.stand_in(shape), "xaxis": x, "yaxis": y})

    def _colour_bar(self, artist: Any, trace: Trace) -> None:
        bar = artist.colorbar
        self._bars.add(id(bar.ax))
        target = trace.get("marker", trace)
        target.update(showscale=True, colorbar=colour_bar(bar, self._frame))

    def _titles(self) -> None:
        title = _text(self._figure)
        main = texts.of(self._figure._suptitle) if title else ""
        alone = not title and len(self._axes) == 1
        if alone:
            main = texts.of(self._axes[0].title)
        self._layout["title"] = {"text": main}
        for place in self._places:
            for text, across in (
                (place.axes.title, "center"),
                (place.axes._left_title, "left"),
                (place.axes._right_title, "right"),
            ):
                word = texts.of(text)
                if word and not (alone and across == "center"):
                    self._notes.append(_subtitle(word, across, place))

    def _legends(self) -> None:
        found: list[tuple[Any, Place | None]] = [(legend, None) for legend in self._figure.legends]
        found += [
            (place.axes.get_legend(), place) for place in self._places if place.axes.get_legend() is not None
        ]
        found = [(legend, place) for legend, place in found if legend.get_visible() and legend.get_texts()]
        self._layout["showlegend"] = bool(found)
        count, alone = 0, len(found) == 1
        seen: list[Place] = []
        for number, (legend, place) in enumerate(found):
            name = f"legend{number + 1}" if number else "legend"
            base = place.base if place is not None else self._places[0]
            traces = [
                trace
                for trace in self._traces
                if place is None or (trace["xaxis"], trace["yaxis"]) in self._axes_at(base)
            ]
            own = {"xaxis": base.x, "yaxis": base.y}
            added = legends.entries(legend, traces, own, name, count)
            self._traces += added
            count += len(legend.get_texts())
            domain = ([0.0, 1.0], [0.0, 1.0])
            if place is not None:
                domain = (self._frame.across(place.axes), self._frame.up(place.axes))
            self._layout[name] = legends.layout(legend, seen.count(base), domain, alone)
            seen.append(base)
        if alone and self._is_right_taken():
            self._layout["legend"].update({"orientation": "h", "y": -0.2})

    def _fill_empty(self) -> None:
        """A trace without a point for axes that have none: the page forgets these, and whatever lies over them."""
        used = {(trace["xaxis"], trace["yaxis"]) for trace in self._traces}
        for place in self._places:
            if (place.x, place.y) not in used:
                nothing: Trace = {"type": "scatter", "mode": "markers", "x": [None], "y": [None]}
                nothing.update(hoverinfo="skip", showlegend=False, name="", xaxis=place.x, yaxis=place.y)
                self._traces.append(nothing)

    def _axes_at(self, base: Place) -> set[tuple[str, str]]:
        return {(place.x, place.y) for place in self._places if place.base is base}

    def _is_right_taken(self) -> bool:
        looks = [look for look in self._layout.values() if isinstance(look, dict)]
        return bool(self._bars) or any(look.get("side") == "right" for look in looks)


def _colour_bars(figure: Any) -> list[Any]:
    return [
        axes
        for axes in figure.get_axes()
        if axes.get_visible() and getattr(axes, "_colorbar", None) is not None
    ]


def _subtitle(word: str, across: str, place: Place) -> dict[str, Any]:
    return {
        "text": word,
        "showarrow": False,
        "font": {"size": _SUBTITLE_SIZE},
        "x": {"left": 0, "center": 0.5, "right": 1}[across],
        "y": 1,
        "xref": f"{place.x} domain",
        "yref": f"{place.y} domain",
        "xanchor": across,
        "yanchor": "bottom",
    }


def _shape(trace: Trace, x: str, y: str, before: int, count: int) -> dict[str, Any]:
    """A line or a band that crosses the axes, whatever they show."""
    across = trace["across"]
    filled = "fillcolor" in trace
    if filled and 0 < before < count and trace["fillcolor"].endswith(",1)"):
        raise Unknown("a band between lines")
    return {
        "type": trace["type"],
        "xref": f"{x} domain" if across == "x" else x,
        "yref": f"{y} domain" if across == "y" else y,
        **{f"{name}{number}": trace[name][number] for name in "xy" for number in (0, 1)},
        "line": trace["line"],
        **({"fillcolor": trace["fillcolor"]} if filled else {}),
        "layer": "below" if before == 0 or (filled and before < count) else "above",
    }


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
