"""matplotlib figures in Plotly's schema: every number, name and place of the figure is in it."""

import datetime
import json
import math
from collections.abc import Iterator
from typing import Any

import numpy
import pytest

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

from matplotlib import pyplot  # noqa: E402

from trialbook.capture.interactive.figure import heading, interactive, is_pictures, resolution  # noqa: E402


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """No figure stays open."""
    yield
    pyplot.close("all")


def page(figure: Any) -> dict[str, Any]:
    converted = interactive(figure)
    assert converted is not None
    # As it is stored.
    read: dict[str, Any] = json.loads(json.dumps(converted, allow_nan=False))
    return read


def test_lines_with_everything() -> None:
    figure, axes = pyplot.subplots()
    axes.plot([1, 2, 3], [1.5, math.nan, 9.5], "r--s", label="squares", markersize=3)
    axes.step([1, 2], [3, 4], where="post", label="_hidden")
    axes.axhline(5, color="k", linestyle=":")
    axes.axvspan(1.25, 1.5)
    axes.set(title="A title", xlabel="step", ylabel="loss", yscale="log", ylim=(1, 100))
    axes.invert_xaxis()
    axes.legend()
    found = page(figure)
    first, second = found["data"]
    assert first["name"] == "squares" and second["name"] == "" and second["showlegend"] is False
    assert first["x"] == [1, 2, 3] and first["y"] == [1.5, None, 9.5] and first["mode"] == "lines+markers"
    assert first["line"]["color"] == "rgba(255,0,0,1)" and first["line"]["dash"] == "dash"
    assert first["marker"] == {"symbol": "square", "size": 4, "color": "rgba(255,0,0,1)"}
    assert second["line"]["shape"] == "hv" and second["mode"] == "lines"
    layout = found["layout"]
    assert layout["title"]["text"] == "A title" and layout["showlegend"] is True
    assert layout["xaxis"]["title"]["text"] == "step" and layout["xaxis"]["autorange"] == "reversed"
    assert layout["yaxis"]["type"] == "log" and layout["yaxis"]["range"] == [0, 2]
    band, line = layout["shapes"]
    assert (band["x0"], band["x1"], band["xref"], band["yref"]) == (1.25, 1.5, "x", "y domain")
    assert (line["y0"], line["y1"], line["xref"], line["line"]["dash"]) == (5, 5, "x domain", "dot")


def test_bars_and_histograms() -> None:
    figure, (left, right) = pyplot.subplots(1, 2)
    left.bar(["cat", "dog"], [3, 5], yerr=[0.5, 1], label="first")
    left.bar(["cat", "dog"], [1, 2], bottom=[3, 5])
    right.barh([1, 2], [4, 6], height=0.5)
    left.set_title("left")
    figure.suptitle("both")
    found = page(figure)
    errors, bottom, top, lying = found["data"]
    assert bottom["y"] == [3, 5] and bottom["x"] == [0, 1] and bottom["name"] == "first"
    assert top["base"] == [3, 5] and top["y"] == [1, 2]
    assert errors["error_y"]["array"] == [0.5, 1] and errors["y"] == [3, 5]
    assert lying["orientation"] == "h" and lying["x"] == [4, 6] and lying["xaxis"] == "x2"
    layout = found["layout"]
    assert layout["xaxis"]["ticktext"] == ["cat", "dog"] and layout["title"]["text"] == "both"
    assert layout["xaxis"]["domain"][0] == 0 and layout["xaxis2"]["domain"][1] == 1
    assert layout["xaxis"]["domain"][1] < layout["xaxis2"]["domain"][0]
    assert [entry["text"] for entry in layout["annotations"]] == ["left"]

    figure, axes = pyplot.subplots()
    heights, edges, _ = axes.hist([1, 1, 2, 5], bins=4)
    axes.set_xticks([1, 5], ["low", "high"])
    (bins,) = page(figure)["data"]
    assert bins["y"] == heights.tolist() and bins["x"] == ((edges[:-1] + edges[1:]) / 2).tolist()
    assert page(figure)["layout"]["xaxis"]["ticktext"] == ["low", "high"]


def test_points_error_bars_and_areas() -> None:
    figure, axes = pyplot.subplots()
    points = axes.scatter([1, 2], [3, 4], s=[9, 36], c=[0.0, 10.0], label="p")
    figure.colorbar(points)
    axes.errorbar([1, 2], [5, 6], yerr=[[0.25, 0.5], [1, 2]], xerr=0.125, label="e", capsize=2)
    axes.fill_between([1, 2], [0, 0], [1, 1], label="area")
    axes.vlines([1, 2], 0, [1, 2], colors=["r", "b"])
    found = page(figure)
    by_name = {trace["name"]: trace for trace in found["data"]}
    marker = by_name["p"]["marker"]
    assert marker["size"] == [4, 8] and marker["color"] == [0, 10] and marker["showscale"] is True
    assert (marker["cmin"], marker["cmax"], len(marker["colorscale"])) == (0, 10, 11)
    error = by_name["e"]["error_y"]
    assert error["array"] == [1, 2] and error["arrayminus"] == [0.25, 0.5]
    assert by_name["e"]["error_x"]["array"] == [0.125, 0.125] and by_name["e"].get("showlegend", True)
    assert by_name["area"]["fill"] == "toself" and max(by_name["area"]["y"]) == 1
    assert sum(trace["name"] == "" for trace in found["data"]) == 2
    # The colour bar is no pair of axes of its own.
    assert "xaxis2" not in found["layout"]


