"""What every driver of blobs promises."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from trialbook.blobs.object_store import ObjectStoreBlobs
from trialbook.blobs.store import BlobStore, clean_key
from trialbook.errors import FileMissing


@pytest.fixture(params=["folder", "memory"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    return ObjectStoreBlobs.in_folder(tmp_path) if request.param == "folder" else ObjectStoreBlobs.in_memory()


def whole(blobs: BlobStore, key: str) -> bytes:
    return b"".join(blobs.read(key))


@pytest.mark.parametrize(
    "key", ["a", "a b/ü.txt", "x%20y", "p#q?/r*", "run#1", "run#1~", "b{}[]|\\^`<>\"'", "日本/語"]
)
def test_what_is_put_is_there(blobs: BlobStore, key: str) -> None:
    info = blobs.put(key, [b"ab", b"", b"c"])
    assert (info.key, info.size) == (key, 3)
    assert whole(blobs, key) == b"abc"
    assert blobs.head(key) == info
    assert [found.key for found in blobs.list()] == [key]
    blobs.delete(key)
    with pytest.raises(FileMissing):
        blobs.head(key)


def test_put_may_be_repeated_and_replaces(blobs: BlobStore) -> None:
    first = blobs.put("k", [b"one"])
    second = blobs.put("k", [b"another"])
    assert whole(blobs, "k") == b"another"
    assert first.etag != second.etag


def test_a_source_that_fails_leaves_the_old_bytes(blobs: BlobStore) -> None:
    blobs.put("k", [b"old"])

    def source() -> Iterator[bytes]:
        yield b"n" * (20 << 20)
        raise OSError("cut")

    for key in ("k", "new"):
        with pytest.raises(OSError, match="cut"):
            blobs.put(key, source())
    assert whole(blobs, "k") == b"old"
    assert [found.key for found in blobs.list()] == ["k"]


def test_a_reader_never_sees_a_part(blobs: BlobStore) -> None:
    blobs.put("k", [b"0" * 1000])
    stop = threading.Event()
    seen: set[tuple[int, int]] = set()

    def read() -> None:
        while not stop.is_set():
            data = whole(blobs, "k")
            seen.add((len(data), len(set(data))))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(50):
        blobs.put("k", [bytes([48 + number % 10]) * 500, bytes([48 + number % 10]) * 500])
    stop.set()
    reader.join()
    assert seen == {(1000, 1)}


def test_spans(blobs: BlobStore) -> None:
    data = bytes(range(256)) * 10_000
    blobs.put("k", [data])
    for start, end in (
        (0, None),
        (5, 9),
        (1 << 20, (1 << 20) + 1),
        (100, 2_000_000),
        (len(data), None),
        (0, 0),
    ):
        assert b"".join(blobs.read("k", start, end)) == data[start:end]


def test_empty(blobs: BlobStore) -> None:
    assert blobs.put("e", []).size == 0
    assert whole(blobs, "e") == b""


def test_list_is_in_key_order_and_below_a_folder(blobs: BlobStore) -> None:
    for key in ("b/2", "a/1", "b/10", "bb/3"):
        blobs.put(key, [b"x"])
    assert [found.key for found in blobs.list()] == ["a/1", "b/10", "b/2", "bb/3"]
    assert [found.key for found in blobs.list("b")] == ["b/10", "b/2"]


def test_what_is_missing_says_so(blobs: BlobStore) -> None:
    with pytest.raises(FileMissing):
        blobs.head("no")
    with pytest.raises(FileMissing):
        list(blobs.read("no"))
    with pytest.raises(FileMissing):
        blobs.delete("no")


@pytest.mark.parametrize("key", ["", "/", "..", "a/../b", "./a", "a/.", "a\x00b", "a\nb", "x" * 300])
def test_keys_that_are_not_clean(blobs: BlobStore, key: str) -> None:
    with pytest.raises(FileMissing):
        blobs.put(key, [b"x"])
    with pytest.raises(FileMissing):
        blobs.head(key)


def test_slashes_do_not_count() -> None:
    assert clean_key("//a///b/") == "a/b"
