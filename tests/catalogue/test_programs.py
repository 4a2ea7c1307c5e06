"""What a whole program leaves behind: its console, its code, its packages. Programs run as processes of their own."""

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from tests.catalogue.conftest import Begin, again
from tests.integration.program import Program, console, document, points, until
from tests.support.server import RunningServer
from trialbook import Task
from trialbook.errors import QueueNotFound, UsageError

INIT = """
from trialbook import Task, Logger
task = Task.init("Catalogue/Programs", "run", reuse_last_task_id=False, auto_resource_monitoring=False)
print("TASK", task.id)
"""


def ran(server: RunningServer, home: Path, source: str, status: int = 0, **more: str) -> tuple[str, str]:
    """Run a program; its task's id and what it printed."""
    program = Program(INIT + source, server, home, **more)
    assert program.wait() == status, program.text
    return program.wait_for("TASK"), program.text


@pytest.mark.covers("CC-1", "CC-3", "CC-4", "CC-5", "CC-7")
def test_the_console(sdk: RunningServer, tmp_path: Path) -> None:
    source = r"""
import os, sys, logging
print("first")
for step in range(1000):
    sys.stderr.write(f"\rbar {step + 1}/1000")
sys.stderr.write("\n")
sys.stderr.write("upper 1\nlower 1\x1b[A\rupper 2\n\n")
print("\x1b[31mred\x1b[0m and ab\b\bcd")
import click
click.echo("by click")
from rich.console import Console
Console().print("[bold]by rich[/bold]")
print("x" * 1_000_000)
sys.stdout.flush()
for line in range(2_000):
    print("many", line)
print("last")
"""
    task, text = ran(sdk, tmp_path / "run", source)
    seen = console(sdk, task)
    lines = seen.split("\n")
    assert lines.index("first") < lines.index("by click") < lines.index("last")
    bars = [line for line in lines if "bar " in line]
    assert bars[-1].endswith("1000/1000") and len(bars) < 20
    assert "red and cd" in lines and "by rich" in lines and "\x1b" not in seen
    assert seen.count("x" * 1000) >= 900
    assert "many 0" in lines and "many 1999" in lines
    assert "last" in text and "many 1999" in text
    assert document(sdk, task)["status"] == "completed"


@pytest.mark.covers("CC-1", "CC-10")
def test_a_long_console_is_complete(sdk: RunningServer, tmp_path: Path) -> None:
    task, _ = ran(sdk, tmp_path / "run", "for line in range(3000):\n    print('many', line)\n")
    found = Task.get_task(task)
    assert found is not None
    lines = "\n".join(found.get_reported_console_output(5000)).split("\n")
    assert [line for line in lines if line.startswith("many")] == [f"many {n}" for n in range(3000)]


@pytest.mark.covers("CC-10")
def test_lines_are_there_while_the_program_runs(sdk: RunningServer, tmp_path: Path) -> None:
    program = Program(INIT + "print('early')\nimport sys\nsys.stdin.readline()", sdk, tmp_path / "run")
    task = program.wait_for("TASK")
    until(lambda: "early" in console(sdk, task), 20)
    assert program.process.poll() is None or program.wait() == 0
    if program.process.poll() is None:
        program.process.terminate()
        program.wait()


@pytest.mark.covers("CC-6")
def test_children_and_sub_processes(sdk: RunningServer, tmp_path: Path) -> None:
    source = """
import multiprocessing, os, subprocess, sys
child = os.fork()
if child == 0:
    print("from the fork")
    sys.exit(0)
os.waitpid(child, 0)
subprocess.run(["echo", "a plain sub-process"])
"""
    task, _ = ran(sdk, tmp_path / "run", source)
    seen = console(sdk, task)
    assert seen.count("from the fork") == 1 and "a plain sub-process" not in seen


@pytest.mark.covers("CC-8", "EX-2")
def test_a_traceback_is_the_last_entry(sdk: RunningServer, tmp_path: Path) -> None:
    task, _ = ran(sdk, tmp_path / "run", "print('before')\nraise RuntimeError('out of luck')", 1)
    assert console(sdk, task).rstrip().endswith("RuntimeError: out of luck")
    found = document(sdk, task)
    assert found["status"] == "failed" and "out of luck" in found["status_reason"]


