"""Dictionaries within dictionaries, as one level: transformers' callback takes it from here."""

from collections.abc import Mapping
from typing import Any


def flatten_dictionary(a_dict: Mapping[Any, Any], prefix: str = "", sep: str = "/") -> dict[str, Any]:
    """One level of names for all levels.

    Args:
        a_dict: dictionaries within it become part of the name; an empty one stays a value.
        prefix: put before each name.
        sep: between the levels.

    Example:
        >>> flatten_dictionary({"a": {"b": 1, "c": {}}, 2: [3]})
        {'a/b': 1, 'a/c': {}, '2': [3]}
    """
    flat: dict[str, Any] = {}
    for key, value in a_dict.items():
        if isinstance(value, Mapping) and value:
            flat.update(flatten_dictionary(value, f"{prefix}{key}{sep}", sep))
        else:
            flat[f"{prefix}{key}"] = value
    return flat
