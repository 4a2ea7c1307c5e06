"""The dataset repository over every driver of blobs, and the engine's own driver against the promises of all."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from trialbook.base.ids import new_id
from trialbook.blobs.object_store import ObjectStoreBlobs
from trialbook.blobs.store import BlobStore, clean_key
from trialbook.datasets.repository import Repository
from trialbook.datasets.sources.sniff import Policy
from trialbook.datasets.storage.folder import FolderBlobs
from trialbook.errors import DatasetDamaged, DatasetError, DatasetMissing, FileMissing

FILES = {
    "a/small": b"small",
    "a/empty": b"",
    "b/text": b"words " * 5000,
    "b/noise": os.urandom(700_000),
    "c/long text": b"more words " * 900_000,
    "c/long noise": os.urandom(9_000_000),
}


@pytest.fixture(params=["our folder", "obstore folder", "memory"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    if request.param == "memory":
        return ObjectStoreBlobs.in_memory()
    return (
        FolderBlobs(tmp_path / "s") if "our" in request.param else ObjectStoreBlobs.in_folder(tmp_path / "s")
    )


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for path, data in FILES.items():
        (tmp_path / "source" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "source" / path).write_bytes(data)
    return tmp_path / "source"


def tree(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()
    }


@pytest.mark.parametrize("native", [False, True])
def test_a_whole_life(blobs: BlobStore, source: Path, tmp_path: Path, native: bool) -> None:
    now = [1e9]
    repository = Repository(blobs, tmp_path / "cache", lambda: now[0])
    first = repository.begin(new_id(), policy=Policy(native=native, pack_bytes=4 << 20))
    assert first.add_folder(source).added == len(FILES)
    assert first.upload() == 3
    root = first.finish()
    assert tree(repository.copy(root.version)) == FILES
    assert tree(repository.mutable_copy(root.version, tmp_path / "mine")) == FILES

    (source / "b/text").write_bytes(b"other")
    second = repository.begin(new_id(), [root.version])
    second.sync(source)
    second.upload()
    child = second.finish()
    elsewhere = Repository(blobs, tmp_path / "other host", lambda: now[0])
    assert sorted(elsewhere.versions()) == sorted([root.version, child.version])
    assert tree(elsewhere.copy(child.version)) == FILES | {"b/text": b"other"}
    assert elsewhere.diff(root.version, child.version).modified == ["b/text"]
    assert elsewhere.verify(child.version) == []

    squashed = elsewhere.squash(new_id(), [child.version])
    receipt = elsewhere.delete([root.version, child.version])
    now[0] += 100_000
    elsewhere.sweep(receipt.id)
    assert elsewhere.versions() == [squashed.version]
    assert elsewhere.verify(squashed.version) == []
    assert elsewhere.open(squashed.version).read("c/long text") == FILES["c/long text"]


def test_what_is_wrong_is_named(blobs: BlobStore, source: Path, tmp_path: Path) -> None:
    repository = Repository(blobs, tmp_path / "cache")
    draft = repository.begin(new_id())
    draft.add_folder(source)
    draft.upload()
    root = draft.finish()
    key = root.ranges[0].key
    held = b"".join(blobs.read(f"ranges/{key}"))
    blobs.put(f"ranges/{key}", [held[:-1] + bytes([held[-1] ^ 1])])
    with pytest.raises(DatasetDamaged, match=key):
        repository.copy(root.version)
    blobs.delete(f"ranges/{key}")
    with pytest.raises(DatasetMissing, match=key):
        repository.copy(root.version)
    blobs.put(f"versions/{root.version}.json", [b"{"])
    with pytest.raises(DatasetDamaged, match="pointer"):
        repository.open(root.version)
    blobs.put("format.json", [b'{"format": 2}'])
    with pytest.raises(DatasetError, match="upgrade"):
        Repository(blobs, tmp_path / "cache")


# What tests/contract/test_blob_store.py asks of every driver, asked of the engine's own.


@pytest.fixture
def folder(tmp_path: Path) -> FolderBlobs:
    return FolderBlobs(tmp_path / "blobs")


def whole(blobs: BlobStore, key: str) -> bytes:
    return b"".join(blobs.read(key))


def test_folder_is_a_blob_store(folder: FolderBlobs) -> None:
    for key in ("b/2", "a/1", "b/10", "bb/3", "a b/ü.txt", "run#1", "日本/語"):
        info = folder.put(key, [b"ab", b"", b"c"])
        assert (info.key, info.size) == (key, 3)
        assert folder.head(key) == info
    assert [info.key for info in folder.list()] == sorted(info.key for info in folder.list())
    assert [info.key for info in folder.list("b")] == ["b/10", "b/2"]
    assert folder.put("a/1", [b"new"]).etag != info.etag
    assert whole(folder, "a/1") == b"new"
    data = bytes(range(256)) * 50_000
    folder.put("span", [data])
    for start, end in (
        (0, None),
        (5, 9),
        (8 << 20, (8 << 20) + 1),
        (100, 9_000_000),
        (len(data), None),
        (0, 0),
    ):
        assert b"".join(folder.read("span", start, end)) == data[start:end]


def test_folder_keeps_the_old_bytes_when_a_source_fails(folder: FolderBlobs, tmp_path: Path) -> None:
    folder.put("k", [b"old"])

    def source() -> Iterator[bytes]:
        yield b"n" * 1000
        raise OSError("cut")

    for key in ("k", "new"):
        with pytest.raises(OSError, match="cut"):
            folder.put(key, source())
    assert [info.key for info in folder.list()] == ["k"]
    assert whole(folder, "k") == b"old"
    assert list(folder.spool().iterdir()) == []


def test_folder_never_shows_a_part(folder: FolderBlobs) -> None:
    folder.put("k", [b"0" * 1000])
    stop, seen = threading.Event(), set()

    def read() -> None:
        while not stop.is_set():
            data = whole(folder, "k")
            seen.add((len(data), len(set(data))))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(50):
        folder.put("k", [bytes([48 + number % 10]) * 500] * 2)
    stop.set()
    reader.join()
    assert seen == {(1000, 1)}


@pytest.mark.parametrize(
    "key", ["", "/", "..", "a/../b", "./a", "a\x00b", "a\nb", "x" * 300, ".trialbook-tmp/x"]
)
def test_folder_refuses_keys_that_are_not_clean(folder: FolderBlobs, key: str) -> None:
    with pytest.raises(FileMissing):
        folder.put(key, [b"x"])
    with pytest.raises(FileMissing):
        folder.head(key)


def test_folder_says_what_is_missing(folder: FolderBlobs) -> None:
    folder.put("a/b", [b"x"])
    for key in ("no", "a", "a/b/c"):
        with pytest.raises(FileMissing):
            folder.head(key)
        with pytest.raises(FileMissing):
            list(folder.read(key))
        with pytest.raises(FileMissing):
            folder.delete(key)
    assert clean_key("a/b") == "a/b"
