"""JSON as other clients write it, with nothing in it that a database cannot hold."""

from __future__ import annotations

import json
from typing import Any

_TOO_DEEP = "it is nested too deep"


def parse(text: bytes) -> Any:
    """The value of a JSON text; NaN and Infinity are numbers, as Python's own writer leaves them.

    Args:
        text: UTF-8. Lone surrogates, which Python's parser takes escaped and as bytes, become U+FFFD.

    Raises:
        ValueError: no JSON, or nested too deep.
    """
    try:
        return cleaned(json.loads(text))
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def cleaned(value: Any) -> Any:
    """The same value without what a database cannot hold: zero characters and lone surrogates in texts.

    Raises:
        ValueError: nested too deep; a parser may have gone deeper than this can.
    """
    try:
        return _cleaned(value)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        if value.isascii() and "\x00" not in value:
            return value
        return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    return value
