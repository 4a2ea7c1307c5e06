"""A run that goes on elsewhere: what an agent's environment changes, end to end, with real processes."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.program import Program, console, document, points
from tests.support.server import RunningServer

CAST = """
import argparse, enum, json
from trialbook import Task

class Colour(enum.Enum):
    RED = 1
    BLUE = 2

parser = argparse.ArgumentParser()
parser.add_argument("required", type=int)
parser.add_argument("--steps", type=int, default=1)
parser.add_argument("--flag", action="store_true")
parser.add_argument("--sizes", nargs="+", type=int, default=[7])
parser.add_argument("--mode", choices=["a", "b"], required=True)
args = parser.parse_args(ARGUMENTS)
task = Task.init("Remote", "cast", reuse_last_task_id=False, auto_connect_streams=False)
given = {"bool": True, "int": 8, "half": 8, "float": 0.1, "text": "adam", "list": [1, 2], "pair": (1, 2),
         "bracket": (1, 2), "net": {"depth": 3, "deep": {"x": 1}}, "none": None, "empty": 5, "colour": Colour.RED,
         "broken": 5}
connected = task.connect(given, name="Train")
if not ONLY_OLD:
    connected = task.connect({**connected, "fresh": 1.5}, name="Train")
print("SEEN", json.dumps({k: repr(v) for k, v in connected.items()}))
print("ARGS", json.dumps({k: repr(v) for k, v in vars(args).items()}))
print("LOCAL", Task.running_locally())
connected["int"] = 99
print("TASK", task.id)
"""

EDITED = {
    "Train/bool": "false",
    "Train/int": "16",
    "Train/half": "0.5",
    "Train/float": "1e-3",
    "Train/text": "123",
    "Train/list": "[3, 4]",
    "Train/pair": "(3, 4)",
    "Train/bracket": "[3, 4]",
    "Train/net/depth": "5",
    "Train/none": "5",
    "Train/empty": "",
    "Train/colour": "BLUE",
    "Train/broken": "abc",
    "Train/added": "word",
    "Train/net/wide": "9",
    "Args/steps": "20",
    "Args/flag": "True",
    "Args/sizes": "[1, 2]",
}
EXPECTED = {
    "bool": False,
    "int": 16,
    "half": 0.5,
    "float": 0.001,
    "text": "123",
    "list": [3, 4],
    "pair": (3, 4),
    "bracket": (3, 4),
    "net": {"depth": 5, "deep": {"x": 1}, "wide": "9"},
    "empty": None,
    "broken": 5,
    "added": "word",
    "fresh": 1.5,
}


def edit(server: RunningServer, task: str, values: dict[str, str]) -> None:
    known = document(server, task)["hyperparams"]
    items = []
    for name, value in values.items():
        section, key = name.split("/", 1)
        items.append({**known.get(section, {}).get(key, {"section": section, "name": key}), "value": value})
    server.call(
        "tasks.edit_hyper_params", {"task": task, "hyperparams": items, "replace_hyperparams": "none"}
    )


def values(server: RunningServer, task: str, section: str) -> dict[str, str]:
    return {name: item["value"] for name, item in document(server, task)["hyperparams"][section].items()}


def clone(server: RunningServer, task: str) -> str:
    return str(server.call("tasks.clone", {"task": task, "new_task_name": "copy"})["id"])


def local_cast(server: RunningServer, home: Path) -> str:
    source = CAST.replace("ARGUMENTS", '["4", "--mode", "b"]').replace("ONLY_OLD", "True")
    program = Program(source, server, home)
    assert program.wait() == 0, program.text
    assert program.wait_for("LOCAL") == "True"
    return program.wait_for("TASK")


@pytest.mark.parametrize("prefix", ["TRIALBOOK", "CLEARML"])
def test_stored_values_reach_the_code_with_their_types(
    server: RunningServer, tmp_path: Path, prefix: str
) -> None:
    task = clone(server, local_cast(server, tmp_path / "local"))
    edit(server, task, EDITED)
    source = CAST.replace("ARGUMENTS", "None").replace("ONLY_OLD", "False")
    # An agent sends what its child prints, and tells it so.
    backend = {"CLEARML_LOG_TASK_TO_BACKEND": "0"} if prefix == "CLEARML" else {}
    program = Program(source, server, tmp_path / "agent", **{f"{prefix}_TASK_ID": task}, **backend)
    assert program.wait() == 0, program.text
    assert program.wait_for("TASK") == task
    assert program.wait_for("LOCAL") == "False"
    seen: dict[str, Any] = json.loads(program.wait_for("SEEN"))
    assert "BLUE" in seen.pop("colour")
    assert seen.pop("none") in ("5", "'5'")
    assert seen == {name: repr(value) for name, value in EXPECTED.items()}
    arguments = json.loads(program.wait_for("ARGS"))
    assert arguments == {
        "required": "4",
        "steps": "20",
        "flag": "True",
        "sizes": "[1, 2]",
        "mode": "'b'",
    }
    found = document(server, task)
    assert found["name"] == "copy"
    assert found["status"] == "in_progress", "the agent sets the final status"
    assert (f"task {task} stays in_progress" in program.text) != bool(backend), "there may be none"
    stored = values(server, task, "Train")
    assert stored["int"] == "99", "what the code writes later replaces the stored value"
    assert stored["fresh"] == "1.5" and stored["added"] == "word"
    assert stored["text"] == "123"


def test_a_simulated_run_ends_by_itself(server: RunningServer, tmp_path: Path) -> None:
    task = local_cast(server, tmp_path / "local")
    edit_forced = {"section": "Train", "name": "int", "value": "17", "type": "int"}
    server.call("tasks.edit_hyper_params", {"task": task, "hyperparams": [edit_forced], "force": True})
    begin = f"from trialbook import Task\nTask.debug_simulate_remote_task({task!r}, reset_task=True)\n"
    source = begin + CAST.replace("ARGUMENTS", "[]").replace("ONLY_OLD", "True")
    source += "task.get_logger().report_scalar('a', 'b', 1.0, 3)\n"
    program = Program(source, server, tmp_path / "again")
    assert program.wait() == 0, program.text
    assert program.wait_for("TASK") == task
    assert program.wait_for("LOCAL") == "False"
    assert json.loads(program.wait_for("SEEN"))["int"] == "17"
    assert document(server, task)["status"] == "completed"
    assert points(server, task) == {"a/b": {"iter": [3], "value": [1.0]}}


def test_sub_commands_and_types_of_the_parser(server: RunningServer, tmp_path: Path) -> None:
    source = """
