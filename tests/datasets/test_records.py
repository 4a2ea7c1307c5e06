"""What a version is to the rest of the system: its states, its code, its counters, who uses it."""

import logging
from pathlib import Path

import pytest

from tests.datasets.conftest import Close
from tests.datasets.support import Write, tree
from tests.support.server import RunningServer
from tests.support.waiting import until
from trialbook import Dataset, Task
from trialbook.client.settings import simulate
from trialbook.errors import TrialbookError, UsageError


@pytest.mark.covers("DS-00")
def test_the_class_is_not_called() -> None:
    with pytest.raises(UsageError, match=r"Dataset\.create.*Dataset\.get"):
        Dataset()


@pytest.mark.covers("DI-9")
def test_the_code_makes_the_version_again(
    project: str, closed: Close, write: Write, server: RunningServer
) -> None:
    parent = closed({"old": b"0", "gone": b"1"})
    data = Dataset.create("data", project, ["tag"], [parent])
    top = write({"x": b"1", "sub/y": b"2"})
    data.add_files(top, wildcard="*", dataset_path="in")
    data.add_external_files("file:///etc/hostname", dataset_path="links")
    data.upload()
    data._opened.draft("close").close()
    again = Dataset.get(data.id)
    again.remove_files("gone")
    again.sync_folder(write({"z": b"3"}), dataset_path="synced")
    again.finalize(auto_upload=True)
    script = server.call("tasks.get_by_id", task=data.id)["task"]["script"]
    assert script["entry_point"] == "register_dataset.py"
    ran: dict[str, Dataset] = {}
    exec(script["diff"], ran)
    assert ran["data"].id != data.id and ran["data"].is_final()
    assert tree(ran["data"].get_local_copy()) == tree(again.get_local_copy())
    assert (
        ran["data"].get_dependency_graph()[ran["data"].id] == [parent.id] and ran["data"].tags == again.tags
    )


@pytest.mark.covers("DI-9", "DS-04f")
def test_a_task_that_became_a_version_keeps_its_code(project: str, write: Write) -> None:
    task = Task.init(project, "trainer", auto_connect_streams=False, auto_connect_arg_parser=False)
    # The code is looked for beside the program.
    until(lambda: bool(task.get_script()["entry_point"]))
    before = task.get_script()
    data = Dataset.create(use_current_task=True)
    data.add_files(write({"x": b"1"}))
    data.finalize(auto_upload=True)
    found = Task.get_task(task.id)
    assert found is not None and found.get_script()["entry_point"] == before["entry_point"]
    assert "add_files" not in found.get_script()["diff"]


def test_thousands_of_calls_are_counted(project: str, write: Write, server: RunningServer) -> None:
    data = Dataset.create("data", project)
    top = write({f"f{n}": b"1" for n in range(10)})
    for number in range(300):
        data.add_files(top / f"f{number % 10}")
    data.upload()
    data.finalize()
    script = server.call("tasks.get_by_id", task=data.id)["task"]["script"]["diff"]
    assert len(script.splitlines()) < 250 and "more calls: 1" in script


@pytest.mark.covers("DS-19b", "DI-10", "XD-15")
@pytest.mark.parametrize("end", ["stopped", "failed"])
def test_an_ended_version_is_not_final(
    project: str, write: Write, server: RunningServer, end: str, capsys: pytest.CaptureFixture[str]
) -> None:
    data = Dataset.create("data", project)
    data.add_files(write({"x": b"1"}))
    data.upload()
    data._opened.draft("close").close()
    server.call(f"tasks.{end}", task=data.id)
    found = Dataset.get(data.id)
    assert not found.is_final()
    found.add_files(write({"y": b"2"}))
    assert "written again" in capsys.readouterr().out
    assert found.finalize(auto_upload=True) and found.is_final()
    assert tree(found.get_local_copy()) == {"x": b"1", "y": b"2"}


@pytest.mark.covers("DI-10")
def test_a_draft_that_never_started_is_refused(project: str, server: RunningServer) -> None:
    id = server.call(
        "tasks.create", name="data", type="data_processing", project_name=f"{project}/.datasets/data",
        system_tags=["dataset"],
    )["id"]  # fmt: skip
    with pytest.raises(UsageError, match="never started"):
        Dataset.get(id)


@pytest.mark.covers("DS-28c", "XD-8")
def test_a_refused_publish(closed: Close, server: RunningServer) -> None:
    data = closed({"x": b"1"})
    server.call("tasks.delete", task=data.id, force=True)
    assert data.publish(raise_on_error=False) is False
    with pytest.raises(TrialbookError):
        data.publish()


@pytest.mark.covers("DS-08e", "XD-10")
def test_only_completed(project: str, closed: Close, server: RunningServer) -> None:
    done = closed({"x": b"1"})
    opened = Dataset.create("data", project)
    named = {"dataset_project": project, "dataset_name": "data"}
    assert Dataset.get(**named).id == opened.id  # type: ignore[arg-type]
    assert Dataset.get(**named, only_completed=True).id == done.id  # type: ignore[arg-type]
    done.publish()
    assert Dataset.get(**named, only_completed=True).id == done.id  # type: ignore[arg-type]
    assert Dataset.get(**named, only_published=True).id == done.id  # type: ignore[arg-type]
    assert [one["id"] for one in Dataset.list_datasets(project)] == [done.id]
    server.call("tasks.archive", tasks=[done.id])
    with pytest.raises(UsageError):
        Dataset.get(**named, only_completed=True)  # type: ignore[arg-type]
    assert [one["id"] for one in Dataset.list_datasets(project)] == [done.id]


