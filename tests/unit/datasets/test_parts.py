"""Parts of a version: which chunk, file and link belongs to which."""

import numpy as np
import pytest

from trialbook.datasets.manifest.roots import Root
from trialbook.datasets.manifest.rows import LINK, NO_PACK, ROW, Rows
from trialbook.datasets.manifest.selection import Selection, dealt
from trialbook.errors import UsageError

OLD, MIDDLE, NEW = "f" * 32, "5" * 32, "0" * 32
ROOT = Root(NEW, 0.0, 0, 0, 0, ((MIDDLE, ""),), {NEW: (MIDDLE,), MIDDLE: (OLD,), OLD: ()}, (), ())


def rows(files: list[tuple[str, int]], links: int = 0) -> Rows:
    """Files by pack and stored bytes, and links behind them."""
    packs = tuple(sorted({pack for pack, _ in files}))
    data = np.zeros(len(files) + links, ROW)
    for number, (pack, size) in enumerate(files):
        data[number]["pack"], data[number]["offset"], data[number]["stored"] = packs.index(pack), number, size
    data["kind"][len(files) :], data["pack"][len(files) :] = LINK, NO_PACK
    return Rows([f"{number:04}" for number in range(len(data))], data, packs, ("",))


def test_D23_the_documented_example() -> None:
    """Eight chunks in five parts: 0 and 5, 1 and 6, 2 and 7, 3, 4; the ancestors' chunks come first."""
    chunks = [
        *(f"{OLD}/data_{n}" for n in range(3)),
        *(f"{MIDDLE}/{n}" for n in range(3)),
        f"{NEW}/0",
        f"{NEW}/1",
    ]
    table = rows([(chunk, 1) for chunk in chunks for _ in range(2)])
    assert dealt(table, ROOT, 5).tolist() == [part for n in range(8) for part in (n % 5, n % 5)]
    assert dealt(table, ROOT, 1).tolist() == [0] * 16


@pytest.mark.parametrize("parts", [1, 2, 3, 5, 8, 13, 40])
@pytest.mark.parametrize("links", [0, 1, 7])
@pytest.mark.parametrize("shape", [(1,), (3,), (1, 1), (9, 1), (1, 4, 2), (5, 5, 5, 5), ()])
def test_D23_every_path_once_and_no_part_empty_without_need(
    shape: tuple[int, ...], links: int, parts: int
) -> None:
    table = rows([(f"{OLD}/{n}", 10 + n) for n, count in enumerate(shape) for _ in range(count)], links)
    found = [Selection.of(part=part, parts=parts).rows(table, ROOT).paths for part in range(parts)]
    assert sorted(path for paths in found for path in paths) == table.paths
    if len(shape) < parts:
        assert sum(map(bool, found)) == min(parts, len(table))
    else:
        assert all(found)


def test_D23_the_largest_chunks_are_cut_first_and_in_one_stretch() -> None:
    table = rows([*((f"{OLD}/a", 100) for _ in range(6)), *((f"{OLD}/b", 1) for _ in range(6))])
    assert dealt(table, ROOT, 4).tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 3, 3, 3, 3]
    with pytest.raises(UsageError):
        Selection.of(part=4, parts=4)
