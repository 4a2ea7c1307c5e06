"""ClearML's door: ``events.add_batch`` and ``events.add``, as its clients use them."""

import json
from typing import Any

import pytest
from tests.support.server import RunningServer

from trialbook.base.ids import new_id

LINES = {"Content-type": "application/json-lines"}
STAMP = 1_795_169_520_849


def new_task(server: RunningServer) -> str:
    return str(server.call("tasks.create", name="t", type="training", project_name="batches")["id"])


def send(
    server: RunningServer, *events: dict[str, Any] | str, code: int = 200, **headers: str
) -> dict[str, Any]:
    """Events as json-lines; the reply's data, or its meta when it is refused."""
    lines = [event if isinstance(event, str) else json.dumps(event) for event in events]
    reply = server.ask(
        "events.add_batch", body="\n".join(lines).encode(), headers={**LINES, **headers}, verb="GET"
    ).json()
    assert reply["meta"]["result_code"] == code, reply["meta"]
    return reply["data"] if code == 200 else reply["meta"]  # type: ignore[no-any-return]


def scalar(task: str, iteration: int, value: Any, **more: Any) -> dict[str, Any]:
    return {
        "timestamp": STAMP + iteration,
        "type": "training_stats_scalar",
        "task": task,
        "iter": iteration,
        "metric": "loss",
        "variant": "train",
        "value": value,
        "allow_locked": False,
        "model_event": False,
        "method": "get",
        **more,
    }


def curve(server: RunningServer, task: str, **more: Any) -> dict[str, Any]:
    found = server.call("events.scalar_metrics_iter_histogram", task=task, **more)
    return found["loss"]["train"]  # type: ignore[no-any-return]


def entry(server: RunningServer, task: str) -> dict[str, Any]:
    return server.call("series.catalog", tasks=[task], metrics=["loss"])["series"][0]  # type: ignore[no-any-return]


def test_the_body_that_the_released_client_sends(server: RunningServer) -> None:
    task = new_task(server)
    plot = {
        **scalar(task, 0, 0.0),
        "type": "plot",
        "metric": "tbl",
        "variant": "s",
        "plot_str": '{"data": []}',
    }
    del plot["value"]
    log = {
        "type": "log",
        "task": task,
        "level": "INFO",
        "msg": "hi\nthere",
        "timestamp": STAMP,
        "method": "get",
    }
    reply = send(server, scalar(task, 0, 1.0), scalar(task, 5, 2), plot, log)
    assert reply == {"added": 4, "errors": 0, "errors_info": {}}
    assert curve(server, task) == {"name": "train", "x": [0, 5], "y": [1.0, 2.0]}
    assert curve(server, task, key="timestamp")["x"] == [STAMP, STAMP + 5]
    document = server.call("tasks.get_by_id", task=task)["task"]
    assert document["last_iteration"] == 5
    (metric,) = [one for group in document["last_metrics"].values() for one in group.values()]
    assert (metric["value"], metric["min_value"], metric["max_value_iteration"]) == (2.0, 1.0, 5)
    console = server.call("events.get_task_log", task=task)
    assert [(one["msg"], one["level"], one["timestamp"]) for one in console["events"]] == [
        ("hi\nthere", "INFO", STAMP)
    ]
    assert console["total"] == console["returned"] == 1


def test_values_that_json_cannot_say(server: RunningServer) -> None:
    task = new_task(server)
    texts = [
        json.dumps(scalar(task, n, 0.0)).replace("0.0", text)
        for n, text in enumerate(("NaN", "Infinity", "-Infinity", "3.5"))
    ]
    assert send(server, *texts)["added"] == 4
    assert curve(server, task)["y"] == [None, None, None, 3.5]
    found = entry(server, task)
    assert (found["count"], found["nonfinite"], found["min"], found["first"]) == (4, 3, 3.5, "NaN")


