"""Every kind of call that the released SDK makes for tasks, reports, artifacts, models and files.

What a script answers is written down here once and holds for both SDKs.
"""

import uuid
from typing import Any

import pytest

from tests.interop.conftest import Run
from tests.support.server import RunningServer

pytestmark = [pytest.mark.interop, pytest.mark.timeout(400)]


def run(sdk: str, request: pytest.FixtureRequest, *arguments: str, **more: Any) -> dict[str, Any]:
    runner: Run = request.getfixturevalue(f"run_{sdk}")
    return runner(*arguments, **more)


@pytest.mark.parametrize("sdk", ["clearml", "trialbook"])
def test_tasks(server: RunningServer, request: pytest.FixtureRequest, sdk: str) -> None:
    project, queue = f"Interop/{uuid.uuid4().hex[:8]}", f"queue {uuid.uuid4().hex[:8]}"
    server.call("queues.create", {"name": queue})
    answer = run(sdk, request, "task_kinds.py", project, queue)
    assert answer["created"] == {
        "status": "created",
        "type": "testing",
        "entry": "train.py",
        "diff": True,
        "packages": True,
        "docker": "python:3.12 --ipc=host",
        "setup": "echo start",
        "rate": "0.1",
    }
    assert answer["edited"] == {
        "parameters": {"Train/rate": "0.25", "Train/deep/x": "1", "Data/path": "x"},
        "nested": {"rate": "0.25", "deep": {"x": "1"}},
        "property": {"name": "backbone", "value": "great", "description": "d"},
        "configuration": "width = 3",
        "configurations": {"network": "width = 3"},
        "as dict": {"width": 3},
        "labels": {"cat": 0, "dog": 1},
        "docker": "other:1 -v a:b",
        "comment": "a comment",
        "name": "renamed",
        "tags": ["one", "two"],
        "type": "qc",
    }
    assert answer["deleted"] == {"path": None, "properties": {"backbone": "great"}}
    assert (answer["enqueued"], answer["queued"], answer["waiting"]) == (1, "queued", 1)
    assert (answer["dequeued"], answer["draft again"]) == (1, "created")
    assert answer["imported"] == {
        "name": "imported",
        "rate": "0.25",
        "configuration": "width = 3",
        "other": True,
    }
    assert answer["copy"] == ["copy", "of made", True, "0.25"] and answer["moved"] == [True, True]
    assert (answer["started"], answer["progress"]) == ("in_progress", 40)
    assert answer["failed"] == ["failed", "why", "because"]
    assert (answer["stopped"], answer["completed"], answer["published"]) == (
        "stopped",
        "completed",
        "published",
    )
    assert (
        answer["listed"] and answer["queried"] and answer["ids"] and answer["project"] and answer["projects"]
    )
    assert answer["unknown project"] is None
    assert answer["run"] == {
        "parameters": {
            "General/steps": "10",
            "General/rate": "0.5",
            "Object/batch": "64",
            "Object/width": "7",
            "Class/batch": "32",
            "Dict/a/b": "2",
            "Dict/list": "[1, 2]",
            "Args/epochs": "3",
        },
        "file": "width: 3  # comment\n",
        "dict": {"deep": {"x": 1}},
        "labels": {"cat": 0},
        "input": ["start"],
        "scalars": [101],
        "last": 101,
        "main": [True, False, True],
        "page": True,
    }
    assert answer["closed"] == [True, "completed"] and answer["deleted task"]


