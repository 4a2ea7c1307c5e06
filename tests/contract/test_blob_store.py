"""What every driver of blobs promises."""

import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from tests.conftest import Servers
from tests.support.object_storages import Storages
from tests.support.server import RunningServer

from trialbook.base.ids import new_id
from trialbook.blobs.buckets import direct, place
from trialbook.blobs.object_store import ObjectStoreBlobs
from trialbook.blobs.relay import RelayBlobs
from trialbook.blobs.store import BlobStore, clean_key
from trialbook.client.blobs import ServerBlobs
from trialbook.client.files import FileClient
from trialbook.client.session import Credentials, Session
from trialbook.datasets.storage.folder import FolderBlobs
from trialbook.errors import FileMissing

LOCAL = ["folder", "memory", "dataset folder"]
REMOTE = ["server", "s3", "s3 from a fork", "gs", "azure"]


@pytest.fixture
def file_server(servers: Servers) -> RunningServer:
    return servers["sqlite"]


@pytest.fixture(params=LOCAL + REMOTE)
def blobs(request: pytest.FixtureRequest, tmp_path: Path, storages: Storages) -> Iterator[BlobStore]:
    name = str(request.param)
    if name == "folder":
        yield ObjectStoreBlobs.in_folder(tmp_path)
    elif name == "memory":
        yield ObjectStoreBlobs.in_memory()
    elif name == "dataset folder":
        yield FolderBlobs(tmp_path)
    elif name == "server":
        running: RunningServer = request.getfixturevalue("file_server")
        session = Session(running.url, Credentials(token=running.token))
        yield ServerBlobs(FileClient(session, running.files_url), f"{running.files_url}/{new_id()}/ü b")
    else:
        storage = storages[name.split()[0]]
        bucket = place(storage.make_bucket(f"b{new_id()[:20]}"), storage.accounts(), patience=5.0).bucket
        if name == "s3 from a fork":
            relay = RelayBlobs(bucket.address, partial(direct, bucket))
            yield relay
            relay.close()
        else:
            yield direct(bucket)


def whole(blobs: BlobStore, key: str) -> bytes:
    return b"".join(blobs.read(key))


@pytest.mark.parametrize(
    "key", ["a", "a b/ü.txt", "x%20y", "p#q?/r*", "run#1", "run#1~", "b{}[]|\\^`<>\"'", "日本/語"]
)
def test_what_is_put_is_there(blobs: BlobStore, key: str, request: pytest.FixtureRequest) -> None:
    if "\\" in key and "azure" in request.node.name:
        pytest.skip("Azure reads a backslash as a slash")
    info = blobs.put(key, [b"ab", b"", b"c"])
    assert (info.key, info.size) == (key, 3)
    assert whole(blobs, key) == b"abc"
    assert blobs.head(key).etag == info.etag
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
    for number in range(25):
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


def test_many_spans_at_once(blobs: BlobStore) -> None:
    data = bytes(range(256)) * 10_000
    blobs.put("k", [data])
    asked = [
        (0, 10),
        (2_000_000, 2_000_007),
        (5, 5),
        (5, 9),
        (len(data) - 2, len(data) + 9),
        (len(data) + 5, 1 << 30),
    ]
    assert blobs.read_spans("k", asked) == [data[start:end] for start, end in asked]
    assert blobs.read_spans("k", []) == []
    with pytest.raises(FileMissing):
        blobs.read_spans("no", [(0, 1)])


def test_put_if_absent_stores_once(blobs: BlobStore) -> None:
    first = blobs.put_if_absent("a/k", [b"fir", b"st"])
    assert first is not None and first.size == 5
    assert blobs.put_if_absent("a/k", [b"second"]) is None
    assert whole(blobs, "a/k") == b"first"


def test_of_many_conditional_puts_one_wins(blobs: BlobStore) -> None:
    gate = threading.Barrier(6)
    won: list[int] = []

    def put(number: int) -> None:
        gate.wait()
        if blobs.put_if_absent("k", [bytes([number]) * 1000]) is not None:
            won.append(number)

    threads = [threading.Thread(target=put, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert whole(blobs, "k") == bytes([won[0]]) * 1000


def test_a_large_conditional_put(blobs: BlobStore) -> None:
    parts = [bytes([number]) * (9 << 20) for number in range(8)]
    stored = blobs.put_if_absent("big", parts)
    assert stored is not None and stored.size == 72 << 20
    assert blobs.put_if_absent("big", parts[::-1]) is None
    assert blobs.read_spans("big", [((9 << 20) - 1, (9 << 20) + 1)]) == [b"\x00\x01"]
    assert [found.key for found in blobs.list()] == ["big"]


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
