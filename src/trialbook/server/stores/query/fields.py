"""What a dotted name in a query means in SQL."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from trialbook.server.stores.database import metadata
from trialbook.server.stores.facets import HEAD, facet, head, text_of
from trialbook.server.stores.graves import standing

Test = Callable[[ColumnElement[Any]], ColumnElement[bool]]


class Many(Protocol):
    """Tells common values from rare ones."""

    def __call__(self, rows: "sa.Select[Any]") -> bool:
        """True when a select finds more rows than a list of ids is good for."""
        ...

    def pick(self, rows: "sa.Select[Any]") -> list[str] | None:
        """The ids that a select finds; None when they are many, or not to be looked at."""
        ...


def probe(table: sa.FromClause, *where: ColumnElement[bool]) -> ColumnElement[bool]:
    """EXISTS, looked up document by document: PostgreSQL turns a plain one into a join of all that match."""
    return sa.exists(sa.select(sa.literal(1)).select_from(table).where(*where).offset(0))


class Few:
    """Takes everything for rare."""

    def __call__(self, rows: "sa.Select[Any]") -> bool:
        return False

    def pick(self, rows: "sa.Select[Any]") -> list[str] | None:
        return None


@dataclass(frozen=True)
class Walk:
    """An index that holds documents in an order: walked until a page is full, it saves the sort of all that match.

    Attributes:
        owner: the document's id.
        where: the part of the index to walk.
        tiers: conditions and what they are sorted by; the documents of a tier come before those of the next.
            Documents that are in no tier have no value and come last.
    """

    owner: ColumnElement[Any]
    where: tuple[ColumnElement[bool], ...]
    tiers: tuple[tuple[ColumnElement[bool], tuple[ColumnElement[Any], ...]], ...]


_FEW = Few()


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

    def walk(self) -> Walk | None:
        """The index that holds this order; None when there is none."""
        ...


@dataclass(frozen=True)
class ColumnField:
    """A typed column of the collection's table."""

    column: sa.Column[Any]
    many: Many = _FEW

    def test(self, condition: Test) -> ColumnElement[bool]:
        return condition(self.column)

    def has(self, values: Sequence[str]) -> ColumnElement[bool]:
        found = self.column.in_(values)
        if len(values) > 1 and self.many(sa.select(self.column).where(found)):
            # The index of several values leaves a sort; without it the index of the order is walked.
            return sa.func.coalesce(self.column, "").in_(values)
        return found

    def missing(self) -> ColumnElement[bool]:
        if isinstance(self.column.type, sa.String):
            return sa.or_(self.column.is_(None), self.column == "")
        return self.column.is_(None)

    def number(self, condition: Test) -> ColumnElement[bool]:
        return condition(self.column)

    def order(self) -> list[ColumnElement[Any]]:
        # The index of a long text holds its head.
        first = self.column.table.c.get(f"{self.column.name}_head")
        return [self.column] if first is None else [first, self.column]

    def walk(self) -> Walk | None:
        if not self.column.nullable or not any(
            i.columns[0] is self.column for i in self.column.table.indexes
        ):
            # Without nulls the plain order is one that the database finds an index for.
            return None
        row = self.column.table.alias("sorted")
        column = row.c[self.column.name]
        return Walk(row.c.id, (), ((column.is_not(None), (column,)),))


@dataclass(frozen=True)
class FacetField:
    """Values in the facet table. ``key`` None means any key; ``flags`` are values that have a column of their own."""

    owner: sa.Column[Any]
    name: str
    key: str | None = None
    many: Many = _FEW
    flags: Mapping[str, ColumnElement[bool]] = field(default_factory=dict)

    def _rows(self) -> list[ColumnElement[bool]]:
        rows = [facet.c.owner == self.owner, facet.c.field == self.name]
        return rows if self.key is None else [*rows, facet.c.key == self.key]

    def test(self, condition: Test) -> ColumnElement[bool]:
        return sa.exists().where(*self._rows(), condition(facet.c.value))

    def has(self, values: Sequence[str]) -> ColumnElement[bool]:
        texts = [text_of(value) for value in values]
        if texts and all(text in self.flags for text in texts):
            return sa.or_(*(self.flags[text].is_(True) for text in texts))
        conditions: list[ColumnElement[bool]] = [facet.c.head.in_([head(text) for text in texts])]
        if any(len(text) >= HEAD for text in texts):
            # A head that is shorter is the value itself: then the index says all.
            conditions.append(facet.c.value.in_(texts))
        listed = [facet.c.field == self.name, *conditions]
        if self.key is not None:
            listed.append(facet.c.key == self.key)
        owners = sa.select(facet.c.owner).where(*listed)
        if self.many(owners):
            # A probe per document stops when the page is full.
            return probe(facet, *self._rows(), *conditions)
        # The value's index finds the few owners once, without a look at every document.
        return self.owner.in_(owners)

    def none_of(self, values: Sequence[str]) -> ColumnElement[bool]:
        """True where the field holds none of the values."""
        if values and all(text_of(value) in self.flags for value in values):
            return sa.and_(*(self.flags[text_of(value)].is_(False) for value in values))
        return sa.not_(self.has(values))

    def missing(self) -> ColumnElement[bool]:
        return ~sa.exists().where(*self._rows())

    def number(self, condition: Test) -> ColumnElement[bool]:
        return sa.exists().where(*self._rows(), condition(facet.c.number))

    def order(self) -> list[ColumnElement[Any]]:
        return [
            sa.select(sa.func.min(column)).where(*self._rows()).scalar_subquery()
            for column in (facet.c.number, facet.c.value)
        ]

    def walk(self) -> Walk | None:
        if self.key is None:
            return None
        row = facet.alias("sorted")
        where = [row.c.field == self.name, row.c.key_head == head(self.key)]
        if len(self.key) >= HEAD:
            where.append(row.c.key == self.key)
        numbers = (row.c.number.is_not(None), (row.c.number, row.c.head))
        texts = (row.c.number.is_(None), (row.c.head,))
        return Walk(row.c.owner, tuple(where), (numbers, texts))


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


