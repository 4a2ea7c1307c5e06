"""Fills a server with runs through its public methods, quickly and always the same."""

import base64
import json
import math
import random
import time
import urllib.parse
import zlib
from typing import Any

import urllib3


class Filler:
    """A small client: one token, JSON in, ``data`` out."""

    def __init__(self, url: str, access_key: str, secret_key: str) -> None:
        self.url = url
        # One connection for all calls.
        self._http = urllib3.PoolManager(retries=False)
        pair = base64.b64encode(f"{access_key}:{secret_key}".encode()).decode()
        self.token = self._post("auth.login", b"", "application/json", f"Basic {pair}")["token"]

    def _post(self, path: str, body: bytes, kind: str, auth: str, method: str = "POST") -> Any:
        headers = {"Content-Type": kind, "Authorization": auth}
        answer = self._http.request(method, f"{self.url}/{path}", body=body, headers=headers, timeout=60)
        text = answer.data
        if answer.status >= 400:
            raise RuntimeError(f"{path}: {text.decode()[:500]}")
        return json.loads(text).get("data") if text.startswith(b"{") else None

    def call(self, method: str, **params: Any) -> Any:
        """Calls a method."""
        return self._post(method, json.dumps(params).encode(), "application/json", f"Bearer {self.token}")

    def events(self, events: list[dict[str, Any]]) -> Any:
        """Sends events as json-lines."""
        body = "\n".join(json.dumps(event) for event in events).encode()
        return self._post("events.add_batch", body, "application/json-lines", f"Bearer {self.token}")

    def file(self, path: str, content: bytes) -> str:
        """Stores a file and returns its address."""
        quoted = urllib.parse.quote(path)
        self._post(f"files/{quoted}", content, "application/octet-stream", f"Bearer {self.token}", "PUT")
        return f"{self.url}/files/{quoted}"

    def task(self, project: str, name: str, **more: Any) -> str:
        """Makes a task and starts it."""
        task: str = self.call("tasks.create", name=name, project_name=project, **more)["id"]
        self.call("tasks.started", task=task)
        return task


def parameters(**values: Any) -> dict[str, Any]:
    """A section ``General`` of hyper-parameters."""
    items = {
        name: {"section": "General", "name": name, "value": str(value), "type": type(value).__name__}
        for name, value in values.items()
    }
    return {"General": items}


def scalars(
    task: str, metric: str, variant: str, values: list[float], start: float | None = None
) -> list[dict[str, Any]]:
    """One event per value, half a second apart."""
    first = time.time() - 0.5 * len(values) if start is None else start
    return [
        {
            "type": "training_stats_scalar",
            "task": task,
            "metric": metric,
            "variant": variant,
            "iter": i,
            "value": value,
            "timestamp": int((first + 0.5 * i) * 1000),
        }
        for i, value in enumerate(values)
    ]


def curve(points: int, start: float, end: float, noise: float, seed: int) -> list[float]:
    """A noisy exponential approach from ``start`` to ``end``."""
    chance = random.Random(seed)
    return [
        end + (start - end) * math.exp(-4 * i / points) + chance.gauss(0, noise) * (1 - 0.7 * i / points)
        for i in range(points)
    ]


