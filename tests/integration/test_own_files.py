"""What server and SDK write is its owner's, whatever the shell's umask says."""

import os
import stat
import subprocess
import sys
from pathlib import Path

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
        server = RunningServer(data)
    finally:
        os.umask(former)
    try:
        server.call("tasks.create", name="x", type="testing")
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
        mine = [path for path in data.rglob("*") if path.is_file() and path.name != "left"]
        assert {"trialbook.db", "credentials.json", "server.json"} <= {path.name for path in mine}
        assert [path for path in mine if path.stat().st_mode & 0o077] == []
        assert "closed to them" in server.log
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
