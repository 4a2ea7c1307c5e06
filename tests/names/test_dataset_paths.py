"""Files of datasets under every name, in the server's files and in a folder, from adding to removing."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.datasets.support import tree
from tests.names.hostile import NAMES
from tests.support.server import RunningServer
from trialbook import Dataset
from trialbook.sdk import connection as connections


@pytest.fixture
def project(server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name, value in server.client_environment(tmp_path).items():
        if name.startswith("TRIALBOOK_") or name == "HOME":
            monkeypatch.setenv(name, value)
    connections.disconnect()
    yield f"Names/{uuid.uuid4().hex[:8]}"
    connections.disconnect()


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


@pytest.mark.parametrize("storage", ["server", "folder"])
def test_N2_files_keep_their_names(
    project: str, tmp_path: Path, storage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    top = tmp_path / "top"
    files = written(top)
    odd = {path for path in files if not path.isascii() and "\udcff" in path}
    whole = {path: data for path, data in files.items() if path not in odd}
    assert len(whole) > 30
    data = Dataset.create(
        "data", project, output_uri=str(tmp_path / "store") if storage == "folder" else None
    )
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
