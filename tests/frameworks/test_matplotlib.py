"""matplotlib, and what draws with it."""

from pathlib import Path

import pytest

from tests.frameworks.conftest import Run
from tests.frameworks.looking import content, plots, samples
from tests.support.server import RunningServer

BEGIN = """
from trialbook import Task
task = Task.init("Frameworks", "figures", reuse_last_task_id=False, auto_connect_frameworks={wish})
print("TASK", task.id)
"""
DRAW = """
import io, warnings
warnings.simplefilter("ignore")
import numpy
from matplotlib import pyplot
from matplotlib.figure import Figure

pyplot.plot([1, 2], [3, 4], label="up")
pyplot.title("Lines"); pyplot.xlabel("step"); pyplot.legend()
pyplot.savefig("lines.png"); pyplot.savefig("lines.pdf"); lines = pyplot.gcf(); pyplot.show()
lines.axes[0].plot([1, 2], [4, 3])
lines.savefig("lines.png")
buffer = io.BytesIO()
pyplot.title("Never"); pyplot.savefig(buffer)
pyplot.close("all")

task.get_logger().report_scalar("loss", "train", 0.5, 7)
own = Figure()
own.subplots().plot([1, 2])
own.savefig("own.svg")
own = Figure()
own.subplots().plot([2, 1])
own.savefig("own.svg")

cloud = pyplot.figure()
cloud.add_subplot(projection="3d").scatter([1], [2], [3])
cloud.suptitle("Space")
pyplot.show(); cloud.savefig("cloud.png")
pyplot.close("all")

pyplot.imshow(numpy.zeros((8, 8, 3)), vmin=0); pyplot.title("Photo")
pyplot.savefig("photo.png")
pyplot.close("all")

import pandas
pandas.Series([1, 2], name="s").plot(title="Series")
pyplot.show()
pyplot.close("all")
import seaborn
frame = pandas.DataFrame({"x": [0, 1] * 2, "y": [1, 2, 3, 4], "k": list("aabb")})
seaborn.lineplot(frame, x="x", y="y", hue="k").set_title("Sea")
pyplot.show()
import plotly.graph_objects
from plotly import io as plotly_io
plotly_io.renderers.default = "json"
plotly.graph_objects.Figure().show()

reported, axes = pyplot.subplots()
axes.pie([1, 2])
task.get_logger().report_matplotlib_figure("By hand", "s", reported, 9, report_interactive=False)
pyplot.close("all")
print("DREW", Figure.savefig.__name__)
"""


def test_what_is_saved_and_shown(run: Run, server: RunningServer) -> None:
    program = run(
        BEGIN.format(wish=True)
        + DRAW
        + """
print("WATCHED", hasattr(pyplot.show, "__wrapped__"), hasattr(Figure.savefig, "__wrapped__"))
task.close()
print("LEFT", hasattr(pyplot.show, "__wrapped__"), hasattr(Figure.savefig, "__wrapped__"))
pyplot.plot([1, 2]); pyplot.title("After"); pyplot.savefig("after.png")
"""
    )
    task = program.wait_for("TASK")
    found = plots(server, task)
    lines, again = found.pop(("Lines", "figure"))[0], found.pop(("Lines (2)", "figure"))[0]
    assert (lines["data"][0]["x"], lines["data"][0]["y"], lines["data"][0]["name"]) == ([1, 2], [3, 4], "up")
    assert lines["layout"]["xaxis"]["title"]["text"] == "step" and lines["iter"] == 0
    assert len(again["data"]) == 2
    # Without a title they have numbers, and stand at the iteration that the program reported last.
    first, second = found.pop(("untitled 01", "figure"))[0], found.pop(("untitled 02", "figure"))[0]
    assert (first["data"][0]["y"], second["data"][0]["y"], second["iter"]) == ([1, 2], [2, 1], 7)
    assert found.pop(("Space", "figure"))[0]["layout"]["images"]
    assert found.pop(("Series", "figure"))[0]["data"][0]["y"] == [1, 2]
    sea = found.pop(("Sea", "figure"))[0]
    assert {trace["name"]: trace["y"] for trace in sea["data"]} == {"a": [1, 2], "b": [3, 4]}
    assert found.pop(("By hand", "s"))[0]["layout"]["images"]
    assert not found
    pictures = samples(server, task)
    assert list(pictures) == [("Photo", "figure")]
    assert content(server, pictures["Photo", "figure"][0])[:4] == b"\x89PNG"
    assert program.wait_for("WATCHED") == "True True" and program.wait_for("LEFT") == "False False"
    assert all(
        (program.home / name).stat().st_size for name in ("lines.png", "lines.pdf", "own.svg", "after.png")
    )


