"""``kill -9`` (and Ctrl-C) at random moments of a commit, of a prune and of a copy, in a real process.

``TRIALBOOK_KILLS=200 pytest tests/faults/test_dataset_kills.py`` kills at 200 moments of each.
"""

import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.datasets.support import Write, tree, writer
from tests.support.length import rounds
from trialbook.base.ids import new_id
from trialbook.datasets.repository import Repository
from trialbook.datasets.sources.sniff import Policy
from trialbook.datasets.storage.folder import FolderBlobs
from trialbook.datasets.storage.objects import Objects
from trialbook.datasets.storage.prune import receipts
from trialbook.errors import DatasetInUse

ROUNDS = rounds("TRIALBOOK_KILLS", short=4, long=50)
"""Kills of each kind."""
POLICY = Policy(pack_bytes=300_000)
NATIVE = Policy(pack_bytes=300_000, native=True)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Makes a folder of files, each time a new one."""
    return writer(tmp_path / "sources")


def run_and_kill(work: Callable[[], None], after: float, how: int = signal.SIGKILL) -> bool:
    """Do ``work`` in a child; send it a signal after so many seconds. True when it had come to its end."""
    child = os.fork()
    if child == 0:
        code = 1
        signal.signal(signal.SIGINT, signal.default_int_handler)
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
    os.kill(child, how)
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


@pytest.mark.timeout(90 + 8 * ROUNDS)
@pytest.mark.parametrize(
    ("policy", "how"),
    [(POLICY, signal.SIGKILL), (NATIVE, signal.SIGKILL), (POLICY, signal.SIGINT)],
    ids=["interop", "native", "interrupted"],
)
def test_commit(tmp_path: Path, write: Write, policy: Policy, how: int) -> None:
    chance = random.Random(7)
    files = {f"{n % 7}/{n}": chance.randbytes(chance.randrange(20_000)) for n in range(150)}
    earlier = chance.randbytes(9_000_000 if policy.native else 900_000)
    # In native mode, this one is stored in pieces.
    files["large"] = earlier[:500_000] + b"new" + earlier[500_000:]
    files["text"] = b"words and words " * 60_000
    source = write(files)
    parent = opened(tmp_path).begin(new_id(), policy=policy)
    parent.add_folder(write({"parent": b"p", "0/0": b"other", "large": earlier}))
    parent.upload()
    parent.finish()
    expected = files | {"parent": b"p"}

    def work_for(version: str) -> Callable[[], None]:
        def work() -> None:
            draft = opened(tmp_path).begin(version, [parent.version], policy)
            draft.add_folder(source)
            draft.upload()
            draft.finish()

        return work

    usual = min(duration(work_for(new_id())) for _ in range(3))
    killed = 0
    while killed < ROUNDS:
        version = new_id()
        came = run_and_kill(work_for(version), chance.uniform(0, usual), how)
        killed += not came
        usual *= 0.9 if came else 1.03
        repository = opened(tmp_path)
        if version not in repository.versions():
            before = packs(tmp_path)
            draft = repository.begin(version, [parent.version], policy)
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
        assert policy.native == (repository.open(version).root.format == 2)
        assert not (tmp_path / "store" / "drafts" / f"{version}.json").exists()
        assert not (tmp_path / "cache" / "drafts" / version).exists()
    assert repository.verify(parent.version) == []
    removed = repository.delete([])
    assert opened(tmp_path, 90_000).sweep(removed.id) == len(removed.doomed)
    assert all(not repository.verify(version) for version in repository.versions()[:5])


@pytest.mark.timeout(90 + 8 * ROUNDS)
def test_copy(tmp_path: Path, write: Write) -> None:
    """A killed reader leaves no half view, and the next one makes it."""
    chance = random.Random(9)
    files = {f"{n % 5}/{n}": chance.randbytes(5000) for n in range(400)}
    draft = opened(tmp_path).begin(new_id(), policy=POLICY)
    draft.add_folder(write(files))
    draft.upload()
    root = draft.finish()
    views = tmp_path / "cache" / "views"

    def work() -> None:
        opened(tmp_path).copy(root.version)

    def forget() -> None:
        repository = opened(tmp_path)
        repository.forget_copy(repository.open(root.version).root_id)

    usual = 0.0
    for _ in range(3):
        forget()
        usual = max(usual, duration(work))
    killed = 0
    while killed < ROUNDS:
        forget()
        came = run_and_kill(work, chance.uniform(0, usual))
        killed += not came
        usual *= 0.9 if came else 1.03
        assert tree(opened(tmp_path).copy(root.version)) == files
        assert len([file for file in views.iterdir() if file.suffix != ".lock"]) == 1


@pytest.mark.timeout(90 + 8 * ROUNDS)
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
    while killed < ROUNDS:
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
