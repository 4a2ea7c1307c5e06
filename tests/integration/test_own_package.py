"""The SDK among the packages of a run: an address on the server that recorded it, which pip installs."""

import base64
import csv
import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
import urllib3

from tests.integration.program import Program, document
from tests.support.server import RunningServer
from trialbook import Task
from trialbook.capture.own_package import names_own, with_own
from trialbook.sdk.servers import connection as connections
from trialbook.server.services.own_wheel import OwnWheel, wheel

OFFER = "trialbook @ http://s/sdk/current\n"


@pytest.fixture
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


def own_line(server: RunningServer, task: str) -> str:
    """The one line of a task's packages that means the SDK; its address is on the server and answers."""
    pip = document(server, task)["script"]["requirements"]["pip"]
    lines = [line for line in pip.splitlines() if names_own(line)]
    assert len(lines) == 1, pip
    name, _, address = lines[0].partition(" @ ")
    url, _, digest = address.partition("#sha256=")
    assert name == "trialbook" and url.startswith(f"{server.url}/sdk/{digest}/trialbook-"), lines
    reply = urllib3.request("GET", url)
    assert reply.status == 200 and hashlib.sha256(reply.data).hexdigest() == digest
    return lines[0]


def test_T3_pip_installs_what_a_made_task_lists_and_its_code_runs(server: RunningServer, home: Path) -> None:
    (home / "job.py").write_text("import trialbook\nprint('FROM', trialbook.__file__)\n")
    task = Task.create("Own package", "made", script="job.py", packages=["tqdm", "trialbook"])
    line = own_line(server, task.id)
    (home / "lines.txt").write_text(f"{line}\n")
    target = home / "installed"
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--isolated",
        "--no-index",
        "--no-deps",
        "--no-compile",
        "-q",
    ]
    subprocess.run([*pip, "--target", str(target), "-r", "lines.txt"], check=True)
    assert not list(target.rglob("*.pth")), "not an editable install"
    fresh = Program(
        task.get_script()["diff"],
        server,
        home / "agent",
        PYTHONPATH=str(target),
        TRIALBOOK_TASK_ID=task.id,
    )
    assert Path(fresh.wait_for("FROM")).is_relative_to(target)
    assert fresh.wait() == 0, fresh.text
    assert document(server, task.id)["status"] == "in_progress", "the agent ends it"


@pytest.mark.parametrize(
    ("how", "before"),
    [
        ("imports", ""),
        ("everything", "Task.force_requirements_env_freeze()"),
        ("a file", "open('r.txt', 'w').write('numpy\\ntrialbook>=0.0.1\\n')\n"
         "Task.force_requirements_env_freeze(requirements_file='r.txt')"),
        ("named", "Task.add_requirements('trialbook')"),
        ("with a version", "Task.add_requirements('trialbook', '==0.0.1')"),
    ],
)  # fmt: skip
def test_T3_a_run_lists_it_however_its_packages_are_found(
    server: RunningServer, tmp_path: Path, how: str, before: str
) -> None:
    source = f"""
from trialbook import Task
{before}
task = Task.init('Own package', {how!r})
print('TASK', task.id)
task._run.described.wait(30)
print('OWN', [line for line in task.get_requirements()['pip'].splitlines() if 'trialbook' in line][0])
"""
    program = Program(source, server, tmp_path)
    assert program.wait() == 0, program.text
    line = own_line(server, program.wait_for("TASK"))
    assert program.wait_for("OWN") == line, "as the server completed it"


def test_T3_a_run_without_a_server_gets_the_address_when_it_is_sent(
    server: RunningServer, home: Path
) -> None:
    source = """
from trialbook import Task
Task.set_offline(True)
task = Task.init("Own package", "offline")
print("FOLDER", task.get_offline_mode_folder())
"""
    unset = {f"TRIALBOOK_{name}": "" for name in ("API_HOST", "API_ACCESS_KEY", "API_SECRET_KEY")}
    program = Program(source, server, home / "away", **unset)
    assert program.wait() == 0, program.text
    sent = Task.import_offline_session(program.wait_for("FOLDER"))
    assert sent is not None
    own_line(server, sent)