import argparse, pathlib, sys
from trialbook import Task
task = Task.init("Remote", "sub", reuse_last_task_id=False)
parser = argparse.ArgumentParser()
parser.add_argument("--out", type=pathlib.Path, required=True)
commands = parser.add_subparsers(dest="command", required=True)
train = commands.add_parser("train")
train.add_argument("--epochs", type=int, required=True)
commands.add_parser("test")
args = parser.parse_args(ARGUMENTS)
print("ARGS", args)
print("TASK", task.id)
"""
    local = Program(
        source.replace("ARGUMENTS", '["--out", "a/b", "train", "--epochs", "3"]'), server, tmp_path / "local"
    )
    assert local.wait() == 0, local.text
    task = clone(server, local.wait_for("TASK"))
    edit(server, task, {"Args/train/epochs": "5", "Args/out": "c/d"})
    agent = Program(source.replace("ARGUMENTS", ""), server, tmp_path / "agent", TRIALBOOK_TASK_ID=task)
    assert agent.wait() == 0, agent.text
    assert agent.wait_for("ARGS") == "Namespace(out=PosixPath('c/d'), command='train', epochs=5)"


def test_configuration_comes_from_the_task(server: RunningServer, tmp_path: Path) -> None:
    source = """
import pathlib
from trialbook import Task
pathlib.Path("c.yaml").write_text("lr: 1\\n")
task = Task.init("Remote", "configuration", reuse_last_task_id=False)
path = task.connect_configuration(pathlib.Path("c.yaml"), name="file")
print("FILE", type(path).__name__.replace("WindowsPath", "PosixPath"), path.suffix, path.read_text().strip())
values = task.connect_configuration({"a": {"b": 1}}, name="dict")
print("DICT", dict(values))
print("LABELS", task.connect_label_enumeration({"cat": 0}))
print("TASK", task.id)
"""
    local = Program(source, server, tmp_path / "local")
    assert local.wait() == 0, local.text
    assert local.wait_for("DICT") == "{'a': {'b': 1}}"
    task = clone(server, local.wait_for("TASK"))
    items = [{"name": "file", "value": "lr: 2\n"}, {"name": "dict", "value": "a { b = 7 }"}]
    server.call("tasks.edit_configuration", {"task": task, "configuration": items})
    server.call("tasks.edit", {"task": task, "execution": {"model_labels": {"dog": 3}}})
    agent = Program(source, server, tmp_path / "agent", TRIALBOOK_TASK_ID=task)
    assert agent.wait() == 0, agent.text
    assert agent.wait_for("FILE") == "PosixPath .yaml lr: 2"
    assert agent.wait_for("DICT") == "{'a': {'b': 7}}"
    assert agent.wait_for("LABELS") == "{'dog': 3}"


MOVE = """
from trialbook import Task
task = Task.init("Remote", "move", reuse_last_task_id=False)
values = task.connect({"lr": 0.1})
print("TASK", task.id)
task.get_logger().report_scalar("before", "x", 1.0, 0)
queued = task.execute_remotely(CALL)
print("AFTER", queued.id if queued else None, values["lr"])
task.get_logger().report_scalar("after", "x", 2.0, 0)
"""


def queue(server: RunningServer, name: str) -> str:
    return str(server.call("queues.create", {"name": name})["id"])


def test_execute_remotely_moves_the_run(server: RunningServer, tmp_path: Path) -> None:
    wanted = queue(server, "move")
    local = Program(MOVE.replace("CALL", '"move"'), server, tmp_path / "local")
    assert local.wait() == 0, local.text
    assert not local.said("AFTER")
    task = local.wait_for("TASK")
    found = document(server, task)
    assert found["status"] == "queued" and found["execution"]["queue"] == wanted
    assert "development" not in found["system_tags"]
    assert points(server, task) == {}
    assert values(server, task, "General") == {"lr": "0.1"}
    assert "execute_remotely" in found["script"]["diff"]
    assert "# Python" in found["script"]["requirements"]["pip"]

    agent = Program(MOVE.replace("CALL", '"move"'), server, tmp_path / "agent", TRIALBOOK_TASK_ID=task)
    assert agent.wait() == 0, agent.text
    assert agent.wait_for("AFTER") == "None 0.1"
    assert sorted(points(server, task)) == ["after/x", "before/x"]


def test_execute_remotely_queues_a_copy(server: RunningServer, tmp_path: Path) -> None:
    queue(server, "copies")
    call = '"copies", clone=True, exit_process=False'
    local = Program(MOVE.replace("CALL", call), server, tmp_path / "local")
    assert local.wait() == 0, local.text
    copy = local.wait_for("AFTER").split()[0]
    assert document(server, copy)["status"] == "queued"
    assert document(server, copy)["parent"] == local.wait_for("TASK")
    assert document(server, local.wait_for("TASK"))["status"] == "completed"
    assert sorted(points(server, local.wait_for("TASK"))) == ["after/x", "before/x"]
    assert document(server, copy)["script"] == document(server, local.wait_for("TASK"))["script"]


def test_execute_remotely_without_a_queue_leaves_a_draft(server: RunningServer, tmp_path: Path) -> None:
    local = Program(MOVE.replace("CALL", ""), server, tmp_path / "local")
    assert local.wait() == 0 and not local.said("AFTER"), local.text
    assert document(server, local.wait_for("TASK"))["status"] == "created"


def test_a_wrong_queue_stops_nothing(server: RunningServer, tmp_path: Path) -> None:
    source = MOVE.replace(
        "queued = task.execute_remotely(CALL)",
        """queued = None
