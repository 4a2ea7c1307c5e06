"""One door to the SQL database, SQLite or PostgreSQL, with the same promises on both.

- ``write`` is a transaction that is on disk when it returns (SQLite: WAL, synchronous=FULL; PostgreSQL: its default).
- SQLite has one writer: a lock in this process keeps the threads in line, ``BEGIN IMMEDIATE`` and a busy timeout do
  so between processes. ``read`` never waits for a writer.
"""

import json
import logging
import math
import re
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine

from trialbook.errors import ConfigurationError, StorageDamaged
from trialbook.server.core.database_faults import damaged, out_of_room
from trialbook.server.core.fair_lock import FairLock
from trialbook.server.core.patterns import SECONDS as PATTERN_SECONDS
from trialbook.server.core.patterns import program
from trialbook.server.stores.codec import DAMAGED

_REST_SECONDS = 1.0
_looking = threading.local()
_log = logging.getLogger("trialbook.server")
metadata = sa.MetaData()
"""Every table of the server is declared on this object, next to the store that owns it."""

Json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
"""A JSON column: text in SQLite, JSONB in PostgreSQL."""


class Database:
    """The engine and its transactions.

    Args:
        url: ``sqlite:///PATH`` or ``postgresql://…``.
        pool_size: connections kept open to PostgreSQL.

    Raises:
        ConfigurationError: another kind of database, or its driver is not installed.
    """

    def __init__(self, url: str, pool_size: int = 10) -> None:
        self.dialect: Literal["sqlite", "postgresql"]
        if url.startswith("sqlite"):
            self.dialect = "sqlite"
            self.engine = sa.create_engine(
                url,
                connect_args={"timeout": 30, "check_same_thread": False},
                pool_size=16,
                json_deserializer=_stored_json,
            )
            sa.event.listen(self.engine, "connect", _prepare_sqlite)
            # pysqlite must not open transactions on its own: `write` does, with the lock that it needs.
            sa.event.listen(self.engine, "begin", _begin_sqlite)
            sa.event.listen(self.engine, "before_cursor_execute", _bound_search)
        elif re.match(r"^postgres(ql)?(\+\w+)?://", url):
            self.dialect = "postgresql"
            url = re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql+psycopg://", url)
            try:
                self.engine = sa.create_engine(url, pool_size=pool_size, max_overflow=20)
                sa.event.listen(self.engine, "connect", _prepare_postgresql)
                sa.event.listen(self.engine, "checkout", self._ask_after_rest)
                sa.event.listen(self.engine, "checkin", _note_use)
                sa.event.listen(self.engine, "before_cursor_execute", _bound_patterns)
                sa.event.listen(self.engine, "after_cursor_execute", _unbound_patterns)
            except ImportError:
                raise ConfigurationError(
                    "the PostgreSQL database needs a driver: pip install 'trialbook[postgres]'"
                ) from None
        else:
            scheme = url.partition(":")[0]
            raise ConfigurationError(
                f"the database address must begin with sqlite:/// or postgresql://, not {scheme!r}"
            )
        self._writer = FairLock() if self.dialect == "sqlite" else None

    def _ask_after_rest(self, connection: Any, record: Any, _: Any) -> None:
        """Whether a connection that rested still stands: its database may have been restarted.

        One that was used a moment ago is taken as it is, which saves each request of a busy server a round trip.
        """
        if time.monotonic() - record.info.get("used", 0.0) < _REST_SECONDS:
            return
        try:
            self.engine.dialect.do_ping(connection)
        except self.engine.dialect.loaded_dbapi.Error as error:
            # The pool then takes another one.
            raise sa.exc.DisconnectionError from error

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one consistent snapshot; what it writes is rolled back."""
        with self.engine.connect() as connection:
            if self.dialect == "postgresql":
                # Its default shows every statement the newest commits: a compaction between two reads would be seen.
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction: committed, and on disk, when the block ends; rolled back when it raises."""
        with (
            self._writer or nullcontext(),
            self.engine.connect().execution_options(trialbook_write=True) as connection,
            connection.begin(),
        ):
            yield connection

    def upsert(
        self,
        connection: Connection,
        table: sa.Table,
        rows: Sequence[Mapping[str, Any]],
        keys: Sequence[str],
        update: Sequence[str] | None = None,
    ) -> None:
        """Insert rows; where one with the same key exists, overwrite its columns.

        Args:
            connection: of ``write``.
            table: the table.
            rows: all with the same columns.
            keys: columns of the primary key or of a unique index.
            update: the columns to overwrite; None means all that are no key, empty means leave the old row.
        """
        if not rows:
            return
        build: Any = sqlite.insert if self.dialect == "sqlite" else postgresql.insert
        statement = build(table)
        columns = [name for name in rows[0] if name not in keys] if update is None else list(update)
        if columns:
            statement = statement.on_conflict_do_update(
                index_elements=list(keys), set_={name: statement.excluded[name] for name in columns}
            )
        else:
            statement = statement.on_conflict_do_nothing(index_elements=list(keys))
        connection.execute(statement, list(rows))

    def shrink(self, pages: int = 4096) -> bool:
        """Give what deletions have freed back to the file system, some pages at a time; True when there is more.

        PostgreSQL does so by itself. A SQLite file of before this method keeps its size until somebody runs
        ``VACUUM`` on it, but uses what is free.
        """
        if self.dialect != "sqlite":
            return False
        with self.engine.connect() as connection:
            free = int(connection.exec_driver_sql("PRAGMA freelist_count").scalar_one())
            kind = int(connection.exec_driver_sql("PRAGMA auto_vacuum").scalar_one())
        # A little stays for what comes next.
        if kind != _INCREMENTAL or free < 2 * pages:
            return False
        with self.write() as connection:
            driver: Any = connection.connection.driver_connection
            # A step a page: one execute alone would free one page.
            driver.execute(f"PRAGMA incremental_vacuum({pages})").fetchall()
        return free - pages >= 2 * pages

    def close(self) -> None:
        """Give every connection back to the system; SQLite folds its log into the file."""
        if self.dialect == "sqlite":
            try:
                with self.engine.connect() as connection:
                    connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
            except (sqlite3.Error, sa.exc.DBAPIError) as error:
                # Nothing is lost: the log stays beside the file, and the next start reads it.
                _log.warning("the log of the database was not folded into it: %s", error)
        self.engine.dispose()


