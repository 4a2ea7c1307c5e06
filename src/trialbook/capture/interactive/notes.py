"""Texts as annotations."""

from typing import Any

from trialbook.capture.interactive import texts
from trialbook.capture.interactive.axis import Pair, Side
from trialbook.capture.interactive.colours import PIXELS, css
from trialbook.capture.interactive.unknown import Unknown

_ACROSS = {"left": "left", "center": "center", "right": "right"}
_UP = {
    "top": "top",
    "bottom": "bottom",
    "baseline": "bottom",
    "center": "middle",
    "center_baseline": "middle",
}


def note(pair: Pair, text: Any, axes: tuple[str, str]) -> dict[str, Any]:
    """A text, or a text with an arrow, in a pair of axes.

    Args:
        pair: where it stands.
        text: ``Text`` or ``Annotation``.
        axes: names of the axes in the figure, such as ``("x2", "y2")``.

    Raises:
        Unknown: it stands in other coordinates.
    """
    look = {
        "text": texts.of(text),
        "showarrow": False,
        "xanchor": _ACROSS.get(text.get_horizontalalignment(), "center"),
        "yanchor": _UP.get(text.get_verticalalignment(), "middle"),
        "font": {
            "color": css(text.get_color(), text.get_alpha()),
            "size": round(text.get_fontsize() * PIXELS, 1),
        },
    }
    if text.get_rotation():
        look["textangle"] = -float(text.get_rotation())
    if type(text).__name__ == "Annotation":
        return {**look, **_annotated(pair, text, axes)}
    x, y = text.get_unitless_position()
    transform = text.get_transform()
    on_x, on_y = pair.where(transform)
    within = transform.contains_branch_seperately(pair.axes.transAxes)
    return {
        **look,
        **_at(pair.x, axes[0], x, on_x, within[0], text.get_clip_on()),
        **_at(pair.y, axes[1], y, on_y, within[1], text.get_clip_on()),
    }


def _at(side: Side, axis: str, value: float, on_data: bool, on_axes: bool, cut: bool) -> dict[str, Any]:
    name = side.name
    if on_data and (cut or side.shows(value)):
        return {name: side.place(value), f"{name}ref": axis}
    if on_data:
        # Beyond the limits the page shows only what stands at a part of the axis.
        return {name: side.part(value), f"{name}ref": f"{axis} domain"}
    if on_axes:
        return {name: float(value), f"{name}ref": f"{axis} domain"}
    raise Unknown("a text in other coordinates")


_HEADS = {
    "Curve": "none",
    "CurveB": "end",
    "CurveFilledB": "end",
    "CurveA": "start",
    "CurveFilledA": "start",
    "CurveAB": "end+start",
    "CurveFilledAB": "end+start",
    "Simple": "end",
    "Fancy": "end",
}


def _arrow(text: Any) -> dict[str, Any]:
    """How the arrow of an annotation looks.

    Raises:
        Unknown: it has other ends.
    """
    arrow = text.arrow_patch
    style = type(arrow.get_arrowstyle()).__name__
    if style not in _HEADS:
        raise Unknown(f"an arrow of the kind {style}")
    look: dict[str, Any] = {"showarrow": True, "arrowside": _HEADS[style]}
    if look["arrowside"] == "none":
        look["arrowhead"] = 0
    seen = arrow.get_facecolor() if style in ("Simple", "Fancy") else arrow.get_edgecolor()
    return {**look, "arrowcolor": css(seen), "arrowwidth": max(0.1, round(arrow.get_linewidth() * PIXELS, 2))}


def _annotated(pair: Pair, text: Any, axes: tuple[str, str]) -> dict[str, Any]:
    if text.xycoords != "data" or text.anncoords not in ("data", "offset points"):
        raise Unknown("an annotation in other coordinates")
    if not (
        pair.x.shows(pair.axes.convert_xunits(text.xy[0]))
        and pair.y.shows(pair.axes.convert_yunits(text.xy[1]))
    ):
        raise Unknown("an annotation beyond the limits")
    aim = {"xref": axes[0], "yref": axes[1]}
    tip = {
        "x": pair.x.place(pair.axes.convert_xunits(text.xy[0])),
        "y": pair.y.place(pair.axes.convert_yunits(text.xy[1])),
    }
    away = text.get_unitless_position()
    has_arrow = text.arrow_patch is not None
    if text.anncoords == "offset points":
        right, up = (round(float(points) * PIXELS, 1) for points in away)
        if has_arrow:
            return {**aim, **tip, **_arrow(text), "ax": right, "ay": -up}
        return {**aim, **tip, "xshift": right, "yshift": up}
    place = {"x": pair.x.place(away[0]), "y": pair.y.place(away[1])}
    if not has_arrow:
        return {**aim, **place}
    return {
        **aim,
        **tip,
        **_arrow(text),
        "axref": axes[0],
        "ayref": axes[1],
        "ax": place["x"],
        "ay": place["y"],
    }
