"""Path rules and wildcards."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialbook.datasets.paths import check, clashes, foreign, joined, refusal, within
from trialbook.datasets.patterns import Patterns, matcher
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
        ("D15 any", "**/*.jpg", True, ["a.jpg", "a/b.jpg", "a/b/c.jpg"], ["a.png"]),
        ("D15 flat", "**/*.jpg", False, ["a.jpg", "a/b.jpg", "a/b/c.jpg"], ["a.png"]),
        (
            "D15 middle",
            "a/**/b.txt",
            True,
            ["a/b.txt", "a/x/b.txt", "a/x/y/b.txt"],
            ["b.txt", "xa/b.txt", "a/xb.txt"],
        ),
        ("D15 end", "a/**", False, ["a/b", "a/b/c"], ["a", "b/a/c"]),
        ("D15 twice", "**/x/**/*.py", True, ["x/a.py", "q/x/r/a.py"], ["a.py", "qx/a.py"]),
        ("D15 all", "**", True, ["a", "a/b"], []),
        ("D15 name", "**/b.txt", True, ["b.txt", "a/b.txt"], ["ab.txt", "a/ab.txt"]),
        ("D19 dot", "./a/*.txt", True, ["a/b.txt"], ["b.txt"]),
        ("D19 path", PurePosixPath("a/b"), True, ["a/b", "a/b/c"], ["b"]),
        ("D19 paths", [PurePosixPath("a"), "b*"], True, ["a/b", "b1", "x/b1"], ["c"]),
        ("D19 top", ".", True, ["a", "a/b"], []),
    ],
)
def test_wildcards(name: str, pattern: Patterns, recursive: bool, yes: list[str], no: list[str]) -> None:
    matches = matcher(pattern, recursive)
    assert [path for path in yes if not matches(path)] == []
    assert [path for path in no if matches(path)] == []


@pytest.mark.parametrize(
    ("pattern", "there", "wanted"),
    [
        ("img[1].png", ["img1.png", "img[1].png"], ["img[1].png"]),
        ("img[1].png", ["img1.png"], ["img1.png"]),
        ("img[1].png", ["a/img1.png", "a/img[1].png"], ["a/img[1].png"]),
        ("a/*.txt", ["a/*.txt", "a/b.txt"], ["a/*.txt"]),
        ("what?", ["whats", "what?", "what?/x"], ["what?", "what?/x"]),
        ("run[0-9]", ["run1/a", "run[0-9]/a", "run[0-9]/b/c"], ["run[0-9]/a", "run[0-9]/b/c"]),
        ("run[0-9]/", ["run1/a", "run[0-9]/a"], ["run[0-9]/a"]),
        ("*", ["a", "b/c"], ["a", "b/c"]),
        (["[x]", "y*"], ["[x]", "x", "y1"], ["[x]", "y1"]),
        ("./[x]", ["[x]", "x"], ["[x]"]),
    ],
)
def test_D14_an_exact_name_wins_over_a_pattern(
    pattern: Patterns, there: list[str], wanted: list[str]
) -> None:
    matches = matcher(pattern, among=there)
    assert [path for path in there if matches(path)] == wanted


def test_D19_folders_of_a_dataset() -> None:
    for folder in ("x/y", "./x/y", "/x/y/", "x//y", "x/./y/.", PurePosixPath("x/y"), ".//x/y"):
        assert within(folder) == "x/y"
        assert joined(folder, "a") == "x/y/a"
    for top in (None, "", ".", "/", "./", "//", PurePosixPath(".")):
        assert within(top) == ""
    assert within("../x") == "../x" and refusal("../x")
