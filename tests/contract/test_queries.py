"""The query grammar of every ``get_all``, on both databases."""

import re
import uuid
from typing import Any

import pytest
from tests.support.server import RunningServer


@pytest.fixture(scope="module")
def project(server: RunningServer) -> dict[str, str]:
    """A project with tasks named by what they are for; their ids by name."""
    id = server.call("projects.create", name=f"Queries {uuid.uuid4().hex[:6]}/sub")["id"]
    made = {"": id}
    specimens: dict[str, dict[str, Any]] = {
        "plain": {},
        "tag a": {"tags": ["a"]},
        "tags a b": {
            "tags": ["a", "b"],
            "hyperparams": {"Args": {"lr": {"value": "0.1"}, "d.o.t": {"value": "x"}}},
        },
        "tag b": {
            "tags": ["b"],
            "hyperparams": {"Args": {"lr": {"value": "10"}}},
            "runtime": {"job": "H1", "n": 5},
        },
        "archived": {"system_tags": ["archived"], "hyperparams": {"Args": {"lr": {"value": "9"}}}},
        "hidden": {"system_tags": ["hidden", "dataset"], "runtime": {"job": "H2"}},
        "Fancy (1) #2": {"comment": "Find ME, Grüße", "type": "testing"},
        "model user": {"models": {"input": [{"name": "m", "model": "f" * 32}]}},
    }
    for name, values in specimens.items():
        answer = server.call("tasks.create", {"name": name, "type": "training", "project": id, **values})
        made[name] = answer["id"]
    return made


def names(server: RunningServer, made: dict[str, str], **ask: Any) -> set[str]:
    ask = {"project": [made[""]], "only_fields": ["name"], **ask}
    return {task["name"] for task in server.call("tasks.get_all", ask)["tasks"]}