@pytest.mark.parametrize("wish", [False, {"matplotlib": False}])
def test_switched_off(run: Run, server: RunningServer, wish: object) -> None:
    program = run("from matplotlib import pyplot\n" + BEGIN.format(wish=wish) + DRAW)
    task = program.wait_for("TASK")
    assert list(plots(server, task)) == [("By hand", "s")] and samples(server, task) == {}
    assert program.wait_for("DREW") == "savefig"


def test_a_figure_that_cannot_be_read_is_the_programs_own_business(run: Run, server: RunningServer) -> None:
    """The library is there before the task; what goes wrong in a hook is told and stays there."""
    program = run(
        "from matplotlib import pyplot\n"
        + BEGIN.format(wish=True)
        + """
class Odd(str):
    def strip(self, *_):
        raise RuntimeError("odd title")
pyplot.plot([1, 2])
pyplot.gcf()._suptitle = type("Title", (), {"get_text": lambda self: 1 / 0})()
try:
    pyplot.show(block=False)
finally:
    pyplot.gcf()._suptitle = None
pyplot.title("Fine")
pyplot.savefig("fine.png")
print("DONE")
"""
    )
    assert program.said("DONE") and "capture.matplotlib" in program.text
    assert list(plots(server, program.wait_for("TASK"))) == [("Fine", "figure")]


def test_without_a_display(run: Run, server: RunningServer) -> None:
    """An agent runs what asks for windows."""
    first = run(BEGIN.format(wish=True) + "task.close()\n")
    task = first.wait_for("TASK")
    server.call("tasks.reset", {"task": task})
    program = run(
        BEGIN.format(wish=True)
        + """
import matplotlib
matplotlib.use("TkAgg")
from matplotlib import pyplot
matplotlib.use("QtAgg")
pyplot.plot([1, 2])
pyplot.title("Remote")
pyplot.show()
print("BACKEND", matplotlib.get_backend())
""",
        TRIALBOOK_TASK_ID=task,
        MPLBACKEND="TkAgg",
        DISPLAY="",
    )
    assert program.wait_for("BACKEND").lower() == "agg"
    assert program.wait_for("TASK") == task
    assert list(plots(server, task)) == [("Remote", "figure")]


CELLS = [
    "%matplotlib inline\nfrom matplotlib import pyplot\npyplot.plot([0, 0]);",
    "from trialbook import Task\n"
    "task = Task.init('Frameworks', 'notebook', auto_resource_monitoring=False, reuse_last_task_id=False)\n"
    "print('TASK', task.id)",
    "pyplot.plot([1, 2])\npyplot.title('Open at the end')",
    "pyplot.plot([2, 1])\npyplot.title('Shown')\npyplot.show()",
    "task.close()",
    "pyplot.plot([3, 3])\npyplot.title('After')",
]


def test_a_notebook_shows_each_figure_once(server: RunningServer, tmp_path: Path) -> None:
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    client = nbclient.NotebookClient(book, timeout=60, kernel_name="python3")
    client.execute(cwd=str(tmp_path), env=server.client_environment(tmp_path / "home"))
    texts = "".join(output.get("text", "") for cell in book.cells for output in cell.outputs)
    task = texts.split("TASK ")[1].split()[0]
    found = plots(server, task)
    assert {key: len(events) for key, events in found.items()} == {
        ("Open at the end", "figure"): 1,
        ("Shown", "figure"): 1,
    }
    images = [sum("image/png" in output.get("data", {}) for output in cell.outputs) for cell in book.cells]
    assert images == [1, 0, 1, 1, 0, 1]


