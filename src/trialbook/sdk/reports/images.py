"""Pictures as files, without a picture library: an array becomes a PNG with zlib alone.

How values become brightness (``levels``), whatever made the array:

| values | black | white |
|---|---|---|
| booleans | false | true |
| whole numbers within 0 … 255 | 0 | 255 |
| other whole numbers (16 bits, masks, differences) | the lowest, or 0 when none is below it | the highest |
| fractions within -0.1 … 2 | 0 | 1; what lies beyond is cut |
| other fractions within -0.1 … 255.5 | 0 | 255 |
| other fractions (standardised, differences, logits) | the lowest | the highest |

What is not a number is black; an infinity is the end of the scale on its side.
"""

import math
import struct
import zlib
from typing import Any

from trialbook.errors import UsageError

_COLOUR = {1: 0, 2: 4, 3: 2, 4: 6}
"""PNG colour types by channels: grey, grey and alpha, RGB, RGBA (PNG specification, section 11.2.2)."""

_OVERSHOOT, _UNIT, _BYTE = -0.1, 2.0, 255.5
"""Filters and decoders go a little beyond their range; a picture of 0 … 255 that ends at 2 would be black anyway."""

_PLAIN_MODES = frozenset({"1", "L", "LA", "P", "RGB", "RGBA"})
"""Of the PIL images, those that PNG holds and a browser shows as they are meant."""


def png(array: Any) -> bytes:
    """A PNG of an array.

    Args:
        array: height × width, height × width × channels or channels × height × width, with 1 (grey), 2 (grey and
            alpha), 3 (RGB) or 4 (RGBA) channels; several such in one more axis in front become a grid. An array of
            NumPy, a tensor of PyTorch, TensorFlow or JAX, nested lists. How values become brightness stands at the
            head of this module.

    Raises:
        UsageError: another shape, no pixels, or values that are not numbers.

    Example:
        >>> import numpy
        >>> png(numpy.zeros((2, 3), dtype="uint8"))[:4]
        b'\\x89PNG'
    """
    import numpy

    pixels = levels(_arranged(_plain(array)))
    height, width, channels = pixels.shape
    rows = numpy.zeros((height, 1 + width * channels), dtype=numpy.uint8)
    rows[:, 1:] = pixels.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOUR[channels], 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(rows.tobytes(), 6))
        + _chunk(b"IEND", b"")
    )


def levels(pixels: Any) -> Any:
    """Values as brightness, by the table at the head of this module.

    Args:
        pixels: an array of any shape with at least one value.

    Returns:
        Unsigned bytes of the same shape.
    """
    import numpy

    if pixels.dtype == numpy.uint8:
        return pixels
    if pixels.dtype == bool:
        return pixels.astype(numpy.uint8) * 255
    values = pixels.astype(numpy.float64)
    finite = values[numpy.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if pixels.dtype.kind in "iu":
        black, white = (0.0, 255.0) if low >= 0 and high <= 255 else (min(low, 0.0), high)
    elif low >= _OVERSHOOT and high <= _BYTE:
        black, white = 0.0, 1.0 if high <= _UNIT else 255.0
    else:
        black, white = low, high
    # Halves first: the difference of the largest numbers of a type is beyond it.
    span = white / 2 - black / 2
    shares = (values / 2 - black / 2) / (span if span > 0 else 1.0)
    shares = numpy.nan_to_num(shares, nan=0.0, posinf=1.0, neginf=0.0)
    return (numpy.clip(shares, 0, 1) * 255 + 0.5).astype(numpy.uint8)


def save(image: Any, target: Any) -> None:
    """Write a PIL image as a PNG that browsers show as it is meant.

    Args:
        image: of any mode; those with more than 8 bits become brightness by the table of this module.
        target: path of the file.
    """
    import numpy

    if image.mode in _PLAIN_MODES:
        image.save(target, format="PNG")
    elif image.mode == "F" or image.mode.startswith("I"):
        target.write_bytes(png(numpy.asarray(image)))
    else:
        # CMYK, YCbCr, HSV, LAB and others that PNG does not know.
        has_alpha = image.mode in ("La", "RGBa", "PA")
        image.convert("RGBA" if has_alpha else "RGB").save(target, format="PNG")


def _plain(array: Any) -> Any:
    """An array of NumPy with numbers in it."""
    import numpy

    if hasattr(array, "detach"):
        # PyTorch: NumPy takes neither gradients, other devices, nor some of its types (bfloat16, 8-bit floats).
        array = array.detach().cpu()
        if array.is_floating_point():
            array = array.float()
    found = numpy.asarray(array)
    if found.dtype.kind == "c":
        found = numpy.abs(found)
    if found.dtype.kind not in "biuf":
        # Types that NumPy knows only by name (bfloat16 of JAX and TensorFlow), Python's own numbers.
        try:
            found = found.astype(numpy.float32)
        except (TypeError, ValueError) as error:
            raise UsageError(f"an image is made of numbers, got {found.dtype}") from error
    return found


def _arranged(found: Any) -> Any:
    """Height × width × channels."""
    shape = found.shape
    while found.ndim > 3 and found.shape[0] == 1:
        found = found[0]
    if found.ndim == 4 and found.size:
        return _grid([_arranged(one) for one in found])
    if found.ndim == 2:
        found = found[:, :, None]
    if found.ndim == 3 and found.shape[2] not in _COLOUR and found.shape[0] in _COLOUR:
        found = found.transpose(1, 2, 0)
    if found.ndim != 3 or found.shape[2] not in _COLOUR or 0 in found.shape:
        raise UsageError(
            f"an image is height × width, with 1, 2, 3 or 4 channels in front or behind, got the shape {shape}"
        )
    return found


def _grid(tiles: list[Any]) -> Any:
    """Tiles of one shape beside and below each other, about as wide as high; what is left over is black."""
    import numpy

    height, width, channels = tiles[0].shape
    columns = math.ceil(math.sqrt(len(tiles)))
    rows = math.ceil(len(tiles) / columns)
    grid = numpy.zeros((rows * height, columns * width, channels), dtype=tiles[0].dtype)
    for number, tile in enumerate(tiles):
        top, left = number // columns * height, number % columns * width
        grid[top : top + height, left : left + width] = tile
    return grid


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
