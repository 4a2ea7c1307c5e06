"""What a server holds of the runs of one script, with all that differs between any two runs taken out.

A record is flat: ``{path: value}``, where a path names the place in words, so that a difference can be named.
"""

import json
import re
from typing import Any
from urllib.parse import unquote

from tests.support.server import RunningServer

Flat = dict[str, Any]

LEFT_OUT = {
    # Who, when, where and how it was sent.
    "id", "user", "company", "created", "started", "completed", "last_update", "last_change", "last_worker",
    "last_worker_report", "last_changed_by", "active_duration", "timestamp", "uri", "project", "parent", "task",
    "published", "status_changed", "runtime", "hash", "worker", "metric_hash", "variant_hash", "last_metrics",
    "display_data", "content_size", "ready_time", "data_hash", "hashes", "unique_metrics", "metrics_usage",
}  # fmt: skip
TRACE = ("type", "x", "y", "z", "name", "mode", "text")
TABLE = ("header", "cells")
"""Of a plot's data: what it shows. Colours, margins and fonts are each SDK's taste."""
SCRIPT = ("repository", "branch", "version_num", "tag", "diff")
"""Of the script: which program ran is the same by construction, its packages are those of each environment."""


class Reader:
    """Reads the records of the tasks of one script.

    Args:
        server: it has them.
        tasks: ids of the tasks by the script's names for them.
        secrets: what stands in values and differs between runs: the project, the folder.
    """

    def __init__(self, server: RunningServer, tasks: dict[str, str], secrets: list[str]) -> None:
        self._server, self._tasks, self._secrets = server, tasks, secrets

    def read(self) -> Flat:
        """Everything of every task."""
        flat: Flat = {}
        for name, identity in self._tasks.items():
            found = self._server.call("tasks.get_all_ex", {"id": [identity]})["tasks"]
            if not found:
                flat[f"{name}/deleted"] = True
                continue
            document = self._server.call("tasks.get_by_id", {"task": identity})["task"]
            flat.update(_flat(f"{name}/task", self._clean(self._task(document))))
            flat.update(_flat(f"{name}/metrics", self._clean(self._metrics(document))))
            for kind in ("input", "output"):
                # By the model's own name: how its place at the task is called is each SDK's, and asked by the scripts.
                for entry in (document.get("models") or {}).get(kind) or []:
                    model = self._clean(self._model(entry))
                    flat.update(_flat(f"{name}/models/{kind}/{model['name']}", model))
            flat.update(_flat(f"{name}/plots", self._clean(self._plots(identity))))
            flat.update(_flat(f"{name}/samples", self._clean(self._samples(identity))))
            flat.update(_flat(f"{name}/console", self._clean(self._console(identity))))
        return flat

    def clean_answers(self, answers: dict[str, Any]) -> dict[str, Any]:
        """What the script said without what differs between runs."""
        return {name: self._clean(value) for name, value in answers.items()}

    def _clean(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._clean(item) for key, item in value.items() if key not in LEFT_OUT}
        if isinstance(value, list):
            return [self._clean(item) for item in value]
        if not isinstance(value, str):
            return value
        for secret in self._secrets:
            value = value.replace(secret, "<here>")
        value = re.sub(r"\b[0-9a-f]{32}\b", "<id>", value)
        value = re.sub(r"http://(127\.0\.0\.1|localhost):\d+", "<server>", value)
        value = re.sub(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d([.,]\d+)?(\+\d\d:\d\d)?", "<time>", value)
        return re.sub(r"object at 0x[0-9a-f]+", "object", value)

    def _task(self, document: dict[str, Any]) -> dict[str, Any]:
        execution = dict(document.get("execution") or {})
        artifacts = {entry["key"]: _artifact(entry) for entry in execution.pop("artifacts", None) or []}
        script = document.get("script") or {}
        return {
            **{key: value for key, value in document.items() if key not in ("models", "output", "container")},
            "hyperparams": {
                section: {
                    name: {k: v for k, v in entry.items() if k not in ("section", "name")}
                    for name, entry in entries.items()
                }
                for section, entries in (document.get("hyperparams") or {}).items()
            },
            "container": {key: value for key, value in (document.get("container") or {}).items() if value},
            "execution": execution,
            "script": {key: script.get(key) for key in SCRIPT if script.get(key)},
            "artifacts": artifacts,
        }

    def _metrics(self, document: dict[str, Any]) -> dict[str, Any]:
        kept = ("value", "min_value", "max_value", "min_value_iteration", "max_value_iteration", "count")
        return {
            f"{series['metric']} | {series['variant']}": {key: series.get(key) for key in kept}
            for variants in (document.get("last_metrics") or {}).values()
            for series in variants.values()
        }

    def _model(self, entry: dict[str, Any]) -> dict[str, Any]:
        model = self._server.call("models.get_by_id", {"model": entry["model"]})["model"]
        return {**model, "file": unquote((model.get("uri") or "").rpartition("/")[2])}

    def _plots(self, identity: str) -> dict[str, Any]:
        plots = self._server.call("events.get_task_plots", {"task": identity, "iters": 100})["plots"]
        return {f"{event['metric']} | {event['variant']} | {event['iter']}": _plot(event) for event in plots}

    def _samples(self, identity: str) -> dict[str, Any]:
        reply = self._server.call("events.debug_images", {"metrics": [{"task": identity}], "iters": 100})
        return {
            f"{event['metric']} | {event['variant']} | {event['iter']}": _place(
                event.get("url") or "", identity
            )
            for metric in reply["metrics"]
            for iteration in metric["iterations"]
            for event in iteration["events"]
        }

    def _console(self, identity: str) -> dict[str, Any]:
        reply = self._server.call(
            "events.get_task_log", {"task": identity, "batch_size": 5000, "order": "asc"}
        )
        lines = [line for event in reply["events"] for line in event["msg"].splitlines() if "case " in line]
        levels = {event["level"] for event in reply["events"] if "case " in event["msg"]}
        return {"lines": {line: lines.count(line) for line in lines}, "levels": sorted(levels)}


def _artifact(entry: dict[str, Any]) -> dict[str, Any]:
    data = dict(entry.get("type_data") or {})
    kept = {key: value for key, value in entry.items() if key not in ("key", "type_data", "uri")}
    return {**kept, "type_data": data, "file": unquote((entry.get("uri") or "").rpartition("/")[2])}


def _place(url: str, identity: str) -> str:
    """The name of a file; numbers that keep names apart are out."""
    return re.sub(r"[0-9a-f]{32}|\d{3,}", "<n>", unquote(url.rpartition("/")[2]))


def _plot(event: dict[str, Any]) -> dict[str, Any]:
    figure = json.loads(event["plot_str"]) if event.get("plot_str") else {}
    data = [
        {
            **{key: trace.get(key) for key in TRACE},
            **{key: (trace.get(key) or {}).get("values") for key in TABLE},
        }
        for trace in figure.get("data") or []
    ]
    layout = figure.get("layout") or {}
    axes = {**layout, **(layout.get("scene") or {})}
    titles = {axis: _title(axes.get(axis) or {}) for axis in ("xaxis", "yaxis", "zaxis")}
    return {"data": data, "title": _title(layout), **titles, "height": layout.get("height")}


def _title(of: dict[str, Any]) -> Any:
    title = of.get("title")
    return title.get("text") if isinstance(title, dict) else title


def _flat(path: str, value: Any) -> Flat:
    if isinstance(value, dict) and value:
        return {
            place: item
            for key, inner in value.items()
            for place, item in _flat(f"{path}/{key}", inner).items()
        }
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return _flat(path, {str(place): item for place, item in enumerate(value)})
    # An absent field and an empty one say the same.
    return {} if value in (None, "", [], {}) else {path: value}


def flat_answers(answers: dict[str, Any]) -> Flat:
    """What the script said, by the names of its questions; here None is a word of its own."""
    flat: Flat = {}
    for name, value in answers.items():
        if isinstance(value, dict) and value:
            flat.update(
                {
                    f"{path}": item
                    for path, item in flat_answers(
                        {f"{name}/{key}": item for key, item in value.items()}
                    ).items()
                }
            )
        else:
            flat[f"answers/{name}"] = value
    return flat


def differences(theirs: Flat, ours: Flat) -> dict[str, tuple[Any, Any]]:
    """Paths whose values differ: (the released SDK's, ours); ``...`` stands for nothing at all."""
    return {
        path: (theirs.get(path, "..."), ours.get(path, "..."))
        for path in {**theirs, **ours}
        if not _same(theirs.get(path, "..."), ours.get(path, "..."))
    }


def _same(one: Any, other: Any) -> bool:
    # JSON, since 1 and True are equal in Python and different in a record; 1 and 1.0 are the same number.
    return json.dumps(_number(one), sort_keys=True) == json.dumps(_number(other), sort_keys=True)


def _number(value: Any) -> Any:
    if isinstance(value, list):
        return [_number(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