def column_of(statistic: str) -> sa.Column[Any]:
    """The column of the series table that holds a statistic."""
    column: sa.Column[Any] = metadata.tables["series"].c[_STATISTICS[statistic]]
    return column


@dataclass(frozen=True)
class MetricField:
    """One exact statistic of one series of the document, from the series table."""

    owner: sa.Column[Any]
    metric: str
    variant: str
    statistic: str
    many: Many = _FEW

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
                standing(series.c.owner),
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
            series.c.metric_hash == self.metric,
            series.c.variant_hash == self.variant,
            standing(series.c.owner),
        )
        # A single value is its own last, least and greatest. Two branches, so that each has an index.
        single = owners.where(column.is_(None), condition(series.c.single_value))
        if self.many(owners.where(condition(column))):
            return condition(self._value())
        return sa.or_(self.owner.in_(owners.where(condition(column))), self.owner.in_(single))

    def order(self) -> list[ColumnElement[Any]]:
        return [self._value()]

    def walk(self) -> Walk | None:
        if self.statistic not in ("value", "min_value", "max_value"):
            return None
        row = metadata.tables["series"].alias("sorted")
        # A series of one single value holds it in these columns too.
        column = row.c[_STATISTICS[self.statistic]]
        named = (row.c.metric_hash == self.metric, row.c.variant_hash == self.variant)
        where = (*named, standing(row.c.owner))
        return Walk(row.c.owner, where, ((column.is_not(None), (column,)),))


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

    def walk(self) -> Walk | None:
        return None


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
        flags: system tags that have a column of their own.
        texts: the texts that ``search_text`` looks at by id, case folded, in a table of their own.
        many: tells common values from rare ones; set for one query.
        counting: conditions are for a count, not for a page.
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
    flags: Mapping[str, sa.Column[bool]] = field(default_factory=dict)
    texts: sa.Table | None = None
    many: Many = _FEW
    counting: bool = False

    def flag(self, column: sa.Column[bool]) -> ColumnElement[bool]:
        """A column that is true for few, as conditions use it."""
        # An index on it serves a count. A page that took it would have to sort all that it leaves.
        return column if self.counting else sa.func.coalesce(column, sa.false())

    def find(self, name: str) -> Field | None:
        """The meaning of a dotted name; None when this collection has no such field."""
        if name in self.columns:
            return ColumnField(self.columns[name], self.many)
        if name in self.facets:
            own = self.flags if name == "system_tags" else {}
            flags = {tag: self.flag(column) for tag, column in own.items()}
            return FacetField(self.table.c.id, self.facets[name], None, self.many, flags)
        root, _, rest = name.partition(".")
        if root == "last_metrics" and self.measured:
            return self._metric(rest)
        if root in self.facets and rest:
            # Hyper-parameters and metadata are {"value": …} objects; their names may hold dots too.
            return FacetField(self.table.c.id, self.facets[root], rest.removesuffix(".value"), self.many)
        if root in self.documents and rest and '"' not in rest:
            return JsonField(self.documents[root], tuple(rest.split(".")))
        return None

    def _metric(self, path: str) -> Field | None:
        parts = path.split(".")
        if len(parts) != 3 or parts[2] not in _STATISTICS or "series" not in metadata.tables:
            return None
        return MetricField(self.table.c.id, parts[0], parts[1], parts[2], self.many)
