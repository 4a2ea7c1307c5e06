"""Sets of characters as ranges of code points, so that every engine is told the same characters."""

from __future__ import annotations

import sys
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable
from functools import cache, lru_cache

Ranges = tuple[tuple[int, int], ...]
"""Sorted ranges, both ends included, that neither overlap nor touch."""

EVERY: Ranges = ((0, 0xD7FF), (0xE000, sys.maxunicode))
"""All characters; surrogates are none."""

_ASCII_CLASSES = {
    "alnum": "09AZaz",
    "alpha": "AZaz",
    "ascii": "\x00\x7f",
    "blank": "\t\t  ",
    "cntrl": "\x00\x1f\x7f\x7f",
    "digit": "09",
    "graph": "!~",
    "lower": "az",
    "print": " ~",
    "punct": "!/:@[`{~",
    "space": "\t\r  ",
    "upper": "AZ",
    "word": "09AZ__az",
    "xdigit": "09AFaf",
}


def union(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """One set out of ranges in any order."""
    found: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if found and low <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return tuple(found)


@lru_cache(maxsize=256)
def without(ranges: Ranges) -> Ranges:
    """All other characters."""
    found: list[tuple[int, int]] = []
    for start, end in EVERY:
        at = start
        for low, high in ranges:
            if high < at or low > end:
                continue
            if low > at:
                found.append((at, low - 1))
            at = high + 1
        if at <= end:
            found.append((at, end))
    return tuple(found)


def holds(ranges: Ranges, letter: int) -> bool:
    """Whether a character is in the set."""
    at = bisect_right(ranges, (letter, sys.maxunicode)) - 1
    return at >= 0 and ranges[at][1] >= letter


def posix(name: str) -> Ranges | None:
    """``[:name:]``, which means ASCII; None when there is no such class."""
    ends = _ASCII_CLASSES.get(name)
    return (
        None if ends is None else tuple((ord(a), ord(b)) for a, b in zip(ends[::2], ends[1::2], strict=True))
    )


def _where(test: Callable[[str], bool]) -> Ranges:
    found: list[tuple[int, int]] = []
    start = -1
    for code in range(sys.maxunicode + 2):
        inside = code <= sys.maxunicode and not 0xD800 <= code <= 0xDFFF and test(chr(code))
        if inside and start < 0:
            start = code
        elif not inside and start >= 0:
            found.append((start, code - 1))
            start = -1
    return tuple(found)


@cache
def perl(letter: str) -> Ranges:
    r"""``\w``, ``\d`` or ``\s`` as Python understands them."""
    if letter == "w":
        return union([*_where(str.isalnum), (ord("_"), ord("_"))])
    return _where(str.isdecimal if letter == "d" else str.isspace)


@cache
def _categories() -> dict[str, Ranges]:
    found: dict[str, list[tuple[int, int]]] = {}
    start, name = 0, unicodedata.category("\x00")
    for code in range(1, sys.maxunicode + 2):
        other = unicodedata.category(chr(code)) if code <= sys.maxunicode else ""
        if other != name:
            # Surrogates are a category of their own, and no characters.
            if name != "Cs":
                found.setdefault(name, []).append((start, code - 1))
            start, name = code, other
    return {name: tuple(ranges) for name, ranges in found.items()}


@lru_cache(maxsize=64)
def category(name: str) -> Ranges | None:
    r"""``\p{name}``: a general category such as ``L`` or ``Lu``; None when there is none of this name."""
    parts = [ranges for word, ranges in _categories().items() if name in (word, word[0])]
    return union(one for ranges in parts for one in ranges) if parts else None


@cache
def _alike() -> dict[int, frozenset[int]]:
    """For each letter that has cases, all that are equal to it whatever the case."""
    groups: dict[int, set[int]] = {}
    for code in range(0x20000):
        letter = chr(code)
        # A dotless i has the capital of another letter.
        if code == 0x131:
            continue
        for other in (letter.lower(), letter.upper(), letter.casefold()):
            if other != letter and len(other) == 1:
                mine = groups.setdefault(code, {code})
                theirs = groups.setdefault(ord(other), {ord(other)})
                if mine is not theirs:
                    mine |= theirs
                    for one in theirs:
                        groups[one] = mine
    return {code: frozenset(group) for code, group in groups.items()}


@lru_cache(maxsize=256)
def any_case(ranges: Ranges) -> Ranges:
    """The set and what differs from a member in its case only."""
    more: set[int] = set()
    if sum(high - low for low, high in ranges) < 64:
        for low, high in ranges:
            for code in range(low, high + 1):
                more |= _alike().get(code, frozenset())
    else:
        for code, group in _alike().items():
            if holds(ranges, code):
                more |= group
    return union([*ranges, *((code, code) for code in more)])
