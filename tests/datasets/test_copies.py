"""Folders of this host: shared, to change, in parts; and checking them."""

import hashlib
import json
import os
import shutil
import threading
import zipfile
from pathlib import Path

import pytest

from tests.datasets.conftest import Close
from tests.datasets.support import Write, tree
from tests.support.server import RunningServer
from trialbook import Dataset
from trialbook.base.ids import new_id
from trialbook.datasets.storage import objects
from trialbook.errors import DatasetMissing, FileMissing, PathRefused, UsageError
from trialbook.sdk.dataset.trash import free_deleted

FILES = {f"f{n}/x": os.urandom(400_000) for n in range(8)} | {"text": b"words " * 100}


@pytest.fixture
def data(project: str, write: Write) -> Dataset:
    made = Dataset.create("data", project)
    made.add_files(write(FILES))
    made.upload(chunk_size=1)
    made.finalize()
    return made


@pytest.mark.covers("DS-11a", "DS-11c", "XD-12")
def test_the_shared_copy(data: Dataset, server: RunningServer) -> None:
    folder = data.get_local_copy()
    assert tree(folder) == FILES
    for pack in server.data.glob(f"files/**/packs/{data.id}/*"):
        pack.rename(pack.with_suffix(".away"))
    assert Dataset.get(data.id).get_local_copy(use_soft_links=False, max_workers=2) == folder, (
        "nothing is fetched"
    )
    for pack in server.data.glob(f"files/**/packs/{data.id}/*"):
        pack.rename(pack.with_suffix(".zip"))
    damaged = Path(folder) / "f3" / "x"
    damaged.chmod(0o644)
    damaged.write_bytes(b"short")
    (Path(folder) / "text").unlink()
    assert tree(data.get_local_copy()) == FILES, "what is missing or has another size is fetched again"


@pytest.mark.covers("DS-11d")
def test_soft_links(data: Dataset, server: RunningServer) -> None:
    plain, soft = Path(data.get_local_copy()), Path(data.get_local_copy(use_soft_links=True))
    assert tree(soft) == FILES and soft != plain
    files = [path for path in soft.rglob("*") if not path.is_dir()]
    assert len(files) == len(FILES)
    assert all(path.is_symlink() and path.resolve().is_relative_to(plain.resolve()) for path in files)
    for wish in (False, None):
        folder = Path(data.get_local_copy(use_soft_links=wish))
        assert folder == plain and not any(path.is_symlink() for path in folder.rglob("*"))
    assert data.get_local_copy(use_soft_links=True) == str(soft)
    (soft / "text").unlink()
    (plain / "f2" / "x").unlink()
    assert tree(data.get_local_copy(use_soft_links=True)) == FILES, "both folders are repaired"
    part = Path(data.get_local_copy(use_soft_links=True, files="f1"))
    assert tree(part) == {"f1/x": FILES["f1/x"]} and (part / "f1" / "x").is_symlink()


@pytest.mark.covers("DS-11i")
def test_no_path_leads_out(project: str, write: Write, server: RunningServer, home: Path) -> None:
    opened = Dataset.create("open", project)
    for place in ("../out", "a/../../out"):
        with pytest.raises(PathRefused):
            opened.add_files(write({"x": b"1"}), dataset_path=place)
        with pytest.raises(PathRefused):
            opened.add_external_files("file:///etc/hostname", dataset_path=place)
    # As a hostile writer of the clearml SDK's layout would leave it.
    content = b"planted"
    digest = hashlib.sha256(content).hexdigest()
    with zipfile.ZipFile(home / "data.zip", "w") as packed:
        packed.writestr("../../planted", content)
        packed.writestr("fine", content)
    id = new_id()
    entries = [
        {"relative_path": path, "hash": digest, "size": 7, "parent_dataset_id": id, "artifact_name": "data"}
        for path in ("../../planted", "/planted", "fine")
    ]
    (home / "state.json").write_text(json.dumps({"dataset_file_entries": entries, "id": id}))
    artifacts = [
        {"key": name, "type": "custom", "uri": (home / file).as_uri()}
        for name, file in (("data", "data.zip"), ("state", "state.json"))
    ]
    server.call(
        "tasks.create", id=id, name="evil", type="data_processing", project_name=f"{project}/.datasets/evil",
        system_tags=["dataset"], execution={"artifacts": artifacts}, runtime={"version": "1.0.0"},
    )  # fmt: skip
    server.call("tasks.started", task=id)
    server.call("tasks.completed", task=id)
    folder = Path(Dataset.get(id).get_local_copy())
    assert tree(folder) == {"fine": content}
    assert not list(home.rglob("planted"))


