"""List filters: ``["__$all", "a", "__$not", "b"]`` and their legacy spelling ``["-b"]``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from trialbook.errors import BadField, BadListOperator
from trialbook.server.core.limits import TESTS, check_many
from trialbook.server.stores.query.fields import FacetField, Field

LONGEST = 20_000
"""Values in one filter; above it SQLite's limit of bound variables comes near."""

_CONTEXTS: dict[str, Literal["any", "all"]] = {
    "__$all": "all",
    "__$and": "all",
    "__$any": "any",
    "__$or": "any",
}


@dataclass(frozen=True)
class Buckets:
    """A parsed list: contains one of ``any``, all of ``all``, none of ``none``; or is missing when ``null``."""

    any: tuple[str, ...] = ()
    all: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    null: bool = False
    joined_by_or: bool = False


def parse(name: str, value: Any) -> Buckets:
    """Read a list filter from left to right.

    Raises:
        BadListOperator: an operator is unknown or has nothing to work on, or a value is not a string.
        BadField: the list is too long.
    """
    items = value if isinstance(value, list) else [value]
    if len(items) > LONGEST:
        raise BadField(
            f"{name}: {len(items)} values in one filter; at most {LONGEST} are allowed: ask several times",
            field=name,
        )
    buckets: dict[str, list[str]] = {"any": [], "all": [], "none": []}
    context: Literal["any", "all"] = "any"
    null = negate = modern = False
    for item in items:
        if item is None:
            null = True
        elif not isinstance(item, str):
            raise BadListOperator(f"{name}: {item!r} is not a string", field=name)
        elif item.startswith("__$"):
            modern = True
            if negate:
                raise BadListOperator(
                    f"{name}: __$not must be followed by a value, not by {item}", field=name
                )
            if item in _CONTEXTS:
                context = _CONTEXTS[item]
            elif item == "__$not":
                negate = True
            elif item == "__$nop":
                context = "any"
            else:
                raise BadListOperator(f"{name}: unknown operator {item}", field=name)
        elif negate:
            buckets["none"].append(item)
            negate = False
        elif not modern and len(item) > 1 and item.startswith("-"):
            buckets["none"].append(item[1:])
        else:
            buckets[context].append(item)
    if negate:
        raise BadListOperator(f"{name}: __$not at the end of the list has no value", field=name)
    return Buckets(
        any=tuple(buckets["any"]),
        all=tuple(buckets["all"]),
        none=tuple(buckets["none"]),
        null=null,
        joined_by_or=bool(items) and _CONTEXTS.get(items[0] or "") == "any",
    )


def contains_none(field: Field, values: Sequence[str]) -> ColumnElement[bool]:
    """True where the field holds none of the values; a missing field holds none."""
    if isinstance(field, FacetField):
        return field.none_of(values)
    # NOT(NULL IN …) is NULL, so a missing column needs its own branch.
    return sa.or_(field.missing(), sa.not_(field.has(values)))


def condition(name: str, field: Field, value: Any) -> ColumnElement[bool] | None:
    """The filter as SQL; None when it constrains nothing."""
    buckets = parse(name, value)
    parts: list[ColumnElement[bool]] = []
    if buckets.any:
        parts.append(field.has(buckets.any))
    check_many(name, len(buckets.all), TESTS, "values that must all be there")
    if buckets.all:
        parts.append(sa.and_(*(field.has([item]) for item in buckets.all)))
    if buckets.none:
        parts.append(contains_none(field, buckets.none))
    if not parts:
        return field.missing() if buckets.null else None
    whole = sa.or_(*parts) if buckets.joined_by_or else sa.and_(*parts)
    return sa.or_(whole, field.missing()) if buckets.null else whole


def explicit(field: Field, terms: Any) -> ColumnElement[bool] | None:
    """The newer spelling: ``{"any": {"include", "exclude"}, "all": {…}, "op": "and"}``."""
    parts: list[ColumnElement[bool]] = []
    each = [*(terms.any.exclude if terms.any is not None else ()), *(terms.all.include if terms.all else ())]
    check_many("filters", len(each), TESTS, "values that are tested one by one")
    if terms.any is not None:
        include = [value for value in terms.any.include if value is not None]
        exclude = [value for value in terms.any.exclude if value is not None]
        if include or None in terms.any.include:
            branches = [field.has(include)] if include else []
            parts.append(sa.or_(*branches, *([field.missing()] if None in terms.any.include else [])))
        if exclude:
            parts.append(sa.or_(*(contains_none(field, [value]) for value in exclude)))
    if terms.all is not None:
        include = [value for value in terms.all.include if value is not None]
        exclude = [value for value in terms.all.exclude if value is not None]
        if include:
            parts.append(sa.and_(*(field.has([value]) for value in include)))
        if exclude:
            parts.append(contains_none(field, exclude))
    if not parts:
        return None
    return sa.or_(*parts) if terms.op == "or" else sa.and_(*parts)
