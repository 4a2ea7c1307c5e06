"""The journal's door of a real server: exactly once, in order, whatever is sent again."""

import json
import math
import random
import struct
from typing import Any

import pytest
from backports import zstd
from tests.support import frames
from tests.support.server import RunningServer

from trialbook.base.ids import new_id

HEAD = "application/x-trialbook-points"
SINGLE = -(2**31)


def new_task(server: RunningServer, **more: Any) -> str:
    return str(server.call("tasks.create", name="t", type="training", project_name="journals", **more)["id"])


class Journal:
    """A client that remembers what it has sent."""

    def __init__(self, server: RunningServer, task: str) -> None:
        self.server = server
        self.task = task
        self.id = new_id()
        self.at = 0

    def send(self, raw: bytes, first: int | None = None, code: int = 200, **header: Any) -> dict[str, Any]:
        """Send; ``first`` overrides where the frames start. The reply's data, or its meta when it is
        refused."""
        start = self.at if first is None else first
        body = frames.body(self.task, self.id, start, raw, **header)
        reply = self.server.ask("events.add_points", body=body, headers={"Content-Type": HEAD}).json()
        assert reply["meta"]["result_code"] == code, reply["meta"]
        if code != 200:
            return reply["meta"]  # type: ignore[no-any-return]
        self.at = reply["data"]["acked"]
        return reply["data"]  # type: ignore[no-any-return]


def raw(server: RunningServer, task: str, metric: str = "loss", variant: str = "train") -> dict[str, Any]:
    ask = {"series": [{"task": task, "metric": metric, "variant": variant}], "format": "json"}
    return server.call("series.raw", ask)["series"][0]  # type: ignore[no-any-return]


def catalog(server: RunningServer, task: str) -> dict[tuple[str, str], dict[str, Any]]:
    found = server.call("series.catalog", tasks=[task])["series"]
    return {(one["metric"], one["variant"]): one for one in found}


def test_everything_that_a_body_can_hold(server: RunningServer) -> None:
    task = new_id()
    journal = Journal(server, task)
    sent = frames.call(
        "tasks.create", id=task, name="born here", type="training", project_name="journals/deep"
    )
    sent += frames.series(0, "loss", "train") + frames.series(1, "Summary", "score")
    sent += frames.points(0, [(0, 10.0, 1.5), (1, 11.0, math.nan), (2, 12.0, -math.inf), (3, 13.0, 0.25)])
    sent += frames.point(1, SINGLE, 14.0, 0.9) + frames.point(1, SINGLE, 15.0, 0.95)
    sent += frames.text("hello\nworld\n", 16.0) + frames.text("careful", 17.0, level=30, stream=2)
    sent += frames.event(type="plot", metric="p", variant="v", iter=7, timestamp=18000.0, plot_str="{}")
    sent += frames.event(
        type="training_debug_image",
        metric="i",
        variant="v",
        iter=2,
        timestamp=19000.0,
        url="http://x/1.png",
        key="k",
    )
    sent += frames.call("tasks.nothing", said="by somebody") + frames.loss("image", 3, "disk budget")
    reply = journal.send(sent, backlog=12)
    assert reply["acked"] == len(sent)
    assert [reply[name] for name in ("points", "events", "texts", "calls")] == [6, 2, 2, 1]
    assert len(reply["warnings"]) == 1
    assert reply["warnings"][0].startswith("tasks.nothing was refused")

    assert raw(server, task) == {
        "task": task,
        "metric": "loss",
        "variant": "train",
        "total": 4,
        "iter": [0, 1, 2, 3],
        "time": [10.0, 11.0, 12.0, 13.0],
        "value": [1.5, "NaN", "-Infinity", 0.25],
    }
    entry = catalog(server, task)["loss", "train"]
    assert (entry["count"], entry["nonfinite"], entry["min"], entry["max"], entry["mean"]) == (
        4,
        2,
        0.25,
        1.5,
        0.875,
    )
    assert (entry["last"], entry["last_iter"], entry["min_iter"], entry["max_iter"]) == (0.25, 3, 3, 0)
    single = catalog(server, task)["Summary", "score"]
    assert (single["count"], single["single"], single["single_time"]) == (0, 0.95, 15.0)
    values = server.call("events.get_task_single_value_metrics", tasks=[task])["tasks"]
    assert values[0]["values"] == [
        {"metric": "Summary", "variant": "score", "value": 0.95, "timestamp": 15000}
    ]

    lines = server.call("logs.range", task=task)["lines"]
    assert [(line["text"], line["level"], line["stream"]) for line in lines[:3]] == [
        ("hello", 20, 0),
        ("world", 20, 0),
        ("careful", 30, 2),
    ]
    assert any(
        "tasks.nothing was refused" in line["text"] and '"said":"by somebody"' in line["text"]
        for line in lines[3:]
    )
    assert any("3 reports of kind image were dropped: disk budget" in line["text"] for line in lines[3:])
    assert [line["number"] for line in lines] == list(range(len(lines)))

    status = server.call("journals.status", tasks=[task])["tasks"][0]
    assert (status["complete"], status["backlog"], status["lost"]) == (False, 12, 3)
    (loss,) = status["journals"][0]["losses"]
    assert (loss["kind"], loss["count"], loss["why"]) == ("image", 3, "disk budget")

    document = server.call("tasks.get_by_id", task=task)["task"]
    # 7 from the plot; a single value is no progress.
    assert document["last_iteration"] == 7
    assert document["name"] == "born here"
    metrics = {one["metric"]: one for group in document["last_metrics"].values() for one in group.values()}
    assert metrics["loss"]["value"] == 0.25
    assert metrics["Summary"]["value"] == 0.95
    plots = server.call("events.get_task_plots", task=task)["plots"]
    assert [(one["metric"], one["iter"], one["plot_str"], one["timestamp"]) for one in plots] == [
        ("p", 7, "{}", 18000)
    ]