from trialbook.errors import QueueNotFound, UsageError
for call in ({"queue_name": "no such queue"}, {"exit_process": False}):
    try:
        task.execute_remotely(**call)
    except (QueueNotFound, UsageError) as error:
        print("REFUSED", error)""",
    )
    local = Program(source, server, tmp_path / "local")
    assert local.wait() == 0, local.text
    assert len(local.said("REFUSED")) == 2
    assert document(server, local.wait_for("TASK"))["status"] == "completed"


FUNCTION = """
from trialbook import Task, Logger
def train(epochs, rate=0.5, options=None):
    print("TRAINED", epochs, rate, options)
    Logger.current_logger().report_scalar("trained", "x", float(epochs), 0)
def other(x):
    print("OTHER", x)
task = Task.init("Remote", "functions", reuse_last_task_id=False)
first = task.create_function_task(train, epochs=3, options={"deep": {"x": 1}})
second = task.create_function_task(other, task_name="named", x="text")
try:
    task.create_function_task(lambda: 0, func_name="train")
except ValueError as error:
    print("REFUSED", error)
print("TASKS", task.id, first and first.id, second and second.id)
"""


def test_a_function_as_a_task(server: RunningServer, tmp_path: Path) -> None:
    local = Program(FUNCTION, server, tmp_path / "local")
    assert local.wait() == 0, local.text
    assert not local.said("TRAINED") and local.said("REFUSED")
    main, first, second = local.wait_for("TASKS").split()
    made = document(server, first)
    assert (made["name"], made["status"], made["parent"]) == ("functions train", "created", main)
    assert made["script"] == document(server, main)["script"]
    assert "Function" not in document(server, main)["hyperparams"]
    assert document(server, second)["name"] == "named"

    edit(server, first, {"Function/epochs": "4", "Function/options/deep/x": "2"})
    agent = Program(FUNCTION, server, tmp_path / "one", TRIALBOOK_TASK_ID=first)
    assert agent.wait() == 0, agent.text
    assert agent.wait_for("TRAINED") == "4 0.5 {'deep': {'x': 2}}"
    assert not agent.said("TASKS") and not agent.said("OTHER")
    assert points(server, first)["trained/x"]["value"] == [4.0]

    agent = Program(FUNCTION, server, tmp_path / "two", TRIALBOOK_TASK_ID=second)
    assert agent.wait() == 0, agent.text
    assert agent.wait_for("OTHER") == "text"
    assert not agent.said("TRAINED")
    assert "OTHER text" in console(server, second)
