"""What a request may take of the server: time, bytes, places, lengths; refused with words, and nobody else waits."""

import gzip
import json
import os
import select
import socket
import uuid
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import urllib3
from tests.support import frames
from tests.support.server import RunningServer
from tests.support.waiting import until

from trialbook.base.ids import new_id
from trialbook.errors import BadField, ServerBusy, TooManyRequests
from trialbook.server.core import limits

HTTP = urllib3.PoolManager(retries=False)


def head(server: RunningServer, verb: str, path: str, length: int, **headers: str) -> bytes:
    address = urlsplit(server.url)
    lines = [f"{verb} {path} HTTP/1.1", f"Host: {address.netloc}", f"Content-Length: {length}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def connect(server: RunningServer) -> socket.socket:
    address = urlsplit(server.url)
    wire = socket.create_connection((address.hostname, address.port), timeout=30)
    return wire


def bearer(server: RunningServer) -> str:
    return f"Bearer {server.token}"


def alone(server: RunningServer) -> str:
    """As ``bearer``, of a key that nobody else has: what an earlier test has broken off is not among its uploads."""
    made = server.call("auth.create_credentials", label=f"limits {uuid.uuid4().hex[:8]}")["credentials"]
    basic = urllib3.make_headers(basic_auth=f"{made['access_key']}:{made['secret_key']}")
    reply = HTTP.request("POST", f"{server.url}/auth.login", headers=basic)
    return f"Bearer {reply.json()['data']['token']}"


@pytest.mark.parametrize("kind", ["put", "resumable", "multipart"])
def test_S4_uploads_that_stand_still_hold_up_nobody(server: RunningServer, kind: str) -> None:
    folder, key = uuid.uuid4().hex, alone(server)
    waiting = []
    try:
        for number in range(100):
            wire = connect(server)
            waiting.append(wire)
            more = {"Authorization": key}
            verb, path, begun = "PUT", f"/files/{folder}/{number}", b"ab"
            if kind == "resumable":
                more |= {"Upload_Id": uuid.uuid4().hex, "Content_Range": "bytes 0-999999/1000000"}
            if kind == "multipart":
                verb, path = "POST", "/files"
                more |= {"Content_Type": "multipart/form-data; boundary=XX"}
                begun = b'--XX\r\nContent-Disposition: form-data; name="%s/x"\r\n\r\nab' % folder.encode()
            wire.sendall(head(server, verb, path, 1_000_000, **more) + begun)
        headers = {"Authorization": key}
        url = f"{server.files_url}/{folder}/mine"
        # More uploads than there are threads are under way, and others get through at once.
        for _ in range(3):
            assert HTTP.request("PUT", url, body=b"x" * 100, headers=headers, timeout=20.0).status == 200
            assert HTTP.request("GET", url, headers=headers, timeout=20.0).data == b"x" * 100
    finally:
        for wire in waiting:
            wire.close()
    # What was begun goes, unless it can go on.
    if kind != "resumable":
        until(lambda: not list((server.data / "uploads").glob("*.upload")))


def test_S4_a_caller_has_so_many_uploads_and_no_more(server: RunningServer) -> None:
    waiting, key = [], alone(server)
    try:
        for number in range(limits.REQUESTS_PER_CALLER + 10):
            wire = connect(server)
            waiting.append(wire)
            path = f"/files/{uuid.uuid4().hex}/{number}"
            wire.sendall(head(server, "PUT", path, 10, Authorization=key) + b"ab")

        until(lambda: len(select.select(waiting, [], [], 0)[0]) == 10)
        for wire in select.select(waiting, [], [], 0)[0]:
            answer = wire.recv(1 << 16)
            assert answer.startswith(b"HTTP/1.1 429") and b"TooManyRequests" in answer
            assert b"uploads under way" in answer
    finally:
        for wire in waiting:
            wire.close()
    headers = {"Authorization": key}
    url = f"{server.files_url}/{uuid.uuid4().hex}/two"
    until(lambda: HTTP.request("PUT", url, body=b"x", headers=headers).status == 200)


def test_S5_an_administrator_chooses_what_a_caller_may_take(tmp_path: Path) -> None:
    chosen = {"TRIALBOOK_SERVER_CALLER_REQUESTS": "2", "TRIALBOOK_SERVER_BODY_MEMORY": "100000"}
    server = RunningServer(tmp_path, **chosen)
    waiting: list[socket.socket] = []
    try:
        key = bearer(server)

        def refused(verb: str, path: str, status: Callable[[], int]) -> bool:
            # One more that hangs each time: the question itself may have had the place of the one before.
            wire = connect(server)
            waiting.append(wire)
            wire.sendall(head(server, verb, path, 40_000, Authorization=key) + b"ab")
            return status() == 429

        url = f"{server.files_url}/a/3"
        headers = {"Authorization": key}
        put = lambda: HTTP.request("PUT", url, body=b"x", headers=headers).status  # noqa: E731
        until(lambda: refused("PUT", "/files/a/1", put))
        until(lambda: refused("POST", "/events.add_batch", lambda: server.ask("tasks.get_all").status))
    finally:
        for wire in waiting:
            wire.close()
        server.stop()


@pytest.mark.parametrize("path", ["/tasks.get_all", "/auth.login", "/events.add_batch", "/nothing.here"])
def test_S5_a_stranger_is_answered_before_its_body_is_read(server: RunningServer, path: str) -> None:
    """The answer comes although the body never does, or after a few KB of it."""
    with connect(server) as wire:
        wire.sendall(head(server, "POST", path, 60_000_000) + b"{" * 100)
        assert wire.recv(100).startswith(b"HTTP/1.1 4")


def test_S5_what_a_stranger_packs_is_not_unpacked(server: RunningServer) -> None:
    bomb = gzip.compress(b"[" + b" " * 16_000_000)
    assert len(bomb) < 20_000
    for method, keys in (
        ("tasks.get_all", (401, 20)),
        ("auth.login", (400, 1202)),
        ("server.info", (400, 1202)),
    ):
        reply = HTTP.request(
            "POST", f"{server.url}/{method}", body=bomb[:16_000], headers={"Content-Encoding": "gzip"}
        )
        meta = reply.json()["meta"]
        assert (meta["result_code"], meta["result_subcode"]) == keys, meta


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_S5_bombs_of_callers_end_at_the_limit(server: RunningServer, encoding: str) -> None:
    plain = b" " * 80_000_000
    if encoding == "zstd":
        zstd = pytest.importorskip("backports.zstd", reason="in the standard library from 3.14 on")
        packed = zstd.compress(plain)
    else:
        packed = gzip.compress(plain, 1) if encoding == "gzip" else zlib.compress(plain, 1)
    reply = server.ask("events.add_batch", body=packed, headers={"Content-Encoding": encoding})
    assert reply.status == 400
    assert "the limit is" in reply.json()["meta"]["result_msg"]


def test_S5_bytes_under_way_are_counted_for_all_and_for_each() -> None:
    budget = limits.Budget(1000)
    with (
        limits.Share(budget, "a") as one,
        limits.Share(budget, "a") as two,
        limits.Share(budget, "b") as other,
    ):
        one.hold(400)
        assert not two.fits(200)
        other.hold(500)
        with pytest.raises(ServerBusy, match="in a moment"), limits.Share(budget, "c") as third:
            third.hold(200)
        # What is alone is never refused, or it could never be sent.
        with pytest.raises(ServerBusy):
            two.hold(101)
    assert budget.held == 0
    with limits.Share(budget, "a") as alone:
        alone.hold(5000)
    assert budget.held == 0


def test_S4_places_come_back() -> None:
    crowd = limits.Crowd(2)
    with crowd.one_more("a"), crowd.one_more("a"):
        with crowd.one_more("b"):
            pass
        with pytest.raises(TooManyRequests, match="2 requests"), crowd.one_more("a"):
            pass
    with crowd.one_more("a"):
        pass


LONG = "x" * 5000


@pytest.mark.parametrize(
    ("method", "params", "named"),
    [
        ("tasks.create", {"name": "n" * 10_000_000, "type": "training"}, "name"),
        ("tasks.create", {"name": "n", "type": "training", "tags": [LONG]}, "tags"),
        ("tasks.get_all_ex", {"order_by": [f"-a{i}" for i in range(5000)]}, "order_by"),
        ("tasks.get_all_ex", {"only_fields": [f"f{i}" for i in range(5000)]}, "only_fields"),
        ("tasks.get_all_ex", {"id": [uuid.uuid4().hex for _ in range(20_000)]}, "id"),
        ("tasks.get_all_ex", {"name": LONG}, "name"),
        ("tasks.get_all_ex", {"_any_": {"pattern": "x", "fields": ["name"]}, "x" * 9000: 1}, "name"),
        ("projects.create", {"name": LONG, "description": ""}, "name"),
        ("queues.create", {"name": LONG}, "name"),
        ("models.edit", {"model": LONG, "ready": False}, "model"),
        ("tasks.get_all_ex", {"_any_": {"pattern": "x", "fields": ["name"] * 3000}}, "fields"),
        ("projects.get_all_ex", {"_or_": {"pattern": "x", "fields": ["name"] * 3000}}, "fields"),
        (
            "tasks.get_all_ex",
            {"_all_": {"datetime": [">2020-01-01"] * 900, "fields": ["created"]}},
            "datetime",
        ),
        ("models.get_all_ex", {"created": [">2020-01-01"] * 900}, "datetime"),
        ("tasks.get_all_ex", {f"hyperparams.Args.x{i}.value": ["a"] for i in range(3000)}, "conditions"),
        ("tasks.get_all_ex", {"tags": ["__$all", *(f"a{i}" for i in range(3000))]}, "tags"),
        (
            "tasks.get_all_ex",
            {"filters": {"tags": {"any": {"exclude": [f"a{i}" for i in range(3000)]}}}},
            "filters",
        ),
        (
            "tasks.create",
            {
                "name": "n",
                "type": "training",
                "hyperparams": {
                    f"s{s}": {f"p{n}": {"name": f"p{n}"} for n in range(1100)} for s in range(10)
                },
            },
            "hyperparams",
        ),
        (
            "models.create",
            {"name": "n", "uri": "file:///x", "labels": {f"c{n}": n for n in range(40_000)}},
            "labels",
        ),
    ],
)
def test_S7_lengths_and_counts_are_refused_with_the_field(
    server: RunningServer, method: str, params: dict[str, Any], named: str
) -> None:
    meta = server.ask(method, params).json()["meta"]
    assert (meta["result_code"], meta["result_subcode"]) == (400, 20), meta
    assert named in meta["result_msg"] and "at most" in meta["result_msg"]


def test_S7_what_users_write_is_as_long_as_they_like(server: RunningServer) -> None:
    long = "w" * 1_000_000
    task = server.call("tasks.create", name="long", type="training", comment=long)["id"]
    server.call(
        "tasks.edit_hyper_params",
        task=task,
        hyperparams=[{"section": "Args", "name": "text", "value": long}],
    )
    found = server.call("tasks.get_by_id", task=task)["task"]
    assert found["comment"] == long and found["hyperparams"]["Args"]["text"]["value"] == long


def test_S7_names_inside_objects_are_checked() -> None:
    with pytest.raises(BadField, match="hyperparams"):
        limits.check_fields({"hyperparams": [{"section": "Args", "name": LONG}]})
    with pytest.raises(BadField, match="execution"):
        limits.check_fields({"execution": {"parameters": {LONG: "1"}}})


DIGITS = "9" * 5000


@pytest.mark.parametrize(
    ("verb", "path", "headers", "statuses"),
    [
        ("GET", "/files/x/y", {"Range": f"bytes={DIGITS}-"}, {404}),
        ("GET", "/files/there", {"Range": f"bytes={DIGITS}-"}, {200, 416}),
        ("GET", "/files/there", {"Range": f"bytes=0-{DIGITS}"}, {200, 206}),
        ("GET", "/files/there", {"Range": f"bytes=-{DIGITS}"}, {200, 206}),
        ("GET", "/files/there", {"Range": "bytes=\u0663-"}, {200}),
        ("PUT", "/files/p", {"Upload-Id": "a" * 32, "Content-Range": f"bytes 0-1/{DIGITS}"}, {400}),
        ("PUT", "/files/p", {"Upload-Id": "a" * 32, "Content-Range": f"bytes */{DIGITS}"}, {400}),
        ("POST", f"/v{DIGITS}.1/server.info", {}, {400, 404}),
        ("POST", f"/v2.{DIGITS}/server.info", {}, {400, 404}),
        ("GET", "/" + "p" * 5000, {}, {404, 400}),
        ("GET", "/" + "p/" * 2500, {"Accept": "text/html"}, {200, 400, 404}),
        ("GET", "/files/" + "p" * 5000, {}, {400, 404}),
        ("PUT", "/files/" + "p/" * 2500, {}, {400}),
        ("DELETE", "/files/" + "p/" * 2500, {}, {400}),
        ("POST", f"/tasks.get_all?page={DIGITS}", {}, {400}),
        # Headers that the parsers of keys and addresses refuse by an error of their own.
        ("POST", "/auth.login", {"Authorization": "Basic é"}, {401}),
        ("GET", "/files/there", {"Authorization": "Basic é"}, {401}),
        ("PUT", "/files/there", {"Authorization": "Basic YWI="}, {401}),
        ("POST", "/auth.login_local", {"Origin": "http://[", "X-Trialbook-Web": "1"}, {403}),
        ("POST", "/auth.login_local", {"Host": "[", "X-Trialbook-Web": "1"}, {400, 403}),
    ],
)
def test_S8_long_numbers_and_paths(
    server: RunningServer, verb: str, path: str, headers: dict[str, str], statuses: set[int]
) -> None:
    keys = {"Authorization": bearer(server)}
    HTTP.request("PUT", f"{server.files_url}/there", body=b"0123456789", headers=keys)
    raw = {name: value.encode() if not value.isascii() else value for name, value in headers.items()}
    reply = HTTP.request(verb, f"{server.url}{path}", headers={**keys, **raw}, body=b"")  # type: ignore[arg-type]
    assert reply.status in statuses, reply.data
    assert "Traceback" not in server.log


def closed(server: RunningServer, path: str, verb: str, body: bytes, **headers: str) -> bool:
    """Whether the server says that it ends the connection after one answer, and does."""
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in said.items())
    text = f"{verb} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{lines}\r\n"
    with connect(server) as wire:
        wire.sendall(text.encode() + body)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += wire.recv(1 << 16)
        if b"connection: close" in answer.lower():
            while wire.recv(1 << 16):
                pass
            return True
        return False


