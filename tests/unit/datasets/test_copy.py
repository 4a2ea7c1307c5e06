"""Copies: shared and private views, what they share, and what they survive."""

import errno
import os
import stat
import threading
import tracemalloc
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from tests.unit.datasets.conftest import Write, tree
from trialbook.base.ids import new_id
from trialbook.client.files import FileClient
from trialbook.datasets.copies import materialise
from trialbook.datasets.copies.verify import verify_folder
from trialbook.datasets.manifest.roots import RangeRef, decode_range, encode_range
from trialbook.datasets.manifest.table import Table
from trialbook.datasets.repository import Repository, Version
from trialbook.datasets.sources.sniff import Policy
from trialbook.datasets.storage.folder import FolderBlobs
from trialbook.datasets.storage.places import RoutedBlobs
from trialbook.errors import DatasetDamaged, DatasetMissing, PathRefused, UsageError
from trialbook.sdk.dataset.stores import UrlBlobs

FILES = {"a/x": b"x" * 3000, "a/y": os.urandom(3000), "b": b"", "c/d/e": b"run"}


def commit(repository: Repository, folder: Path, *parents: str) -> Version:
    draft = repository.begin(new_id(), parents)
    draft.add_folder(folder)
    draft.upload()
    return repository.open(draft.finish().version)


def test_shared_views_are_read_only_and_share_bytes(repository: Repository, write: Write) -> None:
    source = write(FILES)
    (source / "c/d/e").chmod(0o755)
    first = commit(repository, source)
    one = repository.copy(first.id)
    assert repository.copy(first.id) == one
    assert stat.S_IMODE((one / "a/x").stat().st_mode) & 0o222 == 0
    assert (one / "c/d/e").stat().st_mode & 0o111
    assert not (one / "a/x").stat().st_mode & 0o111
    second = commit(repository, write({"a/x": b"new"}), first.id)
    other = repository.copy(second.id)
    assert tree(other) == FILES | {"a/x": b"new"}
    assert (other / "a/y").samefile(one / "a/y")
    assert not (other / "a/x").samefile(one / "a/x")


def test_a_changed_file_of_a_view_is_not_lent(repository: Repository, write: Write) -> None:
    first = commit(repository, write(FILES))
    one = repository.copy(first.id)
    (one / "a/y").chmod(0o644)
    (one / "a/y").write_bytes(b"!" * 3000)
    facts = (one / "a/y").stat()
    os.utime(one / "a/y", (facts.st_atime, facts.st_mtime + 5))
    assert [problem.name for problem in verify_folder(first.rows, one)] == ["a/y"]
    assert verify_folder(first.rows, one, content=False) == []
    second = commit(repository, write({"new": b"new"}), first.id)
    assert tree(repository.copy(second.id)) == FILES | {"new": b"new"}


def test_private_copies_belong_to_the_caller(repository: Repository, write: Write, tmp_path: Path) -> None:
    version = commit(repository, write(FILES))
    before = repository.mutable_copy(version.id, tmp_path / "one")
    view = repository.copy(version.id)
    after = repository.mutable_copy(version.id, tmp_path / "two")
    for folder in (before, after):
        assert tree(folder) == FILES
        (folder / "a/x").write_bytes(b"mine")
        assert (folder / "a/x").stat().st_nlink == 1
    assert tree(view) == FILES
    with pytest.raises(UsageError, match="not empty"):
        repository.mutable_copy(version.id, tmp_path / "one")


def test_a_part_reads_a_part(repository: Repository, write: Write) -> None:
    version = commit(repository, write(FILES))
    part = repository.copy(version.id, "a")
    assert tree(part) == {path: data for path, data in FILES.items() if path.startswith("a/")}
    assert part != repository.copy(version.id)


def test_many_readers_build_one_view(repository: Repository, write: Write) -> None:
    version = commit(repository, write({f"{n // 50}/{n}": os.urandom(900) for n in range(1000)}))
    found: list[Path] = []
    start = threading.Barrier(6)

    def read() -> None:
        start.wait()
        found.append(repository.copy(version.id))

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(set(found)) == 1
    assert verify_folder(version.rows, found[0]) == []


def test_verify_folder_names_what_is_wrong(repository: Repository, write: Write, tmp_path: Path) -> None:
    version = commit(repository, write(FILES))
    copy = repository.mutable_copy(version.id, tmp_path / "copy")
    (copy / "a/x").write_bytes(b"y" * 3000)
    (copy / "a/y").unlink()
    (copy / "b").write_bytes(b"longer")
    assert [problem.name for problem in verify_folder(version.rows, copy)] == ["a/x", "a/y", "b"]
    assert [problem.name for problem in verify_folder(version.rows, copy, content=False)] == ["a/y", "b"]


@pytest.mark.parametrize("path", ["../out", "/etc/x", "a/../../x"])
def test_a_forged_manifest_cannot_leave_the_folder(repository: Repository, write: Write, path: str) -> None:
    rows = commit(repository, write({"a": b"1"})).rows
    forged = type(rows)([path], rows.data, rows.packs, rows.origins)
    with pytest.raises(PathRefused):
        decode_range(Table(encode_range(forged)), RangeRef("v/x", path, path, 1, 0))


