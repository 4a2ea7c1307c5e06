"""Reading a pattern. What RE2 cannot do in linear time, or means otherwise than Python, is refused with its reason."""

from __future__ import annotations

from typing import NamedTuple

from trialbook.errors import BadPattern
from trialbook.server.core.patterns import charsets
from trialbook.server.core.patterns.charsets import Ranges

LONGEST = 4_000
"""Characters of a pattern."""
_DEEPEST = 100
_MOST = 1_000
_RANGES = 100_000
"""Ranges of characters that a pattern may name in all: ``\\w`` alone is some 750, and each is written out."""
_NEWLINE: Ranges = ((10, 10),)
_ESCAPES = {"a": 7, "f": 12, "t": 9, "n": 10, "r": 13, "v": 11}


class Chars(NamedTuple):
    """One character of a set."""

    ranges: Ranges


class Spot(NamedTuple):
    """A place between characters: ``begin``, ``end``, ``line_begin``, ``line_end``, ``word`` (its edge), ``inside``."""

    kind: str


class Sequence(NamedTuple):
    """One after the other."""

    parts: tuple[Node, ...]


class Choice(NamedTuple):
    """One of them."""

    parts: tuple[Node, ...]


class Repeat(NamedTuple):
    """As often as said; ``most`` None is without end. Greedy or lazy is the same for *whether* it is found."""

    part: Node
    least: int
    most: int | None


Node = Chars | Spot | Sequence | Choice | Repeat


class Flags(NamedTuple):
    """What ``(?ims)`` switches."""

    any_case: bool = False
    lines: bool = False
    dot_all: bool = False


