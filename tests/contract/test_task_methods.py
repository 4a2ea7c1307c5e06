"""The methods of tasks against a real server on both databases: making, reading, editing, cloning, names."""

import uuid
from typing import Any

import pytest
from tests.support.server import RunningServer
from tests.support.tasks import document, new, refused


def test_the_same_id_again_changes_nothing(server: RunningServer) -> None:
    id = uuid.uuid4().hex
    assert new(server, id=id, project_name="Made/On/The way") == id
    assert new(server, id=id, name="another name") == id
    found = document(server, id)
    assert found["name"] == "a task"
    assert server.call("projects.get_by_id", project=found["project"])["project"]["name"] == "Made/On/The way"
    assert refused(server, "tasks.create", name="x", type="training", id="short") == (400, 20)
    assert refused(server, "tasks.create", name="x", type="nonsense") == (400, 20)
    assert refused(server, "tasks.create", name="x", project=uuid.uuid4().hex) == (400, 401)


def test_unknown_ids_are_a_clean_refusal(server: RunningServer) -> None:
    for method in (
        "get_by_id",
        "edit",
        "started",
        "ping",
        "clone",
        "delete",
        "reset",
        "publish",
        "stop",
        "activity",
    ):
        assert refused(server, f"tasks.{method}", task=uuid.uuid4().hex) == (400, 101)


def test_a_whole_document_has_its_containers(server: RunningServer) -> None:
    found = document(server, new(server))
    for name in ("script", "hyperparams", "configuration", "container", "runtime", "last_metrics"):
        assert found[name] == {}
    assert found["execution"]["artifacts"] == []
    assert found["models"] == {"input": [], "output": []}
    assert found["tags"] == found["system_tags"] == []
    assert (found["status_reason"], found["status_message"]) == ("", "")
    assert found["last_iteration"] == 0
    assert found["created"].endswith("+00:00")
    assert len(found["created"]) == len("2026-01-31T10:11:12.123456+00:00")


def test_edits_need_force_once_the_task_has_left_created(server: RunningServer) -> None:
    id = new(server)
    server.call("tasks.edit", task=id, name="new name", comment="c")
    server.call("tasks.started", task=id)
    assert refused(server, "tasks.edit", task=id, name="other") == (400, 110)
    for status in ("completed", "published"):
        server.call("tasks.completed" if status == "completed" else "tasks.publish", task=id)
        answer = server.call("tasks.edit", task=id, force=True, name=status)
        assert answer["updated"] == 1
        assert answer["fields"]["name"] == status
    assert document(server, id)["name"] == "published"


def test_edit_replaces_or_merges_as_the_contract_says(server: RunningServer) -> None:
    id = new(server, script={"repository": "r", "diff": "old"}, runtime={"a": 1}, tags=["z"])
    server.call(
        "tasks.edit",
        task=id,
        force=True,
        script={"diff": "new"},
        runtime={"b": None, "c": "x"},
        tags=["b", "a", "b"],
        output_dest="s3://bucket",
        hyperparams={"S/1": {"n.x/y$": {"section": "S/1", "name": "n.x/y$", "value": 0.5, "type": "float"}}},
        configuration={"C": {"name": "C", "value": "text", "type": "json"}},
        container={"image": "i"},
        execution={"artifacts": [{"key": "b", "type": "custom"}, {"key": "a", "type": "custom"}]},
        models={"input": [{"name": "m", "model": "1" * 32}]},
    )
    found = document(server, id)
    assert found["script"] == {"repository": "r", "diff": "new"}
    assert found["runtime"] == {"b": None, "c": "x"}
    assert found["tags"] == ["a", "b"]
    assert found["output"]["destination"] == "s3://bucket"
    assert found["hyperparams"]["S/1"]["n.x/y$"]["value"] == "0.5"
    assert found["configuration"]["C"]["value"] == "text"
    assert [item["key"] for item in found["execution"]["artifacts"]] == ["a", "b"]
    server.call(
        "tasks.edit",
        task=id,
        force=True,
        hyperparams={},
        models={"output": [{"name": "o", "model": "2" * 32}]},
    )
    found = document(server, id)
    assert found["hyperparams"] == {}
    assert found["models"]["input"] == [{"name": "m", "model": "1" * 32}]
    assert found["models"]["output"] == [{"name": "o", "model": "2" * 32}]


