"""What a server does not take during a run: said, kept on the host, and sent once the server takes it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Templates
from tests.integration.program import Program, console, document, points
from tests.support.server import RunningServer

LIMIT = "TRIALBOOK_SERVER_FILE_LIMIT"
RUN = """
import numpy
from trialbook import Task
task = Task.init("Refused", "run", auto_resource_monitoring=False)
print("TASK", task.id)
task.upload_artifact("large", "x" * 200_000)
print("WAITED", task.upload_artifact("other", "y" * 200_000, wait_on_upload=True))
task.upload_artifact("small", {"a": 1})
task.get_logger().report_image("noise", "n", 1, image=numpy.random.randint(0, 255, (300, 300, 3)).astype("uint8"))
task.get_logger().report_scalar("loss", "train", 0.5, 1)
"""


@pytest.fixture
def small(tmp_path: Path, templates: Templates) -> Iterator[RunningServer]:
    """A server that takes files of 100 kB at most."""
    templates.sqlite(tmp_path / "server" / "trialbook.db")
    running = RunningServer(tmp_path / "server", **{LIMIT: "100000"})
    yield running
    running.kill()


def sync(program: Program, *more: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "trialbook", "sync", *more]
    return subprocess.run(command, env=program.environment, capture_output=True, text=True, timeout=60)


def test_T15_files_that_a_server_does_not_take_are_kept_and_sent_when_it_does(
    small: RunningServer, tmp_path: Path
) -> None:
    program = Program(RUN, small, tmp_path / "home")
    assert program.wait() == 0, program.text
    task = program.wait_for("TASK")
    assert program.wait_for("WAITED") == "False" and "was not stored" in program.text
    assert "100000" in program.text and f"trialbook sync --discard {task}" in program.text, program.text
    assert "background process" not in program.text, "all else is sent: another try would hear the same"
    found = document(small, task)
    assert found["status"] == "completed" and points(small, task)["loss/train"]["value"] == [0.5]
    assert [artifact["key"] for artifact in found["execution"]["artifacts"]] == ["small"]
    assert "is not taken" in console(small, task)
    asked = sync(program)
    assert asked.returncode == 1 and "refused" in asked.stdout and "100000" in asked.stdout, asked
    # The next run leaves it alone.
    again = Program("from trialbook import Task\nTask.init('Refused', 'next')\n", small, tmp_path / "home")
    assert again.wait() == 0 and "not taken" not in again.text, again.text
    small.stop()
    small.more = {}
    small.start()
    sent = sync(program)
    assert sent.returncode == 0, sent
    found = document(small, task)
    assert [artifact["key"] for artifact in found["execution"]["artifacts"]] == ["large", "other", "small"]
    assert found["status"] == "completed"
    reply = small.ask("events.debug_images", {"metrics": [{"task": task}]}).json()["data"]
    assert reply["metrics"][0]["iterations"], reply
    assert not list((tmp_path / "home").rglob("journal.json"))
