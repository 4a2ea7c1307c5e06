"""Programs that are no file: what can be had of their code is on the task, else the reason why there is none."""

import contextlib
import linecache
import os
import pty
import re
import subprocess
import sys
import zipapp
from pathlib import Path

import pytest

from tests.integration.program import document
from tests.support.server import RunningServer
from trialbook.capture.typed import typed_lines

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


@pytest.mark.parametrize("file", [False, True])
def test_T29_what_is_typed_at_a_terminal_is_recorded_to_the_end(
    server: RunningServer, tmp_path: Path, file: bool
) -> None:
    """In a session, and after the script of ``python -i script.py``."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "train.py").write_text(TEXT)
    # The line editor gets the lines of earlier sessions at the start; they are no part of this one.
    (home / ".python_history").write_text("of = 'an earlier session'\nimport tqdm\n")
    before = [*TEXT.splitlines(), "for number in range(2):", "    print('N', number)", ""]
    after = ["import numpy", "api_key = 'abcdefgh'", "last = 1", "exit()"]
    master, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-q", "-i", *(["train.py"] if file else [])],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env={**server.client_environment(home), "TERM": "dumb"},
        cwd=home,
        start_new_session=True,
    ) as session:
        os.close(terminal)
        for line in [*([] if file else before), *after]:
            os.write(master, f"{line}\n".encode())
        said = ""
        # The terminal of a process that has ended has no end, but an error.
        with contextlib.suppress(OSError):
            while block := os.read(master, 65536):
                said += block.decode("utf-8", "replace")
        os.close(master)
    assert session.returncode == 0, said
    script = document(server, re.findall(r"TASK ([0-9a-f]{32})", said)[0])["script"]
    if file:
        typed = ["import numpy", "api_key = '********'", "last = 1", "exit()"]
        assert script["diff"] == "\n".join([TEXT, "# What was typed after the script:", *typed, ""])
        assert script["entry_point"] == "train.py"
        return
    lines = script["diff"].splitlines()
    assert [line for line in lines if line] == [
        *(line for line in before if line), "import numpy", "api_key = '********'", "last = 1", "exit()",
    ], script["diff"]  # fmt: skip
    assert script["entry_point"] == "session.py"
    assert "numpy==" in script["requirements"]["pip"] and "tqdm" not in script["requirements"]["pip"]


@pytest.mark.parametrize("name", ["<python-input-{}>", "<stdin>-{}"])
def test_T29_statements_that_the_interpreter_keeps_come_in_their_order(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Python 3.13 does."""
    assert typed_lines() == ""
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    for number, text in ((10, "last = 1"), (2, "if x:\n    y\n\n"), (0, "x = 1\n")):
        kept = (len(text), None, text.splitlines(True), "")
        monkeypatch.setitem(linecache.cache, name.format(number), kept)
    monkeypatch.setitem(linecache.cache, "<python-input-x>", (1, None, ["no\n"], ""))
    assert typed_lines() == "x = 1\nif x:\n    y\n\nlast = 1\n"
