"""Writing past the page cache: the same file, whatever its edges are."""

import random
import resource
from pathlib import Path

import pytest

from tests.unit.datasets.test_faults import in_child
from trialbook.datasets.storage.direct import BLOCK, Output


@pytest.mark.parametrize("direct", [True, False])
def test_what_is_written_is_read(tmp_path: Path, direct: bool) -> None:
    chance = random.Random(4)
    lengths = [1, 70_000, 5, BLOCK, 100_000, 64 << 10, 9_000_001, 3]
    parts = [chance.randbytes(length) for length in lengths]
    file = Output(tmp_path / "file", direct)
    # Not in their order: several threads write at places of their own.
    order = list(range(len(parts)))
    chance.shuffle(order)
    for number in order:
        file.write(parts[number], sum(lengths[:number]))
    file.close()
    assert (tmp_path / "file").read_bytes() == b"".join(parts)


def test_where_there_is_no_such_way_it_is_written_as_usual() -> None:
    shared = Path("/dev/shm")
    if not shared.is_dir():
        pytest.skip("no /dev/shm")
    path = shared / f"trialbook-test-{random.randrange(1 << 60):x}"
    try:
        file = Output(path, True)
        file.write(b"x" * 200_000, 0)
        file.close()
        assert path.read_bytes() == b"x" * 200_000
    finally:
        path.unlink()


def test_a_limit_is_told(tmp_path: Path) -> None:
    def work() -> str:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
        Output(tmp_path / "file", True).write(bytes(2 << 20), 0)
        return "written"

    assert in_child(work).startswith("OSError")
