"""Pictures, figures and names, checked by the libraries whose formats they are."""

import io
import math

import numpy
import pytest

from trialbook.errors import UsageError
from trialbook.sdk.names import join, safe, task_folder
from trialbook.sdk.reports import figures, images
from trialbook.sdk.values import hocon


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1), (4, 5, 3), (4, 5, 4)])
@pytest.mark.parametrize("kind", ["uint8", "float64", "bool"])
def test_png_is_read_by_a_picture_library(shape: tuple[int, ...], kind: str) -> None:
    image_library = pytest.importorskip("PIL.Image")
    source = numpy.random.default_rng(1).integers(0, 256, shape).astype("uint8")
    array = {"uint8": source, "float64": source / 255.0, "bool": source > 127}[kind]
    expected = (source > 127).astype("uint8") * 255 if kind == "bool" else source
    read = numpy.asarray(image_library.open(io.BytesIO(images.png(array))))
    assert numpy.array_equal(read, expected.reshape(read.shape))


def test_an_array_that_is_no_image() -> None:
    with pytest.raises(UsageError, match="height × width"):
        images.png(numpy.zeros((5, 6, 7)))


def test_figures_are_valid_for_plotly() -> None:
    plotly = pytest.importorskip("plotly.graph_objects")
    made = [
        figures.figure([figures.heatmap([[1, 2], [3, 4]], ["a", "b"], ["c", "d"])], "t", {}, None),
        figures.figure(
            figures.histogram([[1, 2], [3, 4]], ["a", "b"], None, "s", None), "t", {"barmode": "stack"}, None
        ),
        figures.figure(
            [figures.scatter2d([[1, 2]], "markers", "s", ["l"])], "t", {"xaxis": figures.axis("x")}, None
        ),
        figures.figure([figures.scatter3d([[1, 2, 3]], "markers", "s", None, True)], "t", {}, None),
        figures.figure(
            [figures.surface([[1, 2], [3, 4]])], "t", {"scene": {"camera": {"eye": {"x": 1}}}}, None
        ),
        figures.figure([figures.frame([["a", "b"], [1, math.nan]])], "t", {}, None),
    ]
    for figure in made:
        plotly.Figure(figure)


def test_tables_show_what_is_no_number() -> None:
    trace = figures.frame([["a"], [math.nan], [math.inf], [1]])
    assert trace["cells"]["values"] == [["NaN", "Infinity", 1]]


def test_labels_must_fit() -> None:
    with pytest.raises(UsageError, match="xlabels has 3 entries for 2 columns"):
        figures.heatmap([[1, 2]], ["a", "b", "c"], None)


@pytest.mark.parametrize(
    "value", [{"a": 1, "b": {"c d": [1, "x"], "e.f": None}}, {"$": 'ü\n"', "t": True}, {}]
)
def test_hocon_comes_back(value: dict[str, object]) -> None:
    assert hocon.load(hocon.dump(value)) == value


def test_names() -> None:
    assert safe("a/b:c") == "a.slash.b0x3ac"
    assert len(safe("x" * 1000).encode()) <= 250
    assert safe("x" * 1000) != safe("x" * 999 + "y")
    assert safe("..") != ".."
    folder = task_folder("A/B", "n" * 300, "f" * 32)
    assert folder.startswith("A/B/") and len(folder.rsplit("/", 1)[1]) == 128
    assert join("http://h/files", "A b/ü") == "http://h/files/A%20b/%C3%BC"
    assert join("/data", "A b") == "/data/A b"
