"""What goes with a deleted version: stored files, links, and what only clients can free."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.datasets.conftest import Close
from tests.datasets.support import Write, tree
from tests.support.server import RunningServer
from trialbook import Dataset
from trialbook.base.ids import new_id
from trialbook.errors import UsageError
from trialbook.sdk.dataset.members import creation, query


def clean(server: RunningServer, home: Path, *options: str) -> tuple[int, dict[str, Any], str]:
    """``trialbook data clean``: exit status, document, what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "trialbook", "data", "clean", "--json", *options],
        env=server.client_environment(home),
        capture_output=True,
        text=True,
    )
    return done.returncode, json.loads(done.stdout), done.stderr


def test_clean_frees_what_the_page_deleted(
    project: str, write: Write, server: RunningServer, home: Path
) -> None:
    folder = home / "shared"

    def version(files: dict[str, bytes], *parents: Dataset) -> Dataset:
        made = Dataset.create("data", project, parent_datasets=parents, output_uri=str(folder))
        made.add_files(write(files))
        made.finalize(auto_upload=True)
        return made

    first = version({"x": b"first"})
    child = version({"y": b"second"}, first)
    alone = version({"z": b"third"})
    packs = lambda one: list(folder.glob(f"**/packs/{one.id}/*.zip"))  # noqa: E731
    for one in (first, alone):
        server.call("datasets.delete", dataset=one.id, force=True)
    assert packs(first) and packs(alone), "the server does not reach them"
    status, said, _ = clean(server, home, "--dry-run")
    assert status == 0 and said["freed"] == 0 and packs(alone)
    assert {first.id, alone.id} <= {one["id"] for one in said["waiting"]}
    status, said, _ = clean(server, home)
    assert (status, said["waiting"]) == (0, []) and said["freed"] > 0
    assert not packs(alone) and packs(first), "the child needs the pack of its parent"
    assert tree(child.get_local_copy()) == {"x": b"first", "y": b"second"}
    server.call("datasets.delete", dataset=child.id)
    assert clean(server, home)[0] == 0
    assert not packs(first) and not packs(child)


def test_clean_tells_what_it_cannot_reach(project: str, server: RunningServer, home: Path) -> None:
    made = server.call("datasets.create", name="far", project=project)["dataset"]["id"]
    far = "ftp://nowhere/trialbook-datasets"
    server.call("datasets.commit", dataset=made, root="0" * 64, repository=far)
    server.call("datasets.delete", dataset=made)
    status, said, errors = clean(server, home)
    assert status == 1 and said["waiting"] == [{"id": made, "repository": far}]
    assert made in errors and "not supported" in errors
    server.call("datasets.swept", owners=[made])


@pytest.mark.covers("DS-05g", "DS-05i", "XD-4")
def test_only_links_of_its_own_go(project: str, write: Write) -> None:
    first, second = write({"first": b"1"}), write({"second": b"2"})
    parent = Dataset.create("data", project)
    parent.add_external_files(f"file://{first}")
    parent.finalize()
    child = Dataset.create("data", project, parent_datasets=[parent])
    child.add_external_files(f"file://{second}")
    child.finalize()
    assert Dataset.delete(child.id, delete_external_files=True) is None
    assert (first / "first").exists() and not (second / "second").exists()
    Dataset.delete(parent.id)
    assert (first / "first").exists()


@pytest.mark.covers("DS-05h")
def test_a_shallow_search(closed: Close, project: str, monkeypatch: pytest.MonkeyPatch) -> None:
    highest = closed({"x": b"1"}, dataset_version="9.0.0")
    others = [closed({"x": b"%d" % n}, dataset_version=f"1.0.{n}") for n in range(3)]
    monkeypatch.setattr(creation, "_SHALLOW", 3)
    monkeypatch.setattr(query, "_PAGE", 3)
    named = {"dataset_project": project, "dataset_name": "data"}
    assert Dataset.get(**named).id == highest.id  # type: ignore[arg-type]
    assert Dataset.get(**named, shallow_search=True).id == others[2].id  # type: ignore[arg-type]
    Dataset.delete(**named, shallow_search=True, entire_dataset=True, force=True)  # type: ignore[arg-type]
    assert [one["id"] for one in Dataset.list_datasets(project)] == [highest.id]


@pytest.mark.covers("M-6")
def test_a_childs_loss_is_told(closed: Close, server: RunningServer) -> None:
    parent = closed({"x": b"1"})
    child = closed({"y": b"2"}, parent)
    Dataset.delete(parent.id, force=True)
    (pack,) = server.data.glob(f"files/**/packs/{parent.id}/*.zip")
    pack.unlink()
    with pytest.raises(Exception, match=parent.id):
        child.get_local_copy()
    assert any(parent.id in problem or "x" in problem for problem in child.verify_storage())


@pytest.mark.covers("DS-05a", "XD-5")
def test_an_unknown_id_deletes_nothing(closed: Close, project: str) -> None:
    data = closed({"x": b"1"})
    for wrong in ({"dataset_id": new_id()}, {"dataset_id": data.id, "dataset_name": "data"}, {}):
        with pytest.raises(UsageError):
            Dataset.delete(**wrong)  # type: ignore[arg-type]
    assert tree(data.get_local_copy()) == {"x": b"1"}
