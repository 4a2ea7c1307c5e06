"""Frames into columns: every value, every checksum, every cut."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import frames

from trialbook.errors import BadRequest
from trialbook.server.series.decode import Call, Text, spans, split

PIECE = st.one_of(
    st.lists(
        st.tuples(
            st.integers(0, 2**32 - 1),
            st.integers(-(2**63), 2**63 - 1),
            st.floats(width=64),
            st.floats(width=64),
        ),
        min_size=1,
        max_size=100,
    ),
    st.lists(
        st.tuples(
            st.integers(-(2**63), 2**63 - 1),
            st.floats(width=64),
            st.dictionaries(st.integers(0, 2**32 - 1), st.floats(width=64), min_size=1, max_size=5),
        ),
        min_size=1,
        max_size=20,
    ).map(tuple),
    st.text(max_size=20),
)


@given(st.lists(PIECE, max_size=8))
def test_every_point_and_text_comes_out(pieces: list[object]) -> None:
    raw, rows, texts = b"", [], []
    for piece in pieces:
        if isinstance(piece, str):
            raw += frames.text(piece)
            texts.append(Text(1.7e9, 20, 0, piece))
        elif isinstance(piece, tuple):
            for iteration, time, values in piece:
                raw += frames.row(iteration, time, values)
                rows += [struct.pack("<Iqdd", number, iteration, time, v) for number, v in values.items()]
        else:
            assert isinstance(piece, list)
            for row in piece:
                raw += frames.point(*row)
                rows.append(struct.pack("<Iqdd", *row))
    found = list(spans(memoryview(raw)))
    assert len(found) == (1 if pieces else 0)
    if pieces:
        assert found[0].texts == texts
        assert found[0].count == len(rows)
        if rows:
            run = found[0].run()
            columns = zip(run.local, run.iteration, run.seconds, run.value, strict=True)
            assert [struct.pack("<Iqdd", *row) for row in columns] == rows


def test_a_call_ends_a_span() -> None:
    raw = frames.point(0, 1, 2.0, 3.0) + frames.call("tasks.ping", task="t") + frames.text("after")
    first, second = spans(memoryview(raw))
    assert first.call == Call("tasks.ping", {"task": "t"})
    assert first.count == 1
    assert second.call is None
    assert second.texts[0].text == "after"


@given(st.integers(1, 200), st.data())
def test_any_flipped_bit_is_noticed(count: int, data: st.DataObject) -> None:
    raw = bytearray(
        b"".join(frames.point(n % 7, n, 1e9 + n, n / 3) for n in range(count))
        + b"".join(frames.row(n, 1e9 + n, {0: 1.0, n + 1: n / 3}) for n in range(count))
        + frames.text("end")
    )
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(BadRequest):
        list(spans(memoryview(bytes(raw))))


@given(st.integers(1, 60), st.data())
def test_a_cut_body_is_refused(count: int, data: st.DataObject) -> None:
    raw = frames.text("begin") + b"".join(frames.point(0, n, 1e9, n) for n in range(count))
    borders = {len(raw) - 36 * n for n in range(count + 1)} | {0}
    at = data.draw(st.integers(0, len(raw)).filter(lambda n: n not in borders))
    with pytest.raises(BadRequest, match=r"cut|checksum"):
        list(spans(memoryview(raw[:at])))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"TBP1",
        b"TBP2" + bytes(40),
        b"TBP1" + struct.pack("<I", 999) + b"{}",
        b"TBP1" + struct.pack("<I", 2) + b"[]",
        b"TBP1" + struct.pack("<I", 2) + b"{}",
        frames.body("t", "", 0, b""),
        frames.body("t", "j", -1, b""),
        frames.body("t", "j" * 65, 0, b""),
    ],
)
def test_a_body_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        split(body)


@pytest.mark.parametrize("length", [0, 15, 16, 17, 27, 29, 39])
def test_a_row_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(BadRequest, match="ROW"):
        list(spans(memoryview(frames.frame(8, bytes(length)))))


@pytest.mark.parametrize("payload", [b"", b"\x00"])
@pytest.mark.parametrize("kind", [0, 2, 3, 4, 5, 6, 8, 200])
def test_a_frame_that_is_none_is_refused(kind: int, payload: bytes) -> None:
    with pytest.raises(BadRequest):
        list(spans(memoryview(frames.frame(kind, payload))))
