"""``only_fields``: the part of a document that was asked for.

A key may hold dots itself (``a.b`` in section ``Args``), so at each level the longest key that fits the rest of the
path wins. ``id`` is always there. A first-level object is there even when the leaf below it is missing, because
released clients index it without asking.
"""

from collections.abc import Mapping, Sequence
from typing import Any


class Projection:
    """Paths to keep, or with ``-path`` to drop. No path keeps all."""

    def __init__(self, fields: str | Sequence[str] | None) -> None:
        listed = [fields] if isinstance(fields, str) else list(fields or ())
        self.keep = [path for path in listed if path and not path.startswith("-")]
        self.drop = [path[1:] for path in listed if path.startswith("-")]

    def roots(self) -> frozenset[str] | None:
        """First-level names that are needed; None means all."""
        if not self.keep:
            return None
        return frozenset({"id", *(path.partition(".")[0] for path in self.keep)})

    def wants(self, root: str) -> bool:
        """True when the first-level field is needed."""
        roots = self.roots()
        return root not in self.drop and (roots is None or root in roots)

    def __call__(self, document: dict[str, Any]) -> dict[str, Any]:
        """The part of a document."""
        if self.keep:
            result: dict[str, Any] = {"id": document["id"]} if "id" in document else {}
            for path in self.keep:
                _take(document, path.split("."), result)
        else:
            result = document
        for path in self.drop:
            _leave(result, path.split("."))
        return result


def _split(node: Mapping[str, Any], parts: Sequence[str]) -> tuple[str, Sequence[str]] | None:
    for size in range(len(parts), 0, -1):
        key = ".".join(parts[:size])
        if key in node:
            return key, parts[size:]
    return None


def _take(node: Mapping[str, Any], parts: Sequence[str], result: dict[str, Any]) -> None:
    found = _split(node, parts)
    if found is None:
        return
    key, rest = found
    value = node[key]
    if not rest:
        result[key] = value
    elif isinstance(value, Mapping):
        below = result.setdefault(key, {})
        # The whole object may have been taken by a shorter path before.
        if below is not value:
            _take(value, rest, below)
    elif isinstance(value, list):
        items = result.setdefault(key, [{} for _ in value])
        if items is not value:
            for item, below in zip(value, items, strict=False):
                if isinstance(item, Mapping):
                    _take(item, rest, below)
    elif value is None:
        result.setdefault(key, None)


def _leave(node: dict[str, Any], parts: Sequence[str]) -> None:
    found = _split(node, parts)
    if found is None:
        return
    key, rest = found
    if not rest:
        node.pop(key)
    elif isinstance(node[key], dict):
        node[key] = dict(node[key])
        _leave(node[key], rest)
