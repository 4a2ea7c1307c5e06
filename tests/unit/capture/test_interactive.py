"""Converted figures say what the original says, or they stay pictures."""

import datetime
import functools
import re
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from tests.unit.capture import comparing
from tests.unit.capture.drawings import CONVERTED, PICTURES, Draw

matplotlib = pytest.importorskip("matplotlib")


@functools.cache
def kept(name: str) -> tuple[Any, dict[str, Any]]:
    """A figure of the corpus that is converted."""
    figure, found = convert(CONVERTED[name])
    assert found is not None, "it stayed a picture"
    return figure, found


def convert(draw: Draw) -> tuple[Any, dict[str, Any] | None]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from trialbook.capture.interactive.figure import interactive

    figure = Figure(figsize=(8, 5), dpi=40)
    FigureCanvasAgg(figure)
    draw(figure)
    found = interactive(figure)
    figure.canvas.draw()
    return figure, found


@pytest.mark.parametrize("look", [comparing.axes, comparing.data, comparing.names])
@pytest.mark.parametrize("name", CONVERTED)
def test_T11_a_converted_figure_says_what_the_original_says(name: str, look: Any) -> None:
    look(*kept(name))


@pytest.mark.parametrize("name", PICTURES)
def test_T11_what_cannot_be_said_exactly_stays_a_picture(name: str) -> None:
    assert convert(PICTURES[name])[1] is None


def test_T11_what_lies_in_front_comes_last() -> None:
    _, found = kept("what_lies_in_front")
    colours = [trace.get("fillcolor", trace["line"]["color"]) for trace in found["data"]]
    assert colours == ["rgba(0,0,255,1)", "rgba(0,128,0,1)", "rgba(255,0,0,1)"]


def test_T11_a_legend_names_what_is_drawn() -> None:
    _, found = kept("samples_of_a_legend")
    assert [(trace["name"], trace["mode"], trace["y"]) for trace in found["data"]] == [
        ("a", "lines", [1, 3]),
        ("b", "lines", [1, 4]),
        ("heading", "none", [None]),
        ("nothing", "lines+markers", [None]),
    ]


def test_T11_shared_axes_move_together() -> None:
    _, found = kept("shared_grid")
    together = {
        name: look.get("matches") for name, look in found["layout"].items() if re.match(r"[xy]axis", name)
    }
    assert together == {
        **{"xaxis": None, "xaxis2": None, "xaxis3": "x", "xaxis4": "x2"},
        **{"yaxis": None, "yaxis2": "y", "yaxis3": None, "yaxis4": "y3"},
    }


def test_T11_looks_of_points() -> None:
    _, found = kept("scattered_shapes")
    symbols = [trace["marker"]["symbol"] for trace in found["data"]]
    assert symbols == [
        *("circle", "square", "diamond", "triangle-up", "triangle-down", "triangle-left", "triangle-right"),
        *("star", "pentagon", "hexagon", "x-thin-open", "x", "cross-thin-open", "cross", "circle"),
    ]
    _, found = kept("colour_and_size_of_points")
    solid, hollow = (trace["marker"] for trace in found["data"])
    assert solid["color"] == ["rgba(255,0,0,1)", "rgba(0,128,0,1)", "rgba(0,0,255,1)"]
    assert solid["size"] == pytest.approx([np.sqrt(size) * 96 / 72 for size in (10, 40, 90)], abs=0.01)
    assert solid["line"]["color"] == "rgba(0,0,0,1)"
    assert (hollow["symbol"], hollow["color"]) == ("circle-open", "rgba(255,0,0,1)")
    _, found = kept("dashes")
    assert len({trace["line"]["dash"] for trace in found["data"]}) == 6


@pytest.mark.parametrize("name", ["tab10", "jet", "viridis", "hsv", "Set3", "gist_ncar", "twilight"])
def test_T11_numbers_have_the_colours_of_their_map(name: str) -> None:
    _, found = convert(lambda figure: figure.subplots().pcolormesh([[0.0, 1.0]], cmap=name) and None)
    assert found is not None
    stops = found["data"][0]["colorscale"]
    places = [stop[0] for stop in stops]
    colours = np.array([[float(part) for part in re.findall(r"[\d.]+", stop[1])[:3]] for stop in stops])
    # Beside the edge between two bands.
    values = (np.arange(200) + 0.5) / 200
    got = np.column_stack([np.interp(values, places, colours[:, part]) for part in range(3)])
    assert np.abs(got - 255 * matplotlib.colormaps[name](values)[:, :3]).max() < 16


def test_T11_a_colour_bar_keeps_its_name_and_its_ticks() -> None:
    figure, found = kept("mapped_points")
    marker = found["data"][0]["marker"]
    assert marker["showscale"] and (marker["cmin"], marker["cmax"]) == (0, 1)
    assert comparing.read(marker["colorbar"]["title"]["text"]) == "share <of> it"
    texts = [text.get_text() for text in figure.get_axes()[1].get_yticklabels()]
    assert marker["colorbar"]["ticktext"] == texts
    _, found = kept("two_colour_bars")
    first, second = (trace["colorbar"]["x"] for trace in found["data"])
    assert first < found["layout"]["xaxis2"]["domain"][0] < 1 < second


def test_T11_colours_that_the_page_would_hide_bring_their_ground() -> None:
    _, found = kept("dark")
    assert found["layout"]["plot_bgcolor"] == "rgba(0,0,0,1)"
    _, found = convert(lambda figure: figure.subplots().plot([0, 1], color="black") and None)
    assert found is not None and found["layout"]["plot_bgcolor"] == "rgba(255,255,255,1)"
    _, found = convert(lambda figure: figure.subplots().plot([0, 1]) and None)
    assert found is not None and "plot_bgcolor" not in found["layout"]


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York", "UTC"])
def test_T11_dates_stand_in_the_zone_of_their_axis(zone: str) -> None:
    noon = datetime.datetime(2024, 5, 1, 12, tzinfo=ZoneInfo(zone))
    _, found = convert(lambda figure: figure.subplots().plot([noon], [1], "o") and None)
    assert found is not None and found["data"][0]["x"] == ["2024-05-01T12:00:00"]


@pytest.mark.parametrize("marker", ["$a$", (5, 1), 4])
def test_T11_a_marker_that_the_page_lacks_stays_a_picture(marker: Any) -> None:
    assert convert(lambda figure: figure.subplots().plot([1, 2], [1, 2], marker=marker) and None)[1] is None
    assert (
        convert(lambda figure: figure.subplots().scatter([1, 2], [1, 2], marker=marker) and None)[1] is None
    )
