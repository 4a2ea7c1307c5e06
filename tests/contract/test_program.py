"""The program as a process: start, stop, kill, what is in its way, and its size."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tests.support.server import RunningServer
from tests.support.template import Templates
from tests.support.waiting import until


@pytest.fixture
def own_server(tmp_path: Path, templates: Templates) -> Iterator[RunningServer]:
    """As a user starts it, with nothing done before."""
    templates.sqlite(tmp_path / "server" / "trialbook.db")
    running = RunningServer(tmp_path / "server", whole=True)
    yield running
    running.kill()


def run_server(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "trialbook.server", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        env={k: v for k, v in os.environ.items() if not k.startswith("TRIALBOOK_")},
    )


def test_announcement_and_clean_stop(own_server: RunningServer) -> None:
    announced = json.loads((own_server.data / "server.json").read_text())
    assert own_server.process is not None
    assert announced["url"] == own_server.url
    assert announced["pid"] == own_server.process.pid
    assert (own_server.data / "credentials.json").stat().st_mode & 0o777 == 0o600
    key = own_server.access_key
    id = own_server.call("tasks.create", name="kept", type="training")["id"]
    assert own_server.stop() == 0
    assert not (own_server.data / "server.json").exists()
    own_server.start()
    assert own_server.access_key == key
    assert own_server.call("tasks.get_by_id", task=id)["task"]["name"] == "kept"


def test_a_stop_does_not_wait_for_listeners(own_server: RunningServer) -> None:
    import urllib3

    stream = urllib3.PoolManager().request(
        "POST",
        f"{own_server.url}/stream",
        body=b'{"topics": ["tasks"]}',
        headers={"Authorization": f"Bearer {own_server.token}"},
        preload_content=False,
    )
    assert stream.readline() == b": listening\n"
    started = time.monotonic()
    assert own_server.stop() == 0
    assert time.monotonic() - started < 5


def test_kill_loses_nothing_that_was_acknowledged(own_server: RunningServer) -> None:
    acknowledged: list[str] = []

    def create() -> None:
        while True:
            try:
                answer = own_server.call("tasks.create", name="t", type="training", tags=["killed"])
            except Exception:
                return
            acknowledged.append(answer["id"])

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    until(lambda: len(acknowledged) >= 40)
    own_server.kill()
    for thread in threads:
        thread.join()
    own_server.start()
    found = own_server.call("tasks.get_all", tags=["killed"], only_fields=["id"], page_size=10_000)["tasks"]
    ids = {task["id"] for task in found}
    assert set(acknowledged) <= ids
    assert len(ids) <= len(acknowledged) + len(threads), (
        "at most the calls in flight may be there without an answer"
    )


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = run_server("--port", str(port), "--data", str(tmp_path / "d"))
    assert done.returncode == 1
    assert str(port) in done.stderr
    assert "--port 0" in done.stderr
    assert not (tmp_path / "d").exists(), "a start that fails leaves nothing"
    assert "Traceback" not in done.stderr


def test_a_folder_in_use_names_its_owner(own_server: RunningServer) -> None:
    done = run_server("--port", "0", "--data", str(own_server.data))
    assert done.returncode == 1
    assert own_server.process is not None
    assert str(own_server.process.pid) in done.stderr
    assert "Traceback" not in done.stderr


def test_data_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "format.json").write_text('{"format": 1000}')
    done = run_server("--port", "0", "--data", str(tmp_path))
    assert done.returncode == 1
    assert "newer Trialbook" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/x", "mysql://x/y", "nonsense"])
def test_a_database_that_cannot_be_used_is_named(tmp_path: Path, url: str) -> None:
    done = run_server("--port", "0", "--data", str(tmp_path), "--database", url)
    assert done.returncode == 1
    assert "database" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_host_is_named(tmp_path: Path) -> None:
    done = run_server("--host", "no.such.host.invalid", "--data", str(tmp_path))
    assert done.returncode == 1
    assert "no.such.host.invalid" in done.stderr


def test_a_silent_task_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from trialbook.server.core.folder import DataFolder
    from trialbook.server.settings import Settings
    from trialbook.server.wiring import build

    folder = DataFolder(tmp_path)
    server = build(Settings(data=tmp_path, silent_task_seconds=0.0), folder)
    from trialbook.server.services.call import Call
    from trialbook.server.services.tasks.watchdog import Watchdog
    from trialbook.wire.tasks import CreateTask

    services, moment = server.services, time.time()
    call = Call.of_loop(server.database, moment, "test")
    with call.write():
        ids = [
            services.tasks.editing.create(call, CreateTask(name=name)) for name in ("silent", "busy", "idle")
        ]
        for id in ids[:2]:
            services.tasks.lifecycle.started(call, id, force=False, reason="", message="")
    watchdog = Watchdog(
        server.database,
        server.stores.tasks,
        services.tasks.lifecycle,
        server.hub,
        lambda: moment + 7300,
        7200,
    )
    later = Call.of_loop(server.database, moment + 7000, "test")
    with later.write():
        services.tasks.lifecycle.ping(later, ids[1])
    assert watchdog() is False
    with server.database.read() as connection:
        rows = [server.stores.tasks.require(connection, id) for id in ids]
        assert [row.status for row in rows] == ["stopped", "in_progress", "created"]
        assert rows[0].status_message == "Forced stop (non-responsive)"
        assert server.stores.tasks.history(connection, ids[0])[-1].method == "watchdog"
    server.close()
    folder.close()


def test_idle_size(own_server: RunningServer) -> None:
    assert own_server.process is not None
    own_server.call("tasks.get_all")
    resident = psutil.Process(own_server.process.pid).memory_info().rss
    assert resident < 120 << 20, f"{resident >> 20} MiB"


def test_a_fault_is_an_envelope_with_the_words_to_find_it(own_server: RunningServer) -> None:
    import sqlite3

    queue = own_server.call("queues.create", name="q")["id"]
    with sqlite3.connect(own_server.data / "trialbook.db") as connection:
        connection.execute("DROP TABLE queue_entry")
    connection.close()
    reply = own_server.ask("queues.get_num_entries", {"queue": queue})
    found = reply.json()["meta"]
    assert (reply.status, found["result_code"], found["result_subcode"]) == (500, 500, 0)
    until(lambda: found["error_data"]["request"] in own_server.log)
    assert "queue_entry" in own_server.log
    assert "queue_entry" not in found["result_msg"], "the details are for the log"
    assert own_server.secret_key not in own_server.log
    assert own_server.token not in own_server.log
    assert own_server.call("tasks.get_all")["tasks"] == []


def test_S15_the_address_to_hand_out_is_a_setting(tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TRIALBOOK_")}
    environment["TRIALBOOK_SERVER_ADDRESS"] = "https://lab.example.org/"
    command = [sys.executable, "-m", "trialbook"]
    data = ["--data", str(tmp_path)]
    with subprocess.Popen(
        [*command, "server", "--port", "0", *data], stdout=subprocess.PIPE, text=True, env=environment
    ) as server:
        try:
            assert server.stdout is not None
            told, _, listens = server.stdout.readline().partition(", and listens on ")
            assert told.endswith("ready at https://lab.example.org")
            with urllib.request.urlopen(f"{listens.strip()}/server.info") as reply:
                assert json.load(reply)["data"]["address"] == "https://lab.example.org"
            link = subprocess.run(
                [*command, "open", "--print", *data], capture_output=True, text=True, check=True
            )
            assert link.stdout.startswith("https://lab.example.org/login#link=")
            for order in (["server", "status", *data], ["server", *data, "status"], ["user", *data, "list"]):
                assert subprocess.run([*command, *order], capture_output=True).returncode == 0, order
            subprocess.run([*command, "server", "stop", *data], check=True)
            assert server.wait(60) == 0
        finally:
            server.terminate()
