"""Addresses that a machine has nearer: everything that takes an address goes there, and records the registered one."""

from pathlib import Path

import pytest

from tests.datasets.support import Write, tree
from tests.support.object_storages import S3Server
from trialbook import Dataset, StorageManager, Task
from trialbook.client.storage import Storage
from trialbook.sdk.accounts.storage_settings import accounts

FAR = "s3://127.0.0.1:1/bucket"
"""Nobody listens there."""


@pytest.fixture
def mount(home: Path) -> Path:
    """The folder in which this machine has it."""
    top = home / "mnt" / "bucket"
    top.mkdir(parents=True)
    substitute(home, "", FAR, str(top))
    return top


def substitute(home: Path, more: str, registered: str, local: str) -> None:
    rule = f'{{ registered_prefix: "{registered}", local_prefix: "{local}" }}'
    (home / "trialbook.conf").write_text(f"{more}\nsdk.storage.path_substitution: [ {rule} ]\n")


def test_D13_datasets_and_links(project: str, mount: Path, write: Write) -> None:
    (mount / "linked").mkdir()
    (mount / "linked" / "a b.txt").write_bytes(b"behind a link")
    data = Dataset.create("data", project, output_uri=f"{FAR}/team")
    data.add_files(write({"x": b"1", "sub/y": b"2"}))
    assert data.add_external_files(f"{FAR}/linked/", dataset_path="links") == 1
    data.finalize(auto_upload=True)
    assert list(mount.glob("team/**/packs/*/*.zip")) and data.get_default_storage() == f"{FAR}/team"
    found = Dataset.get(data.id)
    (link,) = found.link_entries_dict.values()
    assert link.link == f"{FAR}/linked/a b.txt" and link.size == 13
    expected = {"x": b"1", "sub/y": b"2", "links/a b.txt": b"behind a link"}
    assert tree(found.get_local_copy()) == expected
    child = Dataset.create("data", project, parent_datasets=[data], output_uri=f"{FAR}/other")
    child.add_files(write({"z": b"3"}))
    child.finalize(auto_upload=True)
    assert tree(Dataset.get(child.id).get_local_copy()) == {**expected, "z": b"3"}
    Dataset.delete(child.id, force=True)
    assert not list(mount.glob("other/**/*.zip"))


def test_D13_files_and_artifacts(project: str, mount: Path, write: Write) -> None:
    top = write({"a": b"1", "sub/b": b"22"})
    assert StorageManager.upload_folder(str(top), f"{FAR}/up") == f"{FAR}/up"
    assert tree(mount / "up") == {"a": b"1", "sub/b": b"22"}
    assert StorageManager.exists_file(f"{FAR}/up/a")
    assert StorageManager.get_file_size_bytes(f"{FAR}/up/sub/b") == 2
    assert StorageManager.list(f"{FAR}/up", return_full_path=True) == [f"{FAR}/up/a", f"{FAR}/up/sub/b"]
    assert StorageManager.get_local_copy(f"{FAR}/up/a") == str(mount / "up" / "a")
    assert StorageManager.download_folder(f"{FAR}/up", str(mount.parent / "down"))
    assert sorted(tree(mount.parent / "down").values()) == [b"1", b"22"]
    task = Task.create(project, "run")
    task.output_uri = f"{FAR}/runs"
    assert task.upload_artifact("numbers", {"a": 1}, wait_on_upload=True)
    stored = Task.get_task(task.id).artifacts["numbers"]
    assert stored.url.startswith(f"{FAR}/runs/") and stored.get() == {"a": 1}
    assert list(mount.glob("runs/**/numbers*"))


def test_D13_a_bucket_stands_for_another(project: str, home: Path, write: Write) -> None:
    server = S3Server()
    try:
        near = server.make_bucket("near")
        substitute(home, server.configuration(), f"{FAR}/data", f"{near}/copy")
        data = Dataset.create("data", project, output_uri=f"{FAR}/data")
        data.add_files(write({"x": b"1"}))
        data.finalize(auto_upload=True)
        StorageManager.upload_file(str(write({"f": b"2"}) / "f"), f"{FAR}/data/files/")
        assert StorageManager.exists_file(f"{FAR}/data/files/f")
        assert not StorageManager.exists_file(f"{FAR}/data/files/g")
        stored = [name for name, _ in Storage(None, accounts).list(f"{near}/copy")]
        assert "files/f" in stored and any(name.endswith(".zip") for name in stored)
        assert tree(Dataset.get(data.id).get_local_copy()) == {"x": b"1"}
    finally:
        server.stop()
