"""Parameters between Python values and the text that is stored, in the type that the code expects."""

import ast
import json
import logging
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

_log = logging.getLogger("trialbook")
_TRUE = frozenset({"true", "yes", "on"})
_FALSE = frozenset({"false", "no", "off", ""})


def text_of(value: Any) -> str:
    """The stored text of a value."""
    if value is None:
        return ""
    if isinstance(value, str):
        return str(value.value) if isinstance(value, Enum) else value
    if isinstance(value, Enum):
        return value.name
    if hasattr(value, "tolist") and not isinstance(value, (bytes, bytearray)):
        value = value.tolist()
    if isinstance(value, bool) or not isinstance(value, (list, tuple, dict, set)):
        return str(value)
    return repr(value)


def type_of(value: Any) -> str:
    """The name of its type, as it is stored beside the text."""
    if value is None:
        return ""
    return type(value).__name__


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
    except (ValueError, SyntaxError, TypeError, KeyError):
        _log.warning("the parameter value %r is no %s; %r is used", text, type(example).__name__, example)
        return example


def _cast(text: str, example: Any, stored_type: str) -> Any:
    if isinstance(example, Enum):
        kind = type(example)
        return kind[text] if text in kind.__members__ else kind(convert(text, example.value))
    if isinstance(example, str):
        return text
    if text == "":
        return None
    return _untyped(text, stored_type) if example is None else convert(text, example)


def convert(text: str, example: Any) -> Any:
    """The text as a value of the example's type.

    Raises:
        ValueError: it cannot be read so; other errors of Python's literals as well.
    """
    if isinstance(example, str):
        return text
    if isinstance(example, bool):
        return _boolean(text)
    if isinstance(example, int):
        number = float(text) if any(mark in text.lower() for mark in ".en") else int(text)
        return (
            int(number) if isinstance(number, float) and number.is_integer() and "." not in text else number
        )
    if isinstance(example, float):
        return float(text)
    if isinstance(example, (list, tuple, set, dict)):
        value = _literal(text)
        return value if isinstance(example, dict) and isinstance(value, dict) else _sequence(value, example)
    if type(example).__module__ == "numpy":
        return type(example)(_literal(text))
    return text


def _sequence(value: Any, example: Any) -> Any:
    if isinstance(example, dict):
        raise ValueError("not a dict")
    if not isinstance(value, (list, tuple, set)):
        value = [value]
    return type(example)(value)


def _boolean(text: str) -> bool:
    lowered = text.strip().lower()
    if lowered in _TRUE:
        return True
    if lowered in _FALSE:
        return False
    return float(lowered) != 0


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return json.loads(text)


def _untyped(text: str, stored_type: str) -> Any:
    examples: dict[str, Any] = {"int": 0, "float": 0.0, "bool": False, "list": [], "tuple": (), "dict": {}}
    return convert(text, examples[stored_type]) if stored_type in examples else text


def flatten(values: Mapping[Any, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """``(name, value)`` for each leaf of a nested mapping; names of levels are joined with ``/``."""
    for key, value in values.items():
        name = f"{prefix}/{key}" if prefix else str(key)
        if isinstance(value, Mapping) and value:
            yield from flatten(value, name)
        else:
            yield name, value