def git(folder: Path, *words: str) -> None:
    subprocess.run(
        ["git", "-C", str(folder), "-c", "user.name=n", "-c", "user.email=e@example.org", *words],
        check=True,
        capture_output=True,
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with a program, a module of its own, and a sub-module."""
    folder = tmp_path / "checkout"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "own.py").write_text("import psutil\n")
    (folder / "src" / "train.py").write_text("")
    inner = tmp_path / "inner"
    inner.mkdir()
    git(inner, "init", "-q")
    (inner / "inside.txt").write_text("one\n")
    git(inner, "add", ".")
    git(inner, "commit", "-q", "-m", "first")
    git(folder, "init", "-q", "-b", "trunk")
    git(folder, "-c", "protocol.file.allow=always", "submodule", "add", str(inner), "inner")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    git(folder, "remote", "add", "origin", "https://me:secret@example.org/lab/digits.git")
    return folder


@pytest.mark.covers("RP-1", "RP-2", "RP-8", "PK-1", "PK-2")
def test_code_of_a_repository(sdk: RunningServer, checkout: Path) -> None:
    (checkout / "src" / "untracked.py").write_text("x = 1\n")
    (checkout / "inner" / "inside.txt").write_text("two\n")
    staged = checkout / "staged.txt"
    staged.write_text("staged\n")
    git(checkout, "add", "staged.txt")
    task, _ = ran(sdk, checkout / "src", "import numpy, own\nfrom PIL import Image\nimport sklearn\n")
    script = document(sdk, task)["script"]
    assert script["repository"] == "https://example.org/lab/digits.git"
    assert (script["branch"], script["entry_point"], script["working_dir"]) == ("trunk", "train.py", "src")
    assert len(script["version_num"]) == 40
    assert "+import numpy, own" in script["diff"] and "+staged" in script["diff"]
    assert "+two" in script["diff"], "changes inside a sub-module"
    assert "untracked" not in script["diff"]
    lines = script["requirements"]["pip"].splitlines()
    assert lines[0].startswith(f"# Python {sys.version.split()[0]}")
    for package in ("numpy", "pillow", "scikit-learn", "psutil"):
        assert f"{package}=={metadata.version(package)}" in [line.lower() for line in lines]
    assert not any(line.startswith(("pytest", "own")) for line in lines)


@pytest.mark.covers("RP-5", "IA-15")
def test_code_without_a_repository(sdk: RunningServer, tmp_path: Path) -> None:
    task, _ = ran(sdk, tmp_path / "run", "x = 'the whole of it'\n")
    script = document(sdk, task)["script"]
    assert script["repository"] == "" and "x = 'the whole of it'" in script["diff"]
    assert script["entry_point"] == "train.py"
    plain = Program(
        "from trialbook import Task\n"
        "task = Task.init('Catalogue/Programs', 'no code', auto_connect_frameworks={'detect_repository': False})\n"
        "print('TASK', task.id)\n",
        sdk,
        tmp_path / "plain",
    )
    assert plain.wait() == 0, plain.text
    script = document(sdk, plain.wait_for("TASK"))["script"]
    assert not script.get("diff") and not script.get("entry_point")


@pytest.mark.covers("RP-6", "RP-7")
def test_a_module_as_the_entry_point(sdk: RunningServer, checkout: Path) -> None:
    package = checkout / "pkg"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "mod.py").write_text(INIT)
    environment = {**sdk.client_environment(checkout.parent / "home"), "GIT_CEILING_DIRECTORIES": "/"}
    done = subprocess.run(
        [sys.executable, "-m", "pkg.mod", "a", "b"],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    task = done.stdout.split("TASK ")[1].split()[0]
    script = document(sdk, task)["script"]
    assert script["entry_point"].startswith("-m pkg.mod") and script["working_dir"] == "."


@pytest.mark.covers("RP-4")
def test_changes_too_long_for_the_page(sdk: RunningServer, checkout: Path) -> None:
    big = checkout / "big.txt"
    big.write_text("".join(f"line {number}\n" for number in range(80_000)))
    git(checkout, "add", "big.txt")
    task, _ = ran(sdk, checkout / "src", "pass\n")
    assert "auxiliary_git_diff" in document(sdk, task)["script"]["diff"]
    found = Task.get_task(task)
    assert found is not None
    text = Path(str(found.artifacts["auxiliary_git_diff"].get_local_copy())).read_text()
    assert "+line 79999" in text and "+from trialbook import" in text


@pytest.mark.covers("TI-15")
def test_a_script_instead_of_its_repository(sdk: RunningServer, checkout: Path) -> None:
    program = Program(
        "from trialbook import Task\nTask.force_store_standalone_script()\n" + INIT, sdk, checkout / "src"
    )
    assert program.wait() == 0, program.text
    script = document(sdk, program.wait_for("TASK"))["script"]
    assert script["repository"] == "" and script["diff"].startswith("from trialbook import Task\nTask.force")


@pytest.mark.covers("TK-001", "TK-023", "TK-055", "PK-3")
@pytest.mark.parametrize("frozen", [False, True])
def test_packages_by_wish(sdk: RunningServer, tmp_path: Path, frozen: bool) -> None:
    needs = tmp_path / "needs.txt"
    needs.write_text("# a comment\nfrom-a-file>=1\n")
    before = f"""
from trialbook import Task
import numpy, psutil
Task.add_requirements("added", "2.4.0")
Task.add_requirements("bounded", ">=2.4")
Task.add_requirements("open", "")
Task.add_requirements("not-installed-at-all")
Task.add_requirements("pytest")
Task.add_requirements({str(needs)!r})
Task.ignore_requirements("psutil")
Task.force_requirements_env_freeze({frozen})
"""
    after = """
Task.add_requirements("too-late")
Task.ignore_requirements("numpy")
Task.force_requirements_env_freeze()
"""
    program = Program(before + INIT + after, sdk, tmp_path / "run")
    assert program.wait() == 0, program.text
    assert program.text.count("has no effect after Task.init") == 3
    lines = document(sdk, program.wait_for("TASK"))["script"]["requirements"]["pip"].splitlines()
    expected = {
        "added==2.4.0",
        "bounded>=2.4",
        "open",
        "not-installed-at-all",
        f"pytest=={metadata.version('pytest')}",
        "from-a-file>=1",
        f"numpy=={metadata.version('numpy')}",
    }
    assert expected <= set(lines)
    assert not any(line.startswith(("psutil", "too-late")) for line in lines)
    assert any(line.lower().startswith("sqlalchemy==") for line in lines) is frozen


@pytest.mark.covers("LG-27", "EX-7")
def test_forked_workers_lose_nothing(sdk: RunningServer, tmp_path: Path) -> None:
    source = """
import multiprocessing
def work(number):
    for step in range(1000):
        Logger.current_logger().report_scalar("workers", str(number), float(step), step)
pool = [multiprocessing.get_context("fork").Process(target=work, args=(n,)) for n in range(8)]
[p.start() for p in pool]; [p.join() for p in pool]
"""
    task, _ = ran(sdk, tmp_path / "run", source)
    found = points(sdk, task)
    assert len(found) == 8
    for number in range(8):
        assert found[f"workers/{number}"]["iter"] == list(range(1000))
        assert found[f"workers/{number}"]["value"] == [float(step) for step in range(1000)]


@pytest.mark.covers("EX-8")
def test_a_child_that_leaves_at_once(sdk: RunningServer, tmp_path: Path) -> None:
    source = """
import os
if os.fork() == 0:
    os._exit(0)
os.wait()
task.get_logger().report_scalar("a", "b", 1.0, 1)
"""
    task, _ = ran(sdk, tmp_path / "run", source)
    assert points(sdk, task)["a/b"]["iter"] == [1] and document(sdk, task)["status"] == "completed"


@pytest.mark.covers("EX-5")
def test_a_killed_program_stays_in_progress(sdk: RunningServer, tmp_path: Path) -> None:
    program = Program(INIT + "import threading\nthreading.Event().wait(60)", sdk, tmp_path / "run")
    task = program.wait_for("TASK")
    program.kill()
    assert document(sdk, task)["status"] == "in_progress"


@pytest.mark.covers("LG-21", "CC-2")
def test_records_of_logging_without_streams(task: Task) -> None:
    import logging

    log = logging.getLogger("catalogue")
    log.warning("before")
    with task.get_logger().capture_logging():
        log.warning("inside")
    again(task)
    text = "\n".join(task.get_reported_console_output(10))
    assert text.count("inside") == 1 and "before" not in text


@pytest.mark.covers("RP-9")
def test_code_that_the_surroundings_know(sdk: RunningServer, tmp_path: Path) -> None:
    task, _ = ran(
        sdk,
        tmp_path / "run",
        "pass\n",
        TRIALBOOK_VCS_REPO_URL="https://example.org/built.git",
        CLEARML_VCS_COMMIT_ID="c" * 40,
        TRIALBOOK_VCS_BRANCH="release",
    )
    script = document(sdk, task)["script"]
    assert script["repository"] == "https://example.org/built.git"
    assert (script["version_num"], script["branch"], script["entry_point"]) == (
        "c" * 40,
        "release",
        "train.py",
    )


NOTEBOOK = [
    "%matplotlib inline\nimport numpy",
    "from trialbook import Task\ntask = Task.init('Catalogue/Notebooks', auto_resource_monitoring=False)",
    "!echo shell\nx = numpy.arange(3)\nprint('in a cell', x.sum())",
    "raise_this = 1 / 0",
    "%%bash\necho whole cell",
    "print('TASK', task.id, task.status)",
    "task.close()",
]


@pytest.mark.covers("NB-1", "NB-2", "NB-3", "NB-4", "EX-9")
def test_a_notebook(sdk: RunningServer, tmp_path: Path) -> None:
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    environment = {**sdk.client_environment(tmp_path / "home"), "JPY_SESSION_NAME": "/x/My study.ipynb"}
    cells = [nbformat.v4.new_code_cell(cell) for cell in NOTEBOOK]
    book = nbformat.v4.new_notebook(cells=cells)
    client = nbclient.NotebookClient(book, timeout=60, allow_errors=True, kernel_name="python3")
    # A kernel that has not ended by then is killed, and a killed run has no end of its own.
    client.create_kernel_manager().shutdown_wait_time = 60.0
    recorded: list[str] = []
    with client.setup_kernel(cwd=str(tmp_path), env=environment):
        task = ""
        for number, cell in enumerate(cells):
            client.execute_cell(cell, number)
            text = "".join(output.get("text", "") for output in cell.outputs)
            task = text.split("TASK ")[1].split()[0] if "TASK " in text else task
            if task and number == 5:
                assert "in_progress" in text
                until(lambda own=task: "in a cell" in document(sdk, own)["script"].get("diff", ""))
                recorded.append(document(sdk, task)["script"]["diff"])
    found = document(sdk, task)
    assert (found["name"], found["status"]) == ("My study", "completed")
    script = found["script"]
    assert script["entry_point"] == "My study.py" and not script.get("repository")
    text = script["diff"]
    assert "# %matplotlib inline\nimport numpy" in text and "# !echo shell\nx = numpy" in text
    assert "# %%bash\n# echo whole cell" in text
    assert "# %% ended with ZeroDivisionError\ntry:\n    raise_this = 1 / 0\nexcept" in text
    assert text.count("Task.init") == 1 and text.index("import numpy") < text.index("Task.init")
    assert "task.close()" not in recorded[0] and "TASK" in text
    assert f"numpy=={metadata.version('numpy')}" in script["requirements"]["pip"]
    again_ = Program(text, sdk, tmp_path / "as a script")
    assert again_.wait() == 0, again_.text
    assert "in a cell 3" in again_.text


@pytest.mark.covers("TI-11")
def test_a_run_on_several_machines(
    sdk: RunningServer, begin: Begin, draft: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MASTER_ADDR", "MASTER_PORT", "WORLD_SIZE", "NODE_RANK", "RANK"):
        monkeypatch.delenv(name, raising=False)
    queue = f"nodes {draft.id}"
    sdk.call("queues.create", {"name": queue})
    task = begin()
    task.connect({"rate": 0.1})
    with pytest.raises(UsageError, match="queue"):
        task.launch_multi_node(2)
    with pytest.raises(QueueNotFound):
        task.launch_multi_node(2, queue="no such queue")
    node = task.launch_multi_node(3, port=1234, queue=queue, addr="10.0.0.1", devices=2, hide_children=True)
    assert (node["node_rank"], node["world_size"], len(node["nodes"])) == (0, 6, 2)
    assert Task.get_num_enqueued_tasks(queue) == 2
    assert {os.environ[name] for name in ("NODE_RANK", "RANK")} == {"0"} and os.environ["WORLD_SIZE"] == "6"
    second = Task.get_task(node["nodes"][1])
    assert second is not None and second.parent == task.id and second.name == "run node 2"
    assert "hidden" in second.get_system_tags() and second.get_parameter("General/rate") == "0.1"
    for name in ("MASTER_ADDR", "MASTER_PORT", "WORLD_SIZE", "NODE_RANK", "RANK"):
        monkeypatch.delenv(name)
    source = """
import os
from trialbook import Task
task = Task.init("any", "name", auto_resource_monitoring=False)
node = task.launch_multi_node(3, queue="not asked")
print("NODE", node["node_rank"], node["total_num_nodes"], "nodes" in node)
print("ENV", *[os.environ[name] for name in ("MASTER_ADDR", "MASTER_PORT", "WORLD_SIZE", "NODE_RANK", "RANK")])
task.get_logger().report_scalar("a", "b", 1.0, 1)
"""
    program = Program(source, sdk, tmp_path / "node", TRIALBOOK_TASK_ID=second.id)
    assert program.wait() == 0, program.text
    assert program.wait_for("NODE") == "2 3 False"
    assert program.wait_for("ENV") == "10.0.0.1 1234 6 2 4"
    assert points(sdk, second.id)["a/b"]["iter"] == [1]
    with pytest.raises(UsageError, match=r"Task\.init"):
        draft.launch_multi_node(2, queue=queue)


_CELLS = [
    "from trialbook import Task\ntask = Task.init('Notes', 'later cells')\nprint('TASK', task.id)",
    "print('printed later')\nimport sys; sys.stderr.write('error later\\n')",
    "import logging, threading, time\nlogging.warning('logged later')\nprint('third cell')",
    "threading.Thread(target=lambda: (time.sleep(0.3), print('from a thread between cells'))).start()",
    "task.get_logger().report_text('reported once')\ntask.flush()\nprint(type(sys.stdout).__name__)",
]


def _notebook(sdk: RunningServer, folder: Path, sources: list[str]) -> tuple[str, str]:
    """Run cells in a kernel of their own; the task and all output."""
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    book = nbformat.v4.new_notebook(cells=cells)
    client = nbclient.NotebookClient(book, timeout=60, allow_errors=True, kernel_name="python3")
    # A kernel that has not ended by then is killed, and a killed run has no end of its own.
    client.create_kernel_manager().shutdown_wait_time = 60.0
    with client.setup_kernel(cwd=str(folder), env=sdk.client_environment(folder / "home")):
        for number, cell in enumerate(cells):
            client.execute_cell(cell, number)
            if "Thread" in cell.source:
                client.execute_cell(nbformat.v4.new_code_cell("time.sleep(0.6)"), number)
    text = "".join(output.get("text", "") for cell in cells for output in cell.outputs)
    return text.split("TASK ")[1].split()[0], text


def test_T2_the_console_has_what_later_cells_print(sdk: RunningServer, tmp_path: Path) -> None:
    task, shown = _notebook(sdk, tmp_path, _CELLS)
    until(lambda: "reported once" in console(sdk, task))
    text = console(sdk, task)
    for line in (
        "printed later",
        "error later",
        "third cell",
        "from a thread between cells",
        "reported once",
    ):
        assert text.count(line) == 1, text
        assert shown.count(line) == 1, shown
    assert text.count("logged later") == 1
    assert "OutStream" in shown
    assert document(sdk, task)["status"] == "completed"


@pytest.mark.parametrize(
    ("sources", "status", "last"),
    [
        (["x = 1", "raise ValueError('no such run')"], "failed", "raise ValueError('no such run')"),
        (["raise ValueError('early')", "x = 2"], "completed", "x = 2"),
        (["x = 1", "this is no Python"], "failed", "this is no Python"),
    ],
)
def test_T40_a_notebook_ends_as_its_last_cell(
    sdk: RunningServer, tmp_path: Path, sources: list[str], status: str, last: str
) -> None:
    task, _ = _notebook(sdk, tmp_path, [_CELLS[0], *sources])
    found = document(sdk, task)
    assert found["status"] == status
    assert found["script"]["diff"].rstrip().endswith(last)
    if "ValueError" in last:
        assert found["status_message"] == "ValueError: no such run"
