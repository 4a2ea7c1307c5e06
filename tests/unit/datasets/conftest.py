"""A repository in a folder, and folders of files to put into it."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from trialbook.datasets.repository import Repository
from trialbook.datasets.storage.folder import FolderBlobs

Write = Callable[[Mapping[str, bytes]], Path]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(FolderBlobs(tmp_path / "store"), tmp_path / "cache")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Makes a folder of these files, each time a new one, with mtimes that the stat cache trusts."""
    count = iter(range(1000))

    def make(files: Mapping[str, bytes]) -> Path:
        top = tmp_path / f"source{next(count)}"
        top.mkdir()
        for path, data in files.items():
            file = top / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
            os.utime(file, (1, 1))
        return top

    return make


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()
    }
