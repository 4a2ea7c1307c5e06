"""Datasets in buckets, and links to what lies in buckets."""

import contextlib
import os
from pathlib import Path
from typing import Any

import pytest

from tests.datasets.support import Write, tree
from tests.support.object_storages import ObjectStorage, S3Server, Storages
from trialbook import Dataset, StorageManager
from trialbook.base.ids import new_id
from trialbook.errors import SourceChanged, StorageRefused
from trialbook.sdk.dataset.stores import bucket_blobs


@pytest.fixture(params=["s3", "gs", "azure"])
def bucket(request: pytest.FixtureRequest, home: Path, storages: Storages) -> str:
    """Address of an empty bucket, with its keys in the configuration file."""
    kind = str(request.param)
    (home / "trialbook.conf").write_text(storages[kind].configuration())
    return storages[kind].make_bucket(f"b{new_id()[:20]}")


def keys(url: str) -> list[str]:
    found = bucket_blobs(url)
    assert found is not None
    return [info.key for info in found[0].list(found[1])]


@pytest.mark.covers("DS-04h", "DS-05f", "DS-09")
def test_a_repository_in_a_bucket(project: str, bucket: str, write: Write) -> None:
    files = {"x": b"1", "sub/text": b"words " * 99_999, "large": os.urandom(3 << 20)}
    place = f"{bucket}/some folder"
    data = Dataset.create("data", project, output_uri=place)
    assert data.get_default_storage() == place
    data.add_files(write(files))
    data.upload(chunk_size=1)
    data.finalize()
    assert tree(Dataset.get(data.id).get_local_copy()) == files and data.verify_storage() == []
    with Dataset.get(data.id).open("sub/text") as file:
        assert file.read(5) == b"words"
    child = Dataset.create("data", project, parent_datasets=[data], output_uri=place)
    child.add_files(write({"x": b"changed", "more": b"2"}))
    child.finalize(auto_upload=True)
    here = Dataset.create("here", project, parent_datasets=[child])
    here.finalize()
    assert tree(here.get_local_copy()) == {**files, "x": b"changed", "more": b"2"}
    before = len(keys(place))
    Dataset.delete(here.id)
    Dataset.delete(child.id)
    assert len(keys(place)) < before
    assert tree(data.get_mutable_local_copy(write({}) / "copy") or "") == files
    Dataset.delete(data.id)
    assert [key for key in keys(place) if not key.endswith("format.json")] == []


@pytest.mark.covers("DS-01c", "DS-01k", "DS-05g", "DS-29b", "XD-23")
def test_links_into_a_bucket(project: str, bucket: str, write: Write, tmp_path: Path) -> None:
    top = write({"a.txt": b"one", "b.txt": b"two", "c.bin": b"three"})
    for name in ("a.txt", "b.txt", "c.bin"):
        StorageManager.upload_file(str(top / name), f"{bucket}/raw/{name}")
    StorageManager.upload_file(str(top / "a.txt"), f"{bucket}/raw/deep/a.txt")
    data = Dataset.create("data", project)
    assert data.add_external_files(f"{bucket}/raw/", wildcard="*.txt", dataset_path="ext") == 3
    assert data.add_external_files(f"{bucket}/raw/c.bin") == 1
    assert data.add_external_files(f"{bucket}/raw/", recursive=False, dataset_path="flat") == 3
    assert data.add_external_files([f"{bucket}/none/", f"{bucket}/raw/none"]) == 0
    assert data.link_entries_dict["ext/b.txt"].size == 3
    assert data.remove_files(f"{bucket}/raw/*.bin") == 2
    data.finalize()
    assert tree(data.get_local_copy()) == {
        "ext/a.txt": b"one", "ext/b.txt": b"two", "ext/deep/a.txt": b"one", "flat/a.txt": b"one", "flat/b.txt": b"two",
    }  # fmt: skip
    StorageManager.upload_file(str(write({"a": b"ONE"}) / "a"), f"{bucket}/raw/a.txt")
    with pytest.raises(SourceChanged, match="changed"):
        data.get_mutable_local_copy(tmp_path / "mine")
    Dataset.delete(data.id, delete_external_files=True)
    assert [key for key in keys(f"{bucket}/raw") if key.endswith(".txt")] == []


NAMES = ("run#1", "run#12~", "a b", "g%20h", "g h", "a#b.txt", "a?b", "a+b", "ü")


