"""The bytes of a request as they come, with an end to waiting for them."""

import asyncio
import time
from collections.abc import AsyncIterator

from starlette.requests import ClientDisconnect, Request

from trialbook.errors import TooSlow
from trialbook.server.core import limits

_DRAIN_IDLE_SECONDS = 1.0
_WHOLE = "trialbook.whole"
"""In the scope of a request whose last byte has been read."""


async def arriving(request: Request, idle: float = limits.IDLE_SECONDS) -> AsyncIterator[bytes]:
    """The body in pieces.

    Args:
        request: not read before.
        idle: seconds to wait for the next piece.

    Raises:
        TooSlow: it did not come, or the body as a whole is too slow.
        ClientDisconnect: the client went.
    """
    began = time.monotonic()
    size = 0
    while True:
        try:
            message = await asyncio.wait_for(request.receive(), idle)
        except (asyncio.TimeoutError, TimeoutError):
            raise TooSlow(
                f"nothing came for {idle:g} s ({size} bytes did): send it again over a better connection"
            ) from None
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        piece = message.get("body", b"")
        size += len(piece)
        last = not message.get("more_body", False)
        if last:
            # Before the piece is handed over: whoever refuses it does not come back here.
            request.scope[_WHOLE] = True
        if piece:
            yield piece
        if last:
            return
        taken = time.monotonic() - began
        if taken > limits.PACE_FROM_SECONDS and size < limits.PACE * taken:
            raise TooSlow(
                f"{size} bytes came in {taken:.0f} s; {limits.PACE} bytes a second are the least: send it again over"
                " a better connection"
            )


async def drain(request: Request, most: int) -> None:
    """Read and drop the rest of a refused body: a client that is still sending would see a broken pipe, not the answer.

    Args:
        request: read in part.
        most: bytes after which it is not worth it.
    """
    # Whoever asks for more than there is waits for the client to go.
    if _WHOLE in request.scope or (
        request.headers.get("content-length", "0") == "0" and "transfer-encoding" not in request.headers
    ):
        return
    try:
        async for piece in arriving(request, _DRAIN_IDLE_SECONDS):
            most -= len(piece)
            if most < 0:
                return
    except (ClientDisconnect, TooSlow):
        return
