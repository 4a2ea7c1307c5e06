"""What a handler is given beside its request."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from starlette.requests import Request

from trialbook.server.series.erase import clear
from trialbook.server.services.accounts import Caller
from trialbook.server.services.bundle import Services
from trialbook.server.stores.database import Database
from trialbook.server.stores.graves import Buried

ATTEMPTS = 4
"""How often a transaction is begun that met another server's."""
THINGS_AT_ONCE = 50
"""Tasks or models that one transaction of a long list changes."""
ERASED_AT_ONCE = 10
"""Of how many it erases what was reported."""
T = TypeVar("T")


def collided(error: sa.exc.DBAPIError | OverflowError) -> bool:
    """True when the same call may well succeed if it is repeated."""
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    return isinstance(error, sa.exc.IntegrityError) or state in {"40001", "40P01"}


@dataclass
class Context:
    """One call.

    Attributes:
        services: everything that does the work.
        database: for handlers that own their transaction.
        caller: who calls.
        worker: name of the calling machine or worker, from the request's header.
        now: seconds since the epoch; the same for the whole call.
        method: the method that was called.
        version: protocol version that the caller asked for, such as ``(2, 23)``.
        origin: address of the caller.
        request: the HTTP request, for log-in alone; None in nested and internal calls.
        afterwards: what is done once the transaction has been committed.
    """

    services: Services
    database: Database
    caller: Caller
    now: float
    method: str
    dispatch: "Callable[[Context, str, dict[str, Any]], Any]"
    worker: str = ""
    version: tuple[int, int] = (2, 34)
    origin: str = ""
    request: Request | None = None
    open_connection: Connection | None = None
    published: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)
    reply_headers: list[tuple[str, str]] = field(default_factory=list)
    afterwards: list[Callable[[], None]] = field(default_factory=list)

    @property
    def connection(self) -> Connection:
        """The transaction of this call."""
        if self.open_connection is None:
            raise RuntimeError(f"{self.method} has no transaction open")
        return self.open_connection

    def publish(self, topic: str, kind: str, keys: Iterable[str] = ()) -> None:
        """Tell the pages; sent once the transaction has been committed."""
        self.published.append((topic, kind, tuple(keys)))

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A write transaction for a handler that owns its transaction; ``connection`` and ``call`` use it too."""
        with self.database.write() as connection:
            self.open_connection = connection
            try:
                yield connection
            finally:
                self.open_connection = None

    def in_slices(
        self, items: Sequence[str], act: Callable[[Sequence[str]], list[T]], at_once: int = THINGS_AT_ONCE
    ) -> list[T]:
        """Do something to all of a long list, some in each transaction, so that nobody else waits for all of it.

        Within another call, all of it is done in that one's transaction.

        Args:
            items: ids, for example.
            act: takes some of them and returns what became of each; called again when it met another server's writes.
            at_once: how many it takes.
        """
        if self.open_connection is not None:
            return act(items)
        done: list[T] = []
        for start in range(0, len(items), at_once):
            done += self._slice(items[start : start + at_once], act)
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
        told, later = len(self.published), len(self.afterwards)
        try:
            with self.write():
                return act(items)
        except Buried as found:
            if attempt == ATTEMPTS:
                raise
            clear(self.database, found.owner)
            del self.published[told:], self.afterwards[later:]
        except sa.exc.DBAPIError as error:
            if attempt == ATTEMPTS or not collided(error):
                raise
            del self.published[told:], self.afterwards[later:]
        return self._slice(items, act, attempt + 1)

    def call(self, method: str, params: dict[str, Any], connection: Connection | None = None) -> Any:
        """Run another method with the caller's permission, inside this transaction.

        Args:
            method: its name.
            params: as they would come over the network.
            connection: the transaction, when the handler opened its own.

        Raises:
            WireError: it was refused; what it had changed is undone, the rest of the transaction stands.
        """
        previous = self.open_connection
        self.open_connection = connection or previous
        try:
            with self.connection.begin_nested():
                return self.dispatch(self, method, params)
        finally:
            self.open_connection = previous
