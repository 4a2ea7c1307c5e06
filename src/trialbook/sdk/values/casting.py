"""Parameters between Python values and the text that is stored, in the type that the code expects."""

import json
import logging
from collections import deque
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from enum import Enum, Flag
from functools import cache
from pathlib import PurePath
from typing import Any

from trialbook.base.guard import guard
from trialbook.sdk.values import arrays, literals

_log = logging.getLogger("trialbook")
_TRUE = frozenset({"true", "yes", "on"})
_FALSE = frozenset({"false", "no", "off", ""})
_SEQUENCES = (list, tuple, set, frozenset, deque)
_MOMENTS = (datetime, date, time)
_EXAMPLES: dict[str, Any] = {
    **{"int": 0, "float": 0.0, "bool": False, "complex": 0j, "bytes": b""},
    **{"list": [], "tuple": (), "dict": {}, "set": set(), "frozenset": frozenset()},
}


@cache
def _read_by_themselves() -> tuple[type[Any], ...]:
    """Types that read their own text; the import of Task does not wait for them."""
    from decimal import Decimal
    from fractions import Fraction
    from uuid import UUID

    return PurePath, Decimal, Fraction, UUID


class Reference(str):
    """A text that stands for a value that is found elsewhere, as ``${rate}`` of OmegaConf.

    Attributes:
        example: the value that it stands for now; None when there is none.
    """

    example: Any = None


def text_of(value: Any) -> str:
    """The stored text of a value: lists, tuples and dicts in JSON where it can hold them, otherwise as Python does.

    Example:
        >>> text_of((1, 2)), text_of([True, None]), text_of({2, 1}), text_of(None)
        ('[1, 2]', '[true, null]', '{1, 2}', '')
    """
    with guard("parameters.text"):
        return _text(value)
    return f"<{type(value).__name__}>"


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Enum):
        return str(value.value) if isinstance(value, str) or value.name is None else value.name
    if isinstance(value, str):
        return str(value)
    value = _plain(value)
    if isinstance(value, (list, tuple, dict)) and _fits_json(value):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, (*_SEQUENCES, dict)):
        return _written(value)
    return str(value)


def _plain(value: Any) -> Any:
    """The value without arrays and types that are read from a text."""
    if arrays.is_array(value):
        return arrays.plain(value)
    if isinstance(value, Enum):
        return text_of(value)
    if isinstance(value, (*_read_by_themselves(), *_MOMENTS, timedelta)):
        return str(value)
    if isinstance(value, Mapping) and hasattr(value, "items"):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, deque)):
        return [_plain(item) for item in value]
    if isinstance(value, tuple):
        return tuple(_plain(item) for item in value)
    if isinstance(value, (set, frozenset)):
        return type(value)(_plain(item) for item in value)
    return value


