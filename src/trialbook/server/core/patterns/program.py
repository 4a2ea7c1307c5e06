r"""A pattern that runs in RE2: in time linear in the text, and without the interpreter's lock.

RE2's ``\b`` knows the letters of ASCII only, and RE2 has no look-around to say it otherwise. So a text beyond ASCII is
written in another alphabet first: characters that the pattern cannot tell apart become one byte, which is a letter of
ASCII when they are letters. There RE2's ``\b`` stands where Unicode's does.
"""

from __future__ import annotations

import string
from bisect import bisect_right
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import Any

from trialbook.errors import BadPattern
from trialbook.server.core.patterns import charsets
from trialbook.server.core.patterns.charsets import Ranges
from trialbook.server.core.patterns.grammar import Chars, Choice, Node, Repeat, Sequence, Spot, parse

_MEMORY = 4 << 20
_STEPS = 2_000_000_000
"""What one look at a text may cost, in steps of the program times letters: a few seconds where RE2 goes step by step.
Linear in the text is still long when the program has 100 000 steps and the line a million letters."""
SECONDS = 20.0
"""How long a call may look for a pattern of a user, in all the texts together."""
_SPECIAL = frozenset(r"\.^$*+?{}[]|()")
_LETTERS = (string.ascii_letters + string.digits + "_").encode()
_OTHERS = bytes(sorted(set(range(256)) - set(_LETTERS) - {10}))
_SPOTS = {
    "begin": r"\A",
    "end": r"\z",
    "line_begin": "(?m:^)",
    "line_end": "(?m:$)",
    "word": r"\b",
    "inside": r"\B",
}


class Program:
    """A pattern, ready to be looked for.

    Args:
        pattern: RE2's grammar, ``\\w \\d \\s \\b`` as in Python; found anywhere, case counts unless it says ``(?i)``.

    Raises:
        BadPattern: it is not valid, or cannot be said; the message says why.

    Example:
        >>> program(r"\\bété\\b").search("un été chaud")
        True
    """

    def __init__(self, pattern: str) -> None:
        tree = parse(pattern)
        self._pattern, self._tree = pattern[:200], tree
        self._plain = _compiled(_written(tree, _ranges), pattern, latin=False)
        self._edges = _has_edges(tree)
        self._alphabet: _Alphabet | None = None
        if self._edges:
            self._code(pattern)

    def search(self, text: str) -> bool:
        """Whether it is found anywhere in the text.

        Raises:
            BadPattern: the pattern is so large, and the text so long, that looking would take minutes.
        """
        dear = self._plain.programsize * len(text) > _STEPS
        if not dear and (text.isascii() or not self._edges):
            return self._plain.search(text.encode("utf-8", "replace")) is not None
        if self._alphabet is None:
            # There a class of letters is one step, not hundreds.
            with suppress(BadPattern):
                self._code(self._pattern)
        if self._alphabet is None or self._coded.programsize * len(text) > _STEPS:
            raise BadPattern(
                f"the pattern {self._pattern!r} is too large for a text of {len(text)} characters: use lower counts",
                pattern=self._pattern,
            )
        return self._coded.search(text.translate(self._alphabet).encode("latin-1")) is not None

    def _code(self, pattern: str) -> None:
        alphabet = _Alphabet(self._tree, pattern)
        self._coded = _compiled(_written(self._tree, alphabet.letters), pattern, latin=True)
        self._alphabet = alphabet


def took_too_long() -> BadPattern:
    """What a call is told that looked for a pattern for ``SECONDS``."""
    return BadPattern(
        f"looking for the pattern took more than {SECONDS:g} s: make it simpler, or narrow the search by project, "
        "status or tags first"
    )


@lru_cache(maxsize=32)
def program(pattern: str) -> Program:
    """The pattern's program, made once; see ``Program``."""
    return Program(pattern)


def quoted(text: str) -> str:
    """A pattern that finds the text as it stands."""
    return "".join(f"\\{letter}" if letter in _SPECIAL else letter for letter in text)


