"""Where packs are made: writers of one storage do not meet there, and what killed ones left goes."""

import os
import random
import threading
from pathlib import Path

import pytest

from tests.unit.datasets.conftest import Write, tree
from trialbook.base.ids import new_id
from trialbook.datasets.repository import Repository
from trialbook.datasets.sources.sniff import Policy
from trialbook.datasets.storage.folder import FolderBlobs

POLICY = Policy(pack_bytes=100_000, durable=False)


def test_D9_writers_with_one_process_number_share_a_storage(tmp_path: Path, write: Write) -> None:
    """Threads have one number; so have programs in containers that mount one folder."""
    chance = random.Random(1)
    start = threading.Barrier(2)
    made: dict[str, dict[str, bytes]] = {}

    def work(number: int) -> None:
        files = {f"{number}-{n}": chance.randbytes(30_000) for n in range(40)}
        source = write(files)
        draft = Repository(FolderBlobs(tmp_path / "store"), tmp_path / f"cache{number}").begin(
            new_id(), (), POLICY
        )
        draft.add_folder(source)
        start.wait()
        draft.upload()
        made[draft.finish(whole_packs=True).version] = files

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 2
    repository = Repository(FolderBlobs(tmp_path / "store"), tmp_path / "cache")
    for version, files in made.items():
        assert repository.verify(version) == []
        assert tree(repository.copy(version)) == files


def test_D9_the_next_process_may_have_the_same_number(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first program of a container has the number 1, whichever version of it runs."""
    monkeypatch.setattr(os, "getpid", lambda: 1)
    version, files = new_id(), {}
    for number in range(3):
        new = {f"{number}/{n}": bytes([number]) * 5000 for n in range(3)}
        files |= new
        draft = Repository(FolderBlobs(tmp_path / "store"), tmp_path / "cache").begin(version, (), POLICY)
        source = write(new)
        draft.add_folder(source)
        draft.upload()
        draft.close()
        for file in source.rglob("*"):
            if file.is_file():
                file.unlink()
    repository = Repository(FolderBlobs(tmp_path / "store"), tmp_path / "cache")
    draft = repository.begin(version)
    assert draft.pending == 0 and draft.paths() == sorted(files)
    draft.finish()
    assert tree(repository.copy(version)) == files


def test_D9_what_killed_writers_left_goes_with_a_sweep(tmp_path: Path, write: Write) -> None:
    repository = Repository(FolderBlobs(tmp_path / "store"), tmp_path / "cache")
    draft = repository.begin(new_id())
    draft.add_folder(write({"a": b"1"}))
    draft.upload()
    version = draft.finish().version
    spool = FolderBlobs(tmp_path / "store").spool()
    for name in ("pack-1-1", "repack-1-0", ".part.0123456789ab", "pack-later"):
        (spool / name).write_bytes(b"half")
        if name != "pack-later":
            os.utime(spool / name, (1, 1))
    receipt = repository.delete([version])
    late = Repository(
        FolderBlobs(tmp_path / "store"), tmp_path / "cache", lambda: repository._clock() + 90_000
    )
    os.utime(spool / "pack-later", (repository._clock() + 89_000,) * 2)
    late.sweep(receipt.id)
    assert [file.name for file in spool.iterdir()] == ["pack-later"]
