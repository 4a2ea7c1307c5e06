"""From create to publish, finding versions again, and changing or deleting whole datasets."""

import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.datasets.conftest import Close
from tests.datasets.support import Write, tree
from tests.support.server import RunningServer
from tests.support.waiting import until
from trialbook import Dataset, Task
from trialbook.client.settings import simulate
from trialbook.errors import DatasetError, DatasetMissing, TaskNotDeletable, UsageError


def packs(server: RunningServer, *versions: Dataset) -> set[str]:
    """Stored packs of some versions."""
    return {file.name for one in versions for file in server.data.glob(f"files/**/packs/{one.id}/*.zip")}


@pytest.mark.covers("DS-04a", "DS-04i", "DS-07b", "DS-07c", "DS-07d", "DS-07e", "DS-19a", "DI-6", "XD-7")
def test_a_version_is_a_task(project: str, write: Write, server: RunningServer) -> None:
    data = Dataset.create("digits", project, dataset_tags=["a", "b", "a"], description="all of them")
    assert (data.name, data.project, data.version) == ("digits", project, "1.0.0")
    assert data.tags == ["a", "b"] and not data.is_final()
    task = server.call("tasks.get_by_id", task=data.id)["task"]
    assert task["type"] == "data_processing" and task["status"] == "in_progress"
    assert task["system_tags"] == ["dataset", "development"] and task["comment"] == "all of them"
    assert task["runtime"]["version"] == "1.0.0" and task["runtime"]["ds_file_count"] == 0
    assert task["hyperparams"]["properties"]["version"]["value"] == "1.0.0"
    place = server.call("projects.get_by_id", project=task["project"])["project"]
    assert place["name"] == f"{project}/.datasets/digits" and place["system_tags"] == ["dataset", "hidden"]
    data.add_files(write({"x": b"12345", "y": b"6"}))
    data.finalize(auto_upload=True)
    task = server.call("tasks.get_by_id", task=data.id)["task"]
    assert task["status"] == "completed" and data.is_final()
    runtime = task["runtime"]
    assert (runtime["ds_file_count"], runtime["ds_total_size"], runtime["ds_change_add"]) == (2, 6, 2)
    assert set(task["configuration"]) == {"Dataset Content", "Dataset Struct"}
    with pytest.raises(UsageError, match="final"):
        data.finalize()
    assert data.finalize(raise_on_error=False) is False


@pytest.mark.covers("DS-04c", "DS-04d", "DS-04e", "XD-2")
def test_create_needs_a_name_and_a_project(project: str, closed: Close) -> None:
    with pytest.raises(UsageError, match="name"):
        Dataset.create("", project)
    with pytest.raises(UsageError, match="project"):
        Dataset.create("data")
    parent = closed({"x": b"1"})
    assert Dataset.create("child", parent_datasets=[parent]).project == project
    opened = Dataset.create("open", project)
    with pytest.raises(UsageError, match="final"):
        Dataset.create("child", project, parent_datasets=[opened])


@pytest.mark.covers("DS-04e")
def test_nothing_named_is_the_current_task(project: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="name"):
        Dataset.create()
    task = Task.init(project, "trainer", auto_connect_streams=False, auto_connect_arg_parser=False)
    data = Dataset.create()
    assert data.id == task.id and "becomes the version" in capsys.readouterr().out
    assert (data.name, data.project) == ("trainer", project)


@pytest.mark.covers("DS-04d", "DS-04f", "DS-07f", "DI-2a", "DI-2b", "DI-2c")
def test_the_task_of_this_process(project: str, write: Write) -> None:
    task = Task.init(project, "trainer", auto_connect_streams=False, auto_connect_arg_parser=False)
    named = Dataset.create("data")
    assert named.project == project
    named.finalize()
    data = Dataset.create(use_current_task=True)
    assert data.id == task.id and data.name == "trainer" and data.project == project
    data.add_files(write({"x": b"1"}))
    assert data.finalize(auto_upload=True) and data.is_final()
    assert task.get_status() == "in_progress", "the task goes on"
    task.get_logger().report_scalar("a", "b", 1.0, 1)
    assert tree(Dataset.get(task.id).get_local_copy()) == {"x": b"1"}
    assert [one["id"] for one in Dataset.list_datasets(project, "^trainer$", only_completed=False)] == [
        task.id
    ]
    task.close()
    assert Task.get_task(task.id).get_status() == "completed"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("1.0.0", "1.0.1"),
        ("1.2", "1.3"),
        ("10", "11"),
        ("1.0.9", "1.0.10"),
        ("2.0rc1", "2.0rc2"),
        ("draft", "1.0.0"),
    ],
)
@pytest.mark.covers("DS-04g")
def test_versions_count_up(project: str, first: str, second: str, capsys: pytest.CaptureFixture[str]) -> None:
    Dataset.create("data", project, dataset_version=first).finalize()
    assert ("not a version like" in capsys.readouterr().out) == (first == "draft")
    assert Dataset.create("data", project).version == second


