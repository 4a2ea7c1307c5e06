"""JSON as other clients write it, with nothing in it that a database cannot hold."""

from __future__ import annotations

import json
from typing import Any

from trialbook.base.unicode import readable, storable
from trialbook.server.core import limits

_TOO_DEEP = "it is nested too deep"
_CONTENT = limits.CONTENT - limits.ADDRESSES


def parse(text: bytes) -> Any:
    """The value of a JSON text; NaN and Infinity are numbers, as Python's own writer leaves them.

    Args:
        text: UTF-8. Lone surrogates, which Python's parser takes escaped and as bytes, are cleaned.

    Raises:
        ValueError: no JSON, or nested too deep.
    """
    try:
        return cleaned(json.loads(text))
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def cleaned(value: Any) -> Any:
    """The same value without what a database cannot hold: zero characters and lone surrogates in texts.

    Names, and all that is found by its text, get escapes, so that what was different stays different and who asks with
    the same name finds it. What people and programs write gets U+FFFD, a sign of the same width. Neither is refused: a
    released client would lose its run by it, for one file name that is not Unicode.

    Raises:
        ValueError: nested too deep; a parser may have gone deeper than this can.
    """
    try:
        return _cleaned(value, "")
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def _cleaned(value: Any, field: str) -> Any:
    if isinstance(value, str):
        return readable(value) if field in _CONTENT else storable(value)
    if isinstance(value, dict):
        return {storable(key): _cleaned(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_cleaned(item, field) for item in value]
    return value
