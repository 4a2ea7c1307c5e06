"""Values of command lines as they are recorded, and texts as libraries take them."""

import ast
from collections.abc import Mapping
from enum import Enum
from os import PathLike, fspath
from typing import Any


def plain(value: Any) -> Any:
    """The value made of what has a literal: open files and paths become their names, objects their text.

    Example:
        >>> from pathlib import Path
        >>> plain((Path("a"), 1))
        ('a', 1)
    """
    if value is None or isinstance(value, (bool, int, float, str, Enum)):
        return value
    if isinstance(value, PathLike):
        return str(fspath(value))
    if isinstance(value, (list, tuple)):
        items = [plain(item) for item in value]
        return items if isinstance(value, list) else tuple(items)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    name = getattr(value, "name", None)
    return name if isinstance(name, str) and hasattr(value, "read") else str(value)


def items(text: str) -> list[Any]:
    """The items of a stored list; a text that is none is its only item.

    Example:
        >>> items("('a', 'b')"), items("[1, 2]"), items("a")
        (['a', 'b'], [1, 2], ['a'])
    """
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return [text]
    return list(value) if isinstance(value, (list, tuple, set)) else [text]
