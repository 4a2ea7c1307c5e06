"""The line of this SDK among the packages of a run: an address on the server that records it.

Its name alone would let a public index answer, with whatever is published under it; and an editable install, or a
version that no index has, could not be had by it at all.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from trialbook.base.own_address import pending

# A name ends where a version, extras, a marker, a comment or the line does.
_NAMED = re.compile(
    r"trialbook\s*(?P<extras>\[[^\]]*\])?\s*(?P<rest>$|[=<>!~;#@(\\].*)", re.IGNORECASE | re.DOTALL
)
_EDITABLE = re.compile(r"(?:-e|--editable)[ \t=]*")
_PLACED = re.compile(
    r"\S*(?:#(?:\S*&)?egg=trialbook(?![\w.-])|(?:^|[/\\])trialbook-\d[^/\\\s]*$)", re.IGNORECASE
)
_ELSEWHERE = re.compile(r"(?:(?:git|hg|svn|bzr)\+(?!file:)[a-z]+|https?|s3|gs):", re.IGNORECASE)


@dataclass(frozen=True)
class _Own:
    """A line that means this SDK.

    Attributes:
        extras: with their brackets.
        elsewhere: it names an address that other machines have.
    """

    extras: str
    elsewhere: bool


def with_own(lines: str, server: str) -> str:
    """Requirement lines with one for this SDK: the address that they name themselves, else that of the server.

    Args:
        lines: as in a requirements file.
        server: the address of the server that records the run.

    Example:
        >>> print(with_own("numpy>=2\\ntrialbook==0.1.0\\n", "http://team:8008"), end="")
        numpy>=2
        trialbook @ http://team:8008/sdk/current
    """
    kept: list[str] = []
    found: list[_Own] = []
    place = -1
    for line in _whole(lines):
        own = _own(line)
        if own is not None:
            found.append(own)
        if own is None or own.elsewhere:
            kept.append(line)
        elif place < 0:
            place = len(kept)
    if not any(own.elsewhere for own in found):
        extras = next((own.extras for own in found if own.extras), "")
        kept.insert(place if place >= 0 else len(kept), pending(server, extras))
    return "".join(f"{line}\n" for line in kept)


def names_own(lines: str) -> bool:
    """Whether one of the lines means this SDK."""
    return any(_own(line) is not None for line in _whole(lines))


def _whole(lines: str) -> Iterator[str]:
    """The lines, each with those that continue it: the digests of a package's files stand in them."""
    waiting: list[str] = []
    for line in lines.splitlines():
        waiting.append(line)
        if not line.endswith("\\"):
            yield "\n".join(waiting)
            waiting = []
    if waiting:
        yield "\n".join(waiting)


def _own(line: str) -> _Own | None:
    text = line.strip()
    text = text[len(editable[0]) :] if (editable := _EDITABLE.match(text)) is not None else text
    named = _NAMED.fullmatch(text)
    if named is not None:
        address = named["rest"].removeprefix("@").strip() if named["rest"].startswith("@") else ""
        return _Own((named["extras"] or "").replace(" ", ""), bool(_ELSEWHERE.match(address)))
    if _PLACED.match(text.split(" ")[0]):
        return _Own("", bool(_ELSEWHERE.match(text)))
    return None