@pytest.mark.covers("DS-08b", "DS-08c")
def test_the_highest_version_is_found(project: str, closed: Close) -> None:
    old = closed({"x": b"1"}, dataset_version="1.10.0")
    new = closed({"x": b"2"}, dataset_version="1.9.0")
    assert Dataset.get(dataset_project=project, dataset_name="data").id == old.id
    assert Dataset.get(dataset_project=project, dataset_name="data", dataset_version="1.9.0").id == new.id
    texts = [closed({"x": b"3"}, name="words", dataset_version=text).id for text in ("one", "two")]
    assert Dataset.get(dataset_project=project, dataset_name="words").id == texts[1], "the last changed"


@pytest.mark.covers("DS-08a", "DS-08d", "DS-08e", "DS-08i", "DS-08j", "XD-9")
def test_get_refuses_what_it_cannot_answer(project: str, closed: Close, server: RunningServer) -> None:
    data = closed({"x": b"1"})
    for arguments in (
        {},
        {"dataset_id": data.id, "dataset_name": "data"},
        {"dataset_id": data.id, "unknown": 1},
        {"dataset_id": "0" * 32},
        {"dataset_project": project, "dataset_name": "other"},
        {"dataset_project": project, "dataset_name": "data", "only_published": True},
        {"dataset_project": project, "dataset_name": "data", "dataset_tags": ["none"]},
    ):
        with pytest.raises(UsageError):
            Dataset.get(**arguments)  # type: ignore[arg-type]
    task = server.call("tasks.create", name="no dataset", project_name=project)["id"]
    with pytest.raises(UsageError, match="no dataset"):
        Dataset.get(task)
    made = Dataset.get(dataset_project=project, dataset_name="other", auto_create=True)
    assert not made.is_final() and made.name == "other"
    with pytest.raises(UsageError):
        Dataset.get(dataset_project=project, dataset_name="other", only_completed=True)
    assert Dataset.get(dataset_project=project, dataset_name="other").id == made.id
    server.call("tasks.archive", tasks=[data.id])
    with pytest.raises(UsageError):
        Dataset.get(dataset_project=project, dataset_name="data")
    assert Dataset.get(dataset_project=project, dataset_name="data", include_archived=True).id == data.id


@pytest.mark.covers("DS-08f", "DS-10a")
def test_a_writable_copy_is_a_child(closed: Close, project: str) -> None:
    data = closed({"x": b"1"})
    child = Dataset.get(dataset_project=project, dataset_name="data", writable_copy=True)
    assert child.version == "1.0.1" and child.get_dependency_graph()[child.id] == [data.id]
    assert child.list_files() == ["x"] and not child.is_final()


@pytest.mark.covers("DS-05d", "DS-08g", "DS-08l", "DI-5a", "DI-5b")
def test_use_is_noted_on_the_task(project: str, closed: Close, server: RunningServer) -> None:
    data = closed({"x": b"1"})
    task = Task.init(project, "trainer", auto_connect_streams=False, auto_connect_arg_parser=False)
    Dataset.get(data.id, alias="train")
    Dataset.get(data.id, alias="again")
    assert task.get_parameters()["Datasets/train"] == data.id == task.get_parameters()["Datasets/again"]
    task.flush()
    used = server.call("datasets.get_graph", dataset=data.id)["used_by"]
    assert [one["id"] for one in used] == [task.id]
    task.close()
    with pytest.raises(TaskNotDeletable, match=task.id):
        Dataset.delete(data.id)


