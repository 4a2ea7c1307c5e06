"""Tables of the series store, and the SQL that other parts of it share. See docs/design/series-store.md."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.server.stores.database import metadata
from trialbook.server.stores.graves import standing

SINGLE_ITERATION = -(2**31)
"""The iteration that marks a single value: it keeps only the newest report and never enters charts."""

Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")

series = sa.Table(
    "series",
    metadata,
    sa.Column("id", Id, primary_key=True, autoincrement=True),
    sa.Column("owner", sa.String(32), nullable=False),
    sa.Column("is_model", sa.Boolean, nullable=False),
    sa.Column("metric", sa.Text, nullable=False),
    sa.Column("variant", sa.Text, nullable=False),
    sa.Column("metric_hash", sa.String(32), nullable=False),
    sa.Column("variant_hash", sa.String(32), nullable=False),
    # A value column that is NULL holds NaN when `count` is above 0: SQLite has no NaN, and PostgreSQL sorts
    # it last.
    sa.Column("count", sa.BigInteger, nullable=False, default=0),
    sa.Column("nonfinite", sa.BigInteger, nullable=False, default=0),
    sa.Column("first_value", sa.Double),
    sa.Column("first_iter", sa.BigInteger),
    sa.Column("first_time", sa.BigInteger),
    sa.Column("last_value", sa.Double),
    sa.Column("last_iter", sa.BigInteger),
    sa.Column("last_time", sa.BigInteger),
    sa.Column("start_time", sa.BigInteger),
    sa.Column("end_time", sa.BigInteger),
    sa.Column("min_value", sa.Double),
    sa.Column("min_iter", sa.BigInteger),
    sa.Column("max_value", sa.Double),
    sa.Column("max_iter", sa.BigInteger),
    sa.Column("total", sa.Double, default=0.0),
    sa.Column("single_value", sa.Double),
    sa.Column("single_time", sa.BigInteger),
    sa.Column("version", sa.BigInteger, nullable=False, default=0),
    # Hashes, not names: a name of 1 000 characters does not fit into an index entry of PostgreSQL.
    sa.Index("series_identity", "owner", "metric_hash", "variant_hash", unique=True),
    # These three serve "sort the tasks by the last, least or greatest value of one metric" without a sort.
    sa.Index("series_by_last", "metric_hash", "variant_hash", "last_value", "owner"),
    sa.Index("series_by_min", "metric_hash", "variant_hash", "min_value", "owner"),
    sa.Index("series_by_max", "metric_hash", "variant_hash", "max_value", "owner"),
    # A number must never be given twice: caches of other processes and chunk rows refer to it.
    sqlite_autoincrement=True,
)
"""One row per (task or model, metric, variant), with its exact statistics. Times are µs since the epoch;
``start_time`` and ``end_time`` are the least and the greatest, ``first_time`` and ``last_time`` belong to
the first and last value."""

series_batch = sa.Table(
    "series_batch",
    metadata,
    sa.Column("id", Id, primary_key=True, autoincrement=True),
    sa.Column("owner", sa.String(32), nullable=False),
    sa.Column("points", sa.Integer, nullable=False),
    sa.Column("received", sa.Double, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    # Holds all but the payload, so that the compaction loop looks for work without touching points.
    sa.Index("series_batch_owner", "owner", "id", "points", "received"),
    sqlite_autoincrement=True,
)
"""Points as they arrived: one row per owner and request."""

series_chunk = sa.Table(
    "series_chunk",
    metadata,
    sa.Column("series_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("nonfinite", sa.Integer, nullable=False),
    sa.Column("first_iter", sa.BigInteger, nullable=False),
    sa.Column("last_iter", sa.BigInteger, nullable=False),
    sa.Column("first_time", sa.BigInteger, nullable=False),
    sa.Column("last_time", sa.BigInteger, nullable=False),
    sa.Column("monotone", sa.Boolean, nullable=False),
    sa.Column("min_value", sa.Double),
    sa.Column("max_value", sa.Double),
    sa.Column("total", sa.Double),
    sa.Column("tail_value", sa.Double),
    sa.Column("tail_iter", sa.BigInteger),
    sa.Column("tail_time", sa.BigInteger),
    sa.Column("payload", sa.LargeBinary, nullable=False),
)
"""Up to 4096 points of one series in columns. ``first_time`` and ``last_time`` are the least and the
greatest; ``tail_*`` is the last finite point; ``monotone`` says that time never falls while iteration
grows."""

series_level = sa.Table(
    "series_level",
    metadata,
    sa.Column("series_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("first_iter", sa.BigInteger, nullable=False),
    sa.Column("last_iter", sa.BigInteger, nullable=False),
    sa.Column("first_time", sa.BigInteger, nullable=False),
    sa.Column("last_time", sa.BigInteger, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
)
"""The pyramid of long series: a row holds blocks of points of full chunks, each summed up; see
``series/pyramid.py``. Rows of a level are written in turn, and never change."""

series_seen = sa.Table(
    "series_seen",
    metadata,
    sa.Column("owner", sa.String(32), primary_key=True),
    sa.Column("digest", sa.String(32), primary_key=True),
    sa.Column("at", sa.Double, nullable=False),
    sa.Index("series_seen_at", "at"),
)
"""Digests of recent point sets that came without a journal: their clients send a request again when the
reply is lost."""


def name_hash(name: str) -> str:
    """The md5 by which the wire names a metric or a variant."""
    return hashlib.md5(name.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()


Item = TypeVar("Item")


def portions(items: Sequence[Item], size: int = 500) -> Iterator[Sequence[Item]]:
    """Slices short enough to be bound as parameters of one statement."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def of_owners(
    connection: Connection,
    owners: Iterable[str],
    metrics: Iterable[str] | None = None,
    metric_hashes: Iterable[str] | None = None,
) -> list[Any]:
    """The rows of ``series`` of some tasks or models, by owner, then in the order in which they were created.

    Args:
        connection: of a read or write transaction.
        owners: task and model ids.
        metrics: only these metrics; None means all.
        metric_hashes: the same, for callers that know the hashes of the names alone.
    """
    hashes = None if metrics is None else [name_hash(metric) for metric in metrics]
    if metric_hashes is not None:
        hashes = [*(hashes or ()), *metric_hashes]
    rows: list[Any] = []
    for some in portions(sorted(set(owners))):
        query = sa.select(series).where(series.c.owner.in_(some), standing(series.c.owner))
        query = query.order_by(series.c.owner, series.c.id)
        if hashes is not None:
            query = query.where(series.c.metric_hash.in_(hashes))
        rows.extend(connection.execute(query))
    return rows


