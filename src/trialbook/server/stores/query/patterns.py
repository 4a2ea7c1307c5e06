"""Regular expressions of clients. Most are a literal that went through ``re.escape``: those become an equality."""

import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement

from trialbook.errors import BadPattern

_SPECIAL = frozenset(".^$*+?{}[]|()")


def literal(pattern: str) -> str | None:
    """The text that ``^…$`` stands for when nothing in between is special; else None."""
    if len(pattern) < 2 or not pattern.startswith("^") or not pattern.endswith("$"):
        return None
    body = pattern[1:-1]
    result: list[str] = []
    escaped = False
    for letter in body:
        if escaped:
            if letter.isalnum():
                return None
            result.append(letter)
            escaped = False
        elif letter == "\\":
            escaped = True
        elif letter in _SPECIAL:
            return None
        else:
            result.append(letter)
    return None if escaped else "".join(result)


def check(pattern: str) -> str:
    """The pattern itself.

    Raises:
        BadPattern: it does not compile.
    """
    try:
        re.compile(pattern)
    except re.error as error:
        raise BadPattern(
            f"the regular expression {pattern!r} is not valid: {error}", pattern=pattern
        ) from None
    except (RecursionError, OverflowError):
        raise BadPattern("the regular expression is too complex", pattern=pattern[:200]) from None
    return pattern


def contains(column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    """True where the text is anywhere in the column, whatever the case."""
    if text.isascii():
        return sa.cast(column, sa.Text).icontains(text, autoescape=True)
    # SQLite's own functions know the case of ASCII letters only.
    return matches(column, re.escape(text), ignore_case=True)


def folded(text: str) -> str:
    """The text without case, as ``search_text`` compares it."""
    return text.lower()


class position(sa.sql.functions.GenericFunction[int]):
    """Where a text begins in another, from 1; 0 when it is not in there."""

    type = sa.Integer()
    inherit_cache = True


@compiles(position, "sqlite")
def _instr(element: Any, compiler: Any, **options: Any) -> str:
    return f"instr({compiler.process(element.clauses, **options)})"


@compiles(position, "postgresql")
def _strpos(element: Any, compiler: Any, **options: Any) -> str:
    return f"strpos({compiler.process(element.clauses, **options)})"


def matches(column: ColumnElement[Any], pattern: str, *, ignore_case: bool = False) -> ColumnElement[bool]:
    """True where the pattern is found anywhere in the column."""
    check(pattern)
    # Both databases understand the flag in front of the pattern.
    flagged = f"(?i){pattern}" if ignore_case and not pattern.startswith("(?i)") else pattern
    return sa.cast(column, sa.Text).regexp_match(flagged)