@pytest.mark.covers("DS-08k")
def test_a_use_without_a_name_is_hinted_at(
    project: str, closed: Close, caplog: pytest.LogCaptureFixture
) -> None:
    data = closed({"x": b"1"})
    Task.init(project, "trainer", auto_connect_streams=False, auto_connect_arg_parser=False)
    with caplog.at_level(logging.INFO, "trialbook"):
        Dataset.get(data.id, silence_alias_warnings=True)
        Dataset.get(data.id, alias="named")
        assert "alias" not in caplog.text
        Dataset.get(data.id)
        assert "alias" in caplog.text


@pytest.mark.covers("M-8", "DS-08c")
def test_two_versions_of_one_text(closed: Close, project: str) -> None:
    first = closed({"x": b"1"}, dataset_version="1.0.0")
    second = closed({"x": b"2"}, dataset_version="1.0.0")
    assert tree(Dataset.get(first.id).get_local_copy()) == {"x": b"1"}
    assert tree(Dataset.get(second.id).get_local_copy()) == {"x": b"2"}
    found = {
        Dataset.get(dataset_project=project, dataset_name="data", dataset_version="1.0.0").id
        for _ in range(5)
    }
    assert found == {second.id}, "the one that changed last"


def test_D4_a_version_that_is_begun_hides_no_finished_one_of_its_text(
    closed: Close, project: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for text in ("1.0.0", "spring"):
        done = closed({"x": b"1"}, dataset_version=text)
        assert "already" not in capsys.readouterr().out
        begun = Dataset.create("data", project, dataset_version=text)
        assert f"has a version {text} already ({done.id})" in capsys.readouterr().out
        begun.set_description("changed last")
        pinned = Dataset.get(dataset_project=project, dataset_name="data", dataset_version=text)
        assert pinned.id == done.id


@pytest.mark.covers("DS-03c", "XD-24")
def test_tags_under_an_agent(project: str, write: Write, request: pytest.FixtureRequest) -> None:
    task = Task.create(project, "trainer")
    Task.debug_simulate_remote_task(task.id)
    request.addfinalizer(lambda: simulate(""))
    Task.init(auto_connect_streams=False, auto_connect_arg_parser=False)
    data = Dataset.create(use_current_task=True)
    for _ in range(2):
        data.add_tags(["one", "two"])
        data.add_tags("one")
    data.add_external_files("file:///etc/hostname")
    assert sorted(data.tags) == ["external files", "one", "two"]
    data.finalize()
    assert sorted(Dataset.get(task.id).tags) == ["external files", "one", "two"]


@pytest.mark.covers("DI-6", "DI-8", "DS-07e", "DS-36a", "DS-36b", "XD-21")
def test_history_and_lineage(closed: Close, project: str, server: RunningServer, write: Write) -> None:
    first = closed({"x": b"1", "y": b"22", "z": b"333"})
    second = Dataset.create("data", project, parent_datasets=[first])
    second.remove_files("x")
    second.add_files(write({"y": b"changed", "new": b"4444"}))
    second.update_changed_files(num_files_modified=5)
    second.update_changed_files()
    second.finalize(auto_upload=True)
    runtime = server.call("tasks.get_by_id", task=second.id)["task"]["runtime"]
    counted = {name: runtime[f"ds_change_{name}"] for name in ("add", "modify", "remove")}
    assert counted == {"add": 1, "modify": 6, "remove": 1}
    assert (runtime["ds_file_count"], runtime["ds_total_size"]) == (3, 7 + 4 + 3)
    assert runtime["ds_total_size_compressed"] > 0
    configuration = server.call("tasks.get_by_id", task=second.id)["task"]["configuration"]
    assert first.id in configuration["Dataset Struct"]["value"]
    assert "new, 4," in configuration["Dataset Content"]["value"]
    graph = server.call("datasets.get_graph", dataset=second.id)
    assert {node["id"]: node["parents"] for node in graph["nodes"]} == {second.id: [first.id], first.id: []}


@pytest.mark.covers("DS-04i", "DI-1a")
def test_names_can_be_read_at_once(project: str) -> None:
    data = Dataset.create("data", f"{project}/deep", dataset_tags=["a"], description="words")
    for one in (data, Dataset.get(data.id)):
        assert (one.name, one.project, one.version, one.tags) == ("data", f"{project}/deep", "1.0.0", ["a"])
        assert one._opened.task.comment == "words"


def test_odd_names_are_told_at_the_end(
    project: str, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    data = Dataset.create("data", project)
    data.add_files(write({"Readme": b"1", "readme": b"2", "con.txt": b"3", "a:b": b"4", "fine": b"5"}))
    data.upload()
    assert "every system" not in capsys.readouterr().out
    data.finalize()
    said = [line for line in capsys.readouterr().out.splitlines() if "every system" in line]
    assert len(said) == 3
    for name in ("readme", "con.txt", "a:b"):
        assert any(f"{name} cannot be copied" in line for line in said)
    assert tree(Path(data.get_local_copy()))["a:b"] == b"4"
