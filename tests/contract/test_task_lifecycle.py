"""A task's life against a real server on both databases: moves, queues, workers, deletion."""

import uuid

import pytest
from tests.support.server import RunningServer
from tests.support.tasks import FINAL, bring_to, document, new, queue_named, refused

from trialbook.wire.states import MOVES, may_move


@pytest.mark.parametrize("old", sorted(MOVES.keys() - {"publishing", "unknown"}))
def test_moves_are_those_of_the_table(server: RunningServer, old: str) -> None:
    for new_status, method in FINAL.items():
        id = bring_to(server, old)
        assert document(server, id)["status"] == old
        if may_move(old, new_status):
            answer = server.call(f"tasks.{method}", task=id, status_reason="why", status_message="how")
            fields = answer["fields"]
            assert answer["updated"] == 1
            assert fields["status"] == new_status
            assert (fields["status_reason"], fields["status_message"]) == ("why", "how")
            assert fields["status_changed"].endswith("+00:00")
        else:
            assert refused(server, f"tasks.{method}", task=id) == (400, 110)
            assert document(server, id)["status"] == old
            server.call(f"tasks.{method}", task=id, force=True)
        assert document(server, id)["status"] == new_status


def test_starting_and_ending_keep_the_times(server: RunningServer) -> None:
    id = new(server)
    assert server.call("tasks.started", task=id)["started"] == 1
    first = document(server, id)
    assert first["started"] is not None
    assert first["completed"] is None
    again = server.call("tasks.started", task=id)
    assert again["started"] == 0
    assert again["updated"] == 1
    assert document(server, id)["started"] == first["started"]
    server.call("tasks.completed", task=id)
    ended = document(server, id)
    assert ended["completed"] is not None
    assert isinstance(ended["active_duration"], int)
    server.call("tasks.failed", task=id, force=True)
    assert document(server, id)["status"] == "failed"
    server.call("tasks.started", task=id, force=True)
    restarted = document(server, id)
    assert restarted["completed"] is None
    assert restarted["active_duration"] is None


def test_completed_may_publish(server: RunningServer) -> None:
    id = new(server)
    server.call("tasks.started", task=id)
    answer = server.call("tasks.completed", task=id, publish=True)
    assert answer["published"] == 1
    assert answer["fields"]["status"] == "published"
    assert document(server, id)["published"] is not None


def test_a_stop_is_a_request_where_a_worker_listens(server: RunningServer) -> None:
    own = new(server, system_tags=["development"])
    server.call("tasks.started", task=own)
    server.call("tasks.stop", task=own)
    assert document(server, own)["status"] == "stopped"
    assert document(server, own)["status_message"].startswith("Stopped by")
    waiting = bring_to(server, "queued")
    server.call("tasks.stop", task=waiting)
    assert document(server, waiting)["status"] == "stopped"
    entries = server.call("queues.get_by_id", queue=queue_named(server, "moves"))["queue"]["entries"]
    assert waiting not in [entry["task"] for entry in entries]


def test_reset_forgets_results_and_keeps_inputs(server: RunningServer) -> None:
    id = new(server, tags=["t"], system_tags=["development"], runtime={"x": 1}, script={"diff": "d"})
    server.call("tasks.started", task=id)
    server.call(
        "tasks.add_or_update_artifacts",
        task=id,
        artifacts=[{"key": "i", "mode": "input"}, {"key": "o"}],
        force=True,
    )
    model = server.call("models.create", name="m", uri="u", task=id)["id"]
    server.call("tasks.add_or_update_model", task=id, name="m", type="output", model=model)
    server.call("tasks.completed", task=id)
    answer = server.call("tasks.reset", task=id)
    assert answer["fields"]["status"] == "created"
    found = document(server, id)
    assert (found["status_reason"], found["status_message"]) == ("reset", "reset")
    assert found["runtime"] == {}
    assert found["started"] is None
    assert found["models"]["output"] == []
    assert [item["key"] for item in found["execution"]["artifacts"]] == ["i"]
    assert (found["tags"], found["system_tags"]) == (["t"], ["development"])
    assert found["script"] == {"diff": "d"}
    assert refused(server, "models.get_by_id", model=model) == (400, 201)
    server.call("tasks.reset", task=id, force=True, clear_all=True)
    assert document(server, id)["script"] == {}
    server.call("tasks.completed", task=id, force=True, publish=True)
    assert refused(server, "tasks.reset", task=id) == (400, 110)
    server.call("tasks.reset", task=id, force=True)


def _report(server: RunningServer, id: str, value: float) -> None:
    kinds = (
        {"type": "training_stats_scalar", "metric": "loss", "variant": "train", "iter": 3, "value": value},
        {
            "type": "training_debug_image",
            "metric": "i",
            "variant": "j",
            "iter": 3,
            "url": f"http://h/{value}",
        },
        {"type": "log", "msg": f"value {value}"},
    )
    for event in kinds:
        server.call("events.add", task=id, **event)


