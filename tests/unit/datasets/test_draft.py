"""Drafts: what is added, changed, removed; what travels; merging; going on after a crash."""

import os
from pathlib import Path

import pytest
from blake3 import blake3

from tests.unit.datasets.conftest import Write, tree
from trialbook.base.ids import new_id
from trialbook.datasets.draft.draft import Changes
from trialbook.datasets.manifest.lineage import chunks, own_chunks
from trialbook.datasets.repository import Repository, Version
from trialbook.datasets.sources import unchanged
from trialbook.datasets.sources.sniff import Policy
from trialbook.datasets.storage.folder import FolderBlobs
from trialbook.errors import DatasetError, DatasetInUse, DatasetMissing, SourceChanged, UsageError


def commit(repository: Repository, folder: Path, *parents: str, policy: Policy | None = None) -> Version:
    draft = repository.begin(new_id(), parents, policy)
    draft.add_folder(folder)
    draft.upload()
    return repository.open(draft.finish().version)


def pack_bytes(top: Path) -> int:
    return sum(file.stat().st_size for file in (top / "store" / "packs").rglob("*.zip"))


def test_counts(repository: Repository, write: Write) -> None:
    first = commit(repository, write({"same": b"s", "edit": b"old", "grow": b"g", "gone": b"x"}))
    draft = repository.begin(new_id(), [first.id])
    source = write({"same": b"s", "edit": b"new", "grow": b"gg", "new": b"n"})
    changes = draft.add_folder(source)
    assert changes == Changes(added=1, modified=2, unchanged=1)
    assert draft.add_folder(source) == Changes(unchanged=4)
    assert draft.pending == 3
    with pytest.raises(DatasetError, match="upload first"):
        draft.finish()
    assert draft.upload() == 1
    assert draft.pending == 0
    assert draft.upload() == 0
    version = repository.open(draft.finish().version)
    assert tree(repository.copy(version.id)) == {
        "same": b"s", "edit": b"new", "grow": b"gg", "new": b"n", "gone": b"x",
    }  # fmt: skip
    origins = dict(zip(version.rows.paths, version.rows.data["origin"].tolist(), strict=True))
    named = {path: version.rows.origins[number] for path, number in origins.items()}
    assert named == {
        "edit": version.id,
        "grow": version.id,
        "new": version.id,
        "same": first.id,
        "gone": first.id,
    }
    assert repository.diff(first.id, version.id).modified == ["edit", "grow"]
    assert version.root.graph == {version.id: (first.id,), first.id: ()}


def test_merge_order(repository: Repository, write: Write) -> None:
    """M-1"""
    a = commit(repository, write({"x": b"A", "a": b"1"}))
    b = commit(repository, write({"x": b"B", "b": b"2"}))
    for parents, winner in (([a.id, b.id], b"B"), ([b.id, a.id], b"A")):
        draft = repository.begin(new_id(), parents)
        child = draft.finish().version
        assert tree(repository.copy(child)) == {"x": winner, "a": b"1", "b": b"2"}


def test_a_child_without_changes_has_no_chunks(repository: Repository, write: Write) -> None:
    """M-2"""
    parent = commit(repository, write({"x": b"1", "y/z": b"2"}))
    root = repository.begin(new_id(), [parent.id]).finish()
    assert own_chunks(root) == 0
    assert root.ranges == parent.root.ranges
    assert tree(repository.copy(root.version)) == {"x": b"1", "y/z": b"2"}


def test_one_changed_file_costs_one_file(repository: Repository, write: Write, tmp_path: Path) -> None:
    """M-3"""
    files = {f"{n // 100}/{n}": os.urandom(200) for n in range(3000)}
    first = commit(repository, write(files))
    before = pack_bytes(tmp_path)
    changed = files | {"7/777": b"changed"}
    second = commit(repository, write(changed), first.id)
    assert pack_bytes(tmp_path) - before < 1500
    assert tree(repository.copy(second.id)) == changed
    assert tree(repository.copy(first.id)) == files


def test_removed_and_added_again(repository: Repository, write: Write, tmp_path: Path) -> None:
    """M-4"""
    folder = write({"x": b"same bytes", "y": b"y"})
    first = commit(repository, folder)
    draft = repository.begin(new_id(), [first.id])
    assert draft.remove("x") == 1
    assert draft.remove("x") == 0
    assert draft.paths() == ["y"]
    second = draft.finish()
    third = commit(repository, folder, second.version)
    assert repository.diff(second.version, third.id).added == ["x"]
    assert repository.diff(first.id, third.id) == repository.diff(first.id, first.id)


