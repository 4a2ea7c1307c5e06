"""``/files`` as released clients use it, and as nobody should."""

import os
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import urllib3
from tests.support.server import RunningServer

HTTP = urllib3.PoolManager(retries=False)


def auth(server: RunningServer) -> dict[str, str]:
    return {"Authorization": f"Bearer {server.token}"}


def part(name: str, data: bytes, boundary: bytes = b"XX") -> bytes:
    raw = name.encode()
    head = b'--%s\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\nContent-Type: text/plain\r\n\r\n'
    return head % (boundary, raw, raw) + data + b"\r\n"


def post(server: RunningServer, body: Any, path: str = "", **headers: str) -> urllib3.BaseHTTPResponse:
    sent = {**auth(server), "Content-Type": "multipart/form-data; boundary=XX", **headers}
    return HTTP.request("POST", f"{server.files_url}{path}", body=body, headers=sent)


def get(server: RunningServer, path: str, verb: str = "GET", **headers: str) -> urllib3.BaseHTTPResponse:
    sent = {**auth(server), **{name.replace("_", "-"): value for name, value in headers.items()}}
    return HTTP.request(verb, f"{server.files_url}/{quote(path)}", headers=sent)


@pytest.mark.parametrize("path", ["", "/"])
def test_upload_and_download_as_the_released_client_does(server: RunningServer, path: str) -> None:
    name = f"Proj Ä/sub/my task.{uuid.uuid4().hex}/artifacts/d e/ü%20#1.txt"
    reply = post(server, part(f"/{name}", b"one") + b"--XX--\r\n", path)
    assert reply.status == 200
    assert reply.json() == [name]
    found = get(server, name)
    assert (found.status, found.data, found.headers["Content-Length"]) == (200, b"one", "3")
    assert "no-cache" in found.headers["Cache-Control"]
    post(server, part(f"/{name}", b"two!") + b"--XX--\r\n", path)
    assert get(server, name).data == b"two!"
    assert get(server, name).headers["ETag"] != found.headers["ETag"]
    head = get(server, name, "HEAD")
    assert (head.status, head.headers["Content-Length"], head.data) == (200, "4", b"")


def test_several_parts_in_one_upload(server: RunningServer) -> None:
    base = uuid.uuid4().hex
    body = (
        part(f"{base}/a", b"A" * 100_000)
        + part(f"{base}/b", b"")
        + part(f"{base}/c", b"\r\n--X\r\n")
        + b"--XX--\r\n"
    )
    assert post(server, body).json() == [f"{base}/a", f"{base}/b", f"{base}/c"]
    assert get(server, f"{base}/a").data == b"A" * 100_000
    assert get(server, f"{base}/b").data == b""
    assert get(server, f"{base}/c").data == b"\r\n--X\r\n"


def test_a_large_file_streams_both_ways(server: RunningServer) -> None:
    name = f"{uuid.uuid4().hex}/big.bin"
    block = os.urandom(1 << 20)
    count = 40

    def blocks() -> Iterator[bytes]:
        for number in range(count):
            yield number.to_bytes(4, "little") + block[4:]

    reply = HTTP.request("PUT", f"{server.files_url}/{name}", body=blocks(), headers=auth(server))
    assert (reply.status, reply.json()) == (200, [name])
    found = HTTP.request("GET", f"{server.files_url}/{name}", headers=auth(server), preload_content=False)
    for expected in blocks():
        assert found.read(1 << 20) == expected
    assert found.read(1) == b""


def test_ranges(server: RunningServer) -> None:
    name = f"{uuid.uuid4().hex}/r"
    put = HTTP.request("PUT", f"{server.files_url}/{name}", body=b"0123456789", headers=auth(server))
    for text, status, data in (
        ("bytes=2-4", 206, b"234"),
        ("bytes=7-", 206, b"789"),
        ("bytes=-3", 206, b"789"),
        ("bytes=8-100", 206, b"89"),
        ("bytes=0-9", 200, b"0123456789"),
        ("bytes=4-2", 200, b"0123456789"),
        ("bytes=1-2,4-5", 200, b"0123456789"),
        ("lines=1-2", 200, b"0123456789"),
        ("bytes=10-", 416, b""),
        ("bytes=-0", 416, b""),
    ):
        found = get(server, name, Range=text)
        assert (found.status, found.data) == (status, data), text
    assert get(server, name, Range="bytes=2-4").headers["Content-Range"] == "bytes 2-4/10"
    etag = get(server, name).headers["ETag"]
    assert put.headers["ETag"] == etag, "who stores a file need not ask for its tag"
    assert get(server, name, If_None_Match=etag).status == 304
    assert get(server, name, If_None_Match='"other"').status == 200
    assert get(server, name, Range="bytes=0-1", If_Range=etag).status == 206
    assert get(server, name, Range="bytes=0-1", If_Range='"other"').status == 200


