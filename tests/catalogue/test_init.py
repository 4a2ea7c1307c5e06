"""``Task.init``: which task a run takes, where it goes on, what its arguments do."""

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy
import pytest

from tests.catalogue.conftest import Begin, again
from tests.integration.program import Program, console, document, points
from tests.support.server import RunningServer
from trialbook import InputModel, OutputModel, Task
from trialbook.errors import UsageError
from trialbook.sdk.servers import connection as connections


def ended(begin: Begin, name: str = "run", **more: Any) -> str:
    task = begin(name, **more)
    task.get_logger().report_scalar("a", "b", 1.0, 100)
    task.close()
    return task.id


@pytest.mark.covers("TK-058", "IN-1", "IN-2", "IA-3")
def test_a_second_run_takes_the_task_again(begin: Begin, project: str) -> None:
    task = begin("again", project=f"{project}/deep/er")
    assert task.get_project_name() == f"{project}/deep/er" and Task.get_project_id(f"{project}/deep")
    task.connect({"old": 1})
    task.get_logger().report_text("first run", print_console=False)
    task.get_logger().report_scalar("a", "b", 1.0, 100)
    task.set_input_model(InputModel.import_model("http://example.org/reused.pt").id)
    task.close()
    second = begin("again", project=f"{project}/deep/er")
    assert second.id == task.id
    second.connect({"new": 1})
    found = again(second)
    assert found.get_reported_scalars() == {} and found.get_reported_console_output(9) == []
    assert found.get_parameters() == {"General/new": "1"} and found.status == "in_progress"


@pytest.mark.covers("IN-3", "IN-4", "IN-5", "IN-6", "IN-7", "IN-10", "IN-11")
def test_what_makes_a_new_task(begin: Begin) -> None:
    def after(name: str, change: Any, **more: Any) -> bool:
        task = begin(name)
        if change is not None:
            change(task)
        task.close()
        return ended(begin, name, **more) == task.id

    def archived(task: Task) -> None:
        task.close()
        Task.get_task(task.id).set_archived(True)  # type: ignore[union-attr]

    def published(task: Task) -> None:
        task.close()
        Task.get_task(task.id).publish()  # type: ignore[union-attr]

    def queued(task: Task) -> None:
        task.close()
        queue = connections.connect().session.call("queues.create", {"name": task.id})["id"]
        found = Task.get_task(task.id)
        assert found is not None
        found.reset()
        Task.enqueue(found, queue_id=queue)

    assert after("nothing", None)
    assert not after("artifact", lambda task: task.upload_artifact("x", {"a": 1}))
    assert not after("model", lambda task: OutputModel(task).update_weights(register_uri="http://x/y.pt"))
    assert not after("published", published)
    assert not after("archived", archived)
    assert not after("unwanted", None, reuse_last_task_id=False)
    assert not after("renamed", lambda task: task.set_name("else"))
    assert not after("type", None, task_type="testing")
    assert not after("queued", queued)


@pytest.mark.covers("IN-8")
def test_naming_the_task_to_take(begin: Begin, caplog: pytest.LogCaptureFixture) -> None:
    first = ended(begin, "first")
    second = ended(begin, "first", reuse_last_task_id=False)
    assert second != first and ended(begin, "first", reuse_last_task_id=first) == first
    kept = begin("kept")
    kept.upload_artifact("x", {"a": 1})
    kept.close()
    assert ended(begin, "kept", reuse_last_task_id=kept.id) != kept.id
    assert "artifacts" in caplog.text
    assert ended(begin, "new", reuse_last_task_id="0" * 32)


