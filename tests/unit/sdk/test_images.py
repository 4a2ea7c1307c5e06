"""Whatever people call a picture becomes one, as it is meant; read back by a picture library."""

import io
from pathlib import Path
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from trialbook.errors import UsageError
from trialbook.sdk.reports import images

library = pytest.importorskip("PIL.Image")


def seen(array: Any) -> Any:
    """What a viewer shows."""
    return numpy.asarray(library.open(io.BytesIO(images.png(array))))


RAMP = numpy.linspace(0, 1, 12).reshape(3, 4)
BYTES = numpy.round(RAMP * 255).astype("uint8")


@pytest.mark.parametrize(
    "array",
    [
        RAMP,
        RAMP.astype("float16"),
        RAMP * 255,
        RAMP * 4095.0,
        (RAMP * 65535).astype("uint16"),
        (RAMP * 4095).astype("uint16"),
        (RAMP * 2.0**62).astype("int64"),
        RAMP * 5 - 2.5,
        -1 + 2 * RAMP,
        (RAMP * 254 - 127).round().astype("int8"),
        RAMP * 1e300,
        (RAMP - 0.5) * 2 * numpy.finfo("float64").max,
        RAMP * 1e300 + 0j,
    ],
    ids=str,
)
def test_T10_a_ramp_stays_a_ramp(array: Any) -> None:
    assert numpy.abs(seen(array).astype(int) - BYTES).max() <= 2


def test_T10_a_little_beyond_the_range_changes_nothing() -> None:
    beyond = RAMP.copy()
    beyond[-1, -1], beyond[0, 0] = 1.0001, -1e-7
    assert numpy.array_equal(seen(beyond), seen(RAMP))
    assert seen(numpy.array([[0.0, 0.5, 1.3]]))[0].tolist() == [0, 128, 255]


def test_T10_what_is_no_number_is_black_and_spoils_nothing() -> None:
    assert seen(numpy.array([[0.0, numpy.nan, 1.0, numpy.inf, -numpy.inf]]))[0].tolist() == [
        0,
        0,
        255,
        255,
        0,
    ]
    assert seen(numpy.full((2, 2), numpy.nan)).max() == 0
    assert seen(numpy.array([[-5.0, numpy.nan, 5.0]]))[0].tolist() == [0, 0, 255]


def test_T10_equal_values_are_one_brightness() -> None:
    for value in (0.5, 3.0, 700.0, -4.0):
        assert len(numpy.unique(seen(numpy.full((2, 2), value)))) == 1


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_T10_channels_may_stand_in_front(channels: int) -> None:
    behind = numpy.random.default_rng(1).integers(0, 256, (6, 5, channels)).astype("uint8")
    assert numpy.array_equal(seen(behind.transpose(2, 0, 1)), seen(behind))
    assert numpy.array_equal(seen(behind[None]), seen(behind))


def test_T10_several_pictures_are_a_grid() -> None:
    tiles = numpy.stack([numpy.full((3, 4, 5), shade, dtype="uint8") for shade in (10, 20, 30)])
    grid = seen(tiles)
    assert grid.shape == (8, 10, 3)
    assert (grid[:4, :5] == 10).all() and (grid[:4, 5:] == 20).all() and (grid[4:, :5] == 30).all()


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "LAB", "I", "F", "I;16"]
)
def test_T10_pil_images_of_every_mode(mode: str, tmp_path: Path) -> None:
    deep = {"I": "int32", "F": "float32", "I;16": "uint16"}
    if mode in deep:
        image = library.fromarray((RAMP * 4095).astype(deep[mode]))
        assert image.mode == mode
    elif mode == "LAB":
        image = library.new("LAB", (4, 3), (200, 128, 128))
    else:
        image = library.fromarray(BYTES).convert(mode)
    images.save(image, tmp_path / "picture.png")
    read = library.open(tmp_path / "picture.png")
    assert read.size == (4, 3)
    if mode in deep:
        assert numpy.abs(numpy.asarray(read).astype(int) - BYTES).max() <= 2


@given(
    arrays.arrays(
        dtype=st.one_of(
            arrays.boolean_dtypes(),
            arrays.integer_dtypes(),
            arrays.unsigned_integer_dtypes(),
            arrays.floating_dtypes(),
            arrays.complex_number_dtypes(),
        ),
        shape=arrays.array_shapes(min_dims=2, max_dims=2, max_side=5),
    )
)
def test_T10_no_array_of_numbers_stops_a_run(array: Any) -> None:
    assert seen(array).shape == array.shape


@pytest.mark.parametrize(
    "array", [numpy.zeros((5, 9, 7)), numpy.zeros(5), numpy.zeros((0, 3)), numpy.array([["a", "b"]]), None]
)
def test_T10_what_is_no_picture_is_named(array: Any) -> None:
    with pytest.raises(UsageError, match="an image is"):
        images.png(array)
