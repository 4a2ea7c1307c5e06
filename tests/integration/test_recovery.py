"""Killed trainers, killed servers, cut networks: every reported point is there once, in the end."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.integration.program import Program, document, points, until
from tests.integration.proxy import Proxy
from tests.support.length import LONG
from tests.support.server import RunningServer
from tests.support.template import Templates

STEADY = """
import sys, time, threading
from trialbook import Task
task = Task.init("Recovery", "run", reuse_last_task_id=False)
print("TASK", task.id)
logger, pause = task.get_logger(), threading.Event()
step = 0
while not END:
    logger.report_scalar("loss", "train", float(step), step)
    if step % 50 == 0:
        print("STEP", step)
    step += 1
    pause.wait(0.002)
print("TOTAL", step)
task.flush()
"""


def forever() -> str:
    return STEADY.replace("END", "False")


def for_seconds(seconds: float) -> str:
    return STEADY.replace("END", "time.monotonic() > start").replace(
        "step = 0", f"step = 0; start = time.monotonic() + {seconds}"
    )


def until_told() -> str:
    """Goes on until a file ``stop`` lies beside it, however slow the machine is."""
    return STEADY.replace("END", "os.path.exists('stop')").replace("import sys", "import os, sys")


def last_step(program: Program) -> int:
    steps = program.said("STEP")
    return int(steps[-1]) if steps else -1


def sync(program: Program) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "trialbook", "sync"],
        env=program.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def exactly_once(server: RunningServer, task: str, at_least: int) -> int:
    """All steps from 0 on, none missing, none twice; how many."""
    found = points(server, task)["loss/train"]
    count = len(found["iter"])
    assert found["iter"] == list(range(count))
    assert found["value"] == [float(step) for step in range(count)]
    assert count >= at_least
    return count


def test_a_killed_trainer_loses_nothing(server: RunningServer, tmp_path: Path) -> None:
    program = Program(forever(), server, tmp_path)
    task = program.wait_for("TASK")
    until(lambda: last_step(program) >= 700)
    program.kill()
    told = last_step(program)
    assert document(server, task)["status"] == "in_progress"
    assert "sent" in sync(program)
    exactly_once(server, task, told + 1)
    found = document(server, task)
    assert found["status"] == "stopped"
    assert "without closing" in found["status_message"]
    assert "Nothing is waiting" in sync(program)


def test_the_next_run_on_the_host_recovers_a_killed_one(server: RunningServer, tmp_path: Path) -> None:
    program = Program(forever(), server, tmp_path)
    task = program.wait_for("TASK")
    until(lambda: last_step(program) >= 300)
    program.kill()
    told = last_step(program)
    following = Program(until_told(), server, tmp_path)
    until(lambda: document(server, task)["status"] == "stopped")
    (tmp_path / "stop").touch()
    assert following.wait() == 0, following.text
    exactly_once(server, task, told + 1)
    assert document(server, task)["status"] == "stopped"


def test_a_killed_server_goes_on_where_it_was(own_server: RunningServer, tmp_path: Path) -> None:
    program = Program(until_told(), own_server, tmp_path)
    task = program.wait_for("TASK")
    until(lambda: last_step(program) >= 300)
    for _ in range(2):
        own_server.kill()
        told = last_step(program)
        until(lambda told=told: last_step(program) >= told + 200)
        own_server.start()
        told = last_step(program)
        until(lambda told=told: last_step(program) >= told + 200)
    (tmp_path / "stop").touch()
    assert program.wait() == 0, program.text
    total = int(program.wait_for("TOTAL"))
    until(lambda: len(points(own_server, task)["loss/train"]["iter"]) >= total)
    assert exactly_once(own_server, task, total) == total
    until(lambda: document(own_server, task)["status"] == "completed")


def test_a_network_that_is_away_for_a_while(server: RunningServer, tmp_path: Path) -> None:
    """Long enough that the shipper has backed off; half a minute in the long form."""
    seconds, steps = (30, 5000) if LONG else (8, 1300)
    proxy = Proxy(server.port)
    program = Program(until_told(), server, tmp_path, TRIALBOOK_API_HOST=proxy.url)
    task = program.wait_for("TASK")
    until(lambda: last_step(program) >= 300)
    proxy.cut()
    away = time.monotonic() + seconds
    told = last_step(program)
    until(lambda: time.monotonic() >= away, 40)
    assert last_step(program) > told + steps, "training went on at its pace"
    before = len(points(server, task)["loss/train"]["iter"])
    assert before <= told + 500
    proxy.mend()
    until(lambda: len(points(server, task)["loss/train"]["iter"]) > before + steps, 25)
    (tmp_path / "stop").touch()
    assert program.wait() == 0, program.text
    total = int(program.wait_for("TOTAL"))
    assert exactly_once(server, task, total) == total
    assert document(server, task)["status"] == "completed"
    proxy.close()


def test_a_server_that_is_away_from_the_start(own_server: RunningServer, tmp_path: Path) -> None:
    own_server.stop()
    began = time.monotonic()
    program = Program(
        for_seconds(1), own_server, tmp_path, TRIALBOOK_CONNECT_TIMEOUT="2", TRIALBOOK_CLOSE_TIMEOUT="1"
    )
    assert program.wait() == 0, program.text
    assert time.monotonic() - began < 20
    assert "continues offline" in program.text
    task = program.wait_for("TASK")
    total = int(program.wait_for("TOTAL"))
    own_server.start()
    # Nobody asks for it: the closing process left a successor behind, which goes on trying.
    assert "background process" in program.text
    until(lambda: len(points(own_server, task).get("loss/train", {"iter": []})["iter"]) >= total)
    assert exactly_once(own_server, task, total) == total
    until(lambda: document(own_server, task)["status"] == "completed")


def test_a_server_that_comes_while_the_run_is_offline(own_server: RunningServer, tmp_path: Path) -> None:
    own_server.stop()
    program = Program(for_seconds(8), own_server, tmp_path, TRIALBOOK_CONNECT_TIMEOUT="1")
    task = program.wait_for("TASK")
    own_server.start()
    assert program.wait() == 0, program.text
    total = int(program.wait_for("TOTAL"))
    until(lambda: len(points(own_server, task)["loss/train"]["iter"]) >= total)
    assert exactly_once(own_server, task, total) == total
    until(lambda: document(own_server, task)["status"] == "completed")


def test_offline_mode_keeps_everything_for_later(server: RunningServer, tmp_path: Path) -> None:
    program = Program(for_seconds(0.5), server, tmp_path, TRIALBOOK_OFFLINE_MODE="1")
    assert program.wait() == 0, program.text
    task, total = program.wait_for("TASK"), int(program.wait_for("TOTAL"))
    del program.environment["TRIALBOOK_OFFLINE_MODE"]
    sync(program)
    assert exactly_once(server, task, total) == total
    found = document(server, task)
    assert (found["status"], found["name"]) == ("completed", "run")


def test_two_processes_on_one_task(server: RunningServer, tmp_path: Path) -> None:
    begin = 'from trialbook import Task\ntask = Task.init("Recovery", "shared", reuse_last_task_id=False)\n'
    owner = Program(
        begin
        + 'print("TASK", task.id)\nimport os, threading\n'
        + "while not os.path.exists('stop'):\n    threading.Event().wait(0.05)\n",
        server,
        tmp_path,
    )
    task = owner.wait_for("TASK")
    report = (
        "import sys\nfrom trialbook import Task\n"
        f'logger = Task.get_task("{task}").get_logger()\n'
        "for step in range(1000):\n    logger.report_scalar('two', NAME, step, step)\n"
    )
    others = [
        Program(report.replace("NAME", repr(name)), server, tmp_path / name) for name in ("first", "second")
    ]
    for other in others:
        assert other.wait() == 0, other.text
    assert document(server, task)["status"] == "in_progress"
    found = points(server, task)
    for name in ("first", "second"):
        assert found[f"two/{name}"]["iter"] == list(range(1000))
    again = Program(
        'from trialbook import Task\nprint("TASK", Task.init("Recovery", "shared").id)', server, tmp_path
    )
    assert again.wait() == 0, again.text
    assert again.wait_for("TASK") != task, "a task that another process runs is not reused"
    (tmp_path / "stop").touch()
    assert owner.wait() == 0, owner.text


def test_a_wrong_key_is_told_with_its_place(server: RunningServer, tmp_path: Path) -> None:
    program = Program(for_seconds(1), server, tmp_path, TRIALBOOK_API_SECRET_KEY="wrong")
    assert program.wait() == 1
    assert "TRIALBOOK_API_ACCESS_KEY" in program.text
    assert "does not accept the access key" in program.text


RECORDED = """
from trialbook import Task
task = Task.init("Away", "recorded", auto_connect_frameworks=False)
task.get_logger().report_scalar("m", "v", 1.0, 1)
task.upload_artifact("x", {"one": 1})
print("TASK", task.id)
task.close()
"""


def synced(home: Path, *options: str, **environment: str) -> tuple[int, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("TRIALBOOK_", "CLEARML_", "XDG_"))}
    done = subprocess.run(
        [sys.executable, "-m", "trialbook", "sync", *options],
        env=clean | {"HOME": str(home), **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stdout + done.stderr


def keys(server: RunningServer) -> dict[str, str]:
    return {
        "TRIALBOOK_API_HOST": server.url,
        "TRIALBOOK_API_ACCESS_KEY": server.access_key,
        "TRIALBOOK_API_SECRET_KEY": server.secret_key,
    }


def two(folder: Path, templates: Templates) -> tuple[RunningServer, RunningServer]:
    """The server of a team and another one."""
    for name in ("team", "other"):
        templates.sqlite(folder / name / "trialbook.db")
    return RunningServer(folder / "team"), RunningServer(folder / "other")


def test_T45_a_run_goes_to_the_server_it_was_recorded_for_and_nowhere_else(
    tmp_path: Path, templates: Templates
) -> None:
    team, other = two(tmp_path, templates)
    try:
        home, away, others = tmp_path / "home", team.url, keys(other)
        team.kill()
        program = Program(RECORDED, team, home, TRIALBOOK_CONNECT_TIMEOUT="1", TRIALBOOK_CLOSE_TIMEOUT="1")
        assert program.wait() == 0, program.text
        task = program.wait_for("TASK")
        said = synced(home)[1]
        assert task in said and away in said, said
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if "trialbook.sdk.offline.recovery" in process.cmdline() and task in process.cmdline():
                    process.kill()
                    process.wait()
        for surroundings in ({}, others):
            status, said = synced(home, **surroundings)
            assert status == 1, said
            assert task in said and away in said and "--to" in said, said
        assert not (home / ".local/share/trialbook/server/server.json").exists(), (
            "a private server was started"
        )
        assert not other.call("tasks.get_all_ex", {})["tasks"]
        # The team's server comes back: under another address it is still the same one.
        team.start()
        status, said = synced(
            home, **{**keys(team), "TRIALBOOK_API_HOST": team.url.replace("127.0.0.1", "localhost")}
        )
        assert (status, "sent" in said) == (0, True), said
        assert [one["id"] for one in team.call("tasks.get_all_ex", {})["tasks"]] == [task]
    finally:
        team.kill()
        other.kill()


def test_T45_a_run_goes_elsewhere_when_somebody_says_so(tmp_path: Path, templates: Templates) -> None:
    team, other = two(tmp_path, templates)
    try:
        home = tmp_path / "home"
        program = Program(RECORDED, team, home, TRIALBOOK_OFFLINE_MODE="1")
        assert program.wait() == 0, program.text
        task = program.wait_for("TASK")
        status, said = synced(home, **keys(other))
        assert (status, team.url in said) == (1, True), said
        status, said = synced(home, "--to", other.url, **keys(other))
        assert (status, "sent" in said) == (0, True), said
        (found,) = other.call("tasks.get_all_ex", {"id": [task]})["tasks"]
        (artifact,) = [one for one in found["execution"]["artifacts"] if one["key"] == "x"]
        assert artifact["uri"].startswith(other.url)
        assert synced(home, **keys(other)) == (0, "Nothing is waiting on this machine.\n")
    finally:
        team.kill()
        other.kill()


def test_T45_another_server_at_the_address_of_the_first_is_said_to_be_another(
    tmp_path: Path, templates: Templates
) -> None:
    for name in ("first", "second"):
        templates.sqlite(tmp_path / name / "trialbook.db")
    first = RunningServer(tmp_path / "first")
    program = Program(RECORDED, first, tmp_path / "home", TRIALBOOK_OFFLINE_MODE="1")
    try:
        assert program.wait() == 0, program.text
        task = program.wait_for("TASK")
        # A run that was under way, and died, knows its server's identity.
        (kept,) = (tmp_path / "home").glob(f"**/{task}/*/journal.json")
        info = first.call("server.info")
        kept.write_text(json.dumps({**json.loads(kept.read_text()), "server_id": info["id"]}))
    finally:
        first.kill()
    second = RunningServer(tmp_path / "second", port=first.port)
    try:
        status, said = synced(tmp_path / "home", **keys(second))
        assert status == 1 and "another one answers there now" in said, said
        assert f"--to {second.url}`" in said and f"API_HOST={second.url}" not in said, said
        status, said = synced(tmp_path / "home", "--to", second.url, **keys(second))
        assert (status, "sent" in said) == (0, True), said
    finally:
        second.kill()


def test_T45_a_program_that_runs_is_named(own_server: RunningServer, tmp_path: Path) -> None:
    program = Program(forever(), own_server, tmp_path / "home")
    try:
        program.wait_for("TASK")
        status, said = synced(tmp_path / "home", **keys(own_server))
        assert status == 0
        assert f"process {program.process.pid} is still running" in said, said
        assert own_server.url in said
    finally:
        program.process.kill()
        program.process.wait()


REFUSED_LATER = """
import os, signal, threading
from trialbook import Task
task = Task.init("Recovery", "refused", reuse_last_task_id=False, auto_resource_monitoring=False)
task.get_logger().report_scalar("a", "b", 1.0, 1)
task.flush()
print("TASK", task.id)
while not os.path.exists("stop"):
    threading.Event().wait(0.01)
