"""What a program does not have to read: our own trouble, said once and in one sentence, or not at all."""

import signal
from pathlib import Path

import pytest

from tests.integration.program import Program, console, document, points, until
from tests.support.server import RunningServer

LATE = """
from trialbook import Task
from trialbook.sdk.record import Record
from trialbook.sdk.task.run import Run
task = Task.init("Quiet", "late", auto_resource_monitoring=False)
# The looks at the server come while the task is not there yet.
own = task._record
run = Run(Record({"id": "0123456789abcdef" * 2}, own.connection, own.settings, own=True), False, False, print)
run._ping()
run._ask()
print("ASKED")
"""
TWICE = """
from trialbook import Task
task = Task.init("Quiet", "agent", auto_resource_monitoring=False)
print("TASK", task.id)
print("a printed line")
"""
TENSOR = """
import warnings
from trialbook import Task
class Tensor:
    requires_grad = True
    def __float__(self):
        warnings.warn("Converting a tensor with requires_grad=True to a scalar")
        return 2.5
    def detach(self):
        return 2.5
task = Task.init("Quiet", "tensor", auto_resource_monitoring=False)
print("TASK", task.id)
logger = task.get_logger()
logger.report_scalar("loss", "one", Tensor(), 1)
logger.report_scalars({"loss/many": Tensor(), "loss/plain": 1}, 1)
logger.report_single_value("last", Tensor())
logger.set_reporting_nan_value(0.0)
logger.report_scalar("loss", "one", Tensor(), 2)
"""


def test_T26_an_agent_that_sends_the_console_itself(server: RunningServer, tmp_path: Path) -> None:
    for value, count in (("0", 0), ("1", 1)):
        program = Program(TWICE, server, tmp_path / value, CLEARML_LOG_TASK_TO_BACKEND=value)
        assert program.wait() == 0, program.text
        assert console(server, program.wait_for("TASK")).count("a printed line") == count


def test_T41_a_tensor_with_a_gradient_is_reported_without_a_warning(
    server: RunningServer, tmp_path: Path
) -> None:
    program = Program(TENSOR, server, tmp_path)
    assert program.wait() == 0, program.text
    assert "Converting" not in program.text
    found = points(server, program.wait_for("TASK"))
    assert found["loss/one"]["value"] == [2.5, 2.5] and found["loss/many"]["value"] == [2.5]


LAST_WORDS = """
import atexit, shutil, tempfile
from pathlib import Path
from trialbook import Task
def last():
    task.get_logger().report_scalar("at", "exit", 1.0, 7)
    print("said at exit")
atexit.register(last)
folder = tempfile.TemporaryDirectory()
path = Path(folder.name) / "file.bin"
path.write_bytes(b"x" * 100_000)
task = Task.init("Quiet", "last words", auto_resource_monitoring=False)
print("TASK", task.id)
task.upload_artifact("file", path)
"""


def test_T28_what_was_registered_before_the_run_still_reports(server: RunningServer, tmp_path: Path) -> None:
    program = Program(LAST_WORDS, server, tmp_path)
    assert program.wait() == 0, program.text
    task = program.wait_for("TASK")
    assert points(server, task)["at/exit"] == {"iter": [7], "value": [1.0]}
    assert "said at exit" in console(server, task)
    found = document(server, task)
    assert found["status"] == "completed"
    assert found["execution"]["artifacts"][0]["content_size"] == 100_000


NO_ENTRY = """
from trialbook import Task
Task.init("Quiet", "no entry")
"""


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"TRIALBOOK_API_SECRET_KEY": "wrong"}, "does not accept the access key"),
        ({"TRIALBOOK_CONFIG_FILE": "broken.conf"}, "broken.conf"),
        (
            {"TRIALBOOK_CONFIG_FILE": "missing.conf"},
            "there is no file missing.conf, which TRIALBOOK_CONFIG_FILE names",
        ),
    ],
)
def test_T46_a_wrong_key_is_one_sentence(
    server: RunningServer, tmp_path: Path, wrong: dict[str, str], sentence: str
) -> None:
    (tmp_path / "broken.conf").write_text("api { ")
    program = Program(NO_ENTRY, server, tmp_path, **wrong)
    assert program.wait() == 1
    (said,) = program.output
    assert said.startswith("Trialbook: ") and sentence in said


