"""Converted figures say what the original says."""

import datetime
from zoneinfo import ZoneInfo

import pytest

matplotlib = pytest.importorskip("matplotlib")


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York", "UTC"])
def test_T11_dates_stand_in_the_zone_of_their_axis(zone: str) -> None:
    from matplotlib.figure import Figure

    from trialbook.capture.interactive.figure import interactive

    figure = Figure()
    figure.subplots().plot([datetime.datetime(2024, 5, 1, 12, tzinfo=ZoneInfo(zone))], [1], "o")
    found = interactive(figure)
    assert found is not None and found["data"][0]["x"] == ["2024-05-01T12:00:00"]


@pytest.mark.parametrize("marker", ["$a$", (5, 1), 4])
def test_T11_a_marker_that_the_page_lacks_stays_a_picture(marker: object) -> None:
    from matplotlib.figure import Figure

    from trialbook.capture.interactive.figure import interactive

    figure = Figure()
    figure.subplots().plot([1, 2], [1, 2], marker=marker)
    assert interactive(figure) is None
