"""Projects that merge, models in numbers, checks without effect, names in use: on both databases."""

import uuid
from typing import Any

from tests.support.server import RunningServer


def refused(server: RunningServer, method: str, **params: Any) -> tuple[int, int]:
    meta = server.ask(method, params).json()["meta"]
    return meta["result_code"], meta["result_subcode"]


def project(server: RunningServer, name: str) -> str:
    return str(server.call("projects.create", name=name)["id"])


def test_merging_projects(server: RunningServer) -> None:
    root = f"merge-{uuid.uuid4().hex}"
    source, target = project(server, f"{root}/source"), project(server, f"{root}/target")
    below = project(server, f"{root}/source/below/deep")
    task = server.call("tasks.create", name="t", type="training", project=source)["id"]
    deep = server.call("tasks.create", name="t", type="training", project=below)["id"]
    model = server.call("models.create", name="m", uri="file:///m", project=source)["id"]
    contents = server.call("projects.validate_delete", project=source)
    assert contents == {
        "tasks": 2,
        "non_archived_tasks": 2,
        "models": 1,
        "non_archived_models": 1,
        "projects": 2,
    }
    server.call("models.archive_many", ids=[model])
    server.call("tasks.archive", tasks=[deep])
    contents = server.call("projects.validate_delete", project=source)
    assert (contents["non_archived_tasks"], contents["non_archived_models"]) == (1, 0)
    assert refused(server, "projects.merge", project=source, destination_project=source)[0] == 400
    assert refused(server, "projects.merge", project=source, destination_project=below)[0] == 400
    assert refused(server, "projects.merge", project=source)[0] == 400
    done = server.call("projects.merge", project=source, destination_project=target)
    assert done == {"moved_entities": 2, "moved_projects": 1}
    assert refused(server, "projects.get_by_id", project=source) == (400, 401)
    assert server.call("tasks.get_by_id", task=task)["task"]["project"] == target
    assert server.call("models.get_by_id", model=model)["model"]["project"] == target
    assert server.call("projects.get_by_id", project=below)["project"]["name"] == f"{root}/target/below/deep"
    # By a name that does not exist yet.
    done = server.call("projects.merge", project=target, destination_project_name=f"{root}/third")
    assert done == {"moved_entities": 2, "moved_projects": 1}


def test_a_merge_that_would_hide_a_project_is_refused_as_a_whole(server: RunningServer) -> None:
    root = f"merge-{uuid.uuid4().hex}"
    source, target = project(server, f"{root}/source"), project(server, f"{root}/target")
    project(server, f"{root}/source/same")
    project(server, f"{root}/target/same")
    task = server.call("tasks.create", name="t", type="training", project=source)["id"]
    assert refused(server, "projects.merge", project=source, destination_project=target) == (400, 801)
    assert server.call("tasks.get_by_id", task=task)["task"]["project"] == source


def test_a_check_makes_nothing(server: RunningServer) -> None:
    name = f"check-{uuid.uuid4().hex}"
    assert server.call("tasks.validate", name=name, type="training", project_name=name) == {}
    assert server.call("tasks.get_all", name=name)["tasks"] == []
    assert server.call("projects.get_all", name=name)["projects"] == []
    assert refused(server, "tasks.validate", name=name, type="no such type")[0] == 400
    assert refused(server, "tasks.validate", name=name, type="training", project="0" * 32) == (400, 401)


def test_models_in_numbers(server: RunningServer) -> None:
    home = project(server, f"models-{uuid.uuid4().hex}")
    ids = [
        server.call(
            "models.create",
            name=f"m{n}",
            uri=f"file:///{n}",
            project=home,
            framework=framework,
            metadata=[{"key": f"k{n}", "value": "v"}, {"key": "all", "value": str(n)}],
        )["id"]
        for n, framework in enumerate(("PyTorch", "PyTorch", "ONNX"))
    ]
    assert server.call("models.get_frameworks", projects=[home]) == {"frameworks": ["ONNX", "PyTorch"]}
    keys = server.call("projects.get_model_metadata_keys", project=home, page_size=3)
    assert keys == {"keys": ["all", "k0", "k1"], "total": 4, "remaining": 1}
    values = server.call("projects.get_model_metadata_values", projects=[home], key="all")
    assert values == {"values": ["0", "1", "2"], "total": 3}
    done = server.call("models.publish_many", ids=[*ids[:2], "0" * 32])
    assert len(done["succeeded"]) == 2 and done["failed"][0]["id"] == "0" * 32
    assert server.call("models.get_by_id", model=ids[0])["model"]["ready"] is True
    other = f"models-{uuid.uuid4().hex}"
    moved = server.call("models.move", ids=ids, project_name=other)
    assert moved["updated"] == 3
    assert server.call("projects.get_by_id", project=moved["project_id"])["project"]["name"] == other
    assert refused(server, "models.move", ids=ids)[0] == 400
    done = server.call("models.delete_many", ids=ids)
    assert [one["id"] for one in done["failed"]] == ids[:2]
    assert done["succeeded"] == [{"id": ids[2], "deleted": True, "url": "file:///2"}]
    assert len(server.call("models.delete_many", ids=ids[:2], force=True)["succeeded"]) == 2
    assert server.call("models.get_all", id=ids)["models"] == []


def test_types_in_use(server: RunningServer) -> None:
    home = project(server, f"types-{uuid.uuid4().hex}")
    for kind in ("training", "testing", "training"):
        server.call("tasks.create", name="t", type=kind, project=home)
    assert server.call("tasks.get_types", projects=[home]) == {"types": ["testing", "training"]}
    assert set(server.call("tasks.get_types")["types"]) >= {"testing", "training"}


def test_there_are_no_vaults(server: RunningServer) -> None:
    assert server.call("users.get_vaults") == {"vaults": []}
