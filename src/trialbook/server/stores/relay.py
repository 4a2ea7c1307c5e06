"""Changes from server to server, through PostgreSQL's NOTIFY: a page on one sees at once what happens on another.

A notification that is lost costs nothing but a page that looks again: whenever the line was down, ``Hub.gap`` says so.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Iterator
from typing import Any

import msgspec

from trialbook.base.guard import guard
from trialbook.server.core.hub import Hub
from trialbook.server.stores.database import Database

CHANNEL = "trialbook_changes"
_LONGEST = 7_000
"""Bytes of a notification; PostgreSQL takes less than 8 000."""

_MOST_KEYS = 100
_PERIOD = 0.1
_PATIENCE = 30.0
_BACKOFF = (0.5, 1.0, 2.0, 5.0)

Change = tuple[str, str, tuple[str, ...]]


class Relay:
    """Carries changes between servers of one database, in a thread of its own; on SQLite there is one server, and
    nothing to do.

    Args:
        database: the one that they share.
        hub: of this server.
    """

    def __init__(self, database: Database, hub: Hub) -> None:
        self._database = database
        self._hub = hub
        self._lock = threading.Lock()
        self._waiting: dict[tuple[str, str], dict[str, None]] = {}
        self._stop = threading.Event()
        self._wake_end, self._wake_start = -1, -1
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to listen and to tell."""
        if self._database.dialect != "postgresql":
            return
        self._wake_end, self._wake_start = os.pipe()
        self._hub.forward = self.tell
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; what waits to be told is dropped."""
        if self._thread is None:
            return
        self._hub.forward = None
        self._stop.set()
        self._wake()
        self._thread.join()
        self._thread = None
        with self._lock:
            os.close(self._wake_start)
            os.close(self._wake_end)
            self._wake_start = -1

    def tell(self, topic: str, kind: str, keys: tuple[str, ...]) -> None:
        """Tell the other servers; returns at once, from any thread."""
        with self._lock:
            if not self._waiting:
                self._wake()
            self._waiting.setdefault((topic, kind), {}).update(dict.fromkeys(keys))

    def _wake(self) -> None:
        if self._wake_start >= 0:
            os.write(self._wake_start, b".")

    def _run(self) -> None:
        tries = 0
        while not self._stop.is_set():
            began = time.monotonic()
            with guard("relay between servers"):
                self._session()
            # A line that held for a while broke by chance; one that never came up is waited for longer and longer.
            tries = 0 if time.monotonic() - began > _PATIENCE else tries + 1
            self._stop.wait(_BACKOFF[min(tries, len(_BACKOFF)) - 1] if tries else 0.0)

    def _session(self) -> None:
        engine = self._database.engine
        connection = engine.raw_connection()
        driver: Any = connection.driver_connection
        # It keeps listening, so it never goes back to the pool.
        connection.detach()
        try:
            driver.autocommit = True
            # For those that come while something else is asked.
            driver.add_notify_handler(lambda notice: self._take(notice.payload))
            driver.execute("SET application_name = 'trialbook relay'")
            driver.execute(f"LISTEN {CHANNEL}")
            # From here on nothing is missed; before, anything may have been.
            self._hub.gap()
            self._carry(driver)
        finally:
            driver.close()

    def _carry(self, driver: Any) -> None:
        while not self._stop.is_set():
            ready, _, _ = select.select([driver.fileno(), self._wake_end], [], [], _PATIENCE)
            if self._wake_end in ready:
                os.read(self._wake_end, 4096)
                with self._lock:
                    waiting, self._waiting = self._waiting, {}
                for text in self._messages(waiting):
                    driver.execute("SELECT pg_notify(%s, %s)", (CHANNEL, text))
                # Whatever comes in the meantime goes together.
                self._stop.wait(_PERIOD)
            if not ready:
                # Finds out whether the line is still there.
                driver.execute("SELECT 1")
            driver.pgconn.consume_input()
            while (notice := driver.pgconn.notifies()) is not None:
                self._take(notice.extra.decode())

    def _messages(self, waiting: dict[tuple[str, str], dict[str, None]]) -> Iterator[str]:
        changes: list[Change] = []
        size = 0
        for (topic, kind), keys in waiting.items():
            # Many keys say no more than "look again".
            listed = tuple(keys) if len(keys) <= _MOST_KEYS else ()
            length = len(msgspec.json.encode((topic, kind, listed))) + 1
            if length > _LONGEST:
                listed, length = (), len(topic) + len(kind) + 20
            if size + length > _LONGEST and changes:
                yield self._text(changes)
                changes, size = [], 0
            changes.append((topic, kind, listed))
            size += length
        if changes:
            yield self._text(changes)

    def _text(self, changes: list[Change]) -> str:
        return msgspec.json.encode((self._hub.mark, changes)).decode()

    def _take(self, text: str) -> None:
        try:
            mark, changes = msgspec.json.decode(text, type=tuple[str, list[Change]])
        except msgspec.MsgspecError:
            # Of another version of the server: nothing can be said but that something happened.
            self._hub.gap()
            return
        if mark != self._hub.mark:
            for topic, kind, keys in changes:
                self._hub.receive(topic, kind, keys)
