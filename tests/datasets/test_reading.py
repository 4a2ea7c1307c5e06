"""Reading in place: one file, a stream, a file system."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.datasets.conftest import Close
from tests.datasets.support import Write, tree
from tests.support.server import RunningServer
from trialbook import Dataset
from trialbook.errors import DatasetDamaged, FileMissing, UsageError

LARGE = os.urandom(20 << 20)
FILES = {
    "large.bin": LARGE,
    "sub/text": b"words " * 3_000_000,
    "sub/deep/small": b"small",
    "empty": b"",
    "table.csv": b"a,b\n1,2\n3,4\n",
    **{f"many/{n:03}": os.urandom(200_000) for n in range(120)},
}


@pytest.fixture(scope="module")
def kept() -> dict[str, str]:
    return {}


@pytest.fixture
def data(home: object, server: RunningServer, write: Write, kept: dict[str, str]) -> Dataset:
    """One version for all tests of a server."""
    if server.url not in kept:
        made = Dataset.create("data", "Reading/Deep")
        made.add_files(write(FILES))
        made.add_external_files("file:///etc/hostname", dataset_path="links")
        made.upload(chunk_size=8)
        made.finalize()
        kept[server.url] = made.id
    return Dataset.get(kept[server.url])


def test_open(data: Dataset) -> None:
    for path in ("large.bin", "sub/text", "sub/deep/small", "empty"):
        with data.open(path) as file:
            assert file.read() == FILES[path]
    with data.open("large.bin") as file:
        file.seek(10_000_000)
        assert file.read(5) == LARGE[10_000_000:10_000_005] and file.tell() == 10_000_005
        file.seek(-3, os.SEEK_END)
        assert file.read() == LARGE[-3:] and file.read() == b""
    with data.open("links/hostname") as file:
        assert file.read() == Path("/etc/hostname").read_bytes()
    with pytest.raises(FileMissing, match="missing"):
        data.open("missing")


def test_who_reads_on_gets_more_at_once(closed: Close) -> None:
    content = os.urandom(30_000_000)
    data = closed({"large.bin": content})
    asked: list[int] = []

    class Counted:
        def __init__(self, blobs: Any) -> None:
            self._blobs = blobs

        def read(self, key: str, start: int, end: int) -> Iterator[bytes]:
            asked.append(end - start)
            return iter(self._blobs.read(key, start, end))

    with data.open("large.bin") as file:
        raw: Any = file
        raw.raw._blobs = Counted(raw.raw._blobs)
        assert file.read() == content
        assert len(asked) <= 6 and sum(asked) == len(content), "each byte once, in a few requests"
        for place in (29_999_990, 12_345_678, 0, 4_194_300, 8_388_608, 8_400_000):
            file.seek(place)
            assert file.read(20_000) == content[place : place + 20_000]
        file.seek(1_000_000)
        while part := file.read(700_000):
            assert part == content[file.tell() - len(part) : file.tell()]
        assert file.tell() == len(content)


def test_open_needs_a_finished_version(project: str) -> None:
    with pytest.raises(UsageError, match="open"):
        Dataset.create("open", project).open("x")


def test_a_subset_reads_only_what_it_needs(data: Dataset, server: RunningServer) -> None:
    packs = {ref.key: ref.bytes for ref in data._opened.version.root.packs}
    assert len(packs) > 1
    away = []
    for pack in server.data.glob(f"files/**/packs/{data.id}/*.zip"):
        row = data._opened.version.rows.find("sub/deep/small")
        assert row is not None
        if data._opened.version.rows.pack_of(row) != f"{data.id}/{pack.stem}":
            away.append(pack.rename(pack.with_suffix(".away")))
    assert away
    try:
        assert tree(data.get_local_copy(files="sub/deep")) == {"sub/deep/small": b"small"}
    finally:
        for pack in away:
            pack.rename(pack.with_suffix(".zip"))


def test_a_stream(data: Dataset) -> None:
    found = list(data.iterate())
    assert dict(found) == FILES and len(found) == len(FILES)
    assert dict(data.iterate("many/00*")) == {k: v for k, v in FILES.items() if k.startswith("many/00")}


def test_a_shuffled_stream_for_several_ranks(data: Dataset) -> None:
    def order(rank: int, **more: int) -> list[str]:
        return [path for path, _ in data.iterate("many/*", True, rank=rank, world_size=3, **more)]

    shards = [order(rank) for rank in range(3)]
    assert sorted(path for shard in shards for path in shard) == sorted(
        p for p in FILES if p.startswith("many/")
    )
    assert shards[0] == order(0) and shards[0] != sorted(shards[0])
    assert order(0, epoch=1) != shards[0]
    for rank, world_size in ((3, 3), (-1, 1), (0, 0)):
        with pytest.raises(UsageError):
            data.iterate(rank=rank, world_size=world_size)


def test_damage_is_found_while_streaming(closed: Close, server: RunningServer) -> None:
    noise = os.urandom(9 << 20)
    data = closed({"x": noise, "y": b"precious"})
    for pack in server.data.glob(f"files/**/packs/{data.id}/*.zip"):
        content = bytearray(pack.read_bytes())
        place = content.find(noise[-64:])
        if place >= 0:
            content[place] ^= 1
            pack.write_bytes(bytes(content))
    with pytest.raises(DatasetDamaged, match="x"), data.open("x") as file:
        while file.read(1 << 20):
            pass
    with pytest.raises(DatasetDamaged):
        dict(data.iterate())


def test_as_a_file_system(data: Dataset) -> None:
    fsspec = pytest.importorskip("fsspec")
    pandas = pytest.importorskip("pandas")
    from trialbook.sdk.dataset.filesystem import TrialbookFileSystem

    fsspec.register_implementation("trialbook", TrialbookFileSystem, clobber=True)
    TrialbookFileSystem.clear_instance_cache()
    top = "trialbook://dataset/Reading/Deep/data@1.0.0"
    frame = pandas.read_csv(f"{top}/table.csv")
    assert frame["b"].tolist() == [2, 4]
    files = fsspec.filesystem("trialbook")
    assert files.ls(top, detail=False) == [
        f"dataset/Reading/Deep/data@1.0.0/{name}"
        for name in ("empty", "large.bin", "links", "many", "sub", "table.csv")
    ]
    assert files.info(f"{top}/large.bin")["size"] == len(LARGE)
    assert files.info(f"{top}/sub")["type"] == "directory"
    assert files.exists(f"{top}/sub/deep/small") and not files.exists(f"{top}/nothing")
    assert sorted(files.glob(f"{top}/sub/**/small")) == ["dataset/Reading/Deep/data@1.0.0/sub/deep/small"]
    assert len(files.find(f"{top}/many")) == 120
    assert files.cat_file(f"{top}/large.bin", start=5, end=9) == LARGE[5:9]
    with fsspec.open("trialbook://dataset/Reading/Deep/data@latest/sub/deep/small") as file:
        assert file.read() == b"small"
    for mode in ("wb", "ab"):
        with pytest.raises(UsageError, match="read only"):
            files.open(f"{top}/x", mode)
    with pytest.raises(UsageError, match="does not name a dataset"):
        files.ls("trialbook://dataset/only")
    with pytest.raises(FileNotFoundError):
        files.open(f"{top}/nothing")
