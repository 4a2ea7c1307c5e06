"""TensorBoard: PyTorch's writer and tensorboardX."""

import json
import subprocess

import pytest

from tests.frameworks.conftest import Run
from tests.frameworks.looking import content, plots, samples
from tests.integration.program import document, points
from tests.support.server import RunningServer

BEGIN = """
from trialbook import Task
task = Task.init(
    "Frameworks",
    "tensorboard",
    reuse_last_task_id=False,
    auto_resource_monitoring=False,
    auto_connect_frameworks={wish},
)
print("TASK", task.id)
def writer(folder):
    from {library} import SummaryWriter
    return SummaryWriter(folder)
"""
READ = """
def written(folder):
    # The event files themselves, as TensorBoard reads them.
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    read = EventAccumulator(folder)
    read.Reload()
    return {tag: [(e.step, round(e.value, 6)) for e in read.Scalars(tag)] for tag in read.Tags()["scalars"]}
"""
SCALARS = """
import json
w = writer("runs/a")
for step in range(5):
    w.add_scalar("loss/train", 1.0 / (1 + step), step)
    w.add_scalar("plain", step, step)
    w.add_scalar("a/b/c", 2.0, 10 * step)
w.add_scalar("nan", float("nan"), 1)
w.add_scalars("both/rate", {"sin": 0.5, "cos": 0.25}, 3)
for split, value in (("train", 1.0), ("val", 2.0)):
    other = writer(f"runs/a/{split}")
    other.add_scalar("epoch_loss", value, 0)
    other.add_scalar("loss/total", value, 0)
    other.close()
for rate in ("0.1", "0.2"):
    other = writer(f"runs/lr{rate}")
    other.add_scalar("score", float(rate), 0)
    other.close()
"""


@pytest.mark.parametrize("library", ["torch.utils.tensorboard", "tensorboardX"])
def test_scalars(run: Run, server: RunningServer, library: str) -> None:
    program = run(
        BEGIN.format(wish=True, library=library)
        + READ
        + SCALARS
        + """
w.add_text("notes", "hello", 1)
w.add_hparams({"lr": 0.1, "batch": 32, "net": "small", "deep": True}, {"hparam/accuracy": 0.9})
w.close()
import importlib
home = "tensorboard.summary.writer" if "torch" in type(w).__module__ else "tensorboardX"
module = importlib.import_module(home + ".event_file_writer")
print("WATCHED", hasattr(module.EventFileWriter.add_event, "__wrapped__"))
print("WRITTEN", json.dumps(written("runs/a")))
task.close()
print("LEFT", hasattr(module.EventFileWriter.add_event, "__wrapped__"))
after = writer("runs/after")
after.add_scalar("after/close", 1.0, 1)
after.close()
"""
    )
    task = program.wait_for("TASK")
    found = points(server, task)
    steps = list(range(5))
    assert found["loss/train"] == {"iter": steps, "value": pytest.approx([1, 1 / 2, 1 / 3, 1 / 4, 1 / 5])}
    assert found["plain/plain"]["value"] == [0, 1, 2, 3, 4]
    assert found["a/b/c"]["iter"] == [0, 10, 20, 30, 40]
    assert len(found["nan/nan"]["iter"]) == 1
    assert (found["both/rate/sin"]["value"], found["both/rate/cos"]["value"]) == ([0.5], [0.25])
    # Writers for parts of the data are lines of one chart, other directories get theirs when a tag meets another.
    assert (found["epoch_loss/train"]["value"], found["epoch_loss/val"]["value"]) == ([1.0], [2.0])
    assert (found["loss/train: total"]["value"], found["loss/val: total"]["value"]) == ([1.0], [2.0])
    assert found["score/score"]["value"] == pytest.approx([0.1])
    assert found["score/lr0.2"]["value"] == pytest.approx([0.2])
    assert found["hparam/accuracy"]["value"] == pytest.approx([0.9])
    assert "after/close" not in found
    assert content(server, samples(server, task)["notes", "notes"][0]) == b"hello"
    values = document(server, task)["hyperparams"]["TensorBoard"]
    assert {name: entry["value"] for name, entry in values.items()} == {
        "lr": "0.1",
        "batch": "32",
        "net": "small",
        "deep": "1" if library.startswith("torch") else "True",
    }
    assert (program.wait_for("WATCHED"), program.wait_for("LEFT")) == ("True", "False")
    written = json.loads(program.wait_for("WRITTEN"))
    assert written["loss/train"] == [[step, round(1 / (1 + step), 6)] for step in steps]


