"""What a dotted name in a query means in SQL."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from trialbook.server.stores.database import metadata
from trialbook.server.stores.facets import facet, head, text_of

Test = Callable[[ColumnElement[Any]], ColumnElement[bool]]


class Field(Protocol):
    """One name of a query: a test on it, and its place in an order."""

    def test(self, condition: Test) -> ColumnElement[bool]:
        """True where the field (any value of it, when it has many) passes."""
        ...

    def has(self, values: Sequence[str]) -> ColumnElement[bool]:
        """True where the field is, or contains, one of the values."""
        ...

    def missing(self) -> ColumnElement[bool]:
        """True where there is no value."""
        ...

    def number(self, condition: Test) -> ColumnElement[bool]:
        """``test`` on the numeric value."""
        ...

    def order(self) -> list[ColumnElement[Any]]:
        """What to sort by; NULL where missing."""
        ...


@dataclass(frozen=True)
class ColumnField:
    """A typed column of the collection's table."""

    column: sa.Column[Any]

    def test(self, condition: Test) -> ColumnElement[bool]:
        return condition(self.column)

    def has(self, values: Sequence[str]) -> ColumnElement[bool]:
        return self.column.in_(values)

    def missing(self) -> ColumnElement[bool]:
        if isinstance(self.column.type, sa.String):
            return sa.or_(self.column.is_(None), self.column == "")
        return self.column.is_(None)

    def number(self, condition: Test) -> ColumnElement[bool]:
        return condition(self.column)

    def order(self) -> list[ColumnElement[Any]]:
        return [self.column]


@dataclass(frozen=True)
class FacetField:
    """Values in the facet table. ``key`` None means any key."""

    owner: sa.Column[Any]
    name: str
    key: str | None = None

    def _rows(self) -> list[ColumnElement[bool]]:
        rows = [facet.c.owner == self.owner, facet.c.field == self.name]
        return rows if self.key is None else [*rows, facet.c.key == self.key]

    def test(self, condition: Test) -> ColumnElement[bool]:
        return sa.exists().where(*self._rows(), condition(facet.c.value))

    def has(self, values: Sequence[str]) -> ColumnElement[bool]:
        texts = [text_of(value) for value in values]
        conditions: list[ColumnElement[bool]] = [
            facet.c.head.in_([head(text) for text in texts]),
            facet.c.value.in_(texts),
        ]
        if self.name == "system_tags":
            # Half of all documents may be archived: a probe per document stops when the page is full.
            return sa.exists().where(*self._rows(), *conditions)
        # The value's index finds the few owners once, without a look at every document.
        conditions.append(facet.c.field == self.name)
        if self.key is not None:
            conditions.append(facet.c.key == self.key)
        return self.owner.in_(sa.select(facet.c.owner).where(*conditions))

    def missing(self) -> ColumnElement[bool]:
        return ~sa.exists().where(*self._rows())

    def number(self, condition: Test) -> ColumnElement[bool]:
        return sa.exists().where(*self._rows(), condition(facet.c.number))

    def order(self) -> list[ColumnElement[Any]]:
        return [
            sa.select(sa.func.min(column)).where(*self._rows()).scalar_subquery()
            for column in (facet.c.number, facet.c.value)
        ]


_STATISTICS = {
    "value": "last_value",
    "min_value": "min_value",
    "max_value": "max_value",
    "first_value": "first_value",
    "min_value_iteration": "min_iter",
    "max_value_iteration": "max_iter",
    "first_value_iteration": "first_iter",
    "count": "count",
}


