"""The task surface against a real server: reuse and continue, parameters, artifacts, models, reading back."""

import argparse
import math
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest

from tests.support.server import RunningServer
from trialbook import InputModel, Logger, Model, OutputModel, Task, TaskTypes
from trialbook.errors import TaskNotFound, UsageError
from trialbook.sdk.servers import connection as connections


@pytest.fixture
def project(server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A fresh project on the server, and a home of its own for the SDK of this process."""
    for name, value in server.client_environment(tmp_path).items():
        if name.startswith("TRIALBOOK_") or name == "HOME":
            monkeypatch.setenv(name, value)
    monkeypatch.delenv("TRIALBOOK_PROC_MASTER_ID", raising=False)
    connections.disconnect()
    yield f"Tests/{uuid.uuid4().hex[:8]}"
    running = Task.current_task()
    if running is not None:
        running.close()
    connections.disconnect()


def begin(project: str, name: str = "run", **more: Any) -> Task:
    return Task.init(project, name, auto_connect_streams=False, auto_connect_arg_parser=False, **more)


def ended(project: str, name: str = "run", **more: Any) -> str:
    task = begin(project, name, **more)
    task.get_logger().report_scalar("a", "b", 1.0, 100)
    task.close()
    return task.id


def test_init_twice_is_the_same_task(project: str) -> None:
    task = begin(project)
    assert begin(project) is task
    assert Task.init() is task
    assert Task.current_task() is task and task.is_main_task()
    assert Logger.current_logger() is task.get_logger()
    with pytest.raises(UsageError, match="runs the task"):
        begin(project, "other")
    task.close()
    task.close()
    assert Task.current_task() is None
    with pytest.raises(UsageError, match="closed"):
        task.get_logger().report_scalar("a", "b", 1.0, 1)


def test_T43_the_run_that_is_replaced_can_be_brought_back(
    project: str, capsys: pytest.CaptureFixture[str]
) -> None:
    urls, ids = [], []
    for value in (1.0, 2.0):
        task = begin(project)
        task.connect({"rate": value})
        logger = task.get_logger()
        logger.report_scalar("loss", "train", value, 1)
        logger.report_image("sample", "one", 1, image=numpy.full((4, 4, 3), int(value), numpy.uint8))
        task.close()
        ids.append(task.id)
    assert ids[0] == ids[1]
    said = re.search(r"replaces is in the archive, as id=(\w{32})", capsys.readouterr().out)
    assert said
    earlier, later = Task.get_task(said[1]), Task.get_task(ids[0])
    for task, value in ((earlier, 1.0), (later, 2.0)):
        assert task.get_reported_scalars()["loss"]["train"]["y"] == [value]
        assert task.get_parameters(cast=True)["General/rate"] == value
        urls += [one["url"] for one in task.get_debug_samples("sample", "one")]
    # A picture of the second run must not take the file of the first one's.
    assert len(set(urls)) == 2
    assert [task.id for task in Task.get_tasks(project_name=project, allow_archived=False)] == [later.id]
    earlier.set_archived(False)
    assert {task.id for task in Task.get_tasks(project_name=project)} == {earlier.id, later.id}


def test_reuse(project: str) -> None:
    first = ended(project)
    again = begin(project)
    assert again.id == first
    assert again.get_reported_scalars() == {}
    again.upload_artifact("kept", {"a": 1})
    again.close()
    third = ended(project)
    assert third != first, "a task with an artifact is not reused"
    assert ended(project, reuse_last_task_id=False) not in (first, third)
    Task.get_task(third).set_archived(True)
    assert ended(project, reuse_last_task_id=third) != third
    published = ended(project, "published")
    Task.get_task(published).publish()
    assert ended(project, "published") != published


def test_continue(project: str) -> None:
    first = ended(project)
    task = begin(project, continue_last_task=True)
    assert task.id == first and task.get_initial_iteration() == 101
    task.get_logger().report_scalar("a", "b", 2.0, 0)
    assert task.get_reported_scalars()["a"]["b"] == {"x": [100, 101], "y": [1.0, 2.0]}
    task.close()
    task = begin(project, continue_last_task=first)
    assert task.id == first and task.get_initial_iteration() == 102
    task.close()
    task = begin(project, continue_last_task=0)
    assert task.id == first and task.get_initial_iteration() == 0
    task.close()


def test_parameters(project: str) -> None:
    task = begin(project)
    connected = task.connect(
        {"lr": 0.1, "net": {"depth": 3, "$odd. name/x": [1, 2]}, 5: "five"}, name="Train"
    )
    connected["lr"] = 0.2
    connected["net"]["width"] = 7
    del connected[5]

    class Setup:
        batch = 32
        _hidden = 1

        def method(self) -> None: ...

    assert task.connect(Setup) is Setup
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=2, help="how long")
    task.connect(parser)
    parser.parse_args(["--epochs", "9"])
    task.set_parameter("Extra/x", 1.5, description="why")
    task.set_user_properties({"name": "backbone", "value": "great"}, stable=True)
    expected = {
        "Train/lr": "0.2",
        "Train/net/depth": "3",
        "Train/net/$odd. name/x": "[1, 2]",
        "Train/net/width": "7",
        "General/batch": "32",
        "Args/epochs": "9",
        "Extra/x": "1.5",
        "properties/backbone": "great",
        "properties/stable": "True",
    }
    assert task.get_parameters() == expected
    task.flush()
    other = Task.get_task(task.id)
    assert other.get_parameters() == expected
    assert other.get_parameter("Extra/x", cast=True) == 1.5
    assert other.get_parameters_as_dict()["Train"]["net"]["depth"] == "3"
    assert other.get_user_properties(value_only=True) == {"backbone": "great", "stable": "True"}
    assert other.data["hyperparams"]["Args"]["epochs"]["description"] == "how long"
    task.set_parameters({"Only/one": 1})
    assert task.delete_parameter("Only/one") and not task.delete_parameter("Only/one")
    task.flush()
    other.reload()
    assert other.get_parameters() == {"properties/backbone": "great", "properties/stable": "True"}
    assert other.get_user_properties(value_only=True)["stable"] == "True"
    for wrong in ([1], 5, None, "text"):
        with pytest.raises(UsageError):
            task.connect(wrong)


def test_configuration(project: str, tmp_path: Path) -> None:
    task = begin(project)
    path = tmp_path / "c.yaml"
    path.write_bytes(b"a: 1  # comment\r\n")
    assert task.connect_configuration(path, name="file", description="d") == path
    values = task.connect_configuration({"m": {"n": 1}}, name="dict")
    values["m"]["n"] = 2
    task.set_configuration_object("text", "free text")
    task.connect_label_enumeration({"cat": 0, "dog": 1})
    task.flush()
    other = Task.get_task(task.id)
    assert other.get_configuration_object("file") == "a: 1  # comment\r\n"
    assert other.get_configuration_object_as_dict("dict") == {"m": {"n": 2}}
    assert set(other.get_configuration_objects()) == {"file", "dict", "text"}
    assert other.get_configuration_object("none") is None
    assert other.get_labels_enumeration() == {"cat": 0, "dog": 1} and other.get_num_of_classes() == 2
    with pytest.raises(UsageError):
        task.connect_label_enumeration({"cat": "x"})  # type: ignore[dict-item]


def test_artifacts(project: str, tmp_path: Path) -> None:
    task = begin(project)
    file = tmp_path / "data.bin"
    file.write_bytes(b"\0\1" * 1000)
    folder = tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a.csv").write_text("1")
    (folder / "b.csv").write_text("2")
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"x": [1, 2], "y": [0.5, 1.5]}, index=["p", "q"])
    array = numpy.arange(6, dtype="float32").reshape(2, 3)
    objects: dict[str, Any] = {
        "file": file,
        "folder": folder,
        "wild": str(folder / "*.csv"),
        "dict": {"a": [1, {"b": None}]},
        "odd dict": {1: "one"},
        "array": array,
        "frame": frame,
        "text": "no such file",
        "list of paths": [file, folder / "b.csv"],
        "object": {1, 2, 3},
        "name/with $ and ü": {"k": 1},
    }
    for name, value in objects.items():
        assert task.upload_artifact(name, value, metadata={"k": 1})
    file.write_bytes(b"changed at once")
    delete = tmp_path / "temporary.txt"
    delete.write_text("x")
    assert task.upload_artifact(
        "temporary", delete, delete_after_upload=True, preview="mine", wait_on_upload=True
    )
    assert not delete.exists()
    assert task.upload_artifact("dict", {"newest": True}, wait_on_upload=True)
    with pytest.raises(UsageError, match="auto_pickle"):
        task.upload_artifact("no", object(), auto_pickle=False)
    with pytest.raises(UsageError, match="there is no file"):
        task.upload_artifact("no", tmp_path / "missing")
    task.flush(wait_for_uploads=True)
    found = Task.get_task(task.id).artifacts
    assert set(found) == {*objects, "temporary"}
    assert Path(found["file"].get()).read_bytes() == b"\0\1" * 1000
    for name in ("folder", "wild", "list of paths"):
        assert Path(found[name].get()).is_dir()
    assert {p.name for p in Path(found["wild"].get()).iterdir()} == {"b.csv"}
    assert (Path(found["folder"].get()) / "deep" / "a.csv").read_text() == "1"
    assert found["dict"].get() == {"newest": True}
    assert found["odd dict"].get() == {1: "one"}
    loaded = found["array"].get()
    assert loaded.dtype == array.dtype and numpy.array_equal(loaded, array)
    assert found["frame"].get().equals(frame)
    assert found["text"].get() == "no such file"
    assert found["object"].get() == {1, 2, 3}
    assert found["temporary"].preview == "mine"
    assert (
        found["file"].metadata == {"k": "1"}
        and found["file"].size == 2000
        and len(found["file"].hash or "") == 64
    )
    with pytest.raises(KeyError):
        found["unknown"]
    task.close()
    assert Task.get_task(task.id).status == "completed"


def test_models(project: str, tmp_path: Path) -> None:
    task = begin(project, output_uri=True)
    task.set_model_label_enumeration({"cat": 0})
    weights = tmp_path / "net.pt"
    weights.write_text("first")
    model = OutputModel(task, name="classifier", tags=["good"], config_dict={"layers": 2})
    url = model.update_weights(str(weights), iteration=3)
    weights.write_text("overwritten at once")
    model.set_metadata("accuracy", 0.9)
    model.update_labels({"cat": 0, "dog": 1})
    task.update_output_model(str(weights), name="second")
    task.flush(wait_for_uploads=True)
    found = Task.get_task(task.id).models
    assert found.output.keys() == ["classifier", "second"]
    first = found["output"]["classifier"]
    assert (first.name, first.framework, first.labels) == ("classifier", "PyTorch", {"cat": 0, "dog": 1})
    assert first.url == url and first.config_dict == {"layers": 2} and "iteration 3" in first.comment
    assert Path(str(first.get_local_copy())).read_text() == "first"
    assert first.get_metadata("accuracy") == "0.9"
    assert found.output[-1].name == f"{task.name} - second"
    assert found.output.get("none") is None
    first.publish()
    assert Model(first.id).published
    imported = InputModel.import_model(f"http://example.org/{uuid.uuid4().hex}.onnx", name="outside")
    assert imported.framework == "ONNX"
    assert InputModel.import_model(imported.url).id == imported.id
    task.connect(imported, name="start")
    task.flush()
    assert Task.get_task(task.id).models.input["start"].id == imported.id
    assert [m.id for m in Model.query_models(project_name=project, tags=["good"])] == [first.id]
    task.close()


def test_reading_back(project: str) -> None:
    task = begin(project, task_type=TaskTypes.testing, tags=["one"])
    logger = task.get_logger()
    long = "s" * 1000
    for step in range(10):
        logger.report_scalar("loss", "train", 10.0 - step, step)
    logger.report_scalar("a/b.$ü", long, math.nan, 1)
    logger.report_scalar("infinite", "x", math.inf, 1)
    logger.report_single_value("accuracy", 0.9)
    logger.report_text("a line of text", print_console=False)
    logger.report_image("picture", "noise", 1, image=numpy.zeros((4, 4, 3), "uint8"))
    logger.report_confusion_matrix("matrix", "m", numpy.eye(2), 1)
    task.flush(wait_for_uploads=True)
    other = Task.get_task(project_name=project, task_name="run")
    assert other is not None and other.id == task.id and other.task_type == TaskTypes.testing
    scalars = other.get_reported_scalars()
    assert scalars["loss"]["train"] == {"x": list(range(10)), "y": [10.0 - step for step in range(10)]}
    assert math.isnan(scalars["a/b.$ü"][long]["y"][0]) and scalars["infinite"]["x"]["y"] == [math.inf]
    last = other.get_last_scalar_metrics()["loss"]["train"]
    assert last == {"last": 1.0, "min": 1.0, "max": 10.0}
    assert other.get_last_iteration() == 9
    assert other.get_reported_single_value("accuracy") == 0.9
    assert other.get_reported_console_output(1) == ["a line of text"]
    assert [plot["metric"] for plot in other.get_reported_plots()] == ["matrix"]
    assert len(other.get_debug_samples("picture", "noise")) == 1
    assert len(other.get_reported_scalars(max_samples=5)["loss"]["train"]["x"]) <= 5


def test_another_task(project: str) -> None:
    source = ended(project, "source", tags=["t"])
    copy = Task.clone(source, name="copy")
    assert copy.get_status() == "created" and copy.parent == source and copy.name == "copy"
    copy.get_logger().report_scalar("from outside", "x", 1.0, 3)
    copy.get_logger().flush(wait=True)
    assert copy.get_reported_scalars() == {"from outside": {"x": {"x": [3], "y": [1.0]}}}
    copy.add_tags(["more"])
    copy.set_comment("text")
    copy.set_name("renamed")
    copy.mark_started()
    copy.mark_failed(status_reason="why", status_message="because")
    again = Task.get_task(copy.id)
    assert (again.name, again.comment, again.get_status()) == ("renamed", "text", "failed")
    assert set(again.get_tags()) == {"t", "more"} and again.get_status_message() == "because"
    with pytest.raises(RuntimeError):
        again.wait_for_status(check_interval_sec=0.1)
    again.reset()
    assert again.get_status() == "created" and again.get_reported_scalars() == {}
    again.get_logger().report_scalar("after", "reset", 1.0, 1)
    again.get_logger().flush(wait=True)
    assert set(again.get_reported_scalars()) == {"after"}
    names = [task.name for task in Task.get_tasks(project_name=project)]
    assert set(names) == {"source", "renamed"}
    assert Task.get_project_id(project) == again.project and Task.get_project_id("no such") is None
    exported = again.export_task()
    made = Task.import_task({**exported, "name": "imported"})
    assert made is not None and made.name == "imported" and made.get_tags() == again.get_tags()
    assert made.delete() and again.delete()
    with pytest.raises(TaskNotFound):
        Task.get_task(again.id)
    assert Task.get_task(project_name=project, task_name="none") is None
