"""What ``trialbook sync`` says of journals that it does not send."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from trialbook.cli.sync import _why, command
from trialbook.journal.delivery import Identity
from trialbook.sdk.offline.recovery import Waiting


def test_T45_who_sends_is_named_and_no_place_that_nobody_knows() -> None:
    """Another ``sync`` may have been told ``--to``: where it sends is its own knowledge."""
    mine = Identity("j", "t", "host", 7, 0.0, server="http://first:8008")
    assert _why(Waiting(mine, True, 7), "http://other:8008") == (
        "process 7 is still running and sends its reports to http://first:8008"
    )
    assert _why(Waiting(mine, True, 8), "http://other:8008") == (
        "process 8 is sending it; it was recorded for http://first:8008"
    )
    assert "process (unknown) is sending it" in _why(Waiting(mine, True, 0), "http://other:8008")
    assert "waiting for http://first:8008" in _why(Waiting(mine, False, 0), "http://other:8008")


def test_T45_what_another_process_is_sending_has_not_arrived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIALBOOK_CACHE_DIR", str(tmp_path))
    folder = tmp_path / "journal" / ("t" * 32) / "host-7"
    folder.mkdir(parents=True)
    Identity("j" * 32, "t" * 32, "host", 7, time.time(), server="http://127.0.0.1:9").save(folder)
    holds = (
        "import sys, pathlib; from trialbook.journal.lock import FileLock;"
        "FileLock(pathlib.Path(sys.argv[1])).acquire(); print('held', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", holds, str(folder / "lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        asked = CliRunner().invoke(command, [])
        assert f"process {other.pid} is sending it" in asked.output and asked.exit_code == 1, asked.output
        other.communicate()


def test_T45_a_task_of_which_nothing_is_here_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIALBOOK_CACHE_DIR", str(tmp_path))
    assert "Nothing of task nope" in CliRunner().invoke(command, ["--task", "nope"]).output
    refused = CliRunner().invoke(command, ["--discard", "nope"])
    assert "task nope: no reports that a server has refused" in refused.output and refused.exit_code == 1
    assert CliRunner().invoke(command, ["--timeout", "-1"]).exit_code == 2