def create(
    connection: Connection,
    owner: str,
    is_model: bool,
    names: Sequence[tuple[str, str]],
    columns: Mapping[str, Sequence[Any]],
) -> dict[tuple[str, str], int]:
    """New series, with their statistics: the numbers of those that nobody else has made in the meantime.

    One statement for all rows, past SQLAlchemy, as ``overwrite``.

    Args:
        connection: of a write transaction.
        owner: task or model id, which has none of the series.
        is_model: what ``owner`` is.
        names: storable (metric, variant) pairs, each once.
        columns: all the others but ``id``.
    """
    given: dict[str, Sequence[Any]] = {
        "metric": [metric for metric, _ in names],
        "variant": [variant for _, variant in names],
        "metric_hash": [name_hash(metric) for metric, _ in names],
        "variant_hash": [name_hash(variant) for _, variant in names],
        **columns,
    }
    listed = ", ".join(f'"{name}"' for name in ("owner", "is_model", *given))
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * (2 + len(given)))
        rows = [(owner, is_model, *row) for row in zip(*given.values(), strict=True)]
        connection.exec_driver_sql(f"INSERT INTO series ({listed}) VALUES ({marks})", rows)
        # There is one writer, and AUTOINCREMENT counts by one.
        last = int(connection.exec_driver_sql("SELECT last_insert_rowid()").scalar_one())
        return dict(zip(names, range(last - len(names) + 1, last + 1), strict=True))
    arrays = ", ".join(f"%({name})s::{_kind(name)}[]" for name in given)
    values = ", ".join(f'new."{name}"' for name in given)
    quoted = ", ".join(f'"{name}"' for name in given)
    found = connection.exec_driver_sql(
        f"INSERT INTO series ({listed}) SELECT %(owner)s, %(is_model)s, {values}"
        f" FROM unnest({arrays}) WITH ORDINALITY AS new({quoted}, place) ORDER BY place"
        # Another server process may create the same series at this moment; then its row is taken.
        " ON CONFLICT (owner, metric_hash, variant_hash) DO NOTHING RETURNING id, metric_hash, variant_hash",
        {"owner": owner, "is_model": is_model, **{name: list(held) for name, held in given.items()}},
    )
    hashes = zip(given["metric_hash"], given["variant_hash"], strict=True)
    called = dict(zip(hashes, names, strict=True))
    return {called[metric_hash, variant_hash]: number for number, metric_hash, variant_hash in found}


def overwrite(connection: Connection, columns: Mapping[str, Sequence[Any]]) -> None:
    """Overwrite columns of rows of ``series``, given column by column with their ``id``.

    One statement for all rows, past SQLAlchemy: a request may touch a thousand series.
    """
    names = [name for name in columns if name != "id"]
    if connection.dialect.name == "sqlite":
        changes = ", ".join(f'"{name}" = ?' for name in names)
        rows = list(zip(*(columns[name] for name in names), columns["id"], strict=True))
        connection.exec_driver_sql(f"UPDATE series SET {changes} WHERE id = ?", rows)
        return
    changes = ", ".join(f'"{name}" = new."{name}"' for name in names)
    arrays = ", ".join(f"%({name})s::{_kind(name)}[]" for name in (*names, "id"))
    listed = ", ".join(f'"{name}"' for name in (*names, "id"))
    statement = f"UPDATE series SET {changes} FROM unnest({arrays}) AS new({listed}) WHERE series.id = new.id"
    connection.exec_driver_sql(statement, {name: list(columns[name]) for name in (*names, "id")})


def _kind(name: str) -> str:
    """The type of a column of ``series`` in PostgreSQL."""
    held = series.c[name].type
    return "float8" if isinstance(held, sa.Double) else "text" if isinstance(held, sa.String) else "bigint"


def numbers_of(
    connection: Connection, owner: str, names: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    """The numbers of those series that exist, by (metric, variant); names are ``storable``."""
    columns = (series.c.id, series.c.metric_hash, series.c.variant_hash)
    wanted = {(name_hash(metric), name_hash(variant)): (metric, variant) for metric, variant in names}
    found: dict[tuple[str, str], int] = {}
    for some in portions(sorted({metric for metric, _ in wanted})):
        query = sa.select(*columns).where(series.c.owner == owner, series.c.metric_hash.in_(some))
        for number, metric_hash, variant_hash in connection.execute(query):
            name = wanted.get((metric_hash, variant_hash))
            if name is not None:
                found[name] = number
    return found
