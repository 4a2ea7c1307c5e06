"""Uploads that go on where a broken connection, or a killed process, left them.

A client names its upload (``Upload-Id``) and says which bytes it sends (``Content-Range: bytes 0-99/1000``, or
``bytes */1000`` to ask). The answer is 202 with ``Upload-Offset``, the bytes that are here, until the last one has
come: then the file is put into place and the answer is 200. Bytes that do not follow on what is here are refused
with 409 and the offset. What was begun is kept over a restart of the server, and dropped after a week of silence.
"""

import asyncio
import hashlib
import os
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
from trialbook.blobs.store import BlobInfo, clean_key
from trialbook.errors import BadRequest, BodyTooLarge, ServerFault
from trialbook.server.rpc.feed import Broken, Feed

_ID = re.compile(r"^[0-9a-f]{32}$")
_RANGE = re.compile(r"^bytes (?:([0-9]+)-([0-9]+)|\*)/([0-9]+)$")
_KEPT_SECONDS = 7 * 86_400.0


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
        adopt: makes a finished file the blob of a key.
        executor: threads that write.
        limit: greatest file, bytes.
    """

    def __init__(
        self, folder: Path, adopt: Callable[[str, Path], BlobInfo], executor: Executor, limit: int
    ) -> None:
        self._folder = folder
        self._adopt = adopt
        self._executor = executor
        self._limit = limit
        self._running: dict[Path, tuple[Feed, asyncio.Future[None]]] = {}

    async def answer(self, request: Request, path: str) -> Response:
        """One request of an upload."""
        ask = _parsed(request, self._limit)
        key = clean_key(path)
        # The key is part of the name: an id that is used for two files mixes nothing up.
        name = hashlib.sha256(f"{request.headers['upload-id']}\0{key}\0{ask.total}".encode()).hexdigest()
        part = self._folder / f"{name}.part"
        await self._end(part)
        offset = await self._call(_size, part)
        if ask.start >= 0:
            if ask.start != offset:
                return _told(409, offset)
            await self._receive(request, part, ask)
            offset = await self._call(_size, part)
        if offset < ask.total:
            return _told(202, offset)
        await self._call(self._adopt, key, part)
        return _told(200, ask.total)

    def tidy(self) -> None:
        """Drop what nobody has gone on with for a week."""
        for part in self._folder.glob("*.part"):
            if part.stat().st_mtime < time.time() - _KEPT_SECONDS:
                part.unlink(missing_ok=True)

    async def _receive(self, request: Request, part: Path, ask: _Ask) -> None:
        feed = Feed()
        done = asyncio.get_running_loop().run_in_executor(self._executor, _write, part, feed, ask)
        done.add_done_callback(lambda _: feed.over())
        self._running[part] = (feed, done)
        try:
            async for piece in request.stream():
                if piece:
                    await feed.put(piece)
        except ClientDisconnect:
            # What came is kept: that is the point.
            pass
        finally:
            feed.end()
            await asyncio.wait([done])
            if self._running.get(part) == (feed, done):
                del self._running[part]
        await done

    async def _end(self, part: Path) -> None:
        """A client that comes back does not wait for the time-out of its own dead connection."""
        found = self._running.pop(part, None)
        if found is not None:
            feed, done = found
            feed.abort()
            await asyncio.wait([done])

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


def _write(part: Path, feed: Feed, ask: _Ask) -> None:
    left = ask.end - ask.start
    try:
        with part.open("r+b", 0) as file:
            file.seek(0, os.SEEK_END)
            for piece in feed:
                view = memoryview(piece)[:left]
                left -= len(view)
                while len(view):
                    view = view[file.write(view) :]
    except Broken:
        return
    except OSError as error:
        raise ServerFault(f"the server cannot keep the upload: {error.strerror}") from error


def _told(status: int, offset: int) -> Response:
    return Response(
        b'{"offset":%d}' % offset,
        status,
        {"Upload-Offset": str(offset)},
        media_type="application/json",
    )
