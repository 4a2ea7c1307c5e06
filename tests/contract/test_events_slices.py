"""A long request is written in slices, and is stored once all the same."""

import gzip
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import urllib3
from tests.support import frames
from tests.support.server import RunningServer

from trialbook.base.ids import new_id
from trialbook.errors import BodyTooLarge
from trialbook.journal.writer import SEGMENT_BYTES
from trialbook.server.core.fair_lock import FairLock
from trialbook.server.core.limits import LARGE_BYTES
from trialbook.server.series import slices
from trialbook.server.series.decode import Header
from trialbook.server.stores.database import Database
from trialbook.server.stores.tasks import task as task_table

POINTS = {"Content-Type": "application/x-trialbook-points"}
LINES = {"Content-Type": "application/json-lines"}
SERIES, TEXTS = 2_500, 25_000


def parts() -> list[bytes]:
    found = [frames.series(n, "m", f"v{n}") for n in range(SERIES)]
    found += [frames.point(n, step, 1.7e9, n) for step in range(2) for n in range(SERIES)]
    return found + [frames.text(f"line {n}") for n in range(TEXTS)]


@contextmanager
def holding(server: RunningServer, id: str) -> Iterator[None]:
    """Nobody writes to the task meanwhile."""
    database = Database(server.database or f"sqlite:///{server.data}/trialbook.db")
    try:
        with database.write() as connection:
            connection.execute(sa.select(task_table.c.id).where(task_table.c.id == id).with_for_update())
            yield
    finally:
        database.close()


def check(server: RunningServer, task: str, points: int) -> None:
    latest = server.call("events.get_task_latest_scalar_values", task=task)["metrics"]
    assert {one["name"]: one["last_value"] for one in latest[0]["variants"]} == {
        f"v{n}": n for n in range(SERIES)
    }
    shown = server.call("events.get_task_events", task=task, event_type="training_stats_scalar", batch_size=1)
    assert shown["total"] == points


def test_S7_a_journal_is_cut_between_frames() -> None:
    raw = b"".join(parts())
    cut = slices.of_journal(Header("t", "j", 7), memoryview(raw))
    assert len(cut) >= 8
    assert b"".join(piece for _, piece in cut) == raw
    at = 7
    for header, piece in cut:
        assert header.first == at
        at += len(piece)
    # A body of few series stays one, however many points it has; so does what is no frame at all.
    usual = b"".join(frames.point(n % 50, n, 1.7e9, n) for n in range(5_000))
    assert len(slices.of_journal(Header("t", "j", 0), memoryview(usual))) == 1
    assert len(slices.of_journal(Header("t", "j", 0), memoryview(b"\xff" * 100_000))) == 1


@pytest.mark.parametrize(
    "one", [frames.text(""), frames.event(), frames.loss("k", 1, "w"), frames.row(1, 1.0, {1: 2.0})]
)
def test_S7_a_journal_of_very_many_frames_is_refused(monkeypatch: pytest.MonkeyPatch, one: bytes) -> None:
    """A text of no letter takes 18 bytes here, and hundreds as an object."""
    monkeypatch.setattr(slices, "BATCH_EVENTS", 5_000)
    header = Header("t", "j", 7)
    assert slices.of_journal(header, memoryview(one * 5_000))
    # Points are read as columns, however many they are.
    assert slices.of_journal(header, memoryview(frames.point(1, 1, 1.7e9, 1.0) * 6_000))
    with pytest.raises(BodyTooLarge, match="5000 frames"):
        slices.of_journal(header, memoryview(one * 5_001))


def test_S7_what_a_client_sends_at_once_has_fewer_frames() -> None:
    assert SEGMENT_BYTES // len(frames.text("")) < slices.BATCH_EVENTS


def test_S7_such_a_refusal_names_the_limit(server: RunningServer) -> None:
    task = server.call("tasks.create", name="t", type="training")["id"]
    body = frames.body(task, new_id(), 0, frames.text("") * (slices.BATCH_EVENTS + 1))
    reply = server.ask(
        "events.add_points", body=gzip.compress(body, 1), headers={**POINTS, "Content-Encoding": "gzip"}
    )
    assert reply.status == 400
    assert "send several" in reply.json()["meta"]["result_msg"]


