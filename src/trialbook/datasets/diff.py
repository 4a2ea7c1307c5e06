"""What differs between two versions, reading only the ranges that are not the same."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from trialbook.datasets.manifest import RangeRef
from trialbook.datasets.rows import LINK, ROW, Array, same_content
from trialbook.datasets.table import Table

_COMPARED = np.dtype([(name, ROW[name]) for name in ("b3", "sha256", "size", "kind")])


@dataclass(frozen=True)
class Difference:
    """Paths, sorted: in the second version only, in both with other content, in the first only."""

    added: list[str]
    modified: list[str]
    removed: list[str]


def diff(
    first: Sequence[RangeRef], second: Sequence[RangeRef], load: Callable[[RangeRef], Table]
) -> Difference:
    """Compare two versions.

    Args:
        first: ranges of the one.
        second: ranges of the other.
        load: gives the table of a range.

    Returns:
        What turns the first into the second. Two rows are equal as the format document says under "Merge".
    """
    shared = {ref.key.rpartition("/")[2] for ref in first} & {ref.key.rpartition("/")[2] for ref in second}
    left = [ref for ref in first if ref.key.rpartition("/")[2] not in shared]
    right = [ref for ref in second if ref.key.rpartition("/")[2] not in shared]
    result = Difference([], [], [])
    for one, other in _windows(left, right):
        found = _compared(_Side([load(ref) for ref in one]), _Side([load(ref) for ref in other]))
        result.added.extend(found.added)
        result.modified.extend(found.modified)
        result.removed.extend(found.removed)
    return result


def _windows(
    left: Sequence[RangeRef], right: Sequence[RangeRef]
) -> Iterator[tuple[list[RangeRef], list[RangeRef]]]:
    """Groups of ranges that may hold the same paths; no path is in two groups."""
    both = sorted(
        [(ref.first, 0, ref) for ref in left] + [(ref.first, 1, ref) for ref in right], key=lambda x: x[:2]
    )
    group: tuple[list[RangeRef], list[RangeRef]] = ([], [])
    last = ""
    for start, side, ref in both:
        if start > last and (group[0] or group[1]):
            yield group
            group = ([], [])
        group[side].append(ref)
        last = max(last, ref.last)
    if group[0] or group[1]:
        yield group


class _Side:
    """One version's rows in a window: paths, and only the columns that a comparison needs."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self._tables = tables
        self.raw = b"\0".join(table.raw_text("path") for table in tables)
        self.count = sum(table.count("path") for table in tables)

    def paths(self) -> list[bytes]:
        return self.raw.split(b"\0") if self.count else []

    def data(self) -> Array:
        data = np.zeros(self.count, _COMPARED)
        for name in _COMPARED.names or ():
            columns = [table.array(name) for table in self._tables]
            if columns:
                data[name] = np.concatenate(columns)
        return data

    def links(self) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for table in self._tables:
            if table.count("link"):
                found += zip(table.text("link"), table.text("etag"), strict=True)
            else:
                found += [("", "")] * table.count("path")
        return found


def _compared(first: _Side, second: _Side) -> Difference:
    one = first.paths()
    if first.raw == second.raw and first.count == second.count:
        places = np.arange(len(one))
        return Difference([], _modified(first, second, one, places, places), [])
    other = second.paths()
    here, there = set(one), set(other)
    added, removed = sorted(there - here), sorted(here - there)
    left, right = _without(one, removed), _without(other, added)
    return Difference(_texts(added), _modified(first, second, one, left, right), _texts(removed))


def _without(paths: list[bytes], gone: list[bytes]) -> Array:
    """The places of the sorted paths that stay; what stays on both sides of a comparison stands in the same order."""
    return np.delete(np.arange(len(paths)), [bisect_left(paths, path) for path in gone])


def _texts(paths: list[bytes]) -> list[str]:
    return [path.decode() for path in paths]


def _modified(first: _Side, second: _Side, paths: list[bytes], left: Array, right: Array) -> list[str]:
    one, other = first.data()[left], second.data()[right]
    differ = ~same_content(one, other)
    linked = np.flatnonzero((one["kind"] == LINK) & (other["kind"] == LINK))
    if len(linked):
        links, others = first.links(), second.links()
        for place in linked.tolist():
            differ[place] |= links[int(left[place])] != others[int(right[place])]
    return _texts([paths[int(left[place])] for place in np.flatnonzero(differ).tolist()])
