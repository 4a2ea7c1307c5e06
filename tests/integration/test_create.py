"""``Task.create``: the draft holds the code that an agent needs, and that code runs."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import RunningServer
from trialbook import Task
from trialbook.capture.checkout import INIT_CALL, file_patch, with_init
from trialbook.client import settings
from trialbook.errors import TaskNotFound, UsageError
from trialbook.sdk.servers import connection as connections

SCRIPT = '"""What it does."""\nfrom __future__ import annotations\nimport sys\nprint("ran", sys.argv)'


@pytest.fixture(autouse=True)
def home(server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of its own for the SDK of this process."""
    for name, value in server.client_environment(tmp_path).items():
        if name.startswith("TRIALBOOK_") or name == "HOME":
            monkeypatch.setenv(name, value)
    monkeypatch.delenv("TRIALBOOK_PROC_MASTER_ID", raising=False)
    monkeypatch.chdir(tmp_path)
    connections.disconnect()
    yield tmp_path
    connections.disconnect()


def others(task: Task) -> str:
    """The packages of a task besides the SDK, which is there by an address on the server."""
    lines = script(task)["requirements"]["pip"].splitlines(keepends=True)
    own = [line for line in lines if line.startswith("trialbook @ http://127.0.0.1:")]
    assert len(own) == 1 and "/sdk/" in own[0] and "#sha256=" in own[0], lines
    return "".join(line for line in lines if line not in own)


