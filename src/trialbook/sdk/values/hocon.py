"""A dictionary as HOCON text that people can edit, and back."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from trialbook.client.settings.reader import where

_PLAIN = re.compile(r"^[A-Za-z_][A-Za-z0-9_-]*$")


def dump(values: Mapping[Any, Any], indent: int = 0) -> str:
    """The text: one ``key = value`` a line, nested levels in braces; every JSON value is valid in it.

    Example:
        >>> print(dump({"a": 1, "b": {"c": "x"}}))
        a = 1
        b {
          c = "x"
        }
    """
    margin = "  " * indent
    lines = []
    for key, value in values.items():
        name = str(key) if _PLAIN.match(str(key)) else json.dumps(str(key), ensure_ascii=False)
        if isinstance(value, Mapping):
            inner = dump(value, indent + 1)
            lines.append(f"{margin}{name} {{\n{inner}\n{margin}}}" if inner else f"{margin}{name} {{}}")
        else:
            lines.append(f"{margin}{name} = {json.dumps(_plain(value), ensure_ascii=False)}")
    return "\n".join(lines)


def dump_list(values: Sequence[Any]) -> str:
    """The text of a list: JSON, an item a line."""
    return json.dumps(_plain(values), ensure_ascii=False, indent=2)


def load(text: str) -> dict[str, Any]:
    """The dictionary of a HOCON or JSON text.

    Raises:
        ValueError: it is neither.
    """
    value = load_any(text)
    if not isinstance(value, dict):
        raise ValueError("the text holds no dictionary")
    return value


def load_any(text: str) -> "dict[str, Any] | list[Any]":
    """The dictionary or the list of a HOCON or JSON text.

    Raises:
        ValueError: it is neither.
    """
    from pyhocon import ConfigFactory
    from pyhocon.exceptions import ConfigException
    from pyparsing import ParseBaseException

    try:
        value = json.loads(text)
    except ValueError:
        try:
            found = ConfigFactory.parse_string(text)
            value = found if isinstance(found, list) else found.as_plain_ordered_dict()
        except ParseBaseException as error:
            raise ValueError(f"neither HOCON nor JSON: {where(error)}") from error
        except ConfigException as error:
            raise ValueError(f"neither HOCON nor JSON: {error}") from error
    if not isinstance(value, (dict, list)):
        raise ValueError("the text holds neither a dictionary nor a list")
    plain: dict[str, Any] | list[Any] = _unquoted(value)
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple, set)):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):
        return value.tolist()
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return str(value)


def _unquoted(value: Any) -> Any:
    # pyhocon keeps the quotes of a quoted key.
    if isinstance(value, dict):
        return {
            (key[1:-1] if len(key) > 1 and key[0] == key[-1] == '"' else key): _unquoted(item)
            for key, item in value.items()
        }
    return [_unquoted(item) for item in value] if isinstance(value, list) else value
