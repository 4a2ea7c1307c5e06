"""Where files come from: links, folders that cannot be read, names that are patterns, paths of every kind."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from tests.datasets.conftest import Close
from tests.datasets.support import Write, tree
from tests.support.server import RunningServer
from tests.support.unprivileged import obey_permissions
from trialbook import Dataset, StorageManager
from trialbook.errors import NameTaken, SourceChanged, UsageError, WireError

_OBEYING = """
import sys
from trialbook import Dataset
from trialbook.errors import SourceChanged
child = Dataset.create("data", sys.argv[1], parent_datasets=[sys.argv[2]])
try:
    child.sync_folder(sys.argv[3])
except SourceChanged as error:
    print("refused:", error)
print(child.list_files())
print(child.sync_folder(sys.argv[3], raise_on_error=False))
print(child.list_files())
child.finalize(auto_upload=True)
print(child.id)
"""


@pytest.fixture
def data(project: str) -> Dataset:
    return Dataset.create("data", project)


def test_D2_a_file_becomes_a_folder(closed: Close, write: Write, project: str, tmp_path: Path) -> None:
    parent = closed({"labels": b"1", "x": b"2"})
    child = Dataset.create("data", project, parent_datasets=[parent])
    child.add_files(write({"train.txt": b"3"}), dataset_path="labels")
    assert child.list_removed_files() == ["labels"] and child.list_added_files() == ["labels/train.txt"]
    assert child.finalize(auto_upload=True)
    assert tree(Dataset.get(child.id).get_local_copy()) == {"labels/train.txt": b"3", "x": b"2"}
    both = Dataset.squash("both", [parent, child])
    assert tree(both.get_mutable_local_copy(tmp_path / "both") or "") == {"labels/train.txt": b"3", "x": b"2"}
    back = Dataset.create("data", project, parent_datasets=[child, parent])
    assert back.list_files() == ["labels", "x"]


def test_D4_what_cannot_be_read_is_not_gone(
    server: RunningServer, closed: Close, project: str, write: Write, tmp_path: Path
) -> None:
    first = closed({"a": b"1", "gone": b"2", "shut/b": b"3", "shut/deep/c": b"4", "one": b"5"})
    folder = write({"a": b"11", "new": b"6", "shut/b": b"33", "one": b"55"})
    (folder / "shut").chmod(0)
    (folder / "one").chmod(0)
    done = subprocess.run(
        [sys.executable, "-c", _OBEYING, project, first.id, str(folder)],
        env=server.client_environment(tmp_path), capture_output=True, text=True, timeout=120, cwd=tmp_path,
        preexec_fn=obey_permissions,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if not line.startswith("Trialbook")]
    assert lines[0].startswith("refused:") and "shut" in lines[0] and "Nothing was changed" in lines[0]
    assert lines[1] == "['a', 'gone', 'one', 'shut/b', 'shut/deep/c']"
    assert lines[2] == "(1, 1, 1)"
    assert lines[3] == "['a', 'new', 'one', 'shut/b', 'shut/deep/c']"
    assert tree(Dataset.get(lines[4]).get_local_copy()) == {
        "a": b"11", "new": b"6", "one": b"5", "shut/b": b"3", "shut/deep/c": b"4",
    }  # fmt: skip
    assert "Trialbook: shut was left out" in done.stdout


def test_D5_a_snapshot_of_links(data: Dataset, write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    blobs = write({"1f": b"weights", "2e": b"config"})
    snapshot = write({"README.md": b"plain"})
    (snapshot / "onnx").mkdir()
    (snapshot / "model.bin").symlink_to(blobs / "1f")
    (snapshot / "onnx" / "config.json").symlink_to("../config.json")
    (snapshot / "config.json").symlink_to(os.path.relpath(blobs / "2e", snapshot))
    (snapshot / "lost").symlink_to(blobs / "3d")
    (snapshot / "around").symlink_to("around")
    wanted = {
        "README.md": b"plain",
        "model.bin": b"weights",
        "config.json": b"config",
        "onnx/config.json": b"config",
    }
    assert data.add_files(snapshot) == 4
    said = capsys.readouterr().out
    assert (
        "lost was left out: it is a link to" in said
        and "around was left out: it is a link to around, which leads back" in said
    )
    assert data.finalize(auto_upload=True)
    assert tree(data.get_local_copy()) == wanted
    child = Dataset.create("data", data.project, parent_datasets=[data])
    assert child.sync_folder(snapshot) == (0, 0, 0)
    (snapshot / "model.bin").unlink()
    (snapshot / "model.bin").symlink_to(blobs / "9z")
    assert child.sync_folder(snapshot) == (0, 0, 0) and "model.bin" in child.list_files()
    (blobs / "9z").write_bytes(b"others!")
    assert child.sync_folder(snapshot) == (0, 0, 1)


def test_D14_an_exact_name_wins_over_a_pattern(data: Dataset, write: Write, project: str) -> None:
    files = {
        "img[1].png": b"1",
        "img1.png": b"2",
        "run[ab]/x": b"3",
        "runa/x": b"4",
        "*.txt": b"5",
        "a.txt": b"6",
    }
    folder = write(files)
    assert data.add_files(folder, wildcard="img[1].png") == 1 and data.list_files() == ["img[1].png"]
    assert data.add_files(folder / "img[1].png", wildcard="img[1].png") == 0
    data.add_files(folder)
    assert data.list_files("img[1].png") == ["img[1].png"] and data.list_files("run[ab]") == ["run[ab]/x"]
    assert data.remove_files("img[1].png") == 1 and data.remove_files("run[ab]") == 1
    assert data.remove_files("*.txt") == 1
    assert data.list_files() == ["a.txt", "img1.png", "runa/x"]
    assert data.remove_files("*.txt") == 1 and data.remove_files("img[1].png") == 1
    data.add_files(folder)
    data.finalize(auto_upload=True)
    assert tree(data.get_local_copy(files="img[1].png")) == {"img[1].png": b"1"}
    assert dict(data.iterate("run[ab]")) == {"run[ab]/x": b"3"}
    linked = Dataset.create("linked", project)
    linked.add_external_files(f"file://{folder}", wildcard="img[1].png")
    assert linked.list_files() == ["img[1].png"]
    linked.add_external_files(f"file://{folder}")
    urls = {path: entry.link for path, entry in linked.link_entries_dict.items()}
    assert linked.remove_files(urls["img[1].png"]) == 1 and "img1.png" in linked.list_files()


def test_D15_two_stars_are_no_folder_as_well(data: Dataset, write: Write) -> None:
    folder = write({"a.jpg": b"1", "x/b.jpg": b"2", "x/y/c.jpg": b"3", "d.png": b"4"})
    assert data.add_files(folder, wildcard="**/*.jpg") == 3
    assert data.list_files("x/**/*.jpg") == ["x/b.jpg", "x/y/c.jpg"]
    assert data.remove_files("**/b.jpg") == 1 and data.remove_files("**/a.jpg") == 1
    assert data.list_files() == ["x/y/c.jpg"]


def test_D16_a_wildcard_keeps_what_it_stood_for(
    data: Dataset, write: Write, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"train/0.jpg": b"1", "test/0.jpg": b"2", "test/a/0.jpg": b"3", "0.jpg": b"4"}
    folder = write(files)
    assert data.add_files(f"{folder}/*") == 4
    assert data.finalize(auto_upload=True) and tree(data.get_local_copy()) == files
    other = Dataset.create("other", project)
    assert other.add_files(f"{folder}/*/0.jpg", dataset_path="in") == 2
    assert other.list_files() == ["in/test/0.jpg", "in/train/0.jpg"]
    monkeypatch.chdir(folder)
    third = Dataset.create("third", project)
    assert third.add_files("t*") == 3 and third.add_files("**/0.jpg") == 1
    assert third.list_files() == sorted(files)
    fourth = Dataset.create("fourth", project)
    assert fourth.add_files(f"{folder}/*/0.jpg", local_base_folder=folder / "..") == 2
    assert fourth.list_files() == [f"{folder.name}/{path}" for path in ("test/0.jpg", "train/0.jpg")]


def test_D16_links_of_one_call_that_replace_each_other_are_named(
    data: Dataset, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    top = write({"train/0.jpg": b"1", "test/0.jpg": b"2"})
    both = [(top / folder).as_uri() for folder in ("train", "test")]
    assert data.add_external_files(both) == 1
    assert f"{both[0]}/0.jpg gave way to {both[1]}/0.jpg" in capsys.readouterr().out
    assert data.add_external_files([both[0], both[0]], dataset_path="twice") == 1
    assert data.add_external_files(both, dataset_path=["train", "test"]) == 2
    assert "gave way" not in capsys.readouterr().out


def test_D17_an_edited_file_of_the_same_size(data: Dataset, write: Write, project: str) -> None:
    top = write(dict.fromkeys(("same", "edited", "bigger"), b"before"))
    assert data.add_external_files(top.as_uri()) == 3
    data.finalize()
    child = Dataset.create("data", project, parent_datasets=[data])
    assert child.sync_folder(top) == (0, 0, 0)
    copy = write({"same": b"before", "edited": b"after!", "bigger": b"before and after"})
    assert child.sync_folder(copy) == (0, 0, 2)
    assert sorted(child.link_entries_dict) == ["same"]
    child.finalize(auto_upload=True)
    assert tree(child.get_local_copy()) == tree(copy)
    (top / "edited").write_bytes(b"after!")
    again = Dataset.create("data", project, parent_datasets=[data])
    assert again.sync_folder(top) == (0, 0, 1)
    assert sorted(again.link_entries_dict) == ["bigger", "same"]


def _in_place(file: Path) -> None:
    file.write_bytes(b"after!")


def _beside(file: Path) -> None:
    other = file.with_name("other")
    other.write_bytes(b"after!")
    other.replace(file)


@pytest.mark.parametrize("edit", [_in_place, _beside])
@pytest.mark.parametrize("single", [False, True], ids=["folder", "files"])
def test_D17_an_edit_whose_time_was_set_back(
    data: Dataset, write: Write, project: str, edit: Callable[[Path], None], single: bool
) -> None:
    top = write(dict.fromkeys(("same", "a/edited"), b"before"))
    if single:
        assert data.add_external_files([(top / "same").as_uri()]) == 1
        assert data.add_external_files([(top / "a/edited").as_uri()], dataset_path="a") == 1
    else:
        assert data.add_external_files(top.as_uri()) == 2
    data.finalize()
    facts = (top / "a/edited").stat()
    edit(top / "a/edited")
    os.utime(top / "a/edited", ns=(facts.st_atime_ns, facts.st_mtime_ns))
    child = Dataset.create("data", project, parent_datasets=[data])
    assert child.sync_folder(top) == (0, 0, 1)
    assert sorted(child.link_entries_dict) == ["same"]
    child.finalize(auto_upload=True)
    (top / "a/edited").write_bytes(b"later!")
    assert tree(child.get_local_copy()) == {"same": b"before", "a/edited": b"after!"}


def test_D17_a_copy_asks_for_size_and_modification_time(data: Dataset, write: Write, project: str) -> None:
    top = write({"a": b"before", "b": b"before"})
    data.add_external_files(top.as_uri())
    data.finalize()
    # Rights are no content, and neither is the place where another machine has the file.
    (top / "a").chmod(0o600)
    assert tree(data.get_local_copy()) == tree(top)
    other = Dataset.create("data", project, parent_datasets=[data])
    assert other.sync_folder(write(tree(top))) == (0, 0, 0)
    (top / "b").write_bytes(b"after!")
    with pytest.raises(SourceChanged, match="has changed since"):
        data.get_mutable_local_copy(top.parent / "mine")


def test_D18_nothing_is_not_everything(
    data: Dataset, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = write({"x": b"1", "y": b"2"})
    data.add_files(here)
    monkeypatch.chdir(here)
    assert data.add_external_files(["file://", "file:///a%00b"]) == 0
    for empty in ("",):
        for call in (
            lambda e: data.remove_files(e),
            lambda e: data.add_files(e),
            lambda e: data.sync_folder(e),
            lambda e: data.add_external_files(e),
            lambda e: data.add_external_files(["file:///etc/hostname", e]),
        ):
            with pytest.raises(UsageError, match="name a path"):
                call(empty)
    elsewhere = tmp_path / "elsewhere"
    for source, target in (("", str(elsewhere)), (str(here), "")):
        with pytest.raises(UsageError, match="is empty; name a path or an address"):
            StorageManager.upload_folder(source, target, match_wildcard="none")
    with pytest.raises(UsageError, match="remote_url is empty"):
        StorageManager.upload_file(str(here / "x"), "")
    assert StorageManager.list("") is StorageManager.get_local_copy("") is None
    assert StorageManager.download_folder("", str(elsewhere)) is None and not elsewhere.exists()
    assert data.list_files() == ["x", "y"] and data.finalize(auto_upload=True)
    with pytest.raises(UsageError, match="name a path"):
        data.get_mutable_local_copy("", overwrite=True)
    assert (here / "x").exists()


def test_D19_paths_of_every_kind(data: Dataset, write: Write, project: str, tmp_path: Path) -> None:
    top = write({"a/x": b"1", "y": b"2"})
    assert data.add_files(top, dataset_path="./in/") == 2
    assert data.add_files(top / "y", dataset_path=Path("one")) == 1  # type: ignore[arg-type]
    assert data.add_files(top / "a", local_base_folder=top, dataset_path=Path("./two")) == 1
    assert data.add_external_files(top / "y", dataset_path=Path("linked")) == 1
    assert data.add_external_files([top / "y"], dataset_path=[Path("./more")]) == 1
    assert data.add_external_files(PurePosixPath(top, "y"), dataset_path=PurePosixPath("more")) == 0  # type: ignore[arg-type]
    assert data.list_files() == ["in/a/x", "in/y", "linked/y", "more/y", "one/y", "two/a/x"]
    assert data.list_files(Path("in")) == data.list_files("./in") == ["in/a/x", "in/y"]
    assert data.remove_files(Path("more")) == 1 and data.remove_files("./one/y") == 1
    assert data.sync_folder(top, Path("./in")) == (0, 0, 0)
    data.upload(output_url=tmp_path / "elsewhere")  # type: ignore[arg-type]
    data.finalize()
    assert data.open(Path("in/y")).read() == b"2"
    assert tree(data.get_local_copy(files=Path("in/a"))) == {"in/a/x": b"1"}
    target = data.get_mutable_local_copy(tmp_path / "copy")
    assert data.verify_dataset_hash(Path(str(target))) == []
    assert Dataset.squash("flat", [data], output_url=tmp_path / "flat").list_files() == data.list_files()  # type: ignore[arg-type]
    seventh = Dataset.create("data", project, dataset_version=7, output_uri=tmp_path / "out")  # type: ignore[arg-type]
    assert seventh.version == "7"
    seventh.finalize()
    assert Dataset.get(dataset_project=project, dataset_name="data", dataset_version=7).id == seventh.id  # type: ignore[arg-type]
    deep = Dataset.create("sets/digits", project)
    deep.finalize()
    assert Dataset.get(dataset_project=project, dataset_name="sets/digits").id == deep.id
    assert Dataset.get(deep.id).name == "sets/digits" and deep.version == "1.0.0"
    assert {one["name"] for one in Dataset.list_datasets(project)} == {"data", "flat", "sets/digits"}
    Dataset.rename("sets/mnist", project, "sets/digits")
    assert Dataset.get(deep.id).name == "sets/mnist" and Dataset.get(deep.id).project == project
    for bad in ("/x", "x/", "x//y", "x/ /y", "/", ".datasets", "x/.datasets/y"):
        with pytest.raises((UsageError, WireError), match="name"):
            Dataset.create(bad, project)
    half = Dataset.create("data", project, dataset_version=7.5)  # type: ignore[arg-type]
    assert half.version == "7.5"
    assert Dataset.create("blank", project, dataset_version="").version == "1.0.0"
    padded = Dataset.create("blank", project, dataset_version=" 2.0.0 ")
    assert padded.version == "2.0.0"
    assert Dataset.get(dataset_project=project, dataset_name="blank", dataset_version="").id == padded.id


def test_D20_a_name_that_is_taken(closed: Close, project: str) -> None:
    one, two = closed({"x": b"1"}, name="one"), closed({"y": b"2"}, name="two")
    with pytest.raises(NameTaken, match="there is a dataset 'two'"):
        Dataset.rename("two", project, "one")
    Dataset.move_to_project(f"{project}/other", project, "two")
    Dataset.rename("two", project, "one")
    with pytest.raises(NameTaken):
        Dataset.move_to_project(f"{project}/other", project, "two")
    Dataset.rename("two", project, "two")
    assert [(Dataset.get(it.id).name, Dataset.get(it.id).project) for it in (one, two)] == [
        ("two", project), ("two", f"{project}/other"),
    ]  # fmt: skip
    assert [one["version"] for one in Dataset.list_datasets(project, "two")] == ["1.0.0", "1.0.0"]


def test_D20_versions_that_are_moved_one_by_one(closed: Close, project: str, server: RunningServer) -> None:
    """As the released SDK moves a dataset: task by task, by the project that it names."""
    one, two = closed({"x": b"1"}, name="one"), closed({"y": b"2"}, name="two")
    closed({"x": b"3"}, one, name="one")
    here = [server.call("tasks.get_by_id", task=it.id)["task"]["project"] for it in (one, two)]
    later = Dataset.get(dataset_project=project, dataset_name="one").id
    # The one that would fit stays with the one that would not.
    asks: list[tuple[str, dict[str, object]]] = [
        ("tasks.move", {"ids": ids, "project": here[1]}) for ids in ([later], [one.id], [later, one.id])
    ]
    asks += [
        (f"tasks.{verb}", {"task": later, "project": here[1], "force": True}) for verb in ("edit", "update")
    ]
    asks.append(("projects.merge", {"project": here[0], "destination_project": here[1]}))
    for method, ask in asks:
        meta = server.ask(method, ask).json()["meta"]
        assert meta["error_class"] == "NameTaken" and "'two' there has a version 1.0.0" in meta["result_msg"]
    listed = [(it["name"], it["version"]) for it in Dataset.list_datasets(project)]
    assert sorted(listed) == [("one", "1.0.0"), ("one", "1.0.1"), ("two", "1.0.0")]
    new = server.call(
        "projects.create", name=f"{project}/new/.datasets/one", system_tags=["dataset", "hidden"]
    )
    for id in (one.id, later):
        server.call("tasks.move", ids=[id], project=new["id"])
    assert [it["version"] for it in Dataset.list_datasets(f"{project}/new")] == ["1.0.1", "1.0.0"]
    server.call("tasks.move", ids=[two.id], project_name=f"{project}/plain")


def test_D20_case_makes_another_name(closed: Close, project: str) -> None:
    one, two = closed({"x": b"1"}, name="Straße"), closed({"y": b"2"}, name="other")
    for name in ("straße", "STRASSE", "straße", "Straße"):
        before = Dataset.get(one.id).name
        Dataset.rename(name, project, str(before))
        assert Dataset.get(one.id).name == name
        assert Dataset.get(dataset_name=name, dataset_project=project).id == one.id
        if before != name:
            with pytest.raises(UsageError, match="there is no dataset"):
                Dataset.get(dataset_name=before, dataset_project=project)
    # Names that differ in case only are two, as those of projects and files are, and stay so.
    Dataset.rename("straße", project, "other")
    assert {it.id: Dataset.get(it.id).name for it in (one, two)} == {one.id: "Straße", two.id: "straße"}
    with pytest.raises(NameTaken, match="there is a dataset 'Straße'"):
        Dataset.rename("Straße", project, "straße")
    Dataset.move_to_project(project.upper(), project, "straße")
    Dataset.rename("Straße", project.upper(), "straße")
    assert Dataset.get(dataset_name="Straße", dataset_project=project).id == one.id
    assert Dataset.get(dataset_name="Straße", dataset_project=project.upper()).id == two.id


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_D6_links_to_names_that_look_encoded(project: str, write: Write, scheme: str) -> None:
    files = {name: name.encode() for name in ("g%20h.txt", "g h.txt", "a#1", "a?b", "100%", "s/%2520", "ü%")}
    folder = write(files)
    source = folder.as_uri() if scheme else str(folder)
    data = Dataset.create("links", project)
    assert data.add_external_files(source) == len(files)
    data.finalize()
    assert tree(data.get_local_copy()) == files
    found = StorageManager.list(source, return_full_path=True) or []
    assert sorted(
        Path(StorageManager.get_local_copy(str(url)) or "").read_bytes() for url in found
    ) == sorted(files.values())
    if scheme:
        child = Dataset.create("links", project, parent_datasets=[data])
        # As the addresses are kept, and as people write them.
        for address in (
            f"{source}/g%2520h.txt",
            f"file://{folder}/a#1",
            f"file://{folder}/ü%25",
            f"{source}/s/",
        ):
            assert child.remove_files(address) == 1
        assert child.list_files() == ["100%", "a?b", "g h.txt"]
        assert (
            child.remove_files(f"file://{folder}/a?b") == 1 and child.remove_files(f"file://{folder}/g*") == 1
        )
