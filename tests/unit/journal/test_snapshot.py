"""The bytes of the moment of the call win, whatever happens to the file afterwards."""

import os
import signal
import sys
from pathlib import Path

import pytest

from trialbook.errors import SourceChanged
from trialbook.journal import snapshot

LARGE = 3 * snapshot.AT_ONCE
linux = pytest.mark.skipif(sys.platform != "linux", reason="leases are Linux's")


def filled(path: Path, size: int) -> bytes:
    data = os.urandom(1 << 20) * (size >> 20) + b"end"
    path.write_bytes(data)
    return data


def kept(source: Path, tmp_path: Path) -> Path:
    target = tmp_path / "spool" / "0.bin"
    target.parent.mkdir()
    snapshot.keep(source, target)
    return target


@pytest.mark.parametrize("size", [1 << 20, LARGE])
def test_overwritten_at_once(tmp_path: Path, size: int) -> None:
    source = tmp_path / "weights"
    data = filled(source, size)
    target = kept(source, tmp_path)
    # Truncated in place, as most frameworks save.
    with source.open("wb") as file:
        file.write(b"next checkpoint")
    assert snapshot.size_of(target) == len(data)
    assert snapshot.settle(target).read_bytes() == data
    assert source.read_bytes() == b"next checkpoint"


@pytest.mark.parametrize("size", [1 << 20, LARGE])
def test_changed_in_the_middle_at_once(tmp_path: Path, size: int) -> None:
    source = tmp_path / "weights"
    data = filled(source, size)
    target = kept(source, tmp_path)
    with source.open("r+b") as file:
        file.seek(size // 2)
        file.write(b"x" * 1000)
    assert snapshot.settle(target).read_bytes() == data


@pytest.mark.parametrize("size", [1 << 20, LARGE])
def test_deleted_or_replaced_at_once(tmp_path: Path, size: int) -> None:
    source = tmp_path / "weights"
    data = filled(source, size)
    target = kept(source, tmp_path)
    (tmp_path / "other").write_bytes(b"other")
    (tmp_path / "other").replace(source)
    source.unlink()
    assert snapshot.settle(target).read_bytes() == data


def test_a_file_that_somebody_writes_is_copied_on_the_spot(tmp_path: Path) -> None:
    source = tmp_path / "log"
    data = filled(source, LARGE)
    with source.open("r+b"):
        target = kept(source, tmp_path)
        assert target.read_bytes() == data
    assert snapshot.settle(target) == target


@linux
def test_a_copy_that_was_killed_falls_back_on_the_original(tmp_path: Path) -> None:
    source = tmp_path / "weights"
    data = filled(source, 4 * LARGE)
    target = kept(source, tmp_path)
    if target not in snapshot._copying:
        pytest.skip("this file system clones files")
    os.killpg(snapshot._copying[target], signal.SIGKILL)
    used = snapshot.settle(target)
    assert used.read_bytes() == data
    assert snapshot.unchanged(target, used)
    snapshot.forget(target)
    assert list(target.parent.iterdir()) == [] and source.exists()


@linux
def test_a_copy_that_was_killed_says_when_the_original_has_changed(tmp_path: Path) -> None:
    source = tmp_path / "weights"
    filled(source, 4 * LARGE)
    target = kept(source, tmp_path)
    if target not in snapshot._copying:
        pytest.skip("this file system clones files")
    os.killpg(snapshot._copying[target], signal.SIGKILL)
    os.waitpid(snapshot._copying[target], 0)
    target.unlink(missing_ok=True)
    source.write_bytes(b"new")
    with pytest.raises(SourceChanged, match="weights was changed before it could be copied"):
        snapshot.settle(target)


@linux
def test_another_process_waits_for_a_copy_that_still_runs(tmp_path: Path) -> None:
    source = tmp_path / "weights"
    data = filled(source, 4 * LARGE)
    target = kept(source, tmp_path)
    # As a process would that finds the note of a killed one.
    snapshot._copying.pop(target, None)
    assert snapshot.settle(target).read_bytes() == data


@linux
def test_a_copy_that_nobody_wants_any_more_is_ended(tmp_path: Path) -> None:
    source = tmp_path / "weights"
    data = filled(source, 4 * LARGE)
    target = kept(source, tmp_path)
    if target not in snapshot._copying:
        pytest.skip("this file system clones files")
    pid = snapshot._copying[target]
    snapshot.forget(target)
    # Nothing is left that could write into the spool later, and no dead process either.
    with pytest.raises(ChildProcessError):
        os.waitpid(pid, 0)
    assert list(target.parent.iterdir()) == [] and source.read_bytes() == data
