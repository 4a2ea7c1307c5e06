"""Programs that are no file: what can be had of their code is on the task, else the reason why there is none."""

import subprocess
import sys
import zipapp
from pathlib import Path

from tests.integration.program import document
from tests.support.server import RunningServer

TEXT = """from trialbook import Task
import sys
task = Task.init("No file", "p", auto_resource_monitoring=False, reuse_last_task_id=False)
print("TASK", task.id)
"""


def _diff(server: RunningServer, home: Path, arguments: list[str], given: str = "") -> str:
    home.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, *arguments],
        input=given,
        env=server.client_environment(home),
        cwd=home,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    task = done.stdout.split("TASK ")[1].split()[0]
    return str(document(server, task)["script"]["diff"])


def test_T29_a_command_an_input_a_session_and_an_archive(server: RunningServer, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert _diff(server, home, ["-W", "ignore", "-Bc", TEXT, "--rate", "-c"]) == TEXT
    assert "standard input" in _diff(server, home, ["-"], TEXT)
    assert "interactive session" in _diff(server, home, ["-i"], TEXT)
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__main__.py").write_text("import inner\n")
    (tmp_path / "app" / "inner.py").write_text(TEXT)
    zipapp.create_archive(tmp_path / "app", tmp_path / "app.pyz")
    found = _diff(server, home, [str(tmp_path / "app.pyz")])
    assert found.index("import inner") < found.index(TEXT)
