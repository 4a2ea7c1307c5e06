"""The methods of tasks against a real server on both databases: life, edits, parts."""

import json
import uuid
from typing import Any

import pytest
from tests.support.server import RunningServer

from trialbook.server.core.moves import MOVES, allowed

FINAL = {
    "in_progress": "started",
    "stopped": "stopped",
    "failed": "failed",
    "completed": "completed",
    "closed": "close",
}


def refused(server: RunningServer, method: str, **params: Any) -> tuple[int, int]:
    reply = server.ask(method, params)
    meta = reply.json()["meta"]
    assert reply.status == meta["result_code"]
    assert reply.json()["data"] == {}
    return meta["result_code"], meta["result_subcode"]


def new(server: RunningServer, **values: Any) -> str:
    return str(server.call("tasks.create", {"name": "a task", "type": "training", **values})["id"])


def document(server: RunningServer, id: str) -> dict[str, Any]:
    return server.call("tasks.get_by_id", task=id)["task"]  # type: ignore[no-any-return]


def queue_named(server: RunningServer, name: str) -> str:
    found = server.call("queues.get_all", name=f"^{name}$")["queues"]
    return found[0]["id"] if found else server.call("queues.create", name=name)["id"]


def bring_to(server: RunningServer, status: str) -> str:
    id = new(server)
    if status == "queued":
        server.call("tasks.enqueue", task=id, queue=queue_named(server, "moves"))
    elif status == "published":
        server.call("tasks.completed", task=id, force=True)
        server.call("tasks.publish", task=id)
    elif status == "publishing":
        server.call("tasks.completed", task=id, force=True)
        server.call("tasks.dequeue", task=id)
    elif status != "created":
        server.call(f"tasks.{FINAL[status]}", task=id, force=True)
    return id


@pytest.mark.parametrize("old", sorted(MOVES.keys() - {"publishing", "unknown"}))
def test_moves_are_those_of_the_table(server: RunningServer, old: str) -> None:
    for new_status, method in FINAL.items():
        id = bring_to(server, old)
        assert document(server, id)["status"] == old
        if allowed(old, new_status):
            answer = server.call(f"tasks.{method}", task=id, status_reason="why", status_message="how")
            fields = answer["fields"]
            assert answer["updated"] == 1
            assert fields["status"] == new_status
            assert (fields["status_reason"], fields["status_message"]) == ("why", "how")
            assert fields["status_changed"].endswith("+00:00")
        else:
            assert refused(server, f"tasks.{method}", task=id) == (400, 110)
            assert document(server, id)["status"] == old
            server.call(f"tasks.{method}", task=id, force=True)
        assert document(server, id)["status"] == new_status


def test_starting_and_ending_keep_the_times(server: RunningServer) -> None:
    id = new(server)
    assert server.call("tasks.started", task=id)["started"] == 1
    first = document(server, id)
    assert first["started"] is not None
    assert first["completed"] is None
    again = server.call("tasks.started", task=id)
    assert again["started"] == 0
    assert again["updated"] == 1
    assert document(server, id)["started"] == first["started"]
    server.call("tasks.completed", task=id)
    ended = document(server, id)
    assert ended["completed"] is not None
    assert isinstance(ended["active_duration"], int)
    server.call("tasks.failed", task=id, force=True)
    assert document(server, id)["status"] == "failed"
    server.call("tasks.started", task=id, force=True)
    restarted = document(server, id)
    assert restarted["completed"] is None
    assert restarted["active_duration"] is None


def test_completed_may_publish(server: RunningServer) -> None:
    id = new(server)
    server.call("tasks.started", task=id)
    answer = server.call("tasks.completed", task=id, publish=True)
    assert answer["published"] == 1
    assert answer["fields"]["status"] == "published"
    assert document(server, id)["published"] is not None


def test_a_stop_is_a_request_where_a_worker_listens(server: RunningServer) -> None:
    own = new(server, system_tags=["development"])
    server.call("tasks.started", task=own)
    server.call("tasks.stop", task=own)
    assert document(server, own)["status"] == "stopped"
    assert document(server, own)["status_message"].startswith("Stopped by")
    waiting = bring_to(server, "queued")
    server.call("tasks.stop", task=waiting)
    assert document(server, waiting)["status"] == "stopped"
    entries = server.call("queues.get_by_id", queue=queue_named(server, "moves"))["queue"]["entries"]
    assert waiting not in [entry["task"] for entry in entries]


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


