"""Large files that changed: what is new of them is stored, what is old is found again."""

import json
import random
import struct
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from tests.unit.datasets.conftest import Write, tree
from tests.unit.datasets.test_pack import decode_table
from trialbook.base.ids import new_id
from trialbook.datasets.manifest.rows import PIECES
from trialbook.datasets.packs.chunks import Cutter, bits_for
from trialbook.datasets.repository import Repository
from trialbook.datasets.sources.sniff import Policy
from trialbook.datasets.storage.folder import FolderBlobs
from trialbook.datasets.storage.objects import root_key
from trialbook.datasets.storage.prune import GRACE
from trialbook.errors import DatasetDamaged, DatasetMissing

try:
    from compression import zstd
except ImportError:
    from backports import zstd

NATIVE = Policy(native=True)
MB = 1 << 20


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def commit(repository: Repository, folder: Path, *parents: str, policy: Policy = NATIVE) -> str:
    draft = repository.begin(new_id(), parents, policy)
    draft.sync(folder)
    draft.upload()
    return draft.finish().version


def new_bytes(repository: Repository, version: str) -> int:
    """Bytes of the packs that a version brought."""
    return sum(ref.bytes for ref in repository.open(version).root.packs if ref.key.startswith(f"{version}/"))


def methods(repository: Repository, version: str) -> dict[str, int]:
    rows = repository.open(version).rows
    return dict(zip(rows.paths, rows.data["method"].tolist(), strict=True))


def chunks(data: bytes, step: int, bits: int = 16) -> list[tuple[int, bytes]]:
    cutter = Cutter(bits)
    for start in range(0, len(data), step):
        cutter.feed(data[start : start + step])
    cutter.finish()
    return list(zip(cutter.sizes, cutter.digests, strict=True))


@pytest.mark.parametrize("data", [noise(3 * MB), bytes(2 * MB), b"the same line\n" * 200_000, b"x", b""])
def test_cuts_do_not_depend_on_how_the_bytes_come(data: bytes) -> None:
    whole = chunks(data, len(data) or 1)
    assert sum(size for size, _ in whole) == len(data)
    assert all(size <= 4 << 16 for size, _ in whole)
    assert all(size >= 1 << 14 for size, _ in whole[:-1])
    for step in (4 * MB, 512 << 10, 100_003, 65_536):
        assert chunks(data, step) == whole


def test_an_insertion_moves_few_cuts() -> None:
    data = noise(8 * MB)
    before = {b3 for _, b3 in chunks(data, MB)}
    sizes = [size for size, _ in chunks(data, MB)]
    assert 40_000 < sum(sizes) / len(sizes) < 90_000
    for place in (0, 10, 3 * MB, len(data)):
        after = chunks(data[:place] + b"seven b" + data[place:], MB)
        assert sum(b3 not in before for _, b3 in after) <= 4


def test_chunks_grow_with_the_file() -> None:
    assert [bits_for(size) for size in (1, 1 << 29, 1 << 31, 1 << 32, 1 << 50)] == [16, 16, 18, 19, 20]


def test_a_change_costs_what_is_new(repository: Repository, write: Write, tmp_path: Path) -> None:
    data = noise(30 * MB)
    first = commit(repository, write({"a/model.bin": data, "small": b"s"}))
    changed = data[: 5 * MB] + b"in the middle" + data[5 * MB : 20 * MB] + data[21 * MB :] + b"and behind"
    second = commit(repository, write({"a/model.bin": changed, "small": b"s"}), first)
    assert methods(repository, second)["a/model.bin"] == PIECES
    assert new_bytes(repository, second) < 600_000
    root = repository.open(second).root
    assert root.format == 2
    assert repository.open(first).root.format == 1
    assert {ref.key.partition("/")[0] for ref in root.packs} == {first, second}
    assert repository.open(second).read("a/model.bin") == changed
    assert tree(repository.copy(second)) == {"a/model.bin": changed, "small": b"s"}
    assert repository.verify(second) == []

    # The next one is cut as its parent says, and reads the recipe instead of the file.
    again = changed[: 12 * MB] + b"!" + changed[12 * MB :]
    third = commit(repository, write({"a/model.bin": again, "small": b"s"}), second)
    assert new_bytes(repository, third) < 400_000
    assert tree(repository.mutable_copy(third, tmp_path / "copy"))["a/model.bin"] == again

    # What is moved, copied or inherited keeps its recipe and costs no bytes.
    fourth = commit(repository, write({"b/moved.bin": again, "twice.bin": again, "small": b"s"}), third)
    assert new_bytes(repository, fourth) == 0
    assert repository.open(fourth).root.recipes == repository.open(third).root.recipes
    assert repository.verify(fourth) == []
    squashed = repository.squash(new_id(), [fourth])
    assert repository.open(squashed.version).read("twice.bin") == again
    assert squashed.recipes == repository.open(third).root.recipes