@pytest.mark.parametrize("way", ["tasks.create", "tasks.edit", "tasks.set_requirements"])
def test_T3_a_line_of_a_run_that_began_while_its_server_was_away_is_completed(
    server: RunningServer, way: str
) -> None:
    packages = {"pip": f"numpy\ntrialbook @ {server.url}/sdk/current\n"}
    script = {"script": {"requirements": packages}} if way == "tasks.create" else {}
    task = server.call("tasks.create", {"name": way, "type": "training", **script})["id"]
    if way == "tasks.edit":
        server.call(way, {"task": task, "script": {"requirements": packages}})
    elif way == "tasks.set_requirements":
        server.call(way, {"task": task, "requirements": packages})
    own_line(server, task)
    assert document(server, task)["script"]["requirements"]["pip"].startswith("numpy\n")


def test_T3_who_says_never_gets_none(server: RunningServer, tmp_path: Path) -> None:
    source = """
from trialbook import Task
Task.ignore_requirements("trialbook")
print("TASK", Task.init("Own package", "none").id)
"""
    program = Program(source, server, tmp_path)
    assert program.wait() == 0, program.text
    assert "trialbook" not in document(server, program.wait_for("TASK"))["script"]["requirements"]["pip"]


@pytest.mark.parametrize(
    ("lines", "made"),
    [
        ("", OFFER),
        ("numpy\n", f"numpy\n{OFFER}"),
        ("trialbook\n", OFFER),
        ("Trialbook == 0.1 ; python_version < '4'\nnumpy\n", f"{OFFER}numpy\n"),
        ("trialbook[fast, demo]>=1\n", "trialbook[fast,demo] @ http://s/sdk/current\n"),
        ("trialbook # note\n", OFFER),
        ("trialbook==1 \\\n  --hash=sha256:aa \\\n  --hash=sha256:bb\nnumpy\n", f"{OFFER}numpy\n"),
        ("trialbook @ file:///home/me/trialbook\n", OFFER),
        ("-e file:///home/me#egg=trialbook\n", OFFER),
        ("--editable=/home/me/x#egg=trialbook\n", OFFER),
        ("./dist/trialbook-0.1.0-py3-none-any.whl\n", OFFER),
        ("trialbook==1\ntrialbook==2\n", OFFER),
        # An address that other machines have is somebody's wish.
        ("trialbook @ git+https://h/t@abc\n", "trialbook @ git+https://h/t@abc\n"),
        ("-e git+ssh://git@h/t.git#egg=trialbook\n", "-e git+ssh://git@h/t.git#egg=trialbook\n"),
        ("https://h/trialbook-9-py3-none-any.whl\n", "https://h/trialbook-9-py3-none-any.whl\n"),
        # Others.
        ("trialbook-extra==1\n", f"trialbook-extra==1\n{OFFER}"),
        ("trialbook_x\n", f"trialbook_x\n{OFFER}"),
        ("# trialbook==1\n", f"# trialbook==1\n{OFFER}"),
        ("https://h/mytrialbook-0.1.tar.gz\n", f"https://h/mytrialbook-0.1.tar.gz\n{OFFER}"),
        ("-e git+https://h/x#egg=trialbook-plugin\n", f"-e git+https://h/x#egg=trialbook-plugin\n{OFFER}"),
    ],
)
def test_T3_the_name_alone_never_stays(lines: str, made: str) -> None:
    assert with_own(lines, "http://s") == made
    assert with_own(made, "http://s") == made


def test_T3_a_list_that_is_set_stays_as_it_is_but_for_the_bare_name(
    server: RunningServer, home: Path
) -> None:
    draft = Task.create("Own package", "set")
    draft.set_packages(["numpy==2.0"])
    assert document(server, draft.id)["script"]["requirements"] == {"pip": "numpy==2.0\n"}
    draft.set_packages(["numpy==2.0", "trialbook"])
    own_line(server, draft.id)


