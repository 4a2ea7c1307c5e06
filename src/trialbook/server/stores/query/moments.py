"""Ranges and dates: ``[least, greatest]``, ``">2026-01-01T00:00:00"``."""

import re
from collections.abc import Callable
from operator import ge, gt, le, lt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from trialbook.base.clock import parse_iso
from trialbook.errors import BadField
from trialbook.server.core.limits import check_many
from trialbook.server.stores.facets import number_of
from trialbook.server.stores.query.fields import Field, Test

_OPERATOR = re.compile(r"^\s*(>=|<=|>|<)\s*(.*)$", re.DOTALL)
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {">=": ge, "<=": le, ">": gt, "<": lt}

MOMENTS = 8
"""Dates of one field: a beginning, an end, and room."""


def moment(value: Any) -> float | None:
    """Seconds since the epoch from ISO text or a number; None when it is neither."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    try:
        return parse_iso(value)
    except (ValueError, AttributeError, OverflowError):
        return None


def _compared(value: str) -> Test | None:
    found = _OPERATOR.match(value)
    sign, text = (found[1], found[2]) if found else ("", value)
    seconds = moment(text)
    if seconds is None:
        return None
    if not sign:
        return lambda column: column == seconds
    compare = _COMPARE[sign]
    return lambda column: compare(column, seconds)


def dates(field: Field, value: Any) -> list[ColumnElement[bool]]:
    """A date filter; what cannot be read as a date constrains nothing."""
    items = value if isinstance(value, list) else [value]
    check_many("datetime", len(items), MOMENTS, "dates")
    plain = not any(isinstance(item, str) and _OPERATOR.match(item) for item in items)
    if len(items) == 2 and plain:
        return between(field, [None if item is None else moment(item) for item in items])
    tests = [_compared(item) for item in items if isinstance(item, str)]
    return [field.test(test) for test in tests if test is not None]


def numbers(name: str, field: Field, value: Any) -> list[ColumnElement[bool]]:
    """A range of numbers; texts that hold a number are converted.

    Raises:
        BadField: the range does not have two ends, or an end is not a number.
    """
    if not isinstance(value, list):
        value = [value, value]
    if len(value) != 2:
        raise BadField(f"{name}: a range has two ends, this one {len(value)}", field=name)
    ends: list[float | None] = []
    for item in value:
        end = number_of(item) if isinstance(item, str) else item
        if item is not None and (end is None or isinstance(end, bool) or not isinstance(end, int | float)):
            raise BadField(f"{name}: {item!r} is not a number", field=name)
        ends.append(end)
    return between(field, ends)


def between(field: Field, ends: list[float | None]) -> list[ColumnElement[bool]]:
    """Both ends inclusive; without a lower end a missing value is below everything."""
    low, high = ends
    if low is not None and high is not None:
        # One test for both, so that an index is walked from one to the other.
        return [field.number(lambda column: column.between(low, high))]
    found: list[ColumnElement[bool]] = []
    if low is not None:
        found.append(field.number(lambda column: column >= low))
    if high is not None:
        below = field.number(lambda column: column <= high)
        found.append(sa.or_(below, field.missing()) if low is None else below)
    return found
