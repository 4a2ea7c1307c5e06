"""Path rules and wildcards."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialbook.datasets.paths import check, clashes, foreign, joined, refusal
from trialbook.datasets.patterns import matcher
from trialbook.errors import PathRefused


@pytest.mark.parametrize(
    "path",
    ["", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/../b", "./a", "a\0b", "x" * 256, "é" * 128,
     "a/" * 2049 + "a", "\udcff"],
)  # fmt: skip
def test_refused(path: str) -> None:
    assert refusal(path)
    with pytest.raises(PathRefused):
        check(["fine", path])


@pytest.mark.parametrize(
    "path", ["a", "a/b.c", "...", ".hidden", "a\nb", "日本/語", "x" * 255, "a b", "..a", "a..", "c:\\d"]
)
def test_allowed(path: str) -> None:
    assert refusal(path) is None


@given(st.text(max_size=40))
def test_what_is_allowed_stays_below_the_folder(path: str) -> None:
    from pathlib import PurePosixPath

    if refusal(path) is None:
        parts = PurePosixPath("/target", path).parts
        assert parts[:2] == ("/", "target")
        assert ".." not in parts
        assert "/".join(parts[2:]) == path


def test_not_portable() -> None:
    bad = ["con", "a/NUL.txt", "x.", "x /y", "a:b", "a\\b", "a\nb"]
    assert foreign([*bad, "console", "a/b", "nul1x", "com0x"]) == bad


def test_clashes() -> None:
    assert clashes(["a", "A", "b", "e\u0301", "\u00e9"]) == [("a", "A"), ("e\u0301", "\u00e9")]


def test_joined() -> None:
    assert joined(None, "a") == joined("/", "a") == "a"
    assert joined("/x/y/", "a/b") == "x/y/a/b"


@pytest.mark.parametrize(
    ("name", "pattern", "recursive", "yes", "no"),
    [
        ("W-1", None, True, ["a", "b/c"], []),
        ("W-1 top", None, False, ["a"], ["b/c"]),
        ("W-2", "*.jpg", True, ["a.jpg", "a/b/c.jpg"], ["a.png", "a.jpgx"]),
        ("W-3", "*.jpg", False, ["a.jpg"], ["a/b.jpg"]),
        (
            "W-4",
            "folder/*.json",
            True,
            ["folder/x.json", "folder/sub/x.json"],
            ["other/folder/x.json", "x.json"],
        ),
        ("W-5", "folder/*.json", False, ["folder/x.json"], ["folder/sub/x.json"]),
        ("W-6", "folder/sub/*.json", True, ["folder/sub/a.json"], ["folder/a.json"]),
        ("W-7", "folder", True, ["folder/x", "folder/sub/y", "folder"], ["folder2/x", "a/folder/x"]),
        ("W-7 slash", "folder/", True, ["folder/x", "folder/sub/y"], ["folder", "folder2/x"]),
        ("W-7 flat", "folder", False, ["folder/x", "folder"], ["folder/sub/y"]),
        ("W-8", ["*.jpg", "*.png"], True, ["a.jpg", "b/a.png"], ["a.txt"]),
        ("file", "a/b.txt", True, ["a/b.txt"], ["b.txt", "c/a/b.txt"]),
        ("set", "x[0-2].bin", True, ["x0.bin", "q/x2.bin"], ["x3.bin"]),
        ("not", "x[!0-2].bin", False, ["x3.bin"], ["x0.bin", "a/x3.bin"]),
        ("one", "a?c", False, ["abc"], ["a/c", "ac"]),
        ("line", "*.txt", True, ["a\nb.txt"], []),
        ("deep", "*/b.txt", False, ["a/b.txt"], ["b.txt", "a/c/b.txt"]),
    ],
)
def test_wildcards(name: str, pattern: str, recursive: bool, yes: list[str], no: list[str]) -> None:
    matches = matcher(pattern, recursive)
    assert [path for path in yes if not matches(path)] == []
    assert [path for path in no if matches(path)] == []
