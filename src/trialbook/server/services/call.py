"""One call: who, when, in which transactions, and what it has changed."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy.engine import Connection

from trialbook.server.services.caller import Caller
from trialbook.server.services.changes import SLICE, Changes
from trialbook.server.services.refusals import REFUSED, may_repeat
from trialbook.server.stores.database import Database

ATTEMPTS = 4
"""How often a transaction is begun that met another server's."""
THINGS_AT_ONCE = 50
"""Tasks or models that one transaction of a long list changes."""
ERASED_AT_ONCE = 10
"""Of how many it erases what was reported."""
SLICE_SECONDS = 0.1
"""How long such a transaction is meant to take: after one that took longer, the next are of fewer things."""
assert THINGS_AT_ONCE <= SLICE
T = TypeVar("T")


@dataclass
class Call:
    """A request of a client, or a round of one of the server's own loops.

    Attributes:
        database: for what owns its transactions.
        caller: who calls.
        now: seconds since the epoch; the same for the whole call.
        method: the method that was called, or the name of the loop.
        worker: name of the calling machine or worker, from the request's header.
        origin: address of the caller.
        accepts: the form of the answer that the caller asks for, from the request's header.
        dispatch: runs another method with the permission of this caller.
        changes: what it has changed.
        afterwards: what is done once the transaction has been committed.
    """

    database: Database
    caller: Caller
    now: float
    method: str
    worker: str = ""
    origin: str = ""
    accepts: str = ""
    dispatch: "Callable[[Any, str, dict[str, Any]], Any] | None" = None
    changes: Changes = field(default_factory=Changes)
    afterwards: list[Callable[[], None]] = field(default_factory=list)
    _open: Connection | None = field(default=None, init=False, repr=False)

    @classmethod
    def of_loop(cls, database: Database, now: float, name: str) -> "Call":
        """A round of one of the server's own loops."""
        return cls(database, Caller(name="the server"), now, name)

    @property
    def connection(self) -> Connection:
        """The transaction that is open."""
        if self._open is None:
            raise RuntimeError(f"{self.method} has no transaction open")
        return self._open

    @property
    def is_open(self) -> bool:
        """Whether a transaction is open, this call's own or that of the one which it is part of."""
        return self._open is not None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads; the one that is open, where one is."""
        if self._open is not None:
            yield self._open
            return
        with self.database.read() as connection:
            self._open = connection
            try:
                yield connection
            finally:
                self._open = None

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes. The change log gets its rows at its end; where it fails, nothing was changed."""
        mark = self.changes.mark()
        try:
            with self.database.write() as connection:
                self._open = connection
                try:
                    yield connection
                    self.changes.write(connection)
                finally:
                    self._open = None
        except BaseException:
            self.changes.back_to(mark)
            raise

    @contextmanager
    def attempt(self, connection: Connection | None = None) -> Iterator[None]:
        """A part of the open transaction that may be undone alone: what fails in it leaves the rest as it is.

        Args:
            connection: the transaction, when it was opened elsewhere.
        """
        previous, self._open = self._open, connection or self._open
        mark = self.changes.mark()
        try:
            with self.connection.begin_nested():
                yield
        except BaseException:
            self.changes.back_to(mark)
            raise
        finally:
            self._open = previous

    def in_slices(
        self, items: Sequence[str], act: Callable[[Sequence[str]], list[T]], at_once: int = THINGS_AT_ONCE
    ) -> list[T]:
        """Do something to all of a long list, some in each transaction, so that nobody else waits for all of it.

        Within another call, all of it is done in that one's transaction.

        Args:
            items: ids, for example.
            act: takes some of them and returns what became of each; called again when it met another server's writes.
            at_once: how many it takes at most; fewer where the machine is slow or there is much to do for each.
        """
        if self.is_open:
            return act(items)
        done: list[T] = []
        took = 0.0

        def timed(some: Sequence[str]) -> list[T]:
            nonlocal took
            began = time.monotonic()
            result = act(some)
            took = time.monotonic() - began
            return result

        start, size = 0, max(1, at_once // 5)
        while start < len(items):
            done += self._slice(items[start : start + size], timed)
            start += size
            size = max(1, size // 2) if took > SLICE_SECONDS else min(at_once, size * 2)
        return done

    def in_one(self, act: Callable[[], T]) -> T:
        """Do something in a transaction of its own, again where it met others; within another call in that one's."""
        return self.in_slices([""], lambda _: [act()])[0]

    def each(self, items: Sequence[str], act: Callable[[str], None]) -> None:
        """Do something to each of a long list, as ``in_slices``; what is refused ends it, after the slices before."""

        def all_of(some: Sequence[str]) -> list[None]:
            for item in some:
                act(item)
            return []

        self.in_slices(items, all_of)

    def _slice(
        self, items: Sequence[str], act: Callable[[Sequence[str]], list[T]], attempt: int = 1
    ) -> list[T]:
        later = len(self.afterwards)
        try:
            with self.write():
                return act(items)
        except REFUSED as error:
            if attempt == ATTEMPTS or not may_repeat(self.database, error):
                raise
        del self.afterwards[later:]
        return self._slice(items, act, attempt + 1)

    def nested(self, method: str, params: dict[str, Any], connection: Connection | None = None) -> Any:
        """Run another method with the caller's permission, inside this transaction.

        Args:
            method: its name.
            params: as they would come over the network.
            connection: the transaction, when it was opened elsewhere.

        Raises:
            WireError: it was refused; what it had changed is undone, the rest of the transaction stands.
        """
        if self.dispatch is None:
            raise RuntimeError(f"{self.method} cannot run {method}")
        with self.attempt(connection):
            return self.dispatch(self, method, params)
