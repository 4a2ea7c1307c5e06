"""A disk that is full, under the trainer and under the server: training goes on, and what is missing is told."""

import shutil
import tempfile
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from tests.faults import checks, disks
from tests.faults.test_kills import sync
from tests.integration.program import Program, console, document, points, until
from tests.support.postgres import Postgres
from tests.support.server import RunningServer

TRAINER = """
import os, sys, threading
import numpy
from trialbook import OutputModel, Task
task = Task.init("Faults", "full disk", reuse_last_task_id=False)
print("TASK", task.id)
logger, pause = task.get_logger(), threading.Event()

def wait_for(name):
    print("READY", name)
    while not os.path.exists(name):
        pause.wait(0.01)

total = 0
def report(count):
    global total
    for _ in range(count):
        logger.report_scalar("loss", "train", float(total), total)
        total += 1

report(1000)
open("net.bin", "wb").write(b"w" * 500_000)
assert task.flush()
wait_for("full")
report(400_000)
logger.report_image("picture", "p", 7, image=numpy.random.default_rng(1).integers(0, 255, (400, 400, 3), "uint8"))
print("ARTIFACT", task.upload_artifact("big", "x" * 500_000))
print("WEIGHTS", repr(OutputModel(task, name="net").update_weights("net.bin", upload_uri=task._record.place()[0])))
logger.report_scalar("new", "series", 1.0, 0)
print("a line")
wait_for("room")
print("TOTAL", total)
before = task._record.journal._writer.end
while task._record.journal._writer.end < before + 36:
    report(1)
    pause.wait(0.05)
report(1000)
logger.report_scalar("new", "series", 2.0, 1)
print("ALL", total)
"""


def missing(server: RunningServer, task: str) -> dict[str, Any]:
    (state,) = server.call("journals.status", {"tasks": [task]})["tasks"]
    losses = [loss for journal in state["journals"] for loss in journal["losses"]]
    return {**state, "kinds": {loss["kind"]: loss for loss in losses}}


@pytest.mark.parametrize("how", ["limit", "tmpfs"])
def test_training_goes_on_when_the_disk_of_its_host_is_full(
    server: RunningServer, tmp_path: Path, how: str
) -> None:
    disk: AbstractContextManager[Path] = (
        disks.tmpfs(tmp_path / "disk", 16) if how == "tmpfs" else nullcontext(tmp_path / "disk")
    )
    with disk as cache:
        program = Program(TRAINER, server, tmp_path / "home", TRIALBOOK_CACHE_DIR=str(cache))
        task = program.wait_for("TASK")
        program.wait_for("READY full")
        if how == "tmpfs":
            disks.fill(cache)
        else:
            disks.limit(program.process.pid, 4096)
        (program.home / "full").touch()
        program.wait_for("READY room", 60)
        if how == "tmpfs":
            disks.clear(cache)
        else:
            disks.limit(program.process.pid, -1)
        (program.home / "room").touch()
        assert program.wait() == 0, program.text
        assert "Traceback" not in program.text
        assert program.wait_for("ARTIFACT") == "False" and program.wait_for("WEIGHTS") == "''"
        assert "the disk of this host is full" in program.text
        total = int(program.wait_for("ALL"))
        found = points(server, task)
        arrived = found["loss/train"]["iter"]
        assert arrived == sorted(set(arrived))
        assert arrived[:1000] == list(range(1000)) and arrived[-1000:] == list(range(total - 1000, total))
        assert found["new/series"]["iter"][-1] == 1
        state = missing(server, task)
        assert not state["complete"]
        lost = state["kinds"]["frame"]
        gone = sorted(set(range(total)) - set(arrived))
        assert lost["first"] == gone[0] and lost["last"] == gone[-1]
        # Besides points: the line of the console, and the first point of the new series.
        assert len(gone) <= lost["count"] <= len(gone) + 20
        assert state["kinds"]["image"]["count"] == 1 and state["kinds"]["file"]["count"] == 2
        assert "were dropped: the disk of this host is full" in console(server, task)
        assert document(server, task)["status"] == "completed"


def test_a_trainer_that_is_killed_while_its_disk_is_full_does_not_look_complete(
    server: RunningServer, tmp_path: Path
) -> None:
    program = Program(TRAINER, server, tmp_path / "home")
    task = program.wait_for("TASK")
    program.wait_for("READY full")
    disks.limit(program.process.pid, 4096)
    (program.home / "full").touch()
    program.wait_for("READY room", 60)
    program.kill()
    until(lambda: missing(server, task)["kinds"].get("frame"))
    assert not missing(server, task)["complete"]
    assert checks.journals(program.home, task)


SIMPLE = """
import os, resource
from trialbook import Task
task = Task.init("Faults", "no cache", reuse_last_task_id=False)
print("TASK", task.id)
for step in range(500):
    task.get_logger().report_scalar("loss", "train", float(step), step)
    print("line", step)
MORE
"""

FORK = """
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
child = os.fork()
if child == 0:
    for step in range(100):
        task.get_logger().report_scalar("child", "c", 1.0, step)
        print("child", step)
    os._exit(0)
print("CHILD", os.waitpid(child, 0)[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
"""


