"""Datasets in both directions: the released SDK reads ours and derives from them, and ours does so with theirs."""

import hashlib
import random
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.datasets.support import tree, writer
from tests.interop.conftest import Run
from tests.support.length import LONG
from tests.support.server import RunningServer
from tests.support.waiting import until
from trialbook import Dataset
from trialbook.errors import TaskNotDeletable, UsageError
from trialbook.sdk.servers import connection as connections

pytestmark = [pytest.mark.interop, pytest.mark.timeout(400)]


@pytest.fixture
def project(server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name, value in server.client_environment(tmp_path / "ours").items():
        if name.startswith("TRIALBOOK_") or name == "HOME":
            monkeypatch.setenv(name, value)
    connections.disconnect()
    yield f"Interop/{uuid.uuid4().hex[:8]}"
    connections.disconnect()


def digests(files: dict[str, bytes]) -> dict[str, str]:
    return {path: hashlib.sha256(data).hexdigest() for path, data in files.items()}


def noise(seed: int) -> bytes:
    return random.Random(seed).randbytes(300_000)


def make(project: str, tmp_path: Path) -> tuple[dict[str, bytes], dict[str, bytes], Dataset, Dataset]:
    """Two versions of ours: several packs, duplicates, a file changed twice before the end, changes and removals."""
    write = writer(tmp_path / "sources")
    first = {
        "a.txt": b"hello",
        "dup": b"hello",
        "sub/b.csv": b"x,y\n" * 2000,
        **{f"n{n}": noise(n) for n in range(6)},
    }
    data = Dataset.create("ours", project)
    data.add_files(write({"a.txt": b"too early", "sub/gone.txt": b"taken out again"}))
    data.upload()
    data.remove_files("sub/gone.txt")
    data.add_files(write(first))
    data.upload(chunk_size=1)
    data.finalize()
    second = {**first, "n0": b"changed", "new.txt": b"new"}
    del second["dup"]
    child = Dataset.create("ours", project, parent_datasets=[data])
    child.add_files(write({"n0": b"changed", "new.txt": b"new"}))
    child.remove_files("dup")
    child.finalize(auto_upload=True)
    return first, second, data, child


def test_the_released_sdk_reads_ours(project: str, tmp_path: Path, run_clearml: Run) -> None:
    first, second, data, child = make(project, tmp_path)
    answer = run_clearml("dataset_reader.py", project, "ours")
    assert answer["id"] == child.id and answer["version"] == "1.0.1" and answer["final"]
    assert answer["files"] == sorted(second)
    assert answer["tree"] == digests(second) and answer["wrong"] == []
    assert answer["hashes"] == digests(second)
    assert (answer["added"], answer["modified"], answer["removed"]) == (["new.txt"], ["n0"], ["dup"])
    assert answer["graph"] == {child.id: [data.id], data.id: []}
    assert answer["chunks"] == child.get_num_chunks()
    assert answer["first"] == digests(first), "packs hold nothing but the version's files"
    parts = [set(part) for part in answer["parts"]]
    assert parts[0] | parts[1] == set(second) and not parts[0] & parts[1]
    assert answer["listed"] == ["1.0.1", "1.0.0"]

    third = {**second, "child.txt": b"from the child", "sub/b.csv": b"changed by the child"}
    del third["a.txt"]
    assert answer["synced"] == [1, 1, 1] and answer["child_version"] == "1.0.2"
    assert answer["child_tree"] == digests(third)
    theirs = Dataset.get(answer["child"])
    assert tree(theirs.get_local_copy()) == third
    assert theirs.verify_dataset_hash() == [] and theirs.verify_storage() == []
    assert theirs.list_added_files() == ["child.txt"] and theirs.list_removed_files() == ["a.txt"]
    assert theirs.list_modified_files() == ["sub/b.csv"]


def test_D6_the_released_sdk_reads_squashed_and_exported_versions_and_links(
    project: str, tmp_path: Path, run_clearml: Run
) -> None:
    first, second, data, child = make(project, tmp_path)
    squashed = Dataset.squash("squashed", [data.id, child.id])
    native = Dataset.create("native", project, parent_datasets=[child], native=True)
    native.add_files(writer(tmp_path / "more")({"copy/of/n1": noise(1), "text": b"words " * 9000}))
    native.finalize(auto_upload=True)
    exported = Dataset.export_clearml(native.id)
    odd = {"g h": b"1", "g%20h": b"2", "a%2Fb": b"3", "a#b": b"4"}
    linked = Dataset.create("linked", project)
    # It writes such addresses without encoding them, and reads ours of "g h" as a file "g%20h".
    linked.add_external_files(writer(tmp_path / "odd")(odd).as_uri() + "/")
    linked.finalize(auto_upload=True)
    answer = run_clearml("dataset_check.py", squashed.id, exported.id, linked.id)
    assert answer[linked.id]["tree"] == digests(odd)
    assert answer[squashed.id]["tree"] == digests(second) and answer[squashed.id]["wrong"] == []
    assert answer[squashed.id]["graph"] == {squashed.id: []}
    whole = {**second, "copy/of/n1": noise(1), "text": b"words " * 9000}
    assert answer[exported.id]["tree"] == digests(whole) and answer[exported.id]["wrong"] == []
    assert set(first) - set(second) == {"dup"}


def test_the_released_sdk_manages_ours(
    project: str, tmp_path: Path, run_clearml: Run, server: RunningServer
) -> None:
    first, _, data, child = make(project, tmp_path)
    answer = run_clearml("dataset_manage.py", project, "ours")
    assert answer["renamed"] == answer["moved"] == data.id and answer["published"]
    assert answer["deleted"] == child.id
    found = Dataset.get(dataset_project=f"{project}/moved", dataset_name="renamed")
    assert found.id == data.id and found._opened.info["status"] == "published"
    until(lambda: not list(server.data.glob(f"files/**/packs/{child.id}/*")), 20)
    assert tree(found.get_mutable_local_copy(tmp_path / "mine") or "") == first, "the parent keeps its bytes"


def test_D6_ours_reads_the_released_sdks(project: str, tmp_path: Path, run_clearml: Run) -> None:
    answer = run_clearml("dataset_writer.py", project, "theirs")
    first = Dataset.get(answer["first"])
    opened = Dataset.get(dataset_project=project, dataset_name="theirs")
    assert opened.id == answer["open"] and not opened.is_final()
    with pytest.raises(UsageError, match="clearml SDK"):
        opened.list_files()
    second = Dataset.get(dataset_project=project, dataset_name="theirs", only_completed=True)
    assert (
        second.id == answer["second"]
        and second.version == "1.0.1"
        and first.tags == ["external files", "one"]
    )
    assert first.get_num_chunks() == answer["chunks"] == 3
    assert first.get_metadata() == {"classes": 3}
    copied = tree(first.get_local_copy())
    assert copied["links/outside.txt"] == b"linked"
    odd = {"g h", "g%20h", "a%2Fb", "a#b"}
    assert {path: data for path, data in copied.items() if path.startswith("odd/")} == {
        f"odd/{word}": word.encode() for word in odd
    }
    assert first.list_files() == sorted(copied)
    assert first.verify_storage() == [] and first.verify_dataset_hash() == []
    assert digests(tree(second.get_local_copy())) == answer["content"], (
        "renamed.bin is named, but not in its zip"
    )
    assert second.list_added_files() == ["new.txt", "renamed.bin"]
    assert second.list_modified_files() == ["a.txt"]
    assert first.link_entries_dict["links/outside.txt"].size == 6

    child = Dataset.get(answer["first"], writable_copy=True)
    assert child.version == "1.0.3"
    write = writer(tmp_path / "sources")
    assert child.add_files(write({"a.txt": copied["a.txt"], "ours.txt": b"ours"})) == 1
    child.remove_files("links/*")
    child.remove_files("odd")
    child.finalize(auto_upload=True)
    assert child.get_num_chunks(include_parents=False) == 1, "unchanged files stay in their zips"
    wanted = {path: data for path, data in copied.items() if not path.startswith(("links/", "odd/"))}
    wanted["ours.txt"] = b"ours"
    assert tree(child.get_local_copy()) == wanted
    again = run_clearml("dataset_check.py", child.id)
    assert again[child.id]["tree"] == digests(wanted) and again[child.id]["wrong"] == []
    squashed = Dataset.squash("squashed", [answer["second"]])
    assert digests(tree(squashed.get_local_copy())) == answer["content"]


@pytest.mark.parametrize("deleter", ["ours", "theirs"])
@pytest.mark.parametrize("gone", [(0,), (1,), (0, 1), (2, 0, 1)] if LONG else [(0,), (2, 0, 1)])
def test_D7_what_other_versions_need_stays(
    project: str, tmp_path: Path, run_clearml: Run, server: RunningServer, gone: tuple[int, ...], deleter: str
) -> None:
    """The released SDK's and our versions in turn, each with one more file."""
    write = writer(tmp_path / "sources")
    chain: list[str] = []
    for number in range(4):
        if number % 2:
            made = Dataset.create("chain", project, parent_datasets=chain[-1:])
            made.add_files(write({f"f{number}": f"f{number}".encode()}))
            made.finalize(auto_upload=True)
            chain.append(made.id)
        else:
            chain.append(
                run_clearml("dataset_child.py", "make", project, "chain", f"f{number}", *chain[-1:])["id"]
            )
    for number in gone:
        if deleter == "theirs":
            run_clearml("dataset_child.py", "delete", project, "chain", "", chain[number])
            continue
        if len(gone) < 3:
            with pytest.raises(TaskNotDeletable, match="is used by"):
                Dataset.delete(chain[number])
        Dataset.delete(chain[number], force=True)
    owners = [chain[number] for number in gone if number % 2]
    until(lambda: not any(any(server.data.glob(f"files/**/roots/{owner}/*")) for owner in owners), 20)
    connections.disconnect()
    shutil.rmtree(tmp_path / "ours")
    for number in sorted({0, 1, 2, 3} - set(gone)):
        found = tree(Dataset.get(chain[number]).get_local_copy())
        assert found == {f"f{n}": f"f{n}".encode() for n in range(number + 1)}, number
    for number in sorted({0, 1, 2, 3} - set(gone), reverse=deleter == "ours"):
        Dataset.delete(chain[number], force=True)
    until(
        lambda: (
            not [
                file for file in server.data.glob("files/**/*.zip") if project.rpartition("/")[2] in str(file)
            ]
        ),
        20,
    )