@pytest.mark.parametrize(
    "change",
    [
        {"script": {"diff": 5}},
        {"script": {"requirements": "x"}},
        {"execution": {"artifacts": {"a": 1}}},
        {"execution": {"artifacts": [{"type": "x"}]}},
        {"models": {"input": ["x"]}},
        {"container": {"image": 5}},
        {"tags": "x"},
        {"tags": [1]},
        {"hyperparams": {"S": 5}},
        {"runtime": []},
        {"name": 5},
    ],
)
def test_a_field_of_the_wrong_type_is_named(server: RunningServer, change: dict[str, Any]) -> None:
    id = new(server)
    reply = server.ask("tasks.edit", {"task": id, "force": True, **change}).json()["meta"]
    assert (reply["result_code"], reply["result_subcode"]) == (400, 20)
    assert next(iter(change)) in reply["result_msg"]


def test_clone_takes_inputs_only(server: RunningServer) -> None:
    parent = new(server)
    id = new(
        server,
        parent=parent,
        tags=["t"],
        system_tags=["development", "special"],
        runtime={"x": 1},
        script={"diff": "d"},
        hyperparams={"A": {"b": {"value": "1"}}},
        output_dest="s3://x",
    )
    server.call("tasks.started", task=id)
    server.call(
        "tasks.add_or_update_artifacts", task=id, artifacts=[{"key": "i", "mode": "input"}, {"key": "o"}]
    )
    server.call("tasks.add_or_update_model", task=id, name="m", type="output", model="1" * 32)
    copy = document(server, server.call("tasks.clone", task=id, new_task_name="copy")["id"])
    assert (copy["name"], copy["status"], copy["parent"]) == ("copy", "created", parent)
    assert copy["runtime"] == {}
    assert copy["system_tags"] == ["special"]
    assert copy["tags"] == ["t"]
    assert [item["key"] for item in copy["execution"]["artifacts"]] == ["i"]
    assert copy["models"]["output"] == []
    assert copy["hyperparams"]["A"]["b"]["value"] == "1"
    assert copy["output"]["destination"] == "s3://x"
    assert document(server, server.call("tasks.clone", task=parent)["id"])["parent"] == parent


NAMES = [
    "a/b",
    "dots.in.it",
    "$where",
    "ünï 東京 🚀",
    "x" * 1000,
    "é" * 1000,
    "a'b\"c\\d",
    "%_*?[",
    "-dash",
    "__$all",
    " ",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_any_kind_are_kept(server: RunningServer, name: str) -> None:
    id = new(
        server,
        name=name,
        tags=[name],
        comment=name,
        runtime={name: name},
        hyperparams={name: {name: {"value": name}}},
        configuration={name: {"value": name}},
    )
    server.call("tasks.add_or_update_artifacts", task=id, artifacts=[{"key": name, "uri": name}])
    found = document(server, id)
    assert (found["name"], found["tags"], found["comment"]) == (name, [name], name)
    assert found["runtime"] == {name: name}
    assert found["hyperparams"][name][name]["value"] == name
    assert found["execution"]["artifacts"][0]["key"] == name
    picked = server.call(
        "tasks.get_all", id=[id], only_fields=[f"hyperparams.{name}.{name}.value", f"runtime.{name}"]
    )
    assert picked["tasks"][0]["hyperparams"][name][name]["value"] == name
    assert picked["tasks"][0]["runtime"] == {name: name}
    by_tag = server.call(
        "tasks.get_all", {"tags": ["__$all", name] if not name.startswith("__$") else [name, "x"][:0]}
    )
    assert id in [task["id"] for task in by_tag["tasks"]]
    by_value = server.call("tasks.get_all", {f"runtime.{name}": name, "only_fields": ["id"]})
    assert id in [task["id"] for task in by_value["tasks"]]


def test_many_clients_at_once_make_each_thing_once(server: RunningServer) -> None:
    import threading

    mark, id = uuid.uuid4().hex, uuid.uuid4().hex
    made: list[str] = []
    failures: list[BaseException] = []

    def create() -> None:
        try:
            own = server.call("tasks.create", name="t", type="training", project_name=f"{mark}/a/b")["id"]
            server.call("tasks.create", name="same", type="training", id=id)
            server.call("tasks.edit", task=id, force=True, tags=[own], runtime={own: own}, hyperparams={})
            made.append(own)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=create) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(set(made)) == 12
    projects = server.call("projects.get_all", name=f"^{mark}", only_fields=["name"])["projects"]
    assert sorted(project["name"] for project in projects) == [mark, f"{mark}/a", f"{mark}/a/b"]
    [last] = document(server, id)["tags"]
    found = server.call("tasks.get_all", {f"runtime.{last}": last, "only_fields": ["id"]})["tasks"]
    assert [task["id"] for task in found] == [id], "the facets follow the document"


