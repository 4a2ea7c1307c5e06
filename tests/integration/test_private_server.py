"""No server configured: two scripts that start together find or start one, and both runs are on it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.integration.program import until
from trialbook.base.files import read_json

SCRIPT = """
import sys
from trialbook import Task
task = Task.init("Private", sys.argv[1])
task.get_logger().report_scalar("a", "b", 1.0, 1)
assert task.flush()
print("RESULT", task.id, task.get_output_log_web_page())
"""


def test_two_scripts_start_one_server(tmp_path: Path) -> None:
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith(("TRIALBOOK_", "CLEARML_", "XDG_"))
    }
    environment["HOME"] = str(tmp_path)
    data = tmp_path / ".local/share/trialbook/server"
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT, name], env=environment, stdout=subprocess.PIPE, text=True
        )
        for name in ("one", "two")
    ]
    try:
        outputs = [run.communicate(timeout=60)[0] for run in runs]
        assert [run.returncode for run in runs] == [0, 0], outputs
        found = read_json(data / "server.json")
        pages = [
            next(line for line in output.splitlines() if line.startswith("RESULT")) for output in outputs
        ]
        assert all(found["url"] in page for page in pages)
        assert sum("your private one was started" in output for output in outputs) == 1
        assert (data / "credentials.json").stat().st_mode & 0o777 == 0o600
    finally:
        found = json.loads((data / "server.json").read_text())
        os.kill(int(found["pid"]), signal.SIGTERM)
        until(lambda: not (data / "server.json").exists())


def test_T44_the_private_server_is_shown_and_ended(tmp_path: Path) -> None:
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith(("TRIALBOOK_", "CLEARML_", "XDG_"))
    } | {"HOME": str(tmp_path)}

    def trialbook(word: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "trialbook", "server", word]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)

    assert trialbook("status").returncode == 1
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, "one"], env=environment, capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stderr
    data = tmp_path / ".local/share/trialbook/server"
    found = read_json(data / "server.json")
    try:
        shown = trialbook("status")
        assert shown.returncode == 0 and found["url"] in shown.stdout and str(found["pid"]) in shown.stdout
    finally:
        ended = trialbook("stop")
    assert ended.returncode == 0 and not (data / "server.json").exists(), ended.stderr
    assert trialbook("status").returncode == 1
    # An announcement that a killed server left names nobody: its process id may be another's by now.
    (data / "server.json").write_text(json.dumps({**found, "pid": os.getpid()}))
    assert trialbook("status").returncode == 1 and trialbook("stop").returncode == 0
