"""Which paths may stand in a dataset, and which of them travel to every system."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from pathlib import PurePath

from trialbook.errors import PathRefused

_LONGEST_PATH = 4096
_LONGEST_PART = 255
_REFUSED = re.compile(r"(?:^|/)(?:\.{0,2})(?:/|$)|\0")
_ANY_REFUSED = re.compile(r"(?:^|[/\0])\.{0,2}(?:[/\0]|$)")
_DEVICES = r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])"
_FOREIGN = re.compile(
    rf'[\x01-\x1f\x7f<>:"|?*\\]|[. ](?:/|$)|(?:^|/){_DEVICES}(?:\.[^/]*)?(?:/|$)', re.IGNORECASE
)
_SUSPECT = (
    *map(chr, range(1, 32)), *'\x7f<>:"|?*\\', "./", " /", "/con", "/prn", "/aux", "/nul", "/com", "/lpt",
)  # fmt: skip
"""Without any of these in the lower-case text of all paths, none is foreign; one look at a million paths is cheap."""


def refusal(path: str) -> str | None:
    """Why a path may not stand in a dataset; None when it may.

    Args:
        path: relative, with ``/`` between parts.
    """
    if _REFUSED.search(path):
        return "it is absolute, has an empty part, '.', '..' or a NUL"
    try:
        size = len(path.encode())
    except UnicodeEncodeError:
        return "its name is not UTF-8"
    if size > _LONGEST_PATH:
        return f"it has {size} bytes, {_LONGEST_PATH} are allowed"
    if size > _LONGEST_PART and any(len(part.encode()) > _LONGEST_PART for part in path.split("/")):
        return f"a part of it has more than {_LONGEST_PART} bytes"
    return None


def _all_plain(paths: Sequence[str]) -> bool:
    """True when one look at all of them finds nothing to refuse; False decides nothing."""
    whole = "\0".join(paths)
    return (
        whole.isascii()
        and whole.count("\0") == len(paths) - 1
        and max(map(len, paths)) <= _LONGEST_PART
        and not _ANY_REFUSED.search(whole)
    )


def check(paths: Iterable[str]) -> None:
    """Refuse a list that holds a bad path.

    Raises:
        PathRefused: names the first one and the reason.
    """
    paths = paths if isinstance(paths, Sequence) else list(paths)
    if _all_plain(paths):
        return
    for path in paths:
        why = refusal(path)
        if why:
            raise PathRefused(f"{path[:200]!r} may not stand in a dataset: {why}")


def foreign(paths: Sequence[str]) -> list[str]:
    """Paths that not every system can hold: see "Paths" of the format document."""
    whole = f"/{'/'.join(paths)}/".lower()
    if not any(mark in whole for mark in _SUSPECT):
        return []
    return [path for path in paths if _FOREIGN.search(path)]


def clashes(paths: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of paths that are one on a system that ignores case or normalises Unicode."""
    whole = "\0".join(paths)
    if whole.isascii() and whole == whole.lower():
        return []
    first: dict[str, str] = {}
    found = []
    for path in paths:
        folded = path.casefold() if path.isascii() else unicodedata.normalize("NFC", path).casefold()
        other = first.setdefault(folded, path)
        if other != path:
            found.append((other, path))
    return found


def folders(paths: Iterable[str]) -> set[str]:
    """Every folder that some path lies in, at any depth."""
    found: set[str] = set()
    last = ""
    for path in paths:
        folder = path.rpartition("/")[0]
        if folder != last:
            last = folder
            while folder and folder not in found:
                found.add(folder)
                folder = folder.rpartition("/")[0]
    return found


def in_the_way(there: Iterable[str], new: Sequence[str]) -> set[str]:
    """Paths that cannot stand beside new ones: a file where a new one needs a folder, or below a new file."""
    there = there if isinstance(there, Sequence | AbstractSet) else list(there)
    fresh = set(new)
    found = folders(new).intersection(there)
    if not fresh.isdisjoint(folders(there)):
        found.update(path for path in there if not fresh.isdisjoint(folders([path])))
    return found


def last_of_each(paths: Iterable[str]) -> list[str]:
    """Paths without those that a later one is in the way of, in their order."""
    given = list(dict.fromkeys(reversed(list(paths))))
    if folders(given).isdisjoint(given):
        return given[::-1]
    kept: dict[str, None] = {}
    needed: set[str] = set()
    for path in given:
        above = folders([path])
        if path not in needed and above.isdisjoint(kept):
            kept[path] = None
            needed |= above
    return list(kept)[::-1]


def within(folder: str | PurePath | None) -> str:
    """A folder of the dataset as paths name it: slashes at its ends, doubled ones and ``.`` do not count."""
    text = folder if isinstance(folder, str) else folder.as_posix() if folder is not None else ""
    return "/".join(part for part in text.split("/") if part not in ("", "."))


def joined(folder: str | PurePath | None, path: str) -> str:
    """A path below a folder of the dataset, see ``within``."""
    folder = within(folder)
    return f"{folder}/{path}" if folder else path