def test_parameters(server: RunningServer) -> None:
    id = new(server)
    one = {"section": "Args", "name": "lr", "value": "0.1", "type": "float", "description": ""}
    server.call(
        "tasks.edit_hyper_params", task=id, hyperparams=[one, {"section": "G", "name": "x", "value": True}]
    )
    server.call(
        "tasks.edit_hyper_params", task=id, hyperparams=[{"section": "Args", "name": "n", "value": 3}]
    )
    [answer] = server.call("tasks.get_hyper_params", tasks=[id])["params"]
    assert {(p["section"], p["name"], p["value"]) for p in answer["hyperparams"]} == {
        ("Args", "lr", "0.1"),
        ("Args", "n", "3"),
        ("G", "x", "true"),
    }
    server.call(
        "tasks.edit_hyper_params",
        task=id,
        hyperparams=[{"section": "Args", "name": "only", "value": ""}],
        replace_hyperparams="section",
    )
    assert set(document(server, id)["hyperparams"]["Args"]) == {"only"}
    server.call("tasks.completed", task=id, force=True)
    property = {"section": "properties", "name": "p", "value": "v"}
    assert refused(server, "tasks.edit_hyper_params", task=id, hyperparams=[one]) == (400, 110)
    server.call("tasks.edit_hyper_params", task=id, hyperparams=[property])
    server.call("tasks.edit_hyper_params", task=id, hyperparams=[one], force=True)
    assert (
        server.call("tasks.delete_hyper_params", task=id, force=True, hyperparams=[{"section": "G"}])[
            "deleted"
        ]
        == 1
    )
    found = document(server, id)["hyperparams"]
    assert set(found) == {"Args", "properties"}
    again = server.call(
        "tasks.delete_hyper_params", task=id, hyperparams=[{"section": "properties", "name": "nope"}]
    )
    assert again["deleted"] == 0
    assert refused(server, "tasks.edit_hyper_params", task=id, hyperparams=[{"name": "x"}], force=True) == (
        400,
        20,
    )


def test_configuration(server: RunningServer) -> None:
    id = new(server)
    server.call(
        "tasks.edit_configuration", task=id, configuration=[{"name": "a b/c.d", "value": "1", "type": "yaml"}]
    )
    server.call("tasks.edit_configuration", task=id, configuration=[{"name": "z", "value": {"deep": [1]}}])
    [found] = server.call("tasks.get_configurations", tasks=[id], names=["z"])["configurations"]
    assert json.loads(found["configuration"][0]["value"]) == {"deep": [1]}
    [names] = server.call("tasks.get_configuration_names", tasks=[id])["configurations"]
    assert names["names"] == ["a b/c.d", "z"]
    assert server.call("tasks.delete_configuration", task=id, configuration=["z", "nope"])["deleted"] == 1
    assert set(document(server, id)["configuration"]) == {"a b/c.d"}


def test_artifacts_are_upserted_by_key_and_mode(server: RunningServer) -> None:
    id = new(server)
    server.call("tasks.started", task=id)
    first = {
        "key": "b",
        "type": "dict",
        "uri": "u1",
        "content_size": 3.0,
        "timestamp": 5,
        "type_data": {"preview": "p"},
    }
    server.call(
        "tasks.add_or_update_artifacts", task=id, artifacts=[first, {"key": "a", "mode": "input"}], force=True
    )
    server.call("tasks.add_or_update_artifacts", task=id, artifacts=[{**first, "uri": "u2"}], force=True)
    found = document(server, id)["execution"]["artifacts"]
    assert [(item["key"], item["mode"], item.get("uri")) for item in found] == [
        ("a", "input", None),
        ("b", "output", "u2"),
    ]
    assert isinstance(found[1]["content_size"], int)
    done = server.call("tasks.delete_artifacts", task=id, artifacts=[{"key": "b"}, {"key": "zz"}], force=True)
    assert done["deleted"] == 1
    assert [item["key"] for item in document(server, id)["execution"]["artifacts"]] == ["a"]


def test_requirements_and_models_in_any_status(server: RunningServer) -> None:
    id = new(server)
    server.call("tasks.completed", task=id, force=True, publish=True)
    server.call("tasks.set_requirements", task=id, requirements={"pip": "numpy==2\n"})
    model = server.call("models.create", name="m", uri="file:///x", task=id)["id"]
    for name in ("w", "v", "w"):
        server.call("tasks.add_or_update_model", task=id, name=name, type="output", model=model, iteration=7)
    found = document(server, id)
    assert found["script"]["requirements"] == {"pip": "numpy==2\n"}
    assert [item["name"] for item in found["models"]["output"]] == ["w", "v"]
    assert server.call("models.get_by_id", model=model)["model"]["last_iteration"] == 7
    assert refused(server, "tasks.add_or_update_model", task=id, name="x", type="nope", model=model) == (
        400,
        20,
    )
    server.call("tasks.delete_models", task=id, models=[{"name": "w", "type": "output"}])
    assert [item["name"] for item in document(server, id)["models"]["output"]] == ["v"]