def _reported(server: RunningServer, id: str) -> tuple[list[float], list[str], int]:
    curves = server.call("events.scalar_metrics_iter_histogram", task=id)
    values = [one["y"][0] for variants in curves.values() for one in variants.values()]
    images = server.call("events.debug_images", metrics=[{"task": id}])["metrics"][0]["iterations"]
    urls = [event["url"] for one in images for event in one["events"]]
    return values, urls, server.call("events.get_task_log", task=id)["total"]


def test_T43_a_reset_that_keeps_the_results_puts_them_into_an_archived_task(server: RunningServer) -> None:
    id = new(server, system_tags=["development"], tags=["t"], script={"diff": "d"}, runtime={"x": 1})
    # The server remembers the number of the series from run to run; three runs, so that a number that went with the
    # first one would be written to by the second.
    kept = []
    for value in (1.0, 2.0, 3.0):
        server.call("tasks.started", task=id)
        _report(server, id, value)
        server.call("tasks.completed", task=id)
        before = document(server, id)
        if value < 3.0:
            answer = server.call("tasks.reset", task=id, clear_all=True, keep_results=True)
            kept.append(answer["kept"])
            assert _reported(server, id) == ([], [], 0)
            found = document(server, kept[-1])
            assert found["system_tags"] == ["archived", "development"]
            for same in (
                "name",
                "status",
                "script",
                "tags",
                "started",
                "completed",
                "last_iteration",
                "last_metrics",
            ):
                assert found[same] == before[same], same
    assert [_reported(server, one) for one in (*kept, id)] == [
        ([value], [f"http://h/{value}"], 1) for value in (1.0, 2.0, 3.0)
    ]
    server.call("tasks.unarchive_many", ids=kept)
    assert document(server, kept[0])["system_tags"] == ["development"]
    server.call("tasks.delete", task=kept[0], force=True)
    assert _reported(server, id)[0] == [3.0] and _reported(server, kept[1])[0] == [2.0]


def test_T43_a_reset_without_results_or_without_the_wish_keeps_nothing(server: RunningServer) -> None:
    id = new(server)
    server.call("tasks.started", task=id)
    server.call("tasks.completed", task=id)
    assert "kept" not in server.call("tasks.reset", task=id, keep_results=True)
    _report(server, id, 1.0)
    assert "kept" not in server.call("tasks.reset", task=id, force=True)
    assert _reported(server, id) == ([], [], 0)


def test_queueing(server: RunningServer) -> None:
    queue = server.call("queues.create", name=f"q {uuid.uuid4().hex[:6]}")["id"]
    id = new(server, system_tags=["development", "other"])
    answer = server.call("tasks.enqueue", task=id, queue=queue)
    assert (answer["queued"], answer["fields"]["execution.queue"]) == (1, queue)
    found = document(server, id)
    assert (found["status"], found["system_tags"], found["execution"]["queue"]) == (
        "queued",
        ["other"],
        queue,
    )
    assert refused(server, "tasks.enqueue", task=id, queue=queue) == (400, 706)
    assert refused(server, "tasks.enqueue", task=new(server), queue=uuid.uuid4().hex) == (400, 701)
    assert refused(server, "tasks.enqueue", task=new(server), queue_name="no such") == (400, 701)
    second = new(server)
    server.call("tasks.completed", task=second, force=True)
    assert refused(server, "tasks.enqueue", task=second, queue=queue) == (400, 110)
    server.call("tasks.stopped", task=second, force=True)
    server.call("tasks.enqueue", task=second, queue=queue)
    assert server.call("queues.get_num_entries", queue=queue)["num"] == 2
    assert refused(server, "queues.delete", queue=queue) == (400, 702)
    undone = server.call("tasks.dequeue", task=second)
    assert (undone["dequeued"], undone["updated"], undone["fields"]["status"]) == (1, 1, "stopped")
    taken = server.call("queues.get_next_task", queue=queue, get_task_info=True)
    assert taken["entry"]["task"] == id
    assert taken["task_info"]["user"]
    assert server.call("queues.get_next_task", queue=queue) == {}
    left = server.call("tasks.dequeue", task=id, new_status="in_progress")
    assert (left["dequeued"], left["updated"]) == (0, 1)
    assert document(server, id)["status"] == "in_progress"
    server.call("queues.delete", queue=queue)
    assert refused(server, "queues.get_next_task", queue=queue) == (400, 701)


def test_the_default_queue(server: RunningServer) -> None:
    for row in server.call("queues.get_all", name="^default$")["queues"]:
        server.call("queues.delete", queue=row["id"], force=True)
    assert refused(server, "queues.get_default") == (400, 707)
    id = server.call("queues.create", name="default")["id"]
    assert server.call("queues.get_default") == {"id": id, "name": "default"}
    assert refused(server, "queues.get_by_id", queue="default") == (400, 701)
    assert refused(server, "queues.create", name="default") == (400, 801)
    assert server.call("tasks.enqueue", task=new(server))["fields"]["execution.queue"] == id