def _fits_json(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _fits_json(item) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return all(_fits_json(item) for item in value)
    return value is None or isinstance(value, (bool, int, float, str))


def _written(value: Any) -> str:
    """As Python writes it, but sets in an order that does not change from run to run."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_written(key)}: {_written(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_written, value)) + "]"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(_written, value)) + ("," if len(value) == 1 else "") + ")"
    if isinstance(value, (set, frozenset)):
        inner = "{" + ", ".join(sorted(map(_written, value), key=lambda text: (len(text), text))) + "}"
        if isinstance(value, frozenset):
            return f"frozenset({inner})" if value else "frozenset()"
        return inner if value else "set()"
    return repr(value)


def type_of(value: Any) -> str:
    """The name of its type, as it is stored beside the text: ``list/int`` when all its items are of one type."""
    if value is None or (isinstance(value, Reference) and value.example is None):
        return ""
    if isinstance(value, Reference):
        return type_of(value.example)
    name = type(value).__name__
    if isinstance(value, (list, tuple, dict)) and value:
        kinds = {type(item) for item in (value.values() if isinstance(value, dict) else value)}
        if len(kinds) == 1:
            return f"{name}/{kinds.pop().__name__}"
    return name


def describe(value: Any) -> str:
    """For an enumeration: the names that are allowed."""
    if isinstance(value, Enum):
        return "one of " + ", ".join(type(value).__members__)
    return ""


def cast(text: str, example: Any, stored_type: str = "") -> Any:
    """The stored text as a value of the type that the code uses.

    Args:
        text: as stored.
        example: the value in the code, which names the type.
        stored_type: used when ``example`` is None.

    Returns:
        The value; ``example`` itself, with a warning, when the text cannot be read as its type.

    Example:
        >>> cast("16", 8), cast("0.5", 8), cast("false", True), cast("123", "adam")
        (16, 0.5, False, '123')
    """
    try:
        return _cast(text, example, stored_type)
    except (ValueError, SyntaxError, TypeError, KeyError, ArithmeticError):
        shown = repr(text if len(text) < 200 else f"{text[:200]}…")
        _log.warning(
            "the parameter value %s is not of type %s; the value in the code is used",
            shown,
            type(example).__name__,
        )
        return example


def _cast(text: str, example: Any, stored_type: str) -> Any:
    if isinstance(example, Reference):
        if text.startswith("${") or text == "???":
            return text
        return _cast(text, example.example, "") if example.example is not None else _guessed(text)
    if isinstance(example, str):
        return convert(text, example)
    if text == "":
        # Without a type, or with that of numbers, an empty string says that there is no value.
        return "" if example is None and stored_type == "str" else None
    return _untyped(text, stored_type) if example is None else convert(text, example)


def convert(text: str, example: Any) -> Any:
    """The text as a value of the example's type.

    Raises:
        ValueError: it cannot be read so; also TypeError, KeyError and ArithmeticError of the type itself.
    """
    if isinstance(example, Enum):
        return _member(text, example)
    if arrays.is_array(example):
        return arrays.read(text, example)
    if isinstance(example, str):
        return text
    if isinstance(example, bool):
        return _boolean(text)
    if isinstance(example, int):
        number = float(text) if any(mark in text.lower() for mark in ".en") else int(text)
        return (
            int(number) if isinstance(number, float) and number.is_integer() and "." not in text else number
        )
    if isinstance(example, (float, complex)):
        return type(example)(text.replace(" ", ""))
    if isinstance(example, _read_by_themselves()):
        return type(example)(text)
    if isinstance(example, _MOMENTS):
        return type(example).fromisoformat(text)
    if isinstance(example, timedelta):
        return _span(text)
    if isinstance(example, (*_SEQUENCES, dict)):
        value = literals.read(text) if isinstance(example, dict) else _items(text)
        return like(value, example)
    if isinstance(example, (bytes, bytearray, range)):
        value = literals.read(text)
        if isinstance(value, (bytes, bytearray, range)):
            return type(example)(value) if not isinstance(example, range) else value
    raise ValueError(f"a {type(example).__name__} cannot be read from a string")


def _member(text: str, example: Any) -> Any:
    kind = type(example)
    # A member that is a text is stored by its value, which may be another one's name.
    if isinstance(example, str) and text in (member.value for member in kind):
        return kind(text)
    if text in kind.__members__:
        return kind[text]
    if isinstance(example, Flag) and "|" in text:
        found = kind(0)
        for name in text.split("|"):
            found |= kind[name.strip()]
        return found
    return kind(convert(text, example.value))


def _items(text: str) -> Any:
    try:
        value = literals.read(text)
    except ValueError:
        if text.lstrip()[:1] in "[({":
            raise
        value = text
    return value if isinstance(value, (*_SEQUENCES, range)) else [value]


def like(value: Any, example: Any) -> Any:
    """What was read, in the types of the example: its sequence, its keys, and its items where they are of one type."""
    if value is None or example is None:
        return value
    if isinstance(example, dict):
        if not isinstance(value, dict):
            raise ValueError("not a dict")
        common = _common(list(example.values()))
        return {key: like(item, example.get(key, common)) for key, item in value.items()}
    if isinstance(example, _SEQUENCES):
        if not isinstance(value, (*_SEQUENCES, range)):
            return value
        return _sequence(list(value), example)
    if isinstance(example, Enum):
        return value if isinstance(value, Enum) else convert(str(value), example)
    if isinstance(example, str):
        return str(value) if isinstance(value, (bool, int, float)) else value
    if isinstance(value, str):
        return convert(value, example)
    if isinstance(example, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def _sequence(items: list[Any], example: Any) -> Any:
    before = list(example)
    if isinstance(example, (list, tuple, deque)) and len(before) == len(items):
        made = [like(item, known) for item, known in zip(items, before, strict=True)]
    else:
        common = _common(before)
        made = [like(item, common) for item in items]
    if isinstance(example, deque):
        return type(example)(made, example.maxlen)
    if isinstance(example, tuple) and hasattr(example, "_make"):
        return example._make(made)
    return type(example)(made)


def _common(items: list[Any]) -> Any:
    """One of the items when all are of one type, otherwise None."""
    return items[0] if items and len({type(item) for item in items}) == 1 else None


def _boolean(text: str) -> bool:
    lowered = text.strip().lower()
    if lowered in _TRUE:
        return True
    if lowered in _FALSE:
        return False
    return float(lowered) != 0


def _span(text: str) -> timedelta:
    """A timedelta as ``str`` writes it, ``-1 day, 23:59:59.5``; or seconds."""
    days, comma, clock = text.rpartition(",")
    hours, minutes, seconds = ("0:0:" + clock.strip()).split(":")[-3:]
    from decimal import Decimal

    return timedelta(
        days=int(days.split()[0]) if comma else 0,
        hours=int(hours),
        minutes=int(minutes),
        # As a whole number of microseconds: the sum of floats would be rounded.
        microseconds=int(Decimal(seconds) * 1_000_000),
    )


def _guessed(text: str) -> Any:
    try:
        return literals.read(text)
    except ValueError:
        return text


def _untyped(text: str, stored_type: str) -> Any:
    kind = stored_type.partition("/")[0]
    return convert(text, _EXAMPLES[kind]) if kind in _EXAMPLES else text
