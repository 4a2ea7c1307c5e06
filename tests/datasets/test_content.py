"""Adding, linking, removing, synchronising and listing."""

import hashlib
import http.server
import json
import os
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.datasets.conftest import Close
from tests.datasets.support import Write, tree
from tests.support.server import RunningServer
from trialbook import Dataset
from trialbook.errors import SourceChanged, UsageError

FILES = {
    "a.jpg": b"1",
    "a.png": b"2",
    "a/b/c.jpg": b"3",
    "folder/x.json": b"4",
    "folder/sub/x.json": b"5",
    "other/folder/x.json": b"6",
}


@pytest.fixture
def data(project: str) -> Dataset:
    return Dataset.create("data", project)


@pytest.mark.covers("DS-02b", "DS-02g", "DS-06a", "DS-18a", "DS-21b", "DS-37a", "DI-3a")
def test_files_wait_until_they_are_uploaded(data: Dataset, write: Write) -> None:
    assert not data.is_dirty() and data.list_files() == []
    assert data.add_files(write({"x": b"one", "sub/y": b"two"})) == 2
    assert data.is_dirty() and data.list_files() == ["sub/y", "x"]
    entry = data.file_entries_dict["x"]
    assert (entry.relative_path, entry.size, entry.parent_dataset_id) == ("x", 3, data.id)
    assert entry.hash == hashlib.sha256(b"one").hexdigest()
    assert entry.artifact_name is None and entry.local_path is not None
    data.upload()
    stored = data.file_entries_dict["x"]
    assert not data.is_dirty() and stored.local_path is None and stored.hash == entry.hash
    assert data.finalize()
    assert Dataset.get(data.id).file_entries_dict["x"].artifact_name == "data"
    assert dict(data.link_entries_dict) == {}


@pytest.mark.covers("DS-02a", "DS-02b", "DS-24c", "DS-37b", "XD-14")
def test_only_new_paths_count_as_added(closed: Close, write: Write, project: str) -> None:
    first = closed({"x": b"1", "y": b"2"})
    child = Dataset.create("data", project, parent_datasets=[first.id])
    assert child.add_files(write({"x": b"1", "y": b"changed", "z": b"3"})) == 1
    assert child.list_modified_files() == ["y"] and child.list_added_files() == ["z"]
    child.finalize(auto_upload=True)
    assert child.list_files(dataset_id=child.id) == ["y", "z"]
    assert child.list_files(dataset_id=first.id) == ["x"], "untouched files keep their origin"
    assert child.get_num_chunks(include_parents=False) == 1