def test_equal_bytes_are_stored_once(repository: Repository, write: Write, tmp_path: Path) -> None:
    """M-5, for files of every size class; and moving a folder costs nothing."""
    small, large, huge = b"small" * 99, os.urandom(600_000), os.urandom(5_000_000)
    files = {"a/1": small, "a/2": small, "b/3": large, "b/4": large, "c/5": huge, "c/6": huge}
    policy = Policy(pack_bytes=4 << 20)
    first = commit(repository, write(files), policy=policy)
    assert tree(repository.copy(first.id)) == files
    assert pack_bytes(tmp_path) < len(small) + len(large) + len(huge) + 5000
    before = pack_bytes(tmp_path)
    moved = {f"moved/{path}": data for path, data in files.items()}
    draft = repository.begin(new_id(), [first.id])
    draft.remove()
    assert draft.add_folder(write(moved)).added == 6
    assert draft.upload() == 0
    second = draft.finish()
    assert pack_bytes(tmp_path) == before
    assert tree(repository.copy(second.version)) == moved


def test_a_forced_deletion_of_a_parent_loses_nothing_of_the_child(
    repository: Repository, write: Write, tmp_path: Path
) -> None:
    """M-6"""
    first = commit(repository, write({"x": b"1", "y": b"2"}))
    second = commit(repository, write({"y": b"3"}), first.id)
    with pytest.raises(DatasetInUse, match="parent"):
        repository.delete([first.id])
    repository.delete([first.id], force=True)
    assert tree(repository.copy(second.id)) == {"x": b"1", "y": b"3"}
    for pack in (tmp_path / "store" / "packs" / first.id).iterdir():
        pack.unlink()
    draft = repository.begin(new_id(), [second.id])
    third = draft.finish().version
    (tmp_path / "cache" / "views").rename(tmp_path / "elsewhere")
    with pytest.raises(DatasetMissing, match=first.id):
        repository.copy(third)


def test_diamond(repository: Repository, write: Write) -> None:
    """M-7"""
    a = commit(repository, write({"a": b"a"}))
    b = commit(repository, write({"b": b"b"}), a.id)
    c = commit(repository, write({"c": b"c"}), a.id)
    d = commit(repository, write({"d": b"d"}), b.id, c.id)
    assert d.root.graph == {d.id: (b.id, c.id), b.id: (a.id,), c.id: (a.id,), a.id: ()}
    assert chunks([a.root, b.root, c.root, d.root]) == chunks([d.root]) == 4
    assert own_chunks(d.root) == 1


def test_sync(repository: Repository, write: Write) -> None:
    first = commit(repository, write({"d/x": b"1", "d/y": b"2", "keep": b"3"}))
    draft = repository.begin(new_id(), [first.id])
    found = draft.sync(write({"x": b"1", "z": b"4"}), "d")
    assert (found.removed, found.added, found.modified) == (1, 1, 0)
    draft.upload()
    assert tree(repository.copy(draft.finish().version)) == {"d/x": b"1", "d/z": b"4", "keep": b"3"}


def test_links(repository: Repository, write: Write, tmp_path: Path) -> None:
    first = repository.begin(new_id())
    first.add_folder(write({"file": b"1"}))
    first.add_link("far/object", "s3://bucket/object", 12, '"etag"')
    first.add_link("file", "https://example.org/file")
    first.close()
    first = repository.begin(first.version)
    assert first.paths() == ["far/object", "file"]
    first.upload()
    root = first.finish()
    assert (root.files, root.links) == (0, 2)
    assert repository.open(root.version).rows.links == {
        "far/object": ("s3://bucket/object", '"etag"'),
        "file": ("https://example.org/file", ""),
    }
    second = repository.begin(new_id(), [root.version])
    second.add_folder(write({"file": b"2"}))
    second.add_link("far/object", "s3://bucket/object", 12, '"other"')
    second.upload()
    child = second.finish()
    assert (child.files, child.links) == (1, 1)
    assert repository.diff(root.version, child.version).modified == ["far/object", "file"]
    assert tree(repository.copy(child.version)) == {"file": b"2"}


def test_squash(repository: Repository, write: Write, tmp_path: Path) -> None:
    a = commit(repository, write({"x": b"A", "gone": b"1"}))
    draft = repository.begin(new_id(), [a.id])
    draft.remove("gone")
    draft.add_folder(write({"y": b"Y"}))
    draft.upload()
    b = draft.finish()
    before = pack_bytes(tmp_path)
    root = repository.squash(new_id(), [b.version])
    assert (root.parents, root.graph) == ((), {root.version: ()})
    assert pack_bytes(tmp_path) == before
    repository.delete([b.version], force=True)
    receipt = repository.delete([a.id], force=True)
    assert {kept.users for kept in receipt.kept} == {(root.version,)}
    assert tree(repository.copy(root.version)) == {"x": b"A", "y": b"Y"}
    assert set(repository.open(root.version).rows.origins) == {root.version}


def test_versions_that_cannot_be_begun(repository: Repository, write: Write) -> None:
    first = commit(repository, write({"x": b"1"}))
    with pytest.raises(DatasetInUse, match="finished"):
        repository.begin(first.id)
    with pytest.raises(UsageError):
        repository.begin("../../etc")
    with pytest.raises(DatasetMissing):
        repository.begin(new_id(), [new_id()])
    draft = repository.begin(new_id(), [first.id])
    with pytest.raises(DatasetInUse, match="another writer"):
        repository.begin(draft.version)
    draft.close()
    with pytest.raises(DatasetInUse, match="other parents"):
        repository.begin(draft.version, [])
    repository.begin(draft.version).abandon()


