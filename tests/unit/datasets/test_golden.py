"""Repositories that earlier versions wrote are read for ever."""

import shutil
from pathlib import Path

from tests.unit.datasets.conftest import tree
from trialbook.datasets.folder import FolderBlobs
from trialbook.datasets.repository import Repository

FIRST, SECOND = "a" * 32, "b" * 32


def test_format_1(tmp_path: Path) -> None:
    shutil.copytree(Path(__file__).parent / "golden" / "format-1", tmp_path / "store")
    repository = Repository(FolderBlobs(tmp_path / "store"), tmp_path / "cache")
    files = {
        "text.txt": b"the same words again and again " * 100,
        "sub/empty": b"",
        "sub/run.sh": b"#!/bin/sh\n",
        "ü.bin": bytes(range(256)),
    }
    first = repository.copy(FIRST)
    assert tree(first) == files
    assert (first / "sub/run.sh").stat().st_mode & 0o777 == 0o555
    assert repository.open(SECOND).rows.links == {"far": ("https://example.org/far", '"e"')}
    del files["sub/empty"]
    assert tree(repository.copy(SECOND)) == files | {"text.txt": b"other words " * 200}
    assert repository.verify(FIRST) == repository.verify(SECOND) == []
    found = repository.diff(FIRST, SECOND)
    assert (found.added, found.modified, found.removed) == (["far"], ["text.txt"], ["sub/empty"])
