"""The life of a task: its statuses and the moves between them."""

import threading
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.catalogue.conftest import Begin, again
from tests.integration.program import Program, document, until
from tests.support.server import RunningServer
from trialbook import InputModel, OutputModel, Task
from trialbook.errors import (
    TaskAlreadyQueued,
    TaskNotDeletable,
    TaskNotFound,
    TaskNotQueued,
    TaskStatusRefused,
    UsageError,
    WireError,
)
from trialbook.sdk.servers import connection as connections
from trialbook.sdk.task.answers import server_session
from trialbook.wire.states import TaskStatusEnum


def fetched(task: Task) -> Task:
    found = Task.get_task(task.id)
    assert found is not None
    return found


def queue_of(project: str) -> str:
    """A queue that only this test uses."""
    return str(server_session().call("queues.create", {"name": f"{project}/{uuid.uuid4().hex}"})["id"])


def in_status(project: str, status: str) -> Task:
    """A task that no process runs, in a status."""
    task = Task.create(project, status)
    if status == "queued":
        Task.enqueue(task, queue_id=queue_of(project))
    if status in ("in_progress", "stopped", "failed", "completed", "published"):
        task.mark_started()
    moves = {"stopped": task.mark_stopped, "failed": task.mark_failed}
    if status in moves:
        moves[status]()
    if status in ("completed", "published"):
        task.mark_completed()
    if status == "published":
        task.publish()
    task.reload()
    assert task.status == status
    return task


@pytest.mark.covers("TK-C1", "TK-013", "TK-059", "TK-060", "TK-063", "TK-034")
def test_one_main_task(begin: Begin, draft: Task) -> None:
    assert Task.current_task() is None
    task = begin()
    assert begin() is task and Task.init() is task
    seen: list[Task | None] = []
    thread = threading.Thread(target=lambda: seen.append(Task.current_task()))
    thread.start()
    thread.join()
    assert seen == [task] and Task.current_task() is task
    assert task.is_main_task() and task.is_current_task()
    assert not draft.is_main_task() and not fetched(task).is_main_task()
    assert task.logger is task.get_logger() and draft.logger is draft.get_logger()
    with pytest.raises(UsageError, match=r"Task\.close"):
        begin("another")
    task.close()
    assert Task.current_task() is None and not task.is_main_task()
    other = begin("another")
    assert other.id != task.id and Task.current_task() is other


@pytest.mark.covers("TK-C4", "TK-C5")
def test_sub_tasks_leave_the_run_alone(task: Task, project: str) -> None:
    made = [Task.create(project, "made"), Task.clone(task)]
    made.append(task.create_function_task(print, text="x"))  # type: ignore[arg-type]
    assert len({task.id, *[other.id for other in made]}) == 4
    assert Task.current_task() is task
    for other in made:
        assert other.status == "created" and other.get_reported_console_output() == []
        assert not other._record.has_journal


@pytest.mark.covers("TK-006", "EX-1")
def test_close(task: Task) -> None:
    task.get_logger().report_scalar("a", "b", 1.0, 5)
    task.upload_artifact("late", {"x": 1})
    task.close()
    found = fetched(task)
    assert found.status == "completed" and found.get_last_iteration() == 5
    assert found.artifacts["late"].get() == {"x": 1}, "uploads are awaited"
    with pytest.raises(UsageError, match="closed"):
        task.get_logger().report_scalar("a", "b", 1.0, 6)
    task.close()
    assert task.flush() and set(task.get_reported_scalars()) == {"a"}, "it can still be read"
    task.add_tags("late")
    assert fetched(task).get_tags() == ["late"]


