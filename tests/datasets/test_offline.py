"""Without a server, and later with one."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.datasets.conftest import Close
from tests.datasets.support import Write, tree
from trialbook import Dataset, Task
from trialbook.cli import sync
from trialbook.client import settings
from trialbook.errors import UsageError


@pytest.mark.covers("DS-08j", "DS-20", "DS-27c", "DS-33", "DS-34f", "XD-26")
def test_switches(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not Dataset.is_offline()
    Dataset.set_offline(True)
    assert Dataset.is_offline() and Task.is_offline()
    for ask in (
        lambda: Dataset.get("0" * 32),
        Dataset.list_datasets,
        lambda: Dataset.squash("x", ["0" * 32]),
        lambda: Dataset.move_to_project("a", "b", "c"),
        lambda: Dataset.rename("a", "b", "c"),
    ):
        with pytest.raises(UsageError):
            ask()
    Dataset.set_offline()
    assert not Dataset.is_offline()
    settings.set_offline(None)
    monkeypatch.setenv("TRIALBOOK_OFFLINE_MODE", "1")
    assert Dataset.is_offline() and Task.is_offline()


@pytest.mark.covers("DS-33", "DS-11k", "DS-07g", "DS-16", "XD-25")
def test_nothing_reaches_the_server(
    project: str, write: Write, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Dataset.set_offline(True)
    # Nobody listens there: a call would fail.
    for name in ("API", "FILES", "WEB"):
        monkeypatch.setenv(f"TRIALBOOK_{name}_HOST", "http://127.0.0.1:9")
    data = Dataset.create("data", project, description="words")
    data.add_files(write({"x": b"1", "y": b"2"}))
    data.remove_files("y")
    data.add_tags(["one"])
    data.upload()
    assert data.list_files() == ["x"] and data.tags == ["one"]
    assert data.finalize() is False and "imported" in capsys.readouterr().out
    for ask in (data.get_local_copy, lambda: data.get_mutable_local_copy("x"), data.verify_dataset_hash):
        with pytest.raises(UsageError, match="offline"):
            ask()
    folder = data.get_offline_mode_folder()
    assert folder is not None and (folder / "dataset.json").is_file()
    assert list(folder.glob("repository/packs/*/*.zip"))
    data._opened.draft("close").close()
    data._opened.record.close(1.0)


def test_D4_sync_leaves_a_session_to_its_import(project: str, write: Write) -> None:
    """It sent the record without the files: an open version without content, and nothing to import any more."""
    Dataset.set_offline(True)
    data = Dataset.create("data", project)
    data.add_files(write({"x": b"1"}))
    folder = data.get_offline_mode_folder()
    data._opened.draft("close").close()
    data._opened.record.close(1.0)
    Dataset.set_offline(False)
    for more in ([], ["--to", settings.load().api_host]):
        asked = CliRunner().invoke(sync.command, ["--task", data.id, *more])
        assert f"Dataset.import_offline_session('{folder}', finalize=True)" in asked.output, asked.output
        assert asked.exit_code == 1
    assert Dataset.list_datasets(project, only_completed=False) == []
    made = Dataset.import_offline_session(folder, finalize=True)
    assert Dataset.get(made).list_files() == ["x"]
    asked = CliRunner().invoke(sync.command, ["--task", data.id])
    assert asked.exit_code == 0 and "Nothing of task" in asked.output
    assert len(Dataset.list_datasets(project, only_completed=False)) == 1


@pytest.mark.covers("DS-17a", "DS-17b", "DS-17c")
@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("uploaded", [True, False])
def test_a_session(project: str, write: Write, zipped: bool, uploaded: bool, tmp_path: Path) -> None:
    Dataset.set_offline(True)
    data = Dataset.create("data", project, dataset_tags=["field"], description="from the field")
    data.add_files(write({"x": b"1", "sub/y": b"2" * 5000}))
    data.add_external_files("file:///etc/hostname", dataset_path="links")
    if uploaded:
        data.upload()
        assert not data.is_dirty()
    assert data.finalize() is False and not data.is_final()
    folder = data.get_offline_mode_folder()
    assert folder is not None and folder.is_dir()
    data._opened.draft("close").close()
    data._opened.record.close(1.0)
    Dataset.set_offline(False)
    session = folder
    if zipped:
        session = Path(shutil.make_archive(str(tmp_path / "session"), "zip", folder))
        if uploaded:
            shutil.rmtree(folder)
    made = Dataset.import_offline_session(str(session), finalize=True)
    found = Dataset.get(made)
    assert made != data.id and found.is_final() and found.get_offline_mode_folder() is None
    assert (found.name, found.project, found.version, found.tags) == (
        "data", project, "1.0.0", ["external files", "field"],
    )  # fmt: skip
    copied = tree(found.get_local_copy())
    assert (
        copied["x"] == b"1"
        and copied["sub/y"] == b"2" * 5000
        and set(copied) == {"links/hostname", "x", "sub/y"}
    )
    assert found.get_dependency_graph() == {made: []}
    assert {entry.parent_dataset_id for entry in found.file_entries_dict.values()} == {made}


@pytest.mark.covers("DS-17b")
def test_import_without_data(project: str, write: Write) -> None:
    Dataset.set_offline(True)
    data = Dataset.create("data", project)
    data.add_files(write({"x": b"1"}))
    data._opened.draft("close").close()
    data._opened.record.close(1.0)
    Dataset.set_offline(False)
    made = Dataset.import_offline_session(str(data.get_offline_mode_folder()), upload=False)
    assert not Dataset.get(made).is_final()
    assert Dataset.get(dataset_project=project, dataset_name="data").id == made


@pytest.mark.covers("DS-17d")
def test_children_of_offline_parents(project: str, write: Write) -> None:
    Dataset.set_offline(True)
    first = Dataset.create("data", project)
    first.add_files(write({"x": b"1", "y": b"2"}))
    first.upload()
    second = Dataset.create("data", project, parent_datasets=[first])
    assert second.version == "1.0.1" and second.list_files() == ["x", "y"]
    second.add_files(write({"y": b"changed"}))
    second.remove_files("x")
    second.upload()
    for one in (first, second):
        one._opened.record.close(1.0)
    second._opened.draft("close").close()
    Dataset.set_offline(False)
    with pytest.raises(UsageError, match="import its session first"):
        Dataset.import_offline_session(str(second.get_offline_mode_folder()), finalize=True)
    parent = Dataset.import_offline_session(str(first.get_offline_mode_folder()), finalize=True)
    child = Dataset.import_offline_session(str(second.get_offline_mode_folder()), finalize=True)
    found = Dataset.get(child)
    assert found.get_dependency_graph() == {child: [parent], parent: []}
    assert tree(found.get_local_copy()) == {"y": b"changed"}
    assert found.list_removed_files() == ["x"]


@pytest.mark.covers("DS-16", "DS-17a")
def test_an_online_version_has_no_session(closed: Close, tmp_path: Path) -> None:
    data = closed({"x": b"1"})
    assert data.get_offline_mode_folder() is None
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="does not hold an offline session"):
        Dataset.import_offline_session(str(tmp_path / "empty"))


@pytest.mark.parametrize("finalized", [True, False])
def test_T20_offline_and_back_in_one_process(project: str, write: Write, finalized: bool) -> None:
    Dataset.set_offline(True)
    data = Dataset.create("data", project)
    data.add_files(write({"x": b"1", "sub/y": b"2"}))
    data.upload()
    if finalized:
        data.finalize()
    child = Dataset.create("data", project, parent_datasets=[data])
    child.add_files(write({"x": b"changed"}))
    child.upload()
    child.finalize()
    folders = [str(one.get_offline_mode_folder()) for one in (data, child)]
    Dataset.set_offline(False)
    made = [Dataset.import_offline_session(folder, finalize=True) for folder in folders]
    assert tree(Dataset.get(made[0]).get_local_copy()) == {"x": b"1", "sub/y": b"2"}
    assert tree(Dataset.get(made[1]).get_local_copy()) == {"x": b"changed", "sub/y": b"2"}
    assert Dataset.get(made[1]).get_dependency_graph() == {made[1]: [made[0]], made[0]: []}


def test_T20_another_session_goes_on(project: str, write: Write) -> None:
    Dataset.set_offline(True)
    other, data = Dataset.create("other", project), Dataset.create("data", project)
    for one in (other, data):
        one.add_files(write({"x": b"1"}))
    Dataset.set_offline(False)
    made = Dataset.import_offline_session(str(data.get_offline_mode_folder()), finalize=True)
    assert tree(Dataset.get(made).get_local_copy()) == {"x": b"1"}
    Dataset.set_offline(True)
    other.add_files(write({"y": b"2"}))
    assert sorted(other.list_files()) == ["x", "y"], "what was not imported goes on"
