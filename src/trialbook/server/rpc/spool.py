"""An upload on its way to the disk: no thread waits for its bytes, only for the disk."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import TypeVar

from trialbook.blobs.faults import FAILS, FULL
from trialbook.errors import ServerFault, StorageFull
from trialbook.server.core.database_faults import out_of_room

BLOCK = 1 << 20
"""Bytes of an upload that are gathered in memory before a thread writes them."""
_T = TypeVar("_T")


class Spool:
    """Bytes that go to the end of a file.

    Args:
        path: the file; made when it is not there.
        executor: threads that write.
    """

    def __init__(self, path: Path, executor: Executor) -> None:
        self.path = path
        self._executor = executor
        self._gathered: list[bytes] = []
        self._size = 0
        self._writing: asyncio.Future[None] | None = None

    async def add(self, piece: bytes) -> None:
        """Take a piece; waits while the disk is a block behind.

        Raises:
            StorageFull, ServerFault: an earlier piece could not be written.
        """
        self._gathered.append(piece)
        self._size += len(piece)
        if self._size >= BLOCK:
            await self._hand_over()

    async def end(self) -> None:
        """Everything is in the file when this returns.

        Raises:
            StorageFull, ServerFault: it could not be written.
        """
        await self._hand_over()
        await self._settled()

    async def settle(self) -> None:
        """No thread writes any more when this returns, whatever became of it."""
        if self._writing is not None:
            await asyncio.wait([self._writing])
            # Read, so that the loop does not report an error that nobody waits for.
            self._writing.exception()
            self._writing = None

    async def drop(self) -> None:
        """The upload is refused or broke off: what came of it goes."""
        self._gathered.clear()
        await self.settle()
        await self._run(lambda: self.path.unlink(missing_ok=True))

    async def _hand_over(self) -> None:
        await self._settled()
        parts, self._gathered, self._size = self._gathered, [], 0
        # The next block is gathered while this one is written.
        self._writing = asyncio.get_running_loop().run_in_executor(self._executor, _write, self.path, parts)

    async def _settled(self) -> None:
        if self._writing is not None:
            # Shielded: a request that is given up must not leave a thread that writes behind its back.
            await asyncio.shield(self._writing)
            self._writing = None

    async def _run(self, function: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, function)


def _write(path: Path, parts: list[bytes]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab", 0) as file:
            for part in parts:
                view = memoryview(part)
                while len(view):
                    view = view[file.write(view) :]
    except OSError as error:
        if out_of_room(error):
            raise StorageFull(FULL) from error
        raise ServerFault(FAILS.format(why=os.strerror(error.errno or 0))) from error
