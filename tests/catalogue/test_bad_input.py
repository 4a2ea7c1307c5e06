"""What a wrong call is told: what was wrong, and what to do."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.catalogue.conftest import Begin
from trialbook import InputModel, Model, OutputModel, Task
from trialbook.errors import (
    ModelNotFound,
    ProjectNotFound,
    QueueNotFound,
    TaskNotFound,
    TrialbookError,
    UsageError,
)

UNKNOWN = "0" * 32


@pytest.mark.covers("BAD")
@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: Task.get_task(UNKNOWN), TaskNotFound, UNKNOWN),
        (lambda: Task.get_task("abc"), TaskNotFound, "32 hexadecimal"),
        (lambda: Task.clone(UNKNOWN), TaskNotFound, UNKNOWN),
        (lambda: Task.dequeue(UNKNOWN), TaskNotFound, UNKNOWN),
        (lambda: Task.enqueue(UNKNOWN, queue_id=UNKNOWN), TrialbookError, UNKNOWN),
        (lambda: Task.enqueue(UNKNOWN, queue_name="none of that name"), QueueNotFound, "none of that name"),
        (lambda: Task.import_task({"name": "x"}, target_task=UNKNOWN), TaskNotFound, UNKNOWN),
        (lambda: Task.debug_simulate_remote_task(UNKNOWN), TaskNotFound, UNKNOWN),
        (lambda: Task.get_task(project_name="no such project"), ProjectNotFound, "no such project"),
        (lambda: Task.import_offline_session("missing.zip"), UsageError, "missing.zip"),
        (lambda: Task.create("p"), UsageError, "task_name"),
        (lambda: Task.create("p", "n", task_type="sorcery"), UsageError, "one of training"),
        (lambda: Task.create("p", "n", script="missing.py"), UsageError, "missing.py"),
        (lambda: Task.force_requirements_env_freeze(True, "missing.txt"), UsageError, "missing.txt"),
        (lambda: Task.init("p", "n", task_type="sorcery"), UsageError, "one of training"),
        (lambda: Model(UNKNOWN).name, ModelNotFound, UNKNOWN),
        (lambda: Model(UNKNOWN).get_local_copy(raise_on_error=True), ModelNotFound, UNKNOWN),
        (lambda: InputModel(name="no such model"), UsageError, "no such model"),
        (lambda: OutputModel(), UsageError, r"Task\.init"),
        (lambda: Task.get_tasks(task_name="("), TrialbookError, "cannot be used"),
    ],
)
def test_what_does_not_exist(
    project: str, call: Callable[[], Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        call()
    assert Task.current_task() is None


@pytest.mark.covers("BAD")
def test_wrong_values(begin: Begin) -> None:
    task = begin()
    calls: list[tuple[Callable[[], Any], str]] = [
        (lambda: task.connect(5), "dict"),
        (lambda: task.connect_configuration(5), "dict, a list or a path"),
        (lambda: task.register_artifact("x", {}), "upload_artifact"),
        (lambda: task.set_parent("x"), "task id"),
        (lambda: task.set_task_type("x"), "one of training"),
        (lambda: task.get_reported_scalars(x_axis="x"), "iter, timestamp"),
        (lambda: task.set_initial_iteration(1.5), "integer"),  # type: ignore[arg-type]
        (lambda: task.execute_remotely(clone=False, exit_process=False), "clone=True"),
        (lambda: task.move_to_project(), "new_project_name"),
        (lambda: task.get_logger().report_scalar("a", "b", "x", 1), "number"),  # type: ignore[arg-type]
        (lambda: task.get_logger().report_image("a", "b"), "exactly one"),
        (lambda: task.update_output_model("missing.pt"), "missing.pt"),
        (lambda: task.publish(), "completed or stopped"),
        (lambda: task.delete_artifacts(["x"]), "no artifact"),
    ]
    for call, words in calls:
        with pytest.raises(UsageError, match=words):
            call()
    assert task.status == "in_progress", "nothing of it breaks the run"
