"""Secrets that this process knows by value: its own credentials, what it was given under the name of a secret, and the
environment variables of such a name. They are masked wherever they appear."""

import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping

from trialbook.capture.secret_names import names_the_value

MASK = "********"
SHORTEST_REMEMBERED = 6
SHORTEST_VARIABLE = 8
"""A variable's value of fewer letters would be found in ordinary words."""
_SHORTEST_WORD = 16
"""Letters alone (``DB_PASSWORD=postgres``) are a word that is printed for other reasons, unless they are many."""
_SHORTEST_WRAPPED = 16
_SHORTEST_PART = 8
_LOOKS_AGAIN = 0.25
"""Seconds until a variable that was given another value is noticed; a new one is noticed at once."""
_MOST_VARIABLES = 200
# Names that look like one of a secret and belong to every shell.
_OF_A_SHELL = frozenset({"PWD", "OLDPWD"})
# What may stand between a value that goes on in the next line and the end of its own: blanks, a table's border, a "\".
_REST_OF_LINE = re.compile(r"[ \t\r\\│┃║|\"']*(?:\n|\Z)")
_HEAD_OF_LINE = re.compile(r"(?:\A|\n)[ \t│┃║|\"'+]*\Z")

_remembered: dict[str, list[str]] = {}


class _Variables:
    """The values of the environment's secrets, kept up to date at the cost of a length and a clock.

    A value that was a secret once stays one, when its variable is gone.
    """

    def __init__(self) -> None:
        self.forms: dict[str, list[str]] = {}
        self._count = -1
        self._looked = -_LOOKS_AGAIN

    def look(self, environment: Mapping[str, str]) -> None:
        now = time.monotonic()
        if len(environment) == self._count and now - self._looked < _LOOKS_AGAIN:
            return
        self._count, self._looked = len(environment), now
        found = {
            part: _forms(part)
            for name in list(environment)
            if name not in _OF_A_SHELL and names_the_value(name)
            for part in _parts(environment.get(name, ""))
            if part not in self.forms
        }
        if found:
            # A new dictionary: another thread may be going through the old one.
            every = {**self.forms, **found}
            self.forms = dict(list(every.items())[-_MOST_VARIABLES:])


_variables = _Variables()


def remember(value: object) -> None:
    """Mask this value wherever it appears from now on in this process; short texts and other types are ignored."""
    if isinstance(value, str) and len(value) >= SHORTEST_REMEMBERED and value not in _remembered:
        _remembered[value] = _forms(value)


def hide(text: str) -> str:
    """The text without the values that this process knows, however they are written."""
    for _, forms in _known():
        for form in forms:
            if form in text:
                text = text.replace(form, MASK)
    return text


def hide_wrapped(text: str) -> str:
    """The text without the parts of a known value that was broken at the end of a line.

    Lines come one by one, so each is looked at by itself: does it end as a value begins, or begin as one ends?

    Example:
        >>> remember("0123456789abcdefghij")
        >>> hide_wrapped("the key is 0123456789\\n  abcdefghij, or so")
        'the key is ********\\n  ********, or so'
    """
    for value, _ in _known():
        if len(value) >= _SHORTEST_WRAPPED:
            if value[:_SHORTEST_PART] in text:
                text = "".join(_without_beginnings(text, value))
            if value[-_SHORTEST_PART:] in text:
                text = "".join(_without_endings(text, value))
    return text


def _known() -> Iterable[tuple[str, list[str]]]:
    _variables.look(os.environ)
    return (*_remembered.items(), *_variables.forms.items())


def _without_beginnings(text: str, value: str) -> Iterator[str]:
    at = 0
    while (start := text.find(value[:_SHORTEST_PART], at)) >= 0:
        size = _SHORTEST_PART
        while size < len(value) and text[start + size : start + size + 1] == value[size]:
            size += 1
        end = start + size
        yield text[at:start]
        yield MASK if _REST_OF_LINE.match(text, end) else text[start:end]
        at = end
    yield text[at:]


def _without_endings(text: str, value: str) -> Iterator[str]:
    at = 0
    while (start := text.find(value[-_SHORTEST_PART:], at)) >= 0:
        end, size = start + _SHORTEST_PART, _SHORTEST_PART
        while size < len(value) and start > at and text[start - 1] == value[-size - 1]:
            start, size = start - 1, size + 1
        yield text[at:start]
        yield MASK if _HEAD_OF_LINE.search(text[max(0, start - 100) : start]) else text[start:end]
        at = end
    yield text[at:]


def _parts(value: str) -> list[str]:
    """What of a variable's value is masked: nothing of a word, a path or an address; each line of a key in several."""
    lines = (
        [line for line in value.split("\n") if len(line) >= _SHORTEST_WORD]
        if "\n" in value
        else [value.strip()]
    )
    return [
        line
        for line in lines
        if len(line) >= SHORTEST_VARIABLE
        and not line.startswith("-----")
        and "://" not in line
        and not (len(line) < _SHORTEST_WORD and line.isalpha())
        and not line.startswith(("~/", "./", "../"))
        and not (line.startswith(("/", "\\")) and os.access(line, os.F_OK))
    ]


def _forms(value: str) -> list[str]:
    """In every way of writing; the longest first: what holds another form of itself goes as a whole."""
    from trialbook.capture.secret_forms import written_forms

    return sorted(set(written_forms(value)), key=len, reverse=True)
