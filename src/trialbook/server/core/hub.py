"""Live updates: who changed what, fanned out to the browsers that listen.

Changes are collected per (topic, kind) and sent at most twice a second, so a run that reports a thousand points a
second costs a page two messages. The last messages are kept, so that a page that was cut off resumes where it was.
Several servers on one database tell each other (``stores/relay.py``).
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass

from trialbook.base.ids import new_id

PERIOD = 0.5
KEEP_SECONDS = 300.0
KEEP_MESSAGES = 10_000
KEYS_PER_MESSAGE = 100


@dataclass(frozen=True)
class Change:
    """One message: in ``topic``, the things ``keys`` of ``kind`` changed."""

    number: int
    moment: float
    topic: str
    kind: str
    keys: tuple[str, ...]


class Hub:
    """Takes changes from any thread and gives them to the event loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: dict[tuple[str, str], dict[str, None]] = {}
        self._history: deque[Change] = deque(maxlen=KEEP_MESSAGES)
        # Numbers go on over a restart, so that a stale Last-Event-ID is seen as one.
        self._next = int(time.time() * 1000)
        self._first = self._next
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None
        self._listeners: set[asyncio.Event] = set()
        self._gaps = 0
        self.closing = False
        self.mark = new_id()[:8]
        """Tells the numbers of this hub from those of another server, to which a page may be led next."""
        self.forward: Callable[[str, str, tuple[str, ...]], None] | None = None
        """Where changes of this server go beside its own pages."""

    def publish(self, topic: str, kind: str, keys: Iterable[str] = ()) -> None:
        """Say that something changed; returns at once, from any thread."""
        listed = tuple(keys)
        if self.forward is not None:
            self.forward(topic, kind, listed)
        self.receive(topic, kind, listed)

    def receive(self, topic: str, kind: str, keys: Iterable[str]) -> None:
        """Take a change that happened on another server, or on this one; returns at once, from any thread."""
        with self._lock:
            fresh = not self._pending
            self._pending.setdefault((topic, kind), {}).update(dict.fromkeys(keys))
            loop, wake = self._loop, self._wake
        if fresh and loop is not None and wake is not None and not loop.is_closed():
            loop.call_soon_threadsafe(wake.set)

    def gap(self) -> None:
        """Changes of other servers may have been missed: every page looks again."""
        with self._lock:
            self._gaps += 1
            self._history.clear()
            self._first = self._next
            loop, wake = self._loop, self._wake
        if loop is not None and wake is not None and not loop.is_closed():
            loop.call_soon_threadsafe(wake.set)

    async def run(self) -> None:
        """Send what was collected, twice a second at most, until cancelled."""
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            self._wake.clear()
            self.flush()
            await asyncio.sleep(PERIOD)

    def flush(self) -> None:
        """Turn what was collected into messages and wake the listeners."""
        now = time.time()
        with self._lock:
            pending, self._pending = self._pending, {}
            for (topic, kind), keys in pending.items():
                # Many keys say no more than "look again": an empty list means all.
                listed = tuple(keys) if len(keys) <= KEYS_PER_MESSAGE else ()
                self._history.append(Change(self._next, now, topic, kind, listed))
                self._next += 1
            while self._history and now - self._history[0].moment > KEEP_SECONDS:
                self._first = self._history.popleft().number + 1
            if len(self._history) == KEEP_MESSAGES:
                self._first = self._history[0].number
        for listener in tuple(self._listeners):
            listener.set()

    def close(self) -> None:
        """Let every listener go."""
        self.closing = True
        for listener in tuple(self._listeners):
            listener.set()

    async def listen(
        self, topics: frozenset[str], after: int | None, beat: float = 15.0
    ) -> AsyncIterator[Change | str | None]:
        """Changes in ``topics``, from number ``after`` on.

        Args:
            topics: the topics wanted.
            after: the last number that the listener has seen; None starts now.
            beat: seconds of silence after which None is given.

        Yields:
            A change; ``"resync"`` when changes may have been missed; None as a sign of life.
        """
        signal = asyncio.Event()
        self._listeners.add(signal)
        try:
            position, gaps = self._next - 1, self._gaps
            if after is not None:
                if self._first - 1 <= after < self._next:
                    position = after
                else:
                    yield "resync"
            while not self.closing:
                signal.clear()
                if gaps != self._gaps:
                    gaps = self._gaps
                    yield "resync"
                for change in self._since(position):
                    position = change.number
                    if change.topic in topics:
                        yield change
                try:
                    await asyncio.wait_for(signal.wait(), beat)
                except asyncio.TimeoutError:
                    yield None
        finally:
            self._listeners.discard(signal)

    def _since(self, position: int) -> list[Change]:
        with self._lock:
            found: list[Change] = []
            for change in reversed(self._history):
                if change.number <= position:
                    break
                found.append(change)
        return found[::-1]
