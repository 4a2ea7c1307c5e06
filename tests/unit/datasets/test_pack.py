"""Packs: any zip tool reads them, and the format document alone is enough to decode one."""

import hashlib
import random
import shutil
import struct
import subprocess
import zipfile
import zlib
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.datasets.conftest import Write, tree
from trialbook.base.ids import new_id
from trialbook.datasets.packs.header import header_bytes, local_header
from trialbook.datasets.repository import Repository, Version
from trialbook.datasets.sources.sniff import Policy
from trialbook.datasets.storage.folder import FolderBlobs
from trialbook.errors import DatasetDamaged, DatasetMissing

try:
    from compression import zstd
except ImportError:
    from backports import zstd

noise = random.Random(1).randbytes
FILES = {
    "a/text.txt": b"all work and no play " * 5000,
    "a/noise.bin": noise(100_000),
    "empty": b"",
    "ü/日本.csv": b"1,2,3\n" * 300,
    "line\nbreak": b"x" * 700,
    "big/noise": noise(3 << 20),
    "big/text": b"0123456789abcdef" * (200_000),
    "huge/noise": noise(9 << 20),
    "huge/text": b"the quick brown fox " * 500_000,
}
SMALL_PACKS = Policy(pack_bytes=4 << 20)


def commit(repository: Repository, folder: Path, policy: Policy | None = None) -> Version:
    draft = repository.begin(new_id(), policy=policy)
    draft.add_folder(folder)
    draft.upload()
    return repository.open(draft.finish().version)


def packs(top: Path) -> list[Path]:
    return sorted((top / "store" / "packs").rglob("*.zip"))


def test_python_and_unzip_read_packs(repository: Repository, write: Write, tmp_path: Path) -> None:
    commit(repository, write(FILES), SMALL_PACKS)
    assert len(packs(tmp_path)) == 3
    for pack in packs(tmp_path):
        with zipfile.ZipFile(pack) as opened:
            assert opened.testzip() is None
            opened.extractall(tmp_path / "out")
        assert (
            shutil.which("unzip") is None
            or subprocess.run(["unzip", "-tqq", pack], check=False).returncode == 0
        )
    assert tree(tmp_path / "out") == FILES


@pytest.mark.parametrize("native", [False, True])
def test_large_and_small_come_back(
    repository: Repository, write: Write, tmp_path: Path, native: bool
) -> None:
    version = commit(repository, write(FILES), Policy(pack_bytes=4 << 20, native=native))
    assert version.paths() == sorted(FILES)
    assert tree(repository.copy(version.id)) == FILES
    assert {path: version.read(path) for path in FILES} == FILES
    stored = sum(pack.stat().st_size for pack in packs(tmp_path))
    incompressible = sum(len(data) for path, data in FILES.items() if "noise" in path)
    assert incompressible < stored < incompressible * 1.02 + 100_000


def test_same_files_same_packs(tmp_path: Path, write: Write) -> None:
    folder, version = write(FILES), new_id()
    names = []
    for store in ("one", "two"):
        repository = Repository(FolderBlobs(tmp_path / store), tmp_path / f"cache-{store}")
        draft = repository.begin(version, policy=SMALL_PACKS)
        draft.add_folder(folder)
        draft.upload()
        draft.finish()
        names.append({file.name: file.read_bytes() for file in (tmp_path / store / "packs").rglob("*.zip")})
    assert names[0] == names[1]


def decode_table(data: bytes) -> dict[str, object]:
    """Written from docs/design/dataset-format.md, "Table", and nothing else."""
    assert data[:4] == b"TBT1"
    (count,) = struct.unpack("<I", data[4:8])
    place = 8 + 48 * count
    columns: dict[str, object] = {}
    for number in range(count):
        head = data[8 + 48 * number : 56 + 48 * number]
        name = head[:16].rstrip(b"\0").decode("ascii")
        kind, coding = head[16], head[17]
        values, raw, stored = struct.unpack("<QQQ", head[24:])
        part = data[place : place + stored]
        place += stored
        if coding == 1:
            part = zstd.decompress(part)
        assert len(part) == raw
        if kind == 1:
            columns[name] = part.decode().split("\0") if values else []
        elif kind == 6:
            columns[name] = [part[32 * n : 32 * n + 32] for n in range(values)]
        else:
            letter = {2: "B", 3: "I", 4: "Q", 5: "q"}[kind]
            columns[name] = list(struct.unpack(f"<{values}{letter}", part))
    assert place == len(data)
    return columns


