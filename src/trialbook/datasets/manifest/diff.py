"""What differs between two versions, reading only the ranges that are not the same."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from trialbook.datasets.manifest.roots import RangeRef
from trialbook.datasets.manifest.rows import LINK, Array, same_content
from trialbook.datasets.manifest.table import Table

_COMPARED = ("b3", "sha256", "size", "kind")

_MANY = 1000


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
        ends = np.flatnonzero(np.frombuffer(self.raw, "u1") == 0)
        # Where each path begins, and where one more would.
        self.starts: Array = np.zeros(self.count + 1, np.int64)
        self.starts[1:-1] = ends + 1
        self.starts[-1] = len(self.raw) + 1 if self.count else 0

    def run(self, start: int, end: int) -> bytes:
        """The joined bytes of some paths that follow each other."""
        return self.raw[self.starts[start] : self.starts[end] - 1]

    def texts(self, places: Iterable[int]) -> list[str]:
        return [self.run(place, place + 1).decode() for place in places]

    def columns(self, places: Array) -> dict[str, Array]:
        found = {}
        for name in _COMPARED:
            columns = [table.array(name) for table in self._tables]
            column = columns[0] if len(columns) == 1 else np.concatenate(columns)
            found[name] = column if len(places) == self.count else column[places]
        return found

    def links(self) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for table in self._tables:
            if table.count("link"):
                found += zip(table.text("link"), table.text("etag"), strict=True)
            else:
                found += [("", "")] * table.count("path")
        return found


def _compared(first: _Side, second: _Side) -> Difference:
    if not first.count or not second.count:
        return Difference(second.texts(range(second.count)), [], first.texts(range(first.count)))
    if first.raw == second.raw:
        removed: list[int] = []
        added: list[int] = []
    else:
        removed, added = _unmatched(first, second)
    left, right = np.delete(np.arange(first.count), removed), np.delete(np.arange(second.count), added)
    return Difference(second.texts(added), _modified(first, second, left, right), first.texts(removed))


def _unmatched(first: _Side, second: _Side) -> tuple[list[int], list[int]]:
    """The places of the paths that one side has alone.

    Runs of equal paths are passed over as a whole, without looking at a single one of them.
    """
    removed: list[int] = []
    added: list[int] = []
    here = there = 0
    while here < first.count and there < second.count:
        if len(removed) + len(added) > _MANY and len(removed) + len(added) > (here + there) // 8:
            return _by_sets(first, second, here, there, removed, added)
        equal = _equal_run(first, second, here, there)
        here, there = here + equal, there + equal
        if here == first.count or there == second.count:
            break
        if first.run(here, here + 1) < second.run(there, there + 1):
            removed.append(here)
            here += 1
        else:
            added.append(there)
            there += 1
    return [*removed, *range(here, first.count)], [*added, *range(there, second.count)]


def _by_sets(
    first: _Side, second: _Side, here: int, there: int, removed: list[int], added: list[int]
) -> tuple[list[int], list[int]]:
    """``_unmatched`` of the rest: faster where hardly any path has an equal."""
    one = first.run(here, first.count).split(b"\0")
    other = second.run(there, second.count).split(b"\0")
    left, right = set(one), set(other)
    removed += [here + place for place, path in enumerate(one) if path not in right]
    added += [there + place for place, path in enumerate(other) if path not in left]
    return removed, added


def _equal_run(first: _Side, second: _Side, here: int, there: int) -> int:
    """How many paths are the same from here on."""
    most = min(first.count - here, second.count - there)
    same, step = 0, 1
    while same < most:
        upto = min(same + step, most)
        if first.run(here + same, here + upto) != second.run(there + same, there + upto):
            break
        same, step = upto, step * 4
    else:
        return same
    low, high = same, min(same + step, most)
    while high - low > 1:
        middle = (low + high) // 2
        if first.run(here + low, here + middle) == second.run(there + low, there + middle):
            low = middle
        else:
            high = middle
    return low


def _modified(first: _Side, second: _Side, left: Array, right: Array) -> list[str]:
    one, other = first.columns(left), second.columns(right)
    differ = ~same_content(one, other)
    linked = np.flatnonzero((one["kind"] == LINK) & (other["kind"] == LINK))
    if len(linked):
        links, others = first.links(), second.links()
        for place in linked.tolist():
            differ[place] |= links[int(left[place])] != others[int(right[place])]
    return first.texts(left[np.flatnonzero(differ)].tolist())
