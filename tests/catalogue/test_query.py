"""Finding tasks and projects; copying, exporting and importing them."""

import json
from typing import Any

import pytest

from tests.catalogue.conftest import Begin, again
from trialbook import InputModel, OutputModel, Task
from trialbook.errors import (
    BadField,
    ConfigurationError,
    ProjectNotFound,
    TaskNotFound,
    TrialbookError,
    UsageError,
)
from trialbook.sdk.task import query


def named(project: str, *names: str) -> list[Task]:
    return [Task.create(project, name) for name in names]


@pytest.mark.covers("TK-005")
def test_clone(begin: Begin, project: str) -> None:
    task = begin("source", tags=["t"])
    task.connect({"a": 1})
    task.connect_configuration({"c": 1}, name="conf")
    task.set_base_docker("image", "-v x:y")
    task.set_script("https://example.org/x.git", "main", "c" * 40, "+patch", ".", "train.py")
    task.set_packages(["numpy==2.0"])
    task.connect_label_enumeration({"cat": 0})
    model = OutputModel(task, name="made")
    model.update_weights(register_uri="http://example.org/x.pt")
    task.set_input_model(Task.get_task(task.id) and _imported(), name="start")
    task.get_logger().report_scalar("m", "s", 1.0, 1)
    task.get_logger().report_text("a line", print_console=False)
    task.get_logger().report_plotly("p", "s", {"data": [], "layout": {}}, 1)
    task.upload_artifact("x", {"k": 1}, wait_on_upload=True)
    task.close()
    before = again(task)
    copy = Task.clone(source_task=task.id, comment="why")
    assert copy.id != task.id and copy.status == "created" and copy.comment == "why"
    assert (copy.name, copy.project, copy.parent) == ("Clone Of source", task.project, task.id)
    assert copy.get_script() == before.get_script() and copy.get_requirements() == before.get_requirements()
    assert copy.get_parameters() == before.get_parameters() == {"General/a": "1"}
    assert copy.get_configuration_objects() == before.get_configuration_objects()
    assert copy.get_base_docker() == "image -v x:y" and copy.get_labels_enumeration() == {"cat": 0}
    assert copy.models.input.keys() == ["start"]
    assert copy.get_reported_scalars() == {} and copy.get_reported_console_output() == []
    assert copy.get_reported_plots() == [] and copy.artifacts == {} and len(copy.models.output) == 0
    copy.set_parameter("General/a", 9)
    copy.set_comment("changed")
    after = again(task)
    assert after.get_parameters() == {"General/a": "1"} and after.data == before.data


def _imported() -> str:
    from trialbook import InputModel

    return InputModel.import_model("http://example.org/start.onnx", name="start").id


@pytest.mark.covers("TK-005")
def test_where_a_copy_belongs(draft: Task, project: str) -> None:
    child = Task.clone(draft, name="child")
    assert child.parent == draft.id
    assert Task.clone(child).parent == draft.id, "the source's own parent"
    assert Task.clone(child, parent=child.id).parent == child.id
    (other,) = named(f"{project}/other", "x")
    assert Task.clone(draft, project=other.project).get_project_name() == f"{project}/other"
    with pytest.raises(UsageError, match="source_task"):
        Task.clone()
    with pytest.raises(TaskNotFound):
        Task.clone("0" * 32)


@pytest.mark.covers("TK-021", "TK-057")
def test_export_and_import(begin: Begin) -> None:
    task = begin("source")
    task.connect({"a": 1, "b": {"c": 2}})
    task.connect_configuration({"c": 1}, name="conf")
    task.set_base_docker("image")
    task.set_script("https://example.org/x.git", "main", "c" * 40, "+patch", ".", "train.py")
    task.set_packages(["numpy==2.0"])
    task.get_logger().report_scalar("m", "s", 1.0, 1)
    task.upload_artifact("x", {"k": 1}, wait_on_upload=True)
    OutputModel(task, name="made").update_weights(register_uri="http://example.org/x.pt")
    exported = task.export_task()
    travelled = json.loads(json.dumps(exported))
    assert travelled == exported
    assert "last_metrics" not in exported and not exported["models"]["output"]
    assert "artifacts" not in exported["execution"]
    made = Task.import_task(travelled)
    assert made is not None and made.id != task.id and made.status == "created"
    assert made.get_script() == task.get_script() and made.get_requirements() == task.get_requirements()
    assert made.get_parameters() == task.get_parameters()
    assert made.get_configuration_objects() == task.get_configuration_objects()
    assert made.get_base_docker() == "image" and made.artifacts == {} and len(made.models.output) == 0
    assert Task.import_task({"comment": "no name"}) is None
    with pytest.raises(UsageError, match="task_data must be a dict"):
        Task.import_task([1])  # type: ignore[arg-type]


