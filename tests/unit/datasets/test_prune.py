"""Deleting: guards, receipts, undo, sweeps, and what open drafts protect."""

import os
from pathlib import Path

import pytest

from tests.unit.datasets.conftest import Write, tree
from trialbook.base.ids import new_id
from trialbook.datasets.repository import Repository
from trialbook.datasets.storage.folder import FolderBlobs
from trialbook.datasets.storage.objects import Objects
from trialbook.datasets.storage.prune import GRACE, abandon_draft, receipts
from trialbook.errors import DatasetInUse, DatasetMissing


class Hands:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 1e9

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def repository(tmp_path: Path, clock: Hands) -> Repository:
    return Repository(FolderBlobs(tmp_path / "store"), tmp_path / "cache", clock)


def commit(repository: Repository, folder: Path, *parents: str) -> str:
    draft = repository.begin(new_id(), parents)
    draft.add_folder(folder)
    draft.upload()
    return draft.finish().version


def objects_of(top: Path) -> set[str]:
    store = top / "store"
    kinds = ("packs", "ranges", "roots", "versions", "receipts", "drafts")
    return {
        str(file.relative_to(store)) for kind in kinds for file in (store / kind).rglob("*") if file.is_file()
    }


def test_delete_frees_what_nobody_uses(
    repository: Repository, write: Write, tmp_path: Path, clock: Hands
) -> None:
    kept = commit(repository, write({"x": b"1" * 900, "y": os.urandom(900)}))
    before = objects_of(tmp_path)
    child = commit(repository, write({"y": os.urandom(5000)}), kept)
    freed = sum(
        (tmp_path / "store" / key).stat().st_size
        for key in objects_of(tmp_path) - before
        if not key.startswith("versions")
    )
    receipt = repository.delete([child])
    assert receipt.freed == freed
    assert repository.versions() == [kept]
    assert [(item.key.split("/")[0], item.users) for item in receipt.kept] == [(kept, (kept,))]
    with pytest.raises(DatasetInUse, match="can be swept in"):
        repository.sweep(receipt.id)
    clock.now += GRACE
    assert repository.sweep(receipt.id) == 3
    assert objects_of(tmp_path) == before
    with pytest.raises(DatasetMissing):
        repository.sweep(receipt.id)
    assert repository.verify(kept) == []


def test_undo(repository: Repository, write: Write, clock: Hands) -> None:
    version = commit(repository, write({"x": b"1"}))
    receipt = repository.delete([version])
    with pytest.raises(DatasetMissing):
        repository.open(version)
    repository.undelete(receipt.id)
    assert repository.open(version).read("x") == b"1"
    with pytest.raises(DatasetMissing):
        repository.undelete(receipt.id)


def test_dead_bytes_of_shared_packs_are_counted(repository: Repository, write: Write) -> None:
    big = os.urandom(5000)
    first = commit(repository, write({"big": big, "small": b"s"}))
    draft = repository.begin(new_id(), [first])
    draft.remove("big")
    child = draft.finish().version
    receipt = repository.delete([first], force=True)
    (kept,) = receipt.kept
    assert (kept.users, kept.dead_bytes) == ((child,), 5000)


def test_open_drafts_protect_their_parents_and_their_own(
    repository: Repository, write: Write, tmp_path: Path, clock: Hands
) -> None:
    parent = commit(repository, write({"x": b"1"}))
    draft = repository.begin(new_id(), [parent])
    draft.add_folder(write({"y": b"2"}))
    draft.upload()
    with pytest.raises(DatasetInUse, match="open draft"):
        repository.delete([parent])
    receipt = repository.delete([parent], force=True)
    assert receipt.drafts == (draft.version,)
    assert receipt.doomed == ()
    clock.now += 30 * GRACE
    orphans = repository.delete([])
    clock.now += GRACE
    assert repository.sweep(receipt.id) == repository.sweep(orphans.id) == 0
    assert tree(repository.copy(draft.finish().version)) == {"x": b"1", "y": b"2"}


def test_a_version_that_comes_between_mark_and_sweep_is_kept(
    repository: Repository, write: Write, tmp_path: Path, clock: Hands
) -> None:
    parent = commit(repository, write({"x": b"1"}))
    receipt = repository.delete([parent])
    repository.undelete(receipt.id)
    child = repository.begin(new_id(), [parent]).finish().version
    again = repository.delete([parent], force=True)
    clock.now += GRACE
    repository.sweep(again.id)
    assert tree(repository.copy(child)) == {"x": b"1"}


def test_an_abandoned_draft_is_swept(
    repository: Repository, write: Write, tmp_path: Path, clock: Hands
) -> None:
    kept = commit(repository, write({"x": b"1"}))
    before = objects_of(tmp_path)
    draft = repository.begin(new_id(), [kept])
    draft.add_folder(write({"y": b"2"}))
    draft.upload()
    draft.close()
    assert repository.delete([]).doomed == ()
    abandon_draft(Objects(FolderBlobs(tmp_path / "store")), draft.version)
    repository.delete([])
    clock.now += GRACE
    for receipt in receipts(Objects(FolderBlobs(tmp_path / "store"))):
        repository.sweep(receipt.id)
    assert objects_of(tmp_path) == before
    with pytest.raises(DatasetMissing, match="gone"):
        repository.begin(draft.version).finish()


def test_a_draft_object_of_a_finished_version_protects_nothing(
    repository: Repository, write: Write, tmp_path: Path, clock: Hands
) -> None:
    version = commit(repository, write({"x": b"1"}))
    (tmp_path / "store" / "drafts" / f"{version}.json").write_bytes(b'{"parents": []}')
    receipt = repository.delete([version])
    clock.now += GRACE
    assert repository.sweep(receipt.id) == 3
    assert objects_of(tmp_path) == set()