def test_the_newest_of_an_iteration_is_shown_and_none_is_lost(server: RunningServer) -> None:
    task = new_task(server)
    send(server, scalar(task, 1, 5.0, timestamp=STAMP), scalar(task, 2, 6.0))
    send(server, scalar(task, 1, 7.0, timestamp=STAMP + 100))
    assert curve(server, task) == {"name": "train", "x": [1, 2], "y": [7.0, 6.0]}
    assert curve(server, task, key="timestamp")["y"] == [6.0, 7.0]
    ask = {"series": [{"task": task, "metric": "loss", "variant": "train"}], "format": "json"}
    assert server.call("series.raw", ask)["series"][0]["value"] == [5.0, 7.0, 6.0]


def test_a_request_that_is_sent_again_counts_once(server: RunningServer) -> None:
    """Clients repeat a request when its reply is lost; logs are never de-duplicated."""
    task = new_task(server)
    batch = [scalar(task, n, float(n)) for n in range(10)]
    batch.append({"type": "log", "task": task, "msg": "line", "timestamp": STAMP})
    assert send(server, *batch) == send(server, *batch) == {"added": 11, "errors": 0, "errors_info": {}}
    assert (entry(server, task)["count"], entry(server, task)["mean"]) == (10, 4.5)
    assert server.call("events.get_task_log", task=task)["total"] == 2
    # Other points are other points, even when they look alike.
    send(server, *[{**one, "timestamp": STAMP + 1000 + n} for n, one in enumerate(batch[:10])])
    assert entry(server, task)["count"] == 20


def test_plots_and_images_overwrite_by_identity(server: RunningServer) -> None:
    task = new_task(server)
    plot = {"type": "plot", "task": task, "iter": 3, "metric": "p", "variant": "v", "timestamp": STAMP}
    send(server, {**plot, "plot_str": '"first"'})
    send(
        server,
        {**plot, "plot_str": '"second"'},
        {**plot, "plot_str": '"third"'},
        {**plot, "iter": 4, "plot_str": "4"},
    )
    found = server.call("events.get_task_events", task=task, event_type="plot")
    assert [(one["iter"], one["plot_str"]) for one in found["events"]] == [(3, '"third"'), (4, "4")]
    image = {
        "type": "training_debug_image",
        "task": task,
        "iter": 0,
        "metric": "i",
        "variant": "v",
        "timestamp": STAMP,
    }
    send(server, *[{**image, "key": key, "url": f"http://x/{key}"} for key in ("a", "b", "a")])
    assert server.call("events.get_task_events", task=task, event_type="training_debug_image")["total"] == 2


def test_errors_are_counted_and_the_rest_is_stored(server: RunningServer) -> None:
    task, stranger = new_task(server), new_id()
    reply = send(
        server,
        scalar(task, 0, 1.0),
        scalar(stranger, 0, 1.0),
        scalar(stranger, 1, 1.0),
        {"type": "training_stats_scalar", "iter": 1, "value": 2.0},
        {"type": "no such", "task": task},
        scalar(task, 1, None),
        scalar(task, 2, "much"),
        {**scalar(task, 3, 3.0), "iter": "three"},
        {**scalar(task, 4, 3.0), "iter": 2**63},
    )
    assert (reply["added"], reply["errors"]) == (1, 8)
    assert sum(reply["errors_info"].values()) == 8
    assert reply["errors_info"][f"there is no task '{stranger}'"] == 2
    assert curve(server, task)["x"] == [0]


def test_nothing_stored_is_an_error(server: RunningServer) -> None:
    refused = send(server, scalar(new_id(), 0, 1.0), code=400)
    assert refused["result_subcode"] == 131
    assert refused["error_data"]["errors"] == 1


@pytest.mark.parametrize("body", [b"", b"\n\n"])
def test_an_empty_batch(server: RunningServer, body: bytes) -> None:
    # `ask` sends "{}" for an empty body, so that one is asked for with a blank.
    reply = server.ask("events.add_batch", body=body or b" ", headers=LINES).json()["meta"]
    assert (reply["result_code"], reply["result_subcode"]) == (400, 17)


