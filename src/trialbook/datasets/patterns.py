"""Wildcards over dataset paths: one meaning for adding, listing and removing."""

import fnmatch
import re
from collections.abc import Callable, Sequence

_WILD = re.compile(r"[*?\[]")


def matcher(patterns: str | Sequence[str] | None, recursive: bool = True) -> Callable[[str], bool]:
    """A test for paths.

    Args:
        patterns: one or several (their union); None or none at all takes every path that ``recursive`` allows.
        recursive: False keeps a pattern within its own folder.

    Returns:
        A function of a relative path. ``*.jpg`` matches in every folder (in the top folder only when not
        recursive); ``folder/*.json`` matches below ``folder``, at any depth (only directly in it when not
        recursive); a pattern without a wildcard is a file or a whole folder (its direct files when not
        recursive). Case counts.

    Example:
        >>> wanted = matcher(["*.jpg", "meta/*.json"])
        >>> [path for path in ("a/b.jpg", "meta/x/y.json", "other/z.json") if wanted(path)]
        ['a/b.jpg', 'meta/x/y.json']
    """
    if isinstance(patterns, str):
        patterns = [patterns]
    if not patterns:
        return (lambda path: True) if recursive else (lambda path: "/" not in path)
    found = re.compile("|".join(f"(?:{_regex(pattern, recursive)})" for pattern in patterns))
    return lambda path: found.fullmatch(path) is not None


def _regex(pattern: str, recursive: bool) -> str:
    pattern = pattern.removeprefix("./").lstrip("/")
    if not pattern.strip("/"):
        return r"(?s:.*)" if recursive else r"[^/]*"
    if not _WILD.search(pattern):
        name = re.escape(pattern.rstrip("/"))
        below = r"/(?s:.*)" if recursive else r"/[^/]*"
        return f"{name}{below}" if pattern.endswith("/") else f"{name}(?:{below})?"
    if not recursive:
        return "/".join(_within(part) for part in pattern.split("/"))
    anywhere = "" if "/" in pattern else r"(?s:.*/)?"
    return anywhere + fnmatch.translate(pattern).removesuffix(r"\Z").removesuffix(r"\z")


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
