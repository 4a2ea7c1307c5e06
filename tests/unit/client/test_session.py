"""The session against a small real HTTP server: log-in, refresh, bounded waits, errors that say what to do."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from trialbook.client.files import FileClient
from trialbook.client.session import Credentials, Session
from trialbook.errors import (
    BadCredentials,
    ConnectionFailed,
    FileMissing,
    NoCredentials,
    TaskNotFound,
    WireError,
)


class Server:
    """Answers by the rules of the wire; every request is noted."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, str]] = []
        self.answers: list[tuple[int, Any]] = []
        self.life = 3600.0
        self.files: dict[str, bytes] = {}
        self.stale: set[str] = set()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None: ...

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                server.requests.append((self.command, self.path, self.headers.get("Authorization", "")))
                status, content = server.answer(
                    self.command, self.path, self.headers.get("Authorization", ""), body
                )
                data = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _answer

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    def token(self) -> str:
        claims = json.dumps({"exp": time.time() + self.life, "n": len(self.requests)}).encode()
        return f"h.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.s"

    def answer(self, verb: str, path: str, authorization: str, body: bytes) -> tuple[int, Any]:
        if path == "/auth.login":
            if authorization != "Basic " + base64.b64encode(b"key:secret").decode():
                return 401, envelope(401, 22, "invalid credentials")
            return 200, envelope(200, data={"token": self.token()})
        if path.startswith("/files/"):
            if verb == "PUT":
                self.files[path] = body
                return 200, b""
            found = self.files.get(path)
            return (404, b"") if found is None else (200, found)
        if authorization.removeprefix("Bearer ") in self.stale:
            return 401, envelope(401, 30, "expired")
        return (
            self.answers.pop(0)
            if self.answers
            else (200, envelope(200, data={"echo": json.loads(body or b"{}")}))
        )

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


def envelope(code: int, subcode: int = 0, message: str = "OK", data: Any = None) -> dict[str, Any]:
    return {
        "meta": {
            "result_code": code,
            "result_subcode": subcode,
            "result_msg": message,
            "error_data": {"task": "t"},
        },
        "data": data or {},
    }


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()


def session(server: Server, secret: str = "secret", patience: float = 5.0) -> Session:
    return Session(
        server.url, Credentials("key", secret, source="api.credentials in /x.conf"), patience=patience
    )


def test_one_log_in_serves_many_calls(server: Server) -> None:
    opened = session(server)
    assert opened.call("a.b", {"x": 1}) == {"echo": {"x": 1}}
    opened.call("a.b")
    assert [path for _, path, _ in server.requests] == ["/auth.login", "/a.b", "/a.b"]


def test_a_token_that_ends_soon_is_replaced_before(server: Server) -> None:
    server.life = 100.0
    opened = session(server)
    opened.call("a.b")
    opened.call("a.b")
    assert [path for _, path, _ in server.requests].count("/auth.login") == 2


def test_a_refused_token_is_replaced_once(server: Server) -> None:
    opened = session(server)
    server.stale.add(opened.token())
    assert opened.call("a.b", {"x": 2}) == {"echo": {"x": 2}}
    assert [path for _, path, _ in server.requests] == ["/auth.login", "/a.b", "/auth.login", "/a.b"]


def test_a_wrong_key_names_its_place(server: Server) -> None:
    with pytest.raises(
        BadCredentials, match=r"api\.credentials in /x\.conf.*ask an administrator of the server"
    ):
        session(server, "wrong").call("a.b")
    with pytest.raises(NoCredentials, match=r"TRIALBOOK_API_ACCESS_KEY.*ask an administrator of the server"):
        Session(server.url, Credentials()).call("a.b")


def test_refusals_are_exceptions_of_their_kind(server: Server) -> None:
    server.answers = [(400, envelope(400, 101, "no task t"))]
    with pytest.raises(TaskNotFound, match="no task t") as found:
        session(server).call("tasks.get_by_id")
    assert found.value.data == {"task": "t"}
    server.answers = [(200, b"<html>hello</html>")]
    with pytest.raises(WireError, match="is the address right"):
        session(server).call("a.b")


def test_a_busy_server_is_asked_again(server: Server) -> None:
    server.answers = [(503, b""), (502, b"")]
    assert session(server).call("a.b", {"x": 3}) == {"echo": {"x": 3}}


def test_an_absent_server_is_told_in_bounded_time() -> None:
    began = time.monotonic()
    with pytest.raises(
        ConnectionFailed, match=r"No Trialbook server answers at http://127\.0\.0\.1:9 .*trialbook server"
    ):
        Session("http://127.0.0.1:9", Credentials("k", "s"), patience=0.5).call("a.b")
    assert time.monotonic() - began < 5


def test_where_nobody_listens_patience_ends_early() -> None:
    began = time.monotonic()
    with pytest.raises(ConnectionFailed, match=r"No Trialbook server answers at http://127\.0\.0\.1:9/lab "):
        Session("http://127.0.0.1:9/lab", Credentials("k", "s"), patience=600, refused=0.1).call("a.b")
    assert time.monotonic() - began < 300


def test_a_server_that_was_there_is_waited_for(server: Server) -> None:
    opened = Session(server.url, Credentials("key", "secret"), patience=0.5, refused=0.0)
    opened.call("a.b")
    opened.forget()
    server.close()
    began = time.monotonic()
    with pytest.raises(ConnectionFailed):
        opened.call("a.b")
    assert time.monotonic() - began > 0.25


def test_files_stream_both_ways(server: Server, tmp_path: Path) -> None:
    files = FileClient(session(server), f"{server.url}/files")
    source = tmp_path / "source"
    source.write_bytes(bytes(range(256)) * 20_000)
    files.upload(source, f"{server.url}/files/a/b.bin")
    target = tmp_path / "deep" / "target"
    files.download(f"{server.url}/files/a/b.bin", target)
    assert target.read_bytes() == source.read_bytes()
    assert [p.name for p in target.parent.iterdir()] == ["target"]
    with pytest.raises(FileMissing):
        files.download(f"{server.url}/files/none", target)
    assert target.read_bytes() == source.read_bytes(), "a failed download leaves the old file"


def test_the_token_goes_to_the_own_files_host_only(server: Server, tmp_path: Path) -> None:
    other = Server()
    other.files["/files/x"] = b"x"
    FileClient(session(server), f"{server.url}/files").download(f"{other.url}/files/x", tmp_path / "x")
    # It is asked who it is, and is told nothing of us.
    assert other.requests == [("HEAD", "/files/x", ""), ("GET", "/files/x", "")]
    other.close()
