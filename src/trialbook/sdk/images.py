"""Pictures as files, without a picture library: an array becomes a PNG with zlib alone."""

import struct
import zlib
from typing import Any

from trialbook.errors import UsageError

_COLOUR = {1: 0, 2: 4, 3: 2, 4: 6}
"""PNG colour types by channels: grey, grey and alpha, RGB, RGBA (PNG specification, section 11.2.2)."""


def png(array: Any) -> bytes:
    """A PNG of an array.

    Args:
        array: height × width, or height × width × 1, 2, 3 or 4 channels; unsigned bytes, booleans, other integers in
            0 … 255, or floats in 0 … 1 (floats beyond 1 are taken as 0 … 255).

    Raises:
        UsageError: another shape.

    Example:
        >>> import numpy
        >>> png(numpy.zeros((2, 3), dtype="uint8"))[:4]
        b'\\x89PNG'
    """
    import numpy

    pixels = numpy.asarray(array)
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    if pixels.ndim != 3 or pixels.shape[2] not in _COLOUR or 0 in pixels.shape:
        raise UsageError(
            f"an image is height × width [× 1, 3 or 4 channels], got the shape {numpy.shape(array)}"
        )
    if pixels.dtype == bool:
        pixels = pixels.astype(numpy.uint8) * 255
    elif pixels.dtype.kind == "f":
        finite = numpy.nan_to_num(pixels, nan=0.0, posinf=1.0, neginf=0.0)
        scale = 255.0 if finite.max() <= 1.0 else 1.0
        pixels = numpy.clip(finite * scale + 0.5, 0, 255)
    height, width, channels = pixels.shape
    rows = numpy.zeros((height, 1 + width * channels), dtype=numpy.uint8)
    rows[:, 1:] = numpy.clip(pixels, 0, 255).astype(numpy.uint8).reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOUR[channels], 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(rows.tobytes(), 6))
        + _chunk(b"IEND", b"")
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
