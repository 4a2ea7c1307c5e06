"""``kill -9`` at random moments of a commit and of a prune, in a real process."""

import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.datasets.conftest import Write, tree
from trialbook.base.ids import new_id
from trialbook.datasets.folder import FolderBlobs
from trialbook.datasets.objects import Objects
from trialbook.datasets.prune import receipts
from trialbook.datasets.repository import Repository
from trialbook.datasets.sniff import Policy
from trialbook.errors import DatasetInUse

ROUNDS = 30
"""Kills of a commit; a prune gets half of them. Raise it after a change of the order of writing."""
POLICY = Policy(pack_bytes=300_000)


def run_and_kill(work: Callable[[], None], after: float) -> bool:
    """Do ``work`` in a child; kill it after so many seconds. True when it had come to its end."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    timer = time.monotonic() + after
    while time.monotonic() < timer:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert os.waitstatus_to_exitcode(status) == 0
            return True
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 0


def opened(top: Path, late: float = 0.0) -> Repository:
    return Repository(FolderBlobs(top / "store"), top / "cache", lambda: time.time() + late)


def duration(work: Callable[[], None]) -> float:
    start = time.monotonic()
    assert run_and_kill(work, 60)
    return time.monotonic() - start


def packs(top: Path) -> dict[Path, int]:
    return {file: file.stat().st_ino for file in (top / "store" / "packs").rglob("*.zip")}


@pytest.mark.timeout(300)
def test_commit(tmp_path: Path, write: Write) -> None:
    chance = random.Random(7)
    files = {f"{n % 7}/{n}": chance.randbytes(chance.randrange(20_000)) for n in range(150)}
    files["large"] = chance.randbytes(900_000)
    files["text"] = b"words and words " * 60_000
    source = write(files)
    parent = opened(tmp_path).begin(new_id(), policy=POLICY)
    parent.add_folder(write({"parent": b"p", "0/0": b"other"}))
    parent.upload()
    parent.finish()
    expected = files | {"parent": b"p"}

    def work_for(version: str) -> Callable[[], None]:
        def work() -> None:
            draft = opened(tmp_path).begin(version, [parent.version], POLICY)
            draft.add_folder(source)
            draft.upload()
            draft.finish()

        return work

    usual = min(duration(work_for(new_id())) for _ in range(3))
    killed = 0
    while killed < ROUNDS:
        version = new_id()
        came = run_and_kill(work_for(version), chance.uniform(0, usual))
        killed += not came
        usual *= 0.9 if came else 1.03
        repository = opened(tmp_path)
        if version not in repository.versions():
            before = packs(tmp_path)
            draft = repository.begin(version, [parent.version], POLICY)
            draft.add_folder(source)
            draft.upload()
            draft.finish()
            after = packs(tmp_path)
            assert {file: after[file] for file in before} == before, "a stored pack was sent again"
        else:
            with pytest.raises(DatasetInUse, match="finished"):
                repository.begin(version)
        copy = repository.mutable_copy(version, tmp_path / f"copy-{version}")
        assert tree(copy) == expected
        shutil.rmtree(copy)
        assert repository.verify(version) == []
        assert not (tmp_path / "store" / "drafts" / f"{version}.json").exists()
        assert not (tmp_path / "cache" / "drafts" / version).exists()
    assert repository.verify(parent.version) == []
    removed = repository.delete([])
    assert opened(tmp_path, 90_000).sweep(removed.id) == len(removed.doomed)
    assert all(not repository.verify(version) for version in repository.versions()[:5])


@pytest.mark.timeout(300)
def test_prune(tmp_path: Path, write: Write) -> None:
    chance = random.Random(8)
    repository = opened(tmp_path)

    def commit(*parents: str) -> str:
        draft = repository.begin(new_id(), parents, POLICY)
        draft.add_folder(write({f"{n}": chance.randbytes(9000) for n in range(60)}))
        draft.upload()
        return draft.finish().version

    first = commit()
    kept = [first, commit(first)]
    clean = _objects(tmp_path)

    def work_for(versions: list[str]) -> Callable[[], None]:
        def work() -> None:
            receipt = opened(tmp_path).delete(versions, force=True)
            opened(tmp_path, 90_000).sweep(receipt.id)

        return work

    usual = min(duration(work_for([commit(first)])) for _ in range(3))
    killed = 0
    while killed < ROUNDS // 2:
        child = commit(first)
        doomed = [child, commit(child, kept[1])]
        came = run_and_kill(work_for(doomed), chance.uniform(0, usual))
        killed += not came
        usual *= 0.9 if came else 1.03
        for version in repository.versions():
            assert repository.verify(version) == []
        left = [version for version in doomed if version in repository.versions()]
        repository.delete(left, force=True)
        for receipt in receipts(Objects(FolderBlobs(tmp_path / "store"))):
            opened(tmp_path, 90_000).sweep(receipt.id)
        assert _objects(tmp_path) == clean
    for version in kept:
        assert repository.verify(version) == []


def _objects(top: Path) -> set[Path]:
    kinds = ("packs", "ranges", "roots", "versions", "receipts", "drafts")
    return {file for kind in kinds for file in (top / "store" / kind).rglob("*") if file.is_file()}


def test_a_dead_writer_leaves_no_lock(tmp_path: Path, write: Write) -> None:
    version, source = new_id(), write({"a": b"1"})
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        draft = opened(tmp_path).begin(version)
        draft.add_folder(source)
        os.write(writing, b"!")
        signal.pause()
    assert os.read(reading, 1) == b"!"
    with pytest.raises(DatasetInUse):
        opened(tmp_path).begin(version)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    draft = opened(tmp_path).begin(version)
    assert draft.pending == 1
    draft.upload()
    assert tree(opened(tmp_path).copy(draft.finish().version)) == {"a": b"1"}