def test_dates_twins_and_notes() -> None:
    figure, axes = pyplot.subplots()
    axes.plot([datetime.datetime(2024, 1, 1), datetime.datetime(2024, 1, 2, 12)], [1, 2])
    other = axes.twinx()
    other.plot([datetime.datetime(2024, 1, 1)], [70], "o")
    axes.annotate("here", (datetime.datetime(2024, 1, 1), 1), xytext=(10, 20), textcoords="offset points")
    axes.text(0.5, 0.25, "inside", transform=axes.transAxes, ha="center")
    found = page(figure)
    assert found["data"][0]["x"] == ["2024-01-01T00:00:00", "2024-01-02T12:00:00"]
    assert found["layout"]["xaxis"]["type"] == "date"
    assert found["layout"]["yaxis2"]["overlaying"] == "y" and found["data"][1]["xaxis"] == "x"
    here, inside = found["layout"]["annotations"]
    assert here["yshift"] == pytest.approx(26.7, abs=0.1) and here["x"].startswith("2024-01-01")
    assert (inside["x"], inside["y"], inside["xref"]) == (0.5, 0.25, "x domain")


def test_matrices() -> None:
    figure, (mesh, matrix) = pyplot.subplots(1, 2)
    mesh.pcolormesh([[1, 2], [3, 4], [5, 6]])
    matrix.imshow([[5, 1], [2, 7]], cmap="gray")
    matrix.text(0, 0, "5")
    first, second = page(figure)["data"]
    assert first["z"] == [[1, 2], [3, 4], [5, 6]] and first["x"] == [0, 1, 2] and first["y"] == [0, 1, 2, 3]
    assert second["z"] == [[5, 1], [2, 7]] and (second["x0"], second["y0"], second["dy"]) == (0, 0, 1)
    assert second["colorscale"][-1] == [1, "rgba(255,255,255,1)"]


def test_names_of_a_legend_made_for_it() -> None:
    figure, axes = pyplot.subplots()
    axes.plot([1, 2])
    axes.plot([2, 1])
    axes.legend(["up", "down"])
    assert [trace["name"] for trace in page(figure)["data"]] == ["up", "down"]
    figure, axes = pyplot.subplots()
    axes.plot([1, 2], color="#112233", label="_child0")
    axes.plot([], [], color="#112233", label="given")
    axes.legend()
    assert [trace["name"] for trace in page(figure)["data"]] == ["given"]
    figure, axes = pyplot.subplots()
    axes.scatter([1, 2], [3, 4], c=["r", "b"])
    axes.plot([], [], "ro", label="red")
    axes.legend()
    assert page(figure)["data"][1]["x"] == [None]
    figure, axes = pyplot.subplots()
    axes.bar([1], [2], color="r")
    axes.bar([1], [3], color="b", bottom=[2])
    handles = [pyplot.Rectangle((0, 0), 1, 1, color="b"), pyplot.Rectangle((0, 0), 1, 1, color="r")]
    axes.legend(handles, ["blue", "red"])
    assert [trace["name"] for trace in page(figure)["data"]] == ["red", "blue"]


def test_pandas() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1, 2], "b": [3, 4]}, index=pandas.date_range("2024-03-01", periods=2))
    found = page(frame.plot().figure)
    assert found["data"][1]["x"] == ["2024-03-01T00:00:00", "2024-03-02T00:00:00"]
    assert [trace["name"] for trace in found["data"]] == ["a", "b"]
    bars = page(frame.set_index(pandas.Index(["x", "y"])).plot.bar().figure)
    assert bars["layout"]["xaxis"]["ticktext"] == ["x", "y"] and bars["data"][0]["y"] == [1, 2]


def three_dimensional() -> Any:
    figure = pyplot.figure()
    figure.add_subplot(projection="3d").plot([1, 2], [1, 2], [1, 2])
    return figure


def polar() -> Any:
    figure = pyplot.figure()
    figure.add_subplot(projection="polar").plot([1, 2])
    return figure


def contours() -> Any:
    figure, axes = pyplot.subplots()
    axes.contour(numpy.eye(4))
    return figure


def photograph() -> Any:
    figure, axes = pyplot.subplots()
    axes.imshow(numpy.zeros((4, 4, 3)))
    return figure


def crowd() -> Any:
    return pyplot.subplots(5, 5)[0]


def symmetric_logarithm() -> Any:
    figure, axes = pyplot.subplots()
    axes.plot([1, 2])
    axes.set_yscale("symlog")
    return figure


def too_many_points() -> Any:
    figure, axes = pyplot.subplots()
    axes.plot(numpy.zeros(100_001))
    return figure


@pytest.mark.parametrize(
    "make",
    [
        three_dimensional,
        polar,
        contours,
        photograph,
        crowd,
        symmetric_logarithm,
        too_many_points,
        pyplot.figure,
    ],
)
def test_what_stays_a_picture(make: Any) -> None:
    assert interactive(make()) is None


def test_headings_and_pictures() -> None:
    assert heading(pyplot.figure()) == "" and heading(pyplot.figure("window")) == "window"
    figure, axes = pyplot.subplots()
    axes.set_title("axes")
    assert heading(figure) == "axes"
    figure.suptitle("figure")
    assert heading(figure) == "figure"
    assert is_pictures(photograph()) and not is_pictures(figure)
    large = pyplot.figure(figsize=(100, 10))
    assert resolution(large) == 20 and resolution(figure) == figure.dpi
