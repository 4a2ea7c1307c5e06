"""``trialbook run`` and the drop-in import, as processes."""

import os
import subprocess
import sys
from pathlib import Path


def run(folder: Path, code: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    (folder / "script.py").write_text(code)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("TRIALBOOK_", "CLEARML_"))}
    return subprocess.run(
        [sys.executable, "-m", "trialbook", "run", "script.py", *arguments],
        cwd=folder,
        env={**kept, "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_script_sees_itself_as_python_would_show_it(tmp_path: Path) -> None:
    (tmp_path / "neighbour.py").write_text("WORD = 'beside'")
    code = "import sys, neighbour\nprint(__name__, sys.argv, neighbour.WORD)"
    assert run(tmp_path, code, "--epochs", "3").stdout == "__main__ ['script.py', '--epochs', '3'] beside\n"


def test_a_script_ends_with_its_own_status_and_traceback(tmp_path: Path) -> None:
    assert run(tmp_path, "import sys\nsys.exit(3)").returncode == 3
    failed = run(tmp_path, "from clearml import Task\nTask()")
    assert failed.returncode == 1
    assert 'script.py", line 2' in failed.stderr
    assert "Task.init()" in failed.stderr


def test_names_come_from_trialbook_and_missing_ones_say_who_answered(tmp_path: Path) -> None:
    code = "from clearml import Task\nfrom clearml.logger import Logger\nprint(Task.__module__, Logger.__module__)"
    assert run(tmp_path, code).stdout.split(".")[0] == "trialbook"
    missing = run(tmp_path, "from clearml import NoSuchThing")
    assert missing.returncode == 1
    assert "NoSuchThing" in missing.stderr and "trialbook" in missing.stderr.splitlines()[-1]


def test_commands_fail_with_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "trialbook", "sync"],
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"], "TRIALBOOK_CLOSE_TIMEOUT": "soon"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert (
        done.stderr.strip().splitlines() == [done.stderr.strip()] and "TRIALBOOK_CLOSE_TIMEOUT" in done.stderr
    )
