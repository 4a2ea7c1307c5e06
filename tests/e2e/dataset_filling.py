"""Fills a server with datasets: through the SDK what has bytes, through the methods a long history without any."""

import csv
import random
import sys
from pathlib import Path
from typing import Any

from tests.e2e.filling import Filler, png

MANY = 450


def write_source(folder: Path) -> None:
    """A folder of every kind that the page can look into."""
    chance = random.Random(7)
    for kind in ("cats", "dogs"):
        (folder / "images" / kind).mkdir(parents=True)
        for i in range(12):
            (folder / "images" / kind / f"{kind}_{i:02}.png").write_bytes(png(48, i + len(kind) * 31))
    with (folder / "labels.csv").open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["file", "label", "width", "score"])
        for i in range(300):
            writer.writerow(
                [
                    f"img_{i}.png",
                    chance.choice(["cat", "dog", "cat"]),
                    48,
                    round(chance.gauss(0.5, 0.2), 4) if i % 20 else "",
                ]
            )
    (folder / "README.md").write_text("# Animals\n\nPictures of cats and dogs.\n")
    (folder / "meta.jsonl").write_text("".join(f'{{"id": {i}, "split": "train"}}\n' for i in range(20)))
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (10, 3), }"
    body = header.ljust(117) + "\n"
    (folder / "vectors.npy").write_bytes(
        b"\x93NUMPY\x01\x00" + len(body).to_bytes(2, "little") + body.encode() + bytes(120)
    )
    (folder / "blob.bin").write_bytes(bytes(range(256)) * 40)
    (folder / "parts").mkdir()
    for i in range(MANY):
        (folder / "parts" / f"part_{i:04}.txt").write_text(f"part {i}\n")


SCRIPT = """
import pathlib, sys
sys.path.insert(0, {root!r})
from tests.e2e.dataset_filling import write_source
from trialbook import Dataset, Task
source = pathlib.Path({source!r})
write_source(source)
place = dict(dataset_project="vision/animals", dataset_name="pets", dataset_tags=["images"])
first = Dataset.create(**place, description="Cats and dogs.")
first.add_files(source)
first.upload(show_progress=False)
first.finalize()
(source / "labels.csv").write_text((source / "labels.csv").read_text() + "img_300.png,cat,48,0.9\\n")
(source / "images" / "cats" / "cats_00.png").unlink()
(source / "new.txt").write_text("added\\n")
second = Dataset.create(**place, parent_datasets=[first.id])
second.sync_folder(source)
second.upload(show_progress=False)
second.finalize()
task = Task.init(project_name="vision/animals", task_name="classifier", auto_connect_frameworks=False)
Dataset.get(dataset_id=second.id, alias="pets").get_local_copy()
print("IDS", first.id, second.id, task.id)
task.close()
"""


def fill_datasets(run: Any, folder: Path) -> dict[str, str]:
    """One dataset with two versions, and a task that reads the second.

    Args:
        run: starts a Python program as a client of the server and returns what it printed.
        folder: for the files.
    """
    root = str(Path(__file__).resolve().parents[2])
    printed = run([sys.executable, "-c", SCRIPT.format(root=root, source=str(folder / "source"))])
    first, second, task = next(line for line in printed.splitlines() if line.startswith("IDS")).split()[1:]
    return {"first": first, "second": second, "task": task}


def fill_history(server: Filler, length: int) -> list[str]:
    """A dataset whose versions follow each other, with a side branch off every tenth that is merged five later."""
    ids: list[str] = []
    branch = ""
    for i in range(length):
        parents = ids[-1:] + ([branch] if branch and i % 10 == 5 else [])
        ids.append(_version(server, parents, f"1.{i}.0"))
        if i % 10 == 0:
            branch = _version(server, ids[-1:], f"1.{i}.1")
    return ids


def _version(server: Filler, parents: list[str], version: str) -> str:
    made = server.call("datasets.create", name="long", project="history", parents=parents, version=version)
    id: str = made["dataset"]["id"]
    server.call("datasets.commit", dataset=id, root="", repository="", files=3, bytes=1000)
    return id