@dataclass(frozen=True)
class MetricField:
    """One exact statistic of one series of the document, from the series table."""

    owner: sa.Column[Any]
    metric: str
    variant: str
    statistic: str

    def _value(self) -> ColumnElement[Any]:
        series = metadata.tables["series"]
        column: ColumnElement[Any] = series.c[_STATISTICS[self.statistic]]
        if self.statistic.endswith("value"):
            # A series of one single value has no points: the value is its own last, least and greatest.
            column = sa.func.coalesce(column, series.c.single_value)
        return (
            sa.select(column)
            .where(
                series.c.owner == self.owner,
                series.c.metric_hash == self.metric,
                series.c.variant_hash == self.variant,
            )
            .limit(1)
            .scalar_subquery()
        )

    def test(self, condition: Test) -> ColumnElement[bool]:
        return condition(self._value())

    def has(self, values: Sequence[str]) -> ColumnElement[bool]:
        return self._value().in_([float(value) for value in values])

    def missing(self) -> ColumnElement[bool]:
        return self._value().is_(None)

    def number(self, condition: Test) -> ColumnElement[bool]:
        series = metadata.tables["series"]
        column = series.c[_STATISTICS[self.statistic]]
        owners = sa.select(series.c.owner).where(
            series.c.metric_hash == self.metric, series.c.variant_hash == self.variant
        )
        # A single value is its own last, least and greatest. Two branches, so that each has an index.
        single = owners.where(column.is_(None), condition(series.c.single_value))
        return sa.or_(self.owner.in_(owners.where(condition(column))), self.owner.in_(single))

    def order(self) -> list[ColumnElement[Any]]:
        return [self._value()]


@dataclass(frozen=True)
class JsonField:
    """A place inside a JSON column. Compared as text; no index, so such a filter reads every row that the others
    leave."""

    column: sa.Column[Any]
    path: tuple[str, ...]

    def _value(self) -> ColumnElement[Any]:
        value: ColumnElement[Any] = self.column[self.path].as_string()
        return value

    def test(self, condition: Test) -> ColumnElement[bool]:
        return condition(self._value())

    def has(self, values: Sequence[str]) -> ColumnElement[bool]:
        return self._value().in_([text_of(value) for value in values])

    def missing(self) -> ColumnElement[bool]:
        return sa.or_(self._value().is_(None), self._value() == "")

    def number(self, condition: Test) -> ColumnElement[bool]:
        return condition(sa.cast(self._value(), sa.Double))

    def order(self) -> list[ColumnElement[Any]]:
        return [self._value()]


@dataclass(frozen=True)
class Collection:
    """How the documents of one noun are stored, as far as queries need to know.

    Attributes:
        table: with the columns ``id`` and, where ``hideable``, ``hidden``.
        columns: wire name → column.
        times: wire names that hold moments.
        facets: wire name, or prefix before a dot, → name in the facet table.
        documents: first-level wire name → JSON column.
        lists, ranges, patterns: wire names that take list filters, ranges and regular expressions.
        equals: wire names that take one plain value.
        searched: wire names that ``search_text`` looks at.
        hideable: the hidden rule applies.
        measured: ``last_metrics`` may be filtered and sorted by.
        default_order: when the caller names none.
    """

    noun: str
    table: sa.Table
    columns: Mapping[str, sa.Column[Any]]
    times: frozenset[str]
    facets: Mapping[str, str]
    documents: Mapping[str, sa.Column[Any]]
    lists: frozenset[str]
    ranges: frozenset[str]
    patterns: frozenset[str]
    equals: frozenset[str] = frozenset()
    searched: tuple[str, ...] = ("id", "name")
    hideable: bool = True
    measured: bool = False
    default_order: tuple[str, ...] = field(default=("-created",))

    def find(self, name: str) -> Field | None:
        """The meaning of a dotted name; None when this collection has no such field."""
        if name in self.columns:
            return ColumnField(self.columns[name])
        if name in self.facets:
            return FacetField(self.table.c.id, self.facets[name])
        root, _, rest = name.partition(".")
        if root == "last_metrics" and self.measured:
            return self._metric(rest)
        if root in self.facets and rest:
            # Hyper-parameters and metadata are {"value": …} objects; their names may hold dots too.
            return FacetField(self.table.c.id, self.facets[root], rest.removesuffix(".value"))
        if root in self.documents and rest and '"' not in rest:
            return JsonField(self.documents[root], tuple(rest.split(".")))
        return None

    def _metric(self, path: str) -> Field | None:
        parts = path.split(".")
        if len(parts) != 3 or parts[2] not in _STATISTICS or "series" not in metadata.tables:
            return None
        return MetricField(self.table.c.id, parts[0], parts[1], parts[2])