def test_delete(server: RunningServer) -> None:
    name = f"{uuid.uuid4().hex}/x"
    HTTP.request("PUT", f"{server.files_url}/{name}", body=b"x", headers=auth(server))
    assert get(server, name, "DELETE").status == 200
    assert get(server, name).status == 404
    assert get(server, name, "DELETE").status == 404


@pytest.mark.parametrize(
    "path",
    [
        "../credentials.json",
        "a/../../credentials.json",
        "..%2fcredentials.json",
        "a/%2e%2e/b",
        "%00",
        "a%0ab",
        ".",
    ],
)
def test_there_is_no_way_out(server: RunningServer, path: str) -> None:
    import http.client
    from urllib.parse import urlsplit

    # Not through urllib3: it would clean the path before it is sent.
    parts = urlsplit(server.files_url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port)
    for verb in ("GET", "PUT", "DELETE"):
        connection.putrequest(verb, f"/files/{path}", skip_host=False)
        connection.putheader("Authorization", f"Bearer {server.token}")
        connection.putheader("Content-Length", "0")
        connection.endheaders()
        reply = connection.getresponse()
        assert reply.status in {400, 404}, verb
        assert b"secret" not in reply.read()
    connection.close()
    for name in ("../evil", "/../evil", "a/../../evil", ".."):
        assert post(server, part(name, b"x") + b"--XX--\r\n").status == 404
    assert not (server.data / "evil").exists()


def test_uploads_that_make_no_sense(server: RunningServer) -> None:
    assert post(server, b"--XX--\r\n").status == 400
    assert post(server, b"garbage").status == 400
    assert post(server, b"x", **{"Content-Type": "application/json"}).status == 400
    name = f"{uuid.uuid4().hex}/cut"
    assert post(server, part(name, b"x" * 100)[:-20]).status == 400
    assert get(server, name).status == 404
    base = uuid.uuid4().hex
    post(server, part(f"{base}/f", b"x") + b"--XX--\r\n")
    assert post(server, part(f"{base}/f/below", b"x") + b"--XX--\r\n").status == 400
    assert post(server, part(base, b"x") + b"--XX--\r\n").status == 400
    assert get(server, base).status == 404


def test_a_broken_upload_leaves_the_old_file(server: RunningServer) -> None:
    name = f"{uuid.uuid4().hex}/kept"
    HTTP.request("PUT", f"{server.files_url}/{name}", body=b"old", headers=auth(server))
    import socket
    from urllib.parse import urlsplit

    parts = urlsplit(server.url)
    with socket.create_connection((str(parts.hostname), int(parts.port or 0))) as raw:
        head = f"PUT /files/{name} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.token}\r\n"
        raw.sendall(head.encode() + b"Content-Length: 100\r\n\r\n" + b"n" * 50)
    for _ in range(3):
        assert get(server, name).data == b"old"


def test_the_token_is_checked(server: RunningServer) -> None:
    name = f"{uuid.uuid4().hex}/secret"
    HTTP.request("PUT", f"{server.files_url}/{name}", body=b"s", headers=auth(server))
    url = f"{server.files_url}/{name}"
    assert HTTP.request("GET", url).status == 401
    assert HTTP.request("GET", url, headers={"Authorization": "Bearer x.y.z"}).status == 401
    assert HTTP.request("PUT", url, body=b"new").status == 401
    assert HTTP.request("DELETE", url).status == 401
    page = HTTP.request("POST", f"{server.url}/auth.login_local", headers={"X-Trialbook-Web": "1"})
    cookie = {"Cookie": page.headers["Set-Cookie"].partition(";")[0]}
    assert HTTP.request("GET", url, headers=cookie).data == b"s"
    assert HTTP.request("DELETE", url, headers=cookie).status == 403
    assert HTTP.request("PUT", url, body=b"new", headers=cookie).status == 403
    assert HTTP.request("GET", url, headers=cookie).data == b"s"


@pytest.mark.parametrize("name", ["evil.js", "evil.mjs", "evil.css", "evil.wasm"])
def test_an_uploaded_script_is_plain_text_to_a_browser(server: RunningServer, name: str) -> None:
    path = f"{uuid.uuid4().hex}/{name}"
    HTTP.request("PUT", f"{server.files_url}/{path}", body=b"alert(1)", headers=auth(server))
    found = get(server, path)
    assert found.headers["Content-Type"].startswith("text/plain")
    assert found.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", ["page.html", "picture.svg", "feed.xml"])
def test_what_a_browser_would_run_is_shown_in_a_sandbox(server: RunningServer, name: str) -> None:
    path = f"{uuid.uuid4().hex}/{name}"
    HTTP.request("PUT", f"{server.files_url}/{path}", body=b"<script>alert(1)</script>", headers=auth(server))
    found = get(server, path)
    assert found.headers["Content-Security-Policy"].startswith("sandbox")
    assert "allow" not in found.headers["Content-Security-Policy"]
    assert found.headers["X-Content-Type-Options"] == "nosniff"
    shown = HTTP.request("GET", f"{server.files_url}/{path}?download", headers=auth(server))
    assert shown.headers["Content-Disposition"].startswith("attachment")