@pytest.mark.covers("TK-057", "TK-101")
def test_import_into_a_task(project: str) -> None:
    source, target = named(project, "source", "target")
    source.set_parameters({"A/x": 1, "A/y": 2})
    target.set_parameters({"A/x": 5, "B/z": 3})
    target.get_logger().report_scalar("m", "s", 1.0, 1)
    target.get_logger().flush(wait=True)
    data = source.export_task()
    merged = Task.import_task(data, target_task=target, update=True)
    assert merged is not None and merged.id == target.id
    assert merged.get_parameters() == {"A/x": "1", "A/y": "2", "B/z": "3"}
    replaced = Task.import_task(data, target_task=target.id, update=False)
    assert replaced is not None and replaced.get_parameters() == {"A/x": "1", "A/y": "2"}
    target.reload()
    before = (target.id, target.status, target.project, target.get_reported_scalars())
    assert target.update_task({"hyperparams": {"C": {"n": {"section": "C", "name": "n", "value": "7"}}}})
    assert target.get_parameters() == {"A/x": "1", "A/y": "2", "C/n": "7"}
    assert (target.id, target.status, target.project, target.get_reported_scalars()) == before


@pytest.mark.covers("TK-024")
def test_the_raw_list(project: str) -> None:
    first, second = named(project, "first one", "second")
    second.mark_started()
    home = Task.get_project_id(project)
    answer = Task.get_all(project=[home], status=["created"])
    assert [task.id for task in answer.tasks] == [first.id] == [task["id"] for task in answer["tasks"]]
    assert answer.response.tasks[0].name == "first one"
    found = Task.get_all(project=[home], search_text="second", only_fields=["id"])
    assert [task.id for task in found.tasks] == [second.id]


@pytest.mark.covers("TK-046", "TK-047")
def test_projects(project: str, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"{project}/p{number}" for number in range(4)]
    for name in names:
        named(name, "x")
    wild = f"{project}/p."
    assert Task.get_project_id(wild) is None, "names are no patterns"
    (late,) = named(names[0], "y")
    assert Task.get_project_id(names[0]) == late.project
    monkeypatch.setattr(query, "_PAGE", 2)
    listed = [found.name for found in Task.get_projects(name=f"^{project}/")]
    assert sorted(listed) == names and listed[0] == names[0], "complete, the last changed first"


@pytest.mark.covers("TK-052")
def test_one_task(project: str) -> None:
    old, new = named(project, "same (1.0)", "same (1.0)")
    new.set_comment("changed last")
    assert Task.get_task(old.id, project_name="ignored").id == old.id  # type: ignore[union-attr]
    assert Task.get_task(project_name=project, task_name="same (1.0)").id == new.id  # type: ignore[union-attr]
    assert Task.get_task(project_name=project, task_name="same") is None, "the whole name"
    new.set_archived(True)
    assert Task.get_task(project_name=project, task_name="same (1.0)").id == old.id  # type: ignore[union-attr]
    old.set_archived(True)
    assert Task.get_task(project_name=project, task_name="same (1.0)") is not None
    assert Task.get_task(project_name=project, task_name="same (1.0)", allow_archived=False) is None
    old.set_tags(["mine"])
    found = Task.get_task(project_name=project, task_filter={"tags": ["mine"]})
    assert found is not None and found.id == old.id
    for unknown in ("0" * 32, "not an id"):
        with pytest.raises(TaskNotFound):
            Task.get_task(unknown)
    with pytest.raises(ProjectNotFound, match="no such project"):
        Task.get_task(project_name="no such project", task_name="x")
    with pytest.raises(UsageError, match="task_id"):
        Task.get_task()


