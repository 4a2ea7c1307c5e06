"""A run without any server, brought to one: with everything in it, more than once, from a folder and a zip."""

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.program import Program, console, document, points
from tests.support.server import RunningServer
from trialbook import Task
from trialbook.errors import UsageError
from trialbook.sdk.servers import connection as connections

OFFLINE = """
import os, numpy
from trialbook import Task, OutputModel
Task.set_offline(True)
task = Task.init("Offline/nested", "run", output_uri=True)
print("TASK", task.id)
task.connect({"lr": 0.5})
logger = task.get_logger()
for step in range(100):
    logger.report_scalar("loss", "train", step / 2, step)
logger.report_single_value("score", 3.0)
logger.report_confusion_matrix("matrix", "m", numpy.eye(2), 1)
logger.report_image("picture", "noise", 1, image=numpy.zeros((4, 4, 3), "uint8"))
task.upload_artifact("data", {"a": [1, 2]})
open("net.bin", "wb").write(b"weights")
OutputModel(task=task, name="net").update_weights("net.bin")
print("a line of text")
print("FOLDER", task.get_offline_mode_folder())
END
"""


@pytest.fixture(autouse=True)
def home(server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A home of its own for the SDK of this process."""
    for name, value in server.client_environment(tmp_path / "importer").items():
        if name.startswith("TRIALBOOK_") or name == "HOME":
            monkeypatch.setenv(name, value)
    monkeypatch.delenv("TRIALBOOK_PROC_MASTER_ID", raising=False)
    connections.disconnect()
    yield
    connections.disconnect()


def offline(server: RunningServer, home: Path, end: str = "", status: int = 0) -> tuple[str, Path]:
    unset = {f"TRIALBOOK_{name}": "" for name in ("API_HOST", "API_ACCESS_KEY", "API_SECRET_KEY")}
    program = Program(OFFLINE.replace("END", end), server, home, **unset)
    assert program.wait() == status, program.text
    return program.wait_for("TASK"), Path(program.wait_for("FOLDER"))


def whole(server: RunningServer, task: str, status: str) -> None:
    found = document(server, task)
    assert found["status"] == status and found["name"] == "run"
    assert found["hyperparams"]["General"]["lr"]["value"] == "0.5"
    seen = points(server, task)
    assert seen["loss/train"]["iter"] == list(range(100))
    assert "a line of text" in console(server, task)
    read = Task.get_task(task)
    assert read is not None and read.get_project_name() == "Offline/nested"
    assert read.get_reported_single_value("score") == 3.0
    assert [plot["metric"] for plot in read.get_reported_plots()] == ["matrix"]
    (sample,) = read.get_debug_samples("picture", "noise")
    assert sample["url"].startswith(server.files_url)
    assert read.artifacts["data"].url.startswith(server.files_url)
    assert read.artifacts["data"].get() == {"a": [1, 2]}


def test_folder_and_zip_make_two_whole_tasks(server: RunningServer, tmp_path: Path) -> None:
    original, folder = offline(server, tmp_path / "away")
    first = Task.import_offline_session(folder)
    assert first is not None and first != original
    whole(server, first, "completed")
    assert folder.is_dir(), "the session is only read"
    # As on another machine: the original files are gone.
    archive = shutil.make_archive(str(tmp_path / "session"), "zip", folder.parent, folder.name)
    shutil.rmtree(tmp_path / "away")
    connections.disconnect()
    second = Task.import_offline_session(archive)
    assert second is not None and second not in (first, original)
    whole(server, second, "completed")
    models = [document(server, task)["models"]["output"] for task in (first, second)]
    assert models[0][0]["model"] != models[1][0]["model"]
    assert document(server, first)["script"]["diff"].startswith("\nimport os, numpy")


def test_a_killed_run_is_importable(server: RunningServer, tmp_path: Path) -> None:
    _, folder = offline(server, tmp_path / "away", "os.kill(os.getpid(), 9)", -9)
    task = Task.import_offline_session(str(folder))
    assert task is not None
    found = document(server, task)
    assert found["status"] == "stopped" and "offline" in found["status_message"]
    assert points(server, task)["loss/train"]["iter"] == list(range(100))


def test_what_cannot_be_imported(server: RunningServer, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no offline session at"):
        Task.import_offline_session(tmp_path / "missing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"no journal\.json"):
        Task.import_offline_session(tmp_path / "empty")
    _, folder = offline(server, tmp_path / "away")
    archive = Path(shutil.make_archive(str(tmp_path / "session"), "zip", folder.parent, folder.name))
    cut = tmp_path / "cut.zip"
    cut.write_bytes(archive.read_bytes()[:-200])
    with pytest.raises(UsageError, match="cut short"):
        Task.import_offline_session(cut)
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as evil:
        evil.writestr("../out.txt", "x")
    with pytest.raises(UsageError, match="outside"):
        Task.import_offline_session(tmp_path / "evil.zip")
    for file in folder.glob("*/spool/*.bin"):
        file.unlink()
    with pytest.raises(UsageError, match="cut short"):
        Task.import_offline_session(folder)


def test_sync_still_sends_the_run_itself(server: RunningServer, tmp_path: Path) -> None:
    original, folder = offline(server, tmp_path / "away")
    assert Task.import_offline_session(folder) != original
    environment = server.client_environment(tmp_path / "away") | {"HOME": str(tmp_path / "away")}
    environment["TRIALBOOK_CACHE_DIR"] = str(folder.parents[1])
    done = subprocess.run(
        [sys.executable, "-m", "trialbook", "sync"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert points(server, original)["loss/train"]["iter"] == list(range(100))
