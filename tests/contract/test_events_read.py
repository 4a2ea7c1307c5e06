"""Reading events the way clients of ClearML do: exact totals, scrolls that end, order."""

import json
from typing import Any

import pytest
from tests.support.server import RunningServer

from trialbook.base.ids import new_id

STAMP = 1_795_169_520_000


@pytest.fixture(scope="module")
def task(server: RunningServer) -> str:
    """A task with 25 points in two series, 2 single values, 40 reports, 6 plots, 8 images, 1 vector."""
    found = str(server.call("tasks.create", name="reader", type="training", project_name="reads")["id"])
    events: list[dict[str, Any]] = []

    def add(kind: str, iteration: int, **more: Any) -> None:
        stamp = STAMP + len(events)
        events.append(
            {"type": kind, "task": found, "iter": iteration, "timestamp": stamp, "metric": "m", **more}
        )

    for n in range(20):
        add("training_stats_scalar", n, variant="a", value=float(n))
    for n in range(5):
        add("training_stats_scalar", n, variant="b", value=-float(n))
    for name in ("x", "y"):
        add("training_stats_scalar", -(2**31), metric="Summary", variant=name, value=1.0)
    for n in range(3):
        for variant in ("p", "q"):
            add("plot", n, variant=variant, plot_str=f'"{variant}{n}"')
    for n in range(4):
        for metric in ("i", "j"):
            add("training_debug_image", n, metric=metric, variant="v", url=f"http://x/{metric}{n}", key="k")
    add("training_stats_vector", 1, variant="h", values=[1.0, 2.0])
    log = {"type": "log", "task": found, "level": "error"}
    events.extend({**log, "timestamp": STAMP + n * 10, "msg": f"report {n}\nmore"} for n in range(40))
    body = "\n".join(json.dumps(event) for event in events).encode()
    reply = server.ask(
        "events.add_batch", body=body, headers={"Content-Type": "application/json-lines"}
    ).json()
    assert reply["data"]["added"] == len(events)
    return found


