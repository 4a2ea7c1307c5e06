"""Kill -9 at random moments: the trainer, the server, both, and the recovery itself.

``TRIALBOOK_FAULT_POINTS`` sets how many points are drawn for each database (50 in the long form, 3 in the short one).
"""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import checks
from tests.faults.plan import Point, draw
from tests.faults.trainer import THREADS, Note
from tests.integration.program import Program, document, until
from tests.support.length import rounds
from tests.support.server import RunningServer

POINTS = rounds("TRIALBOOK_FAULT_POINTS", short=3, long=50)
SOURCE = (Path(__file__).parent / "trainer.py").read_text()


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def victim(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """A server on each database, which the points of the module kill and start again."""
    database = None
    if request.param == "postgresql":
        database = request.getfixturevalue("postgres").fresh_url()
    running = RunningServer(tmp_path_factory.mktemp("victim"), database)
    yield running
    running.kill()


class Trainer(Program):
    """The program of ``trainer.py`` in a home of its own."""

    def __init__(self, server: RunningServer, home: Path, name: str = "note", **more: str) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.note = Note(home / name)
        super().__init__(SOURCE, server, home, arguments=(str(home / name),), **more)

    def advance(self, points: int) -> None:
        """Wait until each thread has reported that many points more."""
        start = [self.note[stream] for stream in range(THREADS)]
        until(lambda: all(self.note[stream] >= start[stream] + points for stream in range(THREADS)), 60)

    def end(self) -> None:
        """Have it end by itself, and hold it to that."""
        (self.home / "stop").touch()
        assert self.wait() == 0, self.text
        assert "DONE" in self.text and "Traceback" not in self.text, self.text


def sync(home: Path, environment: dict[str, str], cut: float | None = None) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "trialbook", "sync"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if cut is not None:
        threading.Event().wait(cut)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        return
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 0, output
    assert not checks.journals(home), output


def recover(point: Point, server: RunningServer, trainer: Trainer, task: str) -> None:
    if point.recovery == "next run":
        following = Trainer(server, trainer.home, "other note")
        until(lambda: not checks.journals(trainer.home, task), 60)
        following.end()
        checks.everything(server, following.wait_for("TASK"), following.note, exact=True)
        return
    if point.recovery == "killed sync":
        sync(trainer.home, trainer.environment, point.cut)
    sync(trainer.home, trainer.environment)


@pytest.mark.parametrize("point", draw(POINTS), ids=str)
def test_nothing_is_lost_twice_or_out_of_order(victim: RunningServer, tmp_path: Path, point: Point) -> None:
    trainer = Trainer(victim, tmp_path / "home")
    if not point.from_start:
        trainer.wait_for("TASK")
    threading.Event().wait(point.after)
    assert trainer.process.poll() is None, trainer.text
    if point.victim == "server":
        victim.kill()
        threading.Event().wait(point.gap)
        victim.start()
        trainer.advance(100)
        trainer.end()
        task = trainer.wait_for("TASK")
        until(lambda: not checks.journals(trainer.home), 60)
        checks.everything(victim, task, trainer.note, exact=True)
        assert document(victim, task)["status"] == "completed"
        return
    if point.victim == "both":
        victim.kill()
        threading.Event().wait(point.gap)
    trainer.kill()
    if point.victim == "both":
        victim.start()
    if not trainer.said("TASK"):
        # Killed before anything was promised.
        sync(trainer.home, trainer.environment)
        return
    task = trainer.wait_for("TASK")
    recover(point, victim, trainer, task)
    checks.everything(victim, task, trainer.note, exact=False)
    assert document(victim, task)["status"] == "stopped"
