"""Colours, markers and line styles."""

import sys
from typing import Any

from trialbook.capture.interactive.unknown import Unknown

PIXELS = 96 / 72
"""Of a point: matplotlib measures in points, a browser in pixels."""
_STROKES = frozenset("x+1234|_")
_MARKERS: dict[Any, tuple[str, float]] = {
    "o": ("circle", 1),
    ".": ("circle", 0.5),
    "s": ("square", 1),
    "D": ("diamond", 1),
    "d": ("diamond-tall", 1),
    "^": ("triangle-up", 1),
    "v": ("triangle-down", 1),
    "<": ("triangle-left", 1),
    ">": ("triangle-right", 1),
    "*": ("star", 1),
    "p": ("pentagon", 1),
    "h": ("hexagon", 1),
    "H": ("hexagon2", 1),
    "8": ("octagon", 1),
    "X": ("x", 1),
    "P": ("cross", 1),
    "x": ("x-thin", 1),
    "+": ("cross-thin", 1),
    "|": ("line-ns", 1),
    "_": ("line-ew", 1),
    "1": ("y-down", 1),
    "2": ("y-up", 1),
    "3": ("y-left", 1),
    "4": ("y-right", 1),
    (4, 0, 0): ("diamond", 0.77),
    (4, 0, 45): ("square", 0.71),
    (4, 1, 0): ("star-diamond", 1),
    (4, 1, 45): ("star-square", 1),
}
"""Names on the page, and their size there to that in the figure. Those in tuples are seaborn's."""
_FEW = 64
"""Colours of a map up to which each is a band."""
_SMOOTH = 0.02
"""Of the whole range of a colour: so far the page may be from the figure."""


def css(colour: Any, alpha: Any = None) -> str:
    """A colour in any of matplotlib's forms, as ``rgba(…)``."""
    one = alpha if isinstance(alpha, (int, float)) else None
    red, green, blue, opacity = sys.modules["matplotlib.colors"].to_rgba(colour, one)
    return f"rgba({round(255 * red)},{round(255 * green)},{round(255 * blue)},{round(opacity, 3):g})"


def dash(drawn: Any) -> str:
    """The dashes of a line or an edge, in pixels.

    Raises:
        Unknown: they are not to be had.
    """
    try:
        _, pattern = drawn._dash_pattern
    except AttributeError:
        raise Unknown("dashes of an unknown length") from None
    return dashes(pattern)


def dashes(pattern: Any) -> str:
    """Lengths in points as those of the page; None is a line without gaps."""
    if pattern is None:
        return "solid"
    return ",".join(f"{round(float(length) * PIXELS, 1):g}px" for length in pattern)


def symbol(marker: Any) -> tuple[str, float]:
    """A marker by its sign: its name on the page, and what its size there is multiplied with.

    Raises:
        Unknown: the page has no such one.
    """
    if not isinstance(marker, (str, tuple)) or marker not in _MARKERS:
        raise Unknown(f"the marker {marker!r}")
    name, size = _MARKERS[marker]
    # A shape without an inside has no colour but that of its stroke.
    return (f"{name}-open" if marker in _STROKES else name), size


def symbol_of(path: Any) -> tuple[str, float]:
    """The same by a marker's outline.

    Raises:
        Unknown: the page has no such one.
    """
    import numpy

    for marker in _MARKERS:
        style = sys.modules["matplotlib.markers"].MarkerStyle(marker)
        known = style.get_path().transformed(style.get_transform())
        if known.vertices.shape == path.vertices.shape and numpy.allclose(known.vertices, path.vertices):
            return symbol(marker)
    raise Unknown("a marker of the program's own")


def opacity(artist: Any) -> float:
    """How far an artist lets through what is behind it.

    Raises:
        Unknown: it has many answers.
    """
    alpha = artist.get_alpha()
    if alpha is None:
        return 1.0
    if not isinstance(alpha, (int, float)):
        raise Unknown("an opacity for each")
    return float(alpha)


def scale_of(mapped: Any) -> dict[str, Any]:
    """How numbers become colours: ``colorscale`` and the numbers at its ends.

    Raises:
        Unknown: they do not become colours evenly.
    """
    norm = mapped.norm
    if type(norm).__name__ != "Normalize" or norm.vmin is None or norm.vmin == norm.vmax:
        raise Unknown(f"colours by {type(norm).__name__}")
    return {
        "colorscale": [[place, css(colour)] for place, colour in _stops(mapped.get_cmap())],
        "zmin": number(norm.vmin),
        "zmax": number(norm.vmax),
    }


def _stops(cmap: Any) -> list[tuple[float, Any]]:
    import numpy

    if cmap.N <= _FEW:
        # Each colour as a band, so that none of them is mixed.
        return [
            (round(edge / cmap.N, 6), cmap(number))
            for number in range(cmap.N)
            for edge in (number, number + 1)
        ]
    fine = numpy.linspace(0, 1, cmap.N)
    wanted = cmap(fine)
    for count in (11, 33):
        places = numpy.linspace(0, 1, count)
        colours = cmap(places)
        mixed = numpy.column_stack([numpy.interp(fine, places, colours[:, part]) for part in range(4)])
        if float(abs(mixed - wanted).max()) <= _SMOOTH:
            break
    else:
        places, colours = fine, wanted
    return list(zip(places.round(6).tolist(), colours, strict=True))


def number(value: Any) -> Any:
    """A plain number."""
    return value.item() if hasattr(value, "item") else value
