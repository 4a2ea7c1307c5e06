"""Texts with what neither databases nor the wire can hold: the character 0, and halves of surrogate pairs."""

import re

LONGEST_NAME = 4096
"""Characters of a name, an id, a tag, a pattern: of each text that is not content."""
_UNFIT = re.compile("[\0\ud800-\udfff]")
_UNFIT_RUN = re.compile("[\0\ud800-\udfff]+")
_COMMANDS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What a terminal obeys instead of showing it, but for tabs and ends of lines. The last ones turn the order of what
follows, also of the text around a name: with one, ``photo_gpj.exe`` is read as ``photo_exe.jpg``."""
_ENDS = re.compile(r"[\n\r\t\u2028\u2029]")


def storable(name: str) -> str:
    """A name as databases and the wire hold it: what is not Unicode, as in names that ``os.listdir`` gives, and the
    character 0 are written as escapes. Different names stay different, and the same name is always written so.

    Example:
        >>> storable("run\udcff")
        'run\\xff'
    """
    if name.isascii() and "\0" not in name:
        return name
    raw = (
        name.encode("utf-8", "surrogateescape")
        if _is_bytes(name)
        else name.encode("utf-8", "backslashreplace")
    )
    return raw.decode("utf-8", "backslashreplace").replace("\0", "\\x00")


def readable(text: str) -> str:
    """Content as databases and the wire hold it: a sign of one place, U+FFFD, for each such character.

    Example:
        >>> readable("a\0b")
        'a\ufffdb'
    """
    if text.isascii() and "\0" not in text:
        return text
    return _UNFIT.sub("\ufffd", text)


def findable(pattern: str) -> str:
    r"""A pattern as the wire holds it, which finds names that are written as ``storable`` writes them: there a byte
    that is not UTF-8 is an escape, which in a pattern would mean a character.

    Example:
        >>> findable("^run\udcff$")
        '^run\\\\xff$'
    """
    if pattern.isascii() and "\0" not in pattern:
        return pattern
    kept = storable if _is_bytes(pattern) else lambda text: storable(f"{text}\ud800")[:-6]
    return _UNFIT_RUN.sub(lambda found: re.escape(kept(found[0])), pattern)


def legible(text: str, encoding: str = "utf-8") -> str:
    """A text for a terminal. Names that others gave to files, tasks and people are in it: what the encoding does not
    have, and what would command the terminal, is an escape.

    Example:
        >>> legible("a\\x1b[2Jb")
        'a\\\\x1b[2Jb'
    """
    text = _COMMANDS.sub(_escape, text)
    return text.encode(encoding, "backslashreplace").decode(encoding)


def one_line(text: str) -> str:
    """A name, or a sentence that holds some, for one line of a terminal: ``legible``, and ends of lines are escapes.

    Example:
        >>> one_line("a\\nb")
        'a\\\\nb'
    """
    return _ENDS.sub(_escape, legible(text))


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


def _is_bytes(name: str) -> bool:
    """Whether every half of a surrogate pair stands for a byte that was not UTF-8."""
    return not any("\ud800" <= mark <= "\udfff" and not "\udc80" <= mark <= "\udcff" for mark in name)
