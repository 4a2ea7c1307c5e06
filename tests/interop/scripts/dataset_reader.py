"""Reads the highest version of a dataset in every way, then makes a child of it."""

import hashlib
import json
import os
import sys
from pathlib import Path

from clearml import Dataset

project, name = sys.argv[1:3]


def tree(folder):
    top = Path(folder)
    found = sorted(file for file in top.rglob("*") if file.is_file())
    return {file.relative_to(top).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in found}


def version(text=None):
    return Dataset.get(dataset_project=project, dataset_name=name, dataset_version=text)


data = version()
answer = {
    "id": data.id,
    "version": data.version,
    "files": data.list_files(),
    "tree": tree(data.get_local_copy()),
    "wrong": data.verify_dataset_hash(),
    "added": data.list_added_files(),
    "removed": data.list_removed_files(),
    "modified": data.list_modified_files(),
    "chunks": data.get_num_chunks(),
    "graph": data.get_dependency_graph(),
    "final": data.is_final(),
    "hashes": {path: entry.hash for path, entry in data.file_entries_dict.items()},
    "first": tree(version("1.0.0").get_local_copy()),
    "parts": [tree(data.get_local_copy(part=part, num_parts=2)) for part in range(2)],
    "listed": [one["version"] for one in Dataset.list_datasets(dataset_project=project, partial_name=name)],
}
mine = Path(data.get_mutable_local_copy("mine"))
(mine / "child.txt").write_text("from the child")
(mine / "sub" / "b.csv").write_text("changed by the child")
(mine / "a.txt").unlink()
child = Dataset.create(dataset_name=name, dataset_project=project, parent_datasets=[data.id])
answer["synced"] = list(child.sync_folder(str(mine)))
child.upload(show_progress=False)
child.finalize()
answer["child"] = child.id
answer["child_version"] = child.version
answer["child_tree"] = tree(Dataset.get(dataset_id=child.id).get_local_copy())
answer["child_added"] = child.list_added_files()
Path(os.environ["RESULT"]).write_text(json.dumps(answer))