def test_reset_forgets_results_and_keeps_inputs(server: RunningServer) -> None:
    id = new(server, tags=["t"], system_tags=["development"], runtime={"x": 1}, script={"diff": "d"})
    server.call("tasks.started", task=id)
    server.call(
        "tasks.add_or_update_artifacts",
        task=id,
        artifacts=[{"key": "i", "mode": "input"}, {"key": "o"}],
        force=True,
    )
    model = server.call("models.create", name="m", uri="u", task=id)["id"]
    server.call("tasks.add_or_update_model", task=id, name="m", type="output", model=model)
    server.call("tasks.completed", task=id)
    answer = server.call("tasks.reset", task=id)
    assert answer["fields"]["status"] == "created"
    found = document(server, id)
    assert (found["status_reason"], found["status_message"]) == ("reset", "reset")
    assert found["runtime"] == {}
    assert found["started"] is None
    assert found["models"]["output"] == []
    assert [item["key"] for item in found["execution"]["artifacts"]] == ["i"]
    assert (found["tags"], found["system_tags"]) == (["t"], ["development"])
    assert found["script"] == {"diff": "d"}
    assert refused(server, "models.get_by_id", model=model) == (400, 201)
    server.call("tasks.reset", task=id, force=True, clear_all=True)
    assert document(server, id)["script"] == {}
    server.call("tasks.completed", task=id, force=True, publish=True)
    assert refused(server, "tasks.reset", task=id) == (400, 110)
    server.call("tasks.reset", task=id, force=True)


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


def test_queueing(server: RunningServer) -> None:
    queue = server.call("queues.create", name=f"q {uuid.uuid4().hex[:6]}")["id"]
    id = new(server, system_tags=["development", "other"])
    answer = server.call("tasks.enqueue", task=id, queue=queue)
    assert (answer["queued"], answer["fields"]["execution.queue"]) == (1, queue)
    found = document(server, id)
    assert (found["status"], found["system_tags"], found["execution"]["queue"]) == (
        "queued",
        ["other"],
        queue,
    )
    assert refused(server, "tasks.enqueue", task=id, queue=queue) == (400, 706)
    assert refused(server, "tasks.enqueue", task=new(server), queue=uuid.uuid4().hex) == (400, 701)
    assert refused(server, "tasks.enqueue", task=new(server), queue_name="no such") == (400, 701)
    second = new(server)
    server.call("tasks.completed", task=second, force=True)
    assert refused(server, "tasks.enqueue", task=second, queue=queue) == (400, 110)
    server.call("tasks.stopped", task=second, force=True)
    server.call("tasks.enqueue", task=second, queue=queue)
    assert server.call("queues.get_num_entries", queue=queue)["num"] == 2
    assert refused(server, "queues.delete", queue=queue) == (400, 702)
    undone = server.call("tasks.dequeue", task=second)
    assert (undone["dequeued"], undone["updated"], undone["fields"]["status"]) == (1, 1, "stopped")
    taken = server.call("queues.get_next_task", queue=queue, get_task_info=True)
    assert taken["entry"]["task"] == id
    assert taken["task_info"]["user"]
    assert server.call("queues.get_next_task", queue=queue) == {}
    left = server.call("tasks.dequeue", task=id, new_status="in_progress")
    assert (left["dequeued"], left["updated"]) == (0, 1)
    assert document(server, id)["status"] == "in_progress"
    server.call("queues.delete", queue=queue)
    assert refused(server, "queues.get_next_task", queue=queue) == (400, 701)


def test_the_default_queue(server: RunningServer) -> None:
    for row in server.call("queues.get_all", name="^default$")["queues"]:
        server.call("queues.delete", queue=row["id"], force=True)
    assert refused(server, "queues.get_default") == (400, 707)
    id = server.call("queues.create", name="default")["id"]
    assert server.call("queues.get_default") == {"id": id, "name": "default"}
    assert refused(server, "queues.get_by_id", queue="default") == (400, 701)
    assert refused(server, "queues.create", name="default") == (400, 801)
    assert server.call("tasks.enqueue", task=new(server))["fields"]["execution.queue"] == id