@pytest.mark.covers("DS-11h", "M-6")
def test_what_can_be_had(project: str, write: Write, server: RunningServer, tmp_path: Path) -> None:
    data = Dataset.create("data", project)
    data.add_files(write({"x": b"1"}))
    data.upload()
    data.add_files(write({"y": b"2"}))
    data.finalize(auto_upload=True)
    packs = sorted(server.data.glob(f"files/**/packs/{data.id}/*.zip"))
    packs[0].unlink()
    for ask in (data.get_local_copy, lambda: data.get_mutable_local_copy(tmp_path / "whole")):
        with pytest.raises(DatasetMissing):
            ask()
    left = tree(data.get_local_copy(raise_on_error=False))
    assert left in ({"x": b"1"}, {"y": b"2"})
    assert tree(str(data.get_mutable_local_copy(tmp_path / "part", raise_on_error=False))) == left


@pytest.mark.covers("DS-14e", "DS-14a")
def test_a_target_on_another_file_system(data: Dataset) -> None:
    memory = Path("/dev/shm")
    shared = Path(data.get_local_copy())
    if not memory.is_dir() or memory.stat().st_dev == shared.stat().st_dev:
        pytest.skip("there is no other file system here")
    target = memory / f"trialbook-{new_id()}"
    try:
        assert data.get_mutable_local_copy(target) == str(target) and tree(target) == FILES
        (target / "text").write_bytes(b"mine")
        assert tree(shared) == FILES
    finally:
        shutil.rmtree(target, ignore_errors=True)


@pytest.mark.covers("DS-11b")
def test_open_versions_have_no_copy(project: str) -> None:
    data = Dataset.create("open", project)
    for ask in (data.get_local_copy, data.verify_dataset_hash, lambda: data.get_mutable_local_copy("x")):
        with pytest.raises(UsageError, match="open"):
            ask()


@pytest.mark.covers("DS-11e", "DS-11f", "DS-11g", "DS-15a", "XD-1", "XD-13")
def test_parts(data: Dataset, project: str, write: Write) -> None:
    child = Dataset.create("data", project, parent_datasets=[data])
    child.add_files(write({"more": b"1"}))
    child.finalize(auto_upload=True)
    count = child.get_num_chunks()
    assert count == data.get_num_chunks() + 1
    whole = {**FILES, "more": b"1"}
    for parts in (1, 2, 3, count, count + 3):
        trees = [tree(child.get_local_copy(part=part, num_parts=parts)) for part in range(parts)]
        assert sum(len(found) for found in trees) == len(whole), "each file is in one part"
        assert {path: content for found in trees for path, content in found.items()} == whole
        assert (min(len(found) for found in trees) == 0) == (parts > len(whole))
    alone = [tree(child.get_local_copy(part=part)) for part in range(count)]
    assert all(alone) and sum(len(found) for found in alone) == len(whole)
    for part, num_parts in ((2, 2), (-1, 2), (0, 0), (None, 2)):
        with pytest.raises(UsageError):
            child.get_local_copy(part=part, num_parts=num_parts)


def test_only_some_files(data: Dataset, server: RunningServer) -> None:
    assert tree(data.get_local_copy(files="f3/*")) == {"f3/x": FILES["f3/x"]}
    assert tree(data.get_local_copy(files=["text", "f1"])) == {"text": FILES["text"], "f1/x": FILES["f1/x"]}


@pytest.mark.covers("DS-14a", "DS-14b", "DS-14c", "DS-14d", "XD-11")
def test_copies_to_change(data: Dataset, tmp_path: Path) -> None:
    mine = data.get_mutable_local_copy(tmp_path / "mine")
    assert mine == str(tmp_path / "mine") and tree(mine) == FILES
    shared = data.get_local_copy()
    other = data.get_mutable_local_copy(tmp_path / "other")
    (tmp_path / "mine" / "text").write_bytes(b"edited")
    (tmp_path / "other" / "f1" / "x").write_bytes(b"edited")
    assert tree(shared) == FILES and tree(str(other))["text"] == FILES["text"]
    with pytest.raises(UsageError, match="not empty"):
        data.get_mutable_local_copy(tmp_path / "mine")
    assert data.get_mutable_local_copy(tmp_path / "mine", raise_on_error=False) is None
    (tmp_path / "mine" / "extra").write_bytes(b"goes")
    assert tree(str(data.get_mutable_local_copy(tmp_path / "mine", overwrite=True))) == FILES
    (tmp_path / "empty").mkdir()
    parts = [data.get_mutable_local_copy(tmp_path / f"part{part}", part=part, num_parts=2) for part in (0, 1)]
    assert sum(len(tree(str(folder))) for folder in parts) == len(FILES)