def test_offsets(server: RunningServer) -> None:
    journal = Journal(server, new_task(server))
    start = frames.series(0, "loss", "train") + frames.points(0, [(0, 1.0, 0.0)])
    journal.send(start)
    more = [frames.points(0, [(n, float(n), float(n))]) for n in range(1, 6)]
    # A body from the future: the server says what it waits for, and nothing has changed.
    refused = journal.send(more[1], first=journal.at + 36, code=400)
    assert (refused["result_subcode"], refused["error_data"]) == (1201, {"expected": len(start)})
    journal.send(b"".join(more[:3]))
    # All of it again, a part of it again, and a part with something new.
    assert journal.send(start, first=0)["acked"] == len(start) + 3 * 36
    assert journal.send(more[0] + more[1], first=len(start))["points"] == 0
    assert journal.send(b"".join(more), first=len(start))["points"] == 2
    assert journal.send(start + b"".join(more), first=0)["points"] == 0
    assert raw(server, journal.task)["value"] == [0, 1, 2, 3, 4, 5]
    assert catalog(server, journal.task)["loss", "train"]["count"] == 6
    # An offset that is no frame boundary cannot be right.
    assert "byte" in journal.send(more[0], first=journal.at - 5, code=400)["result_msg"]
    assert raw(server, journal.task)["total"] == 6


@pytest.mark.parametrize("encoding", ["zstd", "gzip"])
def test_compressed_bodies(server: RunningServer, encoding: str) -> None:
    import gzip

    task, journal = new_task(server), new_id()
    body = frames.body(task, journal, 0, frames.series(0, "loss", "train") + frames.point(0, 1, 1.0, 2.0))
    packed = zstd.compress(body) if encoding == "zstd" else gzip.compress(body)
    reply = server.ask(
        "events.add_points", body=packed, headers={"Content-Type": HEAD, "Content-Encoding": encoding}
    )
    assert reply.json()["data"]["points"] == 1


