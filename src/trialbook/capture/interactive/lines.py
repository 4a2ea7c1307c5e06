"""Lines, error bars and bars as traces."""

from typing import Any

from trialbook.capture.interactive import texts
from trialbook.capture.interactive.axis import Pair
from trialbook.capture.interactive.colours import PIXELS, css, dash, dashes, opacity, symbol
from trialbook.capture.interactive.unknown import Unknown

Trace = dict[str, Any]
_NOTHING = ("None", "none", " ", "", None)
_STEPS = {"steps": "vh", "steps-pre": "vh", "steps-post": "hv", "steps-mid": "hvh"}
_CAPS = ("_", "|", *_NOTHING)


def named(artist: Any) -> Trace:
    """Name of a trace; matplotlib's own names begin with an underscore and stand in no legend."""
    label = str(artist.get_label() or "")
    return {"name": "" if label.startswith("_") else texts.words(label), "showlegend": False}


def line(pair: Pair, drawn: Any) -> Trace:
    """A ``Line2D`` whose both coordinates are numbers.

    Raises:
        Unknown: it is drawn in a way that the page has not.
    """
    has_line = drawn.get_linestyle() not in _NOTHING and drawn.get_linewidth() > 0
    has_marks = drawn.get_marker() not in _NOTHING and drawn.get_markersize() > 0
    if getattr(drawn, "get_gapcolor", lambda: None)() is not None or (
        has_marks and drawn.get_markevery() is not None
    ):
        raise Unknown("a line with colours between its dashes, or markers at some points")
    trace: Trace = {
        "type": "scatter",
        "mode": "+".join(name for name, there in (("lines", has_line), ("markers", has_marks)) if there)
        or "none",
        **named(drawn),
        "x": pair.x.values(drawn.get_xdata(orig=False)),
        "y": pair.y.values(drawn.get_ydata(orig=False)),
    }
    if has_line:
        trace["line"] = stroke(drawn)
        if drawn.get_drawstyle() in _STEPS:
            trace["line"]["shape"] = _STEPS[drawn.get_drawstyle()]
    if has_marks:
        trace["marker"] = marks(drawn)
    return trace


def stroke(drawn: Any) -> Trace:
    """Colour, dashes and width of a ``Line2D``."""
    return {
        "color": css(drawn.get_color(), opacity(drawn)),
        "dash": dash(drawn),
        "width": round(drawn.get_linewidth() * PIXELS, 2),
    }


def marks(drawn: Any) -> Trace:
    """The markers of a line."""
    if drawn.get_fillstyle() not in ("full", "none"):
        raise Unknown("markers in two colours")
    inside = drawn.get_markerfacecolor()
    edge = css(drawn.get_markeredgecolor(), opacity(drawn))
    width = round(drawn.get_markeredgewidth() * PIXELS, 2)
    name, part = symbol(drawn.get_marker())
    if isinstance(inside, str) and inside in _NOTHING and not name.endswith("-open"):
        name = f"{name}-open"
    size = round(drawn.get_markersize() * PIXELS * part, 2)
    if name.endswith("-open"):
        return {"symbol": name, "size": size, "color": edge, "line": {"width": width}}
    face = css(inside, opacity(drawn))
    look: Trace = {"symbol": name, "size": size, "color": face}
    if edge != face and width:
        look["line"] = {"color": edge, "width": width}
    return look


def guide(pair: Pair, drawn: Any) -> Trace:
    """A line across the whole axes (``axhline``, ``axvline``), as a shape."""
    x, y = pair.where(drawn.get_transform())
    if x == y or drawn.get_marker() not in _NOTHING:
        raise Unknown("a line in other coordinates")
    xs, ys = drawn.get_xdata(orig=False), drawn.get_ydata(orig=False)
    if len(xs) != 2 or len(ys) != 2:
        raise Unknown("a guide of more than two points")
    return {
        "type": "line",
        "x": pair.x.values(xs) if x else [float(value) for value in xs],
        "y": pair.y.values(ys) if y else [float(value) for value in ys],
        "across": "x" if y else "y",
        **named(drawn),
        "line": stroke(drawn),
    }


