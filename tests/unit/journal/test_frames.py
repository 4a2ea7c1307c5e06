"""The bytes of frames, as docs/design/journal.md writes them."""

import math
import struct
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialbook.base.unicode import storable
from trialbook.journal import frames, rows
from trialbook.journal.frames import Kind

TEXTS = st.text(max_size=200)
NUMBERS = st.floats(allow_nan=True, allow_infinity=True)


def test_point_is_36_bytes_in_the_documented_layout() -> None:
    frame = frames.encode_point(7, -3, 12.5, 0.25)
    assert len(frame) == 36
    assert struct.unpack("<IIqddI", frame) == (1 << 24 | 28, 7, -3, 12.5, 0.25, crc32(frame[:-4]))


@given(
    st.lists(
        st.tuples(st.integers(0, 2**32 - 1), st.integers(-(2**63), 2**63 - 1), NUMBERS, NUMBERS), max_size=20
    )
)
def test_points_come_back_exactly(points: list[tuple[int, int, float, float]]) -> None:
    stream = b"".join(frames.encode_point(*point) for point in points)
    read = [frames.decode_point(frame.payload) for frame in frames.frames(stream + b"\0" * 50)]
    assert len(read) == len(points)
    for got, given_point in zip(read, points, strict=True):
        assert got[:2] == given_point[:2]
        for one, other in zip(got[2:], given_point[2:], strict=True):
            assert one == other or (math.isnan(one) and math.isnan(other))


@given(
    st.integers(-(2**63), 2**63 - 1),
    NUMBERS,
    st.lists(st.tuples(st.integers(0, 2**32 - 1), NUMBERS), min_size=1, max_size=20),
)
def test_a_row_is_its_points_under_one_checksum(
    iteration: int, time: float, points: list[tuple[int, float]]
) -> None:
    row = rows.Row([number for number, _ in points])
    frame = row.frame(iteration, time, [value for _, value in points])
    assert len(frame) == row.bytes == 24 + 12 * len(points)
    (read,) = frames.frames(frame)
    assert read.kind == Kind.ROW
    for got, (number, value) in zip(rows.decode(read.payload), points, strict=True):
        assert got[:2] == (number, iteration)
        assert struct.pack("<dd", *got[2:]) == struct.pack("<dd", time, value)


@given(st.integers(0, 2**32 - 1), TEXTS, TEXTS)
def test_series_and_text_come_back(number: int, metric: str, variant: str) -> None:
    (frame,) = frames.frames(frames.encode_series(number, metric, variant))
    assert frames.decode_series(frame.payload) == (number, storable(metric), storable(variant))
    (frame,) = frames.frames(frames.encode_text(1.5, 20, 1, metric + variant))
    assert frames.decode_text(frame.payload) == (1.5, 20, 1, metric + variant)


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=8), st.data())
def test_a_torn_or_damaged_frame_ends_the_stream(payloads: list[bytes], data: st.DataObject) -> None:
    encoded = [frames.encode(Kind.EVENT, payload) for payload in payloads]
    stream = b"".join(encoded)
    cut = data.draw(st.integers(0, len(stream)))
    whole = 0
    for frame in encoded:
        if whole + len(frame) > cut:
            break
        whole += len(frame)
    assert frames.valid_end(stream[:cut]) == whole
    at = data.draw(st.integers(0, len(stream) - 1))
    damaged = bytearray(stream)
    damaged[at] ^= 0x5A
    start = 0
    for frame in encoded:
        if start + len(frame) > at:
            break
        start += len(frame)
    assert frames.valid_end(bytes(damaged)) == start


def test_a_frame_has_a_bound() -> None:
    with pytest.raises(ValueError, match="16 MiB"):
        frames.encode(Kind.EVENT, b"x" * (1 << 24))
