"""How many documents match, without a look at each of them.

The usual question of a table is "all that are not hidden and not archived, with this tag" (or this range of a metric,
or this text). An index lists the documents with the tag; few are hidden or archived. So those with the tag are counted
in the index, and those of them that are put away are taken off again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from trialbook.server.stores.database import metadata
from trialbook.server.stores.facets import HEAD, facet
from trialbook.server.stores.graves import standing
from trialbook.server.stores.query import lists, moments, patterns
from trialbook.server.stores.query.fields import (
    Collection,
    ColumnField,
    FacetField,
    MetricField,
    column_of,
    probe,
)
from trialbook.wire.query import Query

_MOST_PUT_AWAY = 5_000
"""Hidden and archived documents from which on each document is looked at after all."""


def by_difference(
    connection: Connection, collection: Collection, ask: Query, given: Mapping[str, Any]
) -> int | None:
    """The total of a query that filters by one thing beside what is put away; None for any other query.

    Args:
        connection: one snapshot.
        collection: the noun.
        ask: the request.
        given: its plain constraints.
    """
    away = _put_away(collection, ask, given)
    rest = {name: value for name, value in given.items() if name != "system_tags"}
    if away is None or len(rest) + bool(ask.search_text) != 1:
        return None
    if ask.any_ or ask.or_ or ask.all_ or ask.and_ or ask.filters:
        return None
    found = _listed(collection, ask, rest)
    if found is None:
        return None
    table = collection.table
    every = sa.select(sa.func.count()).select_from(table)
    # One after the other, so that each is a short span of the index.
    gone = [
        every.where(column.is_(True), *(before.is_(False) for before in away[:at]))
        for at, column in enumerate(away)
    ]
    if sum(_count(connection, query) for query in gone) > _MOST_PUT_AWAY:
        return None
    source, owner, branches, without = found
    total = 0
    for where in branches:
        # The index holds owners of every noun.
        exists = () if source is collection.texts else (probe(table, table.c.id == owner),)
        total += _count(connection, sa.select(sa.func.count()).select_from(source).where(*where, *exists))
        for query in gone:
            total -= _count(connection, query.where(probe(source, owner == table.c.id, *where)))
    if not without:
        return total
    return _count(connection, every.where(*(column.is_(False) for column in away))) - total


def _count(connection: Connection, query: sa.Select[Any]) -> int:
    return int(connection.execute(query).scalar_one())


def _put_away(
    collection: Collection, ask: Query, given: Mapping[str, Any]
) -> list[ColumnElement[bool]] | None:
    """Columns that are true of documents that the query does not want; None when it says more than that."""
    away: list[ColumnElement[bool]] = []
    if collection.hideable and not ask.search_hidden:
        away.append(collection.table.c.hidden)
    if "system_tags" in given:
        asked = lists.parse("system_tags", given["system_tags"])
        if (
            asked.any
            or asked.all
            or asked.null
            or asked.joined_by_or
            or not {*asked.none} <= {*collection.flags}
        ):
            return None
        away += [collection.flags[tag] for tag in asked.none]
    return away


_Listed = tuple[sa.FromClause, ColumnElement[Any], list[list[ColumnElement[bool]]], bool]


def _listed(collection: Collection, ask: Query, rest: Mapping[str, Any]) -> _Listed | None:
    """Where an index lists what is wanted: the table, its column with the document's id, conditions of branches that
    have no document in common; and whether the documents without it are wanted."""
    if ask.search_text:
        texts = collection.texts
        if texts is None:
            return None
        found = patterns.position(texts.c.text, patterns.folded(ask.search_text)) > 0
        return texts, texts.c.id, [[found]], False
    ((name, value),) = rest.items()
    field = collection.find(name)
    if isinstance(field, FacetField) and name == "tags":
        asked = lists.parse(name, value)
        wanted = [*asked.any, *asked.all, *asked.none]
        if len(wanted) != 1 or asked.null or len(wanted[0]) >= HEAD:
            return None
        where = [facet.c.field == field.name, facet.c.head == wanted[0]]
        return facet, facet.c.owner, [where], bool(asked.none)
    if isinstance(field, MetricField) and isinstance(value, list) and None not in value:
        return _in_range(name, field, value)
    return None


def _in_range(name: str, field: MetricField, value: list[Any]) -> _Listed:
    series = metadata.tables["series"]
    column = column_of(field.statistic)
    named = [series.c.metric_hash == field.metric, series.c.variant_hash == field.variant]
    same = [*named, standing(series.c.owner)]
    inside = moments.numbers(name, ColumnField(column), value)
    single = moments.numbers(name, ColumnField(series.c.single_value), value)
    branches = [[*same, *inside]]
    if field.statistic.endswith("value"):
        # A single value is its own last, least and greatest.
        branches.append([*same, column.is_(None), *single])
    return series, series.c.owner, branches, False