def test_documents_have_the_types_that_released_clients_insist_on(server: RunningServer) -> None:
    import msgspec

    from trialbook.wire.models import Model
    from trialbook.wire.projects import Project
    from trialbook.wire.queues import Queue
    from trialbook.wire.task_documents import Task

    id = new(
        server,
        project_name="Types/of/documents",
        hyperparams={"A": {"b": {"value": 1.5, "type": "float"}}},
        configuration={"c": {"value": {"x": 1}}},
        container={"image": "i", "arguments": None},
        models={"input": [{"name": "m", "model": "1" * 32}]},
        script={"diff": "d", "binary": None, "requirements": {"pip": "x"}},
    )
    server.call(
        "tasks.add_or_update_artifacts", task=id, artifacts=[{"key": "k", "content_size": 5.0}], force=True
    )
    for method in ("started", "completed"):
        server.call(f"tasks.{method}", task=id)
        found = msgspec.convert(document(server, id), Task, strict=True)
        assert found.hyperparams["A"]["b"].value == "1.5"
    msgspec.convert(server.call("projects.get_by_id", project=found.project)["project"], Project, strict=True)
    model = server.call("models.create", name="m", uri="u")["id"]
    msgspec.convert(server.call("models.get_by_id", model=model)["model"], Model, strict=True)
    queue = server.call("queues.create", name=uuid.uuid4().hex)["id"]
    msgspec.convert(server.call("queues.get_by_id", queue=queue)["queue"], Queue, strict=True)


@pytest.mark.parametrize("status", ["queued", "in_progress", "stopped", "completed", "published"])
def test_T36_what_describes_a_task_is_updated_in_any_status(server: RunningServer, status: str) -> None:
    task = server.call("tasks.create", name="before", type="training", project_name="updates")["id"]
    if status == "queued":
        server.call("tasks.enqueue", task=task)
    else:
        server.call("tasks.started", task=task)
        moves = {"stopped": ["tasks.stopped"], "completed": ["tasks.completed"]}
        for method in moves.get(
            status, ["tasks.completed", "tasks.publish"] if status == "published" else []
        ):
            server.call(method, task=task)
    said = {"name": "after", "comment": "why", "tags": ["t"], "system_tags": ["archived"]}
    assert server.call("tasks.update", task=task, **said)["updated"] == 1
    found = server.call("tasks.get_by_id", task=task)["task"]
    assert {name: found[name] for name in said} == said and found["status"] == status
    # What the task is made of waits for a draft, or for force.
    for content in ({"type": "testing"}, {"runtime": {"a": 1}}, {"name": "x", "script": {"branch": "b"}}):
        with pytest.raises(AssertionError, match="110"):
            server.call("tasks.update", task=task, **content)
    with pytest.raises(AssertionError, match="110"):
        server.call("tasks.edit", task=task, name="again")
    assert server.call("tasks.get_by_id", task=task)["task"]["name"] == "after"