def test_a_cache_folder_that_cannot_be_written_to_is_replaced(server: RunningServer, tmp_path: Path) -> None:
    (tmp_path / "temporary").mkdir()
    more = {"TRIALBOOK_CACHE_DIR": "/proc/none", "TMPDIR": str(tmp_path / "temporary")}
    program = Program(SIMPLE.replace("MORE", ""), server, tmp_path / "home", **more)
    assert program.wait() == 0, program.text
    assert "reports cannot be kept in /proc/none" in program.text
    task = program.wait_for("TASK")
    assert points(server, task)["loss/train"]["iter"] == list(range(500))
    assert document(server, task)["status"] == "completed"
    program = Program(SIMPLE.replace("MORE", "os.kill(os.getpid(), 9)"), server, tmp_path / "home", **more)
    assert program.wait() == -9
    sync(tmp_path / "home", program.environment)
    task = program.wait_for("TASK")
    assert points(server, task)["loss/train"]["iter"] == list(range(500))
    assert document(server, task)["status"] == "stopped"
    assert not list((tmp_path / "temporary").glob("*/journal/*/*"))


def test_a_forked_child_without_room_for_a_journal_goes_on(server: RunningServer, tmp_path: Path) -> None:
    program = Program(SIMPLE.replace("MORE", FORK), server, tmp_path)
    assert program.wait() == 0, program.text
    assert program.wait_for("CHILD") == "0" and "child 99" in program.text
    assert "this process cannot keep its reports" in program.text
    assert points(server, program.wait_for("TASK"))["loss/train"]["iter"] == list(range(500))


SERVED = """
import os, threading
from trialbook import Task
task = Task.init("Faults", "full server", reuse_last_task_id=False)
print("TASK", task.id)
pause, step = threading.Event(), 0
while not os.path.exists("stop"):
    task.get_logger().report_scalar("loss", "train", float(step), step)
    step += 1
    if step % 100 == 0:
        print("STEP", step)
        pause.wait(0.02)
print("ALL", step)
"""


@pytest.mark.parametrize("how", ["limit", "tmpfs"])
def test_a_server_whose_disk_is_full_says_so_and_takes_the_rest_later(tmp_path: Path, how: str) -> None:
    disk: AbstractContextManager[Path] = (
        disks.tmpfs(tmp_path / "disk", 24) if how == "tmpfs" else nullcontext(tmp_path / "disk")
    )
    with disk as data:
        server = RunningServer(data)
        try:
            program = Program(SERVED, server, tmp_path / "home")
            task = program.wait_for("TASK")
            until(lambda: len(points(server, task).get("loss/train", {"iter": []})["iter"]) > 500)
            if how == "tmpfs":
                disks.fill(data)
            else:
                assert server.process is not None
                disks.limit(server.process.pid, 4096)
            said = "the disk is full" if how == "tmpfs" else "disk I/O error"
            until(lambda: said in server.log, 60)
            told = int(program.said("STEP")[-1])
            until(lambda: int(program.said("STEP")[-1]) > told + 1000)
            if how == "tmpfs":
                disks.clear(data)
            else:
                assert server.process is not None
                disks.limit(server.process.pid, -1)
            (program.home / "stop").touch()
            assert program.wait() == 0, program.text
            if how == "tmpfs":
                assert "the server's disk is full" in program.text
            total = int(program.wait_for("ALL"))
            until(lambda: not checks.journals(program.home), 60)
            assert points(server, task)["loss/train"]["iter"] == list(range(total))
            until(lambda: document(server, task)["status"] == "completed")
            assert missing(server, task)["complete"]
        finally:
            server.kill()


@pytest.mark.postgres
def test_a_postgresql_whose_disk_is_full_takes_the_rest_later(tmp_path: Path) -> None:
    # In a place of its own: for root, the database runs under an account that pytest's folders keep out.
    place = Path(tempfile.mkdtemp(prefix="tb-full-"))
    place.chmod(0o755)
    with disks.tmpfs(place / "disk", 300) as disk:
        (disk / "data").mkdir(mode=0o700)
        database = Postgres(disk / "data")
        server = RunningServer(tmp_path / "data", database.fresh_url())
        try:
            program = Program(SERVED, server, tmp_path / "home")
            task = program.wait_for("TASK")
            until(lambda: len(points(server, task).get("loss/train", {"iter": []})["iter"]) > 500)
            disks.fill(disk)
            until(lambda: "the disk is full" in server.log, 60)
            told = int(program.said("STEP")[-1])
            until(lambda: int(program.said("STEP")[-1]) > told + 1000)
            disks.clear(disk)
            (program.home / "stop").touch()
            assert program.wait() == 0, program.text
            total = int(program.wait_for("ALL"))
            until(lambda: not checks.journals(program.home), 60)
            assert points(server, task)["loss/train"]["iter"] == list(range(total))
            assert missing(server, task)["complete"]
        finally:
            server.kill()
            database.stop()
    shutil.rmtree(place)
