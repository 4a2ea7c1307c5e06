"""The logger: every kind of report, as the server gives it back."""

import io
import json
import math
from pathlib import Path
from typing import Any

import numpy
import pytest

from tests.catalogue.conftest import Begin, again
from tests.support.server import RunningServer
from trialbook import Logger, Task
from trialbook.capture.tags import chart_of
from trialbook.errors import UsageError


def plot(task: Task, title: str, series: str = "s") -> dict[str, Any]:
    """The one plot of a title and series."""
    found = [p for p in again(task).get_reported_plots() if (p["metric"], p["variant"]) == (title, series)]
    assert len(found) == 1, found
    figure: dict[str, Any] = json.loads(found[0]["plot_str"])
    return figure


@pytest.mark.covers("LG-1", "CC-12")
def test_text(task: Task, sdk: RunningServer, capsys: pytest.CaptureFixture[str]) -> None:
    logger = task.get_logger()
    capsys.readouterr()
    logger.report_text("shown")
    logger.report_text("hidden", level="error", print_console=False)
    logger.report_text("two\nlines", level=30, print_console=False)
    out = capsys.readouterr().out
    assert "shown" in out and "hidden" not in out
    again(task)
    events = sdk.call("events.get_task_log", {"task": task.id, "batch_size": 100, "order": "asc"})["events"]
    assert [event["msg"] for event in events].count("shown") == 1
    levels = {event["msg"]: event["level"].lower() for event in events}
    assert levels["hidden"] == "error" and levels["shown"] == "info"
    with pytest.raises(UsageError, match="level"):
        logger.report_text("x", level="loud")


@pytest.mark.covers("LG-2")
def test_scalars(task: Task) -> None:
    logger = task.get_logger()
    values = [1, 2.5, True, numpy.float32(3.5), numpy.int64(4), numpy.array(5.0), numpy.array([6.0])[0]]
    for step, value in enumerate(values):
        logger.report_scalar("t", "s", value, step)
    logger.report_scalar("t", "default", 1.0)
    logger.report_scalar("t", "odd", math.inf, 1)
    found = again(task).get_reported_scalars()["t"]
    assert found["s"]["y"] == [1, 2.5, 1, 3.5, 4, 5, 6]
    assert found["default"]["x"] == [0] and found["odd"]["y"] == [math.inf]
    for wrong in ("text", None, [1, 2], object()):
        with pytest.raises(UsageError):
            logger.report_scalar("t", "s", wrong, 1)  # type: ignore[arg-type]
    with pytest.raises(UsageError):
        logger.report_scalar("t", "s", 1.0, "one")  # type: ignore[arg-type]


@pytest.mark.covers("LG-2")
def test_several_scalars_at_once(task: Task) -> None:
    logger = task.get_logger()
    for step in range(3):
        logger.report_scalars({"loss/train": step / 2, "net/layer 1/norm": numpy.float32(2), "rate": 1}, step)
    logger.report_scalars({"loss/train": math.nan})
    logger.report_scalars({}, 5)
    with pytest.raises(UsageError):
        logger.report_scalars({"loss/train": 1.0, "rate": "fast"}, 9)  # type: ignore[dict-item]
    many = {f"many/{number}": float(number) for number in range(5000)}
    logger.report_scalars(many, 1)
    found = again(task).get_reported_scalars()
    # Of equal iterations, the newest.
    assert found["loss"]["train"]["x"] == [0, 1, 2] and found["loss"]["train"]["y"][1:] == [0.5, 1.0]
    assert math.isnan(found["loss"]["train"]["y"][0])
    assert found["net/layer 1"]["norm"]["y"] == [2, 2, 2] and found["rate"]["rate"]["x"] == [0, 1, 2]
    assert {name: line["y"] for name, line in found["many"].items()} == {
        str(number): [float(number)] for number in range(5000)
    }
    Logger.set_reporting_nan_value(0.0)
    logger.report_scalars({"loss/val": math.nan, "loss/other": 1.0}, 0)
    assert again(task).get_reported_scalars()["loss"]["val"]["y"] == [0.0]


