"""A clock that is set during a run, and a network that comes and goes: order and iterations stay what they were."""

import random
import threading
from pathlib import Path

from tests.faults import checks
from tests.faults.test_kills import Trainer
from tests.integration.program import Program, console, document, until
from tests.integration.proxy import Proxy
from tests.support.server import RunningServer

CLOCK = """
import time
machine, shift = time.time, 0.0
# The clock of the machine, which somebody sets during the run; the server's is another.
time.time = lambda: machine() + shift
from trialbook import Task
task = Task.init("Faults", "clock", reuse_last_task_id=False)
print("TASK", task.id)
step = 0
for shift in (0.0, -7200.0, 3 * 86400.0, -0.5):
    print("FROM", time.time())
    for _ in range(400):
        task.get_logger().report_scalar("loss", "train", float(step), step)
        if step % 10 == 0:
            print("line", step)
        step += 1
    assert task.flush()
    print("TO", time.time())
"""


def test_a_clock_that_is_turned_back_and_forth(server: RunningServer, tmp_path: Path) -> None:
    program = Program(CLOCK, server, tmp_path)
    assert program.wait() == 0, program.text
    task = program.wait_for("TASK")
    reply = server.call("series.raw", {"series": {"tasks": [task]}, "format": "json"})
    (series,) = (one for one in reply["series"] if one["metric"] == "loss")
    assert series["iter"] == list(range(1600))
    assert series["value"] == [float(step) for step in range(1600)]
    for part, (begun, ended) in enumerate(zip(program.said("FROM"), program.said("TO"), strict=True)):
        times = series["time"][400 * part : 400 * part + 400]
        assert times == sorted(times)
        assert float(begun) - 0.01 <= times[0] and times[-1] <= float(ended) + 0.01, (
            "as the program's clock told"
        )
    lines = [line for line in console(server, task).splitlines() if line.startswith("line")]
    assert lines == [f"line {step}" for step in range(0, 1600, 10)]
    assert document(server, task)["status"] == "completed"
    (state,) = server.call("journals.status", {"tasks": [task]})["tasks"]
    assert state["complete"]


def test_a_network_that_comes_and_goes(server: RunningServer, tmp_path: Path) -> None:
    source, proxy = random.Random(7), Proxy(server.port)
    trainer = Trainer(server, tmp_path / "home", TRIALBOOK_API_HOST=proxy.url)
    task = trainer.wait_for("TASK")
    for _ in range(4):
        trainer.advance(source.randrange(50, 400))
        proxy.cut()
        trainer.advance(source.randrange(50, 400))
        threading.Event().wait(source.uniform(0.0, 0.5))
        proxy.mend()
    trainer.advance(100)
    trainer.end()
    until(lambda: not checks.journals(trainer.home), 60)
    # Artifacts are addressed through the proxy, as the trainer knew it.
    checks.everything(server, task, trainer.note, exact=True)
    assert document(server, task)["status"] == "completed"
    proxy.close()
