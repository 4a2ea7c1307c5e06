"""Simple matplotlib figures as interactive ones. Reads a figure that the program made; never imports matplotlib."""

from typing import Any

_DASH = {"-": "solid", "--": "dash", "-.": "dashdot", ":": "dot"}


def line_figure(figure: Any) -> dict[str, Any] | None:
    """A figure in Plotly's JSON schema, or None when it has anything but lines in one pair of axes.

    Args:
        figure: a ``matplotlib.figure.Figure``.

    Returns:
        ``{"data", "layout"}`` with one trace per line.
    """
    drawn = [axes for axes in figure.get_axes() if axes.get_visible()]
    if len(drawn) != 1:
        return None
    axes = drawn[0]
    if not axes.lines or axes.patches or axes.collections or axes.images or axes.tables or axes.texts:
        return None
    if axes.get_xscale() not in ("linear", "log") or axes.get_yscale() not in ("linear", "log"):
        return None
    traces = [_trace(line) for line in axes.lines]
    return {
        "data": traces,
        "layout": {
            "title": {"text": axes.get_title()},
            "xaxis": {"title": {"text": axes.get_xlabel()}, "type": axes.get_xscale()},
            "yaxis": {"title": {"text": axes.get_ylabel()}, "type": axes.get_yscale()},
            "showlegend": axes.get_legend() is not None,
        },
    }


def _trace(line: Any) -> dict[str, Any]:
    label = str(line.get_label())
    style = line.get_linestyle()
    drawn = style not in ("None", " ", "")
    marked = line.get_marker() not in ("None", " ", "", None)
    return {
        "type": "scatter",
        "mode": "lines+markers" if drawn and marked else ("lines" if drawn else "markers"),
        "name": "" if label.startswith("_") else label,
        "x": [_plain(value) for value in line.get_xdata()],
        "y": [_plain(value) for value in line.get_ydata()],
        "line": {
            "color": _colour(line.get_color()),
            "dash": _DASH.get(style, "solid"),
            "width": line.get_linewidth(),
        },
    }


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _colour(colour: Any) -> str:
    if isinstance(colour, str) and colour.startswith("#"):
        return colour
    names = {
        "b": "#0000ff",
        "g": "#008000",
        "r": "#ff0000",
        "c": "#00bfbf",
        "m": "#bf00bf",
        "y": "#bfbf00",
        "k": "#000000",
    }
    if isinstance(colour, str):
        return names.get(colour, colour)
    red, green, blue = (round(255 * part) for part in colour[:3])
    return f"rgb({red},{green},{blue})"
