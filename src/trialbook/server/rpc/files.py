"""``/files``: upload, download, delete. Bytes stream; no file is ever in memory whole."""

import asyncio
import mimetypes
import re
from collections.abc import AsyncIterator
from concurrent.futures import Executor
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from trialbook.base.ids import new_id
from trialbook.base.numerals import natural
from trialbook.blobs.store import BlobInfo, BlobStore, clean_key
from trialbook.errors import BadRequest, BodyTooLarge, TooSlow, WireError
from trialbook.server.core import limits
from trialbook.server.rpc import envelope, session
from trialbook.server.rpc.arriving import arriving, drain
from trialbook.server.rpc.multipart import pieces
from trialbook.server.rpc.resumable import Resumable
from trialbook.server.rpc.spool import Spool
from trialbook.server.services.accounts import Accounts
from trialbook.server.services.caller import Caller
from trialbook.server.services.files.rules import FileRules
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


_DRAIN = 4 << 30
"""Bytes of a refused upload that are read and dropped, so that the client sees the answer and not a broken pipe."""
UPLOAD = ".upload"
"""How files end in which uploads wait that do not go on after a broken connection."""


class Files:
    """The files endpoint.

    Args:
        blobs: where files are.
        rules: what may be replaced and deleted.
        accounts: who may read and write.
        executor: threads that read and write.
        limit: greatest file, bytes.
        resumable: uploads that come in several requests.
        folder: where uploads wait until they are whole; on the file system of the files.
        uploads: how many each caller may have under way.
    """

    def __init__(
        self, blobs: BlobStore, rules: FileRules, accounts: Accounts, executor: Executor, limit: int,
        resumable: Resumable, folder: Path, uploads: limits.Crowd,
    ) -> None:  # fmt: skip
        self._rules = rules
        self._blobs = blobs
        self._accounts = accounts
        self._executor = executor
        self._limit = limit
        self._resumable = resumable
        self._folder = folder
        self._uploads = uploads

    async def answer(self, request: Request) -> Response:
        """One request. The answer tells, also without a key, which server this is and which of its files was asked
        for: what is behind an address that was recorded as a proxy, a tunnel or another name has it."""
        reply = await self._answer(request)
        path = quote(request.path_params.get("path", ""), safe="/")
        reply.headers[IDENTITY_HEADER] = f"{self._accounts.identity} {path}".strip()
        return reply

    async def _answer(self, request: Request) -> Response:
        write = request.method not in {"GET", "HEAD"}
        known = False
        try:
            listed = request.method == "GET" and "list" in request.query_params
            path = request.path_params.get("path", "")
            if request.method == "GET" and not path and not listed:
                return Response("OK", media_type="text/plain")
            # A key in Basic form is checked in the database.
            caller = await self._call(self._permit, request, Permission.WORK if write else Permission.READ)
            known = True
            limits.check_path(path)
            if request.method in {"POST", "PUT"}:
                with self._uploads.one_more(f"{caller.user} {caller.access_key}"):
                    return await self._take(request, path)
            if request.method == "DELETE":
                await self._call(self._rules.delete, path)
                return _json([clean_key(path)])
            if listed:
                return _json(await self._call(self._list, path))
            return await self._download(request, path)
        except WireError as error:
            if not isinstance(error, TooSlow):
                await drain(request, _DRAIN if known else limits.STRANGER_BYTES)
            return Response(
                b"" if request.method == "HEAD" else envelope.failure("files", "2.34", error, new_id()),
                error.code,
                # Whatever of the body is still on its way must not be taken for the next request.
                headers={"Connection": "close"} if write else None,
                media_type="application/json",
            )
        except ClientDisconnect:
            return Response(status_code=400)

    async def _take(self, request: Request, path: str) -> Response:
        if request.method == "POST":
            return await self._upload_parts(request)
        if "upload-id" in request.headers:
            return await self._resumable.answer(request, path)
        return await self._upload(request, path)

    async def _call(self, function: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._executor, function, *arguments)

    def _permit(self, request: Request, permission: Permission) -> Caller:
        caller = session.identify_for_file(request, self._accounts)
        self._accounts.require(caller, permission)
        return caller

    def _list(self, path: str) -> list[BlobInfo]:
        return list(self._blobs.list(path.strip("/")))

    def _spool(self) -> Spool:
        return Spool(self._folder / f"{new_id()}{UPLOAD}", self._executor)

    async def _upload(self, request: Request, path: str) -> Response:
        if request.headers.get("content-encoding", "identity") != "identity":
            raise BadRequest("a file is stored as it comes: send it without Content-Encoding")
        condition = request.headers.get("if-none-match")
        if condition not in (None, "*"):
            raise BadRequest(
                "If-None-Match of an upload can be '*' only: store it unless there is a file already"
            )
        key = clean_key(path)
        limits.check_path(key)
        declared = request.headers.get("content-length", "")
        self._count(0, int(declared[:20]) if declared.isdigit() else 0)
        spool = self._spool()
        placed = False
        try:
            size = 0
            async for piece in arriving(request):
                size = self._count(size, len(piece))
                await spool.add(piece)
            await spool.end()
            info = await self._call(self._rules.place, key, spool.path, condition == "*")
            placed = info is not None
        finally:
            if not placed:
                await spool.drop()
        if info is None:
            return Response(status_code=412)
        reply = _json([key])
        reply.headers["ETag"] = info.etag
        return reply

    async def _upload_parts(self, request: Request) -> Response:
        stored: list[str] = []
        spool: Spool | None = None
        size = 0
        try:
            async for kind, value in pieces(request):
                if kind == "begin":
                    key = clean_key(str(value))
                    limits.check_path(key)
                    if len(stored) >= limits.LIST_LENGTH:
                        raise BadRequest(
                            f"at most {limits.LIST_LENGTH} files are allowed in one upload: send several"
                        )
                    spool, size = self._spool(), 0
                    stored.append(key)
                elif spool is not None:
                    if kind == "data":
                        assert isinstance(value, bytes)
                        size = self._count(size, len(value))
                        await spool.add(value)
                    else:
                        await spool.end()
                        await self._call(self._rules.place, stored[-1], spool.path)
                        spool = None
        finally:
            if spool is not None:
                await spool.drop()
        if not stored:
            raise BadRequest("the upload has no part")
        return _json(stored)

    def _count(self, size: int, more: int) -> int:
        size += more
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