def unusable(error: sa.exc.DBAPIError, database: "Database") -> ConfigurationError:
    """What a server says that cannot start because of its database."""
    where = database.engine.url.database if database.dialect == "sqlite" else None
    where = f"the database {where}" if where else "the database"
    if damaged(error):
        return ConfigurationError(
            f"{where} is damaged ({error.orig}): docs/howto/recovery.md says how to restore it"
        )
    if out_of_room(error):
        return ConfigurationError(
            f"the disk of {where} is full ({error.orig}): docs/howto/recovery.md says how to make room"
        )
    return ConfigurationError(f"{where} cannot be used: {error.orig}")


_INCREMENTAL = 2


def _prepare_postgresql(connection: Any, _: Any) -> None:
    # Its planner multiplies the estimates of correlated probes and then compiles a query for 170 ms that runs for 25.
    with connection.cursor() as cursor:
        cursor.execute("SET jit = off")
    connection.commit()


def _bound_patterns(_: Any, cursor: Any, statement: str, *__: Any) -> None:
    if " ~ " in statement:
        # Of the transaction: a statement that fails takes the bound with it.
        cursor.execute(f"SET LOCAL statement_timeout = {round(PATTERN_SECONDS * 1000)}")


def _unbound_patterns(connection: Connection, _: Any, statement: str, *__: Any) -> None:
    if " ~ " in statement:
        # Another cursor: this one's rows are not fetched yet.
        driver: Any = connection.connection.driver_connection
        driver.execute("SET LOCAL statement_timeout = DEFAULT")


def _bound_search(_: Any, __: Any, statement: str, *___: Any) -> None:
    if " REGEXP " in statement:
        # Of the thread, in which SQLite calls `_search` for each row.
        _looking.until = time.monotonic() + PATTERN_SECONDS


def _stored_json(text: str) -> Any:
    """The value of a JSON column of SQLite, which does not look at what it hands out."""
    try:
        return json.loads(text)
    except ValueError:
        raise StorageDamaged(DAMAGED) from None


def _note_use(_: Any, record: Any) -> None:
    record.info["used"] = time.monotonic()


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    # Before all else: it can be chosen only while the file is empty. In any other it is written once more, which waits
    # for whoever writes, so that readers would too.
    if not connection.execute("PRAGMA page_count").fetchone()[0]:
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        "cache_size=-16000",
        "journal_size_limit=67108864",
    ):
        connection.execute(f"PRAGMA {pragma}")
    connection.create_function("regexp", 2, _search, deterministic=True)


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get("trialbook_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _search(pattern: str, text: str | None) -> bool:
    """SQLite's REGEXP: ``text REGEXP pattern`` finds the pattern anywhere, case-sensitive unless it says ``(?i)``."""
    if time.monotonic() > getattr(_looking, "until", math.inf):
        # SQLite replaces it by words of its own, which say that a function of ours did not want to.
        raise TimeoutError
    return text is not None and program(pattern).search(str(text))


__all__ = ["Database", "Engine", "Json", "metadata"]
