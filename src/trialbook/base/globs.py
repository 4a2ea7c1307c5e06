"""Wildcards of users (``*``, ``?``, ``[abc]``): the one place that makes them a regular expression of Python's ``re``.

What stands behind a ``*`` is looked for once and kept, so a name costs its length times the pattern's, however many
``*`` there are. (``.*a.*a.*a`` as it stands would try all their combinations.)
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import count

_FREE = count()


def fits(name: str, pattern: str) -> bool:
    """Whether the whole name fits; case counts, and ``*`` crosses slashes.

    Example:
        >>> fits("checkpoints/epoch 3.pt", "*.pt"), fits("a.PT", "*.pt")
        (True, False)
    """
    return _compiled(pattern).fullmatch(name) is not None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern))


def translate(pattern: str, *, letter: str = "(?s:.)") -> str:
    """The wildcards as a regular expression for ``fullmatch``, which may stand before an end or a text that ``letter``
    does not match.

    Args:
        pattern: the wildcards.
        letter: what ``?`` stands for, and ``*`` for any number of.
    """
    return _starred([_fixed(part, letter) for part in _between_stars(pattern)], letter)


def across_folders(pattern: str) -> str:
    """As ``translate``, where ``**/`` is any number of folders, also none. ``*`` crosses slashes as well."""
    head, pieces = _at_folders(pattern)
    parts: list[str] = []
    for number, piece in enumerate(pieces):
        mine = [_fixed(part, "(?s:.)") for part in _between_stars(piece)]
        if number:
            # One slash may be both: the end of what stands before and the begin of this.
            parts[-1] += "(?=/)"
            mine[0] = f"/{mine[0]}"
        parts += mine
    return head + _starred(parts, "(?s:.)")


def in_folders(pattern: str) -> str:
    """As ``across_folders``, where ``*`` and ``?`` stay within a name."""
    head, pieces = _at_folders(pattern)
    written = ["/".join(_name(part) for part in piece.split("/")) for piece in pieces]
    first, *others = written
    if not others:
        return head + first
    kept = "".join(_kept(f"(?:[^/]*/)*?{piece}/") for piece in others[:-1])
    return f"{head}{first}/{kept}(?:[^/]*/)*{others[-1]}"


def _at_folders(pattern: str) -> tuple[str, list[str]]:
    """What a ``**/`` at the begin stands for, and the pieces between others."""
    names = pattern.split("/")
    pieces: list[list[str]] = [[]]
    head = ""
    for number, name in enumerate(names):
        if name != "**" or number == len(names) - 1:
            pieces[-1].append(name)
        elif pieces[-1]:
            pieces.append([])
        elif len(pieces) == 1:
            head = "(?s:.*/)?"
    return head, ["/".join(piece) for piece in pieces]


def _name(part: str) -> str:
    return "(?s:.*)" if part == "**" else translate(part, letter="[^/]")


def _starred(fixed: list[str], letter: str) -> str:
    first, *others = fixed
    if not others:
        return first
    *middle, last = others
    return f"{first}{''.join(_kept(f'{letter}*?{part}') for part in middle)}{letter}*{last}"


def _kept(written: str) -> str:
    # A look-ahead that has matched is not tried another way; a group holds what it found.
    name = f"_g{next(_FREE)}"
    return f"(?=(?P<{name}>{written}))(?P={name})"


def _between_stars(pattern: str) -> list[str]:
    parts = [""]
    at = 0
    while at < len(pattern):
        end = _bracket_end(pattern, at)
        if pattern[at] != "*":
            parts[-1] += pattern[at:end]
        # The first and the last part stay, empty or not: between others an empty one is a doubled star.
        elif len(parts) == 1 or parts[-1]:
            parts.append("")
        at = end
    return parts


def _bracket_end(pattern: str, at: int) -> int:
    """Behind the bracket that begins here; behind this character when none does."""
    if pattern[at] != "[":
        return at + 1
    first = at + 2 if pattern[at + 1 : at + 2] == "!" else at + 1
    end = pattern.find("]", first + 1)
    return end + 1 if end > 0 else at + 1


def _fixed(part: str, letter: str) -> str:
    """A part without ``*``: always as many characters."""
    written = ""
    at = 0
    while at < len(part):
        end = _bracket_end(part, at)
        if part[at] == "?":
            written += letter
        elif end > at + 1:
            written += _set(part[at + 1 : end - 1], letter)
        else:
            written += re.escape(part[at])
        at = end
    return written


def _set(inner: str, letter: str) -> str:
    negated, members = inner.startswith("!"), inner.removeprefix("!")
    written = ""
    at = 0
    while at < len(members):
        low = members[at]
        if members[at + 1 : at + 2] == "-" and at + 2 < len(members):
            high = members[at + 2]
            # A range that runs backwards holds nothing.
            written += f"{re.escape(low)}-{re.escape(high)}" if low <= high else ""
            at += 3
        else:
            written += re.escape(low)
            at += 1
    found = f"[{'^' if negated else ''}{written}]" if written else ("(?s:.)" if negated else "(?!)")
    return f"(?={letter}){found}"


__all__ = ["across_folders", "fits", "in_folders", "translate"]