COUNTS = {
    "training_stats_scalar": 27,
    "plot": 6,
    "training_debug_image": 8,
    "training_stats_vector": 1,
    "log": 40,
    None: 82,
}


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("event_type", list(COUNTS))
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_scrolling_ends_with_every_event_once(
    server: RunningServer, task: str, event_type: str | None, order: str, size: int
) -> None:
    found: list[dict[str, Any]] = []
    scroll, pages = None, 0
    while True:
        page = server.call(
            "events.get_task_events",
            task=task,
            event_type=event_type,
            order=order,
            batch_size=size,
            scroll_id=scroll,
        )
        assert page["total"] == COUNTS[event_type]
        assert page["returned"] == len(page["events"]) <= size
        assert page["scroll_id"] != scroll or not page["returned"]
        scroll = page["scroll_id"]
        found.extend(page["events"])
        pages += 1
        if not page["returned"]:
            break
    assert pages == -(-COUNTS[event_type] // size) + 1
    texts = [json.dumps(event, sort_keys=True) for event in found]
    assert len(texts) == len(set(texts)) == COUNTS[event_type]
    if event_type == "log":
        wanted = [f"report {n}\nmore" for n in range(40)]
        assert [event["msg"] for event in found] == (wanted if order == "asc" else wanted[::-1])


def test_a_foreign_scroll_id(server: RunningServer, task: str) -> None:
    reply = server.ask("events.get_task_events", {"task": task, "scroll_id": "…"}).json()["meta"]
    assert (reply["result_code"], "scroll" in reply["result_msg"]) == (400, True)


def messages(server: RunningServer, task: str, **ask: Any) -> list[int]:
    page = server.call("events.get_task_log", task=task, **ask)
    assert page["total"] == 40
    return [int(event["msg"].split()[1]) for event in page["events"]]


def test_console_reports(server: RunningServer, task: str) -> None:
    assert messages(server, task, batch_size=3) == [39, 38, 37]
    assert messages(server, task, batch_size=3, order="asc", navigate_earlier=True) == [37, 38, 39]
    assert messages(server, task, batch_size=3, navigate_earlier=False) == [0, 1, 2]
    assert messages(server, task, batch_size=2, from_timestamp=STAMP + 100) == [9, 8]
    assert messages(server, task, batch_size=2, from_timestamp=STAMP + 100, navigate_earlier=False) == [
        11,
        12,
    ]
    assert messages(server, task, from_timestamp=STAMP) == []
    assert messages(server, task, from_timestamp=STAMP + 390, navigate_earlier=False) == []


def test_console_lines(server: RunningServer, task: str) -> None:
    page = server.call("logs.range", task=task, start=2, count=3)
    assert page["total"] == 80
    assert [(line["number"], line["text"]) for line in page["lines"]] == [
        (2, "report 1"),
        (3, "more"),
        (4, "report 2"),
    ]
    assert [line["number"] for line in server.call("logs.range", task=task, start=-2)["lines"]] == [78, 79]
    assert server.call("logs.range", task=task, start=80)["lines"] == []


def test_console_search(server: RunningServer, task: str) -> None:
    found = server.call("logs.search", task=task, text="REPORT 3", limit=2)
    assert (found["count"], [line["number"] for line in found["lines"]], found["next_line"]) == (
        11,
        [6, 60],
        None,
    )
    assert server.call("logs.search", task=task, text="REPORT 3", match_case=True)["count"] == 0
    assert server.call("logs.search", task=task, text="^report [12]$", regex=True)["count"] == 2
    assert server.call("logs.search", task=task, text="report", start=70)["count"] == 5
    assert server.call("logs.search", task=task, text=".", regex=False)["count"] == 0
    refused = server.ask("logs.search", {"task": task, "text": "(", "regex": True}).json()["meta"]
    assert (refused["result_code"], refused["result_subcode"]) == (400, 21)


def test_console_download(server: RunningServer, task: str) -> None:
    reply = server.ask(
        "events.download_task_log", {"task": task, "line_format": "{level}|{msg}|{worker.__class__}"}
    )
    assert reply.headers["content-type"].startswith("text/plain")
    assert reply.data.decode().splitlines()[:2] == ["ERROR|report 0", "more|{worker.__class__}"]
    lines = (
        server.ask("events.download_task_log", {"task": task, "line_type": "json"}).data.decode().splitlines()
    )
    assert [json.loads(line)["msg"] for line in lines] == [f"report {n}\nmore" for n in range(40)]


def test_plots(server: RunningServer, task: str) -> None:
    def shown(**ask: Any) -> list[tuple[str, int]]:
        page = server.call("events.get_task_plots", task=task, **ask)
        assert page["returned"] == page["total"] == len(page["plots"])
        return [(one["variant"], one["iter"]) for one in page["plots"]]

    assert shown() == [("p", 2), ("q", 2)]
    assert shown(iters=2) == [("p", 1), ("p", 2), ("q", 1), ("q", 2)]
    assert shown(metrics=[{"metric": "m", "variants": ["q"]}]) == [("q", 2)]
    assert shown(metrics=[{"metric": "none"}]) == []


def images(server: RunningServer, metrics: list[dict[str, Any]], **ask: Any) -> tuple[list[Any], str]:
    reply = server.call("events.debug_images", metrics=metrics, **ask)
    rows = [
        (one["iter"], [event["url"] for event in one["events"]]) for one in reply["metrics"][0]["iterations"]
    ]
    return rows, reply["scroll_id"]


def test_images_scroll_to_an_end(server: RunningServer, task: str) -> None:
    ask = [{"task": task, "metric": "i"}, {"task": task, "metric": "j", "variants": ["v"]}]
    rows, scroll = images(server, ask, iters=3)
    assert [number for number, _ in rows] == [3, 2, 1]
    assert rows[0][1] == ["http://x/i3", "http://x/j3"]
    rows, scroll = images(server, ask, iters=3, scroll_id=scroll)
    assert rows == [(0, ["http://x/i0", "http://x/j0"])]
    assert images(server, ask, iters=3, scroll_id=scroll)[0] == []
    assert images(server, ask, iters=3, scroll_id=scroll, refresh=True)[0] != []
    assert images(server, ask, iters=1, scroll_id=scroll, navigate_earlier=False)[0][0][0] == 1
    assert len(images(server, [{"task": task}], iters=10)[0]) == 4
    assert images(server, [{"task": task, "metric": "i", "variants": ["none"]}], iters=10)[0] == []


def test_one_image(server: RunningServer, task: str) -> None:
    reply = server.call("events.get_debug_image_sample", task=task, metric="i", variant="v", iteration=2)
    assert (reply["event"]["url"], reply["min_iteration"], reply["max_iteration"]) == ("http://x/i2", 0, 3)
    newest = server.call("events.get_debug_image_sample", task=task, metric="i", variant="v")
    assert newest["event"]["iter"] == 3
    assert server.call("events.get_debug_image_sample", task=task, metric="i", variant="w")["event"] is None


def test_names(server: RunningServer, task: str) -> None:
    assert server.call("events.get_scalar_metrics_and_variants", task=task)["metrics"] == {
        "Summary": ["x", "y"],
        "m": ["a", "b"],
    }
    found = server.call("events.get_task_metrics", tasks=[task], event_type="training_debug_image")["metrics"]
    assert found == [{"task": task, "metrics": ["i", "j"]}]
    assert server.call("events.get_task_metrics", tasks=[task])["metrics"][0]["metrics"] == [
        "Summary",
        "i",
        "j",
        "m",
    ]
    latest = server.call("events.get_task_latest_scalar_values", task=task)["metrics"]
    assert [(one["name"], one["last_value"], one["last_iter"]) for one in latest[0]["variants"]] == [
        ("a", 19.0, 19),
        ("b", -4.0, 4),
    ]


def test_several_tasks_and_thinning(server: RunningServer, task: str) -> None:
    reply = server.call("events.multi_task_scalar_metrics_iter_histogram", tasks=[task], samples=5)
    curve = reply["metrics"]["m"]["a"][task]
    assert curve == {"name": "reader", "x": [0, 4, 8, 12, 16], "y": [1.5, 5.5, 9.5, 13.5, 17.5]}
    only = server.call(
        "events.scalar_metrics_iter_histogram", task=task, metrics=[{"metric": "m", "variants": ["b"]}]
    )
    assert list(only["m"]) == ["b"]
    dates = server.call("events.scalar_metrics_iter_histogram", task=task, key="iso_time")["m"]["a"]["x"]
    assert dates[0].endswith("+00:00") and dates == sorted(dates)


@pytest.mark.parametrize(
    "method",
    [
        "events.scalar_metrics_iter_histogram",
        "events.get_task_events",
        "events.get_task_log",
        "events.get_task_plots",
        "events.get_scalar_metrics_and_variants",
        "logs.range",
    ],
)
def test_a_task_that_is_not_there(server: RunningServer, method: str) -> None:
    reply = server.ask(method, {"task": new_id()}).json()["meta"]
    assert (reply["result_code"], reply["result_subcode"]) == (400, 101)


def test_plots_of_several_tasks_and_one_plot(server: RunningServer, task: str) -> None:
    other = server.call("tasks.create", name="other", type="training")["id"]
    for owner, iterations in ((task, (1, 5)), (other, (3,))):
        for iteration in iterations:
            server.call(
                "events.add",
                type="plot",
                task=owner,
                iter=iteration,
                metric="several",
                variant="v",
                plot_str=json.dumps({"at": iteration}),
            )
    ask = {"tasks": [task, other], "metrics": [{"metric": "several"}]}
    reply = server.call("events.get_multi_task_plots", ask)
    held = reply["plots"]["several"]["v"]
    assert {owner: sorted(found) for owner, found in held.items()} == {task: ["5"], other: ["3"]}
    assert held[other]["3"]["name"] == "other"
    assert json.loads(held[other]["3"]["plots"][0]["plot_str"]) == {"at": 3}
    assert (reply["returned"], reply["total"]) == (2, 2)
    both = server.call("events.get_multi_task_plots", iters=2, **ask)["plots"]["several"]["v"]
    assert sorted(both[task]) == ["1", "5"]
    one = {"task": task, "metric": "several", "variant": "v"}
    for iteration, expected in ((None, 5), (4, 1), (5, 5), (0, 1)):
        sample = server.call("events.get_plot_sample", iteration=iteration, **one)
        assert sample["event"]["iter"] == expected
        assert (sample["min_iteration"], sample["max_iteration"]) == (1, 5)
    assert server.call("events.get_plot_sample", task=task, metric="none", variant="v")["event"] is None
