"""What a task holds many of, against a real server on both databases: parameters, configuration, artifacts, models."""

import json

from tests.support.server import RunningServer
from tests.support.tasks import document, new, refused


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
