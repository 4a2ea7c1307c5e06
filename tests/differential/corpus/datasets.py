"""Datasets: versions, files, links, metadata, searches."""

import pathlib
from typing import Any

import pandas as pd
from clearml import Dataset


def play(task: Any, answers: Any, tasks: dict[str, str]) -> None:
    """Make two versions, list and compare them."""
    project = task.get_project_name()
    top = pathlib.Path("source")
    (top / "sub").mkdir(parents=True)
    (top / "a.txt").write_text("a")
    (top / "b ü.csv").write_text("b")
    (top / "sub" / "c.txt").write_text("c")
    first = Dataset.create(
        dataset_name="data", dataset_project=project, dataset_tags=["one"], description="d"
    )
    tasks["first"] = first.id
    answers("add", lambda: first.add_files("source"))
    answers("add again", lambda: first.add_files("source"))
    answers("add below", lambda: first.add_files("source/sub", dataset_path="below"))
    answers("add wildcard", lambda: first.add_files("source", wildcard="*.csv", dataset_path="tables"))
    answers("add one", lambda: first.add_files("source/a.txt", dataset_path="one"))
    answers("add nothing", lambda: first.add_files("nowhere"))
    answers("dirty", first.is_dirty)
    answers("metadata", lambda: first.set_metadata({"classes": [1, 2]}))
    answers("metadata frame", lambda: first.set_metadata(pd.DataFrame({"a": [1]}), metadata_name="frame"))
    answers("upload", lambda: first.upload(show_progress=False))
    answers("not final", first.is_final)
    answers("finalize", first.finalize)
    answers("final", first.is_final)
    answers("version", lambda: first.version)
    answers("files", lambda: sorted(first.list_files()))
    answers("files below", lambda: sorted(first.list_files(dataset_path="sub/*")))
    answers("files by mask", lambda: sorted(first.list_files("*.txt", recursive=False)))
    answers("chunks", first.get_num_chunks)
    answers("add when final", lambda: first.add_files("source"))
    answers("metadata read", lambda: first.get_metadata("metadata"))
    answers("metadata frame read", lambda: first.get_metadata("frame").to_dict("list"))
    answers("no metadata", lambda: first.get_metadata("no such"))
    answers("name", lambda: [first.name, first.project == project, first.tags])
    second = Dataset.create(dataset_name="data", dataset_project=project, parent_datasets=[first.id])
    tasks["second"] = second.id
    answers("inherited", lambda: sorted(second.list_files()))
    (top / "a.txt").write_text("changed")
    (top / "new.txt").write_text("new")
    answers("remove", lambda: second.remove_files("below/*"))
    answers("remove nothing", lambda: second.remove_files("no such"))
    answers("sync", lambda: list(second.sync_folder("source")))
    answers("upload second", lambda: second.upload(show_progress=False, compression=0))
    answers("finalize second", lambda: second.finalize())
    answers("files second", lambda: sorted(second.list_files()))
    answers("removed", lambda: sorted(second.list_removed_files()))
    answers("modified", lambda: sorted(second.list_modified_files()))
    answers("added", lambda: sorted(second.list_added_files()))
    answers("verify", lambda: second.verify_dataset_hash(str(top)))
    answers("graph", lambda: {"ours": len(second.get_dependency_graph())})
    answers("version second", lambda: second.version)

    def content() -> dict[str, str]:
        copy = pathlib.Path(second.get_local_copy())
        return {p.relative_to(copy).as_posix(): p.read_text() for p in sorted(copy.rglob("*")) if p.is_file()}

    answers("copy", content)
    answers("got", lambda: Dataset.get(dataset_name="data", dataset_project=project).id == second.id)
    answers(
        "got version",
        lambda: (
            Dataset.get(dataset_name="data", dataset_project=project, dataset_version="1.0.0").id == first.id
        ),
    )
    answers("got nothing", lambda: Dataset.get(dataset_name="no such", dataset_project=project))
    answers(
        "listed",
        lambda: sorted(
            [row["name"], row["version"], sorted(row)]
            for row in Dataset.list_datasets(dataset_project=project, only_completed=True)
        ),
    )
    answers(
        "squash", lambda: sorted(Dataset.squash("squashed", dataset_ids=[first.id, second.id]).list_files())
    )
    answers("tags", lambda: (second.add_tags(["x"]), second.tags)[1])
    answers("logger", lambda: second.get_logger().report_scalar("s", "s", 1, 1))
    answers("publish", second.publish)