def png(size: int, seed: int) -> bytes:
    """A small grey picture with a blob, so that images are told apart."""
    chance = random.Random(seed)
    x0, y0, radius = chance.random() * size, chance.random() * size, size * (0.2 + 0.2 * chance.random())
    rows = b"".join(
        b"\0"
        + bytes(int(255 * math.exp(-(((x - x0) ** 2 + (y - y0) ** 2) / radius**2))) for x in range(size))
        for y in range(size)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return len(data).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")

    header = size.to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def confusion(seed: int) -> str:
    """A ten by ten matrix as a figure."""
    chance = random.Random(seed)
    names = [str(i) for i in range(10)]
    rows = [
        [chance.randint(80, 100) if r == c else chance.randint(0, 4) for c in range(10)] for r in range(10)
    ]
    trace = {"type": "heatmap", "z": rows, "x": names, "y": names, "showscale": True}
    layout = {
        "title": {"text": "confusion"},
        "xaxis": {"title": {"text": "predicted"}},
        "yaxis": {"autorange": "reversed"},
    }
    return json.dumps({"data": [trace], "layout": layout})


def table() -> str:
    """A table of predictions as a figure."""
    cells = [
        list(range(40)),
        [i % 10 for i in range(40)],
        [(i * 7) % 10 for i in range(40)],
        [0.5 + i / 80 for i in range(40)],
    ]
    trace = {
        "type": "table",
        "header": {"values": ["sample", "label", "predicted", "score"]},
        "cells": {"values": cells},
    }
    return json.dumps({"data": [trace], "layout": {}})


DIFF = """diff --git a/train.py b/train.py
index 3b18e51..a9f2d33 100644
--- a/train.py
+++ b/train.py
@@ -12,7 +12,7 @@ def main() -> None:
     model = build(width=128)
-    optimizer = SGD(lr=0.1)
+    optimizer = Adam(lr=0.001)
     for epoch in range(60):
"""


def one_run(
    server: Filler, name: str, seed: int, rate: float, points: int = 300, end: str = "completed"
) -> str:
    """A whole run with everything that a page can show."""
    task = server.task(
        "vision/digits",
        name,
        tags=["baseline"] if seed == 0 else ["sweep"],
        hyperparams=parameters(lr=rate, batch=64, width=128 + 32 * seed, seed=seed, api_token="s3cret"),
        script={
            "repository": "https://github.com/example/digits.git",
            "branch": "main",
            "version_num": "a9f2d33b18e5167c",
            "entry_point": "train.py",
            "working_dir": ".",
            "binary": "python3.11",
            "diff": DIFF,
            "requirements": {"pip": "numpy==2.1.0\nscikit-learn==1.5.2\ntrialbook==0.1.0"},
        },
        configuration={
            "model": {"name": "model", "type": "json", "value": '{\n  "layers": [128, 64, 10]\n}'}
        },
        comment="Smaller learning rate, wider layers.",
        runtime={"hostname": "gpu-a", "cpu_cores": 16, "gpu_type": "H200", "OS": "Linux", "progress": "63"},
    )
    loss = curve(points, 2.3, 0.12 + 30 * rate, 0.06, seed)
    if seed == 2:
        loss[points // 2] = math.nan
    events = scalars(task, "loss", "train", loss)
    events += scalars(task, "loss", "validation", curve(points, 2.3, 0.2 + 30 * rate, 0.03, seed + 50))
    events += scalars(task, "accuracy", "train", curve(points, 0.1, 0.98 - 5 * rate, 0.01, seed + 100))
    events += scalars(task, "accuracy", "validation", curve(points, 0.1, 0.95 - 5 * rate, 0.01, seed + 150))
    events += scalars(task, "gradient norm", "all", [abs(v) for v in curve(points, 9, 0.4, 0.8, seed + 200)])
    events += scalars(task, "learning rate", "lr", [rate * 0.99**i for i in range(points)])
    events += scalars(task, ":monitor:machine", "cpu_usage", curve(points, 20, 80, 6, seed + 250))
    now = int(time.time() * 1000)
    base = {"task": task, "timestamp": now}
    events.append(
        {
            **base,
            "type": "training_stats_scalar",
            "metric": "Summary",
            "variant": "best accuracy",
            "value": 0.9712,
            "iter": -(2**31),
        }
    )
    events.append(
        {
            **base,
            "type": "plot",
            "metric": "confusion matrix",
            "variant": "validation",
            "iter": points,
            "plot_str": confusion(seed),
        }
    )
    events.append(
        {
            **base,
            "type": "plot",
            "metric": "predictions",
            "variant": "worst",
            "iter": points,
            "plot_str": table(),
        }
    )
    for step in (0, points // 2, points):
        for i in range(6):
            url = server.file(
                f"vision/digits/{name}.{task}/metrics/misclassified/{i}_{step}.png",
                png(28, seed * 97 + i + step),
            )
            events.append(
                {
                    **base,
                    "type": "training_debug_image",
                    "metric": "misclassified",
                    "variant": f"sample {i}",
                    "iter": step,
                    "key": url,
                    "url": url,
                }
            )
    for i in range(400):
        level, text = "info", f"epoch {i // 5} step {i} \x1b[32mloss\x1b[0m {loss[min(i, points - 1)]:.4f}"
        if i % 97 == 50:
            level, text = "warning", "gradient norm is high, clipped to 1.0"
        events.append({**base, "type": "log", "level": level, "msg": text, "timestamp": now + i * 20})
    server.events(events)
    csv = b"sample,label,predicted\n" + b"".join(b"%d,%d,%d\n" % (i, i % 10, (i * 3) % 10) for i in range(50))
    uri = server.file(f"vision/digits/{name}.{task}/artifacts/predictions/predictions.csv", csv)
    server.call(
        "tasks.add_or_update_artifacts",
        task=task,
        force=True,
        artifacts=[
            {
                "key": "predictions",
                "type": "pandas",
                "uri": uri,
                "content_size": len(csv),
                "hash": "ab" * 32,
                "timestamp": now // 1000,
            }
        ],
    )
    weights = server.file(f"vision/digits/{name}.{task}/models/model.bin", b"\0" * 4096)
    model = server.call(
        "models.create", name=f"{name} weights", uri=weights, framework="ScikitLearn", task=task, ready=False
    )["id"]
    server.call("tasks.add_or_update_model", task=task, name="model", type="output", model=model)
    if end:
        server.call(
            f"tasks.{end}", task=task, status_message="out of memory" if end == "failed" else "", force=True
        )
    return task


def fill(server: Filler) -> dict[str, str]:
    """Five runs of one project, one of them still running, and drafts in another."""
    runs = {
        "baseline": one_run(server, "baseline", 0, 1e-3),
        "wide": one_run(server, "wide layers", 1, 3e-3),
        "unstable": one_run(server, "unstable", 2, 1e-2, end="failed"),
        "stopped": one_run(server, "early stop", 3, 2e-3, points=120, end="stopped"),
        "running": one_run(server, "long run", 4, 5e-4, end=""),
    }
    for i in range(3):
        runs[f"draft {i}"] = server.call("tasks.create", name=f"draft {i}", project_name="language/tiny")[
            "id"
        ]
    return runs
