"""Beginning a run without waiting for the server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.catalogue.conftest import Begin
from tests.integration.program import Program, console, document, points, until
from tests.integration.proxy import Proxy
from tests.support.server import RunningServer
from trialbook import Task
from trialbook.base.ids import new_id
from trialbook.errors import TaskNotFound, UsageError
from trialbook.sdk.servers import connection as connections

SOURCE = """
import sys, multiprocessing
from trialbook import Task, Logger
def child():
    Logger.current_logger().report_scalar("child", "x", 2.0, 1)
task = Task.init("Catalogue/Deferred", "run", tags=["one"], auto_resource_monitoring=False{more})
print("TASK", task.id)
task.connect({"rate": 0.5})
task.get_logger().report_scalar("loss", "train", 0.25, 3)
task.upload_artifact("notes", {"a": 1})
print("REPORTED")
"""
WAIT = """
import pathlib, threading
while not pathlib.Path("go on").exists():
    threading.Event().wait(0.05)
"""
FORK = """
process = multiprocessing.get_context("fork").Process(target=child)
process.start(); process.join()
"""


@pytest.fixture
def proxy(sdk: RunningServer) -> Iterator[Proxy]:
    """A network that can be away."""
    made = Proxy(sdk.port)
    yield made
    made.close()


@pytest.mark.covers("IA-20")
def test_a_server_that_does_not_answer_holds_nothing_up(
    sdk: RunningServer, proxy: Proxy, tmp_path: Path
) -> None:
    proxy.cut()
    source = SOURCE.replace("{more}", ", deferred_init=True") + FORK + WAIT
    program = Program(
        source, sdk, tmp_path, TRIALBOOK_API_HOST=proxy.url, TRIALBOOK_FILES_HOST=f"{sdk.url}/files"
    )
    # Init has returned, and reported, while nobody has answered anything.
    task = program.wait_for("TASK")
    program.wait_for("REPORTED")
    assert sdk.call("tasks.get_all", {"id": [task]})["tasks"] == []
    proxy.mend()
    until(lambda: sdk.call("tasks.get_all", {"id": [task]})["tasks"], 60)
    until(lambda: sorted(points(sdk, task)) == ["child/x", "loss/train"], 60)
    (tmp_path / "go on").touch()
    assert program.wait() == 0, program.text
    found = document(sdk, task)
    assert (found["name"], found["status"], found["tags"]) == ("run", "completed", ["one"])
    assert found["project"] and found["hyperparams"]["General"]["rate"]["value"] == "0.5"
    assert found["script"]["entry_point"] == "train.py" and "deferred_init" in found["script"]["diff"]
    assert points(sdk, task)["loss/train"] == {"iter": [3], "value": [0.25]}
    artifacts = Task.get_task(task).artifacts
    assert artifacts["notes"].get() == {"a": 1}
    assert "REPORTED" in console(sdk, task)
    assert f"/projects/*/tasks/{task}\n" in program.text


@pytest.mark.covers("IA-20")
def test_a_process_that_is_started_at_once_finds_the_task(sdk: RunningServer, tmp_path: Path) -> None:
    source = SOURCE.replace("{more}", ", deferred_init=True") + (
        """
import subprocess
code = "from trialbook import Task; t = Task.current_task(); t.get_logger().report_scalar('child', 'x', 2.0, 1)"
subprocess.run([sys.executable, "-c", code + "; print('CHILD', t.id); t.close()"], check=True)
"""
    )
    program = Program(source, sdk, tmp_path)
    assert program.wait() == 0, program.text
    task = program.wait_for("TASK")
    assert program.wait_for("CHILD") == task
    assert sorted(points(sdk, task)) == ["child/x", "loss/train"]
    assert document(sdk, task)["status"] == "completed"


@pytest.mark.covers("IA-20")
def test_a_child_waits_for_the_task_of_its_parent(
    sdk: RunningServer, begin: Begin, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = new_id()
    session = connections.connect().session
    ask = session.call
    refused: list[str] = []

    def call(method: str, params: dict[str, Any] | None = None, **more: Any) -> Any:
        try:
            return ask(method, params, **more)
        except TaskNotFound:
            refused.append(method)
            if len(refused) == 3:
                # Only now does the parent's journal arrive.
                fields = {"id": task, "name": "parent", "project_name": project, "type": "training"}
                sdk.call("tasks.create", fields)
            raise

    monkeypatch.setattr(session, "call", call)
    monkeypatch.setenv("TRIALBOOK_PROC_MASTER_ID", f"1:{task}")
    assert begin().id == task


@pytest.mark.covers("IA-20")
def test_what_needs_an_answer_cannot_be_deferred(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    first = begin()
    first.close()
    for wrong in ({"reuse_last_task_id": first.id}, {"continue_last_task": True}, {"continue_last_task": 0}):
        with pytest.raises(UsageError, match="deferred_init"):
            begin(deferred_init=True, **wrong)
    assert Task.current_task() is None
    later = begin(deferred_init=True)
    assert later.id != first.id, "only the server could say that the first one may be erased"
    later.close()
    # The setting is for all programs, so it gives way where the program asks for more.
    monkeypatch.setenv("CLEARML_DEFERRED_TASK_INIT", "1")
    other = begin()
    assert other.id not in (first.id, later.id)
    other.close()
    assert begin(continue_last_task=True, deferred_init=None).id not in (other.id, later.id)


@pytest.mark.covers("IA-20")
def test_an_agent_has_the_task_already(begin: Begin, draft: Task) -> None:
    draft.set_parameter("General/rate", 0.5)
    Task.debug_simulate_remote_task(draft.id)
    task = begin(deferred_init=True)
    assert task.id == draft.id and task.connect({"rate": 0.1}) == {"rate": 0.5}
