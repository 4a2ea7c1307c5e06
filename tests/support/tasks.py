"""Tasks in a state that a test needs, through the API."""

from typing import Any

from tests.support.server import RunningServer

FINAL = {
    "in_progress": "started",
    "stopped": "stopped",
    "failed": "failed",
    "completed": "completed",
    "closed": "close",
}


def refused(server: RunningServer, method: str, **params: Any) -> tuple[int, int]:
    reply = server.ask(method, params)
    meta = reply.json()["meta"]
    assert reply.status == meta["result_code"]
    assert reply.json()["data"] == {}
    return meta["result_code"], meta["result_subcode"]


def new(server: RunningServer, **values: Any) -> str:
    return str(server.call("tasks.create", {"name": "a task", "type": "training", **values})["id"])


def document(server: RunningServer, id: str) -> dict[str, Any]:
    return server.call("tasks.get_by_id", task=id)["task"]  # type: ignore[no-any-return]


def queue_named(server: RunningServer, name: str) -> str:
    found = server.call("queues.get_all", name=f"^{name}$")["queues"]
    return found[0]["id"] if found else server.call("queues.create", name=name)["id"]


def bring_to(server: RunningServer, status: str) -> str:
    id = new(server)
    if status == "queued":
        server.call("tasks.enqueue", task=id, queue=queue_named(server, "moves"))
    elif status == "published":
        server.call("tasks.completed", task=id, force=True)
        server.call("tasks.publish", task=id)
    elif status == "publishing":
        server.call("tasks.completed", task=id, force=True)
        server.call("tasks.dequeue", task=id)
    elif status != "created":
        server.call(f"tasks.{FINAL[status]}", task=id, force=True)
    return id
