"""The order of a queue: entries put in, taken out and moved, on both databases."""

import uuid
from pathlib import Path
from typing import Any

import pytest
from tests.support.server import RunningServer


def refused(server: RunningServer, method: str, **params: Any) -> tuple[int, int]:
    meta = server.ask(method, params).json()["meta"]
    return meta["result_code"], meta["result_subcode"]


@pytest.fixture
def queue(server: RunningServer) -> str:
    return str(server.call("queues.create", name=f"order {uuid.uuid4().hex}")["id"])


def tasks(server: RunningServer, queue: str, many: int) -> list[str]:
    made = [server.call("tasks.create", name=f"t{n}", type="training")["id"] for n in range(many)]
    for id in made:
        assert server.call("queues.add_task", queue=queue, task=id)["added"] == 1
    return made


def waiting(server: RunningServer, queue: str) -> list[str]:
    return [one["task"] for one in server.call("queues.get_by_id", queue=queue)["queue"]["entries"]]


def test_an_entry_leaves_the_status_alone(server: RunningServer, queue: str) -> None:
    first, second = tasks(server, queue, 2)
    assert waiting(server, queue) == [first, second]
    assert server.call("tasks.get_by_id", task=first)["task"]["status"] == "created"
    assert refused(server, "queues.add_task", queue=queue, task=first) == (400, 706)
    assert refused(server, "queues.add_task", queue=queue, task="0" * 32) == (400, 101)
    assert refused(server, "queues.add_task", queue="0" * 32, task=first) == (400, 701)
    assert server.call("queues.peek_task", queue=queue) == {"task": first}
    assert server.call("queues.remove_task", queue=queue, task=first)["removed"] == 1
    assert refused(server, "queues.remove_task", queue=queue, task=first) == (400, 101)
    assert server.call("queues.get_next_task", queue=queue)["entry"]["task"] == second
    assert server.call("queues.peek_task", queue=queue) == {}


def test_places_in_a_queue(server: RunningServer, queue: str) -> None:
    a, b, c, d, e = tasks(server, queue, 5)
    steps = [
        ("queues.move_task_to_front", d, {}, 0, [d, a, b, c, e]),
        ("queues.move_task_to_back", a, {}, 4, [d, b, c, e, a]),
        ("queues.move_task_forward", c, {}, 1, [d, c, b, e, a]),
        ("queues.move_task_backward", d, {"count": 2}, 2, [c, b, d, e, a]),
        ("queues.move_task_forward", a, {"count": 99}, 0, [a, c, b, d, e]),
        ("queues.move_task_to_front", a, {}, 0, [a, c, b, d, e]),
    ]
    for method, task, more, position, order in steps:
        assert server.call(method, queue=queue, task=task, **more) == {"position": position}
        assert waiting(server, queue) == order
    # What comes later waits behind all of them, and workers take them in this order.
    (last,) = tasks(server, queue, 1)
    taken = [server.call("queues.get_next_task", queue=queue)["entry"]["task"] for _ in range(6)]
    assert taken == [a, c, b, d, e, last]
    assert refused(server, "queues.move_task_to_front", queue=queue, task=a) == (400, 101)


def test_many_tasks_at_once(server: RunningServer, queue: str) -> None:
    ids = [server.call("tasks.create", name="many", type="training")["id"] for _ in range(3)]
    done = server.call("tasks.enqueue_many", ids=[*ids, "0" * 32], queue=queue)
    assert [one["id"] for one in done["succeeded"]] == ids
    assert [one["id"] for one in done["failed"]] == ["0" * 32]
    assert waiting(server, queue) == ids
    assert {server.call("tasks.get_by_id", task=id)["task"]["status"] for id in ids} == {"queued"}
    done = server.call("tasks.dequeue_many", ids=ids[:2])
    assert len(done["succeeded"]) == 2
    assert waiting(server, queue) == ids[2:]
    assert server.call("tasks.get_by_id", task=ids[0])["task"]["status"] == "created"


def test_T19_a_fresh_server_has_the_queues_that_programs_name(database_url: str, tmp_path: Path) -> None:
    fresh = RunningServer(tmp_path / "server", database_url)
    try:
        names = [queue["name"] for queue in fresh.call("queues.get_all")["queues"]]
        assert names == ["default", "services"]
        task = fresh.call("tasks.create", name="t", type="training")["id"]
        assert fresh.call("tasks.enqueue", task=task)["queued"] == 1
        # What an administrator deletes stays deleted.
        services = fresh.call("queues.get_all", name="^services$")["queues"][0]["id"]
        fresh.call("queues.delete", queue=services)
        fresh.stop()
        fresh.start()
        assert [queue["name"] for queue in fresh.call("queues.get_all")["queues"]] == ["default"]
    finally:
        fresh.kill()
