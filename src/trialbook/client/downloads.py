"""Fetching a file as a whole: it goes on where a connection broke, and never joins halves of two files."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from trialbook.base.files import new_beside
from trialbook.base.retry import backoff
from trialbook.errors import ConnectionFailed

Progress = Callable[[int], None]
"""Is told the bytes that are there so far."""

_TRIES = 4
"""Broken connections in a row that brought nothing new."""


def silent(_done: int) -> None:
    """No progress is wanted."""


class Broken(Exception):
    """A piece ended before its end.

    Args:
        problem: what broke.
        again: the file is fetched from its beginning.
    """

    def __init__(self, problem: Exception, again: bool = False) -> None:
        super().__init__(str(problem))
        self.problem = problem
        self.again = again


class Piece(NamedTuple):
    """The rest of a file.

    Attributes:
        start: where in the file it begins: where it was asked for, or 0 for all of it.
        tag: which file it is; empty where that cannot be told, so that nothing goes on behind it.
        blocks: raises ``Broken`` when it ends too early.
    """

    start: int
    tag: str
    blocks: Iterator[bytes]


class Source(Protocol):
    """A file that can be read from somewhere on."""

    def piece(self, start: int, tag: str) -> Piece:
        """From ``start`` on, if it still is the file of ``tag``; else all of it.

        Raises:
            Broken: this piece is of no use.
            FileMissing, WireError, …: there is nothing to fetch.
        """
        ...


def download(source: Source, url: str, target: Path, progress: Progress = silent) -> None:
    """Fetch a file; ``target`` is whole when this returns and untouched when it raises.

    Args:
        source: the file.
        url: for messages.
        target: where it goes.
        progress: told the bytes that are there.

    Raises:
        ConnectionFailed: it broke off again and again.
        FileMissing, WireError, …: see ``Source.piece``.
        OSError: the target cannot be written.
    """
    handle, part = new_beside(target)
    tries = Tries(url)
    tag, there = "", 0
    try:
        with os.fdopen(handle, "wb") as file:
            while True:
                before = there
                try:
                    piece = source.piece(there, tag)
                    if piece.start == 0:
                        file.seek(0)
                        file.truncate()
                    tag, there, before = piece.tag, piece.start, piece.start
                    for block in piece.blocks:
                        file.write(block)
                        there += len(block)
                        progress(there)
                    break
                except Broken as found:
                    tries.broke(found.problem, there > before and bool(tag))
                    if found.again or not tag:
                        tag, there = "", 0
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


class Tries:
    """How often a download goes on after a broken connection.

    Args:
        url: for the message.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._left = _TRIES
        self._waits = backoff(0.1, longest=2.0)

    def broke(self, problem: Exception, got_on: bool) -> None:
        """Wait before the next try.

        Args:
            problem: what broke.
            got_on: the next try begins behind what has come.

        Raises:
            ConnectionFailed: it broke again and again.
        """
        if got_on:
            self._left, self._waits = _TRIES, backoff(0.1, longest=2.0)
        self._left -= 1
        if self._left <= 0:
            raise ConnectionFailed(f"the download of {self._url} broke off: {problem}") from problem
        time.sleep(next(self._waits))
