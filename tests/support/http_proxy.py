"""A proxy for HTTP requests, which can change, refuse or break off each of them."""

import http.client
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


@dataclass
class Request:
    """One request on its way; a rule may change it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Fault:
    """What a rule does to a request instead of letting it pass.

    Attributes:
        status: the answer; 0 breaks the connection.
        after: bytes of the real answer that get through before the connection breaks.
        headers: of the answer.
    """

    status: int = 0
    after: int | None = None
    headers: dict[str, str] = field(default_factory=dict)


class HttpProxy:
    """Forwards to ``target``; ``rule`` sees each request first.

    Args:
        target: such as ``http://127.0.0.1:5000``.
        rule: answers None to let a request pass, or a fault.
    """

    def __init__(self, target: str, rule: Callable[[Request], Fault | None] = lambda _: None) -> None:
        self.rule = rule
        self.seen: list[tuple[str, str]] = []
        self._target = urlsplit(target).netloc
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                proxy._answer(self)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_PATCH = answer

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{self.host}"

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length") or 0)
        request = Request(
            handler.command,
            handler.path,
            {name: value for name, value in handler.headers.items() if name.lower() != "expect"},
            handler.rfile.read(length),
        )
        if len(request.body) < length:
            handler.close_connection = True
            return
        self.seen.append((request.method, request.path))
        fault = self.rule(request)
        if fault is not None and fault.after is None:
            self._fail(handler, fault)
            return
        connection = http.client.HTTPConnection(self._target, timeout=60)
        try:
            connection.request(request.method, request.path, request.body or None, request.headers)
            reply = connection.getresponse()
            data = reply.read()
        except (OSError, http.client.HTTPException):
            self._fail(handler, Fault())
            return
        finally:
            connection.close()
        handler.send_response_only(reply.status)
        skipped = {"transfer-encoding", "connection", "content-length"}
        for name, value in reply.getheaders():
            if name.lower() not in skipped:
                handler.send_header(name, value)
        told = reply.getheader("Content-Length") if request.method == "HEAD" else str(len(data))
        if reply.status not in (204, 304) and told is not None:
            handler.send_header("Content-Length", told)
        handler.end_headers()
        if fault is not None:
            handler.wfile.write(data[: fault.after])
            self._hang_up(handler)
        elif request.method != "HEAD":
            handler.wfile.write(data)

    def _fail(self, handler: BaseHTTPRequestHandler, fault: Fault) -> None:
        if fault.status == 0:
            self._hang_up(handler)
            return
        handler.send_response_only(fault.status)
        for name, value in fault.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    @staticmethod
    def _hang_up(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        handler.wfile.flush()
        handler.connection.shutdown(socket.SHUT_RDWR)
