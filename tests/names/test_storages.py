"""Files under every name on every storage: sent, listed, looked at, fetched, alone and in folders."""

import os
import re
from pathlib import Path

import pytest

from tests.names.conftest import file_names
from trialbook import StorageManager
from trialbook.client.places import child_address, path_of, scheme_of
from trialbook.errors import TrialbookError

_NOWHERE_BUT_HERE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""Neither the server nor buckets have names with these: they cannot be listed."""


def written(top: Path) -> dict[str, bytes]:
    """A file under each name, in the folder and below one of this name."""
    made: dict[str, bytes] = {}
    for name in file_names():
        for path in (name, f"below/{name}/{name}"):
            (top / path).parent.mkdir(parents=True, exist_ok=True)
            (top / path).write_bytes(made.setdefault(path, os.fsencode(path)))
    return made


def stored_at(place: str, files: dict[str, bytes]) -> dict[str, bytes]:
    """Those that this place takes."""
    if scheme_of(place) in ("", "file"):
        return files
    return {
        path: data
        for path, data in files.items()
        if not _NOWHERE_BUT_HERE.search(path) and not (scheme_of(place) == "azure" and "\\" in path)
    }


def test_N3_each_file_by_itself(place: str, tmp_path: Path) -> None:
    files = written(tmp_path / "top")
    wanted = stored_at(place, files)
    taken = []
    for path, content in files.items():
        try:
            folder = child_address(place, path.rpartition("/")[0])
            url = StorageManager.upload_file(str(tmp_path / "top" / path), f"{folder.rstrip('/')}/")
        except TrialbookError as error:
            assert re.search("not UTF-8|control characters|backslash", str(error)), path
            continue
        taken.append(path)
        assert url == child_address(place, path)
        assert StorageManager.get_file_size_bytes(url) == len(content)
        copy = StorageManager.get_local_copy(url)
        assert copy is not None and Path(copy).read_bytes() == content, url
    assert taken == list(wanted)
    assert sorted(StorageManager.list(place) or [], key=str) == sorted(wanted)
    addresses = [str(url) for url in StorageManager.list(place, return_full_path=True) or []]
    assert sorted(addresses) == sorted(child_address(place, path) for path in wanted)
    assert all(StorageManager.exists_file(url) for url in addresses), "an address of a list leads to its file"


def test_N3_whole_folders(place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = written(tmp_path / "top")
    wanted = stored_at(place, files)
    answer = StorageManager.upload_folder(str(tmp_path / "top"), place)
    said = capsys.readouterr().out
    assert answer == (place if wanted == files else None)
    assert said.count("was not stored") == len(files) - len(wanted), "each is named"
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", said.replace("\t", "")), "no name commands the terminal"
    down = tmp_path / "down"
    assert StorageManager.download_folder(place, str(down)) == str(down)
    # A file keeps its path below its host.
    top = down / path_of(place).strip("/")
    found = {
        path.relative_to(top).as_posix(): path.read_bytes() for path in down.rglob("*") if path.is_file()
    }
    assert found == wanted