@pytest.mark.parametrize(
    ("path", "verb", "headers", "open"),
    [
        ("/debug.ping", "POST", {"X_ClearML_Client": "clearml-2.1.12"}, False),
        ("/tasks.get_all", "POST", {"X_ClearML_Client": "x"}, False),
        ("/debug.ping", "POST", {"X_Trains_Client": "x"}, False),
        ("/debug.ping", "POST", {"User_Agent": "python-requests/2.31"}, True),
        ("/debug.ping", "POST", {}, True),
        ("/debug.ping", "POST", {"User_Agent": "Mozilla/5.0"}, True),
        ("/files/keep", "PUT", {"User_Agent": "python-requests/2.31"}, False),
        ("/files/keep", "GET", {"User_Agent": "python-requests/2.31"}, False),
        ("/files/keep", "PUT", {"User_Agent": "python-urllib3/2"}, True),
        ("/files/keep", "GET", {"User_Agent": "Mozilla/5.0"}, True),
        ("/files", "GET", {"User_Agent": "python-requests/2.31"}, False),
    ],
)
def test_S14_connections_are_kept_for_those_who_do_not_fork(
    server: RunningServer, path: str, verb: str, headers: dict[str, str], open: bool
) -> None:
    HTTP.request("PUT", f"{server.files_url}/keep", body=b"k", headers={"Authorization": bearer(server)})
    body = b"" if verb == "GET" else b"{}"
    assert closed(server, path, verb, body, Authorization=bearer(server), **headers) is not open