@pytest.mark.parametrize("sha256", [True, False])
def test_a_pack_by_the_document_alone(
    repository: Repository, write: Write, tmp_path: Path, sha256: bool
) -> None:
    commit(repository, write(FILES), Policy(pack_bytes=4 << 20, sha256=sha256))
    found = {}
    for pack in packs(tmp_path):
        data = pack.read_bytes()
        tail = data[-137:]
        assert tail[:4] == b"PK\x05\x06"
        comment = tail[22:].decode("ascii")
        assert comment.startswith("trialbook-pack 1 ")
        start, length, identity = comment[17:33], comment[34:50], comment[51:]
        block = data[int(start, 16) : int(start, 16) + int(length, 16)]
        assert blake3(block).hexdigest() == identity == pack.stem
        index = decode_table(block)
        assert list(index) == ["path", "b3", "sha256", "crc", "size", "stored", "offset", "method"]
        assert index["sha256"] == [] or sha256
        for number, path in enumerate(index["path"]):  # type: ignore[arg-type, var-annotated]
            value = {name: column[number] for name, column in index.items() if column}  # type: ignore[index]
            content = data[value["offset"] : value["offset"] + value["stored"]]
            if value["method"] == 8:
                content = zlib.decompress(content, -15)
            assert len(content) == value["size"]
            assert zlib.crc32(content) == value["crc"]
            assert blake3(content).digest() == value["b3"]
            assert not sha256 or hashlib.sha256(content).digest() == value["sha256"]
            found[path] = content
    assert found == FILES


def test_a_range_and_a_root_by_the_document_alone(
    repository: Repository, write: Write, tmp_path: Path
) -> None:
    import json

    version = commit(repository, write(FILES))
    store = tmp_path / "store"
    assert json.loads((store / "format.json").read_bytes()) == {"format": 1}
    root_id = json.loads((store / "versions" / f"{version.id}.json").read_bytes())["root"]
    data = (store / "roots" / version.id / f"{root_id}.json").read_bytes()
    assert blake3(data).hexdigest() == root_id
    root = json.loads(data)
    assert data == json.dumps(root, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert list(root) == [
        "bytes", "created", "files", "format", "graph", "links", "packs", "parents", "ranges", "version",
    ]  # fmt: skip
    (only,) = root["ranges"]
    assert (only["first"], only["last"], only["rows"]) == (min(FILES), max(FILES), len(FILES))
    held = (store / "ranges" / only["key"]).read_bytes()
    assert blake3(held).hexdigest() == only["key"].split("/")[1]
    rows = decode_table(held)
    assert rows["path"] == sorted(FILES)
    assert rows["origins"] == [version.id]
    assert rows["b3"] == [blake3(FILES[path]).digest() for path in sorted(FILES)]
    for number, path in enumerate(sorted(FILES)):
        value = {name: column[number] for name, column in rows.items() if name not in ("packs", "origins")}  # type: ignore[index]
        pack = (store / "packs" / f"{rows['packs'][value['pack']]}.zip").read_bytes()  # type: ignore[index]
        content = pack[value["offset"] : value["offset"] + value["stored"]]
        assert (zlib.decompress(content, -15) if value["method"] == 8 else content) == FILES[path]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.text("abcü /", min_size=1, max_size=8).map(lambda name: "d/" + name.replace("/", "_") + "x"),
        st.binary(max_size=3000) | st.binary(max_size=20).map(lambda part: part * 400),
        min_size=1,
        max_size=30,
    ),
    st.booleans(),
    st.booleans(),
)
def test_any_files(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes], native: bool, aliases: bool
) -> None:
    top = tmp_path_factory.mktemp("any")
    (top / "source" / "d").mkdir(parents=True)
    for path, data in files.items():
        (top / "source" / path).write_bytes(data)
    repository = Repository(FolderBlobs(top / "store", durable=False), top / "cache")
    policy = Policy(native=native, aliases=aliases, pack_bytes=4000, pack_members=7, durable=False)
    version = commit(repository, top / "source", policy)
    assert tree(repository.copy(version.id)) == files
    assert repository.verify(version.id) == []
    members = sum(len(zipfile.ZipFile(pack).namelist()) for pack in packs(top))
    assert members == (len(set(files.values())) if aliases else len(files))


@pytest.mark.parametrize("place", ["data", "header", "index", "directory", "cut", "gone"])
def test_damage_is_found_and_named(repository: Repository, write: Write, tmp_path: Path, place: str) -> None:
    files = {"one.txt": b"1" * 600 + noise(500), "two.bin": noise(5000)}
    version = commit(repository, write(files))
    (pack,) = packs(tmp_path)
    data = bytearray(pack.read_bytes())
    member = version.rows.data["offset"][1]
    spots = {
        "data": int(member) + 10,
        "header": int(member) - 20,
        "index": data.index(b"TBT1") + 60,
        "directory": data.index(b"PK\x01\x02") + 20,
    }
    if place == "gone":
        pack.unlink()
    elif place == "cut":
        pack.write_bytes(data[: len(data) // 2])
    else:
        data[spots[place]] ^= 0xFF
        pack.write_bytes(data)
    problems = repository.verify(version.id)
    assert problems
    if place == "data":
        assert [problem.name for problem in problems] == ["two.bin"]
    if place in ("data", "cut", "gone"):
        with pytest.raises((DatasetDamaged, DatasetMissing), match=version.rows.packs[0].split("/")[1]):
            repository.copy(version.id)
        assert not list((tmp_path / "cache" / "views").glob("*/files"))


def test_headers_of_members_beyond_four_gigabytes() -> None:
    size, stored = 5 << 30, 3 << 30
    head = local_header(b"name", 8, 7, size, stored)
    assert len(head) == header_bytes(b"name", size) == 30 + 4 + 20
    assert head[18:26] == b"\xff" * 8
    assert struct.unpack("<HHQQ", head[34:]) == (1, 16, size, stored)
