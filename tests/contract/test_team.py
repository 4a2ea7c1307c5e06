"""Users of a team on both databases: who may do what, and that there is always an administrator."""

import json
import uuid
from typing import Any

import pytest
import urllib3
from tests.support.server import RunningServer


class Member:
    """Somebody with an access key."""

    def __init__(self, server: RunningServer, made: dict[str, Any]) -> None:
        self.id = made["user"]["id"]
        self._url = server.url
        self._http = urllib3.PoolManager(retries=False)
        keys = made["credentials"]
        headers = urllib3.make_headers(basic_auth=f"{keys['access_key']}:{keys['secret_key']}")
        reply = self._http.request("POST", f"{server.url}/auth.login", headers=headers)
        self.token = reply.json()["data"]["token"]

    def call(self, method: str, **params: Any) -> Any:
        return self._ask(method, json.dumps(params).encode(), "application/json")["data"]

    def code(self, method: str, **params: Any) -> int:
        reply = self._ask(method, json.dumps(params).encode(), "application/json")
        return int(reply["meta"]["result_code"])

    def report(self, method: str, body: bytes, content: str) -> int:
        return int(self._ask(method, body, content)["meta"]["result_code"])

    def _ask(self, method: str, body: bytes, content: str) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": content}
        return self._http.request("POST", f"{self._url}/{method}", body=body, headers=headers).json()


def member(server: RunningServer, role: str) -> Member:
    return Member(server, server.call("users.create", name=f"{role} {uuid.uuid4()}", role=role))


@pytest.mark.parametrize(
    ("role", "reads", "writes", "rules"),
    [("admin", 200, 200, 200), ("user", 200, 200, 403), ("read-only", 200, 403, 403)],
)
def test_what_a_role_may(server: RunningServer, role: str, reads: int, writes: int, rules: int) -> None:
    one = member(server, role)
    assert one.code("tasks.get_all") == reads
    assert one.code("projects.create", name=f"of {one.id}") == writes
    assert one.code("users.create", name="another") == rules
    assert one.code("users.edit", user=one.id, name="renamed") == rules
    assert one.code("users.delete", user=one.id) == rules


def scalar(task: str) -> bytes:
    return json.dumps(
        {"type": "training_stats_scalar", "task": task, "metric": "m", "variant": "v", "iter": 1, "value": 1}
    ).encode()


def changes(task: str, model: str) -> dict[str, dict[str, Any]]:
    """Every kind of change that a run makes of its task, and a person of another one's."""
    return {
        "tasks.edit": {"task": task, "name": "mine now", "force": True},
        "tasks.update": {"task": task, "tags": ["mine"]},
        "tasks.edit_hyper_params": {
            "task": task, "force": True, "hyperparams": [{"section": "properties", "name": "a", "value": "b"}],
        },
        "tasks.add_or_update_artifacts": {
            "task": task, "force": True, "artifacts": [{"key": "k", "type": "t", "uri": "u"}],
        },
        "tasks.move": {"ids": [task], "project_name": "elsewhere"},
        "models.edit": {"model": model, "name": "mine now"},
        "models.create": {"name": "another", "uri": "file:///x", "task": task},
        "tasks.started": {"task": task, "force": True},
        "tasks.stopped": {"task": task, "force": True},
        "tasks.reset": {"task": task, "force": True},
        "queues.add_task": {"task": task, "queue": ""},
    }  # fmt: skip


def test_a_worker_makes_and_reports_runs_and_leaves_what_others_finished(server: RunningServer) -> None:
    one, queue = member(server, "worker"), server.call("queues.create", name=f"q {uuid.uuid4()}")["id"]

    def codes(task: str, model: str) -> dict[str, int]:
        asked = changes(task, model)
        asked["queues.add_task"]["queue"] = queue
        return {method: one.code(method, **params) for method, params in asked.items()}

    # A run of its own, from its creation to what is added after its end.
    assert one.code("projects.create", name=f"of {one.id}") == 200
    task = one.call("tasks.create", name="own", type="training", project_name=f"of {one.id}")["id"]
    assert one.code("tasks.started", task=task) == 200
    assert one.report("events.add_batch", scalar(task), "application/json-lines") == 200
    model = one.call("models.create", name="m", uri="file:///m", task=task)["id"]
    assert one.code("tasks.completed", task=task) == 200
    assert set(codes(task, model).values()) == {200}
    # Another one's, while it runs and when it has ended.
    theirs = server.call("tasks.create", name="theirs", type="training")["id"]
    made = server.call("models.create", name="m", uri="file:///n", task=theirs)["id"]
    server.call("tasks.started", task=theirs)
    assert one.code("tasks.reset", task=theirs, force=True) == 403
    server.call("tasks.completed", task=theirs)
    assert set(codes(theirs, made).values()) == {403}
    assert one.report("events.add_batch", scalar(theirs), "application/json-lines") == 400
    assert server.call("tasks.get_by_id", task=theirs)["task"]["name"] == "theirs"
    assert one.code("tasks.delete", task=task, force=True) == 403
    # It may be cloned, and what waits in a queue is run by whoever takes it, whosever it is.
    copy = one.call("tasks.clone", task=theirs)["id"]
    assert one.code("tasks.edit", task=copy, name="own copy") == 200
    waiting = server.call("tasks.create", name="waiting", type="training")["id"]
    server.call("tasks.enqueue", task=waiting, queue=queue)
    assert one.code("tasks.started", task=waiting) == 200
    assert one.code("tasks.completed", task=waiting) == 200
    assert one.report("events.add_batch", scalar(waiting), "application/json-lines") == 200
    assert one.code("tasks.edit", task=waiting, comment="the end of its console was late", force=True) == 200


def test_a_new_role_holds_at_once(server: RunningServer) -> None:
    one = member(server, "read-only")
    assert one.code("projects.create", name=f"of {one.id}") == 403
    assert server.call("users.edit", user=one.id, role="user") == {"updated": 1, "fields": {"role": "user"}}
    assert one.code("projects.create", name=f"of {one.id}") == 200
    assert server.call("users.edit", user=one.id, role="user")["updated"] == 0
    listed = {user["id"]: user["role"] for user in server.call("users.get_all")["users"]}
    assert listed[one.id] == "user"


def test_a_removed_user_is_out_and_its_work_stays(server: RunningServer) -> None:
    one = member(server, "user")
    assert one.code("projects.create", name=f"of {one.id}") == 200
    assert server.call("users.delete", user=one.id) == {"deleted": True}
    assert one.code("tasks.get_all") == 401
    assert server.call("projects.get_all", name=f"^of {one.id}$")["projects"]
    assert server.ask("users.delete", {"user": one.id}).status == 400


def test_there_is_always_an_administrator(server: RunningServer) -> None:
    me = server.call("users.get_current_user")["user"]["id"]
    for user in server.call("users.get_all")["users"]:
        if user["role"] == "admin" and user["id"] != me:
            server.call("users.delete", user=user["id"])
    for method, params in (("users.delete", {}), ("users.edit", {"role": "user"})):
        reply = server.ask(method, {"user": me, **params})
        assert reply.status == 400
        assert "last administrator" in reply.json()["meta"]["result_msg"]
    assert server.call("users.get_current_user")["user"]["role"] == "admin"


@pytest.mark.parametrize("bad", [{"name": ""}, {"name": "x", "role": "king"}, {}])
def test_bad_users_are_refused(server: RunningServer, bad: dict[str, Any]) -> None:
    assert server.ask("users.create", bad).status == 400
