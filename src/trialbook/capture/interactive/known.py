"""What of a figure is known: everything else keeps it a picture."""

from collections.abc import Iterator
from typing import Any

from trialbook.capture.interactive.unknown import Unknown

_COLLECTIONS = frozenset(
    {"PathCollection", "QuadMesh", "LineCollection", "PolyCollection", "FillBetweenPolyCollection"}
)
_PATCHES = frozenset(
    {"Rectangle", "Polygon", "Circle", "Ellipse", "Wedge", "PathPatch", "StepPatch", "RegularPolygon"}
)
_AXES = frozenset({"Axes", "AxesSubplot"})
"""The second one before matplotlib 3.7."""
_KINDS = {
    **dict.fromkeys(_COLLECTIONS, "collection"),
    **dict.fromkeys(_PATCHES, "patch"),
    "Line2D": "line",
    "AxesImage": "image",
    "Text": "text",
    "Annotation": "text",
}


def kind(artist: Any) -> str:
    """What sort of artist it is: ``collection``, ``patch``, ``line``, ``image`` or ``text``.

    Raises:
        Unknown: another one, or one that is drawn in a way that the page has not.
    """
    name = type(artist).__name__
    if name not in _KINDS or not type(artist).__module__.startswith("matplotlib."):
        raise Unknown(name)
    found = _KINDS[name]
    if found == "text":
        # An outline of letters says nothing.
        return found
    if artist.get_path_effects() or artist.get_sketch_params() or artist.get_agg_filter() is not None:
        raise Unknown(f"{name} with effects")
    if getattr(artist, "get_hatch", lambda: None)():
        raise Unknown(f"{name} with a hatch")
    if artist.get_clip_path() is not None:
        raise Unknown(f"{name} that is cut by another shape")
    return found


def drawn(axes: Any) -> Iterator[tuple[str, Any]]:
    """The artists of some axes with their kinds, from the back to the front.

    Args:
        axes: a ``matplotlib.axes.Axes``.

    Raises:
        Unknown: the axes are others, or hold something that is not known.
    """
    name = f"{type(axes).__module__}.{type(axes).__name__}"
    if (
        axes.name != "rectilinear"
        or not name.startswith("matplotlib.axes.")
        or type(axes).__name__ not in _AXES
    ):
        raise Unknown(f"axes of the kind {name}")
    frame = [axes.patch, axes.xaxis, axes.yaxis, *axes.spines.values(), axes.get_legend()]
    frame += [axes.title, axes._left_title, axes._right_title]
    known = {id(one) for one in frame}
    rest = [one for one in axes.get_children() if id(one) not in known and one.get_visible()]
    for artist in sorted(rest, key=lambda one: float(one.get_zorder())):
        yield kind(artist), artist


def beside(figure: Any) -> None:
    """Check that a figure has nothing outside of its axes but a title and a legend.

    Raises:
        Unknown: it has.
    """
    known = {id(one) for one in (figure.patch, getattr(figure, "_suptitle", None), *figure.legends)}
    known.update(id(axes) for axes in figure.get_axes())
    for child in figure.get_children():
        is_empty = type(child).__name__ == "Text" and not child.get_text().strip()
        if id(child) not in known and child.get_visible() and not is_empty:
            raise Unknown(f"{type(child).__name__} beside the axes")
    if len(figure.legends) > 1:
        raise Unknown("several legends beside the axes")
