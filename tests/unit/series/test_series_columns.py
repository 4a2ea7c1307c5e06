"""What is packed comes back bit for bit."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from trialbook.server.series import columns, packing
from trialbook.server.series.columns import Batch, Points
from trialbook.server.series.statistics import group

I64 = st.integers(-(2**63), 2**63 - 1)
ROWS = st.lists(st.tuples(I64, I64, st.floats(width=64)), min_size=1, max_size=60)


def made(rows: list[tuple[int, int, float]]) -> Points:
    iteration, time, value = zip(*rows, strict=True)
    return Points(np.array(iteration, np.int64), np.array(time, np.int64), np.array(value, np.float64))


def same(one: Points, two: Points) -> bool:
    return (
        one.iteration.tobytes() == two.iteration.tobytes()
        and one.time.tobytes() == two.time.tobytes()
        and one.value.tobytes() == two.value.tobytes()
    )


@given(ROWS)
def test_chunk_round_trip(rows: list[tuple[int, int, float]]) -> None:
    points = made(rows)
    assert same(packing.unpack_chunk(packing.pack_chunk(points)), points)


@given(st.lists(ROWS, max_size=5))
def test_many_chunks_at_once(chunks: list[list[tuple[int, int, float]]]) -> None:
    some = [made(rows) for rows in chunks]
    points, edges = packing.unpack_chunks([packing.pack_chunk(one) for one in some])
    assert edges.tolist() == [sum(map(len, some[:at])) for at in range(len(some) + 1)]
    assert same(points, columns.join(some))


@given(
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-(2**40), 2**40),
    st.sampled_from([0, 1, 255, 256, 65535, 65536, 2**32 - 1, 2**32]),
)
def test_steps_of_every_width(first: int, step: int, above: int) -> None:
    """The narrow forms that regular runs take."""
    steps = [step, step + above, step, step + above // 2]
    moments = [first]
    for one in steps:
        moments.append((moments[-1] + one + 2**63) % 2**64 - 2**63)
    points = made([(n * 7, moment, n / 3) for n, moment in enumerate(moments)])
    assert same(packing.unpack_chunk(packing.pack_chunk(points)), points)


@given(ROWS, st.data())
def test_batch_round_trip(rows: list[tuple[int, int, float]], data: st.DataObject) -> None:
    index = np.array(data.draw(st.lists(st.integers(0, 5), min_size=len(rows), max_size=len(rows))), np.int64)
    batch = group(index, made(rows))
    back = packing.unpack_batch(packing.pack_batch(Batch(batch.ids * 1000, batch.starts, batch.points)))
    assert (back.ids == batch.ids * 1000).all()
    assert (back.starts == batch.starts).all()
    assert same(back.points, batch.points)
    assert [number for number, _ in back.each()] == sorted({int(i) * 1000 for i in index})


@given(ROWS, st.data())
def test_order_is_the_stable_sort(rows: list[tuple[int, int, float]], data: st.DataObject) -> None:
    # Few different keys, so that ties are common and stability shows.
    keys = st.lists(st.integers(0, 2), min_size=len(rows), max_size=len(rows))
    group_, iteration, time = (np.array(data.draw(keys), np.int64) for _ in range(3))
    order = columns.stable_order(group_, iteration, time)
    want = sorted(range(len(rows)), key=lambda at: (group_[at], iteration[at], time[at]))
    assert (list(range(len(rows))) if order is None else order.tolist()) == want


def test_wide_groups_are_ordered_too() -> None:
    group_ = np.array([70_000, 3, 70_000, 3], np.int64)
    order = columns.stable_order(group_, np.zeros(4, np.int64), np.zeros(4, np.int64))
    assert order is not None
    assert order.tolist() == [1, 3, 0, 2]
