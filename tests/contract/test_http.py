"""The edge: addresses, verbs, envelope, bad input, log-in, and what a page's cookie may do."""

import base64
import gzip
import json
import uuid
from typing import Any

import jwt
import pytest
import urllib3
from tests.support.server import RunningServer

from trialbook.wire.catalogue import METHODS

try:
    from compression import zstd
except ImportError:
    from backports import zstd

HTTP = urllib3.PoolManager(retries=False)
PAGE = {"X-Trialbook-Web": "1", "Sec-Fetch-Site": "same-origin"}


def basic(key: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{key}:{secret}".encode()).decode()}


def meta(reply: urllib3.BaseHTTPResponse) -> tuple[int, int]:
    found = reply.json()["meta"]
    assert reply.status == found["result_code"]
    return found["result_code"], found["result_subcode"]


@pytest.mark.parametrize("verb", ["GET", "POST", "PUT"])
@pytest.mark.parametrize("path", ["", "v2.5/", "v2.23/", "a/prefix/v2.13/"])
def test_every_verb_takes_a_body_at_every_address(server: RunningServer, verb: str, path: str) -> None:
    reply = server.ask(f"{path}users.get_all", {"id": ["nobody"]}, verb=verb)
    assert meta(reply) == (200, 0)
    assert reply.json()["data"] == {"users": []}


def test_the_envelope_is_what_released_clients_parse(server: RunningServer) -> None:
    for method, params in (("users.get_all", {}), ("tasks.get_by_id", {"task": "x"}), ("no.such", {})):
        found = server.ask(f"v2.23/{method}", params).json()
        endpoint = found["meta"]["endpoint"]
        assert isinstance(found["meta"]["id"], str)
        assert isinstance(found["meta"]["trx"], str)
        assert isinstance(found["meta"]["result_msg"], str)
        assert isinstance(endpoint["requested_version"], str)
        assert isinstance(endpoint["actual_version"], str)
        assert isinstance(found["meta"]["result_subcode"], int)
        assert found["meta"]["error_stack"] is None
        assert isinstance(found["data"], dict)


def test_unknown_methods_and_too_old_versions(server: RunningServer) -> None:
    assert meta(server.ask("tasks.nope")) == (404, 0)
    assert meta(server.ask("nothing/here")) == (404, 0)
    assert meta(server.ask("v2.1/queues.get_all")) == (404, 0)
    assert meta(server.ask("v2.4/queues.get_all")) == (200, 0)
    assert meta(server.ask("v99.9/queues.get_all")) == (200, 0)


def test_nulls_and_unknown_names_are_ignored(server: RunningServer) -> None:
    body = {"method": "get", "task_types": ["x"], "tags": None, "name": None, "made up": {"deep": [1]}}
    assert meta(server.ask("tasks.get_all", body)) == (200, 0)


def test_the_query_string_counts_too(server: RunningServer) -> None:
    reply = server.ask("users.get_all?id=a&id=b", verb="GET")
    assert reply.json()["data"] == {"users": []}
    token = server.ask("auth.login?expiration_sec=100", verb="GET").json()["data"]["token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 100


@pytest.mark.parametrize("body", [b"{", b"not json", b"\xff\xfe", b"[1,2]", b'"text"', b"17"])
def test_a_body_that_is_no_json_object(server: RunningServer, body: bytes) -> None:
    code, _ = meta(server.ask("tasks.get_all", body=body))
    assert code == 400


def test_a_field_of_the_wrong_type_and_one_that_is_missing(server: RunningServer) -> None:
    found = server.ask("tasks.create", {"name": ["x"]}).json()["meta"]
    assert (found["result_code"], found["result_subcode"]) == (400, 20)
    assert "name" in found["result_msg"]
    found = server.ask("tasks.create", {}).json()["meta"]
    assert (found["result_code"], found["result_subcode"]) == (400, 11)
    assert "name" in found["result_msg"]
    assert found["error_data"]["field"] == "name"


def test_numbers_beyond_the_database_are_refused(server: RunningServer) -> None:
    for value in (10**30, 2**63):
        code, _ = meta(server.ask("tasks.get_all", {"last_iteration": [value, None]}))
        assert code in {200, 400}
    id = server.call("models.create", name="m", uri="u")["id"]
    code, _ = meta(server.ask("models.edit", {"model": id, "iteration": 2**70}))
    assert code == 400


def test_a_body_over_the_limit_is_refused_with_words(server: RunningServer) -> None:
    body = json.dumps({"name": "x" * (17 << 20)}).encode()
    found = server.ask("tasks.create", body=body).json()["meta"]
    assert (found["result_code"], found["result_subcode"]) == (400, 1202)
    assert "limit" in found["result_msg"]
    assert meta(server.ask("users.get_all")) == (200, 0)
    packed = gzip.compress(body)
    found = server.ask("tasks.create", body=packed, headers={"Content-Encoding": "gzip"}).json()["meta"]
    assert (found["result_code"], found["result_subcode"]) == (400, 1202)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_packed_bodies(server: RunningServer, encoding: str) -> None:
    body = json.dumps({"id": ["nobody"]}).encode()
    packed = gzip.compress(body) if encoding == "gzip" else zstd.compress(body)
    reply = server.ask("users.get_all", body=packed, headers={"Content-Encoding": encoding})
    assert reply.json()["data"] == {"users": []}
    code, _ = meta(server.ask("users.get_all", body=b"x" + packed, headers={"Content-Encoding": encoding}))
    assert code == 400


def test_log_in(server: RunningServer) -> None:
    def login(headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        return HTTP.request("GET", f"{server.url}/auth.login", headers=headers)

    token = login(basic(server.access_key, server.secret_key)).json()["data"]["token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] >= 3 * 86400
    assert tuple(map(int, claims["api_version"].split("."))) >= (2, 31)
    assert claims["feature_set"] == "basic"
    assert tuple(map(int, claims["server_version"].split("."))) >= (1, 16, 3)
    assert login({"Authorization": f"Bearer {token}"}).json()["data"]["token"]
    assert meta(login(basic(server.access_key, "wrong"))) == (401, 22)
    assert meta(login(basic("wrong", server.secret_key))) == (401, 22)
    assert meta(login({})) == (401, 20)
    assert meta(login({"Authorization": "Basic %%%"})) == (401, 22)
    assert meta(login({"Authorization": "Bearer a.b.c"})) == (401, 30)
    assert meta(login({"Authorization": "Digest x"})) == (401, 20)


def test_no_method_but_the_public_ones_answers_a_stranger(server: RunningServer) -> None:
    for method in METHODS:
        reply = HTTP.request("POST", f"{server.url}/{method.name}", body=b"{}")
        if method.permit.value == "public":
            assert meta(reply)[1] != 20 or method.name == "auth.login"
        else:
            assert meta(reply) == (401, 20), method.name


def test_keys_are_made_shown_once_and_revoked(server: RunningServer) -> None:
    made = server.call("auth.create_credentials", label="laptop")["credentials"]
    listed = server.call("auth.get_credentials")["credentials"]
    mine = next(item for item in listed if item["access_key"] == made["access_key"])
    assert mine["label"] == "laptop"
    assert "secret_key" not in mine
    token = HTTP.request(
        "POST", f"{server.url}/auth.login", headers=basic(made["access_key"], made["secret_key"])
    ).json()["data"]["token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert meta(HTTP.request("POST", f"{server.url}/users.get_current_user", headers=headers)) == (200, 0)
    assert server.call("auth.edit_credentials", access_key=made["access_key"], label="desk")["updated"] == 1
    assert server.call("auth.revoke_credentials", access_key=made["access_key"])["revoked"] == 1
    assert meta(HTTP.request("POST", f"{server.url}/users.get_current_user", headers=headers)) == (401, 30)
    assert made["secret_key"] not in server.log


def test_preferences(server: RunningServer) -> None:
    server.call("users.set_preferences", preferences={"theme": "dark", "x": 1})
    server.call("users.set_preferences", preferences={"x": None})
    assert server.call("users.get_preferences")["preferences"] == {"theme": "dark"}


def test_who_and_what(server: RunningServer) -> None:
    user = server.call("users.get_current_user")["user"]
    assert user["role"] == "admin"
    assert server.call("users.get_all")["users"][0]["id"] == user["id"]
    info = HTTP.request("GET", f"{server.url}/server.info").json()["data"]
    assert info["local_login"] is True
    assert HTTP.request("GET", f"{server.url}/debug.ping").status == 200


class Page:
    """A browser that is logged in."""

    def __init__(self, server: RunningServer) -> None:
        reply = HTTP.request("POST", f"{server.url}/auth.login_local", headers=PAGE)
        assert reply.status == 200, reply.data
        self.set_cookie = reply.headers["Set-Cookie"]
        self.cookie = {"Cookie": self.set_cookie.partition(";")[0]}
        self.url = server.url

    def send(self, method: str, verb: str = "POST", **headers: str) -> tuple[int, int]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return meta(HTTP.request(verb, f"{self.url}/{method}", body=b"{}", headers={**self.cookie, **sent}))


def test_a_page_here_logs_in_without_a_key(server: RunningServer) -> None:
    page = Page(server)
    assert "HttpOnly" in page.set_cookie
    assert "SameSite=Lax" in page.set_cookie
    who = HTTP.request("POST", f"{server.url}/users.whoami", headers=PAGE)
    assert (who.status, who.json()["data"]) == (200, {"user": None, "local_login": True})
    assert page.send("users.get_current_user", X_Trialbook_Web="1") == (200, 0)
    assert page.send("users.get_current_user", X_Trialbook_Web="1", Sec_Fetch_Site="same-origin") == (200, 0)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {**PAGE, "Sec-Fetch-Site": "cross-site"},
        {**PAGE, "Origin": "http://evil.example"},
        {**PAGE, "Host": "evil.example"},
        {**PAGE, "Host": "evil.example:8008", "Origin": "http://evil.example:8008"},
    ],
)
def test_nobody_else_logs_in_without_a_key(server: RunningServer, headers: dict[str, str]) -> None:
    if "Host" in headers:
        who = HTTP.request("POST", f"{server.url}/users.whoami", headers=headers).json()["data"]
        assert who == {"user": None, "local_login": False}
    assert meta(HTTP.request("POST", f"{server.url}/auth.login_local", headers=headers)) == (403, 21)
    assert meta(HTTP.request("GET", f"{server.url}/auth.login_local", headers=PAGE)) == (403, 21)


@pytest.mark.parametrize(
    "method", ["tasks.create", "tasks.get_all", "users.get_current_user", "events.add_batch"]
)
def test_a_cookie_alone_is_refused(server: RunningServer, method: str) -> None:
    page = Page(server)
    assert page.send(method) == (403, 21)
    assert page.send(method, X_Trialbook_Web="0") == (403, 21)
    assert page.send(method, X_Trialbook_Web="1", Sec_Fetch_Site="cross-site") == (403, 21)
    assert page.send(method, X_Trialbook_Web="1", Sec_Fetch_Site="same-site") == (403, 21)
    assert page.send(method, X_Trialbook_Web="1", Origin="http://evil.example") == (403, 21)
    assert page.send(method, verb="GET", X_Trialbook_Web="1") == (403, 21)
    assert page.send(method, verb="PUT", X_Trialbook_Web="1") == (403, 21)


def test_a_link_cannot_delete(server: RunningServer) -> None:
    id = server.call("tasks.create", name="kept", type="training")["id"]
    page = Page(server)
    reply = HTTP.request("GET", f"{server.url}/tasks.delete?task={id}&force=true", headers=page.cookie)
    assert meta(reply) == (403, 21)
    assert server.call("tasks.get_by_id", task=id)["task"]["name"] == "kept"


def test_a_page_logs_in_with_a_key_and_out(server: RunningServer) -> None:
    body = json.dumps({"access_key": server.access_key, "secret_key": server.secret_key}).encode()
    reply = HTTP.request("POST", f"{server.url}/auth.login", body=body, headers=PAGE)
    name = reply.headers["Set-Cookie"].partition("=")[0]
    assert name.startswith("trialbook_session_")
    assert meta(HTTP.request("GET", f"{server.url}/auth.login", body=body)) == (403, 21)
    wrong = json.dumps({"access_key": server.access_key, "secret_key": "x"}).encode()
    refused = HTTP.request("POST", f"{server.url}/auth.login", body=wrong, headers=PAGE)
    assert meta(refused) == (401, 22)
    assert "Set-Cookie" not in refused.headers
    out = HTTP.request("POST", f"{server.url}/auth.logout", headers=PAGE)
    assert "Max-Age=0" in out.headers["Set-Cookie"]
    stale = {"Cookie": f"{name}=stale"}
    again = HTTP.request("POST", f"{server.url}/auth.login", body=body, headers={**PAGE, **stale})
    assert meta(again) == (200, 0)
    assert meta(HTTP.request("POST", f"{server.url}/users.get_all", headers={**PAGE, **stale})) == (401, 20)
    assert meta(HTTP.request("POST", f"{server.url}/server.info", headers={**PAGE, **stale})) == (200, 0)


def test_the_page_and_its_links(server: RunningServer) -> None:
    for path in ("/", "/projects/*/tasks/x/output/log", "/projects/a.b/tasks", "/login?redirect=/x"):
        reply = HTTP.request("GET", f"{server.url}{path}", headers={"Accept": "text/html,*/*"})
        assert reply.status == 200
        assert "text/html" in reply.headers["Content-Type"]
        assert "script-src 'self'" in reply.headers["Content-Security-Policy"]
        assert reply.headers["Cache-Control"] == "no-cache"
    assert HTTP.request("GET", f"{server.url}/api").status == 200
    document = HTTP.request("GET", f"{server.url}/api/openapi.json").json()
    assert set(document["paths"]) == {f"/{method.name}" for method in METHODS}
    assert HTTP.request("GET", f"{server.url}/../credentials.json", headers={"Accept": "*/*"}).status == 404


def events(server: RunningServer, topics: Any, **headers: str) -> urllib3.BaseHTTPResponse:
    sent = {"Authorization": f"Bearer {server.token}", **{k.replace("_", "-"): v for k, v in headers.items()}}
    body = json.dumps({"topics": topics}).encode()
    return HTTP.request("POST", f"{server.url}/stream", body=body, headers=sent, preload_content=False)


def next_change(stream: urllib3.BaseHTTPResponse, kind: str = "change") -> tuple[str, dict[str, Any]]:
    number, event = "", ""
    while True:
        line = stream.readline().decode().rstrip("\n")
        if line.startswith("id: "):
            number = line[4:]
        elif line.startswith("event: "):
            event = line[7:]
        elif line.startswith("data: ") and event == kind:
            return number, json.loads(line[6:])


def test_live_updates_arrive_and_resume(server: RunningServer) -> None:
    id = server.call("tasks.create", name="live", type="training")["id"]
    stream = events(server, [f"task:{id}"])
    assert stream.headers["Content-Type"].startswith("text/event-stream")
    assert stream.readline() == b": listening\n"
    server.call("tasks.started", task=id)
    number, change = next_change(stream)
    assert change == {"topic": f"task:{id}", "kind": "task", "keys": [id]}
    stream.close()
    server.call("tasks.completed", task=id)
    again = events(server, [f"task:{id}"], Last_Event_ID=number)
    resumed, change = next_change(again)
    assert int(resumed.partition("-")[2]) > int(number.partition("-")[2])
    assert change["kind"] == "task"
    again.close()
    for last in ("5", "another-" + number.partition("-")[2], f"{number.partition('-')[0]}-5"):
        stale = events(server, [f"task:{id}"], Last_Event_ID=last)
        assert next_change(stale, "resync") == ("", {})
        stale.close()


def test_a_refused_call_tells_nobody(server: RunningServer) -> None:
    id = server.call("tasks.create", name="quiet", type="training")["id"]
    other = server.call("tasks.create", name="loud", type="training")["id"]
    mark = server.call("tasks.create", name="mark", type="training")["id"]
    stream = events(server, [f"task:{id}", f"task:{other}", f"task:{mark}"])
    stream.readline()
    server.call("tasks.started", task=mark)
    # Once this one has come, nothing of the creation is on its way any more.
    while next_change(stream)[1]["topic"] != f"task:{mark}":
        pass
    server.ask("tasks.close", {"task": id})
    server.call("tasks.started", task=other)
    # The mark may come twice: once made, once started.
    topics = [next_change(stream)[1]["topic"]]
    while topics[-1] == f"task:{mark}":
        topics.append(next_change(stream)[1]["topic"])
    assert topics[-1] == f"task:{other}"
    stream.close()


def test_the_stream_wants_a_log_in_and_topics(server: RunningServer) -> None:
    body = json.dumps({"topics": ["tasks"]}).encode()
    assert meta(HTTP.request("POST", f"{server.url}/stream", body=body)) == (401, 20)
    assert meta(events(server, "x"))[0] == 400
    assert meta(events(server, [str(uuid.uuid4())] * 3000))[0] == 400
