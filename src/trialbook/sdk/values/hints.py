"""What type a field without a value wants: read from the annotations of its class."""

import types
import typing
from enum import Enum
from pathlib import PurePath
from typing import Any, Literal, Union

_EMPTY = (bool, int, float, complex, str, bytes, list, tuple, set, frozenset, dict)


def example_of(owner: Any, name: str) -> Any:
    """An empty value of the type that a field is declared with; None where it says nothing.

    Args:
        owner: a class or an object of it.
        name: of the field.
    """
    try:
        hints = typing.get_type_hints(owner if isinstance(owner, type) else type(owner))
    except (NameError, TypeError, AttributeError, SyntaxError):
        return None
    return _example(hints.get(name))


def _example(hint: Any) -> Any:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        found = [_example(one) for one in inner if one is not type(None)]
        return next((one for one in found if one is not None), None)
    if origin is Literal:
        return inner[0]
    if origin in (typing.Annotated, typing.Final, typing.ClassVar):
        return _example(inner[0])
    kind = origin or hint
    if not isinstance(kind, type):
        return None
    if issubclass(kind, Enum):
        return next(iter(kind), None)
    if issubclass(kind, PurePath):
        return kind()
    return kind() if kind in _EMPTY else None