def test_delete(server: RunningServer) -> None:
    fresh = new(server)
    assert server.call("tasks.delete", task=fresh)["deleted"] is True
    assert refused(server, "tasks.get_by_id", task=fresh) == (400, 101)
    ended = new(server)
    child = new(server, parent=ended)
    server.call(
        "tasks.add_or_update_artifacts", task=ended, artifacts=[{"key": "o", "uri": "http://x/o"}], force=True
    )
    server.call("tasks.completed", task=ended, force=True)
    assert refused(server, "tasks.delete", task=ended) == (400, 123)
    server.call("tasks.archive_many", ids=[ended])
    gone = server.call("tasks.delete", task=ended, return_file_urls=True)
    assert gone["urls"]["artifact_urls"] == ["http://x/o"]
    assert document(server, child)["parent"] is None
    held = new(server)
    kept = new(server, parent=held)
    server.call("tasks.completed", task=kept, force=True, publish=True)
    assert refused(server, "tasks.delete", task=held) == (400, 123)
    server.call("tasks.delete", task=held, force=True)


def test_many_at_once_reports_each(server: RunningServer) -> None:
    one, other = new(server), new(server)
    missing = uuid.uuid4().hex
    answer = server.call("tasks.archive_many", ids=[one, missing, other])
    assert [item["id"] for item in answer["succeeded"]] == [one, other]
    assert [(item["id"], item["error"]["codes"]) for item in answer["failed"]] == [(missing, [400, 101])]
    assert document(server, one)["system_tags"] == ["archived"]
    server.call("tasks.unarchive", tasks=[one])
    assert document(server, one)["system_tags"] == []
    assert len(server.call("tasks.delete_many", ids=[one, other])["succeeded"]) == 2


def test_activity_tells_every_move(server: RunningServer) -> None:
    id = new(server)
    server.call("tasks.started", task=id)
    server.call("tasks.started", task=id)
    server.call("tasks.failed", task=id, status_reason="Exception x", status_message="m")
    found = server.call("tasks.activity", task=id)["activity"]
    assert [(item["from_status"], item["to_status"]) for item in found] == [
        (None, "created"),
        ("created", "in_progress"),
        ("in_progress", "failed"),
    ]
    assert (found[2]["reason"], found[2]["message"], found[2]["user_name"]) == ("Exception x", "m", "admin")
    assert found[2]["method"] == "tasks.failed"


def test_ping_is_a_sign_of_life(server: RunningServer) -> None:
    id = new(server)
    server.call("tasks.started", task=id)
    before = document(server, id)["last_update"]
    assert server.call("tasks.ping", task=id) == {}
    assert document(server, id)["last_update"] > before


def test_no_task_is_taken_twice_from_a_queue(server: RunningServer) -> None:
    import threading

    queue = server.call("queues.create", name=uuid.uuid4().hex)["id"]
    waiting = [new(server) for _ in range(30)]
    for id in waiting:
        server.call("tasks.enqueue", task=id, queue=queue)
    taken: list[str] = []

    def work() -> None:
        while entry := server.call("queues.get_next_task", queue=queue).get("entry"):
            taken.append(entry["task"])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(waiting)


def test_workers(server: RunningServer) -> None:
    name = f"host:{uuid.uuid4().hex[:6]}"
    queue = server.call("queues.create", name=uuid.uuid4().hex)["id"]
    server.call("workers.register", worker=name, queues=[queue, "gone"], timeout=600)
    id = new(server)
    server.call("tasks.started", task=id)
    report = {
        "worker": name,
        "task": id,
        "queue": queue,
        "queues": [queue],
        "machine_stats": None,
        "tags": None,
    }
    server.call("workers.status_report", {**report, "timestamp": 1_700_000_000_000, "is_daemon": True})
    [found] = [
        worker for worker in server.call("workers.get_all", last_seen=600)["workers"] if worker["id"] == name
    ]
    assert found["task"]["id"] == id
    assert found["queues"] == [{"id": queue, "name": found["queues"][0]["name"], "num_tasks": 0}]
    shown = document(server, id)
    assert shown["last_worker"] == name
    assert shown["last_worker_report"] is not None
    # Now somebody listens, so a stop is a request.
    answer = server.call("tasks.stop", task=id)
    assert (answer["fields"]["status"], answer["fields"]["status_message"]) == ("in_progress", "stopping")
    server.call("tasks.stopped", task=id)
    assert refused(server, "workers.status_report", worker=name, task=uuid.uuid4().hex) == (400, 101)
    server.call("workers.unregister", worker=name)
    server.call("workers.unregister", worker=name)
    assert name not in [worker["id"] for worker in server.call("workers.get_all")["workers"]]
    server.call("workers.status_report", worker=name)
    assert name in [worker["id"] for worker in server.call("workers.get_all")["workers"]]
