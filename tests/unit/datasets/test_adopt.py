"""Rows of other versions in a draft, packs used as wholes, parts, several places."""

import os
from pathlib import Path

import pytest

from tests.unit.datasets.conftest import Write, tree
from trialbook.base.ids import new_id
from trialbook.datasets.draft.draft import Link
from trialbook.datasets.manifest.selection import Selection
from trialbook.datasets.repository import Repository
from trialbook.datasets.sources.sniff import Policy
from trialbook.datasets.storage.folder import FolderBlobs
from trialbook.datasets.storage.places import BlobsBelow, RoutedBlobs
from trialbook.errors import UsageError


def test_adopted_rows_survive_a_reopening(repository: Repository, write: Write) -> None:
    first = repository.begin(new_id())
    first.add_folder(write({"x": b"1", "y": b"2"}))
    first.add_links([Link("l", "file:///nowhere", 5, "tag")])
    first.upload()
    source = repository.open(first.finish().version)
    sizes = {ref.key: (ref.bytes, ref.members) for ref in source.root.packs}
    draft = repository.begin(new_id())
    draft.add_folder(write({"x": b"other", "z": b"3"}))
    draft.adopt(source.rows, sizes)
    draft.close()
    again = repository.begin(draft.version)
    assert again.paths() == ["l", "x", "y", "z"] and again.pending == 1
    again.upload()
    root = again.finish()
    assert root.links == 1 and set(root.graph) == {draft.version}
    assert tree(repository.copy(draft.version)) == {"x": b"1", "y": b"2", "z": b"3"}
    assert set(repository.open(draft.version).rows.origins) == {draft.version}


def test_packs_are_made_whole(repository: Repository, write: Write) -> None:
    draft = repository.begin(new_id(), policy=Policy(aliases=False))
    draft.add_folder(write({"a": b"1" * 900, "b": b"2" * 900, "c": b"3" * 900}))
    draft.upload()
    draft.add_folder(write({"b": b"changed"}))
    draft.upload()
    draft.remove("c")
    version = repository.open(draft.finish(whole_packs=True).version)
    for ref in version.root.packs:
        used = sum(version.rows.pack_of(place) == ref.key for place in range(len(version.rows)))
        assert used == ref.members
    assert tree(repository.copy(version.id)) == {"a": b"1" * 900, "b": b"changed"}
    assert repository.verify(version.id) == []


def test_parts_are_disjoint_and_cover(repository: Repository, write: Write) -> None:
    files = {f"f{n}": os.urandom(40_000) for n in range(12)}
    draft = repository.begin(new_id(), policy=Policy(pack_bytes=100_000))
    draft.add_folder(write(files))
    draft.upload()
    version = repository.open(draft.finish().version)
    count = len(version.root.packs)
    assert count > 3
    for parts in (1, 2, count, count + 2):
        chosen = [
            Selection.of(part=part, parts=parts).rows(version.rows, version.root).paths
            for part in range(parts)
        ]
        assert sorted(path for paths in chosen for path in paths) == sorted(files)
    both = Selection.of("f1*", 0, 2)
    assert set(both.rows(version.rows, version.root).paths) <= {"f1", "f10", "f11"}
    with pytest.raises(UsageError):
        Selection.of(part=2, parts=2)


def test_packs_in_another_place(tmp_path: Path, write: Write) -> None:
    store, other = FolderBlobs(tmp_path / "store"), FolderBlobs(tmp_path / "other")
    repository = Repository(store, tmp_path / "cache")
    draft = repository.begin(new_id())
    draft.add_folder(write({"x": b"1"}))
    keys: list[str] = []
    draft.upload(target=Repository(other, tmp_path / "cache").objects, stored=keys.append)
    (key,) = keys
    draft.close()
    routed = RoutedBlobs(store, lambda name: other if name == key else None)
    both = Repository(routed, tmp_path / "cache")
    version = both.begin(draft.version).finish().version
    assert tree(both.copy(version)) == {"x": b"1"}
    assert not list((tmp_path / "store").glob("packs/**/*.zip"))
    below = BlobsBelow(FolderBlobs(tmp_path), "store")
    assert {info.key for info in below.list("versions")} == {f"versions/{version}.json"}
    assert Repository(BlobsBelow(FolderBlobs(tmp_path), "store"), tmp_path / "cache").versions() == [version]


def test_a_copy_that_was_damaged_is_made_anew(repository: Repository, write: Write) -> None:
    draft = repository.begin(new_id())
    draft.add_folder(write({"x": b"12345", "sub/y": b"6"}))
    draft.upload()
    version = draft.finish().version
    folder = repository.copy(version)
    (folder / "x").chmod(0o644)
    (folder / "x").write_bytes(b"")
    assert tree(repository.copy(version)) == {"x": b"12345", "sub/y": b"6"}
    (folder / "sub" / "y").unlink()
    assert tree(repository.copy(version)) == {"x": b"12345", "sub/y": b"6"}