@pytest.mark.covers("LG-2", "LG-25")
def test_values_instead_of_nan(task: Task, caplog: pytest.LogCaptureFixture) -> None:
    logger = task.get_logger()
    logger.report_scalar("t", "kept", math.nan, 0)
    Logger.set_reporting_nan_value(0.0, warn_period=2)
    Logger.set_reporting_inf_value(9.0, warn_period=0)
    for step in range(3):
        logger.report_scalar("t", "nan", math.nan, step)
    logger.report_scalar("t", "inf", -math.inf, 0)
    found = again(task).get_reported_scalars()["t"]
    assert math.isnan(found["kept"]["y"][0]), "by default they are kept"
    assert found["nan"]["y"] == [0.0] * 3 and found["inf"]["y"] == [9.0]
    assert len([record for record in caplog.records if "is reported as" in record.message]) == 2


@pytest.mark.covers("LG-4", "LG-5")
def test_histograms(task: Task) -> None:
    logger = task.get_logger()
    logger.report_histogram("one", "s", [4, 9, 2], 1, xlabels=["a", "b", "c"], xaxis="x", yaxis="y")
    logger.report_histogram("two", "s", numpy.array([[1, 2], [3, 4]]), 1, labels=["p", "q"], mode="stack")
    logger.report_vector("old", "s", [1, 2], 1)
    logger.report_histogram("more", "s", [1], 1, data_args={"width": 0.5}, extra_layout={"bargap": 0.1})
    one = plot(task, "one")
    assert one["data"] == [{"type": "bar", "name": "s", "y": [4, 9, 2], "x": ["a", "b", "c"]}]
    assert one["layout"]["xaxis"]["title"]["text"] == "x" and one["layout"]["barmode"] == "group"
    two = plot(task, "two")
    assert [(trace["name"], trace["y"]) for trace in two["data"]] == [("p", [1, 2]), ("q", [3, 4])]
    assert two["layout"]["barmode"] == "stack"
    assert plot(task, "old")["data"][0]["y"] == [1, 2]
    more = plot(task, "more")
    assert more["data"][0]["width"] == 0.5 and more["layout"]["bargap"] == 0.1
    with pytest.raises(UsageError, match="labels"):
        logger.report_histogram("x", "s", [[1], [2]], 1, labels=["only one"])
    with pytest.raises(UsageError, match="mode"):
        logger.report_histogram("x", "s", [1], 1, mode="pile")


