"""Going from sample to sample, vectors, and names over several tasks, on both databases."""

import json
from typing import Any

import pytest
from tests.support.server import RunningServer


def add(server: RunningServer, events: list[dict[str, Any]]) -> None:
    body = "\n".join(json.dumps(event) for event in events).encode()
    reply = server.ask("events.add_batch", body=body, headers={"Content-Type": "application/json-lines"})
    assert reply.json()["meta"]["result_code"] == 200, reply.json()


def new(server: RunningServer) -> str:
    return str(server.call("tasks.create", name="samples", type="training")["id"])


@pytest.mark.parametrize("noun", ["debug_image", "plot"])
def test_from_sample_to_sample(server: RunningServer, noun: str) -> None:
    task = new(server)
    kind = {"debug_image": "training_debug_image", "plot": "plot"}[noun]
    places = [(1, "a", "x"), (1, "a", "y"), (1, "b", "x"), (2, "a", "x"), (2, "b", "x"), (4, "a", "y")]
    add(
        server,
        [
            {
                "type": kind,
                "task": task,
                "iter": iteration,
                "metric": metric,
                "variant": variant,
                "url": f"http://host/{iteration}{metric}{variant}",
                "plot_str": "{}",
            }
            for iteration, metric, variant in places
        ],
    )

    def place(reply: dict[str, Any]) -> tuple[int, str, str]:
        return (reply["event"]["iter"], reply["event"]["metric"], reply["event"]["variant"])

    ask = {"task": task, "metric": "a", "variant": "y", "navigate_current_metric": False}
    reply = server.call(f"events.get_{noun}_sample", ask)
    assert place(reply) == (4, "a", "y")
    back = [place(reply)]
    while reply["event"] is not None:
        reply = server.call(f"events.next_{noun}_sample", task=task, scroll_id=reply["scroll_id"])
        back += [place(reply)] if reply["event"] else []
    assert back == places[::-1]
    # The end stays where it is, so the way forward begins there.
    forward = []
    while True:
        reply = server.call(
            f"events.next_{noun}_sample", task=task, scroll_id=reply["scroll_id"], navigate_earlier=False
        )
        if reply["event"] is None:
            break
        forward.append(place(reply))
    assert forward == places[1:]
    # Within one metric, and by whole iterations.
    reply = server.call(f"events.get_{noun}_sample", task=task, metric="a", variant="x", iteration=1)
    assert (reply["min_iteration"], reply["max_iteration"]) == (1, 2)
    seen = []
    for _ in range(2):
        reply = server.call(
            f"events.next_{noun}_sample",
            task=task,
            scroll_id=reply["scroll_id"],
            navigate_earlier=False,
            next_iteration=True,
        )
        seen.append(place(reply))
    assert seen == [(2, "a", "x"), (4, "a", "y")]
    refusal = server.ask(f"events.next_{noun}_sample", {"task": task, "scroll_id": "nonsense"})
    assert refusal.json()["meta"]["result_code"] == 400


def test_vectors(server: RunningServer) -> None:
    task = new(server)
    add(
        server,
        [
            {
                "type": "training_stats_vector",
                "task": task,
                "metric": "weights",
                "variant": "layer",
                "iter": iteration,
                "values": [iteration, 0.5, -1],
            }
            for iteration in (3, 1, 2)
        ],
    )
    names = server.call("events.get_vector_metrics_and_variants", task=task)["metrics"]
    assert names == {"weights": ["layer"]}
    ask = {"task": task, "metric": "weights", "variant": "layer"}
    reply = server.call("events.vector_metrics_iter_histogram", ask)
    assert reply["iterations"] == [1, 2, 3]
    assert reply["vectors"] == [[n, 0.5, -1] for n in (1, 2, 3)]
    assert server.call("events.vector_metrics_iter_histogram", ask, samples=2)["iterations"] == [2, 3]
    nothing = server.call("events.vector_metrics_iter_histogram", {**ask, "variant": "other"})
    assert nothing["iterations"] == nothing["vectors"] == []


