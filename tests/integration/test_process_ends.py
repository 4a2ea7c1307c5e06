"""How a process ends decides the task's final status; nothing that it reported is lost."""

import signal
from pathlib import Path

import pytest

from tests.integration.program import Program, console, document, points, until
from tests.support.server import RunningServer

BEGIN = """
import sys, os, threading, signal
from trialbook import Task, Logger
task = Task.init("Ends", "run", reuse_last_task_id=False)
print("TASK", task.id)
for step in range(20):
    task.get_logger().report_scalar("loss", "train", 1.0 / (step + 1), step)
"""


def run(server: RunningServer, home: Path, source: str, status: int) -> tuple[str, dict[str, object]]:
    program = Program(BEGIN + source, server, home)
    assert program.wait() == status, program.text
    task = program.wait_for("TASK")
    assert points(server, task)["loss/train"]["iter"] == list(range(20))
    return task, document(server, task)


def test_a_normal_end_completes(server: RunningServer, tmp_path: Path) -> None:
    task, found = run(server, tmp_path, "print('the last line', end='')", 0)
    assert found["status"] == "completed"
    assert "the last line" in console(server, task)
    assert found["script"]["entry_point"] == "train.py"
    assert not list((tmp_path / ".cache/trialbook/journal").iterdir())


def test_exit_zero_completes(server: RunningServer, tmp_path: Path) -> None:
    assert run(server, tmp_path, "sys.exit(0)", 0)[1]["status"] == "completed"


def test_a_caught_exit_completes(server: RunningServer, tmp_path: Path) -> None:
    source = "try:\n    sys.exit(3)\nexcept SystemExit:\n    pass\n"
    assert run(server, tmp_path, source, 0)[1]["status"] == "completed"


def test_a_non_zero_exit_fails(server: RunningServer, tmp_path: Path) -> None:
    found = run(server, tmp_path, "def main():\n    sys.exit(3)\nmain()", 3)[1]
    assert found["status"] == "failed"
    assert "3" in str(found["status_reason"])


@pytest.mark.parametrize(
    ("end", "code", "status"),
    [
        ("raise SystemExit(4)", 4, "failed"),
        ("def main():\n    raise SystemExit('no data')\nmain()", 1, "failed"),
        ("exit(5)", 5, "failed"),
        ("raise SystemExit", 0, "completed"),
        ("raise SystemExit(0)", 0, "completed"),
        (
            "try:\n    raise SystemExit(6)\nexcept SystemExit as end:\n    assert end.code == 6\n",
            0,
            "completed",
        ),
        ("t = threading.Thread(target=sys.exit, args=(7,)); t.start(); t.join()", 0, "completed"),
        ("task.close(); e = SystemExit(8); e.code = 9; assert e.code == 9; raise e", 9, "completed"),
    ],
)
def test_a_raised_system_exit(
    server: RunningServer, tmp_path: Path, end: str, code: int, status: str
) -> None:
    assert run(server, tmp_path, end, code)[1]["status"] == status


def test_an_exception_fails_with_its_traceback_last(server: RunningServer, tmp_path: Path) -> None:
    task, found = run(server, tmp_path, "print('before')\nraise RuntimeError('out of luck')", 1)
    assert found["status"] == "failed"
    assert "out of luck" in str(found["status_reason"])
    text = console(server, task)
    assert text.rstrip().endswith("RuntimeError: out of luck")
    assert text.index("before") < text.index("Traceback")
    assert text.count("RuntimeError: out of luck") == 1


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, -2)])
def test_a_signal_stops(server: RunningServer, tmp_path: Path, number: int, status: int) -> None:
    program = Program(BEGIN + "print('READY')\nthreading.Event().wait(60)", server, tmp_path)
    task = program.wait_for("TASK")
    program.wait_for("READY")
    program.process.send_signal(number)
    assert program.wait() == status, program.text
    assert document(server, task)["status"] == "stopped"
    assert points(server, task)["loss/train"]["iter"] == list(range(20))


def test_an_interrupt_ends_the_process_by_its_signal_whatever_runs_at_its_end(
    server: RunningServer, tmp_path: Path
) -> None:
    end = "import atexit\natexit.register(exec, 'defined = 1')\nraise KeyboardInterrupt"
    assert run(server, tmp_path, end, -signal.SIGINT)[1]["status"] == "stopped"


def test_a_forked_child_does_not_close_the_task(server: RunningServer, tmp_path: Path) -> None:
    source = """
child = os.fork()
if child == 0:
    for step in range(50):
        task.get_logger().report_scalar("child", "c", step, step)
    sys.exit(0)
os.waitpid(child, 0)
import multiprocessing
def work(number):
    for step in range(50):
        Logger.current_logger().report_scalar("workers", str(number), step, step)
pool = [multiprocessing.get_context("fork").Process(target=work, args=(n,)) for n in range(3)]
[p.start() for p in pool]; [p.join() for p in pool]
print("STATUS", task.get_status())
"""
    program = Program(BEGIN + source, server, tmp_path)
    assert program.wait() == 0, program.text
    task = program.wait_for("TASK")
    assert program.wait_for("STATUS") == "in_progress"
    found = points(server, task)
    assert found["child/c"]["iter"] == list(range(50))
    for number in range(3):
        assert found[f"workers/{number}"]["iter"] == list(range(50))
    assert document(server, task)["status"] == "completed"


def test_a_spawned_child_reports_to_the_same_task(server: RunningServer, tmp_path: Path) -> None:
    source = """
import subprocess
code = '''
from trialbook import Task, Logger
task = Task.init("Other", "name")
print("CHILD", task.id)
task.get_logger().report_scalar("spawned", "s", 1.0, 5)
'''
print(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
print("STATUS", task.get_status())
"""
    program = Program(BEGIN + source, server, tmp_path)
    assert program.wait() == 0, program.text
    task = program.wait_for("TASK")
    assert program.wait_for("CHILD") == task
    assert program.wait_for("STATUS") == "in_progress"
    assert points(server, task)["spawned/s"]["iter"] == [5]


def test_an_abort_from_the_page_ends_the_process(server: RunningServer, tmp_path: Path) -> None:
    program = Program(BEGIN + "print('READY')\nthreading.Event().wait(60)", server, tmp_path)
    task = program.wait_for("TASK")
    program.wait_for("READY")
    server.call("tasks.stop", {"task": task})
    assert program.wait(30) == 143, program.text
    assert document(server, task)["status"] == "stopped"


def test_a_program_that_swallows_the_exit_still_ends(server: RunningServer, tmp_path: Path) -> None:
    source = "from trialbook.capture import exits\nexits._PATIENCE = 2.0\n"
    source += "threading.Thread(target=threading.Event().wait, args=(90,)).start()\nprint('READY')\n"
    program = Program(BEGIN + source + "threading.Event().wait(90)", server, tmp_path)
    task = program.wait_for("TASK")
    program.wait_for("READY")
    program.process.send_signal(signal.SIGTERM)
    assert program.wait(45) == 143
    until(lambda: document(server, task)["status"] == "stopped", 10)