def test_any_cut_any_resend(server: RunningServer) -> None:
    """A client that loses replies: random cuts, random rewinds; every point is there exactly once."""
    chance = random.Random(5)
    journal = Journal(server, new_task(server))
    stream = [frames.series(0, "loss", "train"), frames.series(1, "loss", "test")]
    for n in range(400):
        stream.append(frames.point(n % 2, n // 2, 1e9 + n, float(n)))
        if n % 50 == 0:
            stream.append(frames.text(f"line {n}"))
    borders = [0]
    for one in stream:
        borders.append(borders[-1] + len(one))
    whole = b"".join(stream)
    while journal.at < len(whole):
        start = chance.choice([border for border in borders if border <= journal.at][-80:])
        stop = chance.choice([border for border in borders if border >= start][:120])
        before = journal.at
        assert journal.send(whole[start:stop], first=start)["acked"] == max(before, stop)
    assert raw(server, journal.task)["value"] == [float(n) for n in range(0, 400, 2)]
    assert raw(server, journal.task, variant="test")["value"] == [float(n) for n in range(1, 400, 2)]
    entry = catalog(server, journal.task)["loss", "train"]
    assert (entry["count"], entry["mean"], entry["last"]) == (200, 199.0, 398.0)
    texts = [line["text"] for line in server.call("logs.range", task=journal.task)["lines"]]
    assert texts == [f"line {n}" for n in range(0, 400, 50)]


def test_several_journals_on_one_task(server: RunningServer) -> None:
    task = new_task(server)
    journals = [Journal(server, task) for _ in range(3)]
    for rank, journal in enumerate(journals):
        # The same number means another series in each journal.
        journal.send(frames.series(0, "loss", f"rank {rank}") + frames.point(0, 1, 1.0, rank))
    for rank, journal in enumerate(journals):
        journal.send(frames.point(0, 2, 2.0, rank + 10))
    for rank in range(3):
        assert raw(server, task, variant=f"rank {rank}")["value"] == [rank, rank + 10]


def test_what_is_refused(server: RunningServer) -> None:
    good = frames.series(0, "loss", "train") + frames.point(0, 1, 1.0, 1.0)
    nobody = Journal(server, new_id())
    assert nobody.send(good, code=400)["result_subcode"] == 101
    assert nobody.send(frames.text("x"), code=400)["result_subcode"] == 101
    task = new_task(server)
    unknown = Journal(server, task)
    assert "series 5 was never defined" in unknown.send(frames.point(5, 1, 1.0, 1.0), code=400)["result_msg"]
    damaged = bytearray(good)
    damaged[-6] ^= 1
    assert "checksum" in unknown.send(bytes(damaged), code=400)["result_msg"]
    assert server.call("series.catalog", tasks=[task])["series"] == []
    journal = Journal(server, task)
    journal.send(good)
    stolen = Journal(server, new_task(server))
    stolen.id, stolen.at = journal.id, journal.at
    assert "belongs to task" in stolen.send(frames.point(0, 1, 1.0, 1.0), code=400)["result_msg"]
    # A refused creation leaves no journal behind, so nothing can be sent after it.
    assert nobody.send(frames.call("tasks.create", id=nobody.task, name="", type="no such") + good, code=400)


def test_calls_keep_their_place(server: RunningServer) -> None:
    """A reset in the middle of a stream erases what was before it, not what comes after it."""
    journal = Journal(server, new_task(server))
    journal.send(frames.call("tasks.started", task=journal.task) + frames.text("before"))
    journal.send(frames.series(0, "loss", "train") + frames.points(0, [(n, 1.0, 1.0) for n in range(5)]))
    sent = frames.point(0, 5, 1.0, 1.0)
    sent += frames.call("tasks.reset", task=journal.task, force=True)
    sent += frames.points(0, [(0, 2.0, 7.0), (1, 2.0, 8.0)]) + frames.text("after")
    assert journal.send(sent)["warnings"] == []
    # The numbers of this journal still mean the same series.
    journal.send(frames.point(0, 2, 3.0, 9.0))
    assert raw(server, journal.task)["value"] == [7.0, 8.0, 9.0]
    assert catalog(server, journal.task)["loss", "train"]["count"] == 3
    assert [line["text"] for line in server.call("logs.range", task=journal.task)["lines"]] == ["after"]


def test_a_published_task_lets_its_own_journal_end(server: RunningServer) -> None:
    task = new_task(server)
    known = Journal(server, task)
    known.send(
        frames.call("tasks.started", task=task)
        + frames.series(0, "loss", "train")
        + frames.point(0, 1, 1.0, 1.0)
    )
    known.send(frames.call("tasks.completed", task=task) + frames.call("tasks.publish", task=task))
    assert server.call("tasks.get_by_id", task=task)["task"]["status"] == "published"
    known.send(frames.text("the last words"))
    stranger = Journal(server, task)
    assert stranger.send(frames.text("me too"), code=400)["result_subcode"] == 110
    assert [line["text"] for line in server.call("logs.range", task=task)["lines"]] == ["the last words"]


def test_extreme_points(server: RunningServer) -> None:
    journal = Journal(server, new_task(server))
    rows = [
        (-(2**63), 1e9, 1.0),
        (-1, 1e9, -0.0),
        (0, math.nan, 5e-324),
        (2**53 + 1, 1e300, 1.7e308),
        (2**63 - 1, -1e9, 1.7e308),
    ]
    journal.send(frames.series(4_000_000_000, "m", "v") + frames.points(4_000_000_000, rows))
    found = raw(server, journal.task, "m", "v")
    assert found["iter"] == [row[0] for row in rows]
    assert found["value"] == [row[2] for row in rows]
    assert found["time"][0] == 1e9
    # A moment that cannot be one becomes the server's.
    assert 1.5e9 < found["time"][2] < 1e11 and 1.5e9 < found["time"][3] < 1e11
    entry = catalog(server, journal.task)["m", "v"]
    assert (entry["count"], entry["min_iter"], entry["max_iter"]) == (5, -1, 2**53 + 1)
    for x in ("iter", "time", "relative"):
        ask = {"series": {"tasks": [journal.task]}, "x": x, "format": "json"}
        assert sum(server.ask("series.tiles", ask).json()["data"]["series"][0]["points"]["count"]) == 5


def test_what_no_database_can_hold(server: RunningServer) -> None:
    """NUL characters, lone surrogates, NaN in JSON: nothing of it may hold up a stream."""
    journal = Journal(server, new_task(server))
    vector = b'{"type": "training_stats_vector", "metric": "h\\u0000", "variant": "v", "iter": 1, "values": [NaN, 1]}'
    sent = frames.frame(4, vector)
    sent += frames.call("tasks.edit", task=journal.task, name="a\0b", force=True)
    sent += frames.call("tasks.edit", task=journal.task, runtime={"x\0": "\ud800"}, force=True)
    sent += frames.call("tasks.edit", task={"no": "id"}) + frames.call("tasks.edit") + frames.call("no such")
    sent += frames.call("events.add_points", task=journal.task)
    sent += frames.loss("image\0", 1, "\0") + frames.loss("image\0", 2, "\0")
    sent += frames.series(0, "nul\0metric", "v") + frames.point(0, 1, 1.0, 1.0) + frames.text("nul \0 text")
    reply = journal.send(sent, host="h\0st")
    assert len(reply["warnings"]) >= 4
    assert set(catalog(server, journal.task)) == {("nul\\x00metric", "v")}
    assert "nul \0 text" in [line["text"] for line in server.call("logs.range", task=journal.task)["lines"]]
    status = server.call("journals.status", tasks=[journal.task])["tasks"][0]
    (loss,) = status["journals"][0]["losses"]
    assert (loss["kind"], loss["count"], loss["why"]) == ("image\\x00", 3, "\\x00")
    batch = [
        {"type": "log", "task": "a\0b", "msg": "x"},
        {"type": "log", "task": journal.task, "worker": "\0"},
    ]
    body = "\n".join(json.dumps(one) for one in batch).encode()
    added = server.ask(
        "events.add_batch", body=body, headers={"Content-Type": "application/json-lines"}
    ).json()
    assert (added["data"]["added"], added["data"]["errors"]) == (1, 1)


def test_columns_and_binary_tiles(server: RunningServer) -> None:
    journal = Journal(server, new_task(server))
    rows = [(n, 1e9 + n, math.sin(n) if n != 700 else 50.0) for n in range(3000)]
    journal.send(
        frames.series(0, "loss", "train") + frames.points(0, [*rows[:5], (5, 1e9 + 5, math.nan), *rows[6:]])
    )
    ask: dict[str, Any] = {"series": [{"task": journal.task, "metric": "loss", "variant": "train"}]}
    answer = server.ask("series.raw", {**ask, "format": "columns", "start": 10, "limit": 4})
    data = answer.data
    (length,) = struct.unpack_from("<I", data, 4)
    directory = json.loads(data[8 : 8 + length])["series"][0]
    assert data[:4] == b"TBR1" and (directory["total"], directory["length"]) == (3000, 4)
    assert struct.unpack_from("<4q4d4d", data, 8 + length) == (
        *range(10, 14),
        *(1e9 + n for n in range(10, 14)),
        *(math.sin(n) for n in range(10, 14)),
    )
    answer = server.ask("series.tiles", {**ask, "buckets": 100})
    assert answer.headers["content-type"] == "application/x-trialbook-tiles"
    data = answer.data
    (length,) = struct.unpack_from("<I", data, 4)
    assert data[:4] == b"TBT1" and length % 8 == 0
    directory = json.loads(data[8 : 8 + length])
    one = directory["series"][0]
    assert (one["length"], one["raw"], one["count"], one["nonfinite"], directory["range"]) == (
        100,
        False,
        3000,
        1,
        [0, 2999],
    )
    columns = struct.unpack_from(f"<{5 * 100}d{2 * 100}I", data, 8 + length + one["offset"])
    largest, counts, bad = columns[300:400], columns[500:600], columns[600:700]
    assert max(largest) == 50.0
    assert sum(counts) == 3000
    assert bad == (1,) + (0,) * 99
    plain = json.loads(
        server.ask("series.tiles", {**ask, "buckets": 100}, headers={"Accept": "application/json"}).data
    )
    assert tuple(plain["data"]["series"][0]["points"]["max"]) == largest
    zoomed = server.ask("series.tiles", {**ask, "range": [690, 710], "format": "json"}).json()["data"][
        "series"
    ][0]
    assert (zoomed["raw"], zoomed["points"]["last"][10], zoomed["points"]["x_first"][10]) == (
        True,
        50.0,
        700.0,
    )
    nothing = {"series": [{"task": journal.task, "metric": "no", "variant": "such"}], "format": "json"}
    assert server.ask("series.tiles", nothing).json()["data"]["series"][0]["length"] == 0
    wrong = server.ask("series.tiles", {**ask, "range": [3, 1]}).json()["meta"]
    assert (wrong["result_code"], wrong["result_subcode"]) == (400, 20)