def test_S11_nothing_stays_of_a_refused_upload(own_server: RunningServer) -> None:
    uploads = own_server.data / "uploads"
    keys = {"Authorization": bearer(own_server)}
    HTTP.request("PUT", f"{own_server.files_url}/a/b", body=b"x", headers=keys)
    big = os.urandom(3 << 20)
    # A file is in the way of its folder.
    assert HTTP.request("PUT", f"{own_server.files_url}/a/b/c", body=big, headers=keys).status == 400
    body = b'--XX\r\nContent-Disposition: form-data; name="a/b/d"\r\n\r\n' + big + b"\r\n--XX--\r\n"
    kind = {**keys, "Content-Type": "multipart/form-data; boundary=XX"}
    assert HTTP.request("POST", own_server.files_url, body=body, headers=kind).status == 400
    span = {"Upload-Id": "b" * 32, "Content-Range": f"bytes 0-{len(big) - 1}/{len(big)}"}
    assert (
        HTTP.request("PUT", f"{own_server.files_url}/a/b/e", body=big, headers={**keys, **span}).status == 400
    )
    assert _files(uploads) == []


def _files(folder: Path) -> list[str]:
    return [found.name for found in folder.glob("*")]


def test_S8_a_body_that_is_no_utf8_is_no_fault(server: RunningServer) -> None:
    for body in (b"\xff\xfe", b'{"a": "\xff"}', json.dumps({"task": "\ud800"}).encode(), b"[" * 100_000):
        assert server.ask("tasks.get_by_id", body=body).status == 400


