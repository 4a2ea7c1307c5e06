"""What server and SDK write is its owner's, whatever the shell's umask says."""

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import urllib3

from tests.integration.program import Program
from tests.support.server import RunningServer


def open_to_others(root: Path) -> list[Path]:
    """Files that another account reaches: every folder above up to the root lets it through."""
    found = []
    for path in [root, *root.rglob("*")]:
        if path.is_file() and path.stat().st_mode & 0o077:
            between = [folder for folder in path.parents if folder == root or root in folder.parents]
            if all(folder.stat().st_mode & 0o077 for folder in between):
                found.append(path)
    return found


def test_S3_the_servers_folder_is_closed_and_that_is_said(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o755)
    (data / "left").write_text("there before")
    former = os.umask(0)
    try:
        server = RunningServer(data, whole=True)
    finally:
        os.umask(former)
    try:
        server.call("tasks.create", name="x", type="testing")
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
        keys = {"Authorization": f"Bearer {server.token}"}
        assert (
            urllib3.request("PUT", f"{server.files_url}/a/b", body=b"x" * 100_000, headers=keys).status == 200
        )
        assert (data / "files" / "a" / "b").is_file()
        mine = [path for path in data.rglob("*") if path.is_file() and path.name != "left"]
        assert {"trialbook.db", "credentials.json", "server.json"} <= {path.name for path in mine}
        assert [path for path in mine if path.stat().st_mode & 0o077] == []
        assert "closed to them" in server.log
    finally:
        server.stop()


def test_S3_a_database_elsewhere_is_closed_and_that_is_said(tmp_path: Path) -> None:
    """Its folder is somebody's own and stays as it is; the key is in the file."""
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o755)
    kept = folder / "runs.db"
    sqlite3.connect(kept).close()
    kept.touch()
    kept.chmod(0o644)
    server = RunningServer(tmp_path / "data", f"sqlite:///{kept}")
    try:
        server.call("tasks.create", name="x", type="testing")
        assert stat.S_IMODE(folder.stat().st_mode) == 0o755
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
        assert modes == {"runs.db": 0o600, "runs.db-wal": 0o600, "runs.db-shm": 0o600}
        assert "other accounts could read the database" in server.log
    finally:
        server.stop()


def test_S3_the_sdks_journals_are_their_owners(tmp_path: Path) -> None:
    script = (
        "import os; os.umask(0)\n"
        "from trialbook import Task\n"
        "Task.set_offline(True)\n"
        "task = Task.init('p', 't', auto_connect_frameworks=False)\n"
        "task.get_logger().report_text('hello')\n"
    )
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
    subprocess.run([sys.executable, "-c", script], env=environment, cwd=home, check=True)
    assert any(home.rglob("*.seg"))
    assert open_to_others(home) == []


READER = """
import os, pathlib, stat
from trialbook import Dataset, StorageManager, Task
os.umask(0)
task = Task.init("p", "own files", auto_connect_frameworks=False)
pathlib.Path("net.json").write_text("{}")
task.connect_configuration("net.json")
task.upload_artifact("table", {"a": 1})
pathlib.Path("data").mkdir()
pathlib.Path("data", "a.txt").write_text("a")
data = Dataset.create(dataset_project="p", dataset_name=task.id)
data.add_files("data")
data.finalize(auto_upload=True)
Dataset.get(data.id).get_local_copy()
Dataset.get(data.id).get_mutable_local_copy("mine")
task.flush(wait_for_uploads=True)
url = task.artifacts["table"].url
print("COPY", StorageManager.get_local_copy(url))
os.umask(0o027)
StorageManager.download_file(url, local_folder="fetched")
found = [path for path in pathlib.Path("fetched").rglob("*") if path.is_file()]
print("FETCHED", *[oct(stat.S_IMODE(path.stat().st_mode)) for path in found])
task.close()
"""


def test_S3_what_the_sdk_keeps_has_no_readers(server: RunningServer, tmp_path: Path) -> None:
    home = tmp_path / "home"
    cache = home / ".cache" / "trialbook"
    (cache / "journal" / "left").mkdir(parents=True)
    for folder in (home, cache, cache / "journal"):
        folder.chmod(0o755)
    program = Program(READER, server, home)
    copy = Path(program.wait_for("COPY"))
    assert copy.is_relative_to(cache)
    # Where the user said it should be, it is as the user's umask says.
    assert program.wait_for("FETCHED") == "0o640"
    assert program.wait() == 0, program.text
    assert open_to_others(cache) == []
    assert len([path for path in cache.rglob("*") if path.is_file()]) > 5
    for folder in (cache, cache / "journal"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert f"other accounts could read {folder}" in program.text


def test_S3_a_folder_that_the_user_named_is_made_private_but_not_changed(
    server: RunningServer, tmp_path: Path
) -> None:
    source = (
        "import os; os.umask(0)\n"
        "from trialbook import StorageManager\n"
        "open('x', 'w').close()\n"
        "url = StorageManager.upload_file('x', os.environ['TRIALBOOK_FILES_HOST'] + '/own/x')\n"
        "print('COPY', StorageManager.get_local_copy(url))\n"
    )
    there = tmp_path / "shared"
    there.mkdir()
    there.chmod(0o755)
    for cache, mode in ((there, 0o755), (tmp_path / "new", 0o700)):
        more = {"TRIALBOOK_CACHE_DIR": str(cache), "TRIALBOOK_FILES_HOST": server.files_url}
        program = Program(source, server, tmp_path / "home", **more)
        assert program.wait() == 0, program.text
        assert Path(program.wait_for("COPY")).is_relative_to(cache)
        assert stat.S_IMODE(cache.stat().st_mode) == mode


@pytest.mark.parametrize(("mode", "closed"), [(0o755, True), (0o1777, True), (0o775, False)])
def test_S3_copies_in_a_folder_that_the_user_named_have_no_readers(
    server: RunningServer, tmp_path: Path, mode: int, closed: bool
) -> None:
    there = tmp_path / "named"
    there.mkdir()
    there.chmod(mode)
    more = {"TRIALBOOK_CACHE_DIR": str(there), "TRIALBOOK_FILES_HOST": server.files_url}
    program = Program(READER.replace("os.umask(0)", "os.umask(0o022)"), server, tmp_path / "home", **more)
    assert program.wait() == 0, program.text
    assert stat.S_IMODE(there.stat().st_mode) == mode
    assert {"datasets", "downloads"} <= {path.name for path in there.iterdir()}
    assert {path.name for path in there.iterdir() if path.stat().st_mode & 0o077} == (
        set()
        if closed
        else {"datasets", "downloads"} | {path.name for path in there.iterdir() if len(path.name) == 32}
    )
