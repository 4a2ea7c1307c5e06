"""Reading a version that is open: it takes nothing from whoever writes it, and changes nothing anywhere."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.datasets.conftest import Close
from tests.datasets.support import Write
from trialbook import Dataset
from trialbook.errors import DatasetInUse
from trialbook.sdk.servers import connection as connections

READ: dict[str, Callable[[Dataset], Any]] = {
    "list_files": lambda data: data.list_files(),
    "list_added_files": lambda data: data.list_added_files(),
    "list_modified_files": lambda data: data.list_modified_files(),
    "list_removed_files": lambda data: data.list_removed_files(),
    "is_dirty": lambda data: data.is_dirty(),
    "dependency graph": lambda data: data.get_dependency_graph(),
    "chunks": lambda data: data.get_num_chunks(),
    "files": lambda data: sorted(data.file_entries_dict),
    "links": lambda data: sorted(data.link_entries_dict),
}


def _open(closed: Close, write: Write, project: str) -> Dataset:
    """A child with files of every kind: inherited, replaced, removed, stored, waiting, and a link."""
    first = closed({"kept": b"1", "gone": b"2", "changed": b"3"})
    data = Dataset.create("data", project, parent_datasets=[first])
    data.remove_files("gone")
    data.add_files(write({"changed": b"33", "stored": b"4"}))
    data.add_external_files("file:///etc/hostname", dataset_path="links")
    data.upload()
    data.add_files(write({"waits": b"5"}))
    return data


def _there(data: Dataset, home: Path) -> object:
    """Everything that reading could change: the notes of this host, the storage, and the task."""
    task = connections.connect().session.call("tasks.get_by_id", {"task": data.id})["task"]
    known = {
        name: task.get(name) for name in ("status", "status_changed", "last_update", "runtime", "script")
    }
    objects = {info.key: info.etag for info in data._opened.home.objects().blobs.list("")}
    notes = {
        file.relative_to(home).as_posix(): file.stat().st_mtime_ns
        for file in (home / "cache" / "datasets" / "drafts").rglob("*")
    }
    return known, objects, notes


@pytest.mark.parametrize("status", ["in_progress", "stopped", "failed"])
def test_D12_reading_an_open_version_changes_nothing(
    closed: Close, write: Write, project: str, home: Path, status: str
) -> None:
    data = _open(closed, write, project)
    expected = {name: read(data) for name, read in READ.items()}
    assert expected["list_files"] == ["changed", "kept", "links/hostname", "stored", "waits"]
    assert expected["list_removed_files"] == ["gone"] and expected["list_modified_files"] == ["changed"]
    if status != "in_progress":
        # Whoever wrote it has gone, with a part of a pack left behind.
        data._opened.draft("close").close()
        (home / "cache" / "datasets" / "drafts" / data.id / "spool" / "part").write_bytes(b"half")
        how = data._opened.task.mark_stopped if status == "stopped" else data._opened.task.mark_failed
        how(force=True)
    before = _there(data, home)
    assert {name: read(Dataset.get(data.id)) for name, read in READ.items()} == expected
    reader = Dataset.get(data.id)
    assert {name: read(reader) for name, read in READ.items()} == expected
    assert _there(data, home) == before
    writer = data if status == "in_progress" else reader
    writer.add_files(write({"more": b"6"}))
    assert reader.list_files() == sorted([*expected["list_files"], "more"]), "it is read as it is now"
    assert writer.finalize(auto_upload=True)


def test_D12_reading_beside_the_writer_leaves_its_lock(closed: Close, write: Write, project: str) -> None:
    data = _open(closed, write, project)
    reader = Dataset.get(data.id)
    assert reader.list_files() == data.list_files()
    with pytest.raises(DatasetInUse, match="another writer"):
        reader.add_files(write({"late": b"1"}))
    assert data.finalize(auto_upload=True), "the writer goes on"
    assert reader.list_files() == data.list_files(), "what was read while open is found finished"


def test_D12_on_another_host_what_was_stored_is_read(
    closed: Close, write: Write, project: str, home: Path
) -> None:
    data = _open(closed, write, project)
    data._opened.draft("close").close()
    (home / "cache" / "datasets").rename(home / "lost")
    reader = Dataset.get(data.id)
    assert reader.list_files() == ["changed", "kept", "links/hostname", "stored"]
    assert reader.list_removed_files() == ["gone"] and not reader.is_dirty()
    assert not (home / "cache" / "datasets" / "drafts" / data.id).exists(), "no draft begins here"


def test_D12_a_version_that_nobody_has_written_to_yet(closed: Close, project: str, home: Path) -> None:
    first = closed({"kept": b"1"})
    data = Dataset.create("data", project, parent_datasets=[first])
    data._opened.draft("close").close()
    (home / "cache" / "datasets").rename(home / "lost")
    reader = Dataset.get(data.id)
    assert reader.list_files() == ["kept"] and not reader.is_dirty()
    assert reader.get_dependency_graph() == {data.id: [first.id], first.id: []}
