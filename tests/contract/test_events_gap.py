"""What a damaged or crowded host could not send: the rest is stored, and the page can say what is missing and where."""

import json

from tests.contract.test_events_journal import Journal, new_task, raw
from tests.support import frames
from tests.support.server import RunningServer


def status(server: RunningServer, task: str) -> dict[str, object]:
    (found,) = server.call("journals.status", tasks=[task])["tasks"]
    return found  # type: ignore[no-any-return]


def test_points_whose_names_were_damaged_are_kept_under_a_name_of_their_own(server: RunningServer) -> None:
    task = new_task(server)
    journal = Journal(server, task)
    journal.send(frames.series(0, "loss", "train") + frames.points(0, [(0, 1.7e9, 1.0)]))
    journal.send(frames.frame(7, bytes(64)))
    journal.send(frames.points(0, [(1, 1.7e9, 2.0)]) + frames.points(5, [(1, 1.7e9, 7.0)]))
    assert raw(server, task)["value"] == [1.0, 2.0]
    assert raw(server, task, "Damaged journal", "series 5")["value"] == [7.0]
    found = status(server, task)
    assert not found["complete"] and found["lost"] == 2
    lines = server.call("logs.range", task=task, start=0, count=10)["lines"]
    assert "damaged" in lines[0]["text"]


def test_losses_say_where(server: RunningServer) -> None:
    task = new_task(server)
    journal = Journal(server, task)
    why = "the disk of this host is full"
    loss = {"kind": "frame", "why": why}
    journal.send(frames.frame(6, _json(count=3, began=10.0, ended=12.0, first=100, last=102, **loss)))
    journal.send(frames.frame(6, _json(count=4, began=11.0, ended=15.0, first=101, last=140, **loss)))
    journal.send(frames.frame(6, _json(count=1, kind="text", why=why)))
    (one,) = status(server, task)["journals"]  # type: ignore[misc]
    assert one["losses"] == [
        {**loss, "count": 7, "began": 10.0, "ended": 15.0, "first": 100, "last": 140},
        {"kind": "text", "why": why, "count": 1, "began": None, "ended": None, "first": None, "last": None},
    ]
    lines = server.call("logs.range", task=task, start=0, count=10)["lines"]
    assert "iterations 100 to 102" in lines[0]["text"]


def _json(**fields: object) -> bytes:
    return json.dumps(fields).encode()
