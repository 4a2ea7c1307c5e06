"""A whole query: which documents, in which order, which page."""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from trialbook.errors import BadField
from trialbook.server.core.limits import TESTS, check_many
from trialbook.server.stores.facets import facet, head
from trialbook.server.stores.query import lists, moments, patterns
from trialbook.server.stores.query.fields import Collection, ColumnField, FacetField, Field, probe
from trialbook.server.stores.query.totals import by_difference
from trialbook.server.stores.query.walk import Common, ids
from trialbook.wire.query import FieldsFilter, Query

PAGE = 500
LARGEST_PAGE = 10_000
_CONTROL = frozenset(item.name for item in msgspec.structs.fields(Query)) - {
    "id",
    "name",
    "tags",
    "system_tags",
}
_METRIC = re.compile(r"^last_metrics\.")


def constraints(collection: Collection, ask: Query) -> dict[str, Any]:
    """The plain constraints of a request by wire name."""
    given = {
        item.name: getattr(ask, item.name)
        for item in msgspec.structs.fields(type(ask))
        if item.name not in _CONTROL and item.name != "include_subprojects"
    }
    given.update(ask.dotted)
    return {name: value for name, value in given.items() if value is not None and value != [] and value != ""}


def conditions(collection: Collection, ask: Query) -> list[ColumnElement[bool]]:
    """Everything that a document must meet.

    Raises:
        BadField, BadListOperator, BadPattern: a constraint cannot be read.
    """
    found: list[ColumnElement[bool]] = []
    check_many("body", len(ask.dotted) + len(ask.filters), TESTS, "conditions")
    for name, value in constraints(collection, ask).items():
        found += _constraint(collection, name, value)
    for fields, join in ((ask.any_, sa.or_), (ask.or_, sa.or_), (ask.all_, sa.and_), (ask.and_, sa.and_)):
        if fields is not None:
            found += _over_fields(collection, fields, join)
    for name, terms in ask.filters.items():
        field = collection.find(name)
        part = lists.explicit(field, terms) if field is not None else None
        if part is not None:
            found.append(part)
    if ask.search_text:
        found.append(_text_search(collection, ask.search_text))
    if collection.hideable and not ask.search_hidden and not ask.id:
        found.append(collection.flag(collection.table.c.hidden).is_(False))
    return found


def _constraint(collection: Collection, name: str, value: Any) -> list[ColumnElement[bool]]:
    field = collection.find(name)
    if field is None:
        if "." in name:
            # No client names a path by chance; to pass over it would answer with everything.
            raise BadField(f"{name}: a {collection.noun} has no such field to look for", field=name)
        return []
    root = name.partition(".")[0]
    if name in collection.patterns:
        return [_pattern(name, field, value)]
    if name in collection.times:
        return moments.dates(field, value)
    if name in collection.ranges or _METRIC.match(name):
        return moments.numbers(name, field, value)
    if name in collection.equals or root in collection.equals:
        return [_equal(field, value)]
    if name in collection.lists or root in collection.lists or "." in name:
        part = lists.condition(name, field, value)
        return [] if part is None else [part]
    return []


def _pattern(name: str, field: Field, value: Any) -> ColumnElement[bool]:
    if not isinstance(value, str):
        raise BadField(f"{name}: a regular expression is a string, not {value!r}", field=name)
    plain = patterns.literal(value)
    if plain is None:
        return field.test(lambda column: patterns.matches(column, value))
    if isinstance(field, ColumnField) and f"{field.column.name}_head" in field.column.table.c:
        return sa.and_(
            field.column.table.c[f"{field.column.name}_head"] == head(plain), field.column == plain
        )
    return field.test(lambda column: column == plain)


def _equal(field: Field, value: Any) -> ColumnElement[bool]:
    if isinstance(field, ColumnField):
        same: ColumnElement[bool] = field.column == value
        return same
    return field.has(value if isinstance(value, list) else [value])


def _over_fields(collection: Collection, ask: FieldsFilter, join: Any) -> list[ColumnElement[bool]]:
    check_many("fields", len(ask.fields), TESTS, "fields")
    fields = [(name, field) for name in ask.fields if (field := collection.find(name)) is not None]
    found: list[ColumnElement[bool]] = []
    if ask.pattern:
        pattern = patterns.check(ask.pattern)
        tests = [
            field.test(lambda column: patterns.matches(column, pattern, ignore_case=True))
            for _, field in fields
        ]
        # A field that this noun does not have matches nothing.
        if len(fields) < len(ask.fields):
            tests.append(sa.false())
        found.append(join(*tests) if tests else sa.false())
    if ask.datetime:
        tests = [sa.and_(*parts) for _, field in fields if (parts := moments.dates(field, ask.datetime))]
        if tests:
            found.append(join(*tests))
    return found


