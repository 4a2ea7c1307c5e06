"""Scanning a folder: what is taken, what is left out and why."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support.unprivileged import obey_permissions
from trialbook.datasets.sources.scan import scan_file, scan_folder
from trialbook.datasets.sources.stat_cache import StatCache
from trialbook.errors import DatasetMissing


def test_sorted_by_bytes_of_the_path(tmp_path: Path) -> None:
    for path in ("a/b", "a.txt", "a-c/d", "é", "z"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(path)
    scan = scan_folder(tmp_path)
    assert scan.paths == sorted(scan.paths, key=str.encode) == ["a-c/d", "a.txt", "a/b", "z", "é"]
    assert scan.facts["size"].tolist() == [5, 5, 3, 1, 2]
    assert scan_folder(tmp_path, recursive=False).paths == ["a.txt", "z", "é"]


def test_D5_links_to_files_are_followed_and_the_rest_is_named(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "sub").mkdir(parents=True)
    (tree / "real").write_text("x")
    (tmp_path / "outside").write_text("secret")
    (tree / "inside").symlink_to("real")
    (tree / "out").symlink_to(tmp_path / "outside")
    (tree / "dangling").symlink_to("nowhere")
    (tree / "sub" / "loop").symlink_to(tree)
    (tree / "round").symlink_to("about")
    (tree / "about").symlink_to("round")
    (tree / "self").symlink_to("self")
    (tree / "chain").symlink_to("out")
    (tree / "through").symlink_to("real/x")
    os.mkfifo(tree / "pipe")
    Path(os.fsdecode(os.fsencode(tree) + b"/\xff\xfe")).write_text("x")
    scan = scan_folder(tree)
    assert scan.paths == ["chain", "inside", "out", "real"]
    assert scan.facts["size"].tolist() == [6, 1, 6, 1]
    assert {item.path: item.why for item in scan.skipped} == {
        "about": "it is a link to round, which leads back to itself",
        "round": "it is a link to about, which leads back to itself",
        "self": "it is a link to self, which leads back to itself",
        "dangling": "it is a link to nowhere, and nothing is there",
        "through": "it is a link to real/x, and nothing is there",
        "sub/loop": f"it is a link to the folder {os.path.realpath(tree)}: add that one",
        "pipe": "it is not a regular file",
        "\\xff\\xfe": "its name is not UTF-8",
    }
    assert scan.denied == []
    assert [path for path in ("dangling", "self", "dangling/x", "pipe", "sub/loop", "dang") if scan.hides(path)] == [
        "dangling", "self", "dangling/x",
    ]  # fmt: skip


def test_D4_what_cannot_be_read_is_told_from_what_is_gone(tmp_path: Path) -> None:
    top = tmp_path / "top"
    for path in ("open/a", "shut/b", "listed/c", "file"):
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_text(path)
    (top / "shut").chmod(0)
    (top / "listed").chmod(0o444)
    (top / "file").chmod(0)
    said = obeying(
        f"scan = scan_folder(Path({str(top)!r}), may_read=True)\n"
        "print(scan.paths, sorted(item.path for item in scan.denied), scan.hides('shut/b'), scan.hides('gone'))\n"
        f"print(scan_folder(Path({str(top)!r})).paths)\n"
        f"try: scan_folder(Path({str(top / 'shut')!r}))\n"
        "except SourceChanged as error: print(error)",
    )
    assert said[:2] == [
        "['open/a'] ['file', 'listed/c', 'shut'] True False",
        "['file', 'open/a']",
    ]
    assert "shut' cannot be read: the folder cannot be read: Permission denied" in said[2]


def obeying(code: str) -> list[str]:
    """Lines that a process prints that may not read everything, as root does."""
    head = (
        "from pathlib import Path\nfrom trialbook.datasets.sources.scan import scan_folder\n"
        "from trialbook.errors import SourceChanged\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", head + code],
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=obey_permissions,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


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