@pytest.mark.covers("LG-6")
def test_tables(task: Task, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    logger = task.get_logger()
    frame = pandas.DataFrame({"a": [1.5, math.nan], "b": ["x", "y"]}, index=["p", "q"])
    logger.report_table("frame", "s", 1, table_plot=frame)
    logger.report_table("rows", "s", 1, table_plot=[["h1", "h2"], [1, 2], [3]])
    csv = tmp_path / "t.csv"
    csv.write_text("c1,c2\n1,ä\n")
    logger.report_table("csv", "s", 1, csv=str(csv), extra_layout={"height": 99})
    logger.report_table("url", "s", 1, url=csv.as_uri(), extra_data={"columnwidth": [1, 2]})
    found = plot(task, "frame")["data"][0]
    assert found["header"]["values"] == ["", "a", "b"]
    assert found["cells"]["values"] == [["p", "q"], [1.5, "NaN"], ["x", "y"]]
    assert plot(task, "rows")["data"][0]["cells"]["values"] == [[1, 3], [2, ""]]
    assert plot(task, "csv")["data"][0]["cells"]["values"] == [["1"], ["ä"]]
    assert plot(task, "csv")["layout"]["height"] == 99
    assert plot(task, "url")["data"][0]["columnwidth"] == [1, 2]
    for wrong in ({}, {"table_plot": frame, "csv": "x"}):
        with pytest.raises(UsageError, match="exactly one"):
            logger.report_table("x", "s", 1, **wrong)
    with pytest.raises(UsageError, match="no CSV file"):
        logger.report_table("x", "s", 1, csv=str(tmp_path / "missing"))
    with pytest.raises(UsageError, match="DataFrame or a list of rows"):
        logger.report_table("x", "s", 1, table_plot=5)


@pytest.mark.covers("LG-7", "LG-8")
def test_lines_and_points(task: Task) -> None:
    logger = task.get_logger()
    series = [{"name": "a", "data": numpy.array([[0, 1], [1, 3]])}, {"name": "b", "data": [(0, 2)]}]
    logger.report_line_plot("lines", series, "x", "y", iteration=1, reverse_xaxis=True, comment="note")
    logger.report_scatter2d("flat", "s", [(0, 1), (1, math.nan)], 1, labels=["p", "q"], mode="markers")
    logger.report_scatter2d("flat", "other", numpy.ones((2, 2)), 1)
    lines = plot(task, "lines", "")
    assert [(t["name"], t["x"], t["y"]) for t in lines["data"]] == [("a", [0, 1], [1, 3]), ("b", [0], [2])]
    assert lines["layout"]["xaxis"]["autorange"] == "reversed" and "note" in lines["layout"]["title"]["text"]
    flat = plot(task, "flat")["data"][0]
    assert (flat["mode"], flat["text"], flat["y"]) == ("markers", ["p", "q"], [1, None])
    assert plot(task, "flat", "other")["data"][0]["mode"] == "lines"
    with pytest.raises(UsageError, match="rows of 2"):
        logger.report_scatter2d("x", "s", [1, 2, 3], 1)
    with pytest.raises(UsageError, match="mode"):
        logger.report_scatter2d("x", "s", [(1, 2)], 1, mode="dots")


@pytest.mark.covers("LG-9", "LG-12")
def test_space(task: Task) -> None:
    logger = task.get_logger()
    logger.report_scatter3d("cloud", "s", numpy.eye(3), 1, zaxis="depth", fill=True)
    logger.report_scatter3d("clouds", "s", [numpy.eye(3), numpy.ones((2, 3))], 1, mode="lines")
    logger.report_surface("surface", "s", numpy.eye(2), 1, xlabels=["a", "b"], camera=(1, 2, 3))
    logger.report_surface("default", "s", numpy.eye(2), 1)
    cloud = plot(task, "cloud")
    assert cloud["data"][0]["type"] == "scatter3d" and cloud["data"][0]["z"] == [0, 0, 1]
    assert cloud["data"][0]["mode"] == "markers" and "surfaceaxis" in cloud["data"][0]
    assert cloud["layout"]["scene"]["zaxis"]["title"]["text"] == "depth"
    assert [trace["name"] for trace in plot(task, "clouds")["data"]] == ["s_0", "s_1"]
    surface = plot(task, "surface")
    assert surface["data"][0]["type"] == "surface" and surface["data"][0]["z"] == [[1, 0], [0, 1]]
    scene = surface["layout"]["scene"]
    assert scene["camera"]["eye"] == {"x": 1, "y": 2, "z": 3} and scene["xaxis"]["ticktext"] == ["a", "b"]
    assert plot(task, "default")["layout"]["scene"]["camera"]["eye"] == {"x": 1, "y": 1, "z": 1}
    with pytest.raises(UsageError, match="two-dimensional"):
        logger.report_surface("x", "s", [1, 2], 1)
    with pytest.raises(UsageError, match="three numbers"):
        logger.report_surface("x", "s", [[1]], 1, camera=(1, 2))


@pytest.mark.covers("LG-10", "LG-11")
def test_matrices(task: Task) -> None:
    logger = task.get_logger()
    logger.report_confusion_matrix(
        "new", "s", [[5, 1], [2, 7]], 1, "x", "y", xlabels=["1", "10"], ylabels=["c", "d"], comment="why"
    )
    logger.report_matrix("old", "s", numpy.eye(2), 1, yaxis_reversed=True)
    new = plot(task, "new")
    trace = new["data"][0]
    assert (trace["type"], trace["z"], trace["x"], trace["y"]) == (
        "heatmap",
        [[5, 1], [2, 7]],
        ["1", "10"],
        ["c", "d"],
    )
    assert new["layout"]["xaxis"]["type"] == "category", "names that look like numbers stay names"
    assert "type" not in plot(task, "old")["layout"]["xaxis"]
    assert "autorange" not in new["layout"]["yaxis"] and "why" in new["layout"]["title"]["text"]
    assert plot(task, "old")["layout"]["yaxis"]["autorange"] == "reversed"
    with pytest.raises(UsageError, match="xlabels has 1 entries for 2 columns"):
        logger.report_confusion_matrix("x", "s", [[1, 2]], 1, xlabels=["a"])


@pytest.mark.covers("LG-13", "LG-20")
def test_pictures(task: Task, sdk: RunningServer, tmp_path: Path) -> None:
    from PIL import Image

    logger = task.get_logger()
    ramp = numpy.tile(numpy.arange(64, dtype="uint8"), (64, 1))
    given: dict[str, Any] = {
        "grey": ramp,
        "one channel": ramp[:, :, None],
        "colour": numpy.dstack([ramp, ramp, ramp]),
        "alpha": numpy.dstack([ramp, ramp, ramp, ramp]),
        "floats": ramp / 255.0,
        "pil": Image.fromarray(ramp),
        "flags": ramp > 30,
    }
    for series, image in given.items():
        logger.report_image("t", series, 2, image=image)
    logger.report_image_and_upload("t", "old", 2, matrix=ramp)
    file = tmp_path / "picture.png"
    Image.fromarray(ramp).save(file)
    logger.report_image("t", "file", 2, local_path=str(file), delete_after_upload=True)
    logger.report_image("t", "elsewhere", 2, url="http://example.org/picture.png")
    other = again(task)
    assert not file.exists()
    assert other.get_debug_samples("t", "elsewhere")[0]["url"] == "http://example.org/picture.png"
    for series in [*given, "file", "old"]:
        (sample,) = other.get_debug_samples("t", series)
        assert sample["iter"] == 2
        raw = sdk.ask(sample["url"].removeprefix(sdk.url).lstrip("/"), verb="GET", body=b" ").data
        with Image.open(io.BytesIO(raw)) as image:
            assert image.size == (64, 64)
            pixel = image.convert("L").getpixel((50, 3))
            assert pixel == (255 if series == "flags" else 50), series
    for wrong in ({}, {"image": ramp, "url": "http://x"}):
        with pytest.raises(UsageError, match="exactly one"):
            logger.report_image("t", "s", 1, **wrong)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="an image is"):
        logger.report_image("t", "s", 1, image=numpy.zeros((5, 5, 7)))
    with pytest.raises(UsageError, match="there is no file"):
        logger.report_image("t", "s", 1, local_path=str(tmp_path / "missing.png"))