def test_T3_equal_files_are_equal_bytes_and_the_record_fits_them() -> None:
    described = metadata.distribution("trialbook")
    import trialbook

    package = Path(trialbook.__file__).parent
    name, data = wheel(described, package)
    assert (
        wheel(described, package) == (name, data)
        and name == f"trialbook-{described.version}-py3-none-any.whl"
    )
    archive = zipfile.ZipFile(io.BytesIO(data))
    names = archive.namelist()
    assert len(set(names)) == len(names) and not any("__pycache__" in name for name in names)
    own = f"trialbook-{described.version}.dist-info"
    rows = list(csv.reader(io.StringIO(archive.read(f"{own}/RECORD").decode())))
    assert [row[0] for row in rows] == names
    for path, digest, size in rows[:-1]:
        found = base64.urlsafe_b64encode(hashlib.sha256(archive.read(path)).digest()).rstrip(b"=")
        assert (digest, int(size)) == (f"sha256={found.decode()}", len(archive.read(path)))
    assert b"Requires-Dist: numpy" in archive.read(f"{own}/METADATA")
    assert b"trialbook.cli.main:main" in archive.read(f"{own}/entry_points.txt")
    assert f"{own}/licenses/LICENSE" in names and "trialbook/py.typed" in names


def test_T3_what_was_recorded_stays_installable_and_nothing_else_is_served(
    server: RunningServer,
) -> None:
    line = urllib3.request("GET", f"{server.url}/sdk").data.decode()
    assert line.startswith(f"trialbook @ {server.url}/sdk/") and line.count("\n") == 1
    address = line.split(" @ ")[1].strip().partition("#")[0]
    # One of an earlier version: an upgrade adds, it does not replace.
    kept = server.data / "sdk" / ("ab" * 32) / "trialbook-0.0.1-py3-none-any.whl"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"of before")
    reply = urllib3.request("GET", f"{server.url}/sdk/{'ab' * 32}/{kept.name}")
    assert (reply.status, reply.data) == (200, b"of before") and "immutable" in reply.headers["cache-control"]
    assert urllib3.request("HEAD", address).status == 200
    missing = ["sdk/x/y.whl", "sdk/current/x", f"sdk/{'cd' * 32}/{kept.name}", "sdk/..%2flock/x"]
    missing += [f"sdk/{'ab' * 32}/..%2f..%2f..%2fcredentials.json", f"sdk/{'ab' * 32}/", "sdk/a/b/c"]
    for path in missing:
        assert urllib3.request("GET", f"{server.url}/{path}").status == 404, path
    assert urllib3.request("PUT", address, body=b"x").status in (404, 405)


def test_T3_the_address_that_machines_are_told_wins_and_two_servers_make_the_same(tmp_path: Path) -> None:
    here, there = OwnWheel(tmp_path / "a", "https://lab"), OwnWheel(tmp_path / "b", "")
    told = here.completed({"pip": "numpy\ntrialbook @ http://127.0.0.1:1/sdk/current\n", "conda": ["x"]})
    assert told["pip"].startswith("numpy\ntrialbook @ https://lab/sdk/") and told["conda"] == ["x"]
    digest, name = told["pip"].strip().partition("#sha256=")[2], told["pip"].split("/")[-1].partition("#")[0]
    assert there.find(digest, name) is not None
    assert there.find("0" * 64, name) is None and there.find(digest, "../../x") is None
    untouched = {"pip": "trialbook @ http://x/sdk/current/more\nmytrialbook @ http://x/sdk/current\n", "n": 3}
    assert there.completed(untouched) == untouched
    assert json.dumps(there.completed(None)) == "null" and [
        path.name for path in (tmp_path / "b").iterdir()
    ] == [digest]