VISIBLE = {"plain", "tag a", "tags a b", "tag b", "archived", "Fancy (1) #2", "model user"}


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        ({}, VISIBLE),
        ({"method": "get", "task_types": ["x"], "tags": None, "name": "", "status": []}, VISIBLE),
        ({"search_hidden": True}, VISIBLE | {"hidden"}),
        ({"tags": ["a", "b"]}, {"tag a", "tags a b", "tag b"}),
        ({"tags": "a"}, {"tag a", "tags a b"}),
        ({"tags": ["__$all", "a", "b"]}, {"tags a b"}),
        ({"tags": ["__$all", "a", "__$not", "b"]}, {"tag a"}),
        ({"tags": ["__$any", "a", "__$not", "b"]}, VISIBLE - {"tag b"}),
        ({"tags": ["a", "-b"]}, {"tag a"}),
        ({"tags": [None]}, VISIBLE - {"tag a", "tags a b", "tag b"}),
        ({"tags": [None, "a"]}, VISIBLE - {"tag b"}),
        ({"system_tags": ["-archived"]}, VISIBLE - {"archived"}),
        ({"system_tags": ["__$all", "dataset", "__$not", "archived"], "search_hidden": True}, {"hidden"}),
        ({"type": ["testing"]}, {"Fancy (1) #2"}),
        ({"type": ["-testing"]}, VISIBLE - {"Fancy (1) #2"}),
        ({"status": ["completed", "published"]}, set()),
        ({"status": ["created"]}, VISIBLE),
        ({"name": f"^{re.escape('Fancy (1) #2')}$"}, {"Fancy (1) #2"}),
        ({"name": "^tag"}, {"tag a", "tags a b", "tag b"}),
        ({"name": "FANCY"}, set()),
        ({"name": "(?i)FANCY"}, {"Fancy (1) #2"}),
        ({"name": r"\(\d\)"}, {"Fancy (1) #2"}),
        ({"name": "^(plain|archived)$"}, {"plain", "archived"}),
        ({"comment": "ME"}, {"Fancy (1) #2"}),
        ({"_any_": {"fields": ["name", "comment"], "pattern": "find me"}}, {"Fancy (1) #2"}),
        ({"_or_": {"fields": ["name", "comment"], "pattern": "PLAIN|find"}}, {"plain", "Fancy (1) #2"}),
        ({"_all_": {"fields": ["name", "comment"], "pattern": "f"}}, {"Fancy (1) #2"}),
        ({"_all_": {"fields": ["runtime.job"], "pattern": "^h1$"}}, {"tag b"}),
        ({"_all_": {"fields": ["runtime.nope"], "pattern": "x"}}, set()),
        ({"_any_": {"fields": ["no.such"], "pattern": "x"}}, set()),
        ({"_or_": {"fields": ["last_update", "last_change"], "datetime": [">2020-01-01T00:00:00"]}}, VISIBLE),
        ({"_or_": {"fields": ["last_update"], "datetime": "<2020-01-01"}}, set()),
        ({"_and_": {"fields": ["last_update", "started"], "datetime": [">2020-01-01T00:00:00"]}}, set()),
        ({"last_update": ">2020-01-01T00:00:00"}, VISIBLE),
        ({"last_update": [">2020-01-01T00:00:00", "<2021-01-01 00:00:00.123456"]}, set()),
        ({"status_changed": [">2020-01-01 10:11:59.123456"]}, VISIBLE),
        ({"last_change": ["2020-01-01T00:00:00", "2999-01-01T00:00:00"]}, VISIBLE),
        ({"last_update": ">no date at all"}, VISIBLE),
        ({"created": ["2020-01-01T00:00:00", None]}, VISIBLE),
        ({"started": [None, "2020-01-01T00:00:00"]}, VISIBLE),
        ({"started": ["2020-01-01T00:00:00", None]}, set()),
        ({"last_iteration": [0, 0]}, VISIBLE),
        ({"last_iteration": [1, None]}, set()),
        ({"active_duration": [None, 5]}, VISIBLE),
        ({"hyperparams.Args.lr": ["0.1"]}, {"tags a b"}),
        ({"hyperparams.Args.lr.value": "10"}, {"tag b"}),
        ({"hyperparams.Args.d.o.t.value": ["x"]}, {"tags a b"}),
        ({"runtime.job": "H1"}, {"tag b"}),
        ({"runtime.n": 5}, {"tag b"}),
        ({"models.input.model": ["f" * 32]}, {"model user"}),
        ({"filters": {"tags": {"any": {"include": ["a"]}}}}, {"tag a", "tags a b"}),
        ({"filters": {"tags": {"all": {"include": ["a", "b"]}}}}, {"tags a b"}),
        ({"filters": {"tags": {"all": {"exclude": ["a", "b"]}}}}, VISIBLE - {"tag a", "tag b", "tags a b"}),
        ({"filters": {"tags": {"any": {"exclude": ["a", "b"]}}}}, VISIBLE - {"tags a b"}),
        ({"search_text": "find me, GRÜSSE"}, set()),
        ({"search_text": "find me, GRÜßE"}, {"Fancy (1) #2"}),
        ({"search_text": "(1) #"}, {"Fancy (1) #2"}),
        ({"project": ["nowhere"]}, set()),
        ({"parent": "nobody"}, set()),
        ({"parent": [None]}, VISIBLE),
    ],
)
def test_constraints(
    server: RunningServer, project: dict[str, str], ask: dict[str, Any], expected: set[str]
) -> None:
    assert names(server, project, **ask) == expected


def test_an_id_lifts_the_hidden_rule(server: RunningServer, project: dict[str, str]) -> None:
    assert names(server, project, id=[project["hidden"]]) == {"hidden"}
    assert names(server, project, id=[]) == VISIBLE
    assert names(server, project, id=project["plain"]) == {"plain"}


def test_sub_projects(server: RunningServer, project: dict[str, str]) -> None:
    parent = server.call("projects.get_by_id", project=project[""])["project"]["parent"]
    assert names(server, project, project=[parent]) == set()
    assert names(server, project, project=[parent], include_subprojects=True) == VISIBLE


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        ({"name": "("}, 21),
        ({"_any_": {"fields": ["name"], "pattern": "["}}, 21),
        ({"tags": ["__$nope"]}, 16),
        ({"tags": ["a", "__$not"]}, 16),
        ({"tags": [5]}, 16),
        ({"last_iteration": ["x", 1]}, 20),
        ({"last_iteration": [1]}, 20),
        ({"page": -1}, 20),
        ({"page_size": 0}, 20),
        ({"page": "two"}, 20),
        ({"scroll_id": "nonsense"}, 20),
        ({"name": 7}, 20),
        ({"_any_": "x"}, 20),
    ],
)
def test_what_cannot_be_read_is_refused(server: RunningServer, ask: dict[str, Any], code: int) -> None:
    meta = server.ask("tasks.get_all", ask).json()["meta"]
    assert (meta["result_code"], meta["result_subcode"]) == (400, code), meta["result_msg"]
    assert meta["result_msg"]


