"""Offline sessions that the released SDK left: imported whole, or not at all."""

import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.program import console, document, points
from tests.interop.conftest import CONFIGURATION, SCRIPTS
from tests.support.server import RunningServer
from trialbook import Task
from trialbook.errors import UsageError
from trialbook.sdk.servers import connection as connections

pytestmark = pytest.mark.interop


@pytest.fixture(scope="session")
def session(clearml_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip of a session, made once."""
    home = tmp_path_factory.mktemp("away")
    (home / "clearml.conf").write_text(CONFIGURATION)
    # Outside of this repository, whose uncommitted changes it would record.
    script = shutil.copy(SCRIPTS / "offline_session.py", home / "train.py")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("TRIALBOOK_", "CLEARML_"))}
    done = subprocess.run(
        [clearml_python, script, home / "folder"],
        env={**kept, "HOME": str(home)},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    folder = Path((home / "folder").read_text())
    # On another machine: only the zip is there, not the folder whose paths it names.
    target = Path(shutil.move(f"{folder}.zip", home / "session.zip"))
    shutil.rmtree(folder)
    return target


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


def tasks(server: RunningServer) -> int:
    return len(server.call("tasks.get_all", {"only_fields": ["id"]})["tasks"])


def test_everything_in_a_session_arrives_each_time(server: RunningServer, session: Path) -> None:
    made = [Task.import_offline_session(session) for _ in range(2)]
    assert None not in made and len(set(made)) == 2
    with zipfile.ZipFile(session) as packed:
        told = [event for line in packed.read("metrics.jsonl").splitlines() for event in json.loads(line)]
    for task in map(str, made):
        found = document(server, task)
        assert (found["status"], found["name"], found["tags"]) == ("completed", "a run", ["one"])
        assert found["hyperparams"]["General"]["lr"]["value"] == "0.5"
        assert found["configuration"]["net"]["value"].split() == ["a", "{", "b", "=", "1", "}"]
        assert (
            "set_offline" in found["script"]["diff"] and "clearml" in found["script"]["requirements"]["pip"]
        )
        assert points(server, task)["loss/train"] == {
            "iter": list(range(50)),
            "value": [step / 2 for step in range(50)],
        }
        text = console(server, task)
        assert "a reported text" in text and "a printed line" in text
        read = Task.get_task(task)
        assert read is not None and read.get_project_name() == "Away/nested"
        assert read.get_reported_single_value("score") == 3.0
        assert [plot["metric"] for plot in read.get_reported_plots()] == ["matrix"]
        (sample,) = read.get_debug_samples("picture", "noise")
        assert sample["url"].startswith(server.files_url) and task in sample["url"]
        assert read.artifacts["data"].get() == {"a": [1, 2]}
        assert read.artifacts["array"].get().tolist() == [0, 1, 2, 3, 4, 5]
        reply = server.call("series.raw", {"series": {"tasks": [task]}, "format": "json"})
        (series,) = (one for one in reply["series"] if one["variant"] == "train")
        first = next(event["timestamp"] for event in told if event["metric"] == "loss")
        assert round(series["time"][0] * 1000) == first, "times stay what they were"


@pytest.mark.parametrize("damage", ["cut", "task.json", "metrics.jsonl", "a file"])
def test_a_session_that_is_not_whole_leaves_nothing_behind(
    server: RunningServer, session: Path, tmp_path: Path, damage: str
) -> None:
    broken = tmp_path / "broken.zip"
    if damage == "cut":
        broken.write_bytes(session.read_bytes()[:-300])
    else:
        with zipfile.ZipFile(session) as whole, zipfile.ZipFile(broken, "w") as packed:
            for name in whole.namelist():
                data = whole.read(name)
                if damage == "a file" and name.endswith(".npz"):
                    continue
                packed.writestr(name, data[: len(data) // 2] if name == damage else data)
    before = tasks(server)
    with pytest.raises(UsageError, match="cut short"):
        Task.import_offline_session(broken)
    assert tasks(server) == before
