"""Scattered points, filled areas, bundles of lines, and fields of colours as traces."""

from collections.abc import Iterable
from typing import Any

from trialbook.capture.interactive.axis import Pair
from trialbook.capture.interactive.colours import (
    PIXELS,
    css,
    dash,
    dashes,
    opacity,
    scale_of,
    symbol_of,
)
from trialbook.capture.interactive.lines import Trace, named, one_or_all
from trialbook.capture.interactive.unknown import Unknown

_CLEAR = "rgba(0,0,0,0)"
_MOST_CELLS = 40_000
_MOST_LOOKS = 12
_SHARP = frozenset({"nearest", "none", "antialiased", "auto"})
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
    points = pair.points(found.get_offsets())
    if any(dashes(pattern) != "solid" for _, pattern in found.get_linestyles()):
        raise Unknown("points with dashed edges")
    mapped = found.get_array()
    if mapped is not None:
        found.update_scalarmappable()
    faces = [css(face) for face in found.get_facecolors()]
    edges = [css(edge) for edge in found.get_edgecolors()]
    names, sizes = _shapes(found, len(points["x"]), hollow=not faces)
    strokes = {name.endswith("-open") for name in names}
    if len(strokes) != 1:
        raise Unknown("points with and without an inside")
    widths = [round(float(width) * PIXELS, 2) for width in found.get_linewidths()]
    marker: Trace = {"symbol": one_or_all(names), "size": one_or_all(sizes), "opacity": 1}
    if strokes == {True}:
        marker.update(color=one_or_all(edges), line={"width": one_or_all(widths)})
    else:
        marker["color"] = one_or_all(faces)
        if edges and edges != faces and any(widths):
            marker["line"] = {"color": one_or_all(edges), "width": one_or_all(widths)}
    if found.colorbar is not None:
        if mapped is None:
            raise Unknown("a colour bar of points in one colour")
        scale = scale_of(found)
        marker.update(
            opacity=opacity(found),
            color=numpy.ma.filled(numpy.ma.asarray(mapped, dtype=float), numpy.nan).tolist(),
            colorscale=scale["colorscale"],
            cmin=scale["zmin"],
            cmax=scale["zmax"],
            showscale=False,
        )
    return {"type": "scatter", "mode": "markers", **named(found), **points, "marker": marker}


def _shapes(found: Any, count: int, hollow: bool) -> tuple[list[str], list[float]]:
    """Names and sizes of points: one for all of them, or one for each."""
    import numpy

    known = [symbol_of(path) for path in found.get_paths()]
    sizes = numpy.sqrt(numpy.asarray(found.get_sizes(), dtype=float)) * PIXELS
    if len(known) > 1 or len(sizes) > 1:
        known = [known[number % len(known)] for number in range(count)]
        sizes = numpy.resize(sizes, count)
    names = [f"{name}-open" if hollow and not name.endswith("-open") else name for name, _ in known]
    return names, (sizes * [part for _, part in known]).round(2).tolist()


def _mesh(pair: Pair, found: Any) -> Trace:
    import numpy

    if getattr(found, "_shading", "flat") != "flat":
        raise Unknown("a mesh of flowing colours")
    corners = found.get_coordinates()
    columns, rows = corners[0, :, 0], corners[:, 0, 1]
    if not (numpy.allclose(corners[:, :, 0], columns) and numpy.allclose(corners[:, :, 1], rows[:, None])):
        raise Unknown("a mesh that is not a grid")
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
    if values.ndim != 2 or image.get_interpolation() not in _SHARP:
        raise Unknown("an image in true colours, or one that is smoothed")
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
        "opacity": opacity(mapped),
        "showscale": False,
        "hovertemplate": "%{x}, %{y}: %{z}<extra></extra>",
    }


def _bundle(pair: Pair, found: Any) -> list[Trace]:
    if found.get_array() is not None:
        raise Unknown("lines whose colours are numbers")
    colours = [css(colour) for colour in found.get_colors()] or ["rgba(0,0,0,1)"]
    widths = [round(float(width) * PIXELS, 2) for width in found.get_linewidths()] or [1.0]
    styles = [dashes(pattern) for _, pattern in found.get_linestyles()] or ["solid"]
    groups: dict[tuple[str, float, str], list[Any]] = {}
    for at, part in enumerate(found.get_segments()):
        look = tuple(each[at % len(each)] for each in (colours, widths, styles))
        groups.setdefault(look, []).append(part)  # type: ignore[arg-type]
    if len(groups) > _MOST_LOOKS:
        raise Unknown("lines in many colours")
    return [
        {
            "type": "scatter",
            "mode": "lines",
            **named(found),
            **_apart(pair, parts),
            "line": {"color": colour, "width": width, "dash": style},
        }
        for (colour, width, style), parts in groups.items()
    ]


def _filled(pair: Pair, found: Any) -> Trace:
    import numpy

    if numpy.any(found.get_offsets()):
        raise Unknown("polygons at many places")
    faces = {css(face) for face in found.get_facecolors()}
    edges = {css(edge) for edge in found.get_edgecolors()}
    if len(faces) > 1 or len(edges) > 1 or found.get_array() is not None:
        raise Unknown("areas in many colours")
    if any(dashes(pattern) != "solid" for _, pattern in found.get_linestyles()):
        raise Unknown("areas with dashed edges")
    parts = [part for path in found.get_paths() for part in _polygons(path)]
    trace = _area(pair, found, parts, faces.pop() if faces else _CLEAR)
    edge = edges.pop() if edges else _CLEAR
    width = float(max(found.get_linewidths(), default=0))
    if edge != trace["fillcolor"] and not edge.endswith(",0)") and width:
        trace["line"] = {"color": edge, "width": round(width * PIXELS, 2)}
    return trace


def _polygons(path: Any, closed: bool = True) -> list[Any]:
    """The parts of an outline; without the thinning out that is meant for what is in pixels."""
    whole = type(path)(path.vertices, path.codes)
    whole.should_simplify = False
    return list(whole.to_polygons(closed_only=closed))


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
    face = css(found.get_facecolor()) if found.get_fill() else _CLEAR
    edge = css(found.get_edgecolor())
    width = 0.0 if edge.endswith(",0)") else round(found.get_linewidth() * PIXELS, 2)
    stroke = {"color": edge, "width": width, "dash": dash(found)} if width else {"width": 0, "color": face}
    if x != y:
        if kind != "Rectangle" and kind != "Polygon":
            raise Unknown(f"{kind} across the axes")
        (left, bottom), (right, top) = path.get_extents().get_points()
        return {
            "type": "rect",
            "x": pair.x.values([left, right]) if x else [left, right],
            "y": pair.y.values([bottom, top]) if y else [bottom, top],
            "across": "x" if y else "y",
            **named(found),
            "fillcolor": face,
            "line": stroke,
        }
    if not x:
        raise Unknown(f"{kind} in other coordinates")
    if path.codes is None or set(path.codes.tolist()) <= _STRAIGHT:
        parts = _polygons(path, closed=False)
    else:
        # Curves become as many straight pieces as their size on the screen asks for.
        screen = found.get_path().transformed(found.get_transform())
        back = pair.axes.transData.inverted()
        parts = [back.transform(part) for part in screen.to_polygons(closed_only=False)]
    if len(parts) > 1 and found.get_fill():
        raise Unknown("a shape of several parts, which may be holes")
    trace = _area(pair, found, parts, face)
    trace["line"] = stroke
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
