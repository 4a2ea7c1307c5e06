"""Wildcards over dataset paths: one meaning for adding, listing and removing."""

import fnmatch
import re
from collections.abc import Callable, Collection, Sequence
from pathlib import PurePath

_WILD = re.compile(r"[*?\[]")


Patterns = str | PurePath | Sequence[str | PurePath] | None


def matcher(patterns: Patterns, recursive: bool = True, among: Collection[str] = ()) -> Callable[[str], bool]:
    """A test for paths.

    Args:
        patterns: one or several (their union); None or none at all takes every path that ``recursive`` allows.
        recursive: False keeps a pattern within its own folder.
        among: the paths that there are; a pattern that is the exact name of one of them, or of a folder, means that
            one alone, whatever wildcards the name may hold.

    Returns:
        A function of a relative path. ``*.jpg`` matches in every folder (in the top folder only when not
        recursive); ``folder/*.json`` matches below ``folder``, at any depth (only directly in it when not
        recursive); ``**/`` is any number of folders, also none; a pattern without a wildcard is a file or a whole
        folder (its direct files when not recursive). Case counts.

    Example:
        >>> wanted = matcher(["*.jpg", "meta/*.json"])
        >>> [path for path in ("a/b.jpg", "meta/x/y.json", "other/z.json") if wanted(path)]
        ['a/b.jpg', 'meta/x/y.json']
    """
    if isinstance(patterns, str | PurePath):
        patterns = [patterns]
    if not patterns:
        return (lambda path: True) if recursive else (lambda path: "/" not in path)
    texts = [one if isinstance(one, str) else one.as_posix() for one in patterns]
    found = re.compile("|".join(f"(?:{_regex(pattern, recursive, among)})" for pattern in texts))
    return lambda path: found.fullmatch(path) is not None


def _regex(pattern: str, recursive: bool, among: Collection[str]) -> str:
    while pattern.startswith("./"):
        pattern = pattern[2:].lstrip("/")
    pattern = pattern.lstrip("/")
    if pattern.rstrip("/") in ("", "."):
        return r"(?s:.*)" if recursive else r"[^/]*"
    if not _WILD.search(pattern) or _named(pattern.rstrip("/"), among):
        name = re.escape(pattern.rstrip("/"))
        below = r"/(?s:.*)" if recursive else r"/[^/]*"
        return f"{name}{below}" if pattern.endswith("/") else f"{name}(?:{below})?"
    if "/" not in pattern and recursive and any(path.endswith(f"/{pattern}") for path in among):
        return r"(?s:.*/)" + re.escape(pattern)
    anywhere = r"(?s:.*/)?" if recursive and "/" not in pattern else ""
    return anywhere + _parts(pattern, _across if recursive else _within)


def _named(name: str, among: Collection[str]) -> bool:
    return name in among or any(path.startswith(f"{name}/") for path in among)


def _parts(pattern: str, one: Callable[[str], str]) -> str:
    parts = pattern.split("/")
    out = []
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        if part == "**":
            out.append(r"(?s:.*)" if last else r"(?s:.*/)?")
        else:
            out.append(one(part) + ("" if last else "/"))
    return "".join(out)


def _across(part: str) -> str:
    return fnmatch.translate(part).removesuffix(r"\Z").removesuffix(r"\z")


def _within(part: str) -> str:
    """A wildcard part that never crosses a slash."""
    out = []
    place = 0
    while place < len(part):
        letter = part[place]
        if letter == "*":
            out.append("[^/]*")
        elif letter == "?":
            out.append("[^/]")
        elif letter == "[" and (end := part.find("]", place + 2)) > 0:
            inner = part[place + 1 : end].replace("\\", r"\\")
            out.append("[^" + inner[1:] + "]" if inner[0] == "!" else f"[{inner}]")
            place = end
        else:
            out.append(re.escape(letter))
        place += 1
    return "".join(out)