def ordered(server: RunningServer, project: dict[str, str], *by: str) -> list[str]:
    ask = {"project": [project[""]], "only_fields": ["name"], "order_by": list(by)}
    return [task["name"] for task in server.call("tasks.get_all", ask)["tasks"]]


def test_order(server: RunningServer, project: dict[str, str]) -> None:
    assert ordered(server, project, "created")[:2] == ["plain", "tag a"]
    assert ordered(server, project, "-created")[-1] == "plain"
    # Numbers sort as numbers, and what has none comes last whichever way.
    assert ordered(server, project, "hyperparams.Args.lr")[:3] == ["tags a b", "archived", "tag b"]
    assert ordered(server, project, "-hyperparams.Args.lr.value")[:3] == ["tag b", "archived", "tags a b"]
    assert ordered(server, project, "type", "-created")[0] == "Fancy (1) #2"
    assert set(ordered(server, project, "no.such.field", "@text_score")) == VISIBLE
    assert set(ordered(server, project, f"-last_metrics.{'0' * 32}.{'1' * 32}.value")) == VISIBLE


def test_pages_and_scrolls_give_each_once(server: RunningServer, project: dict[str, str]) -> None:
    base = {"project": [project[""]], "only_fields": ["name"], "order_by": ["status"]}
    paged: list[str] = []
    for page in range(5):
        paged += [
            t["name"] for t in server.call("tasks.get_all", {**base, "page": page, "page_size": 3})["tasks"]
        ]
    assert sorted(paged) == sorted(VISIBLE)
    scrolled: list[str] = []
    ask: dict[str, Any] = {**base, "size": 3}
    for _ in range(4):
        answer = server.call("tasks.get_all", ask)
        scrolled += [task["name"] for task in answer["tasks"]]
        assert isinstance(answer["scroll_id"], str)
        ask = {**base, "size": 3, "scroll_id": answer["scroll_id"]}
    assert sorted(scrolled) == sorted(VISIBLE)
    meta = server.ask("tasks.get_all", {**ask, "status": ["created"]}).json()["meta"]
    assert meta["result_code"] == 400, "a scroll id belongs to its query"


def test_totals_count_beyond_the_page(server: RunningServer, project: dict[str, str]) -> None:
    answer = server.call("tasks.get_all_ex", project=[project[""]], page=0, page_size=2, only_fields=["id"])
    assert len(answer["tasks"]) == 2
    assert answer["total"] == len(VISIBLE)


def test_metrics_sort_and_filter(server: RunningServer) -> None:
    import hashlib

    id = server.call("projects.create", name=f"Metrics {uuid.uuid4().hex[:6]}")["id"]
    values = {"low": [3.0, 1.0], "high": [9.0, 8.0], "none": []}
    made = {}
    for name, points in values.items():
        made[name] = server.call("tasks.create", name=name, type="training", project=id)["id"]
        lines = [
            f'{{"type":"training_stats_scalar","task":"{made[name]}","metric":"a/b","variant":"v $","iter":{i},'
            f'"value":{value},"timestamp":{1000 + i}}}'
            for i, value in enumerate(points)
        ]
        if lines:
            body = "\n".join(lines).encode()
            reply = server.ask(
                "events.add_batch", body=body, headers={"Content-Type": "application/json-lines"}
            )
            assert reply.json()["data"]["added"] == 2, reply.data
    metric, variant = (hashlib.md5(text.encode()).hexdigest() for text in ("a/b", "v $"))
    key = f"last_metrics.{metric}.{variant}"
    base = {"project": [id], "only_fields": ["name", f"{key}.max_value"]}

    def found(**ask: Any) -> list[str]:
        return [task["name"] for task in server.call("tasks.get_all", {**base, **ask})["tasks"]]

    assert found(order_by=[f"-{key}.max_value"]) == ["high", "low", "none"]
    assert found(order_by=[f"{key}.min_value"]) == ["low", "high", "none"]
    assert found(**{f"{key}.value": [None, 1.5], "order_by": ["name"]}) == ["low", "none"]
    assert found(**{f"{key}.max_value": ["5", None]}) == ["high"]
    [task] = server.call("tasks.get_all", {**base, "id": [made["low"]]})["tasks"]
    assert task["last_metrics"] == {metric: {variant: {"max_value": 3.0}}}
    whole = server.call("tasks.get_by_id", task=made["low"])["task"]
    assert whole["last_metrics"][metric][variant]["value"] == 1.0
    assert whole["last_metrics"][metric][variant]["metric"] == "a/b"
    assert whole["last_iteration"] == 1


