"""Which chart, line and iteration an event of TensorBoard becomes, and how histograms are thinned."""

from collections.abc import Iterator

import numpy
import pytest

from trialbook.capture import tags
from trialbook.capture.frameworks.tensorboard_histograms import ROWS, Histograms
from trialbook.capture.frameworks.tensorboard_lines import Axis, Line, Lines


@pytest.fixture(autouse=True)
def switches() -> Iterator[None]:
    """Leave the switches as they were."""
    yield
    tags.single(False)
    tags.group(False)


def chart(lines: Lines, folder: str, tag: str) -> tuple[str, str]:
    line = lines.line(folder, tag)
    return line.title, line.series


def test_one_directory() -> None:
    lines = Lines()
    assert chart(lines, "runs/a", "loss/train") == ("loss", "train")
    assert chart(lines, "runs/a", "loss") == ("loss", "loss")
    assert lines.line("runs/a", "loss") is lines.line("runs/a", "loss")


def test_parts_of_the_data() -> None:
    lines = Lines()
    assert chart(lines, "runs/a/Train", "loss") == ("loss", "Train")
    assert chart(lines, "runs/a/validation", "loss") == ("loss", "validation")
    assert chart(lines, "runs/b/Train", "loss") == ("loss", "b/Train")


def test_the_same_tag_in_other_directories() -> None:
    lines = Lines()
    assert chart(lines, "runs/1", "loss/x") == ("loss", "x")
    assert chart(lines, "runs/2", "loss/x") == ("loss", "2: x")
    assert chart(lines, "runs/2/deep", "loss/x") == ("loss", "2/deep: x")
    assert chart(lines, "runs", "loss/x") == ("loss", "runs: x")
    assert chart(lines, "runs/2", "other") == ("other", "other")
    tags.single(True)
    assert chart(lines, "runs/2", "single/x") == ("single/x", "x")
    assert chart(lines, "runs/1", "single/x") == ("single/x (1)", "1: x")


def test_lines_of_add_scalars() -> None:
    lines = Lines()
    assert chart(lines, "runs/a/both_rate_sin", "both/rate") == ("both/rate", "sin")
    assert chart(lines, "runs/a/both/rate/cos", "both/rate") == ("both/rate", "cos")


def test_the_lines_of_a_chart_begin_again_together() -> None:
    axis = Axis()
    often, seldom, epochs = Line("t", "often", axis), Line("t", "seldom", axis), Line("t", "epochs", axis)
    for step in range(0, 1000, 10):
        often.place(step)
    assert [seldom.place(step) for step in (0, 500, 900)] == [0, 500, 900]
    assert [epochs.place(step) for step in (0, 1, 2)] == [0, 1, 2]
    assert often.place(0) == 991
    assert seldom.place(0) == 991
    assert epochs.place(0) == 3
    assert Line("t", "late", axis).place(4) == 995


def test_a_small_step_back_is_none() -> None:
    line = Line("t", "s", Axis())
    assert [line.place(step) for step in (900, 1000, 950, -1, 1001)] == [900, 1000, 950, -1, 1001]


def test_few_rows_of_many_histograms() -> None:
    histograms = Histograms(clock=lambda: 0.0)
    edges = numpy.linspace(-1, 1, 11)
    drawn = [step for step in range(1000) if histograms.add(step, edges + step / 1000, numpy.ones(10))]
    assert drawn == [0, 1, 3, 7, 15, 31, 63, 127, 255, 511]
    (surface,) = histograms.draw()["data"]
    assert ROWS // 2 <= len(surface["y"]) <= ROWS + 1
    assert surface["y"][0] == 0 and surface["y"][-1] == 999
    assert [sum(row) for row in surface["z"]] == pytest.approx([10] * len(surface["y"]), abs=0.05)
    assert not histograms.waiting


def test_a_minute_without_a_surface() -> None:
    now = [0.0]
    histograms = Histograms(clock=lambda: now[0])
    edges = numpy.array([0.0, 0.0])
    assert [histograms.add(step, edges, numpy.ones(1)) for step in range(3)] == [True, True, False]
    now[0] = 61.0
    assert histograms.add(3, edges, numpy.ones(1)) and histograms.add(4, edges, numpy.ones(1))
    histograms.draw()
    assert not histograms.add(5, edges, numpy.ones(1))