@pytest.mark.covers("DS-38a", "DS-38b", "DS-38c", "DS-38d", "DS-38e")
def test_verify(data: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert data.verify_dataset_hash() == [] and data.verify_storage() == []
    mine = tmp_path / "mine"
    data.get_mutable_local_copy(mine)
    same_size = bytearray(FILES["text"])
    same_size[0] ^= 1
    (mine / "text").write_bytes(bytes(same_size))
    (mine / "f1" / "x").write_bytes(b"short")
    (mine / "f2" / "x").unlink()
    assert data.verify_dataset_hash(str(mine)) == ["f1/x", "f2/x", "text"]
    assert data.verify_dataset_hash(str(mine), skip_hash=True) == ["f1/x", "f2/x"]
    data.verify_dataset_hash(str(mine), verbose=True)
    assert "text: it has other bytes" in capsys.readouterr().out
    (mine / "f1" / "x").write_bytes(FILES["f1/x"])
    assert data.verify_dataset_hash(str(mine)) == ["f2/x", "text"]
    cached = Path(data.get_local_copy()) / "text"
    cached.chmod(0o644)
    cached.write_bytes(bytes(same_size))
    assert data.verify_dataset_hash() == ["text"]


@pytest.mark.covers("DS-11j")
def test_two_at_once(data: Dataset) -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(data.get_local_copy())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1 and len(found) == 4 and tree(found[0]) == FILES


def test_many_small_versions_share_files(closed: Close) -> None:
    first = closed({"x": b"1" * 1000, "y": b"2"})
    second = closed({"z": b"3"}, first)
    one, other = Path(first.get_local_copy()), Path(second.get_local_copy())
    assert (one / "x").stat().st_ino == (other / "x").stat().st_ino, (
        "equal files are stored once on this host"
    )


def test_D8_a_folder_that_is_not_mounted_stays_as_it_is(
    project: str, write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    shared = tmp_path / "shared"
    shared.mkdir()
    data = Dataset.create("data", project, output_uri=str(shared))
    data.add_files(write({"x": b"1"}))
    data.finalize(auto_upload=True)
    draft = Dataset.create("draft", project, output_uri=str(shared))
    draft.add_files(write({"y": b"1"}))
    draft.upload()
    draft._opened.draft("close").close()
    (shared / "far").mkdir()
    (shared / "far" / "z").write_bytes(b"1")
    links = Dataset.create("links", project)
    assert links.add_external_files((shared / "far").as_uri()) == 1
    links.finalize()
    away = shared.rename(tmp_path / "away")
    # This process has the list of what is in the version; only the bytes are away.
    for ask in (data.get_local_copy, lambda: data.get_mutable_local_copy(tmp_path / "mine")):
        with pytest.raises(DatasetMissing, match=f"{shared}.*is it mounted"):
            ask()
    for mounted in (False, True):
        # Without the folder, and with the empty folder that it is mounted on.
        if mounted:
            shared.mkdir()
        with pytest.raises(FileMissing, match=f"z is gone: there is nothing in {shared}.*is it mounted"):
            links.get_local_copy()
        found = Dataset.get(data.id)
        # As in a process that has read nothing yet.
        monkeypatch.setattr(objects, "_remembered", objects._Remembered())
        for ask in (
            found.get_local_copy,
            found.list_files,
            found.verify_storage,
            lambda found=found: found.get_mutable_local_copy(tmp_path / "mine"),
            lambda: Dataset.get(draft.id, writable_copy=False).add_files(write({"z": b"1"})),
        ):
            with pytest.raises(DatasetMissing, match=f"{shared}.*is it mounted"):
                ask()
        assert shared.exists() == mounted and not any(tmp_path.glob("shared/*"))
    Dataset.delete(data.id)
    assert "is it mounted" in capsys.readouterr().out and not any(shared.iterdir())
    shared.rmdir()
    away.rename(shared)
    assert free_deleted()[1] == [] and not [path for path in tree(shared) if data.id in path]
    again = Dataset.get(draft.id)
    again.finalize()
    assert tree(again.get_local_copy()) == {"y": b"1"}
