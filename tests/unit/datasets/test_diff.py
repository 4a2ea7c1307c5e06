"""Comparing versions, and cutting ranges."""

import random

import numpy as np
import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from trialbook.datasets.manifest.diff import diff
from trialbook.datasets.manifest.roots import (
    RangeRef,
    cuts,
    decode_range,
    encode_range,
    encode_ranges,
    open_range,
)
from trialbook.datasets.manifest.rows import ROW, Rows, merged
from trialbook.datasets.manifest.table import Table
from trialbook.datasets.storage.objects import concatenated

Files = dict[str, int]


def rows_of(files: Files, origin: str = "o") -> Rows:
    paths = sorted(files)
    data = np.zeros(len(paths), ROW)
    data["size"] = [files[path] % 5 for path in paths]
    data["b3"] = np.array([[files[path] + 1, 0, 0, 0] for path in paths]).reshape(-1, 4)
    return Rows(paths, data, ("p/1",), (origin,))


class Store:
    """Ranges cut at given sizes, and how many were read."""

    def __init__(self) -> None:
        self.data: dict[str, bytes] = {}
        self.read: list[str] = []

    def put(self, rows: Rows, sizes: list[int]) -> list[RangeRef]:
        refs, start = [], 0
        while start < len(rows):
            part = rows.take(
                np.arange(start, min(len(rows), start + sizes[len(refs) % len(sizes)]))
            ).compact()
            data = encode_range(part)
            key = f"v/{blake3(data).hexdigest()}"
            self.data[key] = data
            refs.append(RangeRef(key, part.paths[0], part.paths[-1], len(part), len(data)))
            start += len(part)
        return refs

    def load(self, ref: RangeRef) -> Table:
        self.read.append(ref.key)
        return open_range(self.data[ref.key], ref.key)


maps = st.dictionaries(st.text("abc", min_size=1, max_size=4), st.integers(0, 3), max_size=40)
sizes = st.lists(st.integers(1, 9), min_size=1, max_size=4)


@settings(max_examples=200, deadline=None)
@given(maps, maps, sizes, sizes)
def test_diff_is_that_of_two_dicts(one: Files, other: Files, first: list[int], second: list[int]) -> None:
    store = Store()
    found = diff(store.put(rows_of(one), first), store.put(rows_of(other), second), store.load)
    assert found.added == sorted(other.keys() - one.keys())
    assert found.removed == sorted(one.keys() - other.keys())
    assert found.modified == sorted(path for path in one.keys() & other.keys() if one[path] != other[path])


@pytest.mark.parametrize("part", [0.001, 0.02, 0.5, 1.0])
def test_diff_of_large_versions(part: float) -> None:
    chance = random.Random(part)
    one = {f"train/{n // 100:03}/{n:06}": n for n in range(12_000)}
    other = dict(one)
    for path in chance.sample(sorted(one), int(part * len(one))):
        number = other.pop(path)
        if number % 3:
            other[path + ("" if number % 3 == 1 else "x")] = number + 1
    store = Store()
    found = diff(store.put(rows_of(one), [5000]), store.put(rows_of(other), [3000, 7000]), store.load)
    assert found.added == sorted(other.keys() - one.keys())
    assert found.removed == sorted(one.keys() - other.keys())
    assert found.modified == sorted(path for path in one.keys() & other.keys() if one[path] != other[path])


def test_equal_ranges_are_not_read() -> None:
    files = {f"{n:05}": n for n in range(1000)}
    store = Store()
    first = store.put(rows_of(files), [100])
    second = store.put(rows_of(files | {"00555": 7}), [100])
    assert diff(first, second, store.load).modified == ["00555"]
    assert len(store.read) == 2


@settings(max_examples=100, deadline=None)
@given(st.lists(maps, max_size=4))
def test_merge_is_that_of_dicts(layers: list[Files]) -> None:
    expected: Files = {}
    owner: dict[str, str] = {}
    for number, layer in enumerate(layers):
        expected |= layer
        owner |= dict.fromkeys(layer, str(number))
    result = merged(rows_of(layer, str(number)) for number, layer in enumerate(layers))
    assert result.paths == sorted(expected)
    assert result.data["b3"][:, 0].tolist() == [expected[path] + 1 for path in sorted(expected)]
    assert [result.origins[n] for n in result.data["origin"]] == [owner[path] for path in sorted(expected)]


def test_cuts_move_only_near_a_change() -> None:
    paths = sorted(f"train/{n % 100:03}/{n:07}.jpg" for n in range(300_000))
    ends = cuts(paths)
    lengths = np.diff([0, *ends])
    assert ends[-1] == len(paths)
    assert 4 <= len(ends) <= 30
    assert lengths[:-1].min() >= 8192
    assert lengths.max() <= 131_072
    changed = [*paths[:150_000], "train/050/new", *paths[150_000:]]
    starts = {paths[end - 1] for end in ends}
    moved = {changed[end - 1] for end in cuts(changed)} ^ starts
    assert len(moved) <= 4


def test_ranges_give_their_rows_back() -> None:
    rows = rows_of({f"{n:06}": n for n in range(50_000)})
    rows = Rows(rows.paths, rows.data, rows.packs, rows.origins)
    parts = list(encode_ranges(rows))
    assert len(parts) > 1
    decoded = []
    for part in parts:
        ref = RangeRef(f"v/{part.id}", part.first, part.last, part.rows, len(part.data))
        decoded.append(decode_range(open_range(part.data, ref.key), ref))
    whole = concatenated(decoded)
    assert whole.paths == rows.paths
    assert (whole.data == rows.data).all()
    assert (whole.packs, whole.origins) == (rows.packs, rows.origins)
