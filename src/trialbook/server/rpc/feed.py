"""Bytes from the event loop to a thread that stores them."""

import asyncio
import queue
from collections.abc import Iterator

_WAITING = 16
"""Pieces that may wait for the disk before the upload is held back."""


class Broken(Exception):
    """Tells the writing thread that the upload ended too early, so that it forgets what it has."""


class Feed:
    """Carries bytes from the event loop to the thread that stores them."""

    def __init__(self) -> None:
        self._pieces: queue.SimpleQueue[bytes | Broken | None] = queue.SimpleQueue()
        self._room = asyncio.Semaphore(_WAITING)
        self._loop = asyncio.get_running_loop()
        self._over = False

    def __iter__(self) -> Iterator[bytes]:
        while True:
            piece = self._pieces.get()
            if piece is None:
                return
            if isinstance(piece, Broken):
                raise piece
            self._loop.call_soon_threadsafe(self._room.release)
            yield piece

    async def put(self, piece: bytes) -> None:
        """Hand over; waits while the disk is behind. Once the storing side has failed, the rest is read and dropped,
        so that the client sees the answer and not a broken pipe."""
        if self._over:
            return
        await self._room.acquire()
        self._pieces.put(piece)

    def end(self) -> None:
        """All was handed over."""
        self._pieces.put(None)

    def abort(self) -> None:
        """The rest will not come."""
        self._pieces.put(Broken("the upload was broken off"))

    def over(self) -> None:
        """The storing side has ended: nobody will make room any more."""
        self._over = True
        self._room.release()
