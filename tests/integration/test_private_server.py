"""No server configured: two scripts that start together find or start one, and both runs are on it."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import urllib3

from tests.integration.program import until
from trialbook.base.files import read_json
from trialbook.client import settings
from trialbook.sdk.servers import connection, private_server

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


DIES = """
import os, time
from trialbook import Task
task = Task.init("Private", "dies", auto_resource_monitoring=False)
task.flush()
print("TASK", task.id, flush=True)
while not os.path.exists("go"):
    time.sleep(0.02)
task.get_logger().report_scalar("a", "b", 1.0, 1)
"""


def test_T46_a_private_server_that_dies_in_a_run_is_named_as_what_it_is(tmp_path: Path) -> None:
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith(("TRIALBOOK_", "CLEARML_", "XDG_"))
    } | {"HOME": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", DIES],
        env=environment,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as run:
        assert run.stdout is not None
        before: list[str] = []
        for line in run.stdout:
            before.append(line)
            if line.startswith("TASK"):
                break
        found = read_json(tmp_path / ".local/share/trialbook/server/server.json")
        os.kill(int(found["pid"]), signal.SIGKILL)
        (tmp_path / "go").touch()
        text = "".join([*before, *run.stdout])
        assert run.wait(60) == 0, text
    assert "private server of your account" in text and "api.api_server" not in text, text


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


def _ask(url: str) -> bool:
    with contextlib.suppress(urllib3.exceptions.HTTPError):
        return urllib3.request("GET", f"{url}/server.info", retries=False).status == 200
    return False


def test_T44_the_private_server_ends_itself_when_nobody_uses_it(tmp_path: Path) -> None:
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith(("TRIALBOOK_", "CLEARML_", "XDG_"))
    } | {"HOME": str(tmp_path), "TRIALBOOK_SERVER_IDLE_HOURS": str(1.5 / 3600)}
    # Idle for longer than that in the middle: the run is in progress, so the server waits for it.
    pause = 'import sys, threading\nfrom trialbook import Task\nTask.init("Private", "paused").flush()\n'
    pause += "threading.Event().wait(2.0)\nprint('ANSWERS', Task.current_task().reload() is None)"
    run = subprocess.run(
        [sys.executable, "-c", pause], env=environment, capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0 and "ANSWERS True" in run.stdout, run.stdout + run.stderr
    data = tmp_path / ".local/share/trialbook/server"
    until(lambda: not (data / "server.json").exists())
    assert "nobody used this server" in (data / "server.log").read_text()
    assert "offline" not in run.stdout + run.stderr
    # What is printed names the page, and nothing in it opens a door.
    keys = read_json(data / "credentials.json")
    for secret in (keys["access_key"], keys["secret_key"], "token", "link=", "eyJ"):
        assert secret not in run.stdout + run.stderr
    assert re.search(r"results page: http://\S+/projects/\w+/tasks/\w{32}$", run.stdout, re.MULTILINE)


def test_T44_a_process_that_was_quiet_for_long_finds_its_private_server_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = settings.load({"HOME": str(tmp_path)})
    monkeypatch.setattr(connection.settings, "load", lambda: read)
    monkeypatch.setattr(connection, "_REVIVE_SECONDS", 0.0)
    connection.disconnect()
    try:
        first = connection.connect()
        private_server.stop(read)
        assert not _ask(first.settings.api_host)
        again = connection.connect()
        assert _ask(again.settings.api_host) and again.session.call("projects.get_all", {})
    finally:
        connection.disconnect()
        private_server.stop(read)
