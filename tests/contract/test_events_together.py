"""Many clients at once on a real server: nothing twice, nothing lost, nobody blocked for ever."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import urllib3
from tests.support import frames
from tests.support.server import RunningServer

from trialbook.base.ids import new_id

POINTS = "application/x-trialbook-points"


def post(server: RunningServer, method: str, body: bytes, kind: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": kind}
    with urllib3.PoolManager(retries=False) as http:
        reply = http.request("POST", f"{server.url}/{method}", body=body, headers=headers, timeout=60).json()
    return reply  # type: ignore[no-any-return]


def counts(server: RunningServer, task: str) -> dict[str, int]:
    return {one["variant"]: one["count"] for one in server.call("series.catalog", tasks=[task])["series"]}


def test_ranks_of_one_task(server: RunningServer) -> None:
    """Eight ranks report the same series of one task, with calls in between, each body sent twice at the
    same time."""
    task = server.call("tasks.create", name="ranks", type="training", project_name="together")["id"]
    server.call("tasks.started", task=task)
    # Some series in another order in each rank: transactions that lock them as they come would block each
    # other.
    names = [f"v{n}" for n in range(12)]

    def rank(number: int) -> None:
        journal, at = new_id(), 0
        order = names[number:] + names[:number]
        start = b"".join(frames.series(n, "loss", name) for n, name in enumerate(order))
        with ThreadPoolExecutor(2) as pair:
            for step in range(10):
                raw = (start if step == 0 else b"") + b"".join(
                    frames.point(n, step * 8 + number, 1e9, 1.0) for n in range(len(order))
                )
                raw += frames.text(f"rank {number} step {step}")
                raw += frames.event(type="plot", metric="p", variant="v", iter=step, plot_str="{}")
                raw += frames.call("tasks.ping", task=task) + frames.point(0, step * 8 + number, 2e9, 1.0)
                body = frames.body(task, journal, at, raw)
                twice = [pair.submit(post, server, "events.add_points", body, POINTS) for _ in range(2)]
                replies = [one.result() for one in twice]
                at += len(raw)
                for reply in replies:
                    assert reply["meta"]["result_code"] == 200, reply["meta"]["result_msg"]
                    assert reply["data"]["acked"] == at
                    assert reply["data"]["warnings"] == []
                assert sum(reply["data"]["points"] for reply in replies) == len(order) + 1

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(rank, number) for number in range(8)]:
            done.result()
    found = counts(server, task)
    assert sum(found.values()) == 8 * 10 * 13
    assert found == {name: 80 + (10 if number < 8 else 0) for number, name in enumerate(names)}
    lines = [line["text"] for line in server.call("logs.range", task=task)["lines"]]
    assert sorted(lines) == sorted(f"rank {number} step {step}" for number in range(8) for step in range(10))
    for number in range(8):
        own = [line for line in lines if line.startswith(f"rank {number} ")]
        assert own == [f"rank {number} step {step}" for step in range(10)]


def test_the_references_clients_at_once(server: RunningServer) -> None:
    tasks = [
        server.call("tasks.create", name="n", type="training", project_name="together")["id"]
        for _ in range(3)
    ]

    def client(number: int) -> None:
        for step in range(8):
            # Tasks in another order in each client.
            mine = tasks[number % 3 :] + tasks[: number % 3]
            events = [
                {
                    "type": "training_stats_scalar",
                    "task": task,
                    "iter": step,
                    "metric": "m",
                    "variant": f"c{other}",
                    "value": 1.0,
                    "timestamp": 1e12 + number * 1000 + step,
                }
                for task in mine
                for other in range(4)
            ]
            body = "\n".join(json.dumps(event) for event in events).encode()
            reply = post(server, "events.add_batch", body, "application/json-lines")
            assert reply["data"] == {"added": 12, "errors": 0, "errors_info": {}}

    with ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(client, number) for number in range(6)]:
            done.result()
    for task in tasks:
        assert counts(server, task) == {f"c{other}": 48 for other in range(4)}


def test_kill_loses_nothing_that_was_acknowledged(own_server: RunningServer) -> None:
    """``kill -9`` between any two replies: what was acknowledged is there, and the rest can be sent again."""
    task = own_server.call("tasks.create", name="killed", type="training", project_name="together")["id"]
    journal = new_id()
    raw = frames.series(0, "loss", "v") + b"".join(frames.point(0, n, 1e9 + n, float(n)) for n in range(3000))
    cut = len(frames.series(0, "loss", "v")) + 36 * 1000
    sent = post(own_server, "events.add_points", frames.body(task, journal, 0, raw[:cut]), POINTS)
    assert sent["data"]["acked"] == cut
    with ThreadPoolExecutor(1) as pool:
        flying = pool.submit(
            post, own_server, "events.add_points", frames.body(task, journal, cut, raw[cut:]), POINTS
        )
        own_server.kill()
        own_server.start()
        assert flying.exception() is not None or flying.result()["data"]["acked"] == len(raw)
    assert counts(own_server, task)["v"] in (1000, 3000)
    again = post(own_server, "events.add_points", frames.body(task, journal, 0, raw), POINTS)
    assert again["data"]["acked"] == len(raw)
    assert counts(own_server, task) == {"v": 3000}
    ask = {"series": [{"task": task, "metric": "loss", "variant": "v"}], "format": "json"}
    assert own_server.call("series.raw", ask)["series"][0]["value"] == [float(n) for n in range(3000)]


def test_pages_are_told(server: RunningServer) -> None:
    """Points, console and plots reach whoever listens to the task, and the task reaches whoever lists
    tasks."""
    task = server.call("tasks.create", name="live", type="training", project_name="together")["id"]
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
    body = json.dumps({"topics": [f"task:{task}", "tasks"]}).encode()
    raw = frames.series(0, "loss", "v") + frames.point(0, 1, 1e9, 1.0) + frames.text("x")
    raw += frames.event(type="plot", metric="p", variant="v", iter=1, plot_str="{}")
    wanted = {(f"task:{task}", kind) for kind in ("series", "log", "events")} | {("tasks", "tasks")}
    deadline = time.monotonic() + 20
    with urllib3.PoolManager(retries=False) as http:
        stream = http.request(
            "POST", f"{server.url}/stream", body=body, headers=headers, preload_content=False, timeout=20
        )
        post(server, "events.add_points", frames.body(task, new_id(), 0, raw), POINTS)
        text = ""
        while wanted and time.monotonic() < deadline:
            text += stream.read1(65536).decode()
            *lines, text = text.split("\n")
            for line in lines:
                if line.startswith("data: "):
                    change = json.loads(line[6:])
                    if task in change.get("keys", []):
                        wanted.discard((change["topic"], change["kind"]))
        stream.close()
    assert not wanted