@pytest.mark.parametrize("line", ["{broken", "[1]", "3", '{"type": "log", ' + "x" * 10])
def test_a_broken_line_refuses_the_batch_and_is_named(server: RunningServer, line: str) -> None:
    task = new_task(server)
    refused = send(server, scalar(task, 0, 1.0), scalar(task, 1, 1.0), line, code=400)
    assert "item 2" in refused["result_msg"]
    assert server.call("series.catalog", tasks=[task])["series"] == []


def test_published_tasks_are_locked(server: RunningServer) -> None:
    task = new_task(server)
    server.call("tasks.started", task=task)
    server.call("tasks.completed", task=task)
    server.call("tasks.publish", task=task)
    assert send(server, scalar(task, 0, 1.0), code=400)["result_subcode"] == 131
    assert send(server, scalar(task, 0, 1.0, allow_locked=True))["added"] == 1
    mixed = send(server, scalar(task, 1, 1.0, allow_locked=True), scalar(task, 2, 1.0), code=400)
    assert "allow_locked" in mixed["result_msg"]


def test_model_events(server: RunningServer) -> None:
    model = server.call("models.create", name="m", uri="http://x/m.bin", labels={})["id"]
    event = {**scalar(model, 3, 0.5), "model_event": True}
    assert send(server, event)["added"] == 1
    found = server.call("events.scalar_metrics_iter_histogram", task=model, model_events=True)
    assert found["loss"]["train"]["y"] == [0.5]
    assert send(server, scalar(model, 3, 0.5), code=400)["result_subcode"] == 131


def test_monitors_and_single_values_are_no_progress(server: RunningServer) -> None:
    task = new_task(server)
    send(
        server,
        scalar(task, 4, 1.0),
        {**scalar(task, 900, 1.0), "metric": ":monitor:machine"},
        {**scalar(task, 901, 1.0), "metric": ":monitor:gpu"},
        {**scalar(task, -(2**31), 0.75), "metric": "Summary", "variant": "best"},
    )
    assert server.call("tasks.get_by_id", task=task)["task"]["last_iteration"] == 4
    found = server.call("events.get_task_single_value_metrics", tasks=[task])["tasks"]
    assert [(one["variant"], one["value"]) for one in found[0]["values"]] == [("best", 0.75)]
    assert found[0]["task_name"] == "t"
    assert "Summary" not in server.call("events.scalar_metrics_iter_histogram", task=task)


def test_worker_comes_from_the_header(server: RunningServer) -> None:
    task = new_task(server)
    log = {"type": "log", "task": task, "msg": "x", "timestamp": STAMP}
    send(server, log, {**log, "worker": "mine"}, **{"X-ClearML-Worker": "box:3"})
    found = server.call("events.get_task_log", task=task, order="asc")["events"]
    assert sorted(one["worker"] for one in found) == ["box:3", "mine"]


def test_one_event(server: RunningServer) -> None:
    task = new_task(server)
    assert server.call("events.add", scalar(task, 1, 2.5))["added"] == 1
    assert curve(server, task)["y"] == [2.5]
    unknown = server.ask("events.add", scalar(new_id(), 1, 2.5)).json()["meta"]
    assert (unknown["result_code"], unknown["result_subcode"]) == (400, 101)
    empty = server.ask("events.add", {"type": "plot", "task": task}).json()["meta"]
    assert (empty["result_code"], empty["result_subcode"]) == (400, 131)


def test_deleting(server: RunningServer) -> None:
    task = new_task(server)
    send(server, scalar(task, 1, 1.0), {"type": "log", "task": task, "msg": "x", "timestamp": STAMP})
    assert server.call("events.delete_for_task", task=task) == {"deleted": True}
    assert server.call("series.catalog", tasks=[task])["series"] == []
    assert server.call("events.get_task_log", task=task)["total"] == 0
    assert send(server, scalar(task, 1, 1.0))["added"] == 1
    assert entry(server, task)["count"] == 1
