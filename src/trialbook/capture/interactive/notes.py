"""Texts as annotations."""

from typing import Any

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
        "text": text.get_text().replace("\n", "<br>"),
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
        **_at(pair.x, "x", axes[0], x, on_x, within[0]),
        **_at(pair.y, "y", axes[1], y, on_y, within[1]),
    }


def _at(side: Side, name: str, axis: str, value: float, on_data: bool, on_axes: bool) -> dict[str, Any]:
    if on_data:
        return {name: side.place(value), f"{name}ref": axis}
    if on_axes:
        return {name: float(value), f"{name}ref": f"{axis} domain"}
    raise Unknown("a text in other coordinates")


def _annotated(pair: Pair, text: Any, axes: tuple[str, str]) -> dict[str, Any]:
    if text.xycoords != "data" or text.anncoords not in ("data", "offset points"):
        raise Unknown("an annotation in other coordinates")
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
            return {**aim, **tip, "showarrow": True, "ax": right, "ay": -up}
        return {**aim, **tip, "xshift": right, "yshift": up}
    place = {"x": pair.x.place(away[0]), "y": pair.y.place(away[1])}
    if not has_arrow:
        return {**aim, **place}
    return {
        **aim,
        **tip,
        "showarrow": True,
        "axref": axes[0],
        "ayref": axes[1],
        "ax": place["x"],
        "ay": place["y"],
    }
