"""The released SDK of ClearML, in a virtual environment of its own, as a client of our server."""

import fcntl
import json
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import RunningServer

CLEARML = "clearml==2.1.12"
ROOT = Path(__file__).parents[2]
SCRIPTS = Path(__file__).parent / "scripts"

# The released SDK forks a reporter process by default. When the fork falls between the pipe and the exec of one of
# its own `git` calls, the child keeps that pipe open and the SDK waits for itself forever (seen in one run of five,
# in Task._wait_for_repo_detection). Its thread mode, a documented setting, sends the same requests.
CONFIGURATION = "sdk { development { report_use_subprocess: false } }\n"

Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def clearml_python() -> Path:
    """The interpreter that has the released SDK; made once and kept beside the project's own environment."""
    folder = ROOT / ".venv-interop"
    python = folder / "bin" / "python"
    stamp = folder / f".{CLEARML}"
    folder.mkdir(exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        # Workers of one test run want it at the same time.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists():
            venv.create(folder, with_pip=True)
            subprocess.run([python, "-m", "pip", "install", "-q", CLEARML, "pandas"], check=True)
            stamp.touch()
    return python


def run_script(
    command: list[str],
    server: RunningServer,
    home: Path,
    timeout: float,
    environment: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Run a command with ``home`` as the home of its SDK; what it left in ``RESULT``, plus its ``output``."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "clearml.conf").write_text(CONFIGURATION)
    result = home / "result.json"
    result.unlink(missing_ok=True)
    done = subprocess.run(
        command,
        env={**server.client_environment(home), "RESULT": str(result), **(environment or {})},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    # The released SDK only logs a reply of the wrong type, and then goes on with nothing in its hands.
    assert "Failed parsing response" not in output, output
    answer: dict[str, Any] = json.loads(result.read_text())
    return {**answer, "output": output}


@pytest.fixture
def run_clearml(clearml_python: Path, server: RunningServer, tmp_path: Path) -> Run:
    """Run a script of ``scripts/`` with the released SDK; what it left in ``RESULT``, plus its ``output``."""

    def run(
        script: str, *arguments: str, timeout: float = 150, environment: dict[str, str] | None = None
    ) -> dict[str, Any]:
        command = [str(clearml_python), str(SCRIPTS / script), *arguments]
        return run_script(command, server, tmp_path / "clearml", timeout, environment)

    return run


@pytest.fixture
def run_trialbook(server: RunningServer, tmp_path: Path) -> Run:
    """The same script with ``clearml`` meaning Trialbook."""

    def run(
        script: str, *arguments: str, timeout: float = 100, environment: dict[str, str] | None = None
    ) -> dict[str, Any]:
        command = [sys.executable, "-m", "trialbook", "run", str(SCRIPTS / script), *arguments]
        return run_script(command, server, tmp_path / "trialbook", timeout, environment)

    return run