def test_text_is_packed_piece_by_piece(repository: Repository, write: Write) -> None:
    chance = random.Random(3)
    lines = [b'{"id": %d, "value": %d}\n' % (number, chance.randrange(10**6)) for number in range(500_000)]
    data = b"".join(lines)
    first = commit(repository, write({"lines.jsonl": data}))
    # The first one is packed as a whole: nothing of it can be pointed at, but the new one is cut.
    longer = data + b"".join(lines[:1000])
    second = commit(repository, write({"lines.jsonl": longer}), first)
    assert methods(repository, second)["lines.jsonl"] == PIECES
    assert new_bytes(repository, second) < len(longer) / 2
    longest = b"new first line\n" + longer + b"new last line\n"
    third = commit(repository, write({"lines.jsonl": longest}), second)
    assert new_bytes(repository, third) < 200_000
    assert tree(repository.copy(third)) == {"lines.jsonl": longest}


def test_other_bytes_are_stored_as_a_file(repository: Repository, write: Write) -> None:
    first = commit(repository, write({"weights": noise(9 * MB, 1), "large": noise(9 * MB, 2)}))
    second = commit(
        repository, write({"weights": noise(9 * MB, 3), "large": noise(9 * MB, 2)[: 8 * MB]}), first
    )
    assert methods(repository, second)["weights"] == 0
    assert repository.open(second).root.packs[0].bytes
    assert repository.verify(second) == []


@pytest.mark.parametrize("policy", [Policy(), Policy(native=True, pieces=False)])
def test_only_in_native_mode(repository: Repository, write: Write, policy: Policy) -> None:
    data = noise(9 * MB)
    first = commit(repository, write({"f": data}), policy=policy)
    second = commit(repository, write({"f": data + b"1"}), first, policy=policy)
    assert methods(repository, second) == {"f": 0}
    assert repository.open(second).root.format == 1


def test_pieces_keep_their_packs(tmp_path: Path, write: Write) -> None:
    """Deleting the version that a piece comes from leaves the pack; deleting its last user frees it."""
    time = [1e9]
    repository = Repository(FolderBlobs(tmp_path / "store"), tmp_path / "cache", lambda: time[0])
    data = noise(10 * MB)
    first = commit(repository, write({"f": data}))
    second = commit(repository, write({"f": data + b"1"}), first)
    third = commit(repository, write({"f": data + b"1", "g": b""}), second)
    receipt = repository.delete([first, second], force=True)
    assert {kept.key.partition("/")[0] for kept in receipt.kept} == {first, second}
    time[0] += GRACE + 1
    repository.sweep(receipt.id)
    assert repository.open(third).read("f") == data + b"1"
    assert repository.verify(third) == []
    last = repository.delete([third])
    assert last.freed > 10 * MB


def test_a_killed_upload_goes_on(repository: Repository, write: Write) -> None:
    data = noise(10 * MB)
    first = commit(repository, write({"f": data}))
    version = new_id()
    draft = repository.begin(version, [first], NATIVE)
    draft.add_folder(write({"f": data + b"1"}))
    draft.upload()
    draft.close()
    again = repository.begin(version)
    assert again.pending == 0
    again.finish()
    assert repository.open(version).read("f") == data + b"1"
    assert new_bytes(repository, version) < 300_000


