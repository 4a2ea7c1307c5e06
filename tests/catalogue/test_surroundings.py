"""What a run's surroundings are: a conda environment, a notebook server with a password."""

import json
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.catalogue.conftest import again
from tests.integration.program import Program, document
from tests.support.server import RunningServer
from trialbook import Task

ROOT = Path(__file__).parents[2]
INIT = """
import sys
from trialbook import Task
task = Task.init("Catalogue/Surroundings", "run", reuse_last_task_id=False, auto_resource_monitoring=False)
print("TASK", task.id, sys.base_prefix)
"""


def note(prefix: Path, name: str, version: str, build: str, channel: str) -> None:
    """What conda writes of a package that it has installed."""
    found = {
        "name": name,
        "version": version,
        "build": build,
        "build_number": 0,
        "channel": channel,
        "files": [],
    }
    (prefix / "conda-meta").mkdir(exist_ok=True)
    (prefix / "conda-meta" / f"{name}-{version}-{build}.json").write_text(json.dumps(found))


@pytest.mark.covers("PK-4")
def test_a_conda_environment(sdk: RunningServer, tmp_path: Path) -> None:
    prefix = tmp_path / "envs" / "study"
    prefix.mkdir(parents=True)
    base = Path(sysconfig.get_config_var("installed_base"))
    (prefix / "lib").symlink_to(base / "lib")
    note(prefix, "numpy", "1.26.4", "py311h64a7726_0", "https://conda.anaconda.org/conda-forge/linux-64")
    note(prefix, "python", "3.11.7", "h955ad1f_0", "https://repo.anaconda.com/pkgs/main/linux-64")
    note(prefix, "own", "2.0", "0", "https://conda.anaconda.org/t/to-12345678/lab/noarch")
    note(prefix, "inner", "1", "1", "https://me:hunter2@conda.example.org/lab/linux-64")
    (prefix / "conda-meta" / "history").write_text("==> 2024-01-01 <==\n")
    python = str(base / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}")
    folders = f"{ROOT / 'src'}:{sysconfig.get_path('purelib')}"
    surroundings = {"CONDA_PREFIX": str(prefix), "PYTHONPATH": folders}
    inside = Program(INIT, sdk, tmp_path / "run", python=python, PYTHONHOME=str(prefix), **surroundings)
    assert inside.wait() == 0, inside.text
    task, where = inside.wait_for("TASK").split()
    assert where == str(prefix)
    found = document(sdk, task)["script"]["requirements"]
    assert found["pip"].startswith("# Python")
    assert found["conda"] == (
        "# Conda packages\ninner==1\nnumpy==1.26.4\nown==2.0\npython==3.11.7\n\n# Exact builds\n"
        "# https://conda.example.org/lab::inner=1=1\n# conda-forge::numpy=1.26.4=py311h64a7726_0\n"
        "# lab::own=2.0=0\n# pkgs/main::python=3.11.7=h955ad1f_0\n"
    )
    # Active in the shell, but another Python runs.
    outside = Program(INIT, sdk, tmp_path / "run", **surroundings)
    assert outside.wait() == 0, outside.text
    assert "conda" not in document(sdk, outside.wait_for("TASK").split()[0])["script"]["requirements"]


@pytest.fixture
def guarded() -> Iterator[tuple[str, list[str]]]:
    """A notebook server that refuses whoever has no password; its address, and what it was asked."""
    asked: list[str] = []

    class Refuses(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(403)
            self.end_headers()

        do_POST = do_GET

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Refuses)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", asked
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.covers("NB-5")
@pytest.mark.parametrize("told", [False, True])
def test_a_notebook_on_a_server_with_a_password(
    sdk: RunningServer, tmp_path: Path, guarded: tuple[str, list[str]], told: bool
) -> None:
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    url, asked = guarded
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    ) as parent:
        # The note by which a kernel could find its server, as Jupyter writes it for one with a password.
        runtime = tmp_path / "runtime"
        runtime.mkdir()
        known = {"url": url, "token": "", "password": True, "pid": parent.pid, "root_dir": str(tmp_path)}
        (runtime / f"jpserver-{parent.pid}.json").write_text(json.dumps(known))
        environment = {
            **sdk.client_environment(tmp_path / "home"),
            "JPY_SESSION_NAME": str(tmp_path / "Guarded.ipynb"),
            "JPY_PARENT_PID": str(parent.pid),
            "JUPYTER_RUNTIME_DIR": str(runtime),
            **({"CLEARML_JUPYTER_PASSWORD": "hunter22222"} if told else {}),
        }
        source = ["study = 1 + 1", INIT, "print('seen', study)", "task.close()"]
        cells = [nbformat.v4.new_code_cell(cell) for cell in source]
        client = nbclient.NotebookClient(
            nbformat.v4.new_notebook(cells=cells), timeout=60, kernel_name="python3"
        )
        with client.setup_kernel(cwd=str(tmp_path), env=environment):
            for number, cell in enumerate(cells):
                client.execute_cell(cell, number)
        assert parent.stdin is not None
        parent.stdin.close()
    text = "".join(output.get("text", "") for output in cells[1].outputs)
    found = document(sdk, text.split("TASK ")[1].split()[0])
    assert (found["name"], found["status"], found["script"]["entry_point"]) == (
        "run",
        "completed",
        "Guarded.py",
    )
    assert "study = 1 + 1" in found["script"]["diff"] and "print('seen', study)" in found["script"]["diff"]
    assert asked == [], "the cells come from the kernel itself"
    assert "hunter22222" not in json.dumps(found)


@pytest.mark.parametrize("way", ["file", "list", "create", "repository"])
def test_T13_packages_and_addresses_are_stored_without_their_secrets(
    sdk: RunningServer, draft: Task, project: str, tmp_path: Path, way: str
) -> None:
    lines = [
        "--extra-index-url https://joe:hunter2@pypi.example.com/simple",
        "lab @ git+https://joe:hunter2@example.com/lab.git@0a1b2c",
        "-i https://joe@corp:hunter2@pypi.example.com/simple",
        "numpy==2.0",
    ]
    file = tmp_path / "requirements.txt"
    file.write_text("\n".join(lines))
    task = draft
    if way == "file":
        task.set_packages(str(file))
    elif way == "list":
        task.set_packages(lines)
    elif way == "create":
        (tmp_path / "own.py").write_text("print(1)\n")
        task = Task.create(project, "made", script=str(tmp_path / "own.py"), requirements_file=str(file))
    else:
        task.set_repo("https://joe:hunter2@example.com/lab/digits.git?token=hunter2", "trunk")
    again(task)
    stored = json.dumps(document(sdk, task.id)["script"])
    assert "hunter2" not in stored and "example.com" in stored
