"""Repositories that earlier versions wrote are read for ever."""

import random
import shutil
from pathlib import Path

from tests.unit.datasets.conftest import tree
from trialbook.datasets.repository import Repository
from trialbook.datasets.storage.folder import FolderBlobs

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


def test_format_2(tmp_path: Path) -> None:
    shutil.copytree(Path(__file__).parent / "golden" / "format-2", tmp_path / "store")
    repository = Repository(FolderBlobs(tmp_path / "store"), tmp_path / "cache")
    block = bytes(random.Random(2).choices(b"ACGT", k=200_000))
    one = block * 44
    two = one[:4_000_000] + b"something new" + one[4_000_000:]
    expected = {"a" * 32: (93, one), "b" * 32: (255, two), "c" * 32: (255, b"in front" + two)}
    for version, (how, data) in expected.items():
        assert repository.open(version).rows.data["method"].tolist() == [how, 0]
        assert tree(repository.copy(version)) == {"large.bin": data, "small": version.encode()}
        assert repository.verify(version) == []
    assert len(repository.open("c" * 32).root.packs) == 3
