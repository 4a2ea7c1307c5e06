"""A pattern in the words of PostgreSQL.

Every set of characters is written out and edges of words are said by what stands around them: what ``\\w``, ``\\y`` and
the case of letters mean there depends on the locale that the database was made with.
"""

from __future__ import annotations

from functools import lru_cache

from trialbook.server.core.patterns import charsets
from trialbook.server.core.patterns.charsets import Ranges
from trialbook.server.core.patterns.grammar import Chars, Choice, Node, Sequence, Spot, parse
from trialbook.server.core.patterns.program import program

_MOST = 255
_SHORT = {(0, None): "*", (1, None): "+", (0, 1): "?"}
_SPOTS = {"begin": r"\A", "end": r"\Z", "line_begin": r"(?:\A|(?<=\n))", "line_end": r"(?:\Z|(?=\n))"}


@lru_cache(maxsize=64)
def translated(pattern: str) -> str:
    """The same pattern for PostgreSQL's operator ``~``.

    Raises:
        BadPattern: it is not valid.
    """
    # RE2 refuses large counts in counts, which would grow with each level of the text below.
    program(pattern)
    return _written(parse(pattern))


def _written(node: Node) -> str:
    if isinstance(node, Chars):
        return _ranges(node.ranges)
    if isinstance(node, Spot):
        return _spot(node.kind)
    if isinstance(node, Sequence):
        return "(?:" + "".join(map(_written, node.parts)) + ")"
    if isinstance(node, Choice):
        return "(?:" + "|".join(map(_written, node.parts)) + ")"
    return _repeated(f"(?:{_written(node.part)})", node.least, node.most)


def _spot(kind: str) -> str:
    if kind in _SPOTS:
        return _SPOTS[kind]
    word = _ranges(charsets.perl("w"))
    if kind == "word":
        return f"(?:(?<={word})(?!{word})|(?<!{word})(?={word}))"
    return f"(?:(?<={word})(?={word})|(?<!{word})(?!{word}))"


def _repeated(part: str, least: int, most: int | None) -> str:
    """Counts end at 255 there: larger ones are said in steps. Else the part is written once: written twice, a
    repetition within repetitions would double with every level."""
    if max(least, most or 0) <= _MOST:
        counts = f"{least},{'' if most is None else most}"
        return f"(?:{part}{_SHORT.get((least, most)) or f'{{{counts}}}'})"
    written = ""
    rest = least
    while rest:
        step = min(rest, _MOST)
        written += f"{part}{{{step}}}"
        rest -= step
    if most is None:
        return f"(?:{written}{part}*)"
    rest = most - least
    while rest:
        step = min(rest, _MOST)
        written += f"{part}{{0,{step}}}"
        rest -= step
    return f"(?:{written})"


@lru_cache(maxsize=64)
def _ranges(ranges: Ranges) -> str:
    # Its texts have no character 0, and its patterns may not name it.
    kept = [(max(low, 1), high) for low, high in ranges if high > 0]
    if not kept:
        return "(?!(?:))"
    if len(kept) == 1 and kept[0][0] == kept[0][1]:
        return _char(kept[0][0])
    return "[" + "".join(f"{_char(low)}-{_char(high)}" for low, high in kept) + "]"


def _char(code: int) -> str:
    letter = chr(code)
    return letter if letter.isascii() and letter.isalnum() else f"\\U{code:08X}"
