"""No secret leaves the host with the record of a run."""

import json
import subprocess
from pathlib import Path

from tests.integration.program import Program, console, document, until
from tests.support.server import RunningServer

PROGRAM = """
import argparse, sys
from trialbook import Task
sys.argv += ["--api-token", "given-on-the-line", "--lr", "0.1"]
parser = argparse.ArgumentParser()
parser.add_argument("--api-token")
parser.add_argument("--lr", type=float)
args = parser.parse_args()
password = "written-in-the-code"
task = Task.init("Secrets", "run", reuse_last_task_id=False)
print("TASK", task.id)
print(args)
"""
SECRETS = ("given-on-the-line", "written-in-the-code", "AKIAIOSFODNN7EXAMPLE", "in-the-remote")


def git(folder: Path, *arguments: str) -> None:
    names = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    subprocess.run(["git", *names, *arguments], cwd=folder, check=True, capture_output=True)


def test_nothing_secret_is_recorded(server: RunningServer, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    git(home, "init", "-q")
    (home / "train.py").write_text("x = 1\n")
    git(home, "add", "train.py")
    git(home, "commit", "-qm", "one")
    git(home, "remote", "add", "origin", "https://joe:in-the-remote@example.com/r.git")
    program = Program(PROGRAM + 'aws = "AKIAIOSFODNN7EXAMPLE"\n', server, home)
    assert program.wait() == 0, program.text
    task = program.wait_for("TASK")
    found = document(server, task)
    assert '+password = "********"' in found["script"]["diff"]
    assert found["script"]["repository"] == "https://example.com/r.git"
    assert found["runtime"]["CLI"].endswith("--api-token ******** --lr 0.1")
    until(lambda: "Namespace" in console(server, task))
    assert "Namespace(api_token='********', lr=0.1)" in console(server, task)
    # What the program needs to run again is kept; the page hides it.
    assert found["hyperparams"]["Args"]["api_token"]["value"] == "given-on-the-line"
    del found["hyperparams"]
    record = json.dumps(found) + console(server, task)
    assert [secret for secret in SECRETS if secret in record] == []


def test_a_script_without_repository(server: RunningServer, tmp_path: Path) -> None:
    end = (
        'import os\nfrom pathlib import Path\nos.environ["MY_API_TOKEN"] = Path("key").read_text()\n'
        'print("BARE", os.environ["MY_API_TOKEN"])\n'
        'raise RuntimeError("login failed for joe, " + "password" + "=Exc" + "37 is wrong")\n'
    )
    home = tmp_path / "home"
    home.mkdir()
    (home / "key").write_text("of-the-environment-5")
    program = Program(PROGRAM + end, server, home)
    assert program.wait() == 1, program.text
    task = program.wait_for("TASK")
    found = document(server, task)
    assert 'password = "********"' in found["script"]["diff"]
    assert "joe, password=******** is wrong" in found["status_message"]
    until(lambda: "is wrong" in console(server, task))
    assert "BARE ********" in console(server, task)
    record = json.dumps(found) + console(server, task)
    assert [part for part in ("written-in-the-code", "of-the-environment-5", "Exc37") if part in record] == []