def test_a_closed_draft_goes_on_without_its_sources(
    repository: Repository, write: Write, tmp_path: Path
) -> None:
    files = {"a": os.urandom(600_000), "b": b"b" * 1000, "c": b"b" * 1000}
    draft = repository.begin(new_id())
    source = write(files)
    draft.add_folder(source)
    draft.upload()
    draft.close()
    for file in source.iterdir():
        file.unlink()
    again = repository.begin(draft.version)
    assert again.pending == 0
    assert again.upload() == 0
    again.add_folder(write({"d": b"later"}))
    again.upload()
    assert tree(repository.copy(again.finish().version)) == files | {"d": b"later"}


def test_pending_files_survive_a_closed_draft(repository: Repository, write: Write) -> None:
    draft = repository.begin(new_id())
    draft.add_folder(write({"a": b"1", "b": b"2"}))
    draft.remove("b")
    draft.close()
    again = repository.begin(draft.version)
    assert (again.pending, again.paths()) == (1, ["a"])
    again.upload()
    assert tree(repository.copy(again.finish().version)) == {"a": b"1"}


def test_a_file_that_changes_after_it_was_added(repository: Repository, write: Write) -> None:
    source = write({"grown": b"1", "same size": b"1", "big": b"1" * 600_000})
    draft = repository.begin(new_id())
    draft.add_folder(source)
    for name in ("grown", "same size", "big"):
        (source / name).write_bytes(b"2" * (600_001 if name == "big" else len(name)))
    draft.upload()
    version = repository.open(draft.finish().version)
    assert tree(repository.copy(version.id)) == tree(source)
    (place,) = [n for n, path in enumerate(version.rows.paths) if path == "big"]
    assert version.rows.data["b3"][place].tobytes() == blake3(b"2" * 600_001).digest()


@pytest.mark.parametrize("size", [10, 600_000])
def test_a_file_that_vanishes_is_named(repository: Repository, write: Write, size: int) -> None:
    source = write({"stays": b"1", "vanishes": b"x" * size})
    draft = repository.begin(new_id())
    draft.add_folder(source)
    (source / "vanishes").unlink()
    with pytest.raises(SourceChanged, match="vanishes"):
        draft.upload()
    draft.remove("vanishes")
    draft.upload()
    assert tree(repository.copy(draft.finish().version)) == {"stays": b"1"}


def test_a_lost_pack_stops_the_commit(repository: Repository, write: Write, tmp_path: Path) -> None:
    draft = repository.begin(new_id())
    draft.add_folder(write({"a": b"1"}))
    draft.upload()
    for pack in (tmp_path / "store" / "packs").rglob("*.zip"):
        pack.unlink()
    with pytest.raises(DatasetMissing, match="gone"):
        draft.finish()
    assert repository.versions() == []


def test_draft_without_local_state_stores_the_same_keys(write: Write, tmp_path: Path) -> None:
    files = write({f"{n}": os.urandom(50_000) for n in range(100)})
    version, policy = new_id(), Policy(pack_bytes=1 << 20)
    first = Repository(FolderBlobs(tmp_path / "store"), tmp_path / "cache1").begin(version, policy=policy)
    first.add_folder(files)
    assert first.upload() > 3
    before = {file: file.stat().st_ino for file in (tmp_path / "store" / "packs").rglob("*.zip")}
    second = Repository(FolderBlobs(tmp_path / "store"), tmp_path / "cache2").begin(version, policy=policy)
    second.add_folder(files)
    second.upload()
    assert {file: file.stat().st_ino for file in (tmp_path / "store" / "packs").rglob("*.zip")} == before


def test_a_closed_draft_remembers_what_it_read(
    repository: Repository, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {f"{n % 3}/{n}": os.urandom(100) for n in range(30)}
    source = write(files)
    draft = repository.begin(new_id())
    draft.add_folder(source)
    draft.upload()
    draft.close()
    first = repository.begin(draft.version).finish()
    (source / "0/3").write_bytes(b"changed" * 10)
    os.utime(source / "0/3", (2, 2))
    read: list[str] = []
    whole = unchanged.read_whole

    def watched(name: str) -> tuple[bytes, tuple[int, int, int, int, int]]:
        read.append(name)
        return whole(name)

    monkeypatch.setattr(unchanged, "read_whole", watched)
    child = repository.begin(new_id(), [first.version])
    changes = child.add_folder(source)
    assert (changes.modified, changes.unchanged) == (1, 29)
    assert read == []
    # Another folder with the same files is read, and is the same.
    assert child.add_folder(write(files)).unchanged == 29
    assert len(read) == 30