def git(folder: Path, *arguments: str) -> str:
    names = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    done = subprocess.run(["git", *names, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with a script in a folder, another branch, and uncommitted changes."""
    root = tmp_path / "repo"
    (root / "source").mkdir(parents=True)
    git(root, "init", "-q", "-b", "main")
    (root / "source" / "train.py").write_text(SCRIPT)
    (root / "source" / "other.py").write_text("x = 1\n")
    (root / "requirements.txt").write_text("tqdm>=2.1\n")
    git(root, "add", ".")
    git(root, "commit", "-qm", "one")
    git(root, "checkout", "-qb", "side")
    (root / "source" / "other.py").write_text("x = 2\n")
    git(root, "commit", "-qam", "two")
    git(root, "checkout", "-q", "main")
    git(root, "remote", "add", "origin", f"file://{root}")
    (root / "source" / "other.py").write_text("x = 3\n")
    return root


def script(task: Task) -> dict[str, Any]:
    found: dict[str, Any] = Task.get_task(task.id).data["script"]  # type: ignore[union-attr]
    return found


def rebuilt(task: Task, target: Path) -> str:
    """What an agent would do: clone, check out, apply, run with a stand-in for the SDK; the program's output."""
    code = script(task)
    git(target.parent, "clone", "-q", code["repository"], str(target))
    git(target, "checkout", "-q", code["version_num"] or code["branch"])
    if code["diff"]:
        (target.parent / "diff").write_text(code["diff"])
        git(target, "apply", str(target.parent / "diff"))
    stub = target.parent / "stub"
    stub.mkdir(exist_ok=True)
    (stub / "trialbook.py").write_text("class Task:\n    init = staticmethod(lambda: print('begun'))\n")
    done = subprocess.run(
        [sys.executable, code["entry_point"]],
        cwd=target / code["working_dir"],
        env={"PYTHONPATH": str(stub)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_a_local_checkout_with_its_changes(checkout: Path, tmp_path: Path) -> None:
    task = Task.create(
        "Create/local",
        "one",
        task_type="testing",
        repo=str(checkout),
        script="./source/train.py",
        docker="python:3.12",
        docker_args="--gpus all",
        docker_bash_setup_script="apt update",
        argparse_args=[("--lr", 0.1), ("layers", 3)],
    )
    assert Task.current_task() is None
    code = script(task)
    assert code["repository"] == f"file://{checkout}" and code["branch"] == "main"
    assert code["version_num"] == git(checkout, "rev-parse", "HEAD")
    assert (code["entry_point"], code["working_dir"]) == ("source/train.py", ".")
    assert others(task) == "tqdm>=2.1\n"
    assert "+x = 3" in code["diff"]
    assert task.status == "created" and task.task_type == "testing"
    assert task.get_parameters() == {"Args/lr": "0.1", "Args/layers": "3"}
    assert task.get_base_docker() == "python:3.12 --gpus all"
    assert rebuilt(task, tmp_path / "agent").startswith("begun\nran")
    assert (tmp_path / "agent/source/other.py").read_text() == "x = 3\n"
    assert (checkout / "source/train.py").read_text() == SCRIPT, "the checkout itself is not touched"


def test_a_branch_a_commit_and_a_working_directory(checkout: Path, tmp_path: Path) -> None:
    task = Task.create(
        "Create/local",
        "side",
        repo=str(checkout),
        branch="side",
        script="source/train.py",
        working_directory="source",
        packages=["torch", "numpy>=2"],
    )
    code = script(task)
    assert (code["branch"], code["version_num"]) == ("side", git(checkout, "rev-parse", "side"))
    assert (code["entry_point"], code["working_dir"]) == ("train.py", "source")
    assert "x = 3" not in code["diff"] and others(task) == "torch\nnumpy>=2\n"
    assert rebuilt(task, tmp_path / "agent").startswith("begun")
    first = git(checkout, "rev-parse", "side")[:12]
    other = Task.create(
        "Create/local",
        "commit",
        repo=str(checkout),
        commit=first,
        script="source/other.py",
        add_task_init_call=False,
    )
    assert script(other)["version_num"].startswith(first) and script(other)["diff"] == ""


def test_an_address(checkout: Path, tmp_path: Path) -> None:
    url = f"file://{checkout}"
    task = Task.create("Create/address", "one", repo=url, branch="side", script="source/train.py")
    assert script(task)["version_num"] == git(checkout, "rev-parse", "side")
    assert others(task) == "tqdm>=2.1\n", "its own list"
    assert rebuilt(task, tmp_path / "agent").startswith("begun")
    asked = Task.create(
        "Create/address",
        "two",
        repo="https://joe:pw@example.invalid/r.git",
        script="a.py",
        add_task_init_call=False,
    )
    assert script(asked)["repository"] == "https://example.invalid/r.git"
    assert script(asked)["requirements"] == {}, "nobody looked: an agent takes the list of the repository"
    with pytest.raises(UsageError, match="could not be read"):
        Task.create("Create/address", "three", repo=f"file://{tmp_path}/nothing", script="a.py")
    with pytest.raises(UsageError, match="no file"):
        Task.create("Create/address", "three", repo=url, script="missing.py")


def test_a_single_file(tmp_path: Path) -> None:
    path = tmp_path / "alone.py"
    path.write_text("#!/usr/bin/env python\nimport numpy\nprint(1)\n")
    task = Task.create("Create/alone", "one", script=str(path))
    code = script(task)
    assert code["diff"] == f"#!/usr/bin/env python\n{INIT_CALL}import numpy\nprint(1)\n"
    assert (code["repository"], code["entry_point"]) == ("", "alone.py")
    assert "numpy==" in others(task)
    (tmp_path / "needs.txt").write_text("pandas\n")
    other = Task.create(
        "Create/alone",
        "two",
        script=str(path),
        requirements_file=tmp_path / "needs.txt",
        add_task_init_call=False,
    )
    assert script(other)["diff"] == path.read_text()
    assert others(other) == "pandas\n"


def test_D19_paths_as_objects(checkout: Path, tmp_path: Path) -> None:
    task = Task.create(
        "Create/paths", "one", repo=checkout, script=Path("source/train.py"), working_directory=Path("source")
    )
    code = script(task)
    assert code["repository"] == f"file://{checkout}" and "+x = 3" in code["diff"]
    assert (code["entry_point"], code["working_dir"]) == ("train.py", "source")
    (tmp_path / "alone.py").write_text("print(1)\n")
    alone = Task.create("Create/paths", "two", script=tmp_path / "alone.py", packages=True)
    assert script(alone)["entry_point"] == "alone.py"


def test_a_copy_of_a_task(tmp_path: Path) -> None:
    (tmp_path / "alone.py").write_text("print(1)\n")
    base = Task.create("Create/base", "base", script="alone.py", argparse_args=[("lr", 1), ("kept", 2)])
    made = Task.create(
        "Create/else", "copy", base_task_id=base.id, argparse_args=[("lr", 5)], packages=["torch"]
    )
    assert made.id != base.id and made.name == "copy" and made.get_project_name() == "Create/else"
    assert made.get_parameters() == {"Args/lr": "5", "Args/kept": "2"}
    assert script(made)["diff"] == script(base)["diff"]
    assert others(made) == "torch\n"
    assert Task.create(base_task_id=base.id).name == "Clone Of base"


def test_what_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="project_name and task_name"):
        Task.create("Create/x")
    with pytest.raises(UsageError, match="unknown task type"):
        Task.create("Create/x", "y", task_type="cooking")
    with pytest.raises(UsageError, match="no script"):
        Task.create("Create/x", "y", script="missing.py")
    with pytest.raises(UsageError, match="neither"):
        Task.create("Create/x", "y", repo="no-such-folder", script="a.py")
    with pytest.raises(UsageError, match="pairs"):
        Task.create("Create/x", "y", argparse_args=["lr=1"])  # type: ignore[list-item]
    with pytest.raises(TaskNotFound):
        Task.create(base_task_id="0" * 32)
    (tmp_path / "broken.py").write_text("def (:\n")
    with pytest.raises(UsageError, match="line 1"):
        Task.create("Create/x", "y", script="broken.py")
    monkeypatch.setattr(settings.table._offline, "value", True)
    with pytest.raises(UsageError, match="offline"):
        Task.create("Create/x", "y")


@pytest.mark.parametrize(
    "text",
    [
        "x = 1\n",
        "x = 1",
        "",
        "# one\n# two\n# three\nx = 1\n",
        '"""d"""',
        "from __future__ import division\n",
    ],
)
def test_the_call_is_added_once(text: str) -> None:
    added = with_init(text)
    assert added.count(INIT_CALL) == 1 and with_init(added) == added
    assert file_patch("a.py", text, added).startswith("diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n")


@pytest.mark.parametrize("text", ["Task.init()\n", "import trialbook\nt = trialbook.Task.init('a')\n"])
def test_a_call_that_is_there_is_enough(text: str) -> None:
    assert with_init(text) == text