def test_damage_is_found(repository: Repository, write: Write, tmp_path: Path) -> None:
    data = noise(10 * MB)
    first = commit(repository, write({"f": data}))
    second = commit(repository, write({"f": data + b"1"}), first)
    (pack,) = (tmp_path / "store/packs" / first).iterdir()
    whole = pack.read_bytes()
    pack.write_bytes(whole[: 5 * MB] + b"!!!!" + whole[5 * MB + 4 :])
    assert "f" in [problem.name for problem in repository.verify(second)]
    with pytest.raises(DatasetDamaged):
        repository.copy(second)
    pack.unlink()
    with pytest.raises(DatasetMissing, match=pack.stem):
        repository.copy(second)
    pack.write_bytes(whole)
    (own,) = (tmp_path / "store/packs" / second).iterdir()
    raw = own.read_bytes()
    at = raw.rindex(b"TBT1", 0, raw.rindex(b"TBT1")) + 10
    own.write_bytes(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
    with pytest.raises(DatasetDamaged):
        repository.copy(second)
    assert repository.verify(second)
    # A file whose former self cannot be read is stored as a whole.
    third = commit(repository, write({"f": data + b"2"}), second)
    assert repository.open(third).read("f") == data + b"2"
    assert methods(repository, third) == {"f": 0}


def test_two_columns_more(repository: Repository, write: Write) -> None:
    """A table stored by columns, in groups of rows, with a footer, as parquet is."""

    def table(columns: int) -> bytes:
        groups = []
        for group in range(4):
            groups += [noise(600_000, 100 * group + column) for column in range(12)]
            groups += [noise(20_000, 100 * group + column) for column in range(12, columns)]
        return b"PAR1" + b"".join(groups) + b"".join(b"column %d" % column for column in range(columns))

    first = commit(repository, write({"table.parquet": table(12)}))
    second = commit(repository, write({"table.parquet": table(14)}), first)
    assert len(table(14)) > 28_000_000
    assert new_bytes(repository, second) < 4 * (2 * 20_000 + 4 * (1 << 16))
    assert repository.verify(second) == []


def test_a_version_without_pieces_has_the_first_format(
    repository: Repository, write: Write, tmp_path: Path
) -> None:
    version = commit(repository, write({"f": b"1"}))
    opened = repository.open(version)
    assert b"recipes" not in (tmp_path / "store" / root_key(version, opened.root_id)).read_bytes()


def test_a_recipe_by_the_document_alone() -> None:
    store = Path(__file__).parent / "golden" / "format-2"
    version = "c" * 32
    root_id = json.loads((store / f"versions/{version}.json").read_bytes())["root"]
    root = json.loads((store / f"roots/{version}/{root_id}.json").read_bytes())
    assert root["format"] == 2
    rows: Any = decode_table((store / "ranges" / root["ranges"][0]["key"]).read_bytes())
    number = rows["path"].index("large.bin")
    assert rows["method"][number] == 255
    own = rows["packs"][rows["pack"][number]]
    start = rows["offset"][number]

    def pack(key: str) -> bytes:
        return (store / "packs" / f"{key}.zip").read_bytes()

    recipe: Any = decode_table(pack(own)[start : start + rows["stored"][number]])
    content = b""
    used: dict[str, int] = {}
    seen = set()
    columns = [recipe[name] for name in ("pack", "offset", "stored", "size", "method", "b3")]
    for which, offset, stored, size, method, b3 in zip(*columns, strict=True):
        key = own if which == 0xFFFFFFFF else recipe["packs"][which]
        part = pack(key)[offset : offset + stored]
        if method == 93:
            part = zstd.decompress(part)
        assert len(part) == size
        assert blake3(part).digest() == b3
        content += part
        if (key, offset) not in seen:
            seen.add((key, offset))
            used[key] = used.get(key, 0) + stored
    assert blake3(content).digest() == rows["b3"][number]
    assert len(content) == rows["size"][number]
    assert root["recipes"] == {f"{own}@{start}": [[key, used[key]] for key in sorted(used)]}
    assert [size for size, _ in chunks(content, MB, recipe["bits"][0])] == recipe["size"]


def test_cuts_by_the_document_alone() -> None:
    data, bits = noise(400_000, 5) + bytes(300_000), 16
    weights, expected, start = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F), [], 0
    while start < len(data):
        end = min(start + (4 << bits), len(data))
        for place in range(start + (1 << bits) // 4, end):
            words = struct.unpack_from("<4I", data, place - 16)
            mixed = sum(word * weight for word, weight in zip(words, weights, strict=True)) + 0x165667B1
            if mixed % 2**32 < 2**32 // (3 * 2**bits // 4):
                end = place
                break
        expected.append(end - start)
        start = end
    assert [size for size, _ in chunks(data, MB)] == expected