CUT = (b"\xed\xa0\x80", b"\\ud800", b"\\u0000")
"""A lone surrogate as bytes and escaped, and the zero character."""


@pytest.mark.parametrize("letter", CUT, ids=["bytes", "escaped", "zero"])
@pytest.mark.parametrize("field", ["type", "task", "metric", "variant", "worker", "msg", "level"])
def test_S8_letters_that_are_none_in_json_lines(server: RunningServer, field: str, letter: bytes) -> None:
    task = server.call("tasks.create", name="t", type="training")["id"]
    good = {
        "type": "log",
        "task": task,
        "msg": "kept",
        "level": "info",
        "metric": "m",
        "variant": "v",
        "worker": "w",
    }
    odd = json.dumps({**good, field: "@" + str(good[field])}).encode().replace(b"@", letter)
    reply = server.ask(
        "events.add_batch",
        body=json.dumps(good).encode() + b"\n" + odd,
        headers={"Content-Type": "application/json-lines"},
    )
    assert reply.status == 200, reply.data
    found = server.call("events.get_task_log", task=task)["events"]
    assert len(found) == (1 if field in ("type", "task") else 2)


@pytest.mark.parametrize("letter", CUT, ids=["bytes", "escaped", "zero"])
def test_S8_letters_that_are_none_in_a_journal(server: RunningServer, letter: bytes) -> None:
    task = server.call("tasks.create", name="t", type="training")["id"]
    parts = frames.event(type="plot", metric="m", variant="v@", iter=1, plot_str="{}@", timestamp=1)
    payload = parts[4:-4].replace(b"@", letter)
    body = frames.body(task, new_id(), 0, frames.frame(4, payload))
    reply = server.ask(
        "events.add_points", body=body, headers={"Content-Type": "application/x-trialbook-points"}
    )
    assert reply.status == 200, reply.data
    assert server.call("events.get_task_plots", task=task)["returned"] == 1