def test_delete(server: RunningServer) -> None:
    fresh = new(server)
    assert server.call("tasks.delete", task=fresh)["deleted"] is True
    assert refused(server, "tasks.get_by_id", task=fresh) == (400, 101)
    ended = new(server)
    child = new(server, parent=ended)
    server.call(
        "tasks.add_or_update_artifacts", task=ended, artifacts=[{"key": "o", "uri": "http://x/o"}], force=True
    )
    server.call("tasks.completed", task=ended, force=True)
    assert refused(server, "tasks.delete", task=ended) == (400, 123)
    server.call("tasks.archive_many", ids=[ended])
    gone = server.call("tasks.delete", task=ended, return_file_urls=True)
    assert gone["urls"]["artifact_urls"] == ["http://x/o"]
    assert document(server, child)["parent"] is None
    held = new(server)
    kept = new(server, parent=held)
    server.call("tasks.completed", task=kept, force=True, publish=True)
    assert refused(server, "tasks.delete", task=held) == (400, 123)
    server.call("tasks.delete", task=held, force=True)


def test_many_at_once_reports_each(server: RunningServer) -> None:
    one, other = new(server), new(server)
    missing = uuid.uuid4().hex
    answer = server.call("tasks.archive_many", ids=[one, missing, other])
    assert [item["id"] for item in answer["succeeded"]] == [one, other]
    assert [(item["id"], item["error"]["codes"]) for item in answer["failed"]] == [(missing, [400, 101])]
    assert document(server, one)["system_tags"] == ["archived"]
    server.call("tasks.unarchive", tasks=[one])
    assert document(server, one)["system_tags"] == []
    assert len(server.call("tasks.delete_many", ids=[one, other])["succeeded"]) == 2


def test_activity_tells_every_move(server: RunningServer) -> None:
    id = new(server)
    server.call("tasks.started", task=id)
    server.call("tasks.started", task=id)
    server.call("tasks.failed", task=id, status_reason="Exception x", status_message="m")
    found = server.call("tasks.activity", task=id)["activity"]
    assert [(item["from_status"], item["to_status"]) for item in found] == [
        (None, "created"),
        ("created", "in_progress"),
        ("in_progress", "failed"),
    ]
    assert (found[2]["reason"], found[2]["message"], found[2]["user_name"]) == ("Exception x", "m", "admin")
    assert found[2]["method"] == "tasks.failed"


def test_ping_is_a_sign_of_life(server: RunningServer) -> None:
    id = new(server)
    server.call("tasks.started", task=id)
    before = document(server, id)["last_update"]
    assert server.call("tasks.ping", task=id) == {}
    assert document(server, id)["last_update"] > before


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


def test_no_task_is_taken_twice_from_a_queue(server: RunningServer) -> None:
    import threading

    queue = server.call("queues.create", name=uuid.uuid4().hex)["id"]
    waiting = [new(server) for _ in range(30)]
    for id in waiting:
        server.call("tasks.enqueue", task=id, queue=queue)
    taken: list[str] = []

    def work() -> None:
        while entry := server.call("queues.get_next_task", queue=queue).get("entry"):
            taken.append(entry["task"])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(waiting)


def test_workers(server: RunningServer) -> None:
    name = f"host:{uuid.uuid4().hex[:6]}"
    queue = server.call("queues.create", name=uuid.uuid4().hex)["id"]
    server.call("workers.register", worker=name, queues=[queue, "gone"], timeout=600)
    id = new(server)
    server.call("tasks.started", task=id)
    report = {
        "worker": name,
        "task": id,
        "queue": queue,
        "queues": [queue],
        "machine_stats": None,
        "tags": None,
    }
    server.call("workers.status_report", {**report, "timestamp": 1_700_000_000_000, "is_daemon": True})
    [found] = [
        worker for worker in server.call("workers.get_all", last_seen=600)["workers"] if worker["id"] == name
    ]
    assert found["task"]["id"] == id
    assert found["queues"] == [{"id": queue, "name": found["queues"][0]["name"], "num_tasks": 0}]
    shown = document(server, id)
    assert shown["last_worker"] == name
    assert shown["last_worker_report"] is not None
    # Now somebody listens, so a stop is a request.
    answer = server.call("tasks.stop", task=id)
    assert (answer["fields"]["status"], answer["fields"]["status_message"]) == ("in_progress", "stopping")
    server.call("tasks.stopped", task=id)
    assert refused(server, "workers.status_report", worker=name, task=uuid.uuid4().hex) == (400, 101)
    server.call("workers.unregister", worker=name)
    server.call("workers.unregister", worker=name)
    assert name not in [worker["id"] for worker in server.call("workers.get_all")["workers"]]
    server.call("workers.status_report", worker=name)
    assert name in [worker["id"] for worker in server.call("workers.get_all")["workers"]]


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
