"""Artifacts of every type, and what they are when they come back."""

import collections
import datetime
import os
import pathlib
from typing import Any

import numpy as np
import pandas as pd
from clearml import Task
from PIL import Image

Point = collections.namedtuple("Point", "x y")


def objects() -> dict[str, Any]:
    """Each kind of object, and files beside it."""
    folder = pathlib.Path("a folder")
    (folder / "sub").mkdir(parents=True)
    (folder / "one.txt").write_text("one")
    (folder / "sub" / "two.csv").write_text("a,b\n1,2\n")
    pathlib.Path("plain file.txt").write_text("line\n" * 3)
    pathlib.Path("page.html").write_text("<p>x</p>")
    pathlib.Path("table.csv").write_text("a,b\n1,2\n")
    pathlib.Path("some.json").write_text('{"a": 1}')
    pathlib.Path("raw.bin").write_bytes(bytes(range(256)))
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "ü"]})
    return {
        "dict": {"b": 2, "a": [1, 2], "ü": None},
        "int keys": {1: "a"},
        "list": [1, 2],
        "empty dict": {},
        "tuple": (1, 2),
        "named tuple": Point(1, 2),
        "text": "just words",
        "lines": "one\ntwo\n" * 3,
        "number": 5,
        "float": 0.5,
        "flag": True,
        "none": None,
        "date": datetime.date(2024, 1, 2),
        "array": np.arange(6).reshape(2, 3),
        "frame": frame,
        "indexed": frame.set_index("b"),
        "series": frame["a"],
        "image": Image.new("RGB", (4, 4), "red"),
        "set": {1},
        "bytes": b"abc",
        "folder": folder,
        "folder text": "a folder",
        "file": "plain file.txt",
        "path": pathlib.Path("plain file.txt"),
        "html": "page.html",
        "csv": "table.csv",
        "json": "some.json",
        "binary": "raw.bin",
        "wildcard": "*.txt",
        "deep wildcard": "a folder/**",
        "nowhere": "nowhere.txt",
        "lost path": pathlib.Path("nowhere.txt"),
        "link": "https://example.invalid/a/b.txt",
    }


def play(task: Any, answers: Any, tasks: dict[str, str]) -> None:
    """Upload each, read each in a fresh object."""
    kept = objects()
    for name, value in kept.items():
        answers(f"upload {name}", lambda name=name, value=value: task.upload_artifact(name, value))
    answers("metadata", lambda: task.upload_artifact("with metadata", {"a": 1}, metadata={"k": "v", "n": 1}))
    answers("preview", lambda: task.upload_artifact("with preview", {"a": 1}, preview="what it is"))
    answers("preview dict", lambda: task.upload_artifact("preview dict", [1], preview={"a": 1}))
    answers("slash", lambda: task.upload_artifact("a/b c", "words"))
    answers("waits", lambda: task.upload_artifact("waited", [1], wait_on_upload=True))
    answers("yaml", lambda: task.upload_artifact("yaml", {"a": 1}, extension_name=".yaml"))
    answers("csv frame", lambda: task.upload_artifact("csv frame", kept["frame"], extension_name=".csv"))
    answers("parquet", lambda: task.upload_artifact("bad extension", {"a": 1}, extension_name=".zip"))
    answers("own pickle", lambda: task.upload_artifact("pickled", {2}, auto_pickle=True))
    answers("no pickle", lambda: task.upload_artifact("no pickle", {2}, auto_pickle=False))
    answers("again", lambda: task.upload_artifact("number", 6))
    answers("registered", lambda: task.register_artifact("registered", kept["frame"], metadata={"m": "1"}))
    answers("registered here", lambda: list(task.get_registered_artifacts()))
    answers("flushed", lambda: task.flush(wait_for_uploads=True))

    fresh = Task.get_task(task_id=task.id)
    # When a registered table is stored first is each SDK's own; that it is stored is in the record.
    names = sorted(name for name in fresh.artifacts if name != "registered")
    answers("names", lambda: names)
    for name in names:
        artifact = fresh.artifacts[name]
        if name != "link":
            answers(f"get {name}", lambda artifact=artifact: _shown(artifact.get()))
        answers(f"type {name}", lambda artifact=artifact: [artifact.type, artifact.mode, artifact.name])
        answers(f"size {name}", lambda artifact=artifact: [type(artifact.size).__name__, bool(artifact.hash)])
        answers(f"metadata {name}", lambda artifact=artifact: artifact.metadata)
    answers("deleted", lambda: task.delete_artifacts(["flag", "no such"]))
    answers("names after", lambda: sorted({*Task.get_task(task_id=task.id).artifacts} - {"registered"}))


def _shown(value: Any) -> Any:
    if isinstance(value, os.PathLike):
        value = pathlib.Path(value)
    if isinstance(value, pathlib.Path) and value.is_dir():
        return ["folder", *sorted(path.relative_to(value).as_posix() for path in value.rglob("*"))]
    if isinstance(value, pathlib.Path):
        return ["file", value.suffix]
    if isinstance(value, pd.DataFrame):
        return ["frame", value.reset_index().to_dict("list"), list(value.index.names)]
    if isinstance(value, Image.Image):
        return ["image", value.mode, list(value.size)]
    return value
