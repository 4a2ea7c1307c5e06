"""Lines, error bars and bars as traces."""

from typing import Any

from trialbook.capture.interactive.axis import Pair
from trialbook.capture.interactive.colours import PIXELS, css, dash, symbol
from trialbook.capture.interactive.unknown import Unknown

Trace = dict[str, Any]
_NOTHING = ("None", "none", " ", "", None)
_STEPS = {"steps": "vh", "steps-pre": "vh", "steps-post": "hv", "steps-mid": "hvh"}


def named(artist: Any) -> Trace:
    """Name of a trace; matplotlib's own names begin with an underscore and stand in no legend."""
    label = str(artist.get_label() or "")
    return {"name": "", "showlegend": False} if label.startswith("_") or not label else {"name": label}


def line(pair: Pair, drawn: Any) -> Trace:
    """A ``Line2D`` whose both coordinates are numbers."""
    if type(drawn).__name__ != "Line2D":
        raise Unknown(type(drawn).__name__)
    has_line = drawn.get_linestyle() not in _NOTHING
    has_marks = drawn.get_marker() not in _NOTHING
    alpha = drawn.get_alpha()
    trace: Trace = {
        "type": "scatter",
        "mode": "lines+markers" if has_line and has_marks else ("lines" if has_line else "markers"),
        **named(drawn),
        "x": pair.x.values(drawn.get_xdata(orig=False)),
        "y": pair.y.values(drawn.get_ydata(orig=False)),
    }
    if has_line:
        trace["line"] = {
            "color": css(drawn.get_color(), alpha),
            "dash": dash(drawn.get_linestyle()),
            "width": round(drawn.get_linewidth() * PIXELS, 2),
        }
        if drawn.get_drawstyle() in _STEPS:
            trace["line"]["shape"] = _STEPS[drawn.get_drawstyle()]
    if has_marks:
        trace["marker"] = marks(drawn)
    if not has_line and not has_marks:
        trace["visible"] = False
    return trace


def marks(drawn: Any) -> Trace:
    """The markers of a line."""
    marker = drawn.get_marker()
    inside = drawn.get_markerfacecolor()
    edge = drawn.get_markeredgecolor()
    hollow = isinstance(inside, str) and inside in ("none", "None", "white", "w")
    name = symbol(marker)
    if hollow and not name.endswith("-open"):
        name = f"{name}-open"
    size = drawn.get_markersize() * PIXELS * (0.5 if marker == "." else 1.0)
    colour = edge if name.endswith("-open") else inside
    return {"symbol": name, "size": round(size, 2), "color": css(colour, drawn.get_alpha())}


def guide(pair: Pair, drawn: Any) -> Trace:
    """A line across the whole axes (``axhline``, ``axvline``), as a shape."""
    x, y = pair.where(drawn.get_transform())
    if x == y:
        raise Unknown("a line in other coordinates")
    xs, ys = drawn.get_xdata(orig=False), drawn.get_ydata(orig=False)
    return {
        "type": "line",
        "x": pair.x.values(xs) if x else [float(value) for value in xs],
        "y": pair.y.values(ys) if y else [float(value) for value in ys],
        "across": "x" if y else "y",
        "line": {
            "color": css(drawn.get_color(), drawn.get_alpha()),
            "dash": dash(drawn.get_linestyle()),
            "width": round(drawn.get_linewidth() * PIXELS, 2),
        },
    }


def bars(pair: Pair, container: Any) -> Trace:
    """A ``BarContainer``: bars, or the bins of a histogram."""
    upright = getattr(container, "orientation", "vertical") != "horizontal"
    boxes = [(*patch.get_xy(), patch.get_width(), patch.get_height()) for patch in container.patches]
    across, along = (pair.x, pair.y) if upright else (pair.y, pair.x)
    if across.is_log or across.is_date or along.is_date:
        raise Unknown("bars whose width is no plain number")
    if not upright:
        boxes = [(y, x, height, width) for x, y, width, height in boxes]
    middles = across.values([begin + width / 2 for begin, _, width, _ in boxes])
    lengths = along.values([length for *_, length in boxes])
    bases = along.values([base for _, base, _, _ in boxes])
    faces = [css(patch.get_facecolor()) for patch in container.patches]
    edge = container.patches[0] if container.patches else None
    return {
        "type": "bar",
        **named(container),
        "orientation": "v" if upright else "h",
        "x": middles if upright else lengths,
        "y": lengths if upright else middles,
        "width": across.values([abs(width) for _, _, width, _ in boxes]),
        **({"base": bases} if any(bases) else {}),
        "marker": {
            "color": faces[0] if len(set(faces)) == 1 else faces,
            "line": {
                "width": round(edge.get_linewidth() * PIXELS, 2)
                if edge is not None and edge.get_edgecolor()[3]
                else 0,
                "color": css(edge.get_edgecolor()) if edge is not None else "rgba(0,0,0,0)",
            },
        },
    }


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
    spans = {name: list(found.get_segments()) for name, found in zip(wanted, collections, strict=True)}
    if data is not None:
        trace = line(pair, data)
        centres = numpy.column_stack([data.get_xdata(orig=False), data.get_ydata(orig=False)]).astype(float)
    else:
        segments = next(iter(spans.values()), [])
        centres = numpy.array([part.mean(axis=0) for part in segments]).reshape(-1, 2)
        small = {"size": 0.1, "color": "rgba(0,0,0,0)"}
        trace = {"type": "scatter", "mode": "markers", "marker": small, **pair.points(centres)}
    if "name" not in trace or not str(container.get_label() or "_").startswith("_"):
        trace.pop("showlegend", None)
        trace.update(named(container))
    for name, segments in spans.items():
        if len(segments) != len(centres):
            raise Unknown("error bars without a length each")
        column = 0 if name == "x" else 1
        ends = numpy.array([[part[0][column], part[-1][column]] for part in segments]).reshape(-1, 2)
        trace[f"error_{name}"] = {
            "type": "data",
            "symmetric": False,
            "array": (ends.max(axis=1) - centres[:, column]).round(12).tolist(),
            "arrayminus": (centres[:, column] - ends.min(axis=1)).round(12).tolist(),
            "color": css(collections[wanted.index(name)].get_color()[0]),
            "width": 4 if caps else 0,
        }
    return trace, [data, *caps, *collections]