@pytest.mark.covers("DS-02d", "DS-02e", "DS-02f")
def test_where_files_land(data: Dataset, write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    top = write({"a/b/x": b"1", "a/y": b"2", "z": b"3"})
    assert data.add_files(str(top / "z"), dataset_path="/one/") == 1
    assert data.add_files(top / "a", local_base_folder=str(top), dataset_path="two") == 2
    assert data.add_files(top, recursive=False, verbose=True) == 1
    assert data.add_files(str(top / "a" / "*"), dataset_path="three") == 2
    wanted = ["one/z", "three/b/x", "three/y", "two/a/b/x", "two/a/y", "z"]
    assert data.list_files() == wanted
    assert "added z" in capsys.readouterr().out
    with pytest.raises(UsageError, match="no file or folder"):
        data.add_files(top / "missing")


@pytest.mark.parametrize(
    ("pattern", "recursive", "wanted"),
    [
        (None, True, sorted(FILES)),
        ("*.jpg", True, ["a.jpg", "a/b/c.jpg"]),
        ("*.jpg", False, ["a.jpg"]),
        ("folder/*.json", True, ["folder/sub/x.json", "folder/x.json"]),
        ("folder/*.json", False, ["folder/x.json"]),
        ("folder/sub/*.json", True, ["folder/sub/x.json"]),
        ("folder", True, ["folder/sub/x.json", "folder/x.json"]),
        ("folder/", True, ["folder/sub/x.json", "folder/x.json"]),
        ("nothing*", True, []),
    ],
)
@pytest.mark.covers(
    "DS-02e",
    "DS-24a",
    "DS-24b",
    "DS-24d",
    "DS-29a",
    "DS-29d",
    "DS-29e",
    "W-1",
    "W-2",
    "W-3",
    "W-4",
    "W-5",
    "W-6",
    "W-7",
)
def test_wildcards(
    data: Dataset, write: Write, pattern: str | None, recursive: bool, wanted: list[str]
) -> None:
    """One meaning for adding, listing and removing."""
    top = write(FILES)
    assert data.add_files(top, wildcard=pattern, recursive=recursive) == len(wanted)
    assert data.list_files() == wanted
    data.add_files(top)
    assert data.list_files(pattern, recursive) == wanted
    assert data.remove_files(pattern, recursive) == len(wanted)
    assert data.list_files() == sorted(set(FILES) - set(wanted))


@pytest.mark.covers("DS-02e", "W-8")
def test_several_wildcards_are_a_union(data: Dataset, write: Write) -> None:
    assert data.add_files(write(FILES), wildcard=["*.jpg", "*.png", "a.*"]) == 3


@pytest.mark.covers("DS-18b", "DS-26a", "DS-29a", "DS-29c", "DS-29d", "M-2", "M-4", "DS-15b", "DS-11a")
def test_removal_belongs_to_the_version(closed: Close, project: str) -> None:
    first = closed({"x": b"1", "y": b"2"})
    child = Dataset.create("data", project, parent_datasets=[first])
    assert child.remove_files("x") == 1 and child.remove_files("x") == 0
    assert not child.is_dirty(), "nothing waits for an upload"
    assert child.finalize()
    assert child.list_files() == ["y"] and child.list_removed_files() == ["x"]
    assert first.list_files() == ["x", "y"]
    assert child.get_num_chunks(include_parents=False) == 0
    assert tree(child.get_local_copy()) == {"y": b"2"} and tree(first.get_local_copy()) == {
        "x": b"1",
        "y": b"2",
    }
    assert first.verify_storage() == []
    grandchild = closed({"x": b"1"}, child)
    assert grandchild.list_added_files() == ["x"]
    everything = Dataset.create("data", project, parent_datasets=[first])
    assert everything.remove_files() == 2 and everything.list_files() == []


@pytest.mark.covers("DS-35a", "DS-35b", "DS-35c", "DS-35e", "XD-20")
def test_sync(closed: Close, write: Write, project: str) -> None:
    first = closed({"keep/a": b"1", "sub/x": b"2", "sub/y": b"3"})
    same = write({"keep/a": b"1", "sub/x": b"2", "sub/y": b"3"})
    child = Dataset.create("data", project, parent_datasets=[first])
    assert child.sync_folder(same) == (0, 0, 0) and not child.is_dirty()
    changed = write({"x": b"changed", "new": b"4", "newer": b"5"})
    assert child.sync_folder(changed, dataset_path="sub") == (1, 2, 1)
    assert child.list_files() == ["keep/a", "sub/new", "sub/newer", "sub/x"]
    assert child.list_removed_files() == ["sub/y"] and child.list_modified_files() == ["sub/x"]


@pytest.mark.covers("DS-22a", "DS-22b", "DS-22c", "DS-25a", "DS-26a", "DS-26b")
def test_compare_with_any_version(closed: Close) -> None:
    first = closed({"x": b"1", "y": b"2"})
    second = closed({"x": b"changed", "z": b"3"}, first)
    third = closed({"w": b"4"}, second)
    assert third.list_added_files() == ["w"]
    assert third.list_added_files(first.id) == ["w", "z"]
    assert third.list_modified_files(first.id) == ["x"] and third.list_modified_files() == []
    assert first.list_removed_files(third.id) == ["w", "z"]
    assert first.list_added_files() == ["x", "y"] and first.list_removed_files() == []


@pytest.mark.covers("DS-04b", "DS-10b", "DS-25b", "M-1", "M-2", "M-7", "DS-11a")
def test_parents_merge_in_order(closed: Close, project: str) -> None:
    first, second = closed({"x": b"A", "a": b"a"}), closed({"x": b"B", "b": b"b"}, name="other")
    child = Dataset.create("merged", project, parent_datasets=[first, second.id])
    child.finalize()
    assert tree(child.get_local_copy()) == {"x": b"B", "a": b"a", "b": b"b"}
    assert child.list_modified_files() == [], "the later parent is what is compared with"
    turned = Dataset.create("merged", project, parent_datasets=[second, first])
    turned.finalize()
    assert tree(turned.get_local_copy())["x"] == b"A"
    diamond = Dataset.create("merged", project, parent_datasets=[child, turned])
    diamond.finalize()
    assert len(diamond.get_dependency_graph()) == 5 and diamond.get_num_chunks() == 2
    graph = diamond.get_dependency_graph()
    graph.clear()
    assert diamond.get_dependency_graph()[diamond.id] == [child.id, turned.id]


@pytest.mark.covers("DS-02i", "DS-07c", "DS-07d")
def test_a_finished_version_does_not_change(closed: Close, write: Write) -> None:
    data = closed({"x": b"1"})
    for change in (
        lambda: data.add_files(write({"y": b"2"})),
        lambda: data.remove_files("x"),
        lambda: data.sync_folder(write({"y": b"2"})),
        lambda: data.add_external_files("file:///etc/hostname"),
        lambda: data.upload(),
        lambda: data.finalize(),
    ):
        with pytest.raises(UsageError, match="final"):
            change()


def test_bad_names_are_left_out_and_reported(
    data: Dataset, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    top = write({"good": b"1"})
    Path(os.fsdecode(os.fsencode(str(top)) + b"/bad\xff")).write_bytes(b"2")
    (top / "out").symlink_to("/etc/hostname")
    (top / "loop").symlink_to(top)
    os.mkfifo(top / "pipe")
    assert data.add_files(top) == 2
    assert data.list_files() == ["good", "out"]
    said = capsys.readouterr().out
    assert "UTF-8" in said and "loop was left out: it is a link to the folder" in said and "pipe" in said


# -- links ---


class Gate:
    """Holds each request until as many are open as ``expect`` said, and counts the threads that ask for links."""

    def __init__(self) -> None:
        self.askers = 0
        self._barrier: threading.Barrier | None = None

    def expect(self, count: int) -> None:
        self._barrier = threading.Barrier(count)

    def passed(self) -> None:
        # The client's threads are in this process.
        names = [thread.name for thread in threading.enumerate() if thread.name.startswith("dataset-links")]
        self.askers = max(self.askers, len(names))
        if self._barrier is not None:
            self._barrier.wait(60)


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def web(tmp_path: Path, gate: Gate) -> Iterator[tuple[str, Path]]:
    """A web server on a folder."""
    folder = tmp_path / "web"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(folder))  # type: ignore[arg-type]

        def send_head(self) -> Any:
            gate.passed()
            return super().send_head()

        def log_message(self, *_: object) -> None:
            pass

    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    thread = threading.Thread(target=served.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{served.server_port}", folder
    served.shutdown()
    thread.join()
    served.server_close()


@pytest.mark.covers(
    "DS-01a",
    "DS-01b",
    "DS-01c",
    "DS-01e",
    "DS-01g",
    "DS-01i",
    "DS-01j",
    "DS-01k",
    "DS-06b",
    "DS-15b",
    "DS-21a",
    "DS-22d",
    "DS-24a",
    "DS-25a",
    "DS-29b",
    "DI-3b",
    "XD-17",
    "DS-11a",
    "DS-38d",
)
def test_links_in_folders(
    data: Dataset, write: Write, project: str, server: RunningServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    top = write({"x.txt": b"one", "sub/y.txt": b"two", "sub/z.bin": b"three"})
    assert data.add_external_files(f"file://{top}", wildcard="*.txt", dataset_path="/ext/") == 2
    assert data.add_external_files(f"file://{top}", recursive=False) == 1
    assert data.list_files() == ["ext/sub/y.txt", "ext/x.txt", "x.txt"] and not data.is_dirty()
    entry = data.link_entries_dict["ext/x.txt"]
    assert (entry.link, entry.size, entry.parent_dataset_id) == (f"file://{top}/x.txt", 3, data.id)
    assert "external files" in data.tags
    assert data.finalize()
    assert data.get_num_chunks() == 0
    assert tree(data.get_local_copy()) == {"ext/x.txt": b"one", "ext/sub/y.txt": b"two", "x.txt": b"one"}
    assert not list(server.data.glob(f"files/**/packs/{data.id}/*"))
    mine = data.get_mutable_local_copy(tmp_path / "mine")
    assert mine is not None
    (Path(mine) / "x.txt").write_bytes(b"other")
    assert data.verify_dataset_hash(mine) == [], "links are not looked at"

    child = Dataset.create("data", project, parent_datasets=[data])
    assert child.add_external_files(f"file://{top}", wildcard="*.txt", dataset_path="ext") == 0
    (top / "x.txt").write_bytes(b"longer")
    assert child.add_external_files(f"file://{top}", wildcard="*.txt", dataset_path="ext") == 0
    assert child.list_modified_files() == ["ext/x.txt"]
    assert child.add_external_files(f"file://{top}/sub", dataset_path="more", verbose=True) == 2
    said = capsys.readouterr().out
    assert f"linked more/y.txt to file://{top}/sub/y.txt" in said and "2 added, 0 modified" in said
    assert child.list_added_files() == ["more/y.txt", "more/z.bin"]
    child.add_files(write({"a.file": b"1"}))
    assert child.list_files() == ["a.file", "ext/sub/y.txt", "ext/x.txt", "more/y.txt", "more/z.bin", "x.txt"]
    assert child.remove_files("more") == 2
    joined = child.add_external_files(f"file://{top}", wildcard=["*.bin", "x.*"], dataset_path="joined")
    assert joined == 2 and child.remove_files("joined") == 2
    assert child.remove_files(f"file://{top}/sub/*") == 1
    assert child.list_removed_files() == ["ext/sub/y.txt"]
    assert child.remove_files(f"file://{top}/x.txt") == 2, "at both of its places"
    assert child.list_files() == ["a.file"] and data.list_files() == ["ext/sub/y.txt", "ext/x.txt", "x.txt"]


@pytest.mark.covers("DS-01d", "DS-01f", "DS-01h", "DS-01k", "XD-23")
def test_links_over_http(data: Dataset, web: tuple[str, Path], tmp_path: Path) -> None:
    url, folder = web
    (folder / "one.txt").write_bytes(b"first")
    (folder / "two words.txt").write_bytes(b"second")
    sources = [f"{url}/one.txt", f"{url}/two%20words.txt"]
    with pytest.raises(UsageError, match="one for each"):
        data.add_external_files(sources, dataset_path=["a"])
    assert data.add_external_files(sources, dataset_path=["a", "b"]) == 2
    assert data.add_external_files([f"{url}/missing", "http://127.0.0.1:9/x"]) == 0
    assert data.add_external_files(f"{url}/") == 0, "a folder has no listing over HTTP"
    data.finalize()
    assert tree(data.get_local_copy()) == {"a/one.txt": b"first", "b/two words.txt": b"second"}
    mine = data.get_mutable_local_copy(tmp_path / "mine")
    assert mine is not None
    (Path(mine) / "a/one.txt").write_bytes(b"edited")
    (folder / "one.txt").write_bytes(b"other")
    os.utime(folder / "one.txt", (5, 5))
    with pytest.raises(SourceChanged, match="changed"):
        data.get_mutable_local_copy(tmp_path / "again")
    assert data.get_local_copy(), "the copy that is there stays good"


@pytest.mark.covers("DS-06b", "DS-35d")
def test_a_synced_file_takes_the_place_of_a_link(data: Dataset, write: Write, project: str) -> None:
    top = write({"x": b"linked", "y": b"same"})
    data.add_external_files(f"file://{top}")
    data.finalize()
    child = Dataset.create("data", project, parent_datasets=[data])
    assert child.sync_folder(write({"x": b"from the folder", "y": b"same"})) == (0, 0, 1)
    child.finalize(auto_upload=True)
    assert list(child.link_entries_dict) == ["y"] and list(child.file_entries_dict) == ["x"]
    assert tree(child.get_local_copy()) == {"x": b"from the folder", "y": b"same"}


@pytest.mark.covers("DS-01i", "DS-11l")
@pytest.mark.parametrize("workers", [1, 3])
def test_links_are_fetched_by_so_many(data: Dataset, web: tuple[str, Path], gate: Gate, workers: int) -> None:
    url, folder = web
    for number in range(6):
        (folder / str(number)).write_bytes(b"%d" % number)
    sources = [f"{url}/{number}" for number in range(6)]
    gate.expect(workers)
    assert data.add_external_files(sources, max_workers=workers) == 6
    data.finalize()
    wanted = {str(number): b"%d" % number for number in range(6)}
    assert tree(data.get_local_copy(max_workers=workers)) == wanted
    assert gate.askers == workers


@pytest.mark.covers("DI-4a", "DI-4b")
def test_packs_are_plain_zips(closed: Close) -> None:
    data = closed({"x": b"1", "sub/y": b"words " * 999})
    artifacts = {item["key"]: item for item in data._opened.task.data["execution"]["artifacts"]}
    assert sorted(artifacts) == ["data", "manifest", "state"]
    from trialbook.sdk.storage import fetch

    with zipfile.ZipFile(fetch(artifacts["data"]["uri"], extract=False)) as packed:
        assert packed.testzip() is None
        assert packed.read("sub/y") == b"words " * 999
    state = json.loads(Path(fetch(artifacts["state"]["uri"], extract=False)).read_bytes())
    entries = {one["relative_path"]: one for one in state["dataset_file_entries"]}
    assert sorted(entries) == ["sub/y", "x"] and entries["x"]["hash"] == hashlib.sha256(b"1").hexdigest()