def test_names_of_several_tasks(server: RunningServer) -> None:
    one, two = new(server), new(server)
    scalar = {"type": "training_stats_scalar", "iter": 1, "value": 1, "timestamp": 5}
    add(
        server,
        [
            {**scalar, "task": one, "metric": "loss", "variant": "train"},
            {**scalar, "task": two, "metric": "loss", "variant": "val"},
            {"type": "plot", "task": two, "metric": "roc", "variant": "v", "iter": 1, "plot_str": "{}"},
        ],
    )
    both = server.call("events.get_multi_task_metrics", tasks=[one, two])["metrics"]
    assert both == [
        {"metric": "loss", "variants": ["train", "val"]},
        {"metric": "roc", "variants": ["v"]},
    ]
    plots = server.call("events.get_multi_task_metrics", tasks=[one, two], event_type="plot")["metrics"]
    assert plots == [{"metric": "roc", "variants": ["v"]}]


def test_the_points_of_one_metric(server: RunningServer) -> None:
    task = new(server)
    scalar = {"type": "training_stats_scalar", "task": task, "timestamp": 5}
    add(
        server,
        [{**scalar, "metric": m, "variant": v, "iter": n, "value": n} for n in range(7) for m, v in _SERIES],
    )
    found: list[dict[str, Any]] = []
    scroll = None
    while True:
        ask = {"task": task, "metric": "loss", "batch_size": 5, "scroll_id": scroll}
        reply = server.call("events.get_scalar_metric_data", ask)
        assert reply["total"] == 14
        found += reply["events"]
        scroll = reply["scroll_id"]
        if not reply["returned"]:
            break
    assert [(one["variant"], one["iter"], one["value"]) for one in found] == [
        (variant, n, n) for variant in ("a", "b") for n in range(7)
    ]
    server.call("events.clear_scroll", scroll_id=scroll)


_SERIES = (("loss", "a"), ("loss", "b"), ("accuracy", "a"))


def test_T36_the_plots_of_a_metric(server: RunningServer) -> None:
    task = str(server.call("tasks.create", name="plots", type="training", project_name="samples")["id"])
    for n, (iteration, metric, variant) in enumerate(
        [(1, "m", "p"), (1, "m", "q"), (1, "n", "p"), (3, "m", "p"), (3, "m", "q"), (4, "n", "q")]
    ):
        event = {"type": "plot", "task": task, "iter": iteration, "timestamp": 1_795_169_520_000 + n}
        server.call("events.add", {**event, "metric": metric, "variant": variant, "plot_str": f"{n}"})

    def shown(reply: Any) -> list[tuple[int, str, str]]:
        return [(event["iter"], event["metric"], event["variant"]) for event in reply["events"]]

    whole = server.call("events.get_plot_sample", task=task, metric="m")
    assert shown(whole) == [(3, "m", "p"), (3, "m", "q")] and whole["event"] == whole["events"][-1]
    assert (whole["min_iteration"], whole["max_iteration"]) == (1, 3)
    first = server.call("events.get_plot_sample", task=task, metric="m", iteration=2)
    assert shown(first) == [(1, "m", "p"), (1, "m", "q")]
    one = server.call("events.get_plot_sample", task=task, metric="m", variant="p")
    assert shown(one) == [(3, "m", "p")]
    earlier = server.call("events.next_plot_sample", task=task, scroll_id=whole["scroll_id"])
    assert shown(earlier) == [(1, "m", "p"), (1, "m", "q")]
    later = server.call(
        "events.next_plot_sample", task=task, scroll_id=earlier["scroll_id"], navigate_earlier=False
    )
    assert shown(later) == [(3, "m", "p"), (3, "m", "q")]
    walk = server.call("events.get_plot_sample", task=task, metric="m", navigate_current_metric=False)
    seen = []
    while walk["events"]:
        seen.append(shown(walk))
        walk = server.call("events.next_plot_sample", task=task, scroll_id=walk["scroll_id"])
    assert seen == [
        [(3, "m", "p"), (3, "m", "q")],
        [(1, "n", "p")],
        [(1, "m", "p"), (1, "m", "q")],
    ]
    assert server.call("events.get_plot_sample", task=task, metric="none")["events"] == []
