"""A page in the order of a parameter or a metric, by walking the index that holds the order.

A statement that sorts computes the value of every document that matches, 100 000 of them for a page of 100. A walk
begins at the right end of the index and asks of each document only whether it matches. It pays when many match; a
few are sorted as usual.
"""

from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from trialbook.server.stores.query import moments
from trialbook.server.stores.query.fields import Collection, ColumnField, MetricField, probe
from trialbook.wire.query import Query

MANY = 1000
"""Documents from which on a walk is worth it."""


@dataclass(frozen=True)
class Common:
    """Tells whether a select finds more rows than ``MANY``, by looking at no more than that."""

    connection: Connection

    def __call__(self, rows: "sa.Select[Any]") -> bool:
        some = rows.limit(MANY + 1).subquery()
        found = self.connection.execute(sa.select(sa.func.count()).select_from(some)).scalar_one()
        return int(found) > MANY

    def pick(self, rows: "sa.Select[Any]") -> list[str] | None:
        found = list(self.connection.execute(rows.limit(MANY + 1)).scalars())
        return found if len(found) <= MANY else None


def ids(
    connection: Connection,
    collection: Collection,
    ask: Query,
    where: list[ColumnElement[bool]],
    offset: int,
    limit: int,
) -> list[str] | None:
    """The ids of a page, in order; None when the order has no index to walk, or few documents match.

    Args:
        connection: one snapshot.
        collection: the noun.
        ask: the request.
        where: what a document must meet.
        offset: documents to pass over.
        limit: the most to return.
    """
    names = [ask.order_by] if isinstance(ask.order_by, str) else list(ask.order_by or ())
    if len(names) != 1:
        return None
    name = names[0].removeprefix("-").removeprefix("+")
    field = collection.find(name)
    walk = field.walk() if field is not None else None
    table = collection.table
    if walk is None or not Common(connection)(sa.select(table.c.id).where(*where)):
        return None
    descending = names[0].startswith("-")
    span: list[ColumnElement[bool]] = []
    if isinstance(field, MetricField) and ask.dotted.get(name):
        # A range of the very values that are walked: begin where it begins.
        span = moments.numbers(
            name, ColumnField(cast("sa.Column[Any]", walk.tiers[0][1][0])), ask.dotted[name]
        )
    matches = probe(table, table.c.id == walk.owner, *where)
    steps = []
    for condition, order in walk.tiers:
        # The owner as tie-break goes the way of the index, or every tie would have to be sorted.
        columns = [column.desc() if descending else column.asc() for column in (*order, walk.owner)]
        steps.append(sa.select(walk.owner).where(*walk.where, *span, condition, matches).order_by(*columns))
    valued = sa.exists().where(*walk.where, walk.owner == table.c.id, sa.or_(*(c for c, _ in walk.tiers)))
    steps.append(sa.select(table.c.id).where(*where, ~valued).order_by(table.c.id))
    found: list[str] = []
    for step in steps:
        if len(found) == limit:
            break
        some = list(connection.execute(step.offset(offset).limit(limit - len(found))).scalars())
        if some:
            offset = 0
        elif offset:
            counted = sa.select(sa.func.count()).select_from(step.order_by(None).subquery())
            offset -= int(connection.execute(counted).scalar_one())
        found += some
    return found