def test_pictures_sound_text_and_distributions(run: Run, server: RunningServer) -> None:
    program = run(
        BEGIN.format(wish=True, library="torch.utils.tensorboard")
        + """
import numpy
w = writer("runs/a")
w.add_image("images/noise", numpy.full((3, 8, 6), 0.5), 2)
w.add_audio("sound", numpy.sin(numpy.arange(800.0))[None], 1, sample_rate=8000)
w.add_text("notes/first", "# Hello", 4)
generator = numpy.random.default_rng(1)
for step in range(100):
    w.add_histogram("weights/layer", generator.normal(step / 50, 1, 200), step)
w.add_pr_curve("curve", numpy.array([0, 1, 1, 0]), numpy.array([0.1, 0.9, 0.6, 0.7]), 5)
w.add_mesh("mesh", numpy.zeros((1, 3, 3)), global_step=1)
from matplotlib import pyplot
figure, axes = pyplot.subplots()
axes.plot([1, 2], [3, 4])
w.add_figure("figures/line", figure, 7)
w.close()
left_open = writer("runs/b")
for step in range(3):
    left_open.add_histogram("open", numpy.arange(5.0), step)
"""
    )
    task = program.wait_for("TASK")
    found = samples(server, task)
    kinds = {key: (events[0]["iter"], content(server, events[0])[:4]) for key, events in found.items()}
    assert kinds == {
        ("images", "noise"): (2, b"\x89PNG"),
        ("sound", "sound"): (1, b"RIFF"),
        ("notes", "first"): (4, b"# He"),
        ("figures", "line"): (7, b"\x89PNG"),
    }
    assert found["notes", "first"][0]["url"].endswith(".txt")
    figures = plots(server, task)
    (surface,) = figures.pop(("weights", "layer"))
    (curve,) = figures.pop(("curve", "curve"))
    assert figures.pop(("open", "open"))[0]["data"][0]["y"] == [0, 1, 2]
    assert not figures
    (drawn,) = surface["data"]
    assert drawn["type"] == "surface" and drawn["y"][-1] == 99 and len(drawn["y"]) <= 60
    assert [sum(row) for row in drawn["z"]] == pytest.approx([200] * len(drawn["y"]), abs=0.1)
    assert curve["iter"] == 5 and curve["data"][0]["x"][0] == 1.0


def test_newer_forms(run: Run, server: RunningServer) -> None:
    """Tensors with a plugin's name, as TensorFlow 2 writes them; given to the writer as they are."""
    program = run(
        BEGIN.format(wish=True, library="torch.utils.tensorboard")
        + """
import numpy
w = writer("runs/a")
w.add_scalar("new/double", 1.5, 1, new_style=True, double_precision=True)
w.add_scalar("new/float", numpy.float32(0.1), 1, new_style=True)
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from trialbook.sdk.reports.images import png
from tensorboard.util import tensor_util
events = w._get_file_writer().event_writer
def put(tag, plugin, tensor, step):
    value = Summary.Value(tag=tag, tensor=tensor_util.make_tensor_proto(tensor))
    value.metadata.plugin_data.plugin_name = plugin
    events.add_event(Event(step=step, summary=Summary(value=[value])))
grey = png(numpy.zeros((4, 4), "uint8"))
put("batch", "images", [b"4", b"4", grey, grey], 1)
put("plain", "scalars", numpy.array(7, "int64"), 1)
put("plain", "", numpy.array(8, "int64"), 2)
put("half", "scalars", numpy.array(0.5, "float16"), 2)
put("bins", "histograms", numpy.array([[0.0, 1.0, 3.0], [1.0, 2.0, 5.0]]), 2)
put("words", "text", [b"one", b"two"], 3)
put("unknown", "something", numpy.array([1.0]), 3)
put("broken", "histograms", numpy.array([1.0]), 3)
put("after", "scalars", numpy.array(1.0), 3)
w.close()
print("DONE")
"""
    )
    task = program.wait_for("TASK")
    found = points(server, task)
    assert found["new/double"]["value"] == [1.5] and found["new/float"]["value"] == pytest.approx([0.1])
    assert found["plain/plain"] == {"iter": [1, 2], "value": [7, 8]} and found["half/half"]["value"] == [0.5]
    assert found["after/after"]["value"] == [1.0] and "unknown/unknown" not in found
    assert set(samples(server, task)) == {("batch", "batch_0"), ("batch", "batch_1"), ("words", "words")}
    assert sum(plots(server, task)["bins", "bins"][0]["data"][0]["z"][0]) == pytest.approx(8)
    # The broken one is told once, and the program goes on.
    assert program.said("DONE") and "capture.tensorboard failed" in program.text


