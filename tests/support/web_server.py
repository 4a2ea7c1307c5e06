"""A small web server that is told what to answer: redirects, refusals, cut connections."""

import gzip
import http.server
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Handler = http.server.BaseHTTPRequestHandler


@dataclass
class WebServer:
    """What it has, and what it was asked.

    Attributes:
        url: its address, without a slash at the end.
        files: content by path.
        leads: path to the address that it redirects to.
        status: of the redirects.
        no_head: the answer to HEAD, where it refuses HEAD.
        ranges: whether it knows ranges.
        etag: of every file; empty when it tells none.
        cuts: after how many bytes of content the next answers break off; used up one by one.
        heads: how many of the next answers break off in their head, which says no length then.
        chunked: whether content comes in pieces of 1000 bytes, and no length is told.
        moved: by how many bytes a part begins elsewhere than it was asked for.
        packed: whether it packs all that it sends, whatever was asked for.
        asked: method, path and headers, in order.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    leads: dict[str, str] = field(default_factory=dict)
    status: int = 302
    no_head: int = 0
    ranges: bool = True
    etag: str = '"one"'
    cuts: list[int] = field(default_factory=list)
    heads: int = 0
    chunked: bool = False
    moved: int = 0
    packed: bool = False
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def answer(self, handler: Handler) -> None:
        """One request."""
        method, path = handler.command, handler.path
        self.asked.append((method, path, {name.lower(): value for name, value in handler.headers.items()}))
        handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        if path in self.leads:
            return self._say(handler, self.status, {"Location": self.leads[path]}, b"elsewhere")
        if method == "HEAD" and self.no_head:
            return self._say(handler, self.no_head, {}, b"")
        if path not in self.files:
            return self._say(handler, 404, {}, b"")
        whole = self.files[path]
        told = {"ETag": self.etag} if self.etag else {}
        if self.packed:
            whole, told["Content-Encoding"] = gzip.compress(whole, mtime=0), "gzip"
        span = re.fullmatch(r"bytes=(\d+)-(\d*)", handler.headers.get("Range", ""))
        valid = handler.headers.get("If-Range", self.etag) == self.etag
        if span and self.ranges and valid:
            start, end = int(span[1]), min(int(span[2] or len(whole)) + 1, len(whole))
            if start >= len(whole):
                return self._say(handler, 416, {"Content-Range": f"bytes */{len(whole)}"}, b"")
            start += self.moved
            told["Content-Range"] = f"bytes {start}-{end - 1}/{len(whole)}"
            return self._say(handler, 206, told, whole[start:end])
        self._say(handler, 200, told, whole)

    def _say(self, handler: Handler, status: int, headers: dict[str, str], body: bytes) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        content = status in (200, 206) and handler.command != "HEAD"
        if content and self.heads:
            self.heads -= 1
            handler.flush_headers()
            return self._break(handler)
        if self.chunked and status == 200:
            handler.send_header("Transfer-Encoding", "chunked")
        else:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if handler.command == "HEAD":
            return
        cut = self.cuts.pop(0) if content and self.cuts else None
        sent = body[:cut]
        if self.chunked and status == 200:
            for at in range(0, len(sent), 1000):
                piece = sent[at : at + 1000]
                handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            handler.wfile.write(b"" if cut is not None else b"0\r\n\r\n")
        else:
            handler.wfile.write(sent)
        if cut is not None:
            self._break(handler)

    def _break(self, handler: Handler) -> None:
        handler.wfile.flush()
        handler.connection.shutdown(socket.SHUT_RDWR)
        handler.close_connection = True


@contextmanager
def web_server(host: str = "127.0.0.1") -> Iterator[WebServer]:
    """A running one.

    Args:
        host: where it listens.
    """
    web = WebServer()

    class Answers(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    answer: Callable[[Handler], None] = web.answer
    for method in ("GET", "HEAD", "PUT", "DELETE", "POST"):
        setattr(Answers, f"do_{method}", lambda self: answer(self))
    server = http.server.ThreadingHTTPServer((host, 0), Answers)
    server.daemon_threads = True
    web.url = f"http://{host}:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
