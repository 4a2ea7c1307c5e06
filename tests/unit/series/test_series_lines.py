"""json-lines: the way for whole batches and the way line by line take the same from every body."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialbook.errors import BadRequest
from trialbook.server.series import lines
from trialbook.server.series.arrivals import Collector

NOW = 1_700_000_000.25
TASKS = ["a" * 32, "b" * 32, ""]


@st.composite
def scalars(draw: st.DrawFn) -> dict[str, Any]:
    event: dict[str, Any] = {"type": "training_stats_scalar", "method": "get"}
    event["task"] = draw(st.sampled_from(TASKS))
    event["timestamp"] = draw(st.one_of(st.integers(0, 2**43), st.floats(0, 1e300), st.just(None)))
    event["value"] = draw(st.one_of(st.floats(-1e9, 1e9), st.integers(-5, 5), st.just(None)))
    event["iter"] = draw(st.one_of(st.integers(-(2**31), 2**63 - 1), st.just(None)))
    for name in ("metric", "variant"):
        if draw(st.booleans()):
            event[name] = draw(st.sampled_from(["loss", "acc/1", "", "é", "x\x00y", None]))
    event["model_event"] = draw(st.sampled_from([False, False, True, None]))
    return {name: event[name] for name in draw(st.permutations(list(event)))}


OTHERS = st.sampled_from(
    [
        {"type": "log", "task": "a" * 32, "msg": "text", "level": "ERROR", "timestamp": 5.5},
        {"type": "plot", "task": "b" * 32, "metric": "m", "variant": "v", "iter": 3, "plot_str": "{}"},
        {"type": "plot", "task": "b" * 32, "metric": "m"},
        {"type": "training_debug_image", "task": "a" * 32, "metric": "m", "key": "k", "url": "http://x/y"},
        {"type": "training_stats_vector", "task": "a" * 32, "metric": "m", "values": [1.0, 2], "iter": 1},
        {"type": "unheard of", "task": "a" * 32},
        {"type": "log", "task": "a" * 32, "msg": 7},
    ]
)


def taken(body: bytes, exactly: bool) -> tuple[Any, ...]:
    collector = Collector("worker", NOW)
    if exactly:
        lines._exactly(body, list(lines._pieces(body)), collector)
    else:
        lines.collect(body, collector)
    owners = {}
    for key, arrivals in collector.owners.items():
        ready = arrivals.prepare()
        points = ready.points
        held = None
        if points is not None:
            batch = points.batch
            columns = None
            if batch is not None:
                names = [points.names[at] for at in batch.ids.tolist()]
                columns = (
                    names,
                    batch.starts.tolist(),
                    *(getattr(batch.points, n).tobytes() for n in _COLUMNS),
                )
            singles = {points.names[at]: one for at, one in points.singles.items()}
            held = (sorted(points.names), columns, singles, points.last_iteration)
        owners[key] = (arrivals.total, arrivals.untimed, held, arrivals.events, arrivals.entries)
    return collector.added, collector.errors, owners


_COLUMNS = ("iteration", "time", "value")


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(scalars(), scalars(), scalars(), OTHERS), min_size=1, max_size=30))
def test_both_ways_take_the_same(events: list[dict[str, Any]]) -> None:
    body = "\n".join(json.dumps(event) for event in events).encode()
    assert taken(body, exactly=False) == taken(body, exactly=True)


@settings(max_examples=200, deadline=None)
@given(st.lists(scalars(), min_size=1, max_size=30))
def test_the_way_for_whole_batches_is_taken(events: list[dict[str, Any]]) -> None:
    """Of what the released client writes, where nothing is null."""
    for event in events:
        for name, value in (("timestamp", 1), ("value", 0.5), ("iter", 2), ("metric", "m"), ("variant", "v")):
            if event.get(name) is None:
                event[name] = value
        event["model_event"] = bool(event["model_event"])
    body = "\n".join(json.dumps(event) for event in events).encode()
    want = taken(body, exactly=True)

    def never(*_: object) -> None:
        raise AssertionError("the slow way was taken")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "_exactly", never)
        assert taken(body, exactly=False) == want


def test_a_task_cannot_be_locked_and_open_in_one_batch() -> None:
    event = {"type": "training_stats_scalar", "task": "a" * 32, "timestamp": 1, "value": 1}
    body = "\n".join(json.dumps({**event, "allow_locked": locked}) for locked in (True, False)).encode()
    with pytest.raises(BadRequest, match="allow_locked"):
        lines.collect(body, Collector("", NOW))
