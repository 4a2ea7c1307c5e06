"""What is said about transfers."""

import pytest

from trialbook.sdk.accounts.storage_progress import Meter

MIB = 1 << 20


def told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line.split(",")[0] for line in capsys.readouterr().out.splitlines()]


def test_a_line_each_step_and_one_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    meter = Meter("uploading a", 25 * MIB, 10 * MIB)
    for done in range(26):
        meter(done * MIB)
    meter(25 * MIB)
    assert told(capsys) == [f"Trialbook: uploading a: {done} of 25 MiB" for done in (10, 20, 25)]


def test_small_files_and_those_who_want_silence(capsys: pytest.CaptureFixture[str]) -> None:
    for total, step in ((5 * MIB, 10 * MIB), (50 * MIB, 0)):
        meter = Meter("x", total, step)
        meter(total // 2)
        meter(total)
    assert told(capsys) == []


def test_an_unknown_size(capsys: pytest.CaptureFixture[str]) -> None:
    meter = Meter("x", 0, 10 * MIB)
    for done in (4, 11, 15, 21):
        meter(done * MIB)
    assert told(capsys) == ["Trialbook: x: 11 MiB", "Trialbook: x: 21 MiB"]