def _text_search(collection: Collection, text: str) -> ColumnElement[bool]:
    """Found in any of the searched fields, whatever the case. No index serves "anywhere in the text"; where the noun
    keeps its texts in a narrow table, all of them are read (100 000 tasks: some 30 ms), else the documents."""
    if collection.texts is not None:
        texts = collection.texts
        found = patterns.position(texts.c.text, patterns.folded(text)) > 0
        rows = sa.select(texts.c.id).where(found)
        picked = collection.many.pick(rows)
        if picked is not None:
            return collection.table.c.id.in_(picked)
        if collection.many(rows):
            return probe(texts, texts.c.id == collection.table.c.id, found)
        return collection.table.c.id.in_(rows)
    fields = [field for name in collection.searched if (field := collection.find(name)) is not None]
    return sa.or_(*(field.test(lambda column: patterns.contains(column, text)) for field in fields))


def ordering(collection: Collection, ask: Query) -> list[ColumnElement[Any]]:
    """What to sort by: as asked, missing values last, the id as tie-break."""
    names = (
        [ask.order_by] if isinstance(ask.order_by, str) else list(ask.order_by or collection.default_order)
    )
    found: list[ColumnElement[Any]] = []
    for name in names:
        descending = name.startswith("-")
        field = collection.find(name.removeprefix("-").removeprefix("+"))
        if field is None:
            continue
        for column in field.order():
            if not (isinstance(field, ColumnField) and not field.column.nullable):
                found.append(column.is_(None).asc())
            found.append(column.desc() if descending else column.asc())
    return [*found, collection.table.c.id.asc()]


def page(ask: Query) -> tuple[int, int, str | None]:
    """Offset, limit and the scroll id of the next page (None when not scrolling).

    Raises:
        BadField: the scroll id is not one of ours, or belongs to another query.
    """
    if ask.scroll_id is None and ask.size is None:
        limit = min(ask.page_size or PAGE, LARGEST_PAGE)
        return (ask.page or 0) * limit, limit, None
    limit = min(ask.size or PAGE, LARGEST_PAGE)
    mark = _fingerprint(ask)
    offset = 0
    if ask.scroll_id and not ask.refresh_scroll:
        try:
            found, text = base64.urlsafe_b64decode(ask.scroll_id.encode()).decode().split(":")
            offset = int(text)
        except (ValueError, binascii.Error):
            raise BadField("scroll_id: not a scroll id of this server", field="scroll_id") from None
        if found != mark:
            raise BadField("scroll_id: belongs to another query", field="scroll_id")
    following = base64.urlsafe_b64encode(f"{mark}:{offset + limit}".encode()).decode()
    return offset, limit, following


def _fingerprint(ask: Query) -> str:
    fixed = msgspec.structs.replace(ask, scroll_id=None, size=None, refresh_scroll=False, only_fields=None)
    return hashlib.sha256(msgspec.json.encode(fixed, order="sorted")).hexdigest()[:16]


def run(
    connection: Connection,
    collection: Collection,
    ask: Query,
    columns: list[Any],
    more: Sequence[ColumnElement[bool]] | None = None,
    *,
    with_total: bool = False,
) -> tuple[list[sa.Row[Any]], int | None, str | None]:
    """The rows of one page.

    Args:
        connection: any.
        collection: the noun.
        ask: the request.
        columns: what to select.
        more: conditions that are not in the request.
        with_total: count everything that matches too.

    Returns:
        The rows, the total (None when not asked for), the next scroll id (None when not scrolling).
    """
    plain = collection
    collection = replace(collection, many=Common(connection))
    where = [*conditions(collection, ask), *(more or [])]
    offset, limit, scroll = page(ask)
    wanted = ids(connection, collection, ask, where, offset, limit)
    if wanted is None:
        statement = sa.select(*columns).where(*where).order_by(*ordering(collection, ask))
        rows = list(connection.execute(statement.offset(offset).limit(limit)))
    else:
        table = collection.table
        picked = sa.select(*columns, table.c.id.label("walked")).where(table.c.id.in_(wanted))
        found = {row.walked: row for row in connection.execute(picked)}
        rows = [found[id] for id in wanted]
    total = None
    if with_total and len(rows) < limit and (rows or not offset):
        # The last page says it.
        total = offset + len(rows)
    elif with_total and not more:
        total = by_difference(connection, plain, ask, constraints(plain, ask))
    if with_total and total is None:
        own = {*plain.columns, "system_tags"}
        simple = own.issuperset(constraints(plain, ask)) and not (ask.search_text or ask.filters)
        where = [*conditions(replace(plain, counting=simple), ask), *(more or [])]
        total = connection.execute(
            sa.select(sa.func.count()).select_from(collection.table).where(*where)
        ).scalar_one()
    return rows, total, scroll


def tagged(owner: sa.Column[Any], tag: str) -> ColumnElement[bool]:
    """True where a document has a system tag."""
    return FacetField(owner, "system_tags").has([tag])


__all__ = ["conditions", "facet", "ordering", "page", "run", "tagged"]
