"""What a program does not have to read: our own trouble, said once and in one sentence, or not at all."""

from pathlib import Path

from tests.integration.program import Program, console, document, points
from tests.support.server import RunningServer

LATE = """
from trialbook import Task
from trialbook.sdk.record import Record
from trialbook.sdk.task.run import Run
task = Task.init("Quiet", "late", auto_resource_monitoring=False)
# The looks at the server come while the task is not there yet.
own = task._record
run = Run(Record({"id": "0123456789abcdef" * 2}, own.connection, own.settings, own=True), False, False, print)
run._quietly("tasks.ping", {"task": run.record.id})
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


def test_T46_a_wrong_key_is_one_sentence(server: RunningServer, tmp_path: Path) -> None:
    program = Program(NO_ENTRY, server, tmp_path, TRIALBOOK_API_SECRET_KEY="wrong")
    assert program.wait() == 1
    assert program.text.count("Traceback") == 1 and "does not accept the access key" in program.output[-1]
    assert "session.py" not in program.text and len(program.output) <= 10, program.text


def test_T30_a_server_that_does_not_know_the_task_yet_is_no_news(
    server: RunningServer, tmp_path: Path
) -> None:
    program = Program(LATE, server, tmp_path)
    assert program.wait() == 0, program.text
    assert program.said("ASKED") and "Traceback" not in program.text, program.text