def test_projects(server: RunningServer) -> None:
    top = f"Tree {uuid.uuid4().hex[:6]}"
    deep = server.call("projects.create", name=f" {top} //mid/ leaf /", description="d", tags=["t"])["id"]
    found = server.call("projects.get_by_id", project=deep)["project"]
    assert (found["name"], found["basename"]) == (f"{top}/mid/leaf", "leaf")
    mid = found["parent"]
    assert server.ask("projects.create", {"name": f"{top}/mid"}).json()["meta"]["result_subcode"] == 801
    assert (
        server.ask("projects.create", {"name": "/".join("abcdefghijk")}).json()["meta"]["result_subcode"]
        == 409
    )
    assert server.ask("projects.create", {"name": " / "}).json()["meta"]["result_code"] == 400

    def listed(**ask: Any) -> set[str]:
        return {project["name"] for project in server.call("projects.get_all", ask)["projects"]}

    assert listed(
        name=f"^{re.escape(top)}$", only_fields=["name"], shallow_search=False, search_hidden=True
    ) == {top}
    assert listed(name=f"^{re.escape(top)}/.*") == {f"{top}/mid", f"{top}/mid/leaf"}
    above = server.call("projects.get_by_id", project=mid)["project"]["parent"]
    assert listed(parent=[above]) == {f"{top}/mid", f"{top}/mid/leaf"}
    assert listed(parent=[above], shallow_search=True) == {f"{top}/mid"}
    assert top in listed(shallow_search=True)
    assert f"{top}/mid" not in listed(shallow_search=True)
    assert listed(basename="^leaf$", tags=["t"], name=top) == {f"{top}/mid/leaf"}
    changed = server.call("projects.update", project=mid, name=f"{top}/renamed", system_tags=["hidden"])
    assert changed["updated"] == 1
    assert server.call("projects.get_by_id", project=deep)["project"]["name"] == f"{top}/renamed/leaf"
    assert listed(name=top) == {top, f"{top}/renamed/leaf"}
    moved = server.ask("projects.update", {"project": mid, "name": "elsewhere"}).json()["meta"]
    assert moved["result_subcode"] == 408
    assert server.ask("projects.get_by_id", {"project": "x"}).json()["meta"]["result_subcode"] == 401
    for status in ("completed", "failed"):
        task = server.call("tasks.create", name="t", type="training", project=deep, tags=[f"tag {status}"])[
            "id"
        ]
        server.call(f"tasks.{status}", task=task, force=True)
    [shown] = server.call(
        "projects.get_all_ex",
        name=f"^{re.escape(top)}$",
        include_stats=True,
        only_fields=["name", "stats", "own_tasks"],
    )["projects"]
    assert shown["stats"]["active"]["status_count"] == {"completed": 1, "failed": 1}
    assert shown["own_tasks"] == 0
    assert server.call("projects.get_task_tags", projects=[above])["tags"] == ["tag completed", "tag failed"]
    assert "t" in server.call("projects.get_project_tags")["tags"]
    assert server.ask("projects.delete", {"project": above}).json()["meta"]["result_code"] == 400
    done = server.call("projects.delete", project=above, force=True, delete_contents=True)
    assert (done["deleted"], done["deleted_tasks"]) == (3, 2)