def test_T31_a_figure_that_was_shown_without_a_display_is_over(run: Run, server: RunningServer) -> None:
    """The next one begins empty, and the shown ones are not kept in memory; who holds one may go on with it."""
    program = run(
        BEGIN.format(wish=True)
        + """
from matplotlib import pyplot
held = pyplot.figure()
for number in range(4):
    pyplot.plot([number, number + 1])
    pyplot.title(f"Epoch {number}")
    pyplot.show()
pyplot.figure(); pyplot.plot([8, 9]); pyplot.title("One of two")
pyplot.figure(); pyplot.plot([9, 8]); pyplot.title("Two of two")
pyplot.show()
print("OPEN", len(pyplot.get_fignums()))
held.savefig("held.png")
task.close()
pyplot.plot([1, 2]); pyplot.show()
print("AFTER", len(pyplot.get_fignums()))
"""
    )
    found = plots(server, program.wait_for("TASK"))
    assert {title: [trace["y"] for trace in each[0]["data"]] for (title, _), each in found.items()} == {
        **{f"Epoch {number}": [[number, number + 1]] for number in range(4)},
        "One of two": [[8, 9]],
        "Two of two": [[9, 8]],
    }
    assert program.wait_for("OPEN") == "0" and program.wait_for("AFTER") == "1"
    assert (program.home / "held.png").stat().st_size


SEABORN = """
import sys, warnings
warnings.simplefilter("ignore")
sys.path.insert(0, REPOSITORY)
import matplotlib
matplotlib.use("Agg")
matplotlib.rcParams["figure.dpi"] = 40
import numpy as np, pandas as pd, seaborn
from matplotlib import pyplot
from tests.unit.capture import comparing
from trialbook.capture.interactive.figure import interactive

count = 24
frame = pd.DataFrame({
    "x": np.arange(count) % 8.0,
    "y": np.sin(np.arange(count)) * (1 + np.arange(count) // 8 * 20),
    "z": np.cos(np.arange(count)),
    "k": np.repeat(["a", "b", "<s>"], 8),
    "c": ["u", "v"] * (count // 2),
})
dated = frame[["y", "z"]].set_index(pd.date_range("2024-01-30", periods=count, freq="D"))
drawn = {
    "relplot": lambda: seaborn.relplot(frame, x="x", y="y", col="k"),
    "relplot of lines": lambda: seaborn.relplot(frame, x="x", y="y", hue="k", style="k", kind="line", errorbar=None),
    "styles": lambda: seaborn.scatterplot(frame, x="x", y="y", hue="k", style="c"),
    "pairplot": lambda: seaborn.pairplot(frame[["x", "y"]]),
    "pairplot of kinds": lambda: seaborn.pairplot(frame[["x", "y", "k"]], hue="k"),
    "histogram": lambda: seaborn.histplot(frame, x="y", hue="k", kde=True),
    "bars": lambda: seaborn.barplot(frame, x="k", y="y", hue="c", errorbar=None),
    "boxes": lambda: seaborn.catplot(frame, x="k", y="y", col="c", kind="box"),
    "matrix": lambda: seaborn.heatmap(frame.pivot_table(index="k", columns="c", values="y"), annot=True),
    "regression": lambda: seaborn.lmplot(frame, x="x", y="y", hue="c", ci=None),
    "pandas months": lambda: frame["y"].set_axis(pd.period_range("2024-01", periods=count, freq="D")).plot(),
    "pandas bars": lambda: frame.groupby("k")[["y", "z"]].mean().plot.bar(),
    "pandas dates": lambda: dated.plot(secondary_y="z"),
    "pandas panels": lambda: frame[["y", "z"]].plot(subplots=True, sharex=True),
}
for name, draw in drawn.items():
    pyplot.close("all")
    draw()
    figure = pyplot.gcf()
    found = interactive(figure)
    assert found is not None, name
    figure.canvas.draw()
    for look in (comparing.axes, comparing.data, comparing.names):
        try:
            look(figure, found)
        except AssertionError as error:
            print("OTHER", name, look.__name__, repr(error))
            raise
print("EQUAL", len(drawn))
"""


def test_T11_figures_of_seaborn_and_pandas_say_what_the_originals_say(
    run: Run, server: RunningServer
) -> None:
    root = Path(__file__).resolve().parents[2]
    program = run(SEABORN.replace("REPOSITORY", repr(str(root))))
    assert program.wait_for("EQUAL") == "14"
