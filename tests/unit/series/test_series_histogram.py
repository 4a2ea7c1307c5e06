"""ClearML's view of scalars."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from trialbook.server.series.columns import Points
from trialbook.server.series.histogram import curve


def points(*rows: tuple[int, int, float]) -> Points:
    iteration, time, value = zip(*rows, strict=True)
    return Points(
        np.array(iteration, np.int64), np.array(time, np.int64), np.array(value, np.float64)
    ).ordered()


def test_the_newest_of_equal_iterations_is_shown() -> None:
    found = curve("v", points((1, 10, 5.0), (1, 20, 6.0), (2, 5, 7.0), (1, 15, 8.0)), "iter", 100)
    assert (found.x, found.y) == ([1, 2], [6.0, 7.0])


def test_few_points_are_untouched_and_nan_is_null() -> None:
    found = curve("v", points((1, 10_000, np.nan), (5, 20_000, np.inf), (9, 30_000, 1.5)), "timestamp", 3)
    assert (found.x, found.y) == ([10, 20, 30], [None, None, 1.5])


def test_dates() -> None:
    assert curve("v", points((1, 1_700_000_000_000_000, 1.0)), "iso_time", 3).x == [
        "2023-11-14T22:13:20.000000+00:00"
    ]


def test_windows_hold_means() -> None:
    found = curve("v", points(*[(n, n, float(n)) for n in range(10)]), "iter", 5)
    assert (found.x, found.y) == ([0, 2, 4, 6, 8], [0.5, 2.5, 4.5, 6.5, 8.5])


@given(
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=80, unique=True),
    st.integers(1, 20),
)
def test_never_more_than_asked_for(iterations: list[int], samples: int) -> None:
    found = curve("v", points(*[(n, 0, 1.0) for n in iterations]), "iter", samples)
    assert len(found.x) == len(found.y) <= max(samples, 0)
    assert all(y == 1.0 for y in found.y)
    assert found.x == sorted(found.x)
    assert found.x[0] == min(iterations)
