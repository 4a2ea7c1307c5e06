"""Tables of the journals: up to where each has arrived, and what its numbers mean. See
docs/design/journal.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from trialbook.base.unicode import storable
from trialbook.server.stores.database import Json, metadata
from trialbook.server.stores.dialect import insert
from trialbook.server.stores.series import portions
from trialbook.wire.logs import Loss

journal = sa.Table(
    "journal",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("owner", sa.String(32), nullable=False, index=True),
    sa.Column("acked", sa.BigInteger, nullable=False, default=0),
    sa.Column("host", sa.Text, nullable=False, default=""),
    sa.Column("pid", sa.BigInteger, nullable=False, default=0),
    sa.Column("backlog", sa.BigInteger, nullable=False, default=0),
    sa.Column("first_seen", sa.Double, nullable=False),
    sa.Column("last_seen", sa.Double, nullable=False),
    sa.Column("losses", Json, nullable=False),
)
"""``acked`` is the stream offset up to which everything is stored; ``losses`` a list of ``{kind, count,
why}``."""

journal_series = sa.Table(
    "journal_series",
    metadata,
    sa.Column("journal_id", sa.String(64), primary_key=True),
    sa.Column("local", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("metric", sa.Text, nullable=False),
    sa.Column("variant", sa.Text, nullable=False),
)
"""What a journal means by a series number. Names and not ids: a reset of the task erases its series while the
journal goes on with the numbers that it has given."""


def lock(connection: Connection, journal_id: str, owner: str, now: float) -> tuple[Row[Any], bool]:
    """The journal's row, locked until the transaction ends, and whether it was made just now."""
    row = {
        "id": journal_id,
        "owner": owner,
        "acked": 0,
        "host": "",
        "pid": 0,
        "backlog": 0,
        "first_seen": now,
        "last_seen": now,
        "losses": [],
    }
    statement = insert(connection, journal).on_conflict_do_nothing(index_elements=["id"])
    made = connection.execute(statement.returning(journal.c.id), row).first()
    found = connection.execute(sa.select(journal).where(journal.c.id == journal_id).with_for_update()).one()
    return found, made is not None


def define(connection: Connection, journal_id: str, names: dict[int, tuple[str, str]]) -> None:
    """Store what numbers mean; a number that is known already takes the new meaning."""
    if names:
        rows = [
            {"journal_id": journal_id, "local": local, "metric": metric, "variant": variant}
            for local, (metric, variant) in names.items()
        ]
        statement = insert(connection, journal_series)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["journal_id", "local"],
                set_={"metric": statement.excluded.metric, "variant": statement.excluded.variant},
            ),
            rows,
        )


def names(connection: Connection, journal_id: str) -> dict[int, tuple[str, str]]:
    """Every number of a journal with its (metric, variant)."""
    query = sa.select(journal_series.c.local, journal_series.c.metric, journal_series.c.variant)
    rows = connection.execute(query.where(journal_series.c.journal_id == journal_id))
    return {local: (metric, variant) for local, metric, variant in rows}


def of_owners(connection: Connection, owners: Iterable[str]) -> list[Row[Any]]:
    """The journals of some tasks, oldest first."""
    rows: list[Row[Any]] = []
    for some in portions(sorted(set(owners))):
        query = (
            sa.select(journal).where(journal.c.owner.in_(some)).order_by(journal.c.first_seen, journal.c.id)
        )
        rows.extend(connection.execute(query))
    return rows


def add_losses(losses: Sequence[dict[str, Any]], more: Sequence[Loss]) -> list[dict[str, Any]]:
    """Stored and new losses as one list; those of the same kind and reason are counted together."""
    merged = {(str(loss["kind"]), str(loss["why"])): dict(loss) for loss in losses}
    for loss in more:
        kind, why = storable(loss.kind), storable(loss.why)
        held = merged.setdefault((kind, why), {"kind": kind, "count": 0, "why": why})
        held["count"] = int(held["count"]) + loss.count
        for name, choose in (("began", min), ("first", min), ("ended", max), ("last", max)):
            known = [value for value in (held.get(name), getattr(loss, name)) if value is not None]
            if known:
                held[name] = choose(known)
    return list(merged.values())
