"""What a program reported, as the server has it."""

import json
import urllib.request
from typing import Any

from tests.support.server import RunningServer


def plots(server: RunningServer, task: str) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Figures by title and series, with their iteration as ``iter``; the newest first."""
    ask = {"task": task, "iters": 1000, "no_scroll": True}
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for event in server.call("events.get_task_plots", ask)["plots"]:
        figure = json.loads(event["plot_str"])
        found.setdefault((event["metric"], event["variant"]), []).append({**figure, "iter": event["iter"]})
    return found


def samples(server: RunningServer, task: str) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Pictures and media by title and series, the newest first."""
    listed = server.call("events.get_task_metrics", {"tasks": [task], "event_type": "training_debug_image"})
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for metric in [name for entry in listed["metrics"] for name in entry["metrics"]]:
        ask = {"metrics": [{"task": task, "metric": metric}], "iters": 1000}
        for entry in server.call("events.debug_images", ask)["metrics"]:
            for iteration in entry["iterations"]:
                for event in iteration["events"]:
                    found.setdefault((event["metric"], event["variant"]), []).append(event)
    return found


def content(server: RunningServer, sample: dict[str, Any]) -> bytes:
    """The file behind a sample."""
    ask = urllib.request.Request(sample["url"], headers={"Authorization": f"Bearer {server.token}"})
    with urllib.request.urlopen(ask) as answer:
        data: bytes = answer.read()
    return data
