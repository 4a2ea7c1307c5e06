"""A database file that no longer holds what was written, and an upload that finds no room: told, and where to look."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import urllib3

from tests.faults import disks
from tests.support.server import RunningServer
from trialbook.errors import ConfigurationError
from trialbook.server import migrations
from trialbook.server.core.folder import DataFolder
from trialbook.server.stores.database import Database

DOCUMENT = "docs/howto/recovery.md"


def damage(database: Path, table: str, content: bytes) -> None:
    """Overwrite the first page of a table, as a failing disk does."""
    connection = sqlite3.connect(database)
    (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    with database.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write((content * size)[:size])


def test_S11_a_damaged_page_is_named_and_all_else_goes_on(tmp_path: Path) -> None:
    server = RunningServer(tmp_path / "data")
    try:
        server.call("tasks.create", name="x", type="testing")
        server.call("users.create", name="Ada")
        server.stop()
        damage(server.data / "trialbook.db", "task", b"garbage ")
        server.start()
        for method, ask in (
            ("tasks.get_all", {}),
            ("tasks.get_all_ex", {"order_by": ["-created"]}),
            ("tasks.create", {"name": "y", "type": "testing"}),
        ):
            reply = server.ask(method, ask)
            assert reply.status == 500, method
            told = reply.json()["meta"]
            assert "database is damaged" in told["result_msg"] and DOCUMENT in told["result_msg"]
        assert DOCUMENT in server.log and "tasks.get_all failed" in server.log
        assert "Ada" in {user["name"] for user in server.call("users.get_all")["users"]}
    finally:
        server.stop()


@pytest.mark.parametrize("what", ["file", "page"])
def test_S11_a_database_that_cannot_be_read_is_named_at_the_start(tmp_path: Path, what: str) -> None:
    database = tmp_path / "trialbook.db"
    if what == "file":
        database.write_bytes(b"no database at all " * 1000)
    else:
        made = Database(f"sqlite:///{database}")
        migrations.prepare(made)
        made.close()
        damage(database, "server_value", b"\xff")
    command = [sys.executable, "-m", "trialbook", "server", "--port", "0", "--data", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "damaged" in done.stderr and DOCUMENT in done.stderr and "trialbook.db" in done.stderr


def test_S11_an_upload_that_finds_no_room_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    with disks.tmpfs(tmp_path / "disk", 24) as data:
        server = RunningServer(data)
        try:
            keys = {"Authorization": f"Bearer {server.token}"}
            body = os.urandom(32 << 20)
            span = {"Upload-Id": "c" * 32, "Content-Range": f"bytes 0-{len(body) - 1}/{len(body)}"}
            form = b'--XX\r\nContent-Disposition: form-data; name="a/d"\r\n\r\n' + body + b"\r\n--XX--\r\n"
            kind = {"Content-Type": "multipart/form-data; boundary=XX"}
            for verb, path, sent, more in (
                ("PUT", "/a/b", body, {}),
                ("PUT", "/a/c", body, span),
                ("POST", "", form, kind),
            ):
                reply = urllib3.request(
                    verb, server.files_url + path, body=sent, headers={**keys, **more}, retries=False
                )
                assert reply.status >= 500, (verb, reply.data)
                assert b'"StorageFull"' in reply.data and DOCUMENT.encode() in reply.data, reply.data
                assert [found for found in (data / "uploads").rglob("*") if found.is_file()] == []
            small = urllib3.request("PUT", f"{server.files_url}/a/e", body=body[: 1 << 20], headers=keys)
            assert small.status == 200
        finally:
            server.kill()


def test_S11_values_that_a_disk_changed_are_named_too(tmp_path: Path) -> None:
    # SQLite hands out the bytes of a page as they are: only pages that hold its own structure make it complain.
    server = RunningServer(tmp_path / "data")
    try:
        text = {"General": {"k": {"section": "General", "name": "k", "value": "v"}}}
        task = server.call("tasks.create", name="x", type="testing", hyperparams=text)["id"]
        server.call("tasks.started", task=task)
        point = {"type": "training_stats_scalar", "task": task, "metric": "m", "variant": "v"}
        events = [
            *({**point, "iter": at, "value": at / 7} for at in range(300)),
            {"type": "log", "task": task, "iter": 1, "msg": "hello " * 50, "level": "info"},
            {
                "type": "plot",
                "task": task,
                "iter": 1,
                "metric": "m",
                "variant": "v",
                "plot_str": '{"data": []}',
            },
        ]
        server.ask("events.add_batch", body="\n".join(map(json.dumps, events)).encode())
        connection = sqlite3.connect(server.data / "trialbook.db", timeout=30)
        for table, column in (("event", "payload"), ("log_block", "payload"), ("series_batch", "payload")):
            rows = connection.execute(f"SELECT rowid, {column} FROM {table}").fetchall()
            assert rows, table
            for row, packed in rows:
                # One bit of the content: most of what it makes is still valid zstd.
                other = packed[:-9] + bytes((packed[-9] ^ 0x10,)) + packed[-8:]
                connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (other, row))
        connection.commit()
        for method, garbage in (
            ("events.get_task_plots", b""),
            ("events.get_task_log", b""),
            ("events.scalar_metrics_iter_histogram", b""),
            ("tasks.get_by_id", b"garbage {"),
            ("tasks.get_by_id", b"\xff\xfe{"),
        ):
            if garbage:
                connection.execute("UPDATE task SET hyperparams = CAST(? AS TEXT)", (garbage,))
                connection.commit()
            reply = server.ask(method, {"task": task})
            told = reply.json()["meta"]
            assert reply.status == 500 and told["error_class"] == "StorageDamaged", (method, told)
            assert DOCUMENT in told["result_msg"]
        assert "Traceback" not in server.log
        connection.close()
    finally:
        server.stop()


@pytest.mark.parametrize("content", [b"", b"garb\xff", b"[]", b'{"format": "x"}', b"{}"])
def test_S11_a_damaged_marker_of_the_folder_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "format.json").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"format\.json is damaged.*docs/howto/recovery\.md"):
        DataFolder(tmp_path)
    (tmp_path / "format.json").write_bytes(b'{"format": 1}')
    DataFolder(tmp_path).close()


def test_S11_a_database_that_was_emptied_is_no_first_start(tmp_path: Path) -> None:
    server = RunningServer(tmp_path)
    assert DOCUMENT not in server.log
    server.stop()
    earlier = (tmp_path / "credentials.json").read_bytes()
    (tmp_path / "trialbook.db").write_bytes(b"")
    server = RunningServer(tmp_path)
    assert DOCUMENT in server.log and "the database is new" in server.log
    assert (tmp_path / "credentials.earlier-1.json").read_bytes() == earlier
    server.stop()


def test_S11_a_first_start_without_room_says_which_disk(tmp_path: Path) -> None:
    with disks.tmpfs(tmp_path / "disk", 1) as data:
        disks.fill(data)
        with pytest.raises(ConfigurationError, match=r"disk cannot be written \(No space left.*recovery\.md"):
            DataFolder(data)


def test_S11_a_start_and_an_end_without_room_say_so(tmp_path: Path) -> None:
    """Not the first start: what was stored stays, and nothing is a fault of the program."""
    with disks.tmpfs(tmp_path / "disk", 4) as data:
        server = RunningServer(data)
        server.call("tasks.create", name="kept", type="testing")
        disks.fill(data)
        server.stop()
        assert "Traceback" not in server.log, server.log
        with pytest.raises(RuntimeError) as caught:
            RunningServer(data)
        assert DOCUMENT in str(caught.value) and "Traceback" not in str(caught.value)
        (data / "ballast").unlink()
        folder = DataFolder(data)
        disks.fill(data)
        with pytest.raises(ConfigurationError, match=r"No space left.*recovery\.md"):
            folder.announce({"url": "http://127.0.0.1:1"})
        folder.close()
        (data / "ballast").unlink()
        server = RunningServer(data)
        assert [task["name"] for task in server.call("tasks.get_all")["tasks"]] == ["kept"]
        server.stop()


def test_S11_a_file_system_that_lets_nobody_write_any_more_is_named(tmp_path: Path) -> None:
    with disks.failing(tmp_path / "disk") as (data, fail):
        server = RunningServer(data)
        try:
            keys = {"Authorization": f"Bearer {server.token}"}
            body = os.urandom(4000)

            def send(verb: str, path: str, **more: str) -> urllib3.BaseHTTPResponse:
                sent = body if verb == "PUT" else None
                url = server.files_url + path
                return urllib3.request(verb, url, body=sent, headers={**keys, **more}, retries=False)

            assert send("PUT", "/a/b").status == 200
            fail()
            span = {"Upload-Id": "c" * 32, "Content-Range": f"bytes 0-{len(body) - 1}/{len(body)}"}
            replies = [
                server.ask("tasks.create", {"name": "y", "type": "testing"}),
                send("PUT", "/a/c"),
                send("PUT", "/a/d", **span),
                send("DELETE", "/a/b"),
            ]
            for reply in replies:
                assert reply.status == 500 and DOCUMENT.encode() in reply.data, reply.data
            assert send("GET", "/a/b").data == body
            assert server.call("tasks.get_all", {})["tasks"] == []
            assert "Traceback" not in server.log
        finally:
            server.kill()


@pytest.mark.parametrize("left", [0, 20_480])
def test_S11_a_database_that_is_cut_off_under_the_server_ends_no_server(tmp_path: Path, left: int) -> None:
    server = RunningServer(tmp_path)
    for number in range(60):
        server.call("tasks.create", name=f"t{number}" + "x" * 2000, type="training")
    os.truncate(tmp_path / "trialbook.db", left)
    # What its pages held may be gone; the process that says so is not.
    server.ask("tasks.get_all", {"search_text": "t1"})
    assert server.ask("debug.ping").status == 200
    server.stop()
