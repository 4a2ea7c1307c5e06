"""The change log: what happened to a task, model, project, queue …, one row each, written with the change itself.

A reader keeps the place that it has reached and asks for what came after it (``read``). On PostgreSQL a number of
``seq`` is drawn before its transaction ends, so that rows may appear behind a reader that goes by ``seq`` alone. Rows
are therefore read in the order of ``(xact, seq)``, and only those whose transaction is older than every one that still
runs: nothing can appear before them any more. An open transaction of that PostgreSQL holds them back until it ends,
also one in another of its databases. SQLite has one writer at a time, and ``xact`` is 0.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.server.stores.database import Json, metadata

change = sa.Table(
    "change",
    metadata,
    sa.Column(
        "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True
    ),
    sa.Column("xact", sa.BigInteger, nullable=False),
    sa.Column("time", sa.Double, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("verb", sa.String(32), nullable=False),
    sa.Column("project", sa.String(32), nullable=True),
    sa.Column("user", sa.String(32), nullable=True),
    sa.Column("method", sa.String(64), nullable=False),
    sa.Column("operation", sa.String(32), nullable=False),
    sa.Column("before", Json, nullable=False),
    sa.Column("after", Json, nullable=False),
    sa.Index("change_in_order", "xact", "seq"),
    sa.Index("change_by_time", "time"),
    sqlite_autoincrement=True,
)
"""``operation`` is the same in all rows of one call. ``before`` and ``after`` hold what differs and nothing else."""


class Place(NamedTuple):
    """How far a reader has come; the default is the very beginning."""

    xact: int = 0
    seq: int = 0


def append(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows, in their order, in the transaction of what they tell."""
    if not rows:
        return
    statement = change.insert()
    if connection.dialect.name == "postgresql":
        text = sa.cast(sa.func.pg_current_xact_id(), sa.Text)
        statement = statement.values(xact=sa.cast(text, sa.BigInteger))
        connection.execute(statement, list(rows))
    else:
        connection.execute(statement, [{**row, "xact": 0} for row in rows])


def read(connection: Connection, after: Place, limit: int = 1000) -> "list[sa.Row[Any]]":
    """The next rows behind a place, none left out, whoever is still writing.

    Args:
        connection: any.
        after: where the reader is; the next one is ``Place(row.xact, row.seq)`` of the last row.
        limit: at most so many.
    """
    query = (
        sa.select(change)
        .where(sa.tuple_(change.c.xact, change.c.seq) > sa.tuple_(after.xact, after.seq))
        .order_by(change.c.xact, change.c.seq)
        .limit(limit)
    )
    if connection.dialect.name == "postgresql":
        oldest = sa.cast(sa.func.pg_snapshot_xmin(sa.func.pg_current_snapshot()), sa.Text)
        query = query.where(change.c.xact < sa.cast(oldest, sa.BigInteger))
    return list(connection.execute(query))


def prune(connection: Connection, before: float, most: int, at_once: int = 1000) -> int:
    """Drop the oldest rows, some at a time; how many went.

    Args:
        connection: of a write transaction.
        before: rows older than this moment go.
        most: and those beyond so many.
        at_once: at most so many in this transaction.
    """
    newest = connection.execute(sa.select(sa.func.max(change.c.seq))).scalar()
    if newest is None:
        return 0
    old = (
        sa.select(change.c.seq)
        .where(sa.or_(change.c.time < before, change.c.seq <= newest - most))
        .order_by(change.c.seq)
        .limit(at_once)
    )
    seqs = list(connection.execute(old).scalars())
    if seqs:
        connection.execute(change.delete().where(change.c.seq.in_(seqs)))
    return len(seqs)
