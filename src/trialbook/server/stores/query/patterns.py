"""Patterns of clients in SQL. Most are a literal that went through ``re.escape``: those become an equality."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement

from trialbook.server.core.patterns import program, quoted, translated

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
        BadPattern: it is not valid, or cannot be said; whichever database will look for it.
    """
    program(pattern)
    return pattern


def contains(column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    """True where the text is anywhere in the column, whatever the case."""
    if text.isascii():
        return sa.cast(column, sa.Text).icontains(text, autoescape=True)
    # SQLite's own functions know the case of ASCII letters only.
    return matches(column, quoted(text), ignore_case=True)


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
    flagged = check(f"(?i){pattern}" if ignore_case else pattern)
    return sa.cast(column, sa.Text).regexp_match(sa.bindparam(None, flagged, type_=_PatternText()))


class _PatternText(sa.types.TypeDecorator[str]):
    """A pattern on its way to the database: SQLite hands it to our function, PostgreSQL has words of its own."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return translated(value) if value is not None and dialect.name == "postgresql" else value