@pytest.mark.covers("LG-13", "LG-20")
def test_pictures_are_a_ring(task: Task) -> None:
    logger = task.get_logger()
    assert Logger.get_default_debug_sample_history() == 100
    Logger.set_default_debug_sample_history(3)
    assert Logger.get_default_debug_sample_history() == 3
    for step in range(10):
        logger.report_image("t", "ring", step, image=[[0, step]])
        logger.report_image("t", "own", step, image=[[0, step]], max_image_history=2)
    other = again(task)
    rings = {name: {s["url"] for s in other.get_debug_samples("t", name)} for name in ("ring", "own")}
    assert len(rings["ring"]) == 3 and len(rings["own"]) == 2, "older files are overwritten"
    with pytest.raises(UsageError, match="at least one"):
        Logger.set_default_debug_sample_history(0)


@pytest.mark.covers("LG-14")
def test_media(task: Task, sdk: RunningServer, tmp_path: Path) -> None:
    logger = task.get_logger()
    sound = tmp_path / "sound.wav"
    sound.write_bytes(b"RIFF....WAVE")
    logger.report_media("m", "sound", 1, local_path=str(sound))
    logger.report_media("m", "page", 1, stream=io.StringIO("<p>hello</p>"), file_extension="html")
    logger.report_media("m", "film", 1, stream=io.BytesIO(b"\x00film"), file_extension=".mp4")
    logger.report_media("m", "elsewhere", 1, url="http://example.org/film.mp4")
    sound.write_bytes(b"overwritten at once")
    other = again(task)
    expected = {"sound": b"RIFF....WAVE", "page": b"<p>hello</p>", "film": b"\x00film"}
    for series, content in expected.items():
        (sample,) = other.get_debug_samples("m", series)
        reply = sdk.ask(sample["url"].removeprefix(sdk.url).lstrip("/"), verb="GET", body=b" ")
        assert reply.data == content
    assert other.get_debug_samples("m", "film")[0]["url"].endswith(".mp4")
    with pytest.raises(UsageError, match="file_extension"):
        logger.report_media("m", "x", 1, stream=io.BytesIO(b""))
    with pytest.raises(UsageError, match="exactly one"):
        logger.report_media("m", "x", 1)


