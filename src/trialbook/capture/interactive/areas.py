"""Scattered points, filled areas, bundles of lines, and fields of colours as traces."""

from collections.abc import Iterable
from typing import Any

from trialbook.capture.interactive.axis import Pair
from trialbook.capture.interactive.colours import PIXELS, css, scale_of
from trialbook.capture.interactive.lines import Trace, named
from trialbook.capture.interactive.unknown import Unknown

_MOST_CELLS = 40_000
_MOST_COLOURS = 12
_STRAIGHT = frozenset({1, 2, 79})
"""Codes of a path without curves: move, line, close."""
_FILLED = frozenset(
    {"Rectangle", "Polygon", "Circle", "Ellipse", "Wedge", "PathPatch", "StepPatch", "RegularPolygon"}
)


def collection(pair: Pair, found: Any) -> list[Trace]:
    """The traces of a ``matplotlib.collections.Collection``.

    Raises:
        Unknown: it is of another kind, or stands in other coordinates.
    """
    kind = type(found).__name__
    if kind == "PathCollection":
        return [_scatter(pair, found)]
    if kind == "QuadMesh":
        return [_mesh(pair, found)]
    if pair.where(found.get_transform()) != (True, True):
        raise Unknown(f"{kind} in other coordinates")
    if kind == "LineCollection":
        return _bundle(pair, found)
    if kind in ("PolyCollection", "FillBetweenPolyCollection"):
        return [_filled(pair, found)]
    raise Unknown(kind)


def _scatter(pair: Pair, found: Any) -> Trace:
    import numpy

    if pair.where(found.get_offset_transform()) != (True, True):
        raise Unknown("points in other coordinates")
    sizes = numpy.sqrt(numpy.asarray(found.get_sizes(), dtype=float)) * PIXELS
    marker: Trace = {"size": _one_or_all(sizes.round(2).tolist()), "opacity": 1}
    mapped = found.get_array()
    faces = found.get_facecolors()
    edges = found.get_edgecolors()
    if mapped is not None and type(found.norm).__name__ == "Normalize":
        scale = scale_of(found)
        marker.update(
            color=numpy.ma.filled(numpy.ma.asarray(mapped, dtype=float), numpy.nan).tolist(),
            colorscale=scale["colorscale"],
            cmin=scale["zmin"],
            cmax=scale["zmax"],
            showscale=found.colorbar is not None,
        )
    else:
        marker["color"] = _one_or_all([css(face) for face in (faces if len(faces) else edges)])
        if not len(faces):
            marker["symbol"] = "circle-open"
    return {
        "type": "scatter",
        "mode": "markers",
        **named(found),
        **pair.points(found.get_offsets()),
        "marker": marker,
    }


def _one_or_all(values: list[Any]) -> Any:
    return values[0] if len(set(values)) == 1 else values


def _mesh(pair: Pair, found: Any) -> Trace:
    import numpy

    corners = found.get_coordinates()
    columns, rows = corners[0, :, 0], corners[:, 0, 1]
    if not (numpy.allclose(corners[:, :, 0], columns) and numpy.allclose(corners[:, :, 1], rows[:, None])):
        raise Unknown("a mesh that is no grid")
    values = numpy.ma.asarray(found.get_array())
    shape = (len(rows) - 1, len(columns) - 1)
    if values.size != shape[0] * shape[1] or values.ndim > 2:
        raise Unknown("a mesh of colours")
    return {"x": pair.x.values(columns), "y": pair.y.values(rows), **field_of(found, values.reshape(shape))}


def picture(pair: Pair, image: Any) -> Trace:
    """An ``AxesImage`` of numbers; pictures in true colours stay pictures."""
    import numpy

    if pair.x.is_date or pair.y.is_date or pair.x.is_log or pair.y.is_log:
        raise Unknown("an image on such axes")
    values = numpy.ma.asarray(image.get_array())
    if values.ndim != 2:
        raise Unknown("an image in true colours")
    left, right, bottom, top = (float(edge) for edge in image.get_extent())
    first, last = (top, bottom) if image.origin == "upper" else (bottom, top)
    width, height = (right - left) / values.shape[1], (last - first) / values.shape[0]
    place = {"x0": left + width / 2, "dx": width, "y0": first + height / 2, "dy": height}
    return {**place, **field_of(image, values)}