@pytest.mark.covers("TK-053", "TI-7")
def test_many_tasks(project: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two, three = named(project, "train 1", "train 22", "test")
    (other,) = named(f"{project}/other", "train 3")
    one.set_tags(["a", "b"])
    two.set_tags(["a"])
    three.mark_started()

    def ids(**ask: object) -> set[str]:
        found = {task.id for task in Task.get_tasks(**ask)}  # type: ignore[arg-type]
        if "task_ids" not in ask and "allow_archived" not in ask:
            assert set(Task.query_tasks(**ask)) == found  # type: ignore[arg-type]
        return found

    assert ids(task_ids=[one.id, other.id], project_name="ignored") == {one.id, other.id}
    assert ids(project_name=project) == {one.id, two.id, three.id}
    assert ids(project_name=[project, f"{project}/other"], task_name="train") == {one.id, two.id, other.id}
    assert ids(project_name=project, task_name=r"train \d$") == {one.id}
    assert ids(project_name=project, task_filter={"status": ["in_progress"]}) == {three.id}
    assert ids(project_name=project, task_filter={"type": ["testing"]}) == set()
    assert ids(project_name=project, tags=["a"]) == {one.id, two.id}
    assert ids(project_name=project, tags=["a", "-b"]) == {two.id}
    assert ids(project_name=project, tags=["__$all", "a", "b"]) == {one.id}
    for order in (["-name"], "-name"):
        ordered = Task.get_tasks(project_name=project, task_filter={"order_by": order})
        assert [task.name for task in ordered] == ["train 22", "train 1", "test"]
    assert ids(project_name=project, task_filter={"system_tags": "seen"}, allow_archived=False) == set()
    paged = Task.get_tasks(
        project_name=project, task_filter={"order_by": ["name"], "page": 1, "page_size": 2}
    )
    assert [task.name for task in paged] == ["train 22"]
    assert ids(project_name=project, task_name="nothing") == set()
    assert ids(project_name="no such project") == set() and "no such project" in caplog.text
    monkeypatch.setattr(query, "_PAGE", 2)
    assert ids(project_name=project) == {one.id, two.id, three.id}, "complete beyond a page of the server"
    fields = Task.query_tasks(project_name=project, additional_return_fields=["name", "tags"], tags=["b"])
    assert fields == [{"id": one.id, "name": "train 1", "tags": ["a", "b"]}]


@pytest.mark.covers("OF-7")
def test_offline_the_server_is_not_asked(project: str) -> None:
    Task.set_offline(True)
    for call in (
        lambda: Task.get_task("0" * 32),
        lambda: Task.get_tasks(project_name="x"),
        lambda: Task.clone("0" * 32),
        lambda: Task.create(project, "x"),
        lambda: Task.import_offline_session("x.zip"),
    ):
        with pytest.raises((ConfigurationError, UsageError), match="offline"):
            call()
    Task.set_offline(False)


@pytest.mark.parametrize(
    "name", ["stauts", "Status", "project_name", "", 3, "nothing.like.this", "dotted", " status"]
)
def test_T17_a_name_that_is_no_condition_is_refused(draft: Task, project: str, name: Any) -> None:
    for ask in (Task.get_tasks, Task.query_tasks, Task.get_task):
        with pytest.raises(UsageError, match="is not a condition"):
            ask(project_name=project, task_filter={"status": ["created"], name: ["failed"]})


@pytest.mark.parametrize(
    "given",
    [
        {"models.input": ["x"]},
        {"last_metrics.x": ["1"]},
        {"last_metrics.a.b.middle": [0, 1]},
        {"filters": {"tagz": {"any": {"include": ["x"]}}}},
        {"filters": {"tags": {"anny": {"include": ["x"]}}}},
        {"filters": {"tags": {"any": {"includes": ["x"]}}}},
        {"_any_": {"feilds": ["name"], "pattern": "x"}},
        {"order_by": ["-last_updte"], "page": 0, "page_size": 1},
        {"name": "x"},
        {"project": ["-other"]},
    ],
)
def test_T17_a_name_within_a_condition_is_no_other(draft: Task, project: str, given: dict[str, Any]) -> None:
    with pytest.raises((UsageError, BadField), match=r"not a condition|no such field|one condition"):
        Task.get_tasks(project_name=project, task_name="made", task_filter=given)


@pytest.mark.parametrize(
    "given",
    [
        {"started": ["2026-99-01"]},
        {"created": [">=yesterday"]},
        {"last_update": [None, "31.01.2026"]},
        {"completed": [""]},
        {"_any_": {"fields": ["last_update", "last_change"], "datetime": [">soon"]}},
    ],
)
def test_T17_a_date_that_is_none_is_refused(draft: Task, project: str, given: dict[str, Any]) -> None:
    """A bound that cannot be read bounds nothing: every task would be found."""
    for ask in (Task.get_tasks, Task.query_tasks, Task.get_task):
        with pytest.raises(UsageError, match="is not a date"):
            ask(project_name=project, task_filter=given)


def test_T17_dates_are_conditions(draft: Task, project: str) -> None:
    for given, found in (
        ({"created": [">2020-01-01"]}, [draft.id]),
        ({"created": [" >= 2020-01-01T00:00:00Z", "<2999-01-01 10:00:00.123456"]}, [draft.id]),
        ({"created": ["2020-01-01T00:00:00+02:00", None]}, [draft.id]),
        ({"created": [1.5, 2.5]}, []),
        ({"started": ["2020-01-01", None]}, []),
        ({"_any_": {"fields": ["last_update"], "datetime": "<2020-01-01"}}, []),
    ):
        assert Task.query_tasks(project_name=project, task_filter=given) == found


def test_T17_every_path_is_a_condition(draft: Task, project: str) -> None:
    draft.set_repo("https://example.com/lab.git", "trunk")
    again(draft)
    for name, right in (("script.branch", "trunk"), ("script.repository", "https://example.com/lab.git")):
        for given, found in ((right, [draft.id]), ([right], [draft.id]), ("other", []), (["other"], [])):
            assert Task.query_tasks(project_name=project, task_filter={name: given}) == found
        assert Task.query_tasks(project_name=project, task_filter={name: ["__$not", right]}) == []
    assert Task.query_tasks(project_name=project, task_filter={"project": ["0" * 32]}) == []
    assert Task.get_task(project_name=project, task_filter={"project": ["0" * 32]}) is None
    assert Task.query_tasks(project_name=project, task_filter={"project": draft.project}) == [draft.id]
    assert Task.query_tasks(project_name=project, task_filter={"container.image": ["none"]}) == []


def test_T17_every_condition_of_the_server_is_one(draft: Task, project: str) -> None:
    given = {
        "status": ["created"],
        "order_by": ["name"],
        "_any_": {"fields": ["name"], "pattern": "dr"},
        "hyperparams.Args.lr.value": None,
        "page": 0,
        "page_size": 5,
    }
    assert [task.id for task in Task.get_tasks(project_name=project, task_filter=given)] == [draft.id]
    with pytest.raises(UsageError, match="task_filter must be a dict"):
        Task.get_tasks(project_name=project, task_filter=["failed"])  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="did you mean 'status'"):
        Task.get_tasks(task_filter={"stauts": ["failed"]})


def test_what_is_not_found_is_a_value_error(draft: Task) -> None:
    """As programs for the reference SDK catch it."""
    for call in (
        lambda: Task.get_task("0" * 32).id,  # type: ignore[union-attr]
        lambda: Task.enqueue(draft, queue_name="no such queue"),
        lambda: Task.get_num_enqueued_tasks(queue_name="no such queue"),
        lambda: InputModel("0" * 32).name,
        lambda: Task.get_task(project_name="no such project", task_name="x").id,  # type: ignore[union-attr]
    ):
        with pytest.raises(ValueError) as refused:
            call()
        assert isinstance(refused.value, TrialbookError) and len(str(refused.value)) > 15