def parse(pattern: str) -> Node:
    """A pattern as a tree.

    Raises:
        BadPattern: it is not valid, or asks for what the grammar does not have; the message says which.
    """
    if len(pattern) > LONGEST:
        raise BadPattern(f"a pattern may have {LONGEST} characters, this one has {len(pattern)}")
    return _Reader(pattern).whole()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._named = 0

    def whole(self) -> Node:
        found, _ = self._choice(Flags())
        if self._at < len(self._text):
            raise self._bad("a ) without its (")
        return found

    def _bad(self, why: str) -> BadPattern:
        shown = self._text if len(self._text) <= 200 else f"{self._text[:200]}…"
        return BadPattern(
            f"the pattern {shown!r} cannot be used: {why} (at character {self._at}). Patterns are RE2's: see "
            "https://github.com/google/re2/wiki/Syntax",
            pattern=shown,
        )

    def _next(self) -> str:
        letter = self._text[self._at : self._at + 1]
        self._at += 1
        return letter

    def _looking_at(self, text: str) -> bool:
        return self._text.startswith(text, self._at)

    def _take(self, text: str) -> bool:
        if not self._looking_at(text):
            return False
        self._at += len(text)
        return True

    def _choice(self, flags: Flags) -> tuple[Node, Flags]:
        """Until the group's end. Flags set inside hold up to there."""
        branches: list[Node] = []
        parts: list[Node] = []
        while self._at < len(self._text) and not self._looking_at(")"):
            if self._take("|"):
                branches.append(Sequence(tuple(parts)))
                parts = []
            elif self._take("(?"):
                flags = self._extended(flags, parts)
            elif self._take("("):
                parts.append(self._group(flags))
            elif self._take(r"\Q"):
                end = self._text.find(r"\E", self._at)
                end = len(self._text) if end < 0 else end
                parts += [self._chars(((ord(one), ord(one)),), flags) for one in self._text[self._at : end]]
                self._at = min(len(self._text), end + 2)
            elif self._text[self._at] in "*+?" or self._counted() is not None:
                if not parts:
                    raise self._bad(f"nothing stands before {self._text[self._at]} that it could repeat")
                parts[-1] = self._repeated(parts[-1])
            else:
                parts.append(self._single(flags))
        branches.append(Sequence(tuple(parts)))
        return (branches[0] if len(branches) == 1 else Choice(tuple(branches))), flags

    def _group(self, flags: Flags) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._bad(f"groups may be nested {_DEEPEST} deep")
        found, _ = self._choice(flags)
        if not self._take(")"):
            raise self._bad("a ( without its )")
        self._depth -= 1
        return found

    def _extended(self, flags: Flags, parts: list[Node]) -> Flags:
        """After ``(?``: a group, or flags for the rest of the group around."""
        for start, what in (
            ("<=", "look-behind"),
            ("<!", "look-behind"),
            ("=", "look-ahead"),
            ("!", "look-ahead"),
        ):
            if self._looking_at(start):
                raise self._bad(f"{what} (?{start}…) takes more than linear time and is not available")
        for start, what in (
            (">", "an atomic group"),
            ("(", "a condition"),
            ("#", "a comment"),
            ("P=", "a back reference"),
        ):
            if self._looking_at(start):
                raise self._bad(f"{what} (?{start}…) is not available")
        if self._take("P<") or self._take("<"):
            name_end = self._text.find(">", self._at)
            if name_end < 0 or not self._text[self._at : name_end].replace("_", "a").isalnum():
                raise self._bad("the name of a group is not closed, or is none")
            self._at = name_end + 1
            parts.append(self._group(flags))
            return flags
        changed, on = flags, True
        while True:
            letter = self._next()
            if letter == "-" and on:
                on = False
            elif letter == "i":
                changed = changed._replace(any_case=on)
            elif letter == "m":
                changed = changed._replace(lines=on)
            elif letter == "s":
                changed = changed._replace(dot_all=on)
            elif letter == ":":
                parts.append(self._group(changed))
                return flags
            elif letter == ")":
                return changed
            # "U" swaps greedy and lazy, which changes nothing here.
            elif letter != "U":
                raise self._bad(f"the flag {letter!r} is not available; i, m, s and U are")

    def _counted(self) -> tuple[int, int | None, int] | None:
        """``{2}``, ``{2,}`` or ``{2,5}`` here, and its length; anything else is a brace as it stands."""
        if not self._looking_at("{"):
            return None
        end = self._text.find("}", self._at)
        low, comma, high = self._text[self._at + 1 : end].partition(",")
        if end < 0 or not _number(low) or (high and not _number(high)):
            return None
        most = (int(high) if high else None) if comma else int(low)
        return int(low), most, end + 1 - self._at

    def _repeated(self, part: Node) -> Node:
        counted = self._counted()
        if counted is not None:
            least, most, length = counted
            if max(least, most or 0) > _MOST:
                raise self._bad(f"a count may be {_MOST} at most")
            if most is not None and most < least:
                raise self._bad("the counts are the wrong way round")
            self._at += length
        else:
            least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}[self._next()]
        self._take("?")
        if self._at < len(self._text) and (self._text[self._at] in "*+?" or self._counted() is not None):
            raise self._bad("one repetition directly after another; use a group")
        return Repeat(part, least, most)

    def _single(self, flags: Flags) -> Node:
        letter = self._next()
        if letter == "^":
            return Spot("line_begin" if flags.lines else "begin")
        if letter == "$":
            return Spot("line_end" if flags.lines else "end")
        if letter == ".":
            return self._chars(charsets.EVERY if flags.dot_all else charsets.without(_NEWLINE), Flags())
        if letter == "[":
            return self._bracket(flags)
        if letter != "\\":
            return self._chars(((ord(letter), ord(letter)),), flags)
        spot = {"A": "begin", "z": "end", "b": "word", "B": "inside"}.get(self._text[self._at : self._at + 1])
        if spot is not None:
            self._at += 1
            # It is written as what stands on both sides.
            self._count(charsets.perl("w"))
            return Spot(spot)
        found = self._escape()
        return self._chars(((found, found),) if isinstance(found, int) else found, flags)

    def _chars(self, ranges: Ranges, flags: Flags) -> Chars:
        found = charsets.any_case(ranges) if flags.any_case else ranges
        self._count(found)
        return Chars(found)

    def _count(self, ranges: Ranges) -> None:
        self._named += len(ranges)
        if self._named > _RANGES:
            raise self._bad(
                r"it is too large: it names classes such as \w too often; use a count, as in \w{3}"
            )

    def _escape(self) -> int | Ranges:
        """After a backslash: one character, or a class of them."""
        letter = self._next()
        if not letter:
            raise self._bad("it ends with a backslash")
        if letter in "dDwWsS":
            found = charsets.perl(letter.lower())
            return found if letter.islower() else charsets.without(found)
        if letter in "pP":
            return self._category(negated=letter == "P")
        if letter in _ESCAPES:
            return _ESCAPES[letter]
        if letter == "x":
            return self._hexadecimal()
        if letter == "0":
            digits = ""
            while len(digits) < 2 and self._text[self._at : self._at + 1] in tuple("01234567"):
                digits += self._next()
            return int(digits or "0", 8)
        if letter in "123456789":
            raise self._bad(f"a back reference \\{letter} takes more than linear time and is not available")
        if letter == "Z":
            raise self._bad(r"\Z is not available: the end of the text is \z or $")
        if letter in "uUN":
            raise self._bad(rf"\{letter} is not available: write a character by its number as \x{{20AC}}")
        if letter.isalnum() and letter.isascii():
            raise self._bad(f"\\{letter} means nothing")
        return ord(letter)

    def _hexadecimal(self) -> int:
        if self._take("{"):
            end = self._text.find("}", self._at)
            digits = self._text[self._at : end] if end > 0 else ""
            self._at = end + 1
        else:
            digits = self._text[self._at : self._at + 2]
            self._at += 2
        if not digits or len(digits) > 6 or set(digits) - set("0123456789abcdefABCDEF"):
            raise self._bad(r"\x wants two hexadecimal digits, or any number of them in braces")
        code = int(digits, 16)
        if not charsets.holds(charsets.EVERY, code):
            raise self._bad(f"there is no character {digits}")
        return code

    def _category(self, *, negated: bool) -> Ranges:
        name = self._next()
        if name == "{":
            end = self._text.find("}", self._at)
            name = self._text[self._at : end] if end > 0 else ""
            self._at = end + 1
            if name.startswith("^"):
                negated, name = not negated, name[1:]
        found = charsets.EVERY if name == "Any" else charsets.category(name) if name else None
        if found is None:
            raise self._bad(
                rf"\p{{{name}}} is not available: general categories such as \p{{L}} or \p{{Lu}} are"
            )
        return charsets.without(found) if negated else found

    def _bracket(self, flags: Flags) -> Node:
        negated = self._take("^")
        ranges: list[tuple[int, int]] = []
        first = True
        while first or not self._looking_at("]"):
            first = False
            if self._at >= len(self._text):
                raise self._bad("a [ without its ]")
            if self._looking_at("[:") and (end := self._text.find(":]", self._at)) > 0:
                ranges += self._posix(self._text[self._at + 2 : end])
                self._at = end + 2
                continue
            low = self._member()
            if not isinstance(low, int):
                self._count(low)
                ranges += low
                continue
            high: int | Ranges = low
            if self._looking_at("-") and not self._looking_at("-]"):
                self._at += 1
                high = self._member()
            if not isinstance(high, int) or high < low:
                raise self._bad("a range in brackets goes from a lower character to a higher one")
            ranges.append((low, high))
        self._at += 1
        found = charsets.union(ranges)
        if flags.any_case:
            found = charsets.any_case(found)
        return self._chars(charsets.without(found) if negated else found, Flags())

    def _member(self) -> int | Ranges:
        letter = self._next()
        if not letter:
            raise self._bad("a [ without its ]")
        return ord(letter) if letter != "\\" else self._escape()

    def _posix(self, name: str) -> Ranges:
        found = charsets.posix(name.removeprefix("^"))
        if found is None:
            raise self._bad(f"there is no class [:{name}:]")
        return charsets.without(found) if name.startswith("^") else found


def _number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10