def _nested(depth: int, piece: str) -> bytes:
    opened, closed = ("[", "]") if piece == "list" else ('{"a": ', "}")
    return b'"\\u0000", ' + b'"b": ' + (opened * depth + '"\\u0000"' + closed * depth).encode()


def test_S7_a_batch_of_very_many_lines_is_refused(server: RunningServer) -> None:
    """Each line becomes an object: what unpacks to millions of empty ones would take gigabytes."""
    body = gzip.compress(b"{}\n" * limits.BATCH_EVENTS, 1)
    headers = {"Content-Type": "application/json-lines", "Content-Encoding": "gzip"}
    reply = server.ask("events.add_batch", body=body, headers=headers)
    assert reply.status == 400
    assert "send several" in reply.json()["meta"]["result_msg"]
    body = gzip.compress(b"{" + b" " * (limits.LINE_BYTES + (1 << 20)), 1)
    reply = server.ask("events.add_batch", body=body, headers=headers)
    assert reply.status == 400
    assert "a line of the batch" in reply.json()["meta"]["result_msg"]


@pytest.mark.parametrize("length", [1_000, 300_000, 1_200_000])
def test_S7_long_lines_of_a_batch_are_cut_at_their_ends(server: RunningServer, length: int) -> None:
    """Whatever the length of the lines, with and without empty ones and a last end."""
    task = server.call("tasks.create", name="t", type="training")["id"]
    many = 3_000_000 // length
    lines = [
        json.dumps({"type": "log", "task": task, "msg": f"{n} " + "x" * length, "timestamp": n}).encode()
        for n in range(many)
    ]
    headers = {"Content-Type": "application/json-lines"}
    for body in (b"\n".join(lines), b"\n\n".join(lines) + b"\n"):
        reply = server.ask("events.add_batch", body=body, headers=headers)
        assert (reply.status, reply.json()["data"]["added"]) == (200, many), reply.data[:500]
    found = server.call("logs.range", task=task, start=0, count=1)
    assert found["total"] == 2 * many
    # The number of a broken line is that in the whole body.
    broken = b"\n".join([*lines, b"{"])
    reply = server.ask("events.add_batch", body=broken, headers=headers)
    assert reply.status == 400
    assert f"item {many} of" in reply.json()["meta"]["result_msg"]


