"""A lock that is given to whoever has waited longest."""

from __future__ import annotations

import threading
from collections import deque


class FairLock:
    """As ``threading.RLock``, but first come, first served.

    The interpreter's own lock goes to whoever asks in the right moment, which is the thread that has just let it go:
    one that writes in many short turns would shut the others out as long as one long turn.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._owner: int | None = None
        self._depth = 0
        self._waiting: deque[tuple[int, threading.Event]] = deque()

    def __enter__(self) -> FairLock:
        me = threading.get_ident()
        with self._guard:
            if self._owner == me or (self._owner is None and not self._waiting):
                self._owner = me
                self._depth += 1
                return self
            turn = threading.Event()
            self._waiting.append((me, turn))
        # Whoever lets it go makes this thread its owner before it wakes it.
        turn.wait()
        return self

    def __exit__(self, *_: object) -> None:
        with self._guard:
            self._depth -= 1
            if self._depth:
                return
            if self._waiting:
                self._owner, turn = self._waiting.popleft()
                self._depth = 1
                turn.set()
            else:
                self._owner = None
