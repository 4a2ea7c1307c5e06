"""What a task is called and where it belongs."""

from pathlib import Path

import pytest

from tests.catalogue.conftest import Begin, again
from trialbook import Task, TaskTypes
from trialbook.errors import UsageError


@pytest.mark.covers("TK-C3")
def test_the_class_is_not_called() -> None:
    with pytest.raises(UsageError, match=r"Task\.init.*Task\.get_task"):
        Task()


@pytest.mark.covers("TK-C2", "TI-1")
def test_fields_agree_with_the_record(draft: Task, task: Task) -> None:
    draft.name, draft.comment = "renamed", "why"
    draft.set_parent(task)
    found = Task.get_task(draft.id)
    assert found is not None
    assert (found.id, found.task_id) == (draft.id, draft.id)
    assert (found.name, found.comment, found.parent) == ("renamed", "why", task.id)
    assert (found.project, found.task_type) == (draft.project, "training")
    data = found.data
    assert data.id == data["id"] == draft.id and data.name == "renamed" and data.status == "created"
    assert data.script.branch is None and data.execution.artifacts == [] and data.container.image is None
    with pytest.raises(AttributeError):
        _ = data.no_such_field


@pytest.mark.covers("TK-002", "TI-3")
def test_tags(draft: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    draft.add_tags("one with blanks")
    draft.add_tags(["two", "two", "one with blanks"])
    draft.add_tags(("three",))
    found = Task.get_task(draft.id)
    assert found is not None and sorted(found.get_tags()) == ["one with blanks", "three", "two"]
    found.remove_tags(["two", "unknown"])
    assert sorted(found.get_tags()) == ["one with blanks", "three"]
    found.set_tags(["only"])
    found.mark_started()
    found.mark_completed()
    found.publish()
    found.add_tags("late")
    assert sorted(Task.get_task(draft.id).get_tags()) == ["late", "only"]  # type: ignore[union-attr]
    assert found.get_system_tags() == []


@pytest.mark.covers("TK-002")
def test_an_agent_adds_no_tags(begin: Begin, draft: Task) -> None:
    Task.debug_simulate_remote_task(draft.id)
    task = begin(tags=["from the code"])
    task.add_tags("more")
    task.flush()
    assert Task.get_task(draft.id).get_tags() == []  # type: ignore[union-attr]


@pytest.mark.covers("TK-004")
def test_the_cache_folder_is_the_tasks_own(draft: Task, task: Task, tmp_path: Path) -> None:
    assert task.cache_dir == tmp_path / "home" / "cache" / task.id
    assert draft.cache_dir != task.cache_dir
    assert not draft.cache_dir.exists()


@pytest.mark.covers("TK-041")
def test_the_destination_with_and_without_more(begin: Begin, project: str, tmp_path: Path) -> None:
    task = begin("named")
    assert task.get_output_destination() is None
    task.output_uri = str(tmp_path / "out")
    folder = f"{tmp_path}/out/{project}/named.{task.id}"
    assert task.get_output_destination() == folder
    assert task.get_output_destination("deeper/x") == f"{folder}/deeper/x"
    assert again(task).get_output_destination() == folder


@pytest.mark.covers("TI-2")
def test_the_destination_may_change_before_an_upload(begin: Begin, tmp_path: Path) -> None:
    task = begin()
    assert task.output_uri is None
    task.output_uri = True
    assert str(task.output_uri).endswith("/files")
    blocked = tmp_path / "a file"
    blocked.write_text("")
    with pytest.raises(UsageError, match="cannot be used"):
        task.output_uri = str(blocked)
    task.output_uri = str(tmp_path / "there")
    assert (tmp_path / "there").is_dir(), "it is made and tried at once"
    task.upload_artifact("a", {"x": 1}, wait_on_upload=True)
    assert task.artifacts["a"].url.startswith(str(tmp_path / "there"))
    task.output_uri = None
    assert task.output_uri is None


@pytest.mark.covers("TK-042")
def test_the_address_of_the_page(task: Task) -> None:
    url = task.get_output_log_web_page()
    connection = task._record.connection
    assert connection is not None
    assert url == f"{connection.settings.web_host}/projects/{task.project}/tasks/{task.id}/output/log"


@pytest.mark.covers("TK-078", "TK-085", "ST-15")
def test_names_and_descriptions_at_any_status(draft: Task) -> None:
    draft.mark_started()
    draft.mark_completed()
    draft.publish()
    draft.set_name("after")
    draft.set_comment("text")
    draft.set_user_properties(note="late")
    draft.add_tags("late")
    found = Task.get_task(draft.id)
    assert found is not None and found.status == "published"
    assert (found.name, found.comment, found.get_tags()) == ("after", "text", ["late"])
    assert found.get_user_properties(value_only=True) == {"note": "late"}
    with pytest.raises(UsageError, match="name"):
        found.set_name("")


@pytest.mark.covers("TK-090")
def test_parents(draft: Task, task: Task) -> None:
    draft.set_parent(task.id)
    assert Task.get_task(draft.id).parent == task.id  # type: ignore[union-attr]
    draft.set_parent(task)
    draft.set_parent(None)
    assert Task.get_task(draft.id).parent is None  # type: ignore[union-attr]
    with pytest.raises(UsageError, match="own parent"):
        draft.set_parent(draft)
    with pytest.raises(UsageError, match="task or a task id"):
        draft.set_parent("no id")


@pytest.mark.covers("TK-092", "TT-1", "TT-2")
def test_types(draft: Task) -> None:
    expected = "training testing inference data_processing application monitor controller optimizer service qc custom"
    assert [kind.value for kind in TaskTypes] == expected.split()
    for kind in TaskTypes:
        assert kind == kind.value and str(kind) == kind.value
        draft.set_task_type(kind.value if kind is TaskTypes.qc else kind)
        assert Task.get_task(draft.id).task_type == kind  # type: ignore[union-attr]
    with pytest.raises(UsageError, match="one of training"):
        draft.set_task_type("sorcery")


@pytest.mark.covers("TI-5")
def test_progress(draft: Task, caplog: pytest.LogCaptureFixture) -> None:
    assert draft.get_progress() is None
    draft.mark_started()
    draft.set_progress(40)
    assert Task.get_task(draft.id).get_progress() == 40  # type: ignore[union-attr]
    for wrong in (101, -1, 0.5, True):
        draft.set_progress(wrong)  # type: ignore[arg-type]
    assert len([record for record in caplog.records if "set_progress" in record.message]) == 4
    assert draft.get_progress() == 40
    draft.mark_completed()
    assert Task.get_task(draft.id).get_progress() == 100  # type: ignore[union-attr]


@pytest.mark.covers("TI-8")
def test_moving(draft: Task, project: str) -> None:
    assert draft.move_to_project(new_project_name=f"{project}/made/on demand")
    found = Task.get_task(draft.id)
    assert found is not None and found.get_project_name() == f"{project}/made/on demand"
    assert Task.get_project_id(f"{project}/made") is not None
    home = Task.get_project_id(project)
    found.set_project(project_id=home)
    assert Task.get_task(draft.id).project == home  # type: ignore[union-attr]
    assert found.rename("other") and Task.get_task(draft.id).name == "other"  # type: ignore[union-attr]
    with pytest.raises(UsageError, match="either"):
        found.move_to_project()


@pytest.mark.covers("TI-8")
def test_a_run_moves_while_it_runs(task: Task, project: str) -> None:
    task.move_to_project(new_project_name=f"{project}/other")
    task.get_logger().report_scalar("a", "b", 1.0, 1)
    found = again(task)
    assert found.get_project_name() == f"{project}/other"
    assert found.get_reported_scalars()["a"]["b"]["y"] == [1.0]


@pytest.mark.covers("TI-6")
def test_code_and_packages_by_hand(draft: Task, tmp_path: Path) -> None:
    draft.set_script("https://example.org/lab/x.git", "main", "c" * 40, "+patch", "src", "train.py")
    draft.set_packages(["numpy==2.0", "scipy"])
    found = Task.get_task(draft.id)
    assert found is not None
    assert found.get_script() == {
        "repository": "https://example.org/lab/x.git",
        "branch": "main",
        "version_num": "c" * 40,
        "diff": "+patch",
        "working_dir": "src",
        "entry_point": "train.py",
        "binary": "",
    }
    assert found.get_requirements() == {"pip": "numpy==2.0\nscipy\n"}
    found.set_repo("https://example.org/other.git")
    script = Task.get_task(draft.id).get_script()  # type: ignore[union-attr]
    assert (script["repository"], script["branch"], script["version_num"]) == (
        "https://example.org/other.git",
        "",
        "",
    )
    assert script["entry_point"] == "train.py"
    needs = tmp_path / "needs.txt"
    needs.write_text("torch>=2\n")
    found.set_packages(needs)
    assert Task.get_task(draft.id).get_requirements() == {"pip": "torch>=2\n"}  # type: ignore[union-attr]
    with pytest.raises(UsageError, match="no requirements file"):
        found.set_packages("missing.txt")
    found.mark_started()
    found.mark_completed()
    for change in (lambda: found.set_packages(["x"]), lambda: found.set_script(branch="b")):
        with pytest.raises(UsageError, match=r"completed.*Task\.clone"):
            change()


@pytest.mark.covers("TI-6")
def test_packages_by_hand_stay_when_the_search_ends(begin: Begin) -> None:
    task = begin(auto_connect_frameworks=True)
    task.set_packages(["only-this==1.0"])
    assert task._run is not None and task._run.described.wait(30)
    assert again(task).get_requirements() == {"pip": "only-this==1.0\n"}
