"""``/files`` for large files and for the dataset engine: uploads in parts, conditional uploads, lists."""

import os
import socket
import uuid
from urllib.parse import quote, urlsplit

import pytest
import urllib3
from tests.support.server import RunningServer
from tests.support.waiting import until

HTTP = urllib3.PoolManager(retries=False)


def auth(server: RunningServer, **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {server.token}", **{k.replace("_", "-"): v for k, v in more.items()}}


def send(server: RunningServer, key: str, id: str, span: str, data: bytes = b"") -> tuple[int, int | None]:
    headers = auth(server, Upload_Id=id, Content_Range=f"bytes {span}")
    reply = HTTP.request("PUT", f"{server.files_url}/{quote(key)}", body=data, headers=headers)
    told = reply.headers.get("Upload-Offset")
    return reply.status, int(told) if told is not None else None


def read(server: RunningServer, key: str) -> urllib3.BaseHTTPResponse:
    return HTTP.request("GET", f"{server.files_url}/{quote(key)}", headers=auth(server))


def fresh() -> tuple[str, str]:
    return f"parts/{uuid.uuid4().hex}/a ü#1.bin", uuid.uuid4().hex


def test_a_file_comes_in_parts_and_is_there_with_the_last(server: RunningServer) -> None:
    key, id = fresh()
    data = os.urandom(300_000)
    assert send(server, key, id, "*/300000") == (202, 0)
    assert send(server, key, id, "0-99999/300000", data[:100_000]) == (202, 100_000)
    assert read(server, key).status == 404
    assert send(server, key, id, "*/300000") == (202, 100_000)
    # Bytes that do not follow are refused with the place to go on from.
    assert send(server, key, id, "0-99999/300000", data[:100_000]) == (409, 100_000)
    assert send(server, key, id, "100000-299999/300000", data[100_000:]) == (200, 300_000)
    assert read(server, key).data == data


def test_an_empty_file(server: RunningServer) -> None:
    key, id = fresh()
    assert send(server, key, id, "*/0") == (200, 0)
    assert read(server, key).data == b""


def test_what_came_before_the_wire_broke_is_kept(server: RunningServer) -> None:
    key, id = fresh()
    data = os.urandom(1 << 20)
    address = urlsplit(server.files_url)
    head = (
        f"PUT {address.path}/{quote(key)} HTTP/1.1\r\nHost: {address.netloc}\r\nUpload-Id: {id}\r\n"
        f"Authorization: Bearer {server.token}\r\nContent-Range: bytes 0-{len(data) - 1}/{len(data)}\r\n"
        f"Content-Length: {len(data)}\r\n\r\n"
    )
    with socket.create_connection((address.hostname, address.port)) as wire:
        wire.sendall(head.encode() + data[:700_000])
    # How much arrives before the end of the connection is the system's matter; all of it is kept.
    until(lambda: (send(server, key, id, f"*/{len(data)}")[1] or 0) > 0)
    status, offset = send(server, key, id, f"*/{len(data)}")
    assert status == 202 and offset is not None and 0 < offset <= 700_000
    assert send(server, key, id, f"{offset}-{len(data) - 1}/{len(data)}", data[offset:]) == (200, len(data))
    assert read(server, key).data == data


def test_a_part_outlives_the_server(own_server: RunningServer) -> None:
    key, id = fresh()
    data = os.urandom(200_000)
    assert send(own_server, key, id, "0-99999/200000", data[:100_000]) == (202, 100_000)
    own_server.kill()
    own_server.start()
    assert send(own_server, key, id, "*/200000") == (202, 100_000)
    assert send(own_server, key, id, "100000-199999/200000", data[100_000:]) == (200, 200_000)
    assert read(own_server, key).data == data
    assert list((own_server.data / "uploads").iterdir()) == []


@pytest.mark.parametrize("span", ["0-9", "bytes", "5-3/10", "0-10/10", "-5/10"])
def test_spans_that_make_no_sense(server: RunningServer, span: str) -> None:
    key, id = fresh()
    assert send(server, key, id, span, b"0123456789")[0] == 400


def test_two_files_under_one_id_do_not_mix(server: RunningServer) -> None:
    key, id = fresh()
    assert send(server, key, id, "0-4/10", b"01234") == (202, 5)
    assert send(server, f"{key}2", id, "*/10") == (202, 0)
    assert send(server, key, id, "*/11") == (202, 0)


def test_nobody_uploads_without_a_token(server: RunningServer) -> None:
    key, id = fresh()
    headers = {"Upload-Id": id, "Content-Range": "bytes 0-1/2"}
    reply = HTTP.request("PUT", f"{server.files_url}/{quote(key)}", body=b"ab", headers=headers)
    assert reply.status == 401


def test_a_conditional_upload_never_replaces(server: RunningServer) -> None:
    key, _ = fresh()
    url = f"{server.files_url}/{quote(key)}"
    assert HTTP.request("PUT", url, body=b"one", headers=auth(server, If_None_Match="*")).status == 200
    assert HTTP.request("PUT", url, body=b"two", headers=auth(server, If_None_Match="*")).status == 412
    assert HTTP.request("PUT", url, body=b"two", headers=auth(server, If_None_Match='"x"')).status == 400
    assert read(server, key).data == b"one"


def test_a_list_of_what_lies_below(server: RunningServer) -> None:
    top = uuid.uuid4().hex
    for key in (f"{top}/b/2 ü.txt", f"{top}/a", f"{top}x/c"):
        HTTP.request("PUT", f"{server.files_url}/{quote(key)}", body=b"abc", headers=auth(server))
    found = HTTP.request("GET", f"{server.files_url}/{top}?list", headers=auth(server)).json()
    assert [(one["key"], one["size"]) for one in found] == [(f"{top}/a", 3), (f"{top}/b/2 ü.txt", 3)]
    assert found[0]["etag"] == read(server, f"{top}/a").headers["ETag"]
    assert HTTP.request("GET", f"{server.files_url}/{top}?list").status == 401
    assert HTTP.request("GET", f"{server.files_url}/nothing?list", headers=auth(server)).json() == []