def test_S7_a_long_journal_is_stored_once(server: RunningServer) -> None:
    task, journal, found = server.call("tasks.create", name="t", type="training")["id"], new_id(), parts()
    raw = b"".join(found)
    # A slice came through, and the server was gone before the others.
    begun = b"".join(found[: SERIES + 700])
    for body in (begun, raw, raw):
        reply = server.ask("events.add_points", body=frames.body(task, journal, 0, body), headers=POINTS)
        assert reply.status == 200, reply.data
        assert reply.json()["data"]["acked"] == len(body)
    check(server, task, 2 * SERIES)
    assert server.call("logs.range", task=task, start=0, count=1)["total"] == TEXTS


def test_S7_a_long_journal_that_is_damaged_changes_nothing(server: RunningServer) -> None:
    task = server.call("tasks.create", name="t", type="training")["id"]
    raw = b"".join(parts()) + b"\x09\x00\x00\x63damaged frame"
    reply = server.ask("events.add_points", body=frames.body(task, new_id(), 0, raw), headers=POINTS)
    assert reply.status == 400
    assert server.call("logs.range", task=task, start=0, count=1)["total"] == 0


def test_S7_long_json_lines_are_stored_once(server: RunningServer) -> None:
    task = server.call("tasks.create", name="t", type="training")["id"]
    point = {"type": "training_stats_scalar", "task": task, "metric": "m", "timestamp": 1.7e12, "iter": 1}
    body = "\n".join(json.dumps({**point, "variant": f"v{n}", "value": n}) for n in range(SERIES)).encode()
    for _ in range(2):
        data = server.ask("events.add_batch", body=body, headers=LINES).json()["data"]
        assert (data["added"], data["errors"]) == (SERIES, 0)
    check(server, task, SERIES)


def plots(task: str) -> bytes:
    plot = {"type": "plot", "task": task, "metric": "m", "timestamp": 1.7e12, "plot_str": '{"data": []}'}
    lines = [json.dumps({**plot, "variant": f"v{n}", "iter": 1}) for n in range(5_000)]
    return "\n".join(lines).encode()


def absent(task: str) -> bytes:
    return json.dumps({"ids": [*(f"{n:032x}" for n in range(400)), task]}).encode()


@pytest.mark.parametrize(
    ("method", "body", "kind"),
    [
        ("events.add_batch", plots, LINES),
        ("tasks.archive_many", absent, {}),
        ("models.delete_many", absent, {}),
    ],
)
def test_S7_others_write_in_between(
    server: RunningServer, method: str, body: Any, kind: dict[str, str]
) -> None:
    task = server.call("tasks.create", name="t", type="training")["id"]
    other = server.call("tasks.create", name="other", type="training")["id"]
    edits = 0
    with ThreadPoolExecutor(1) as pool:
        long = pool.submit(server.ask, method, body=body(task), headers=kind)
        while not long.done():
            server.call("tasks.edit", task=other, comment=f"edit {edits}")
            edits += 1
    reply = long.result()
    assert reply.status == 200, reply.data
    # As one transaction it lets one in before it and one after.
    assert edits > 3
    data = reply.json()["data"]
    if method == "events.add_batch":
        assert (data["added"], data["errors"]) == (5_000, 0)
        shown = server.call("events.get_task_events", task=task, event_type="plot", batch_size=1)
        assert shown["total"] == 5_000
    else:
        assert len(data["failed"]) + len(data["succeeded"]) == 401
        assert [one["id"] for one in data["succeeded"]] == [task] * (method == "tasks.archive_many")