@pytest.mark.parametrize("piece", ["list", "object"])
def test_S8_nested_as_deep_as_a_parser_goes(server: RunningServer, piece: str) -> None:
    """Whatever reads a body after the parser may not go as deep as the parser went."""
    task = server.call("tasks.create", name="t", type="training")["id"]
    for depth in (50, 300, 480, 700, 900, 980, 5000):
        deep = _nested(depth, piece)
        assert server.ask("tasks.get_by_id", body=b'{"task": "x", "a": ' + deep + b"}").status == 400
        head = b'{"type": "plot", "metric": "m", "variant": "v", "iter": 1, "timestamp": 1, "plot_str": '
        payload = head + deep + b"}"
        assert (
            server.ask(
                "events.add_points",
                body=frames.body(task, new_id(), 0, frames.frame(4, payload)),
                headers={"Content-Type": "application/x-trialbook-points"},
            ).status
            < 500
        )
        line = b'{"type": "log", "task": "' + task.encode() + b'", "msg": ' + deep + b"}"
        reply = server.ask("events.add_batch", body=line, headers={"Content-Type": "application/json-lines"})
        assert reply.status < 500
    assert "Traceback" not in server.log


@pytest.mark.parametrize("metadata", [5.0, 1, True, "text", [1], [{"no": "key"}]])
@pytest.mark.parametrize("method", ["create", "edit"])
def test_S8_metadata_of_another_kind(server: RunningServer, method: str, metadata: Any) -> None:
    model = server.call("models.create", name="m", uri="file:///m")["id"]
    named = {"model": model} if method == "edit" else {"name": "m", "uri": "file:///m"}
    reply = server.ask(f"models.{method}", {**named, "metadata": metadata})
    assert (reply.status, reply.json()["meta"]["error_class"]) == (400, "BadField"), reply.data


def test_S8_a_boundary_that_is_too_long(server: RunningServer) -> None:
    kind = "multipart/form-data; boundary=" + "b" * 5000
    headers = {"Authorization": bearer(server), "Content-Type": kind}
    assert HTTP.request("POST", server.files_url, body=b"", headers=headers).status == 400
