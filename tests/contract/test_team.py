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

    def code(self, method: str, **params: Any) -> int:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        body = json.dumps(params).encode()
        reply = self._http.request("POST", f"{self._url}/{method}", body=body, headers=headers)
        return int(reply.json()["meta"]["result_code"])


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