def field_of(mapped: Any, values: Any) -> Trace:
    """A table of numbers that are shown as colours."""
    import numpy

    if values.size > _MOST_CELLS:
        raise Unknown("too many cells")
    return {
        "type": "heatmap",
        "z": numpy.ma.filled(values.astype(float), numpy.nan).tolist(),
        **scale_of(mapped),
        "showscale": mapped.colorbar is not None,
        "hovertemplate": "%{x}, %{y}: %{z}<extra></extra>",
    }


def _bundle(pair: Pair, found: Any) -> list[Trace]:
    colours = [css(colour) for colour in found.get_colors()] or ["rgba(0,0,0,1)"]
    groups: dict[str, list[Any]] = {}
    for number, part in enumerate(found.get_segments()):
        groups.setdefault(colours[number % len(colours)], []).append(part)
    if len(groups) > _MOST_COLOURS:
        raise Unknown("lines in many colours")
    widths = found.get_linewidths()
    return [
        {
            "type": "scatter",
            "mode": "lines",
            **named(found),
            **_apart(pair, parts),
            "line": {"color": colour, "width": round(float(widths[0]) * PIXELS, 2)},
        }
        for colour, parts in groups.items()
    ]


def _filled(pair: Pair, found: Any) -> Trace:
    import numpy

    if numpy.any(found.get_offsets()):
        raise Unknown("polygons at many places")
    faces = {css(face) for face in found.get_facecolors()}
    if len(faces) > 1 or found.get_array() is not None:
        raise Unknown("areas in many colours")
    parts = [part for path in found.get_paths() for part in path.to_polygons()]
    return _area(pair, found, parts, faces.pop() if faces else "rgba(0,0,0,0)")


def patch(pair: Pair, found: Any) -> Trace:
    """A shape of its own: a trace, or a band across the axes with ``across`` in it.

    Raises:
        Unknown: it is of another kind, or stands in other coordinates.
    """
    kind = type(found).__name__
    if kind not in _FILLED:
        raise Unknown(kind)
    x, y = pair.where(found.get_data_transform())
    path = found.get_path().transformed(found.get_patch_transform())
    face = css(found.get_facecolor()) if found.get_fill() else "rgba(0,0,0,0)"
    if x != y:
        (left, bottom), (right, top) = path.get_extents().get_points()
        return {
            "type": "rect",
            "x": pair.x.values([left, right]) if x else [left, right],
            "y": pair.y.values([bottom, top]) if y else [bottom, top],
            "across": "x" if y else "y",
            "fillcolor": face,
            "line": {"width": 0},
        }
    if not x:
        raise Unknown(f"{kind} in other coordinates")
    if path.codes is None or set(path.codes.tolist()) <= _STRAIGHT:
        parts = path.to_polygons(closed_only=False)
    else:
        # Curves become as many straight pieces as their size on the screen asks for.
        screen = found.get_path().transformed(found.get_transform())
        back = pair.axes.transData.inverted()
        parts = [back.transform(part) for part in screen.to_polygons(closed_only=False)]
    trace = _area(pair, found, parts, face)
    if found.get_edgecolor()[3]:
        trace["line"] = {
            "color": css(found.get_edgecolor()),
            "width": round(found.get_linewidth() * PIXELS, 2),
        }
    if not found.get_fill():
        trace.pop("fill")
    return trace


def _area(pair: Pair, found: Any, parts: list[Any], face: str) -> Trace:
    return {
        "type": "scatter",
        "mode": "lines",
        **named(found),
        **_apart(pair, parts),
        "fill": "toself",
        "fillcolor": face,
        "line": {"width": 0, "color": face},
        "hoverinfo": "skip",
    }


def _apart(pair: Pair, parts: Iterable[Any]) -> dict[str, list[Any]]:
    """Several lines as one, with gaps between them."""
    both: dict[str, list[Any]] = {"x": [], "y": []}
    for part in parts:
        points = pair.points(part)
        for name, values in points.items():
            both[name] += [*([None] if both[name] else []), *values]
    return both
