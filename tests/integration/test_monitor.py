"""The resource monitor in a real run."""

from pathlib import Path

from tests.integration.program import Program, document, points
from tests.support.server import RunningServer

PROGRAM = """
import threading
from trialbook import Task
from trialbook.sdk.process import monitor
monitor._REPORT_SECONDS = 0.5
monitor.ResourceMonitor.__init__.__defaults__ = (0.5, 0.1)
assert Task.set_resource_monitor_iteration_timeout(0.2) and not Task.set_resource_monitor_iteration_timeout("x")
task = Task.init("Monitor", "run", reuse_last_task_id=False, auto_resource_monitoring=WISH)
print("TASK", task.id)
journal, pause = task._record.journal, threading.Event()
for _ in range(WAIT):
    if any(metric == ":monitor:machine" for metric, _ in journal._numbers):
        break
    pause.wait(0.05)
task.get_logger().report_scalar("a", "b", 1.0, 1000)
seen = len(journal._numbers)
end = journal._writer.end
for _ in range(WAIT):
    if journal._writer.end > end + 300:
        break
    pause.wait(0.05)
task.set_resource_monitor_iteration_timeout(10)
"""


def test_seconds_first_then_iterations(server: RunningServer, tmp_path: Path) -> None:
    program = Program(PROGRAM.replace("WISH", "True").replace("WAIT", "200"), server, tmp_path)
    assert program.wait() == 0, program.text
    task = program.wait_for("TASK")
    found = points(server, task)
    machine = found[":monitor:machine/cpu_usage"]["iter"]
    assert machine[0] < 1000 and machine[-1] == 1000
    assert machine == sorted(machine)
    assert found[":monitor:machine/memory_used_gb"]["value"][0] > 0.01
    assert document(server, task)["last_iteration"] == 1000


def test_it_can_be_switched_off_and_replaced(server: RunningServer, tmp_path: Path) -> None:
    program = Program(PROGRAM.replace("WISH", "False").replace("WAIT", "2"), server, tmp_path)
    assert program.wait() == 0, program.text
    assert list(points(server, program.wait_for("TASK"))) == ["a/b"]
    own = """
from trialbook import Task
class Mine:
    def __init__(self, task):
        self.task = task
    def start(self):
        print("START", self.task.name)
    def stop(self):
        print("STOP")
task = Task.init("Monitor", "own", reuse_last_task_id=False, auto_resource_monitoring=Mine)
task.close()
"""
    program = Program(own, server, tmp_path / "own")
    assert program.wait() == 0, program.text
    assert program.said("START") == ["own"] and program.said("STOP") == [""]