@pytest.mark.covers("IN-9", "IN-12", "IN-14")
def test_when_the_host_forgets(begin: Begin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    first = ended(begin)
    monkeypatch.setenv("TRIALBOOK_TASK_REUSE_HOURS", "0")
    connections.disconnect()
    second = ended(begin)
    assert second != first
    monkeypatch.delenv("TRIALBOOK_TASK_REUSE_HOURS")
    monkeypatch.setenv("TRIALBOOK_TASK_NO_REUSE", "1")
    connections.disconnect()
    third = ended(begin)
    assert third != second
    monkeypatch.delenv("TRIALBOOK_TASK_NO_REUSE")
    connections.disconnect()
    assert ended(begin) == third
    (tmp_path / "home" / "cache" / "tasks.json").unlink()
    assert ended(begin) != third


@pytest.mark.covers("IN-13")
def test_an_agents_id_wins(begin: Begin, draft: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TRIALBOOK_TASK_ID", "CLEARML_TASK_ID"):
        monkeypatch.setenv(name, draft.id)
        connections.disconnect()
        task = begin(
            "other", project="Other", task_type="qc", reuse_last_task_id=False, continue_last_task=True
        )
        assert task.id == draft.id
        task.close()
        monkeypatch.delenv(name)
    found = again(draft)
    assert (found.name, found.task_type) == ("draft", "training")


@pytest.mark.covers("CO-1", "CO-2", "CO-3", "CO-4", "CO-5", "CO-7", "CO-9", "CO-12")
def test_continuing(begin: Begin, capsys: pytest.CaptureFixture[str], project: str) -> None:
    task = begin()
    task.get_logger().report_scalar("a", "b", 1.0, 100)
    task.get_logger().report_text("first run", print_console=False)
    task.upload_artifact("x", {"a": 1})
    OutputModel(task, name="net").update_weights(register_uri="http://x/y.pt")
    task.close()
    second = begin(continue_last_task=True)
    assert second.id == task.id and second.get_initial_iteration() == 101
    out = capsys.readouterr().out
    assert "continuing" in out and "cannot be reproduced" in out
    logger = second.get_logger()
    logger.report_scalar("a", "b", 2.0, 0)
    logger.report_plotly("p", "s", {"data": [], "layout": {}}, 0)
    found = again(second)
    assert found.get_reported_scalars()["a"]["b"] == {"x": [100, 101], "y": [1.0, 2.0]}
    assert found.get_reported_plots()[0]["iter"] == 101
    assert "x" in found.artifacts and len(found.models.output) == 1
    assert "first run" in found.get_reported_console_output(10)
    second.set_initial_iteration(0)
    logger.report_scalar("a", "b", 3.0, 150)
    assert again(second).get_reported_scalars()["a"]["b"]["x"][-1] == 150, "for scripts that count on"
    second.close()
    third = begin("else", continue_last_task=task.id)
    assert third.id == task.id and third.get_initial_iteration() == 151
    third.close()
    for offset in (0, 1000):
        fourth = begin(continue_last_task=offset)
        assert fourth.id == task.id and fourth.get_initial_iteration() == offset
        fourth.close()


@pytest.mark.covers("CO-6", "CO-8", "CO-11")
def test_what_can_be_continued(begin: Begin, caplog: pytest.LogCaptureFixture) -> None:
    silent = begin("silent")
    silent.close()
    task = begin("silent", continue_last_task=True)
    assert task.id == silent.id and task.get_initial_iteration() <= 1
    task.close()
    for status in ("failed", "stopped"):
        getattr(Task.get_task(silent.id), f"mark_{status}")(force=True)
        task = begin("silent", continue_last_task=True)
        assert task.id == silent.id and task.status == "in_progress"
        task.close()
    Task.get_task(silent.id).publish()  # type: ignore[union-attr]
    assert ended(begin, "silent", continue_last_task=True) != silent.id
    assert "published" in caplog.text, "a visible warning"
    fresh = begin("never ran", continue_last_task=True)
    assert fresh.get_initial_iteration() == 0
    fresh.close()
    unknown = begin("never ran", continue_last_task="0" * 32)
    assert unknown.id != fresh.id and unknown.get_initial_iteration() == 0


@pytest.mark.covers("CO-10")
def test_an_agent_goes_on_where_it_was_stopped(begin: Begin, draft: Task) -> None:
    draft.get_logger().report_scalar("a", "b", 1.0, 7)
    draft.get_logger().flush(wait=True)
    Task.debug_simulate_remote_task(draft.id)
    assert begin().get_initial_iteration() == 8


@pytest.mark.covers("IA-1", "IA-2")
def test_names_by_default(sdk: RunningServer, tmp_path: Path) -> None:
    source = """
from trialbook import Task
task = Task.init(auto_resource_monitoring=False, reuse_last_task_id=False)
print("TASK", task.id)
"""
    checkout = tmp_path / "checkout"
    (checkout / "src").mkdir(parents=True)
    for words in (
        ["init", "-q"],
        ["remote", "add", "origin", "git@example.org:lab/digits.git"],
    ):
        subprocess.run(["git", "-C", str(checkout), *words], check=True)
    named = Program(source, sdk, checkout / "src")
    assert named.wait() == 0, named.text
    alone = Program(source, sdk, tmp_path / "alone")
    assert alone.wait() == 0, alone.text
    for program, project in ((named, "digits"), (alone, "Untitled")):
        task = Task.get_task(program.wait_for("TASK"))
        assert task is not None and (task.get_project_name(), task.name) == (project, "train")


@pytest.mark.covers("IA-4")
def test_a_type_that_is_none(begin: Begin) -> None:
    with pytest.raises(UsageError, match="unknown task type 'sorcery'; one of training"):
        begin(task_type="sorcery")
    assert Task.current_task() is None
    assert begin(task_type="optimizer").task_type == "optimizer"


@pytest.mark.covers("IA-5")
def test_tags(begin: Begin) -> None:
    task = begin(tags=["a", "b"])
    assert again(task).get_tags() == ["a", "b"]
    task.close()
    second = begin(tags=["b", "c"], continue_last_task=True)
    assert sorted(again(second).get_tags()) == ["a", "b", "c"]


@pytest.mark.covers("IA-6", "IA-7", "IA-8")
def test_destinations(begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = begin("none")
    assert task.output_uri is None
    task.close()
    task = begin("files", output_uri=True)
    assert str(again(task).output_uri).endswith("/files")
    task.close()
    task = begin("folder", output_uri=str(tmp_path / "out"))
    assert again(task).output_uri == str(tmp_path / "out")
    task.close()
    blocked = tmp_path / "blocked"
    blocked.write_text("")
    with pytest.raises(UsageError, match="cannot be used"):
        begin("blocked", output_uri=str(blocked))
    assert Task.current_task() is None
    monkeypatch.setenv("TRIALBOOK_DEFAULT_OUTPUT_URI", str(tmp_path / "default"))
    task = begin("default")
    assert task.output_uri == str(tmp_path / "default")
    task.close()
    assert begin("not even the default", output_uri=False).output_uri is None


ARGUMENTS = """
import argparse
from trialbook import Task
task = Task.init("Catalogue/Arguments", "run", reuse_last_task_id=False, auto_connect_streams=False,
                 auto_resource_monitoring=False, auto_connect_arg_parser=WANTED)
parser = argparse.ArgumentParser()
for name in ("--x", "--y", "--z"):
    parser.add_argument(name, default=name)
parser.parse_args([])
print("TASK", task.id)
"""


@pytest.mark.covers("IA-9", "IA-10", "IA-11")
@pytest.mark.parametrize(
    ("wanted", "names"),
    [("True", "xyz"), ("False", ""), ("{'x': False}", "yz"), ("{}", "")],
)
def test_command_lines(sdk: RunningServer, tmp_path: Path, wanted: str, names: str) -> None:
    program = Program(ARGUMENTS.replace("WANTED", wanted), sdk, tmp_path / "run")
    assert program.wait() == 0, program.text
    found = document(sdk, program.wait_for("TASK"))["hyperparams"].get("Args", {})
    assert sorted(found) == sorted(names)


@pytest.mark.covers("IA-13", "IA-15")
def test_what_is_watched(
    begin: Begin, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # A worker of a test run has no script of its own; this file would have all tests searched for their imports.
    script = tmp_path / "train.py"
    script.write_text("import trialbook\n")
    monkeypatch.setattr(sys.modules["__main__"], "__file__", str(script), raising=False)
    for wish in (False, {}, {"pytorch": False, "detect_repository": False}, True):
        task = begin(auto_connect_frameworks=wish, reuse_last_task_id=False)
        described = task._run is not None and task._run.described.wait(30)
        task.close()
        found = again(task).get_script()
        assert described and bool(found["entry_point"]) == (wish in (False, {}, True)), wish
    assert not [record for record in caplog.records if "auto_connect_frameworks" in record.message]
    begin(auto_connect_frameworks={"pytorhc": False, "detect_repository": False}).close()
    assert "'pytorhc'" in caplog.text


@pytest.mark.covers("IA-12", "IA-13", "IA-14")
@pytest.mark.parametrize(
    ("wish", "models", "figures"),
    [
        (True, ["kept", "other"], 1),
        (False, [], 0),
        ({}, [], 0),
        ({"matplotlib": False}, ["kept", "other"], 0),
        ({"joblib": False}, [], 1),
        ({"joblib": "kept.*"}, ["kept"], 1),
        ({"joblib": ["kept.*", "folder/*.pkl"]}, ["kept", "other"], 1),
    ],
    ids=str,
)
def test_libraries_that_are_watched(
    begin: Begin, tmp_path: Path, wish: Any, models: list[str], figures: int
) -> None:
    figure_module, joblib = pytest.importorskip("matplotlib.figure"), pytest.importorskip("joblib")
    task = begin(auto_connect_frameworks=wish, reuse_last_task_id=False)
    (tmp_path / "folder").mkdir()
    joblib.dump([1], tmp_path / "kept.pkl")
    joblib.dump([2], tmp_path / "folder" / "other.pkl")
    figure = figure_module.Figure()
    figure.subplots().plot([1, 2])
    figure.savefig(tmp_path / "line.png")
    task.close()
    assert joblib.load(tmp_path / "kept.pkl") == [1] and (tmp_path / "line.png").stat().st_size
    found = again(task)
    assert sorted(found.models["output"].keys()) == models
    assert len(found.get_reported_plots()) == figures


class Watcher:
    """A monitor of one's own."""

    seen: list[str]

    def __init__(self, task: Task) -> None:
        self.task = task
        Watcher.seen = []

    def start(self) -> None:
        Watcher.seen.append(f"start {self.task.id}")

    def stop(self) -> None:
        Watcher.seen.append("stop")


@pytest.mark.covers("IA-16", "RM-8")
def test_a_monitor_of_ones_own(begin: Begin) -> None:
    task = begin(auto_resource_monitoring=Watcher)
    task.close()
    assert Watcher.seen == [f"start {task.id}", "stop"]
    assert begin(auto_resource_monitoring=False)._run.monitor is None  # type: ignore[union-attr]


STREAMS = """
import logging, sys
from trialbook import Task
logging.basicConfig(level=logging.INFO, stream=sys.stderr)
task = Task.init("Catalogue/Streams", "run", reuse_last_task_id=False, auto_resource_monitoring=False,
                 auto_connect_streams=WANTED)
print("on stdout")
print("on stderr", file=sys.stderr)
logging.info("a record")
task.get_logger().report_text("explicit")
print("TASK", task.id)
"""


@pytest.mark.covers("IA-17", "IA-18", "CC-1", "CC-2", "CC-12")
@pytest.mark.parametrize(
    ("wanted", "seen"),
    [
        ("True", {"on stdout", "on stderr", "a record"}),
        ("False", set()),
        ("{}", set()),
        ("{'stdout': True}", {"on stdout"}),
        ("{'logging': True}", {"a record"}),
        ("{'stderr': True, 'logging': True}", {"on stderr", "a record"}),
    ],
)
def test_streams(sdk: RunningServer, tmp_path: Path, wanted: str, seen: set[str]) -> None:
    program = Program(STREAMS.replace("WANTED", wanted), sdk, tmp_path / "run")
    assert program.wait() == 0, program.text
    task = program.wait_for("TASK")
    text = console(sdk, task)
    for line in ("on stdout", "on stderr", "a record"):
        assert text.count(line) == (1 if line in seen else 0), (line, text)
        assert program.text.count(line) == 1, "the terminal is unchanged"
    assert text.count("explicit") == 1
    assert f"id={task}" in program.text and f"/tasks/{task}\n" in program.text


@pytest.mark.covers("IA-19")
def test_a_server_that_is_away(sdk: RunningServer, tmp_path: Path) -> None:
    source = """
import time
begin = time.monotonic()
from trialbook import Task
task = Task.init("Catalogue/Away", "run", auto_resource_monitoring=False)
task.get_logger().report_scalar("a", "b", 1.0, 1)
print("WENT ON", time.monotonic() - begin < 30)
"""
    program = Program(
        source,
        sdk,
        tmp_path / "run",
        TRIALBOOK_API_HOST="http://127.0.0.1:9",
        TRIALBOOK_CONNECT_TIMEOUT="1",
        TRIALBOOK_CLOSE_TIMEOUT="1",
    )
    assert program.wait() == 0, program.text
    assert program.wait_for("WENT ON") == "True"
    assert "127.0.0.1:9" in program.text and "continues offline" in program.text


@pytest.mark.covers("TI-12")
def test_seeds(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn() -> tuple[float, float]:
        begin().close()
        return random.random(), float(numpy.random.rand())

    from trialbook.sdk.process import seeds

    state, other = random.getstate(), numpy.random.get_state()
    monkeypatch.setattr(seeds._seed, "value", 1337)
    assert drawn() == drawn(), "the default"
    Task.set_random_seed(7)
    seven = drawn()
    Task.set_random_seed(8)
    assert drawn() != seven
    Task.set_random_seed(7)
    assert drawn() == seven
    Task.set_random_seed(None)
    assert drawn() != drawn()
    task = begin()
    with pytest.raises(UsageError, match=r"before Task\.init"):
        Task.set_random_seed(1)
    task.close()
    with pytest.raises(UsageError, match="integer"):
        Task.set_random_seed("x")  # type: ignore[arg-type]
    random.setstate(state)
    numpy.random.set_state(other)


@pytest.mark.covers("TK-061", "TK-086", "TK-040", "OF-1", "OF-2")
def test_offline(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not Task.is_offline()
    online = begin("online")
    assert online.get_offline_mode_folder() is None
    with pytest.raises(UsageError, match=r"before Task\.init"):
        Task.set_offline(True)
    online.close()
    monkeypatch.setenv("TRIALBOOK_OFFLINE_MODE", "1")
    assert Task.is_offline()
    monkeypatch.delenv("TRIALBOOK_OFFLINE_MODE")
    Task.set_offline(True)
    assert Task.is_offline()
    task = begin("offline")
    task.get_logger().report_scalar("a", "b", 1.0, 1)
    folder = task.get_offline_mode_folder()
    task.close()
    Task.set_offline()
    assert not Task.is_offline()
    assert folder is not None and folder.is_dir()
    imported = Task.import_offline_session(folder)
    found = Task.get_task(imported)
    assert found is not None and found.get_reported_scalars()["a"]["b"]["y"] == [1.0]
    assert found.status == "completed" and found.name == "offline"


@pytest.mark.covers("TI-12", "TK-013")
def test_an_agents_run_reports_to_its_task(sdk: RunningServer, draft: Task, tmp_path: Path) -> None:
    source = """
from trialbook import Task
task = Task.init("Other", "other", auto_resource_monitoring=False)
task.get_logger().report_scalar("a", "b", 1.0, 3)
print("SAME", Task.current_task().id)
"""
    program = Program(source, sdk, tmp_path / "run", TRIALBOOK_TASK_ID=draft.id)
    assert program.wait() == 0, program.text
    assert program.wait_for("SAME") == draft.id and points(sdk, draft.id)["a/b"]["iter"] == [3]


@pytest.mark.parametrize(
    "changed",
    [{"name": "other"}, {"project": "/elsewhere"}, {"task_type": "testing"}, {"name": "o", "project": "/e"}],
    ids=lambda changed: "+".join(changed),
)
def test_T22_a_task_is_taken_by_its_id(begin: Begin, project: str, changed: dict[str, str]) -> None:
    first = begin("first")
    first.get_logger().report_scalar("loss", "train", 1.0, 1)
    first.close()
    wanted = {"name": "first", **changed, "project": project + changed.get("project", "")}
    second = begin(reuse_last_task_id=first.id, **wanted)
    assert second.id == first.id
    assert second.name == wanted["name"] and second.get_project_name() == wanted["project"]
    assert second.task_type == wanted.get("task_type", "training")
    assert again(second).get_reported_scalars() == {}, "it is begun anew"
    assert again(second).name == wanted["name"] and again(second).get_project_name() == wanted["project"]
    second.close()
    assert begin(**wanted).id == first.id, "and it is the last run under its new name"


def test_T22_without_a_name_the_task_keeps_its_own(begin: Begin, project: str) -> None:
    first = begin("first")
    first.close()
    second = begin(None, project=None, reuse_last_task_id=first.id)  # type: ignore[arg-type]
    assert (second.id, second.name, second.get_project_name()) == (first.id, "first", project)