@pytest.mark.covers("DS-08h")
def test_an_alias_may_be_overridden(project: str, closed: Close, request: pytest.FixtureRequest) -> None:
    here, other = closed({"x": b"1"}), closed({"x": b"2"}, name="other")
    task = Task.create(project, "trainer")
    task.set_parameter("Datasets/train", other.id)
    Task.debug_simulate_remote_task(task.id)
    request.addfinalizer(lambda: simulate(""))
    Task.init(auto_connect_streams=False, auto_connect_arg_parser=False)
    assert Dataset.get(here.id, alias="train", overridable=True).id == other.id
    assert Dataset.get(here.id, overridable=True).id == here.id


@pytest.mark.covers("DS-07a", "DS-37g", "DS-37i", "XD-8")
def test_upload_and_finalize(project: str, write: Write) -> None:
    data = Dataset.create("data", project)
    data.upload()
    top = write({"x": b"1", "y": b"2" * 3000})
    data.add_files(top)
    with pytest.raises(UsageError, match="wait"):
        data.finalize()
    assert data.finalize(raise_on_error=False) is False and not data.is_final()
    data.upload(compression=zipfile.ZIP_STORED)
    data.add_files(write({"z": b"3"}))
    data.upload()
    assert data.get_num_chunks() == 2, "a second upload appends"
    assert data.finalize(verbose=True)


@pytest.mark.covers("DS-37c")
def test_chunks(project: str, write: Write) -> None:
    import os

    data = Dataset.create("data", project)
    data.add_files(write({f"f{n}": os.urandom(600_000) for n in range(4)} | {"large": os.urandom(2_500_000)}))
    data.upload(chunk_size=1)
    assert data.get_num_chunks() == 5
    one = Dataset.create("one", project)
    one.add_files(write({f"f{n}": os.urandom(600_000) for n in range(4)}))
    one.upload(chunk_size=-1)
    assert one.get_num_chunks() == 1
    with pytest.raises(UsageError, match="chunk_size"):
        one.add_files(write({"more": b"1"}))
        one.upload(chunk_size=0)


@pytest.mark.covers("DS-37f")
def test_a_file_that_goes_before_the_upload(project: str, write: Write) -> None:
    data = Dataset.create("data", project)
    top = write({"x": b"1", "y": b"2"})
    data.add_files(top)
    (top / "x").unlink()
    with pytest.raises(UsageError, match="x"):
        data.upload(retries=0)
    assert data.is_dirty()
    with pytest.raises(UsageError):
        data.finalize()
    data.remove_files("x")
    data.upload()
    assert data.finalize() and data.list_files() == ["y"]


@pytest.mark.covers("DS-04h", "DS-09", "DS-37j", "XD-3", "DS-34e")
def test_destinations(project: str, write: Write, home: Path, server: RunningServer) -> None:
    plain = Dataset.create("plain", project)
    assert plain.get_default_storage() == server.files_url
    folder = home / "shared"
    data = Dataset.create("data", project, output_uri=str(folder))
    assert data.get_default_storage() == str(folder)
    data.add_files(write({"x": b"in the folder"}))
    data.upload()
    data.add_files(write({"y": b"elsewhere"}))
    data.upload(output_url=str(home / "other"))
    assert len(list(folder.glob("**/packs/*/*.zip"))) == 1 == len(list(home.glob("other/**/packs/*/*.zip")))
    data.finalize()
    both = {"x": b"in the folder", "y": b"elsewhere"}
    assert tree(Dataset.get(data.id).get_local_copy()) == both
    child = Dataset.create("child", project, parent_datasets=[data])
    child.add_files(write({"z": b"on the server"}))
    child.finalize(auto_upload=True)
    assert tree(Dataset.get(child.id).get_local_copy()) == {**both, "z": b"on the server"}
    assert child.get_num_chunks(include_parents=False) == 1
    squashed = Dataset.squash("squashed", [child], output_url=str(home / "third"))
    assert tree(squashed.get_local_copy()) == {**both, "z": b"on the server"}
    with pytest.raises(UsageError):
        Dataset.create("data", project, output_uri="/proc/nowhere")