def test_T46_where_nobody_is_no_key_is_asked_for(server: RunningServer, tmp_path: Path) -> None:
    """The run goes on without a server, as with a key."""
    none = {
        "TRIALBOOK_API_ACCESS_KEY": "",
        "TRIALBOOK_API_SECRET_KEY": "",
        "TRIALBOOK_CONNECT_TIMEOUT": "0.2",
    }
    away = Program(NO_ENTRY, server, tmp_path / "away", TRIALBOOK_API_HOST="http://127.0.0.1:9", **none)
    assert away.wait() == 0, away.text
    assert "No Trialbook server answers at http://127.0.0.1:9" in away.text and "access key" not in away.text
    there = Program(NO_ENTRY, server, tmp_path / "there", **none)
    assert there.wait() == 1
    (said,) = there.output
    assert said.startswith("Trialbook: no access key for")


OWN_HOOK = """
import sys
earlier = sys.excepthook
def hook(kind, value, trace):
    print("HOOK", kind.__name__)
if sys.argv[1] == "own":
    sys.excepthook = hook
from trialbook import Task
try:
    Task.init("Quiet", "no entry")
except Exception as error:
    print("CAUGHT", type(error).__name__)
if sys.argv[1] == "own":
    Task.init("Quiet", "no entry")
raise KeyError("of the program")
"""


def test_T46_other_errors_and_other_hooks_are_left_alone(server: RunningServer, tmp_path: Path) -> None:
    for whose in ("own", "none"):
        program = Program(
            OWN_HOOK, server, tmp_path / whose, arguments=(whose,), TRIALBOOK_API_SECRET_KEY="wrong"
        )
        assert program.wait() == 1
        assert program.wait_for("CAUGHT") == "BadCredentials"
        if whose == "own":
            assert program.said("HOOK") == ["BadCredentials"]
        else:
            assert "Traceback" in program.text and program.output[-1] == "KeyError: 'of the program'"


LEAVES = """
import os, time
from trialbook import Task
task = Task.init("Quiet", "leaves", auto_resource_monitoring=False)
task.get_logger().report_scalar("at", "end", 1.0, 1)
task.flush()
print("TASK", task.id)
while not os.path.exists("go"):
    time.sleep(0.02)
task.get_logger().report_scalar("at", "end", 2.0, 2)
open("file.bin", "wb").write(b"x" * 100_000)
task.upload_artifact("file", "file.bin")
"""


@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL])
def test_T46_the_end_of_a_run_does_not_wait_for_a_server_that_says_nothing(
    own_server: RunningServer, tmp_path: Path, how: signal.Signals
) -> None:
    """However long a slow one may take."""
    program = Program(LEAVES, own_server, tmp_path / "home", TRIALBOOK_CLOSE_TIMEOUT="300")
    task = program.wait_for("TASK")
    assert own_server.process is not None
    own_server.process.send_signal(how)
    (program.home / "go").touch()
    assert program.wait(60) == 0, program.text
    assert "a background process continues to send them" in program.text and "Traceback" not in program.text
    if how == signal.SIGSTOP:
        own_server.process.send_signal(signal.SIGCONT)
        until(lambda: points(own_server, task)["at/end"]["value"] == [1.0, 2.0])
        until(lambda: document(own_server, task)["status"] == "completed")


def test_T30_a_server_that_does_not_know_the_task_yet_is_no_news(
    server: RunningServer, tmp_path: Path
) -> None:
    program = Program(LATE, server, tmp_path)
    assert program.wait() == 0, program.text
    assert program.said("ASKED") and "Traceback" not in program.text, program.text