def bars(pair: Pair, container: Any) -> Trace:
    """A ``BarContainer``: bars, or the bins of a histogram."""
    upright = getattr(container, "orientation", "vertical") != "horizontal"
    boxes = [(*patch.get_xy(), patch.get_width(), patch.get_height()) for patch in container.patches]
    across, along = (pair.x, pair.y) if upright else (pair.y, pair.x)
    if across.is_log or across.is_date or along.is_date:
        raise Unknown("bars whose width is not a plain number")
    if not upright:
        boxes = [(y, x, height, width) for x, y, width, height in boxes]
    bases = [float(base) for _, base, _, _ in boxes]
    if along.is_log and any(base < 0 or length < 0 for _, base, _, length in boxes):
        raise Unknown("bars below zero on a logarithmic axis")
    middles = across.values([begin + width / 2 for begin, _, width, _ in boxes])
    lengths = _plain([length for *_, length in boxes])
    return {
        "type": "bar",
        **named(container),
        "orientation": "v" if upright else "h",
        "x": middles if upright else lengths,
        "y": lengths if upright else middles,
        "width": across.values([abs(width) for _, _, width, _ in boxes]),
        **({"base": _plain(bases)} if any(bases) else {}),
        "marker": {
            "color": one_or_all([css(patch.get_facecolor()) for patch in container.patches]),
            "line": {
                "width": one_or_all([_edge(patch) for patch in container.patches]),
                "color": one_or_all([css(patch.get_edgecolor()) for patch in container.patches]),
            },
        },
    }


def one_or_all(values: list[Any]) -> Any:
    """A single value when they are all the same."""
    return values[0] if len(set(values)) == 1 else values


def _plain(values: list[Any]) -> list[Any]:
    return [float(value) if abs(float(value)) < float("inf") else None for value in values]


def _edge(patch: Any) -> float:
    width = float(patch.get_linewidth()) if patch.get_edgecolor()[3] else 0.0
    if not patch.get_fill() or (width and dash(patch) != "solid"):
        raise Unknown("hollow bars, or dashed ones")
    return round(width * PIXELS, 2)


def error_bars(pair: Pair, container: Any) -> tuple[Trace, list[Any]]:
    """An ``ErrorbarContainer``.

    Returns:
        A trace, and the artists that are in it.
    """
    import numpy

    data, caps, collections = container.lines
    wanted = [name for name, there in (("x", container.has_xerr), ("y", container.has_yerr)) if there]
    if len(wanted) != len(collections):
        raise Unknown("error bars in parts")
    if any(cap.get_marker() not in _CAPS for cap in caps):
        raise Unknown("error bars with arrows")
    if not all(part.get_visible() for part in (*caps, *collections)):
        raise Unknown("error bars that are hidden in part")
    spans = {name: list(found.get_segments()) for name, found in zip(wanted, collections, strict=True)}
    if data is not None:
        trace = line(pair, data)
        centres = numpy.column_stack([data.get_xdata(orig=False), data.get_ydata(orig=False)]).astype(float)
    else:
        segments = next(iter(spans.values()), [])
        centres = numpy.array([part.mean(axis=0) for part in segments]).reshape(-1, 2)
        small = {"size": 0.1, "color": "rgba(0,0,0,0)"}
        trace = {"type": "scatter", "mode": "markers", "marker": small, **pair.points(centres)}
    trace.update(named(container))
    for name, segments in spans.items():
        if len(segments) != len(centres):
            raise Unknown("error bars without a length each")
        column = 0 if name == "x" else 1
        ends = numpy.array([[part[0][column], part[-1][column]] for part in segments]).reshape(-1, 2)
        if (pair.x if name == "x" else pair.y).is_date:
            raise Unknown("errors in days")
        (pair.x if name == "x" else pair.y).values(ends.ravel())
        found = collections[wanted.index(name)]
        colours = {css(colour) for colour in found.get_color()}
        if len(colours) != 1 or any(dashes(pattern) != "solid" for _, pattern in found.get_linestyles()):
            raise Unknown("error bars in several colours, or dashed")
        trace[f"error_{name}"] = {
            "type": "data",
            "symmetric": False,
            "array": (ends.max(axis=1) - centres[:, column]).round(12).tolist(),
            "arrayminus": (centres[:, column] - ends.min(axis=1)).round(12).tolist(),
            "color": colours.pop(),
            "thickness": round(float(found.get_linewidths()[0]) * PIXELS, 2),
            "width": 4 if caps else 0,
        }
    return trace, [data, *caps, *collections]