class _Alphabet(dict[int, str]):
    """A table for ``str.translate``, filled as characters are met."""

    def __init__(self, tree: Node, pattern: str) -> None:
        super().__init__()
        sets = sorted({*_sets(tree), charsets.perl("w"), ((10, 10),)})
        word, newline = sets.index(charsets.perl("w")), sets.index(((10, 10),))
        turns: dict[int, list[int]] = {0: []}
        for number, ranges in enumerate(sets):
            for low, high in ranges:
                turns.setdefault(low, []).append(number)
                turns.setdefault(high + 1, []).append(number)
        given: dict[frozenset[int], int] = {}
        letters, others = iter(_LETTERS), iter(_OTHERS)
        inside: set[int] = set()
        self._starts, self._bytes = [], bytearray()
        for start in sorted(turns):
            inside ^= set(turns[start])
            kind = frozenset(inside)
            if kind not in given:
                try:
                    given[kind] = 10 if newline in kind else next(letters if word in kind else others)
                except StopIteration:
                    raise BadPattern(
                        rf"a pattern with \b can tell {len(_LETTERS)} kinds of letters apart, and "
                        f"{pattern[:200]!r} names more: leave \\b out, or name fewer",
                        pattern=pattern[:200],
                    ) from None
            self._starts.append(start)
            self._bytes.append(given[kind])
        self._given = given
        self._numbers = {ranges: number for number, ranges in enumerate(sets)}

    def __missing__(self, code: int) -> str:
        found = chr(self._bytes[bisect_right(self._starts, code) - 1])
        # What is kept stays small whatever texts come.
        if len(self) < 4_096:
            self[code] = found
        return found

    def letters(self, ranges: Ranges) -> str:
        """The bytes that stand for a set."""
        number = self._numbers[ranges]
        return _ranges(charsets.union((byte, byte) for kind, byte in self._given.items() if number in kind))


@lru_cache(maxsize=64)
def _ranges(ranges: Ranges) -> str:
    if not ranges:
        return r"[^\x00-\x{10FFFF}]"
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return f"\\x{{{ranges[0][0]:X}}}"
    return "[" + "".join(f"\\x{{{low:X}}}-\\x{{{high:X}}}" for low, high in ranges) + "]"


def _written(node: Node, chars: Callable[[Ranges], str]) -> str:
    if isinstance(node, Chars):
        return chars(node.ranges)
    if isinstance(node, Spot):
        return _SPOTS[node.kind]
    if isinstance(node, Sequence):
        return "(?:" + "".join(_written(part, chars) for part in node.parts) + ")"
    if isinstance(node, Choice):
        return "(?:" + "|".join(_written(part, chars) for part in node.parts) + ")"
    most = "" if node.most is None else node.most
    return f"(?:{_written(node.part, chars)}){{{node.least},{most}}}"


def _sets(node: Node) -> set[Ranges]:
    if isinstance(node, Chars):
        return {node.ranges}
    if isinstance(node, Repeat):
        return _sets(node.part)
    if isinstance(node, Spot):
        return set()
    return {ranges for part in node.parts for ranges in _sets(part)}


def _has_edges(node: Node) -> bool:
    if isinstance(node, Repeat):
        return _has_edges(node.part)
    if isinstance(node, (Sequence, Choice)):
        return any(_has_edges(part) for part in node.parts)
    return isinstance(node, Spot) and node.kind in ("word", "inside")


def _compiled(written: str, pattern: str, *, latin: bool) -> Any:
    # Loaded at the first pattern: most servers never see one, and programs of users load the wire without it.
    import re2

    options = re2.Options()
    options.max_mem = _MEMORY
    options.log_errors = False
    options.never_capture = True
    options.encoding = re2.Options.Encoding.LATIN1 if latin else re2.Options.Encoding.UTF8
    try:
        found = re2.compile(written.encode(), options)
    except re2.error as error:
        reason = error.args[0].decode("utf-8", "replace") if isinstance(error.args[0], bytes) else str(error)
        raise BadPattern(
            f"the pattern {pattern[:200]!r} is too large: {reason.partition(':')[0]}. Use lower counts",
            pattern=pattern[:200],
        ) from None
    # `program` keeps what is in use; RE2's own list would hold 128 more, each with its memory.
    re2.purge()
    return found
