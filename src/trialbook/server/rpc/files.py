"""``/files``: upload, download, delete. Bytes stream; no file is ever in memory whole."""

import asyncio
import mimetypes
import re
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import Executor
from email.utils import formatdate
from typing import Any, TypeAlias
from urllib.parse import quote

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from trialbook.base.ids import new_id
from trialbook.base.numerals import natural
from trialbook.blobs.store import BlobInfo, BlobStore, clean_key
from trialbook.errors import BadRequest, BodyTooLarge, Forbidden, WireError
from trialbook.server.rpc import envelope, session
from trialbook.server.rpc.feed import Feed
from trialbook.server.rpc.multipart import pieces
from trialbook.server.rpc.resumable import Resumable
from trialbook.server.services.accounts import Accounts
from trialbook.wire.table import Permission

_RANGE = re.compile(r"^bytes=([0-9]*)-([0-9]*)$")
_ACTIVE = frozenset({"text/html", "application/xhtml+xml", "image/svg+xml", "text/xml", "application/xml"})
"""Types that a browser would run; they are shown without scripts, forms and our origin."""

IDENTITY_HEADER = "X-Trialbook-Files"

_SCRIPTS = frozenset(
    {"text/javascript", "application/javascript", "application/ecmascript", "text/css", "application/wasm"}
)
"""Our own page's policy trusts this origin, so an uploaded script may not be one to a browser."""

_SANDBOX = (
    "sandbox; default-src 'none'; img-src data: 'self'; style-src 'unsafe-inline'; media-src data: 'self'"
)


_Storing: TypeAlias = "asyncio.Future[BlobInfo | None]"


