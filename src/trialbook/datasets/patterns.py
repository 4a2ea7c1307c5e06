"""Wildcards over dataset paths: one meaning for adding, listing and removing."""

import re
from collections.abc import Callable, Collection, Sequence
from pathlib import PurePath

from trialbook.base import globs

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
    if not recursive:
        return globs.in_folders(pattern)
    return (r"(?s:.*/)?" if "/" not in pattern else "") + globs.across_folders(pattern)


def _named(name: str, among: Collection[str]) -> bool:
    return name in among or any(path.startswith(f"{name}/") for path in among)
