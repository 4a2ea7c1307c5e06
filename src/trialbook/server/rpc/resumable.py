"""Uploads that go on where a broken connection, or a killed process, left them.

A client names its upload (``Upload-Id``) and says which bytes it sends (``Content-Range: bytes 0-99/1000``, or
``bytes */1000`` to ask). The answer is 202 with ``Upload-Offset``, the bytes that are here, until the last one has
come: then the file is put into place and the answer is 200. Bytes that do not follow on what is here are refused
with 409 and the offset. What was begun is kept over a restart of the server, and dropped after a week of silence.
"""

import asyncio
import hashlib
import re
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from trialbook.base.numerals import natural
from trialbook.blobs.store import clean_key
from trialbook.errors import BadRequest, BodyTooLarge, ServerFault, TooSlow, WireError
from trialbook.server.core import limits
from trialbook.server.rpc.arriving import arriving
from trialbook.server.rpc.spool import Spool

_ID = re.compile(r"^[0-9a-f]{32}$")
_RANGE = re.compile(r"^bytes (?:([0-9]+)-([0-9]+)|\*)/([0-9]+)$")
_KEPT_SECONDS = 7 * 86_400.0
_LAST_BYTES_SECONDS = 0.5


@dataclass(frozen=True)
class _Ask:
    start: int
    """First byte sent; -1 when the client only asks."""
    end: int
    total: int


class Resumable:
    """The uploads under way.

    Args:
        folder: where their bytes wait; on the file system of the files, so that the last step is a rename.
        place: makes a finished file the blob of a key.
        executor: threads that write.
        limit: greatest file, bytes.
    """

    def __init__(
        self, folder: Path, place: Callable[[str, Path], Any], executor: Executor, limit: int
    ) -> None:
        self._folder = folder
        self._place = place
        self._executor = executor
        self._limit = limit
        self._running: dict[Path, asyncio.Future[None]] = {}

    async def answer(self, request: Request, path: str) -> Response:
        """One request of an upload."""
        ask = _parsed(request, self._limit)
        key = clean_key(path)
        limits.check_path(key)
        # The key is part of the name: an id that is used for two files mixes nothing up.
        name = hashlib.sha256(f"{request.headers['upload-id']}\0{key}\0{ask.total}".encode()).hexdigest()
        part = self._folder / f"{name}.part"
        await self._end(part)
        offset = await self._call(_size, part)
        if ask.start >= 0:
            if ask.start != offset or part in self._running:
                return _told(409, offset)
            await self._receive(request, part, ask)
            offset = await self._call(_size, part)
        if offset < ask.total:
            return _told(202, offset)
        try:
            await self._call(self._place, key, part)
        except WireError:
            await self._call(lambda: part.unlink(missing_ok=True))
            raise
        return _told(200, ask.total)

    def tidy(self) -> None:
        """Drop what nobody has gone on with for a week; uploads that cannot go on, after a day."""
        for begun in self._folder.glob("*.upload"):
            if begun.stat().st_mtime < time.time() - 86_400.0:
                begun.unlink(missing_ok=True)
        for part in self._folder.glob("*.part"):
            if part.stat().st_mtime < time.time() - _KEPT_SECONDS:
                part.unlink(missing_ok=True)

    async def _receive(self, request: Request, part: Path, ask: _Ask) -> None:
        pulling = asyncio.ensure_future(self._pull(request, Spool(part, self._executor), ask.end - ask.start))
        self._running[part] = pulling
        try:
            await asyncio.wait([pulling])
        finally:
            pulling.cancel()
            if self._running.get(part) is pulling:
                del self._running[part]
        if pulling.cancelled():
            # Its client is back already, and goes on from what it is told.
            raise ClientDisconnect
        pulling.result()

    async def _pull(self, request: Request, spool: Spool, left: int) -> None:
        try:
            async for piece in arriving(request):
                await spool.add(piece[:left])
                left -= min(left, len(piece))
            await spool.end()
        except (ClientDisconnect, TooSlow):
            # What came is kept: that is the point.
            await spool.end()
        except asyncio.CancelledError:
            # Its client is back: it goes on from what came, also from what was not written yet.
            await spool.end()
            raise
        except ServerFault:
            # The disk is full: room that a part holds which cannot get on would keep it so.
            await spool.drop()
            raise
        finally:
            await spool.settle()

    async def _end(self, part: Path) -> None:
        """A client that comes back does not wait for the time-out of its own dead connection."""
        found = self._running.pop(part, None)
        if found is not None:
            # Of a connection that was closed, the rest is here already and ends by itself.
            await asyncio.wait([found], timeout=_LAST_BYTES_SECONDS)
            found.cancel()
            await asyncio.wait([found])

    async def _call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._executor, function, *arguments)


def _parsed(request: Request, limit: int) -> _Ask:
    if not _ID.match(request.headers.get("upload-id", "")):
        raise BadRequest("Upload-Id must have 32 hexadecimal characters")
    found = _RANGE.match(request.headers.get("content-range", ""))
    if not found:
        raise BadRequest("Content-Range must be 'bytes FIRST-LAST/TOTAL', or 'bytes */TOTAL' to ask")
    total = natural(found[3])
    if total > limit:
        raise BodyTooLarge(f"the file is larger than the server's limit of {limit} bytes", limit=limit)
    if found[1] is None:
        return _Ask(-1, -1, total)
    start, end = natural(found[1]), natural(found[2]) + 1
    if not start < end <= total:
        raise BadRequest("Content-Range names bytes beyond the total")
    return _Ask(start, end, total)


def _size(part: Path) -> int:
    try:
        return part.stat().st_size
    except FileNotFoundError:
        part.parent.mkdir(parents=True, exist_ok=True)
        # An empty file is whole before its first byte.
        part.touch(0o600)
        return 0


def _told(status: int, offset: int) -> Response:
    return Response(
        b'{"offset":%d}' % offset,
        status,
        {"Upload-Offset": str(offset)},
        media_type="application/json",
    )