task.get_logger().report_scalar("a", "b", 2.0, 2)
os.kill(os.getpid(), signal.SIGKILL)
"""
TO_A_PUBLISHED_ONE = """
from trialbook import Task
task = Task.create("Recovery", "refused")
task.mark_started()
task.mark_completed()
task.publish()
print("TASK", task.id)
Task.get_task(task.id).get_logger().report_scalar("a", "b", 2.0, 2)
"""
ANOTHER = """
from trialbook import Task
from trialbook.sdk.offline.recovery import recover
task = Task.init("Recovery", "another", reuse_last_task_id=False, auto_resource_monitoring=False)
# What a run does by itself after half a second, which this one does not live.
connection = task._record.connection
recover(connection.settings, connection, skip=task.id)
task.close()
"""


def left_by(
    server: RunningServer, home: Path, change: Callable[[str], object], source: str = REFUSED_LATER
) -> tuple[Program, str]:
    """A run to whose task something happened before its last report, and that left it on this host."""
    program = Program(source, server, home)
    task = program.wait_for("TASK")
    change(task)
    (home / "stop").touch()
    program.wait()
    assert len(list(home.rglob(f"{task}/*/journal.json"))) == 1, program.text
    return program, task


def later_run(server: RunningServer, home: Path, **environment: str) -> str:
    program = Program(ANOTHER, server, home, **environment)
    assert program.wait() == 0, program.text
    return program.text


@pytest.mark.parametrize("what", ["deleted", "published"])
def test_T21_a_refused_report_is_said_once_and_can_be_discarded(
    server: RunningServer, tmp_path: Path, what: str
) -> None:
    if what == "deleted":
        killed, task = left_by(
            server, tmp_path, lambda task: server.call("tasks.delete", task=task, force=True)
        )
    else:
        killed, task = left_by(server, tmp_path, lambda _: None, TO_A_PUBLISHED_ONE)

    def left() -> list[Path]:
        return list(tmp_path.rglob(f"{task}/*/journal.json"))

    def trialbook(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "trialbook", "sync", *arguments],
            env=killed.environment,
            capture_output=True,
            text=True,
            timeout=60,
        )

    said = [later_run(server, tmp_path) for _ in range(2)]
    assert [text.count(f"sync --discard {task}") for text in said] == [1, 0] and len(left()) == 1, said
    # A person who asks is told, and the reports are still there.
    asked = trialbook()
    assert asked.returncode == 1 and f"trialbook sync --discard {task}" in asked.stdout
    assert len(left()) == 1
    assert trialbook("--discard", task).returncode == 0
    assert not left() and trialbook("--discard", task).returncode == 1
    assert "Nothing is waiting" in trialbook().stdout
    if what == "published":
        assert points(server, task) == {}


@pytest.mark.parametrize("what", ["archived", "published meanwhile", "of another user"])
def test_T21_what_the_server_takes_is_sent_and_nobody_is_warned(
    server: RunningServer, tmp_path: Path, what: str
) -> None:
    keys: dict[str, str] = {}

    def change(task: str) -> None:
        if what != "of another user":
            server.call("tasks.stopped", task=task, force=True)
            ask = {"archived": ("tasks.archive", {"tasks": [task]})}
            server.call(*ask.get(what, ("tasks.publish", {"task": task})))
            return
        made = server.call("users.create", name=f"heir {task}", role="user")["credentials"]
        for name in ("access_key", "secret_key"):
            keys.update({f"{prefix}_API_{name.upper()}": made[name] for prefix in ("TRIALBOOK", "CLEARML")})

    _, task = left_by(server, tmp_path, change)
    said = later_run(server, tmp_path, **keys)
    assert "--discard" not in said and not list(tmp_path.rglob(f"{task}/*/journal.json")), said
    assert points(server, task)["a/b"] == {"iter": [1, 2], "value": [1.0, 2.0]}