def test_D10_a_key_is_taken_as_it_is(project: str, bucket: str, write: Write, tmp_path: Path) -> None:
    files = {f"f/{name}": name.encode() for name in NAMES}
    folder = write(files)
    assert StorageManager.upload_folder(str(folder), bucket) == bucket
    assert set(keys(bucket)) == set(files)
    for name, data in files.items():
        assert StorageManager.exists_file(f"{bucket}/{name}")
        path = StorageManager.get_local_copy(f"{bucket}/{name}")
        assert path is not None and Path(path).read_bytes() == data and Path(path).name == name[2:]
    assert StorageManager.download_folder(bucket, str(tmp_path / "down"))
    assert sorted(tree(tmp_path / "down").values()) == sorted(files.values())
    linked = Dataset.create("links", project)
    assert linked.add_external_files(f"{bucket}/f") == len(files)
    linked.finalize()
    assert tree(linked.get_local_copy()) == {name[2:]: data for name, data in files.items()}


def amazons_own(storage: ObjectStorage) -> Any:
    """The client that other tools are made with."""
    import boto3

    assert isinstance(storage, S3Server)
    return boto3.client(
        "s3",
        endpoint_url=storage.url,
        aws_access_key_id="k",
        aws_secret_access_key="s",
        region_name="us-east-1",
    )


@pytest.mark.parametrize("bucket", ["s3"], indirect=True)
def test_D10_what_other_tools_stored_is_read(bucket: str, storages: Storages) -> None:
    client = amazons_own(storages["s3"])
    name = bucket.rpartition("/")[2]
    for key in NAMES:
        client.put_object(Bucket=name, Key=key, Body=key.encode())
    assert keys(bucket) == sorted(NAMES)
    for key in NAMES:
        path = StorageManager.get_local_copy(f"{bucket}/{key}")
        assert path is not None and Path(path).read_bytes() == key.encode()


@pytest.mark.parametrize("bucket", ["s3"], indirect=True)
def test_D9_markers_of_folders_are_no_files(
    project: str, bucket: str, storages: Storages, tmp_path: Path
) -> None:
    client = amazons_own(storages["s3"])
    name = bucket.rpartition("/")[2]
    files = {"x": b"1", "sub/y": b"2", "sub/empty": b"", "both": b"3", "none": b""}
    for key, data in files.items():
        client.put_object(Bucket=name, Key=f"f/{key}", Body=data)
    for key in ("f/", "f/sub/", "f/hollow/", "f/sub/deep/", "f/both/", "f/none/", "other/"):
        client.put_object(Bucket=name, Key=key, Body=b"")
    for source in (f"{bucket}/f", f"{bucket}/f/"):
        assert StorageManager.list(source) == sorted(files)
        assert StorageManager.download_folder(source, str(tmp_path / "down"))
    assert tree(tmp_path / "down" / name) == {f"f/{key}": data for key, data in files.items()}
    data = Dataset.create("links", project)
    assert data.add_external_files(f"{bucket}/f/") == len(files)
    data.finalize()
    assert tree(data.get_local_copy()) == files


@pytest.mark.parametrize("bucket", ["s3"], indirect=True)
@pytest.mark.parametrize("key", ["f//", "f/a//b", "f/./x", "f/a/../b", 'f/"//q'])
def test_D9_a_key_that_no_folder_holds_is_named(
    project: str,
    bucket: str,
    storages: Storages,
    tmp_path: Path,
    key: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    client = amazons_own(storages["s3"])
    name = bucket.rpartition("/")[2]
    for one in (key, "f/fine", "g/fine"):
        client.put_object(Bucket=name, Key=one, Body=b"1")
    data = Dataset.create("odd", project)
    with pytest.raises(StorageRefused, match="which no folder can hold") as told:
        keys(f"{bucket}/f")
    assert f'"{key}"' in str(told.value)
    capsys.readouterr()
    StorageManager.list(f"{bucket}/f")
    with contextlib.suppress(StorageRefused):
        assert data.add_external_files(f"{bucket}/f/") == 0
    assert StorageManager.download_folder(bucket, str(tmp_path / "down")) is None
    assert capsys.readouterr().out.count(f'holds the key "{key}"') >= 2
    assert StorageManager.list(f"{bucket}/g") == ["fine"]
