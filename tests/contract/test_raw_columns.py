"""All points of a task as a client reads them: columns and JSON are the same, on both databases."""

import json
import math
from typing import Any

import pytest
from tests.support.server import RunningServer

from trialbook.client import columns
from trialbook.client.session import Credentials, Session
from trialbook.errors import BadField, ServerFault


@pytest.fixture
def session(server: RunningServer) -> Session:
    return Session(server.url, Credentials(access_key=server.access_key, secret_key=server.secret_key))


def test_columns_are_what_json_says(server: RunningServer, session: Session) -> None:
    task = server.call("tasks.create", name="points", type="training")["id"]
    event: dict[str, Any] = {"type": "training_stats_scalar", "task": task, "metric": "m"}
    rows = [
        {**event, "variant": variant, "iter": n * step, "timestamp": 1.7e12 + n, "value": n / 7}
        for variant, step in (("a", 1), ("b", -(2**40)))
        for n in range(50)
    ]
    lines = [json.dumps(row) for row in rows]
    # NaN, which Python's own writer makes of it.
    lines.append(json.dumps({**event, "variant": "c", "iter": 1, "timestamp": 1, "value": math.nan}))
    body = "\n".join(lines)
    server.ask("events.add_batch", body=body.encode(), headers={"Content-Type": "application/json-lines"})
    ask = {"series": {"tasks": [task]}, "format": "columns"}
    found = columns.decode(session.fetch("series.raw", ask, columns.TYPE))
    plain = server.call("series.raw", {**ask, "format": "json"})["series"]
    assert [(one.task, one.metric, one.variant) for one in found] == [(task, "m", v) for v in "abc"]
    for one, two in zip(found[:2], plain[:2], strict=True):
        assert one.iteration.tolist() == two["iter"]
        assert one.time.tolist() == two["time"]
        assert one.value.tolist() == two["value"]
    assert math.isnan(found[2].value[0]) and plain[2]["value"] == ["NaN"]


def test_a_refusal_is_told(session: Session) -> None:
    ask = {"series": {"tasks": []}, "range": [2, 1], "format": "columns"}
    with pytest.raises(BadField, match="range"):
        session.fetch("series.raw", ask, columns.TYPE)
    with pytest.raises(ServerFault, match="answered with"):
        session.fetch("series.raw", {"series": {"tasks": []}, "format": "json"}, columns.TYPE)


def test_a_cut_answer_is_noticed() -> None:
    text = json.dumps({"series": [{"task": "t", "metric": "m", "variant": "v", "offset": 0, "length": 2}]})
    body = b"TBR1" + len(text).to_bytes(4, "little") + text.encode() + bytes(47)
    with pytest.raises(ServerFault, match="cut short"):
        columns.decode(body)
    with pytest.raises(ServerFault, match="not points"):
        columns.decode(b"{}")