@pytest.mark.covers("LG-15")
def test_plotly(task: Task) -> None:
    graph_objects = pytest.importorskip("plotly.graph_objects")
    logger = task.get_logger()
    figure = graph_objects.Figure(graph_objects.Scatter(x=numpy.arange(3), y=[4.0, math.nan, 6.0]))
    logger.report_plotly("object", "s", figure, 1)
    logger.report_plotly("dict", "s", {"data": [{"x": numpy.arange(2), "y": (1, 2)}], "layout": {}}, 1)
    logger.report_plotly("text", "s", '{"data": [], "layout": {"title": "t"}}', 1)
    logger.report_plotly("dict", "s", {"data": [{"x": [9]}], "layout": {}}, 1)
    found = plot(task, "object")["data"][0]
    assert found["type"] == "scatter"
    assert plot(task, "dict")["data"] == [{"x": [9]}], "the same title, series and iteration is replaced"
    assert plot(task, "text")["layout"]["title"] == "t"
    for wrong in (5, {"layout": {}}, "no json"):
        with pytest.raises(UsageError, match="figure"):
            logger.report_plotly("x", "s", wrong, 1)


@pytest.mark.covers("LG-16", "LG-24")
def test_matplotlib(task: Task) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    logger = task.get_logger()
    lines, axes = pyplot.subplots()
    axes.plot([1, 2, 3], [4, 5, 6], label="line")
    picture, axes = pyplot.subplots()
    axes.imshow(numpy.eye(4))
    logger.report_matplotlib_figure("lines", "s", lines, 1)
    logger.report_matplotlib_figure("not convertible", "s", picture, 1)
    logger.report_matplotlib_figure("as asked", "s", lines, 1, report_interactive=False)
    logger.report_matplotlib_figure("sample", "s", lines, 1, report_image=True)
    Logger.matplotlib_force_report_non_interactive(True)
    logger.report_matplotlib_figure("forced", "s", lines, 1)
    Logger.matplotlib_force_report_non_interactive(False)
    pyplot.close("all")
    interactive = plot(task, "lines")["data"][0]
    assert (interactive["x"], interactive["y"]) == ([1, 2, 3], [4, 5, 6])
    for title in ("not convertible", "as asked", "forced"):
        source = plot(task, title)["layout"]["images"][0]["source"]
        assert source.endswith(".png")
    assert len(again(task).get_debug_samples("sample", "s")) == 1


@pytest.mark.covers("LG-17")
def test_where_media_go(task: Task, tmp_path: Path) -> None:
    logger = task.get_logger()
    assert logger.get_default_upload_destination().endswith("/files")
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(UsageError, match="cannot be used"):
        logger.set_default_upload_destination(str(blocked))
    logger.set_default_upload_destination(str(tmp_path / "media"))
    assert logger.get_default_upload_destination() == str(tmp_path / "media")
    logger.report_image("t", "s", 1, image=[[0]])
    url = again(task).get_debug_samples("t", "s")[0]["url"]
    assert url.startswith(str(tmp_path / "media")) and Path(url).read_bytes()[:4] == b"\x89PNG"


@pytest.mark.covers("LG-19")
def test_how_long_reports_wait(task: Task) -> None:
    logger = task.get_logger()
    logger.set_flush_period(2)
    assert logger.get_flush_period() == 2.0
    for wrong in (0, -1, "x", True):
        with pytest.raises(UsageError, match="period"):
            logger.set_flush_period(wrong)  # type: ignore[arg-type]


@pytest.mark.covers("LG-22", "LG-23")
def test_tensorboard_tags() -> None:
    assert chart_of("loss/train") == ("loss", "train")
    assert chart_of("a/b/c") == ("a/b", "c")
    assert chart_of("loss_train") == ("loss_train", "loss_train")
    Logger.tensorboard_auto_group_scalars(True)
    assert chart_of("loss_train") == ("loss", "loss_train") and chart_of("loss") == ("loss", "loss")
    assert chart_of("weight12") == ("weight", "weight12")
    Logger.tensorboard_single_series_per_graph(True)
    assert chart_of("loss/train") == ("loss/train", "train")
    assert chart_of("loss_train") == ("loss_train", "loss_train")
    Logger.tensorboard_single_series_per_graph(False)
    Logger.tensorboard_auto_group_scalars(False)
    assert chart_of("loss_train") == ("loss_train", "loss_train")


@pytest.mark.covers("TK-063", "LG-28")
def test_the_logger_of_the_process(begin: Begin) -> None:
    assert Logger.current_logger() is None
    task = begin()
    assert Logger.current_logger() is task.get_logger()
    task.close()
    assert Logger.current_logger() is None


@pytest.mark.covers("BAD")
def test_a_plot_that_no_page_can_draw(task: Task) -> None:
    with pytest.raises(UsageError, match="MiB as JSON"):
        task.get_logger().report_plotly("p", "s", {"data": [{"y": "x" * (13 << 20)}]}, 1)
