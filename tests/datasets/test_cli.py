"""``trialbook data``, run as a user runs it."""

import json
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.datasets.support import Write, tree, writer
from tests.support.forking import Commands
from tests.support.server import RunningServer
from tests.support.waiting import until

Data = Callable[..., Any]


@pytest.fixture
def project() -> str:
    return f"Cli/{uuid.uuid4().hex[:8]}"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    return writer(tmp_path / "sources")


@pytest.fixture(scope="module")
def commands() -> Iterator[Commands]:
    with Commands() as forked:
        yield forked


@pytest.fixture
def data(server: RunningServer, tmp_path: Path, commands: Commands) -> Data:
    """Runs a command; its JSON document, or with ``status`` its output when it ends with that status."""

    def run(*arguments: str | Path, status: int | None = None) -> Any:
        command = ["data", *map(str, arguments)]
        if status is None:
            command.append("--json")
        done = commands.run(command, server.client_environment(tmp_path), tmp_path)
        assert done.returncode == (status or 0), done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return json.loads(done.stdout) if status is None else done.stdout + done.stderr

    return run


def test_a_whole_life(data: Data, project: str, write: Write, tmp_path: Path) -> None:
    named = ("--project", project, "--name", "digits")
    files = {"x.txt": b"1", "sub/y.txt": b"2" * 3000, "z.bin": b"3"}
    made = data("create", *named, "--tags", "a", "--tags", "b", "--description", "words")
    assert made["version"] == "1.0.0"
    assert data("add", "--files", write(files), "--wildcard", "*.txt")["added"] == 2
    assert (
        data("add", "--files", write({"z.bin": b"3", "gone": b"4"}), "--dataset-folder", "more")["added"] == 2
    )
    assert data("remove", "--files", "more/gone")["removed"] == 1
    assert data("upload")["dirty"] is False
    assert data("close")["id"] == made["id"]
    assert "No version is open" in data("add", "--files", tmp_path, status=2)
    assert "final" in data("add", "--id", made["id"], "--files", tmp_path, status=1)

    listed = data("list", *named)
    assert [row["path"] for row in listed["files"]] == ["more/z.bin", "sub/y.txt", "x.txt"]
    assert listed["bytes"] == 3002 and len(listed["files"][0]["hash"]) == 64
    assert "3 files, 3002 bytes" in data("list", *named, status=0)
    assert [one["tags"] for one in data("search", "--project", project)["datasets"]] == [["a", "b"]]

    folder = data("get", *named)["folder"]
    wanted = {"x.txt": b"1", "sub/y.txt": b"2" * 3000, "more/z.bin": b"3"}
    assert tree(folder) == wanted
    assert tree(data("get", "--id", made["id"], "--copy", "mine")["folder"] and tmp_path / "mine") == wanted
    assert "not empty" in data("get", *named, "--copy", "mine", status=1)
    data("get", *named, "--copy", "mine", "--overwrite", "--files", "sub")
    assert tree(tmp_path / "mine") == {"sub/y.txt": b"2" * 3000}
    data("get", *named, "--link", "linked")
    assert (tmp_path / "linked").is_symlink() and tree(tmp_path / "linked") == wanted
    assert data("verify", *named)["wrong"] == [] and data("verify", *named, "--storage")["wrong"] == []
    (tmp_path / "mine" / "sub" / "y.txt").write_bytes(b"x")
    assert "sub/y.txt" in data("verify", *named, "--folder", "mine", status=1)

    synced = data("sync", *named, "--folder", write({"x.txt": b"changed", "new": b"5"}))
    assert (synced["removed"], synced["added"], synced["modified"]) == (2, 1, 1) and synced[
        "version"
    ] == "1.0.1"
    unchanged = data("sync", *named, "--folder", write({"x.txt": b"changed", "new": b"5"}))
    assert unchanged["id"] is None, "a folder without changes leaves no version"
    assert len(data("search", "--project", project, "--not-only-completed")["datasets"]) == 2
    compared = data("compare", "--source", made["id"], "--target", synced["id"])
    assert compared == {"added": ["new"], "modified": ["x.txt"], "removed": ["more/z.bin", "sub/y.txt"]}

    squashed = data("squash", "--name", "one", "--ids", made["id"], "--ids", synced["id"])
    assert data("publish", "--id", squashed["id"])["status"] == "published"
    data("rename", *named, "numbers", status=0)
    data("move", "--project", project, "--name", "numbers", f"{project}/below", status=0)
    data("set-description", "--id", made["id"], "new words", status=0)
    assert "is used by" in data("delete", "--id", made["id"], status=1)
    data("delete", "--project", f"{project}/below", "--name", "numbers", "--entire-dataset", "--force")
    assert [one["id"] for one in data("search", "--project", project)["datasets"]] == [squashed["id"]]