@pytest.mark.covers("TK-006", "IN-13")
def test_close_leaves_the_status_to_an_agent(
    begin: Begin, draft: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIALBOOK_TASK_ID", draft.id)
    connections.disconnect()
    task = begin("another name", project="Elsewhere", task_type="testing", reuse_last_task_id=False)
    assert task.id == draft.id
    task.close()
    found = fetched(draft)
    assert (found.status, found.name, found.task_type) == ("in_progress", "draft", "training")
    assert found.get_project_name() == draft.get_project_name()


@pytest.mark.covers("TK-007", "TI-4")
def test_completed(project: str) -> None:
    task = in_status(project, "in_progress")
    assert task.completed() is not None
    assert fetched(task).status == "completed"
    draft = in_status(project, "published")
    assert draft.completed() is None
    with pytest.raises(TaskStatusRefused):
        draft.completed(ignore_errors=False)
    other = in_status(project, "in_progress")
    other.mark_completed(status_message="well done")
    assert fetched(other).get_status_message() == "well done"


@pytest.mark.covers("TK-064", "ST-7", "ST-17")
def test_failed(project: str, sdk: RunningServer, capsys: pytest.CaptureFixture[str]) -> None:
    task = in_status(project, "in_progress")
    task.mark_failed(status_reason="no memory", status_message="at step 7")
    found = fetched(task)
    assert (found.status, found.data.status_reason, found.get_status_message()) == (
        "failed",
        "no memory",
        "at step 7",
    )
    moves = sdk.call("tasks.activity", {"task": task.id})["activity"]
    last = moves[0] if moves[0]["to_status"] == "failed" else moves[-1]
    assert (last["to_status"], last["reason"], last["message"]) == ("failed", "no memory", "at step 7")
    assert last["user"] and last["time"] and found.data.status_changed
    published = in_status(project, "published")
    published.mark_failed()
    assert published.status == "published"
    assert f"the status of task {published.id} stays as it is: " in capsys.readouterr().out
    with pytest.raises(TaskStatusRefused):
        published.mark_failed(ignore_errors=False)
    completed = in_status(project, "completed")
    completed.mark_failed(force=True)
    assert fetched(completed).status == "failed"


@pytest.mark.covers("TK-065", "TK-094", "ST-4")
@pytest.mark.parametrize("status", ["created", "queued", "stopped"])
def test_started(project: str, status: str) -> None:
    task = in_status(project, status)
    if status == "stopped":
        task.mark_started(force=True)
    else:
        task.mark_started()
    found = fetched(task)
    assert found.status == "in_progress" and found.data.started is not None


@pytest.mark.covers("TK-065", "TK-094")
def test_started_when_refused(project: str) -> None:
    task = in_status(project, "published")
    assert task.started() is None
    for call in (task.mark_started, lambda: task.started(ignore_errors=False)):
        with pytest.raises(TaskStatusRefused):
            call()
    done = in_status(project, "completed")
    assert done.started(force=True) is not None and done.status == "in_progress"


@pytest.mark.covers("TK-066", "TK-096", "ST-5")
def test_stopped(project: str) -> None:
    task = in_status(project, "in_progress")
    task.mark_stopped()
    assert fetched(task).status == "stopped"
    other = in_status(project, "in_progress")
    assert other.stopped(status_reason="why", status_message="because") is not None
    assert fetched(other).get_status_message() == "because"
    done = in_status(project, "published")
    assert done.stopped() is None
    with pytest.raises(TaskStatusRefused):
        done.mark_stopped()
    draft = in_status(project, "created")
    draft.mark_stopped(force=True)
    assert draft.status == "stopped"


WAIT = """
import threading
from trialbook import Task
task = Task.init("Catalogue/Abort", "run", reuse_last_task_id=False, auto_resource_monitoring=False)
def saved():
    task.get_logger().report_scalar("saved", "at", 1.0, 7)
    print("SAVED")
task.register_abort_callback(saved, callback_execution_timeout=20)
print("TASK", task.id)
threading.Event().wait(90)
"""


@pytest.mark.covers("TK-066", "TI-4", "TI-10", "EX-6")
@pytest.mark.parametrize("how", ["mark_stopped", "mark_stop_request"])
def test_a_stop_from_elsewhere_ends_the_process(sdk: RunningServer, tmp_path: Any, how: str) -> None:
    program = Program(WAIT, sdk, tmp_path / "run")
    task = Task.get_task(program.wait_for("TASK"))
    assert task is not None
    getattr(task, how)()
    assert program.wait(40) == 143, program.text
    assert program.said("SAVED")
    assert document(sdk, task.id)["status"] == "stopped"
    until(lambda: "saved" in task.get_reported_scalars())


@pytest.mark.covers("TI-10")
def test_abort_callbacks_belong_to_the_run(task: Task, draft: Task) -> None:
    with pytest.raises(UsageError, match=r"Task\.init"):
        draft.register_abort_callback(print)
    with pytest.raises(UsageError, match="function"):
        task.register_abort_callback("print")  # type: ignore[arg-type]
    task.register_abort_callback(None)


@pytest.mark.covers("TK-069", "ST-10", "MD-8")
def test_publish(begin: Begin, project: str) -> None:
    task = begin()
    model = OutputModel(task, name="net")
    model.update_weights(register_uri="http://example.org/net.pt")
    with pytest.raises(UsageError, match="in_progress"):
        task.publish()
    task.close()
    found = fetched(task)
    found.publish()
    assert found.status == "published" and fetched(task).models.output[0].published
    for status in ("created", "queued", "in_progress", "failed"):
        with pytest.raises(UsageError, match="only a completed or stopped"):
            in_status(project, status).publish()
    stopped = in_status(project, "stopped")
    stopped.publish()
    assert stopped.status == "published"


@pytest.mark.covers("TK-069", "ST-16")
@pytest.mark.parametrize("status", ["queued", "stopped", "failed", "completed", "published"])
def test_content_is_closed_after_a_run(project: str, status: str) -> None:
    task = in_status(project, status)
    changes = [
        lambda: task.set_parameter("a", 1),
        lambda: task.set_parameters({"a": 1}),
        lambda: task.update_parameters({"a": 1}),
        lambda: task.set_configuration_object("a", "x"),
        lambda: task.set_script(branch="b"),
        lambda: task.update_task({"name": "x"}),
    ]
    for change in changes:
        with pytest.raises(UsageError, match=rf"{status}.*Task\.clone"):
            change()
    assert fetched(task).get_parameters() == {}


@pytest.mark.covers("ST-16")
@pytest.mark.parametrize("status", ["created", "in_progress"])
def test_content_is_open_before_and_during_a_run(project: str, status: str) -> None:
    task = in_status(project, status)
    task.set_parameter("a", 1)
    task.set_configuration_object("c", "x")
    found = fetched(task)
    assert found.get_parameters() == {"General/a": "1"} and found.get_configuration_object("c") == "x"


@pytest.mark.covers("TI-16")
def test_publish_on_completion(begin: Begin, project: str) -> None:
    task = begin()
    task.publish_on_completion()
    task.close()
    assert fetched(task).status == "published"
    other = in_status(project, "in_progress")
    other.publish_on_completion()
    other.mark_completed()
    assert fetched(other).status == "published"


@pytest.mark.covers("TK-071")
def test_reload(draft: Task) -> None:
    other = fetched(draft)
    other.set_parameter("a", 1)
    other.add_tags("t")
    other.upload_artifact("x", {"k": 1}, wait_on_upload=True)
    other.mark_started()
    draft.reload()
    assert draft.get_parameters() == {"General/a": "1"} and draft.get_tags() == ["t"]
    assert draft.artifacts["x"].get() == {"k": 1} and draft.data.status == "in_progress"


@pytest.mark.covers("TK-072", "ST-9")
@pytest.mark.parametrize("status", ["stopped", "failed", "completed"])
def test_reset(begin: Begin, status: str) -> None:
    task = begin(tags=["kept"])
    task.connect({"a": 1})
    task.get_logger().report_scalar("m", "s", 1.0, 3)
    task.upload_artifact("x", {"k": 1}, wait_on_upload=True)
    task.close()
    found = fetched(task)
    if status != "completed":
        getattr(found, f"mark_{status}")(force=True)
    found.reset()
    assert found.status == "created"
    assert found.get_reported_scalars() == {} and found.artifacts == {} and found.get_last_iteration() == 0
    assert found.get_parameters() == {"General/a": "1"} and found.get_tags() == ["kept"]
    found.reset(set_started_on_success=True)
    assert found.status == "in_progress"


@pytest.mark.covers("TK-072")
def test_reset_refused(project: str, begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    published = in_status(project, "published")
    for force in (False, True):
        with pytest.raises(TaskStatusRefused, match="published"):
            published.reset(force=force)
    draft = Task.create(project, "by an agent")
    draft.set_parameter("a", 1)
    Task.debug_simulate_remote_task(draft.id)
    task = begin()
    task.get_logger().report_scalar("m", "s", 1.0, 3)
    task.reset()
    assert set(task.get_reported_scalars()) == {"m"}
    task.reset(force=True)
    assert task.get_reported_scalars() == {}


@pytest.mark.covers("TK-025", "TK-075", "ST-14")
@pytest.mark.parametrize("status", ["created", "queued", "in_progress", "completed", "published"])
def test_archive(project: str, status: str) -> None:
    task = in_status(project, status)
    assert not task.get_archived()
    task.set_archived(True)
    assert fetched(task).get_archived()
    visible = Task.get_tasks(project_name=project, allow_archived=False)
    assert task.id not in [other.id for other in visible]
    if status == "queued":
        assert fetched(task).status == "created"
    again_ = fetched(task)
    again_.set_archived(False)
    assert not fetched(task).get_archived()
    assert task.id in [other.id for other in Task.get_tasks(project_name=project, allow_archived=False)]


@pytest.mark.covers("TK-051", "TK-095")
def test_the_status_is_live(draft: Task) -> None:
    other = fetched(draft)
    draft.set_comment("changed elsewhere")
    draft.mark_started()
    assert other.status == "in_progress" == other.get_status()
    assert other.comment == "", "nothing but the status is refreshed"
    assert other.status in {item.value for item in TaskStatusEnum}
    expected = "created queued in_progress stopped closed failed completed published publishing unknown"
    assert [item.value for item in TaskStatusEnum] == expected.split()


@pytest.mark.covers("TK-103")
def test_wait_for_status(project: str) -> None:
    for status in ("completed", "stopped", "published"):
        task = in_status(project, status)
        waiting = fetched(task)
        task.set_comment("changed meanwhile")
        waiting.wait_for_status(check_interval_sec=0.01)
        assert waiting.comment == "changed meanwhile", "the object is fresh on return"
    failed = in_status(project, "failed")
    with pytest.raises(RuntimeError, match="failed"):
        failed.wait_for_status(check_interval_sec=0.01)
    failed.wait_for_status(status=["failed"], raise_on_status=None, check_interval_sec=0.01)
    running = in_status(project, "in_progress")
    ended = threading.Thread(target=lambda: running.wait_for_status(check_interval_sec=0.02))
    ended.start()
    fetched(running).mark_completed()
    ended.join(20)
    assert not ended.is_alive()


@pytest.mark.covers("TK-018", "TK-019", "ST-1", "ST-2", "TI-13")
def test_queues(draft: Task, project: str, sdk: RunningServer) -> None:
    name = f"queue of {project}"
    queue = sdk.call("queues.create", {"name": name})["id"]
    answer = Task.enqueue(draft, queue_name=name)
    assert answer["queued"] == 1 and answer["updated"] == 1
    assert answer["fields"]["status"] == "queued" and answer["fields"]["execution.queue"] == queue
    assert Task.get_num_enqueued_tasks(name) == 1 == Task.get_num_enqueued_tasks(queue_id=queue)
    assert fetched(draft).get_executed_queue() == queue
    assert fetched(draft).get_executed_queue(return_name=True) == name
    with pytest.raises((TaskAlreadyQueued, TaskStatusRefused)):
        Task.enqueue(draft, queue_id=queue)
    back = Task.dequeue(draft.id)
    assert back["dequeued"] == 1 and back["updated"] == 1
    assert back["fields"]["status"] == "created" and back["fields"]["execution.queue"] is None
    assert Task.get_num_enqueued_tasks(name) == 0 and fetched(draft).get_executed_queue() is None
    with pytest.raises((TaskNotQueued, TaskStatusRefused)):
        Task.dequeue(draft)
    with pytest.raises(UsageError, match="queue_name or queue_id"):
        Task.enqueue(draft)
    with pytest.raises(WireError, match="no such queue at all"):
        Task.enqueue(draft, "no such queue at all")
    with pytest.raises(UsageError):
        Task.get_num_enqueued_tasks()
    for status in ("in_progress", "published"):
        with pytest.raises(WireError):
            Task.enqueue(in_status(project, status), queue_id=queue)


@pytest.mark.covers("ST-3")
def test_a_worker_takes_from_the_queue(draft: Task, project: str, sdk: RunningServer) -> None:
    queue = sdk.call("queues.create", {"name": f"take {project}"})["id"]
    Task.enqueue(draft, queue_id=queue)
    taken = sdk.call("queues.get_next_task", {"queue": queue})
    assert taken["entry"]["task"] == draft.id
    draft.mark_started()
    assert fetched(draft).status == "in_progress"


@pytest.mark.covers("ST-11")
@pytest.mark.parametrize("status", ["stopped", "failed"])
def test_an_ended_task_is_queued_again(project: str, status: str) -> None:
    task = in_status(project, status)
    assert Task.enqueue(task, queue_id=queue_of(project))["queued"] == 1
    assert fetched(task).status == "queued"


@pytest.mark.covers("ST-13")
@pytest.mark.parametrize("status", ["created", "queued", "in_progress", "stopped", "failed", "published"])
def test_a_task_of_any_status_is_copied(project: str, status: str) -> None:
    copy = Task.clone(in_status(project, status))
    assert copy.status == "created" and copy.parent


@pytest.mark.covers("TK-015", "ST-12")
def test_delete(project: str, capsys: pytest.CaptureFixture[str]) -> None:
    for status in ("created", "queued", "in_progress", "stopped", "failed", "completed"):
        task = in_status(project, status)
        assert task.delete() is True
        with pytest.raises(TaskNotFound):
            Task.get_task(task.id)
    published = in_status(project, "published")
    assert published.delete() is False
    assert "published" in capsys.readouterr().out
    with pytest.raises(TaskNotDeletable):
        published.delete(raise_on_error=True)
    assert fetched(published).status == "published"


@pytest.mark.covers("TK-015")
def test_an_agents_task_does_not_delete_itself(begin: Begin, draft: Task) -> None:
    Task.debug_simulate_remote_task(draft.id)
    assert begin().delete() is False
    assert fetched(draft).id == draft.id


@pytest.mark.covers("TK-015")
def test_what_a_deletion_frees(begin: Begin, sdk: RunningServer, tmp_path: Any) -> None:
    import numpy

    weights = tmp_path / "net.pt"
    weights.write_bytes(b"weights")

    def made(name: str) -> tuple[Task, list[str], str]:
        task = begin(name, output_uri=True)
        task.upload_artifact("x", {"k": 1}, wait_on_upload=True)
        task.get_logger().report_image("i", "s", 1, image=numpy.zeros((4, 4), "uint8"))
        url = task.update_output_model(str(weights))
        task.flush(wait_for_uploads=True)
        urls = [task.artifacts["x"].url, task.get_debug_samples("i", "s")[0]["url"], url]
        task.close()
        return fetched(task), urls, task.models.output[0].id

    def there(url: str) -> bool:
        return sdk.ask(url.removeprefix(sdk.url).lstrip("/"), verb="GET", body=b" ").status == 200

    task, urls, model = made("all")
    assert all(there(url) for url in urls)
    assert task.delete()
    assert not any(there(url) for url in urls)
    assert sdk.ask("models.get_by_id", {"model": model}).status == 400

    task, urls, model = made("record only")
    assert task.delete(delete_artifacts_and_models=False)
    assert all(there(url) for url in urls)

    task, urls, model = made("used")
    user = Task.create("Catalogue/Users", "user")
    user.set_input_model(model)
    user.flush()
    assert task.delete()
    assert [there(url) for url in urls] == [False, False, True]
    assert sdk.call("models.get_by_id", {"model": model})["model"]["id"] == model

    task, urls, model = made("used, and gone all the same")
    user.set_input_model(model)
    user.flush()
    assert task.delete(skip_models_used_by_other_tasks=False)
    assert not there(urls[2])


@pytest.mark.covers("TK-015", "OM-2")
def test_a_file_that_was_only_registered_stays(begin: Begin, tmp_path: Any) -> None:
    weights = tmp_path / "mine.pt"
    weights.write_bytes(b"weights")
    task = begin()
    model = OutputModel(task, name="net")
    assert model.update_weights(str(weights)) == weights.as_uri()
    assert model.get_local_copy() == str(weights)
    task.close()
    assert again(task).delete()
    assert weights.read_bytes() == b"weights"


@pytest.mark.parametrize("status", ["completed", TaskStatusEnum.completed, ["completed"], {"completed"}])
def test_T18_one_status_may_be_a_text(project: str, status: Any) -> None:
    in_status(project, "completed").wait_for_status(status=status, check_interval_sec=0.01)


@pytest.mark.parametrize("status", ["done", ["completed", "finished"], 3, [None]])
@pytest.mark.parametrize("argument", ["status", "raise_on_status"])
def test_T18_an_unknown_status_is_refused_before_waiting(project: str, argument: str, status: Any) -> None:
    with pytest.raises(UsageError, match=argument):
        in_status(project, "created").wait_for_status(check_interval_sec=0.01, **{argument: status})


@pytest.mark.parametrize("status", [[], "", (), iter(())])
def test_T18_no_status_at_all_is_refused_before_waiting(project: str, status: Any) -> None:
    with pytest.raises(UsageError, match="status"):
        in_status(project, "created").wait_for_status(status, check_interval_sec=0.01)


def test_T18_waiting_for_a_deleted_task_ends(project: str) -> None:
    task = in_status(project, "in_progress")
    told: list[BaseException] = []

    def wait() -> None:
        try:
            task.wait_for_status("completed", check_interval_sec=0.02)
        except TaskNotFound as error:
            told.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    server_session().call("tasks.delete", {"task": task.id, "force": True})
    waiting.join(20)
    assert not waiting.is_alive() and task.id in str(told[0])


@pytest.mark.parametrize("status", ["completed", "published"])
def test_T16_what_has_ended_stays_as_it_is(draft: Task, status: str, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    (tmp_path / "models").mkdir()
    draft.set_parameter("there", 1)
    draft.mark_started()
    stored = InputModel.empty(name="stored")
    stored.connect(draft)
    made = OutputModel(draft, name="made")
    made.update_weights(register_uri="file:///made")
    assert draft.upload_artifact("kept", {"a": 1}, wait_on_upload=True) and draft.flush()
    draft.mark_completed()
    if status == "published":
        draft.publish()
    found = again(draft)
    refused = [
        lambda: found.set_model_label_enumeration({"a": 1}),
        lambda: found.connect_label_enumeration({"a": 1}),
        lambda: found.set_base_docker("python:3.12"),
        lambda: found.set_task_type("testing"),
        lambda: found.set_parameter("a", 1),
        lambda: found.connect({"a": 1}),
        lambda: found.set_configuration_object("a", "b"),
        lambda: found.connect_configuration({"a": 1}, name="a"),
        lambda: found.connect_configuration([1], name="a"),
        lambda: found.delete_parameter("General/there"),
        lambda: InputModel(stored.id).connect(found),
        lambda: found.set_input_model(stored.id, name="other"),
        lambda: found.remove_input_models([stored.id]),
    ]
    later = [
        lambda: found.set_artifacts([{"key": "a", "uri": "file:///a"}]),
        lambda: found.upload_artifact("b", {"a": 1}),
        lambda: found.delete_artifacts(["kept"]),
        lambda: OutputModel(found, name="new").update_weights(register_uri="file:///new"),
        lambda: OutputModel(found, base_model_id=made.id).update_weights(register_uri="file:///more"),
    ]
    unsaid = [
        lambda: OutputModel(found, name="other").connect(found),
        lambda: OutputModel(found, name="other").update_labels({"a": 1}),
        lambda: OutputModel(found, name="other").update_design(config_dict={"a": 1}),
        lambda: found.set_parent(stored.id),
        lambda: setattr(found, "output_uri", (tmp_path / "models").as_uri()),
        lambda: found.register_artifact("frame", pandas.DataFrame({"a": [1]})),
    ]
    with pytest.raises(UsageError):
        found.update_output_model("no such file")
    for change in refused + ([*later, *unsaid] if status == "published" else []):
        before = again(draft).export_task()
        with pytest.raises(UsageError, match=f"cannot change: it is {status}"):
            change()
        assert again(draft).export_task() == before
    if status == "completed":
        for change in later:
            assert change()
    for allowed in (lambda: found.set_name("n"), lambda: found.set_comment("c"), lambda: found.add_tags("t")):
        allowed()
    assert found.set_user_properties(a=1) and again(draft).get_tags() == ["t"]


def test_T16_a_published_model_keeps_its_labels_and_design(draft: Task) -> None:
    model = OutputModel(draft, name="made", label_enumeration={"a": 0})
    model.update_weights(register_uri="file:///made")
    model.publish()
    for change in (
        lambda: model.update_labels({"b": 1}),
        lambda: model.update_design(config_dict={"layers": 3}),
        lambda: model.update_weights(register_uri="file:///other"),
    ):
        with pytest.raises(UsageError, match="is published and cannot change"):
            change()
    assert InputModel(model.id).labels == {"a": 0} and model.url == "file:///made"
