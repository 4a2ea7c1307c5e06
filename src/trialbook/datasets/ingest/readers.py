"""Batches of small files, read by this process and by others beside it, in the order in which they were asked for.

Reading, hashing and compressing small files is a hundred short calls each, which the interpreter's lock keeps threads
from doing at once. The others share memory with this process and end with it.
"""

import logging
import mmap
import os
import pickle
import select
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import IO

from trialbook.datasets.ingest.reading import ANSWER, ORDER, ROOM, SLOT, Ask, Found, read_batch

_SLOTS = 3
_OWN = 2
_MOST = 7
_WORTH = 6000
"""Files for which the start of another process pays."""
_PROGRAM = (
    "import sys; sys.path[:] = sys.argv[2:]; "
    "from trialbook.datasets.ingest.reading import serve; serve(int(sys.argv[1]))"
)
_log = logging.getLogger("trialbook")


class _Turn:
    """One batch: ``found`` and ``room`` are there when it has been read."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self.reader: _Reader | None = None
        self.slot = 0
        self.found: Found | None = None
        self.room = memoryview(b"")


class _Reader:
    """A process that reads."""

    def __init__(self) -> None:
        self.free = list(range(_SLOTS))
        self.ready = False
        memory = os.memfd_create("trialbook-dataset")
        try:
            os.ftruncate(memory, _SLOTS * SLOT)
            self._memory = mmap.mmap(memory, 0)
            # Without the start-up files of the environment: they take longer than the imports.
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _PROGRAM, str(memory), *sys.path],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=(memory,),
                bufsize=0,
            )
        finally:
            os.close(memory)
        self._poll = select.poll()
        self._poll.register(self._pipe(self._process.stdout), select.POLLIN)

    def order(self, turn: _Turn) -> bool:
        """Begin with a batch; False when it is too large for a slot or the process is gone."""
        whole = pickle.dumps(tuple(turn.ask))
        if len(whole) > ROOM or not self.free:
            return False
        number = self.free.pop()
        slot = memoryview(self._memory)[number * SLOT : (number + 1) * SLOT]
        slot[: len(whole)] = whole
        try:
            self._pipe(self._process.stdin).write(ORDER.pack(number, len(whole)))
        except OSError:
            self.free = []
            return False
        turn.reader, turn.slot, turn.room = self, number, slot[:ROOM]
        return True

    def answered(self) -> bool:
        """Whether the oldest order is done, or never will be."""
        return bool(self._poll.poll(0))

    def hello(self) -> bool:
        """Whether it takes orders; False for good when it did not come up."""
        if not self.ready and self.answered():
            self.ready = len(self._pipe(self._process.stdout).read(ANSWER.size)) == ANSWER.size
            if not self.ready:
                self.free = []
                _log.debug("a process to read files did not start")
        return self.ready

    def result(self, slot: int) -> Found | None:
        """What came of the oldest order; None when the process has ended without an answer."""
        head = self._pipe(self._process.stdout).read(ANSWER.size)
        if len(head) != ANSWER.size:
            self.free = []
            _log.warning("a process that reads files ended with %s; others continue", self._process.poll())
            return None
        start = slot * SLOT + ROOM
        found: Found = pickle.loads(memoryview(self._memory)[start : start + ANSWER.unpack(head)[0]])
        return found

    def end(self) -> None:
        """Nothing is wanted of it any more."""
        self._process.kill()
        self._process.wait()
        self._pipe(self._process.stdin).close()
        self._pipe(self._process.stdout).close()

    @staticmethod
    def _pipe(pipe: "IO[bytes] | None") -> "IO[bytes]":
        assert pipe is not None
        return pipe


class Readers:
    """Use as a context manager: at its end no process is left.

    Args:
        files: how many will be read; a few are read by this process alone.
        processors: that may be busy, this process's own among them; None: those that it may use.
    """

    def __init__(self, files: int, processors: int | None = None) -> None:
        count = processors if processors is not None else len(os.sched_getaffinity(0))
        others = min(_MOST, count - 1, files // _WORTH) if sys.executable else 0
        self._readers: list[_Reader] = []
        self._others = others
        self._own: list[memoryview] = []

    def __enter__(self) -> "Readers":
        for _ in range(self._others):
            self._readers.append(_Reader())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for reader in self._readers:
            reader.end()

    def read(self, asks: Iterable[Ask]) -> Iterator[tuple[Found, memoryview]]:
        """What was found in each batch, and the room with its members, which is used again after the next step."""
        todo = iter(asks)
        waiting: deque[_Turn] = deque()
        while True:
            self._hand_out(todo, waiting)
            if not waiting or (not self._done(waiting[0]) and sum(not one.reader for one in waiting) < _OWN):
                ask = next(todo, None)
                if ask is not None:
                    waiting.append(self._here(_Turn(ask)))
                    continue
            if not waiting:
                return
            yield from self._result(waiting.popleft())

    def _hand_out(self, todo: Iterator[Ask], waiting: deque[_Turn]) -> None:
        for reader in self._readers:
            while reader.hello() and reader.free:
                ask = next(todo, None)
                if ask is None:
                    return
                turn = _Turn(ask)
                waiting.append(turn if reader.order(turn) else self._here(turn))

    def _here(self, turn: _Turn) -> _Turn:
        turn.room = self._own.pop() if self._own else memoryview(mmap.mmap(-1, ROOM))
        turn.found = read_batch(turn.ask, turn.room)
        return turn

    @staticmethod
    def _done(turn: _Turn) -> bool:
        return turn.reader is None or turn.reader.answered()

    def _result(self, turn: _Turn) -> Iterator[tuple[Found, memoryview]]:
        reader = turn.reader
        if reader is None:
            assert turn.found is not None
            yield turn.found, turn.room
            self._own.append(turn.room)
            return
        found = reader.result(turn.slot)
        yield read_batch(turn.ask, turn.room) if found is None else found, turn.room
        if found is not None:
            reader.free.append(turn.slot)