def test_a_second_fit_goes_on(run: Run, server: RunningServer) -> None:
    """Also with the writer imported before the task, and with the two switches of the logger."""
    program = run(
        "import torch.utils.tensorboard\n"
        + BEGIN.format(wish=True, library="torch.utils.tensorboard")
        + """
from trialbook import Logger
for fit in range(2):
    w = writer("runs/fit")
    for step in range(0, 100, 10):
        w.add_scalar("loss/train", fit, step)
        if step % 50 == 0:
            w.add_scalar("loss/val", fit, step)
    w.add_scalar("epoch", fit, 0)
    w.add_scalar("epoch", fit, 1)
    w.close()
Logger.tensorboard_auto_group_scalars(True)
w.add_scalar("rate_a", 1, 0)
Logger.tensorboard_auto_group_scalars(False)
Logger.tensorboard_single_series_per_graph(True)
w = writer("runs/single")
w.add_scalar("rate/b", 1, 0)
w.close()
"""
    )
    found = points(server, program.wait_for("TASK"))
    tens = list(range(0, 100, 10))
    assert found["loss/train"]["iter"] == tens + [91 + step for step in tens]
    assert found["loss/val"]["iter"] == [0, 50, 91, 141]
    assert found["epoch/epoch"]["iter"] == [0, 1, 2, 3]
    assert found["rate/rate_a"]["value"] == [1] and found["rate/b/b"]["value"] == [1]


def test_switched_off(run: Run, server: RunningServer) -> None:
    program = run(
        BEGIN.format(wish={"tensorboard": False}, library="tensorboardX")
        + READ
        + SCALARS
        + 'w.close()\nprint("WRITTEN", json.dumps(written("runs/a")))\n'
    )
    assert points(server, program.wait_for("TASK")) == {}
    assert len(json.loads(program.wait_for("WRITTEN"))["plain"]) == 5


def test_tensorflow(run: Run, server: RunningServer, frameworks_python: str) -> None:
    """Where TensorFlow is installed; it is too large to be so everywhere."""
    if subprocess.run([frameworks_python, "-c", "import tensorflow"], capture_output=True).returncode:
        pytest.skip("no tensorflow: pip install tensorflow-cpu tensorboard into .venv-frameworks")
    program = run(
        BEGIN.format(wish=True, library="torch.utils.tensorboard")
        + """
import numpy
import tensorflow as tf
for split in ("train", "val"):
    w = tf.summary.create_file_writer(f"runs/{split}")
    with w.as_default():
        for step in range(4):
            tf.summary.scalar("loss", step / 2, step=step)
            tf.summary.histogram("weights", numpy.ones(10), step=step)
        tf.summary.image("pictures", numpy.zeros((2, 4, 4, 3), "float32"), step=1)
        tf.summary.text("words", "hello", step=1)
        tf.summary.audio("sound", numpy.zeros((1, 100, 1), "float32"), 8000, step=1)
    w.close()
with tf.Graph().as_default():
    w = tf.compat.v1.summary.FileWriter("runs/old")
    value = tf.compat.v1.Summary.Value(tag="old/loss", simple_value=2.0)
    w.add_summary(tf.compat.v1.Summary(value=[value]), 3)
    w.close()
from tensorflow.python.ops import gen_summary_ops
task.close()
print("LEFT", hasattr(gen_summary_ops.write_summary, "__wrapped__"))
""",
        TF_CPP_MIN_LOG_LEVEL="3",
    )
    task = program.wait_for("TASK")
    found = points(server, task)
    assert found["loss/train"] == found["loss/val"] == {"iter": [0, 1, 2, 3], "value": [0, 0.5, 1, 1.5]}
    assert found["old/loss"] == {"iter": [3], "value": [2.0]}
    assert set(plots(server, task)) == {("weights", "train"), ("weights", "val")}
    names = {f"{title}/{series}" for title, series in samples(server, task)}
    assert {"pictures/train_0", "pictures/val_1", "words/val", "sound/train"} <= names
    assert program.wait_for("LEFT") == "False" and "failed" not in program.text