@pytest.mark.parametrize("sdk", ["clearml", "trialbook"])
def test_reports_artifacts_models_files(
    server: RunningServer, request: pytest.FixtureRequest, sdk: str
) -> None:
    answer = run(sdk, request, "report_kinds.py", f"Interop/{uuid.uuid4().hex[:8]}", timeout=200)
    kinds = {title: kind for title, (kind, _) in answer["plots"].items()}
    assert kinds.pop("plotly") in (None, "scatter")
    assert kinds.pop("flat") in ("scatter", "scattergl") and kinds.pop("lines") in ("scatter", "scattergl")
    assert kinds == {
        "histogram": "bar",
        "vector": "bar",
        "csv": "table",
        "cloud": "scatter3d",
        "confusion": "heatmap",
        "matrix": "heatmap",
        "surface": "surface",
    }
    assert answer["plots"]["vector"][1] == [1, 2, 3] and answer["plots"]["plotly"][1] == [1, 2]
    assert answer["samples"] == {"array": [1], "url": [1], "sound": [1], "page": [1]}
    assert (answer["single"], answer["text"], answer["few"]) == (0.9, True, True)
    assert answer["all"] == [0, 0.5, 1, 1.5, 2]
    assert answer["artifacts"] == ["files", "followed", "link", "number", "text"]
    assert answer["values"] == {
        "text": "just words",
        "files": ["inside.txt"],
        "number": 5,
        "followed": [1, 2],
    }
    assert answer["details"] == {
        "preview": "five",
        "metadata": {"k": "1"},
        "link": "http://example.org/data.bin",
        "hash": 64,
        "size": True,
        "mode": "output",
    }
    assert sorted(answer["models"]) == ["linked", "net", "pair"]
    assert answer["model"] == {
        "name": "net",
        "tags": ["good"],
        "labels": {"cat": 0},
        "design": {"layers": 2},
        "weights": "weights",
        "metadata": "0.9",
        "casted": 0.9,
    }
    assert answer["package"] == ["a.bin", "b.bin"]
    assert answer["input"] == [True, "Keras", {"dog": 1}] and answer["found"] == [True, True, True]
    assert answer["ready"] and answer["hidden"] == [] and answer["removed"]
    assert answer["storage"] == {"content": "weights", "exists": True, "size": 7, "missing": False}
    ask = {"task": answer["model id"], "model_events": True, "samples": 10}
    assert server.call("events.scalar_metrics_iter_histogram", ask)["curve"]["val"]["y"] == [0.1]


@pytest.mark.parametrize("sdk", ["clearml", "trialbook"])
def test_an_agents_values(
    server: RunningServer, request: pytest.FixtureRequest, sdk: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = run(sdk, request, "remote_kinds.py")
    assert local["local"] and local["settings"]["pair"] == "(1, 2)"
    copy = server.call("tasks.clone", {"task": local["id"], "new_task_name": "copy"})["id"]
    known = server.call("tasks.get_by_id", {"task": copy})["task"]["hyperparams"]
    edits = {
        "Train/flag": "False",
        "Train/count": "16",
        "Train/rate": "0.001",
        "Train/name": "123",
        "Train/list": "[3, 4]",
        "Train/pair": "(3, 4)",
        "Train/net/depth": "5",
        "Object/batch": "64",
        "Args/epochs": "20",
        "Args/flag": "True",
        "Args/sizes": "[1, 2]",
    }
    items = []
    for name, value in edits.items():
        section, key = name.split("/", 1)
        items.append({**known[section][key], "section": section, "name": key, "value": value})
    server.call(
        "tasks.edit_hyper_params", {"task": copy, "hyperparams": items, "replace_hyperparams": "none"}
    )
    texts = [{"name": "file", "value": '{"lr": 2}'}, {"name": "dict", "value": "a = 5"}]
    server.call("tasks.edit_configuration", {"task": copy, "configuration": texts})
    server.call("tasks.edit", {"task": copy, "execution": {"model_labels": {"dog": 3}}})
    answer = run(sdk, request, "remote_kinds.py", environment={"CLEARML_TASK_ID": copy})
    assert answer["id"] == copy and not answer["local"]
    assert answer["settings"] == {
        "flag": "False",
        "count": "16",
        "rate": "0.001",
        "name": "'123'",
        "list": "[3, 4]",
        "pair": "(3, 4)",
        "net": "{'depth': 5}",
    }
    assert answer["arguments"] == {"epochs": "20", "flag": "True", "sizes": "[1, 2]"}
    assert answer["batch"] == "64" and answer["file"] == '{"lr": 2}' and answer["dict"] == {"a": 5}
    assert answer["labels"] == {"dog": 3}
    seen = server.call("events.scalar_metrics_iter_histogram", {"task": copy, "samples": 10})
    assert seen["seen"]["epochs"]["y"] == [20]
