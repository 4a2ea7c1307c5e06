"""Scanning a folder: what is taken, what is left out and why."""

import os
from pathlib import Path

import numpy as np
import pytest

from trialbook.datasets.scan import scan_file, scan_folder
from trialbook.datasets.stat_cache import StatCache
from trialbook.errors import DatasetMissing


def test_sorted_by_bytes_of_the_path(tmp_path: Path) -> None:
    for path in ("a/b", "a.txt", "a-c/d", "é", "z"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(path)
    scan = scan_folder(tmp_path)
    assert scan.paths == sorted(scan.paths, key=str.encode) == ["a-c/d", "a.txt", "a/b", "z", "é"]
    assert scan.facts["size"].tolist() == [5, 5, 3, 1, 2]
    assert scan_folder(tmp_path, recursive=False).paths == ["a.txt", "z", "é"]


def test_what_is_left_out_is_named(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "sub").mkdir(parents=True)
    (tree / "real").write_text("x")
    (tmp_path / "outside").write_text("secret")
    (tree / "inside").symlink_to("real")
    (tree / "out").symlink_to(tmp_path / "outside")
    (tree / "dangling").symlink_to("nowhere")
    (tree / "sub" / "loop").symlink_to(tree)
    os.mkfifo(tree / "pipe")
    Path(os.fsdecode(os.fsencode(tree) + b"/\xff\xfe")).write_text("x")
    scan = scan_folder(tree)
    assert scan.paths == ["inside", "real"]
    assert {item.path: item.why for item in scan.skipped} == {
        "out": "it is a link out of the tree",
        "dangling": "it is a link to nothing",
        "sub/loop": "it is a link to a folder",
        "pipe": "it is no regular file",
        "\\xff\\xfe": "its name is not UTF-8",
    }


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(DatasetMissing):
        scan_folder(tmp_path / "no")
    with pytest.raises(DatasetMissing):
        scan_file(tmp_path / "no")
    (tmp_path / "f").write_text("abc")
    assert scan_file(tmp_path / "f").facts["size"].tolist() == [3]


def test_stat_cache_forgets_what_may_have_changed(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    for name in ("old", "touched", "fresh"):
        (tree / name).write_text(name)
    for name in ("old", "touched"):
        os.utime(tree / name, (1, 1))
    scan = scan_folder(tree)
    digests = np.arange(1, 13, dtype="<u8").reshape(3, 4)
    cache = StatCache(tmp_path / "cache")
    cache.remember(scan, digests, digests)
    os.utime(tree / "touched", (2, 2))
    (tree / "new").write_text("new")
    again = scan_folder(tree)
    found = cache.recall(again)
    assert dict(zip(again.paths, found.b3.any(axis=1).tolist(), strict=True)) == {
        "fresh": False,
        "new": False,
        "old": True,
        "touched": False,
    }
    assert (found.b3[again.paths.index("old")] == digests[scan.paths.index("old")]).all()
    for file in (tmp_path / "cache").iterdir():
        file.write_bytes(b"TBT1 rubbish")
    assert not cache.recall(again).b3.any()