def test_S7_pictures_of_a_journal_are_cut_by_number_and_size() -> None:
    def event(number: int, size: int) -> bytes:
        return frames.event(type="plot", metric="m", variant=f"v{number}", plot_str="x" * size)

    for many, size, least in ((2_000, 10, 3), (20, 1 << 20, 4)):
        raw = b"".join(event(number, size) for number in range(many))
        cut = slices.of_journal(Header("t", "j", 0), memoryview(raw))
        assert len(cut) >= least
        assert b"".join(piece for _, piece in cut) == raw


def test_S7_the_writers_lock_goes_to_who_has_waited_longest() -> None:
    lock, order, ready = FairLock(), [], []

    def take(number: int, begun: threading.Event) -> None:
        begun.set()
        with lock, lock:
            order.append(number)

    with lock:
        for number in range(5):
            begun = threading.Event()
            ready.append(threading.Thread(target=take, args=(number, begun)))
            ready[-1].start()
            begun.wait()
            while len(lock._waiting) <= number:
                pass
    with lock:
        order.append(5)
    for thread in ready:
        thread.join(30)
    assert order == [0, 1, 2, 3, 4, 5]


def test_S7_a_reader_with_a_new_connection_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    """More calls than open connections are usual; each further one begins on a connection of its own."""
    url = f"sqlite:///{tmp_path}/x.db"
    first, second = Database(url), Database(url)
    try:
        with first.write() as connection:
            connection.execute(sa.text("CREATE TABLE x (a INTEGER)"))
        # A wait fails at once instead of after half a minute.
        sa.event.listen(second.engine, "do_connect", lambda *those: those[-1].update(timeout=0))
        with first.write() as writing, second.read() as reading:
            writing.execute(sa.text("INSERT INTO x VALUES (1)"))
            assert reading.execute(sa.text("SELECT count(*) FROM x")).scalar_one() == 0
            assert reading.execute(sa.text("PRAGMA auto_vacuum")).scalar_one() == 2
    finally:
        first.close()
        second.close()


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_S7_large_bodies_leave_threads_for_others(server: RunningServer, packed: bool) -> None:
    """However many large requests stand in the database, there is a thread for a small one."""
    task = server.call("tasks.create", name="t", type="training")["id"]
    text = "x" * 1_100_000
    body = json.dumps({"type": "log", "task": task, "msg": text, "level": "info"}).encode()
    assert len(body) > LARGE_BYTES
    headers = {**LINES, **({"Content-Encoding": "gzip"} if packed else {})}
    body = gzip.compress(body, 1) if packed else body
    statuses: list[int] = []
    many = 20

    def send() -> None:
        statuses.append(server.ask("events.add_batch", body=body, headers=headers).status)

    threads = [threading.Thread(target=send) for _ in range(many)]
    with holding(server, task):
        for thread in threads:
            thread.start()
        # As many as have a thread are there, and wait for the row.
        for _ in range(40):
            assert server.ask("tasks.get_by_id", {"task": task}, timeout=20).status == 200
        assert not statuses
    for thread in threads:
        thread.join(60)
    assert statuses == [200] * many
    assert server.call("logs.range", task=task, start=0, count=1)["total"] == many


def test_S1_what_one_person_asks_for_leaves_threads_for_others(server: RunningServer) -> None:
    """However many slow calls one has under way, with whatever keys, others are answered."""
    task = server.call("tasks.create", name="t", type="training")["id"]
    made = server.call("users.create", name="other", role="user")["credentials"]
    basic = urllib3.make_headers(basic_auth=f"{made['access_key']}:{made['secret_key']}")
    token = server.ask("auth.login", headers={"Authorization": basic["authorization"]}).json()["data"][
        "token"
    ]
    headers = {"Authorization": f"Bearer {token}"}
    statuses: list[int] = []

    def edit() -> None:
        statuses.append(server.ask("tasks.edit", {"task": task, "comment": "c"}).status)

    threads = [threading.Thread(target=edit) for _ in range(40)]
    with holding(server, task):
        for thread in threads:
            thread.start()
        for _ in range(40):
            assert server.ask("tasks.get_by_id", {"task": task}, headers=headers, timeout=20).status == 200
        assert not statuses
    for thread in threads:
        thread.join(60)
    assert statuses == [200] * len(threads)