@pytest.mark.parametrize(
    ("name", "value"), [("pack", 9), ("origin", 5), ("method", 12), ("size", -1), ("b3", 0)]
)
def test_rows_that_contradict_are_refused(
    repository: Repository, write: Write, name: str, value: int
) -> None:
    rows = commit(repository, write({"a": b"1"})).rows
    data = rows.data.copy()
    data[name] = value
    data["sha256"] = 0 if name == "b3" else data["sha256"]
    forged = type(rows)(rows.paths, data, rows.packs, rows.origins)
    with pytest.raises(DatasetDamaged):
        decode_range(Table(encode_range(forged)), RangeRef("v/x", "a", "a", 1, 0))


def test_a_row_that_claims_less_than_a_member_unpacks_to(repository: Repository, write: Write) -> None:
    from trialbook.datasets.packs.reader import PackReader, wanted_of

    version = commit(repository, write({"a": b"0" * 2_000_000}))
    data = version.rows.data.copy()
    data["size"] = 100
    reader = PackReader(repository._objects.blobs, version.rows.packs[0])
    with pytest.raises(DatasetDamaged):
        for _, parts in reader.members(wanted_of(np.array([0]), data)):
            list(parts)


LARGE = {
    "large/a": os.urandom(3_000_000),
    "large/b": os.urandom(9_000_001),
    "large/zero": b"",
    "small": b"x" * 99,
}


@pytest.mark.parametrize("policy", [Policy(native=True), Policy(aliases=False)], ids=["native", "interop"])
@pytest.mark.parametrize("elsewhere", [False, True], ids=["home", "elsewhere"])
def test_D24_large_files_are_copied_in_place(
    repository: Repository, write: Write, tmp_path: Path, policy: Policy, elsewhere: bool
) -> None:
    draft = repository.begin(new_id(), (), policy)
    draft.add_folder(write(LARGE))
    draft.upload()
    version = draft.finish(whole_packs=not policy.native).version
    other = repository
    if elsewhere:
        # As the SDK reads packs that have addresses of their own; those on this machine ask no server.
        nobody = cast("FileClient", None)
        store = tmp_path / "store"
        blobs = RoutedBlobs(
            FolderBlobs(store), lambda key: UrlBlobs(nobody, f"file://{store}/packs/{key}.zip")
        )
        other = Repository(blobs, tmp_path / "other")
    tracemalloc.start()
    try:
        assert tree(other.copy(version)) == LARGE
        copied = other.mutable_copy(version, tmp_path / "mine")
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        other.forget_copy(other.objects.pointer(version))
        other.copy(version)
        # Whatever the way, no file goes through memory as a whole.
        assert tracemalloc.get_traced_memory()[1] - before < 2 << 20
    finally:
        tracemalloc.stop()
    assert tree(copied) == LARGE


@pytest.mark.parametrize("fault", ["bytes", "short", "gone"])
def test_D24_what_is_copied_in_place_is_checked(
    repository: Repository, write: Write, tmp_path: Path, fault: str
) -> None:
    version = commit(repository, write(LARGE))
    (pack,) = (tmp_path / "store/packs").rglob("*.zip")
    data = bytearray(pack.read_bytes())
    at = data.index(LARGE["large/b"][:100])
    data[at + 5_000_000] ^= 1
    if fault == "gone":
        pack.unlink()
    else:
        pack.write_bytes(data if fault == "bytes" else data[: at + 5_000_000])
    with pytest.raises((DatasetDamaged, DatasetMissing)):
        repository.copy(version.id)
    assert not [*(tmp_path / "cache/views").glob("*/view.json")]
    failed: list[str] = []
    repository.mutable_copy(version.id, tmp_path / "part", failed=failed)
    left = tree(tmp_path / "part")
    assert all(LARGE[path] == data for path, data in left.items()) and "large/b" not in left
    if fault == "bytes":
        assert left.keys() == LARGE.keys() - {"large/b"} and len(failed) == 1 and "large/b" in failed[0]


@pytest.mark.parametrize("answer", [errno.EXDEV, errno.ENOSYS, errno.EINVAL, 0])
def test_D24_a_private_copy_where_the_system_cannot_copy(
    repository: Repository, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: int
) -> None:
    version = commit(repository, write(LARGE))
    repository.copy(version.id)

    def refused(*_: int) -> int:
        if answer:
            raise OSError(answer, os.strerror(answer))
        return 0

    monkeypatch.setattr(os, "copy_file_range", refused)
    assert tree(repository.mutable_copy(version.id, tmp_path / "mine")) == LARGE


def test_D24_a_file_of_a_private_copy_has_its_name_once_it_is_whole(tmp_path: Path) -> None:
    goal = tmp_path / "data.bin"
    seen: list[list[str]] = []

    def write(handle: int) -> None:
        os.write(handle, b"half")
        seen.append([path.suffix for path in tmp_path.iterdir()])
        if len(seen) == 1:
            raise KeyboardInterrupt
        os.write(handle, b" and half")

    with pytest.raises(KeyboardInterrupt):
        materialise._filled(str(goal), True, False, write)
    assert list(tmp_path.iterdir()) == []
    materialise._filled(str(goal), True, False, write)
    assert seen == [[".part"], [".part"]] and list(tmp_path.iterdir()) == [goal]
    assert goal.read_bytes() == b"half and half"
    with pytest.raises(FileExistsError):
        materialise._filled(str(goal), True, False, write)
    assert list(tmp_path.iterdir()) == [goal] and goal.read_bytes() == b"half and half"