@pytest.mark.covers("DS-19a", "DS-28a", "DS-28b", "XD-16")
def test_publish(closed: Close, project: str) -> None:
    opened = Dataset.create("data", project)
    with pytest.raises(UsageError, match="final"):
        opened.publish(raise_on_error=False)
    data = closed({"x": b"1"})
    assert data.publish() and data.publish() and data.is_final()
    assert Dataset.get(dataset_project=project, dataset_name="data", only_published=True).id == data.id
    with pytest.raises(TaskNotDeletable, match="published"):
        Dataset.delete(data.id)


@pytest.mark.covers("DS-03a", "DS-03b", "DS-31", "DS-36a", "DS-36b", "DI-1b", "DI-1c", "XD-21")
def test_words_about_a_version(
    closed: Close, project: str, server: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    data = closed({"x": b"1"})
    assert data.add_tags("one") is None  # type: ignore[func-returns-value]
    data.add_tags(["one", "two"])
    assert data.tags == ["one", "two"]
    data.tags = ["three"]
    data.set_description("new words")
    task = server.call("tasks.get_by_id", task=data.id)["task"]
    assert task["tags"] == ["three"] and task["comment"] == "new words"
    opened = Dataset.create("open", project)
    opened.set_description("still open")
    assert server.call("tasks.get_by_id", task=opened.id)["task"]["comment"] == "still open"
    opened.version = "three"
    assert "not a version like" in capsys.readouterr().out
    opened.version = "3.0"
    assert Dataset.get(dataset_project=project, dataset_name="open", dataset_version="3.0").id == opened.id
    with pytest.raises(UsageError, match="final"):
        data.version = "3.0"
    opened.update_changed_files(num_files_added=3, num_files_removed=1)
    opened.update_changed_files(num_files_added=2)
    runtime = server.call("tasks.get_by_id", task=opened.id)["task"]["runtime"]
    assert (runtime["ds_change_add"], runtime["ds_change_modify"], runtime["ds_change_remove"]) == (5, 0, 1)


@pytest.mark.covers("DS-13a", "DS-13b", "DS-32a", "DS-32b", "DS-32c", "DS-32d")
def test_metadata(closed: Close, project: str, server: RunningServer) -> None:
    import numpy
    import pandas

    data = Dataset.create("data", project)
    frame = pandas.DataFrame(
        {"a": [1, 2], "b": ["01", "NA"], "day": pandas.to_datetime(["2020-01-01", None])}
    )
    kept: dict[str, Any] = {
        "table": frame,
        "array": numpy.arange(6).reshape(2, 3),
        "dict": {"classes": ["a", "b"]},
        "text": "words",
        "flag": True,
    }
    for name, value in kept.items():
        data.set_metadata(value, name)
    data.set_metadata({"second": 1}, "dict")
    data.set_metadata(frame, "hidden", ui_visible=False)
    found = Dataset.get(data.id)
    assert found.get_metadata("dict") == {"second": 1} and found.get_metadata() is None
    assert found.get_metadata("text") == "words" and found.get_metadata("flag") is True
    assert (found.get_metadata("array") == kept["array"]).all()
    pandas.testing.assert_frame_equal(found.get_metadata("table"), frame)
    for name in ("data_1", "data", "state"):
        with pytest.raises(UsageError, match="taken"):
            data.set_metadata({}, name)
    data.get_logger().flush(wait=True)
    plots = server.call("events.get_task_plots", task=data.id)["plots"]
    assert [plot["metric"] for plot in plots] == ["table"]


@pytest.mark.covers("DS-12")
def test_the_logger_is_the_versions_own(project: str, server: RunningServer) -> None:
    task = Task.init(project, "trainer", auto_connect_streams=False, auto_connect_arg_parser=False)
    data = Dataset.create("data", project)
    data.get_logger().report_scalar("rows", "count", 5.0, 0)
    assert data.get_logger().flush(wait=True) and task.flush()
    assert data._opened.task.get_last_scalar_metrics()["rows"]["count"]["last"] == 5.0
    assert "rows" not in task.get_last_scalar_metrics()


@pytest.mark.covers("DS-23a", "DS-23b", "DS-23c", "DS-23d", "DS-23e", "DS-23f", "DS-23g", "XD-10", "XD-27")
def test_lists(project: str, closed: Close, server: RunningServer) -> None:
    first, second = closed({"x": b"1"}), closed({"x": b"2"}, name="more.data")
    below = Dataset.create("data", f"{project}/below")
    below.finalize()
    opened = Dataset.create("open", project, dataset_tags=["t"])

    def ids(**filters: Any) -> set[str]:
        return {one["id"] for one in Dataset.list_datasets(**filters)}

    assert ids(dataset_project=project) == {first.id, second.id, below.id}
    assert ids(dataset_project=project, recursive_project_search=False) == {first.id, second.id}
    assert ids(dataset_project=project, only_completed=False) == {first.id, second.id, below.id, opened.id}
    assert ids(dataset_project=project, partial_name="^m.*data") == {second.id}
    assert ids(dataset_project=project, partial_name=re.escape("e.d")) == {second.id}
    assert ids(dataset_project=project, tags=["t"], only_completed=False) == {opened.id}
    assert ids(ids=[first.id, opened.id]) == {first.id} and ids(ids=[]) == set()
    (found,) = Dataset.list_datasets(ids=[first.id])
    assert set(found) == {"name", "project", "id", "created", "version", "tags", "status"}
    assert (found["name"], found["project"], found["version"]) == ("data", project, "1.0.0") and found[
        "created"
    ]
    server.call("tasks.archive", tasks=[first.id])
    assert first.id in ids(dataset_project=project)
    assert first.id not in ids(dataset_project=project, include_archived=False)


@pytest.mark.covers("DS-27a", "DS-27b", "DS-27c", "DS-30a", "DS-30b", "DS-10a")
def test_move_and_rename(project: str, closed: Close, capsys: pytest.CaptureFixture[str]) -> None:
    first = closed({"x": b"1"})
    second = closed({"y": b"2"}, first)
    Dataset.move_to_project(f"{project}/new", project, "data")
    Dataset.rename("renamed", f"{project}/new", "data")
    for name, place in (("data", project), ("data", f"{project}/new")):
        with pytest.raises(UsageError):
            Dataset.get(dataset_project=place, dataset_name=name)
    found = Dataset.get(dataset_project=f"{project}/new", dataset_name="renamed")
    assert found.id == second.id and (found.name, found.project) == ("renamed", f"{project}/new")
    assert tree(found.get_local_copy()) == {"x": b"1", "y": b"2"}
    assert found.version == "1.0.1" and found.get_dependency_graph() == {second.id: [first.id], first.id: []}
    assert found.list_removed_files() == [] and Dataset.get(first.id).name == "renamed"
    Dataset.move_to_project(project, project, "nothing")
    assert "no dataset" in capsys.readouterr().out
    Dataset.rename("other", project, "nothing")
    assert "no dataset" in capsys.readouterr().out


@pytest.mark.covers("DS-34a", "DS-34b", "DS-34c", "DS-34d", "DS-34e", "XD-18", "XD-19")
def test_squash(project: str, closed: Close) -> None:
    base = closed({"base": b"0"}, name="base")
    first = closed({"x": b"1", "gone": b"2"}, base)
    second = Dataset.create("data", project, parent_datasets=[first])
    second.remove_files("gone")
    second.add_external_files("file:///etc/hostname", dataset_path="links")
    second.finalize()
    whole = Dataset.squash("whole", dataset_ids=[second.id])
    content = tree(second.get_local_copy())
    assert whole.is_final() and whole.get_dependency_graph() == {whole.id: []}
    assert tree(whole.get_local_copy()) == content and list(whole.link_entries_dict) == ["links/hostname"]
    joined = Dataset.squash("joined", dataset_ids=[first, second])
    assert tree(joined.get_local_copy())["x"] == b"1" and "gone" not in joined.list_files()
    other = closed({"x": b"other", "z": b"3"}, base)
    both = Dataset.squash("both", dataset_ids=[first, other])
    assert both.get_dependency_graph()[both.id] == [base.id]
    assert tree(both.get_local_copy()) == {"base": b"0", "x": b"other", "gone": b"2", "z": b"3"}
    paired = Dataset.squash("paired", dataset_project_name_pairs=[(project, "base")])
    assert paired.list_files() == ["base"]
    for arguments in ({}, {"dataset_ids": [first.id], "dataset_project_name_pairs": [(project, "base")]}):
        with pytest.raises(UsageError, match="exactly one"):
            Dataset.squash("none", **arguments)  # type: ignore[arg-type]


@pytest.mark.covers("DS-05a", "DS-05b", "DS-05c", "DS-05d", "XD-5")
def test_delete_guards(project: str, closed: Close) -> None:
    first = closed({"x": b"1"})
    second = closed({"y": b"2"}, first)
    for arguments in (
        {},
        {"dataset_id": first.id, "dataset_project": project},
        {"dataset_project": project, "dataset_name": "data"},
        {"dataset_project": project, "dataset_name": "data", "entire_dataset": True},
        {"dataset_project": project, "dataset_name": "none"},
    ):
        with pytest.raises(UsageError):
            Dataset.delete(**arguments)  # type: ignore[arg-type]
    with pytest.raises(TaskNotDeletable, match=second.id):
        Dataset.delete(first.id)
    assert {one["id"] for one in Dataset.list_datasets(project)} == {first.id, second.id}


@pytest.mark.covers("DS-05e", "DS-05f", "M-6", "XD-6")
def test_delete_frees_what_nobody_else_needs(project: str, closed: Close, server: RunningServer) -> None:
    first = closed({"x": b"first", "shared": b"shared"})
    second = closed({"y": b"second"}, first)
    assert len(packs(server, first, second)) == 2
    Dataset.delete(second.id)
    until(lambda: not packs(server, second), 20)
    assert tree(first.get_local_copy()) == {"x": b"first", "shared": b"shared"}
    child = closed({"z": b"third"}, first)
    Dataset.delete(first.id, force=True)
    with pytest.raises(UsageError):
        Dataset.get(first.id)
    found = Dataset.get(child.id)
    assert tree(found.get_mutable_local_copy(server.data / "copy")) == {  # type: ignore[arg-type]
        "x": b"first",
        "shared": b"shared",
        "z": b"third",
    }
    assert found.list_added_files() == ["z"], "what changed is still known"
    Dataset.delete(dataset_project=project, dataset_name="data", entire_dataset=True, force=True)
    until(lambda: not packs(server, first, child), 20)
    assert Dataset.list_datasets(project) == []


@pytest.mark.covers("DS-05f", "DS-05g")
def test_delete_in_a_folder(project: str, write: Write, home: Path) -> None:
    folder = home / "shared"
    data = Dataset.create("data", project, output_uri=str(folder))
    data.add_files(write({"x": b"1"}))
    top = write({"external": b"2"})
    data.add_external_files(f"file://{top}")
    data.finalize(auto_upload=True)
    kept = Dataset.create("kept", project, output_uri=str(folder))
    kept.add_files(write({"x": b"kept"}))
    kept.finalize(auto_upload=True)
    Dataset.delete(kept.id, delete_files=False)
    assert len(list(folder.glob("**/packs/*/*.zip"))) == 2
    Dataset.delete(data.id, delete_external_files=True)
    assert len(list(folder.glob("**/packs/*/*.zip"))) == 1
    assert not (top / "external").exists()


@pytest.mark.covers("DS-11h")
def test_a_lost_pack_is_named(closed: Close, server: RunningServer, home: Path) -> None:
    data = closed({"x": b"1", "y": b"2"})
    (pack,) = list(server.data.glob(f"files/**/packs/{data.id}/*.zip"))
    pack.unlink()
    with pytest.raises(DatasetMissing, match=data.id):
        data.get_local_copy()
    problems = data.verify_storage()
    assert problems and all("gone" in problem for problem in problems)
    partial = data.get_local_copy(raise_on_error=False)
    assert tree(partial) == {}


def test_damaged_bytes_are_not_given_out(closed: Close, server: RunningServer) -> None:
    data = closed({"x": b"precious"})
    (pack,) = list(server.data.glob(f"files/**/packs/{data.id}/*.zip"))
    pack.write_bytes(pack.read_bytes().replace(b"precious", b"Precious"))
    with pytest.raises(DatasetError, match="damaged"):
        data.get_local_copy()