def test_models(server: RunningServer) -> None:
    mark = uuid.uuid4().hex[:8]
    task = server.call("tasks.create", name="maker", type="training", project_name=f"Models {mark}")["id"]
    first = server.call(
        "models.create",
        name=f"first {mark}",
        uri=f"file:///{mark}/" + "p" * 100,
        task=task,
        framework="PyTorch",
        labels={"cat": 1},
        design={"design": "text"},
        metadata={"k.1": {"key": "k.1", "value": "v", "type": "str"}},
        tags=["x"],
    )["id"]
    second = server.call("models.create", name=f"second {mark}", uri="u")["id"]

    def listed(**ask: Any) -> list[str]:
        return [model["id"] for model in server.call("models.get_all", ask)["models"]]

    assert listed(uri=[f"file:///{mark}/" + "p" * 100], system_tags=["-archived"]) == [first]
    assert listed(uri=[f"file:///{mark}/"]) == []
    assert listed(task=[task], order_by=["created"]) == [first]
    assert listed(name=mark, **{"metadata.k.1.value": "v"}) == [first]
    assert set(listed(name=mark, ready=False)) == {first, second}
    assert listed(name=mark, ready=True) == []
    assert listed(name=mark, framework=["PyTorch"]) == [first]
    found = server.call("models.get_by_id", model=first)["model"]
    assert found["metadata"] == {"k.1": {"key": "k.1", "value": "v", "type": "str"}}
    assert found["ready"] is False
    assert found["project"] == server.call("tasks.get_by_id", task=task)["task"]["project"]
    server.call("models.edit", model=first, uri="new", labels={"dog": 2}, iteration=3)
    server.call(
        "models.add_or_update_metadata", model=first, metadata=[{"key": "n", "value": "1", "type": "int"}]
    )
    assert set(server.call("models.get_by_id", model=first)["model"]["metadata"]) == {"k.1", "n"}
    server.call(
        "models.add_or_update_metadata",
        model=first,
        metadata=[{"key": "z", "value": "1"}],
        replace_metadata=True,
    )
    assert set(server.call("models.get_by_id", model=first)["model"]["metadata"]) == {"z"}
    server.call("tasks.completed", task=task, force=True)
    ready = server.call("models.set_ready", model=first, publish_task=True)
    assert ready["updated"] == 1
    assert ready["published_task"]["id"] == task
    assert server.call("tasks.get_by_id", task=task)["task"]["status"] == "published"
    server.call("models.edit", model=first, tags=["y"], comment="c", labels={"dog": 2}, uri="new")
    assert server.ask("models.edit", {"model": first, "uri": "other"}).json()["meta"]["result_subcode"] == 203
    answer = server.call("models.archive_many", ids=[first, "nope"])
    assert (len(answer["succeeded"]), len(answer["failed"])) == (1, 1)
    assert listed(name=mark, system_tags=["-archived"]) == [second]
    server.call("models.unarchive_many", ids=[first])
    user = server.call("tasks.create", name="user", type="training")["id"]
    server.call("tasks.add_or_update_model", task=user, name="in", type="input", model=second)
    assert server.ask("models.delete", {"model": second}).json()["meta"]["result_subcode"] == 205
    assert server.call("models.delete", model=second, force=True) == {"deleted": True, "url": "u"}
    assert server.ask("models.delete", {"model": second}).json()["meta"]["result_subcode"] == 201
    assert server.ask("models.delete", {"model": first}).json()["meta"]["result_subcode"] == 203


def test_queues(server: RunningServer) -> None:
    name = f"gpu (#1) {uuid.uuid4().hex[:6]}"
    id = server.call("queues.create", name=name, system_tags=["k8s-glue"], tags=["t"])["id"]

    def listed(**ask: Any) -> list[str]:
        return [queue["id"] for queue in server.call("queues.get_all", ask)["queues"]]

    assert id not in listed()
    assert listed(name=f"^{re.escape(name)}$", only_fields=["id", "name"]) == [id]
    assert listed(id=[id]) == [id]
    assert id in listed(search_hidden=True)
    shown = server.call("queues.get_all_ex", id=[id], only_fields=["id", "tags"])
    assert shown == {"queues": [{"id": id, "tags": ["t"]}], "total": 1}


def test_a_single_value_is_its_own_statistics(server: RunningServer) -> None:
    import hashlib
    import json

    id = server.call("tasks.create", name="single", type="training")["id"]
    lines = [
        {
            "type": "training_stats_scalar",
            "task": id,
            "metric": "Summary",
            "variant": "f1",
            "iter": -(2**31),
            "value": 0.5,
        },
        {
            "type": "training_stats_scalar",
            "task": id,
            "metric": "other",
            "variant": "x",
            "iter": 1,
            "value": 2.0,
        },
    ]
    body = "\n".join(json.dumps(line) for line in lines).encode()
    server.ask("events.add_batch", body=body, headers={"Content-Type": "application/json-lines"})
    metric, variant = (hashlib.md5(text.encode()).hexdigest() for text in ("Summary", "f1"))
    key = f"last_metrics.{metric}.{variant}"
    [found] = server.call(
        "tasks.get_all", {"id": [id], f"{key}.max_value": [0.4, 0.6], "only_fields": [key]}
    )["tasks"]
    entry = found["last_metrics"][metric][variant]
    assert (entry["value"], entry["min_value"], entry["max_value"]) == (0.5, 0.5, 0.5)
    assert list(found["last_metrics"]) == [metric]
    assert server.call("tasks.get_all", {"id": [id], f"{key}.value": [0.6, None]})["tasks"] == []
    [whole] = server.call("tasks.get_all", id=[id], only_fields=["last_metrics"])["tasks"]
    assert len(whole["last_metrics"]) == 2