class Files:
    """The files endpoint.

    Args:
        blobs: where files are.
        accounts: who may read and write.
        executor: threads that read and write.
        limit: greatest file, bytes.
        resumable: uploads that come in several requests.
        needed: whether a key must stay, because a version of a dataset names it.
    """

    def __init__(
        self, blobs: BlobStore, accounts: Accounts, executor: Executor, limit: int, resumable: Resumable,
        needed: Callable[[str], bool] = lambda key: False,
    ) -> None:  # fmt: skip
        self._needed = needed
        self._blobs = blobs
        self._accounts = accounts
        self._executor = executor
        self._limit = limit
        self._resumable = resumable

    async def answer(self, request: Request) -> Response:
        """One request. The answer tells, also without a key, which server this is and which of its files was asked
        for: what is behind an address that was recorded as a proxy, a tunnel or another name has it."""
        reply = await self._answer(request)
        path = quote(request.path_params.get("path", ""), safe="/")
        reply.headers[IDENTITY_HEADER] = f"{self._accounts.identity} {path}".strip()
        return reply

    async def _answer(self, request: Request) -> Response:
        # A key in Basic form is checked in the database.
        try:
            write = request.method not in {"GET", "HEAD"}
            listed = request.method == "GET" and "list" in request.query_params
            if request.method == "GET" and not request.path_params.get("path") and not listed:
                return Response("OK", media_type="text/plain")
            await self._call(self._permit, request, Permission.WORK if write else Permission.READ)
            if request.method == "POST":
                return await self._upload_parts(request)
            path = request.path_params.get("path", "")
            if request.method == "PUT":
                if "upload-id" in request.headers:
                    return await self._resumable.answer(request, path)
                return await self._upload(request, path)
            if request.method == "DELETE":
                await self._call(self._delete, path)
                return _json([clean_key(path)])
            if listed:
                return _json(await self._call(self._list, path))
            return await self._download(request, path)
        except WireError as error:
            return Response(
                b"" if request.method == "HEAD" else envelope.failure("files", "2.34", error, new_id()),
                error.code,
                media_type="application/json",
            )
        except ClientDisconnect:
            return Response(status_code=400)

    async def _call(self, function: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._executor, function, *arguments)

    def _permit(self, request: Request, permission: Permission) -> None:
        self._accounts.require(session.identify_for_file(request, self._accounts), permission)

    def _delete(self, path: str) -> None:
        if self._needed(clean_key(path)):
            raise Forbidden("a version of a dataset needs this file: delete the version instead", path=path)
        self._blobs.delete(path)

    def _list(self, path: str) -> list[BlobInfo]:
        return list(self._blobs.list(path.strip("/")))

    def _store(self, path: str, absent: bool = False) -> "tuple[Feed, _Storing]":
        feed = Feed()
        put: Callable[[str, Iterable[bytes]], BlobInfo | None]
        put = self._blobs.put_if_absent if absent else self._blobs.put
        done = asyncio.get_running_loop().run_in_executor(self._executor, put, clean_key(path), feed)
        done.add_done_callback(lambda _: feed.over())
        return feed, done

    async def _abandon(self, feed: Feed, done: "_Storing") -> None:
        feed.abort()
        await asyncio.wait([done])
        # Read, so that the loop does not report an error that we caused ourselves.
        done.exception()

    async def _upload(self, request: Request, path: str) -> Response:
        if request.headers.get("content-encoding", "identity") != "identity":
            raise BadRequest("a file is stored as it comes: send it without Content-Encoding")
        condition = request.headers.get("if-none-match")
        if condition not in (None, "*"):
            raise BadRequest(
                "If-None-Match of an upload can be '*' only: store it unless there is a file already"
            )
        feed, done = self._store(path, absent=condition == "*")
        whole = False
        try:
            size = 0
            async for piece in request.stream():
                size = self._count(size, piece)
                if piece:
                    await feed.put(piece)
            feed.end()
            whole = True
        finally:
            if not whole:
                await self._abandon(feed, done)
        info = await done
        if info is None:
            return Response(status_code=412)
        reply = _json([clean_key(path)])
        reply.headers["ETag"] = info.etag
        return reply

    async def _upload_parts(self, request: Request) -> Response:
        stored: list[str] = []
        feed: Feed | None = None
        done: _Storing | None = None
        size = 0
        try:
            async for kind, value in pieces(request):
                if kind == "begin":
                    stored.append(clean_key(str(value)))
                    feed, done = self._store(stored[-1])
                    size = 0
                elif feed is not None and done is not None:
                    if kind == "data":
                        assert isinstance(value, bytes)
                        size = self._count(size, value)
                        await feed.put(value)
                    else:
                        feed.end()
                        finished, feed, done = done, None, None
                        await finished
        finally:
            if feed is not None and done is not None:
                await self._abandon(feed, done)
        if not stored:
            raise BadRequest("the upload has no part")
        return _json(stored)

    def _count(self, size: int, piece: bytes) -> int:
        size += len(piece)
        if size > self._limit:
            raise BodyTooLarge(
                f"the file is larger than the server's limit of {self._limit} bytes", limit=self._limit
            )
        return size

    async def _download(self, request: Request, path: str) -> Response:
        info: BlobInfo = await self._call(self._blobs.head, path)
        headers = _headers(info, "download" in request.query_params)
        known = request.headers.get("if-none-match")
        if known and (
            known.strip() == "*" or info.etag in [tag.strip().removeprefix("W/") for tag in known.split(",")]
        ):
            return Response(
                status_code=304, headers={name: headers[name] for name in ("ETag", "Cache-Control")}
            )
        span = _span(request, info)
        if span is None:
            return Response(status_code=416, headers={"Content-Range": f"bytes */{info.size}"})
        start, end = span
        partial = (start, end) != (0, info.size)
        headers["Content-Length"] = str(end - start)
        if partial:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{info.size}"
        status = 206 if partial else 200
        if request.method == "HEAD":
            return Response(status_code=status, headers=headers)
        return StreamingResponse(self._parts(path, start, end), status, headers)

    async def _parts(self, path: str, start: int, end: int) -> AsyncIterator[bytes]:
        source = iter(self._blobs.read(path, start, end))
        while True:
            part = await self._call(next, source, None)
            if part is None:
                return
            yield part


def _json(value: Any) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")


def _headers(info: BlobInfo, download: bool) -> dict[str, str]:
    kind, encoding = mimetypes.guess_type(info.key)
    kind = "application/octet-stream" if kind is None or encoding else kind
    if kind in _SCRIPTS:
        kind = "text/plain"
    headers = {
        "Content-Type": f"{kind}; charset=utf-8" if kind.startswith("text/") else kind,
        "ETag": info.etag,
        "Last-Modified": formatdate(info.modified, usegmt=True),
        "Accept-Ranges": "bytes",
        # Some files are overwritten in place, so a copy must be asked about each time.
        "Cache-Control": "private, no-cache",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if kind in _ACTIVE or kind.endswith("+xml"):
        headers["Content-Security-Policy"] = _SANDBOX
    if download:
        name = info.key.rpartition("/")[2]
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return headers


def _span(request: Request, info: BlobInfo) -> tuple[int, int] | None:
    """First byte and the one after the last; the whole file without a usable Range; None when it cannot be met."""
    whole = (0, info.size)
    text = request.headers.get("range")
    if not text or request.headers.get("if-range", info.etag) != info.etag:
        return whole
    found = _RANGE.match(text.strip())
    if not found or (not found[1] and not found[2]):
        return whole
    if not found[1]:
        length = natural(found[2])
        return (max(0, info.size - length), info.size) if length and info.size else None
    start = natural(found[1])
    end = min(natural(found[2]) + 1, info.size) if found[2] else info.size
    if found[2] and natural(found[2]) < start:
        return whole
    return (start, end) if start < info.size else None