def test_links_and_versions(data: Data, project: str, write: Write) -> None:
    data("create", "--project", project, "--name", "links", "--version", "draft")
    assert data("add", "--links", f"file://{write({'x': b'1'})}")["added"] == 1
    data("set-version", "2.0", status=0)
    assert data("close")["version"] == "2.0"
    child = data("create", "--project", project, "--name", "links", "--native")
    assert child["version"] == "2.1"


def test_interrupted_and_taken_up_again(
    data: Data, project: str, write: Write, server: RunningServer, tmp_path: Path
) -> None:
    import os

    files = {f"f{n:02}": os.urandom(3_000_000) for n in range(10)}
    made = data("create", "--project", project, "--name", "big")
    data("add", "--files", write(files))
    uploading = subprocess.Popen(
        [sys.executable, "-m", "trialbook", "data", "upload", "--chunk-size", "1"],
        env=server.client_environment(tmp_path),
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    stored = lambda: list(server.data.glob(f"files/**/packs/{made['id']}/*.zip"))  # noqa: E731
    until(lambda: len(stored()) >= 2, 60)
    uploading.send_signal(signal.SIGINT)
    said = "".join(uploading.communicate(timeout=60))
    if uploading.returncode:
        assert "continues" in said
    assert data("close", "--chunk-size", "1")["id"] == made["id"]
    assert tree(data("get", "--id", made["id"])["folder"]) == files


def test_mistakes_end_with_a_sentence(data: Data, project: str) -> None:
    assert "no dataset" in data("get", "--project", project, "--name", "none", status=1)
    assert "Name a version" in data("list", status=2)
    assert "no file or folder" in (
        data("create", "--project", project, "--name", "x") and data("add", "--files", "missing", status=1)
    )
    help_text = data("--help", status=0)
    for word in ("create", "sync", "squash", "set-description", "verify"):
        assert word in help_text


def test_D22_several_files_after_one_flag(data: Data, project: str, write: Write, tmp_path: Path) -> None:
    folder = write({"a.jpg": b"1", "b.jpg": b"2", "c d.jpg": b"3", "train/0.jpg": b"4", "test/0.jpg": b"5"})
    data("create", "--project", project, "--name", "digits", "--tags", "x", "y", "--description", "z")
    pictures = sorted(folder.glob("*.jpg"))
    assert data("add", "--files", *pictures, "--verbose", "--dataset-folder", "in")["added"] == 3
    assert data("add", "--files", pictures[0], "--files", *pictures[1:])["added"] == 3
    said = data("add", "--files", folder / "train", folder / "test", status=1)
    assert "would become '0.jpg'" in said and "Nothing was added" in said
    assert data("add", "--files", f"{folder}/t*", "--wildcard", "*.jpg", "*.png")["added"] == 2
    made = data("list")
    assert [row["path"] for row in made["files"]] == [
        "a.jpg", "b.jpg", "c d.jpg", "in/a.jpg", "in/b.jpg", "in/c d.jpg", "test/0.jpg", "train/0.jpg",
    ]  # fmt: skip
    assert data("remove", "--files", "in/a.jpg", "in/b.jpg")["removed"] == 2
    assert "has no in/a.jpg; nothing was removed" in data("remove", "--files", "a.jpg", "in/a.jpg", status=1)
    assert len(data("list")["files"]) == 6
    assert data("search", "--project", project, "--not-only-completed", "--tags", "x", "y")["datasets"]


def test_D22_nothing_is_made_before_its_input_is_checked(
    data: Data, project: str, write: Write, tmp_path: Path
) -> None:
    named = ("--project", project, "--name", "digits")
    there = write({"x": b"1"})
    assert "there is no folder" in data("sync", *named, "--folder", tmp_path / "TYPO", status=1)
    assert "there is no folder" in data("sync", *named, "--folder", there / "x", status=1)
    assert data("search", "--project", project, "--not-only-completed")["datasets"] == []
    data("create", *named)
    assert "there is no file" in data("add", "--files", there, tmp_path / "TYPO", status=1)
    assert "name a path" in data("add", "--files", "", status=1)
    there_not = f"file://{tmp_path}/TYPO"
    assert "there is no f" in data("add", "--files", there, "--links", there_not, status=1)
    assert "name a path" in data("remove", "--files", "", status=1)
    assert data("list")["files"] == []
    data("sync", "--folder", there)
    assert "there is no dataset" in data("rename", "--project", project, "--name", "digit", "new", status=1)
    assert "there is no dataset" in data("move", "--project", project, "--name", "digit", "New", status=1)
    data("rename", *named, "new", status=0)
    assert data("search", "--project", project)["datasets"][0]["name"] == "new"
    (tmp_path / "file").write_text("in the way")
    assert "not empty" in data(
        "get", "--project", project, "--name", "new", "--copy", tmp_path / "file", status=1
    )
    assert "rror" in data("get", "--project", project, "--name", "new", "--copy", "/proc/none/x", status=1)


def test_a_person_at_the_command_line_is_told_commands(
    data: Data, project: str, write: Write, tmp_path: Path
) -> None:
    named = ("--project", project, "--name", "digits")
    hostile = "a\nb\x1b[2J\u202egpj"
    first = data("sync", *named, "--folder", write({hostile: b"1", "b": b"22"}))["id"]
    said = data("list", "--id", first, status=0)
    assert "  a\\nb\\x1b[2J\\u202egpj\n" in said and len(said.splitlines()) == 3
    assert [row["path"] for row in data("list", "--id", first)["files"]] == [hostile, "b"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "b").write_bytes(b"23")
    said = data("verify", "--id", first, "--folder", "mine", status=1)
    assert "wrong: a\\nb\\x1b[2J\\u202egpj\nwrong: b\n" in said
    assert f"digits 1.0.0 ({first}): sizes and content of 2 files, 3 bytes, in mine: 2 are wrong" in said
    assert "all as they should be" in data("verify", "--id", first, status=0)

    said = data("create", *named, status=0)
    second = data("list")["id"]
    assert f"digits is there already, as version 1.0.0 ({first})" in said and f"--parents {first}" in said
    said = data("get", *named, status=1)
    assert f"`trialbook data close --id {second}`" in said and f"is closed: --id {first} (1.0.0)" in said
    assert f"`trialbook data add --id {second}`" in data("create", *named, status=0)
    said = data("get", "--id", first, "--copy", "mine", status=1)
    said += data("add", "--id", first, "--files", "mine", status=1)
    said += data("delete", *named, status=1) + data("delete", *named, "--entire-dataset", status=1)
    said += data("create", *named, "--parents", second, status=1)
    assert f"1.0.1 ({second}) is open; 1.0.3 does not" in data("sync", *named, "--folder", "mine", status=0)
    for word in ("--overwrite", "--parents", "--force", "--version or --id", "--entire-dataset"):
        assert word in said
    assert not re.search(r"\w=\w|\w\(|_\w+\b(?<!b_)", said.replace(str(tmp_path), "")), said


def test_a_version_is_begun_offline(
    project: str, tmp_path: Path, commands: Commands, server: RunningServer
) -> None:
    environment = {**server.client_environment(tmp_path), "TRIALBOOK_OFFLINE_MODE": "1"}
    order = ["data", "create", "--project", project, "--name", "digits"]
    done = commands.run(order, environment, tmp_path)
    assert done.returncode == 0 and f"{project}/digits 1.0.0" in done.stdout, done.stderr


def test_two_first_syncs_at_once_make_one_version(
    project: str, write: Write, tmp_path: Path, commands: Commands, server: RunningServer
) -> None:
    folder = write({"a": b"1"})
    order = ["data", "sync", "--project", project, "--name", "digits", "--folder", str(folder), "--json"]
    environment = server.client_environment(tmp_path)
    with Commands() as others, ThreadPoolExecutor(2) as threads:
        running = [threads.submit(one.run, order, environment, tmp_path) for one in (commands, others)]
        done = [one.result(60) for one in running]
    assert [one.returncode for one in done] == [0, 0], [one.stderr for one in done]
    made = sorted((json.loads(one.stdout) for one in done), key=lambda one: one["id"] is None)
    assert made[0]["version"] == "1.0.0" and made[0]["added"] == 1
    assert made[1] == {"id": None, "removed": 0, "added": 0, "modified": 0}
