"""Files of datasets under every name, on every storage, from adding to removing."""

from pathlib import Path

import pytest

from tests.datasets.support import tree
from tests.names.hostile import NAMES
from tests.names.test_storages import stored_at
from trialbook import Dataset, StorageManager
from trialbook.client.places import child_address, scheme_of


def written(top: Path) -> dict[str, bytes]:
    """A file and a folder under each name that this file system takes."""
    made = {}
    for what, name in NAMES.items():
        if not name or "/" in name or "\0" in name or name in (".", ".."):
            continue
        for path in (name, f"folder {len(made)}/{name}/{name}"):
            file = top / path
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(what.encode())
            except (OSError, UnicodeEncodeError):
                continue
            made[path] = what.encode()
    return made


def test_N2_files_keep_their_names(
    project: str, tmp_path: Path, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    top = tmp_path / "top"
    files = written(top)
    odd = {path for path in files if not path.isascii() and "\udcff" in path}
    whole = {path: data for path, data in files.items() if path not in odd}
    assert len(whole) > 15
    data = Dataset.create("data", project, output_uri=place)
    assert data.add_files(top) == len(whole)
    said = capsys.readouterr().out
    assert not odd or "its name is not UTF-8" in said
    assert data.add_external_files(str(top), dataset_path="linked") == len(whole)
    assert data.finalize(auto_upload=True)
    again = Dataset.get(data.id)
    linked = {f"linked/{path}": content for path, content in whole.items()}
    assert again.list_files() == sorted([*whole, *linked])
    assert tree(again.get_local_copy()) == {**whole, **linked}
    child = Dataset.create("data", project, parent_datasets=[data])
    for path, content in whole.items():
        with again.open(path) as file:
            assert file.read() == content
        assert child.list_files(path) == [path]
        assert child.remove_files(path) == 1, path
    assert child.remove_files("linked") == len(linked) and child.list_files() == []


def test_N2_links_keep_the_names_of_what_they_lead_to(project: str, tmp_path: Path, place: str) -> None:
    top = tmp_path / "top"
    files = {path: data for path, data in written(top).items() if "\udcff" not in path}
    wanted = stored_at(place, files)
    for path in wanted:
        StorageManager.upload_file(str(top / path), child_address(place, path))
    data = Dataset.create("links", project)
    # What is below an HTTP address is not asked.
    below = {} if scheme_of(place) == "http" else wanted
    assert data.add_external_files(place) == len(below)
    for number, path in enumerate(wanted):
        assert data.add_external_files(child_address(place, path), dataset_path=f"alone/{number}") == 1, path
    assert data.finalize(auto_upload=True)
    again = Dataset.get(data.id)
    alone = {f"alone/{number}/{path.rpartition('/')[2]}" for number, path in enumerate(wanted)}
    assert set(again.list_files()) == {*below, *alone}
    found = tree(again.get_local_copy())
    assert {path: data for path, data in found.items() if path not in alone} == below
    assert sorted(found[path] for path in alone) == sorted(wanted.values())
