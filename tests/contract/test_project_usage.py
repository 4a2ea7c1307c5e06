"""Moving projects and tasks, and what the tasks of projects have in use, on both databases."""

import uuid
from typing import Any

import pytest
from tests.support.server import RunningServer


@pytest.fixture
def top(server: RunningServer) -> str:
    """A path that no other test uses."""
    return uuid.uuid4().hex


def made(server: RunningServer, project: str, parameters: dict[str, str] | None = None, **values: Any) -> str:
    section = {name: {"name": name, "value": value} for name, value in (parameters or {}).items()}
    ask = {
        "name": "t",
        "type": "training",
        "project_name": project,
        "hyperparams": {"Args": section},
        **values,
    }
    return str(server.call("tasks.create", ask)["id"])


def of(server: RunningServer, path: str) -> dict[str, Any]:
    found = server.call("projects.get_all", name=f"^{path}$")["projects"]
    assert len(found) == 1, path
    return found[0]  # type: ignore[no-any-return]


def test_a_project_moves_with_all_below_it(server: RunningServer, top: str) -> None:
    task = made(server, f"{top}/a/b/c")
    project, deepest = of(server, f"{top}/a/b")["id"], of(server, f"{top}/a/b/c")["id"]
    assert server.call("projects.move", project=project, new_location=f"{top}/new/home") == {"moved": 2}
    moved = of(server, f"{top}/new/home/b/c")
    home = of(server, f"{top}/new/home")
    assert moved["id"] == deepest
    assert moved["path"] == [*home["path"], home["id"], project]
    assert of(server, f"{top}/new/home/b")["parent"] == home["id"]

    def below(id: str) -> list[str]:
        ask = {"project": [id], "include_subprojects": True, "only_fields": ["id"]}
        return [one["id"] for one in server.call("tasks.get_all", ask)["tasks"]]

    assert below(home["id"]) == [task]
    assert below(of(server, f"{top}/a")["id"]) == []
    assert server.call("projects.move", project=project, new_location=f"{top}/new/home") == {"moved": 0}
    assert server.call("projects.move", project=home["id"]) == {"moved": 3}
    lifted = of(server, "home/b/c")
    assert lifted["id"] == deepest
    assert of(server, "home")["parent"] is None
    server.call("projects.move", project=home["id"], new_location=top)


def test_refused_moves(server: RunningServer, top: str) -> None:
    made(server, f"{top}/a/b")
    made(server, f"{top}/x/a")
    project = of(server, f"{top}/a")["id"]
    for place in (f"{top}/a/b", f"{top}/a", f"{top}/x", "/".join("abcdefghij")):
        assert server.ask("projects.move", {"project": project, "new_location": place}).status == 400, place
    assert of(server, f"{top}/a/b")["path"] == [of(server, top)["id"], project]


def test_tasks_move(server: RunningServer, top: str) -> None:
    tasks = [made(server, f"{top}/from") for _ in range(2)]
    reply = server.call("tasks.move", ids=tasks, project_name=f"{top}/to")
    assert reply == {"project_id": of(server, f"{top}/to")["id"], "updated": 2}
    for task in tasks:
        assert server.call("tasks.get_by_id", task=task)["task"]["project"] == reply["project_id"]
    assert server.ask("tasks.move", {"ids": tasks}).status == 400
    assert server.ask("tasks.move", {"ids": ["0" * 32], "project_name": top}).status == 400


def test_what_is_in_use(server: RunningServer, top: str) -> None:
    parent = made(server, f"{top}/a", {"lr": "10", "optimizer": "adam"})
    made(server, f"{top}/a/b", {"lr": "9", "x.y": "1"}, parent=parent)
    made(server, f"{top}/a/b", {"lr": "auto"})
    other = made(server, f"{top}/other", {"unrelated": "1"})
    for task in (parent, other):
        server.call(
            "events.add",
            {
                "type": "training_stats_scalar",
                "task": task,
                "iter": 1,
                "metric": "m" + task,
                "variant": "v",
                "value": 1,
            },
        )
    project = of(server, f"{top}/a")["id"]
    found = server.call("projects.get_hyper_parameters", project=project)
    assert [(one["section"], one["name"]) for one in found["parameters"]] == [
        ("Args", "lr"),
        ("Args", "optimizer"),
        ("Args", "x.y"),
    ]
    assert (found["total"], found["remaining"]) == (3, 0)
    page = server.call("projects.get_hyper_parameters", project=project, page=1, page_size=1)
    assert ([one["name"] for one in page["parameters"]], page["remaining"]) == (["optimizer"], 1)
    alone = server.call("projects.get_hyper_parameters", project=project, include_subprojects=False)
    assert [one["name"] for one in alone["parameters"]] == ["lr", "optimizer"]
    values = server.call("projects.get_hyperparam_values", projects=[project], section="Args", name="lr")
    assert values == {"values": ["9", "10", "auto"], "total": 3}
    metrics = server.call("projects.get_unique_metric_variants", project=project)["metrics"]
    assert [(one["metric"], one["variant"]) for one in metrics] == [("m" + parent, "v")]
    parents = server.call("projects.get_task_parents", projects=[project])["parents"]
    assert parents == [{"id": parent, "name": "t", "project": project}]


def test_T36_projects_by_what_they_hold(server: RunningServer, top: str) -> None:
    made(server, f"{top}/plain")
    made(server, f"{top}/a/data", type="data_processing", system_tags=["dataset", "hidden"])
    made(server, f"{top}/b/steps", type="controller", system_tags=["pipeline"])
    made(server, f"{top}/c", type="qc")
    expected = {
        "dataset": {"", "/a", "/a/data"},
        "pipeline": {"", "/b", "/b/steps"},
        "report": set(),
        None: {"", "/plain", "/a", "/a/data", "/b", "/b/steps", "/c"},
    }
    for kind, names in expected.items():
        for more in ({}, {"include_stats": True}):
            reply = server.call(
                "projects.get_all_ex", name=f"^{top}", children_type=kind, search_hidden=True, **more
            )
            assert {found["name"] for found in reply["projects"]} == {top + name for name in names}, kind
            assert reply["total"] == len(names)
    (below,) = server.call(
        "projects.get_all_ex", parent=[of(server, top)["id"]], shallow_search=True, children_type="dataset"
    )["projects"]
    assert below["name"] == f"{top}/a"
    with pytest.raises(AssertionError, match="children_type"):
        server.call("projects.get_all_ex", children_type="something")
