"""Journals over a server in memory: nothing lost, nothing twice, in order."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.journal.server import MemoryServer
from trialbook.base.ids import new_id
from trialbook.errors import TaskNotFound, UsageError
from trialbook.journal import replay
from trialbook.journal.delivery import Identity, Transport
from trialbook.journal.frames import SINGLE_VALUE, Kind, decode_text
from trialbook.journal.journal import Journal
from trialbook.journal.spool import Upload
from trialbook.journal.sync import sync_all
from trialbook.journal.writer import Writer


def identity(task: str = "t" * 32) -> Identity:
    return Identity(new_id(), task, "host", os.getpid(), time.time(), server="http://here")


def open_journal(root: Path, server: Transport | None, budget: int = 1 << 30) -> Journal:
    return Journal(root, identity(), server, budget)


def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition did not come true in time"
        threading.Event().wait(0.005)


def test_points_arrive_once_and_in_order(tmp_path: Path) -> None:
    server = MemoryServer()
    journal = open_journal(tmp_path, server)
    for number in range(1000):
        journal.scalar("loss", f"s{number % 3}", number, number / 2)
    journal.single("accuracy", 0.5)
    assert journal.close(10)
    points = server.points()
    assert points[:-1] == [("loss", f"s{number % 3}", number, number / 2) for number in range(1000)]
    assert points[-1] == ("Summary", "accuracy", SINGLE_VALUE, 0.5)
    assert not any(tmp_path.iterdir()), "a complete journal leaves nothing behind"


def test_a_row_is_all_of_its_points_or_none(tmp_path: Path) -> None:
    server = MemoryServer()
    journal = open_journal(tmp_path, server)
    pair = (("loss", "train"), ("loss", "val"))
    for number in range(20_000):
        journal.row(pair, number, (number / 2, number / 4))
        journal.scalar("loss", "train", number, -1.0)
    journal.row((*pair, ("rate", "rate")), 7, (1, True, 2**2000))
    with pytest.raises(UsageError, match="value must be a number"):
        journal.row(pair, 8, (1.0, "no number"))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="iteration must be an integer"):
        journal.row(pair, 8.5, (1.0, 2.0))  # type: ignore[arg-type]
    assert journal.close(20)
    expected: list[tuple[str, str, int, float]] = []
    for number in range(20_000):
        expected += [("loss", "train", number, number / 2), ("loss", "val", number, number / 4)]
        expected.append(("loss", "train", number, -1.0))
    expected += [("loss", "train", 7, 1.0), ("loss", "val", 7, 1.0), ("rate", "rate", 7, float("inf"))]
    assert server.points() == expected


def test_lost_replies_and_an_absent_server_repeat_nothing(tmp_path: Path) -> None:
    server = MemoryServer()
    server.away = True
    journal = open_journal(tmp_path, server)
    for number in range(500):
        journal.scalar("a", "b", number, 1.0)
    assert not journal.flush(0.3)
    server.away = False
    server.lose_replies = 3
    for number in range(500, 1000):
        journal.scalar("a", "b", number, 1.0)
    assert journal.close(20)
    assert [point[2] for point in server.points()] == list(range(1000))


def test_segments_roll_and_acknowledged_ones_go(tmp_path: Path) -> None:
    server = MemoryServer()
    journal = open_journal(tmp_path, server)
    total = 300_000
    for number in range(total):
        journal.scalar("a", "b", number, 1.0)
    assert journal.flush(20)
    until(lambda: len(list(journal.folder.glob("*.seg"))) <= 2)
    assert journal.close(10)
    assert [point[2] for point in server.points()] == list(range(total))


def test_threads_lose_nothing(tmp_path: Path) -> None:
    server = MemoryServer()
    journal = open_journal(tmp_path, server)

    def work(name: str) -> None:
        for number in range(5000):
            journal.scalar("threads", name, number, number)
            if number % 500 == 0:
                journal.text(f"{name} {number}")

    threads = [threading.Thread(target=work, args=(str(number),)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert journal.close(20)
    for name in map(str, range(6)):
        assert [p[2] for p in server.points() if p[1] == name] == list(range(5000))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 6000), min_size=1, max_size=30), st.integers(256, 4096))
def test_frames_of_any_size_survive_small_segments(tmp_path: Path, sizes: list[int], segment: int) -> None:
    folder = tmp_path / new_id()
    folder.mkdir()
    writer = Writer(folder, lambda: None, segment_bytes=segment)
    from trialbook.journal.frames import encode

    expected = [bytes([number % 251]) * size for number, size in enumerate(sizes)]
    offset = 0
    for payload in expected:
        frame = encode(Kind.EVENT, payload)
        assert writer.append(frame) == offset + len(frame)
        offset += len(frame)
        writer.prepare()
    writer.close()
    stored = [s for path in folder.glob("*.seg") if (s := replay.read_segment(path)) is not None]
    stored.sort(key=lambda segment: (segment.first, len(segment.data)))
    assert b"".join(s.data for s in stored) == b"".join(encode(Kind.EVENT, payload) for payload in expected)
    assert stored[-1].end == offset


def test_a_journal_whose_process_died_is_an_orphan_and_is_shipped_once(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        journal = open_journal(tmp_path, None)
        for number in range(2000):
            journal.scalar("a", "b", number, number)
        journal.call("tasks.edit", {"task": "x"})
        os._exit(0)
    os.waitpid(child, 0)
    server = MemoryServer()
    server.lose_replies = 1
    first = sync_all(tmp_path, lambda _: server, timeout=10)
    assert [recovered.complete for recovered in first] == [False]
    second = sync_all(tmp_path, lambda _: server, timeout=10)
    assert [recovered.complete for recovered in second] == [True]
    assert [p[2] for p in server.points()] == list(range(2000))
    assert server.json_frames(Kind.CALL) == [{"method": "tasks.edit", "params": {"task": "x"}}]
    assert sync_all(tmp_path, lambda _: server) == []


def test_a_living_journal_is_no_orphan(tmp_path: Path) -> None:
    journal = open_journal(tmp_path, None)
    journal.scalar("a", "b", 1, 1.0)
    assert replay.orphans(tmp_path) == []
    journal.close(0)
    (orphan,) = replay.orphans(tmp_path)
    with orphan:
        assert not orphan.complete
        orphan.discard()


def test_a_torn_tail_is_cut(tmp_path: Path) -> None:
    journal = open_journal(tmp_path, None)
    for number in range(10):
        journal.scalar("a", "b", number, 1.0)
    folder = journal.folder
    journal.close(0)
    (segment,) = folder.glob("*.seg")
    raw = bytearray(segment.read_bytes())
    stored = replay.read_segment(segment)
    assert stored is not None
    raw[16 + len(stored.data) - 5] ^= 0xFF
    segment.write_bytes(raw)
    server = MemoryServer()
    assert sync_all(tmp_path, lambda _: server)[0].complete
    assert [p[2] for p in server.points()] == list(range(9))


def test_forked_children_report_through_journals_of_their_own(tmp_path: Path) -> None:
    server = MemoryServer()
    journal = open_journal(tmp_path, None)
    journal.scalar("parent", "p", 0, 0.0)
    children = []
    for number in range(4):
        child = os.fork()
        if child == 0:
            for step in range(1000):
                journal.scalar("child", str(number), step, step)
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    journal.scalar("parent", "p", 1, 0.0)
    journal.close(0)
    assert all(recovered.complete for recovered in sync_all(tmp_path, lambda _: server, timeout=20))
    for number in range(4):
        assert [p[2] for p in server.points() if p[1] == str(number)] == list(range(1000))
    assert [p[2] for p in server.points() if p[0] == "parent"] == [0, 1]
    assert len(server.applied) == 5


def test_the_parent_adopts_what_its_children_left(tmp_path: Path) -> None:
    server = MemoryServer()
    server.gate.clear()
    journal = open_journal(tmp_path, server)
    journal.scalar("parent", "p", 0, 0.0)
    child = os.fork()
    if child == 0:
        for step in range(100):
            journal.scalar("child", "c", step, step)
        os._exit(0)
    os.waitpid(child, 0)
    server.gate.set()
    assert journal.close(10)
    assert sorted(p[2] for p in server.points() if p[0] == "child") == list(range(100))
    assert not any(tmp_path.iterdir())


def test_uploads_arrive_before_what_makes_them_visible(tmp_path: Path) -> None:
    server = MemoryServer()
    server.away = True
    journal = open_journal(tmp_path, server)
    source = journal.spool.reserve(".bin")
    source.write_bytes(b"content")
    own = tmp_path / "own.bin"
    own.write_bytes(b"content")
    call = {"method": "tasks.add_or_update_artifacts", "params": {}}
    pending = journal.upload(Upload(source, "http://here/x", True, ((Kind.CALL, call),), own))
    assert pending is not None
    assert not pending.wait(0.2)
    assert own.exists(), "deleted only after success"
    server.away = False
    assert pending.wait(20)
    own.unlink(missing_ok=False) if own.exists() else None
    assert journal.close(10)
    assert server.files == {"http://here/x": b"content"}
    assert server.json_frames(Kind.CALL) == [call]


def test_uploads_of_a_dead_process_are_recovered(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        journal = open_journal(tmp_path, None)
        source = journal.spool.reserve(".bin")
        source.write_bytes(b"late")
        journal.upload(Upload(source, "http://here/y", True, ((Kind.CALL, {"method": "m", "params": {}}),)))
        os._exit(0)
    os.waitpid(child, 0)
    server = MemoryServer()
    assert [recovered.complete for recovered in sync_all(tmp_path, lambda _: server)] == [True]
    assert server.files == {"http://here/y": b"late"}
    assert server.json_frames(Kind.CALL) == [{"method": "m", "params": {}}]


def test_the_budget_drops_text_but_never_points(tmp_path: Path) -> None:
    server = MemoryServer()
    server.away = True
    journal = open_journal(tmp_path, server, budget=5 << 20)
    for _ in range(12):
        journal.text("x" * (1 << 20))
    for number in range(1000):
        journal.scalar("a", "b", number, 1.0)
    server.away = False
    assert journal.close(20)
    assert [p[2] for p in server.points()] == list(range(1000))
    losses = server.json_frames(Kind.LOSS)
    assert all("budget of 5 MiB" in loss["why"] and loss["ended"] >= loss["began"] for loss in losses)
    kept = [f for applied in server.applied.values() for f in applied if f.kind == Kind.TEXT]
    assert {loss["kind"] for loss in losses} == {"text"}
    assert sum(loss["count"] for loss in losses) + len(kept) == 12


def test_a_refusal_keeps_the_journal(tmp_path: Path) -> None:
    server = MemoryServer()
    server.refusal = TaskNotFound("no such task")
    journal = open_journal(tmp_path, server)
    journal.scalar("a", "b", 1, 1.0)
    assert not journal.flush(5)
    assert journal.refused == "no such task"
    assert not journal.close(1)
    server.refusal = None
    assert sync_all(tmp_path, lambda _: server)[0].complete
    assert len(server.points()) == 1


def test_long_text_is_split_and_keeps_its_content(tmp_path: Path) -> None:
    server = MemoryServer()
    journal = open_journal(tmp_path, server)
    text = "".join(chr(0x4E00 + number % 1000) for number in range(1_500_000))
    journal.text(text)
    assert journal.close(20)
    found = [decode_text(f.payload)[3] for applied in server.applied.values() for f in applied]
    assert len(found) == 2 and "".join(found) == text


@pytest.mark.parametrize("iteration", ["five", float("nan"), 2.5, None, 1 << 63, [1], b"1"])
def test_an_iteration_that_is_no_integer_is_told_at_once(tmp_path: Path, iteration: object) -> None:
    journal = open_journal(tmp_path, None)
    with pytest.raises(UsageError, match="iteration must be an integer"):
        journal.scalar("a", "b", iteration, 1.0)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="value must be a number"):
        journal.scalar("a", "b", 1, "x")  # type: ignore[arg-type]
    journal.scalar("a", "b", 3.0, 10**400)  # type: ignore[arg-type]
    journal.close(0)


def test_reports_after_close_are_refused(tmp_path: Path) -> None:
    journal = open_journal(tmp_path, None)
    journal.scalar("a", "b", 1, 1.0)
    journal.close(0)
    for report in (lambda: journal.scalar("a", "b", 2, 1.0), lambda: journal.text("x")):
        with pytest.raises(UsageError, match="closed"):
            report()
    assert journal.close(0), "a second close is harmless"


def test_a_full_disk_loses_with_a_notice_and_never_raises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = MemoryServer()
    server.gate.clear()
    journal = open_journal(tmp_path, server)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    for number in range(250_000):
        journal.scalar("a", "b", number, 1.0)
    monkeypatch.undo()
    server.gate.set()
    tries = 0

    def room_again() -> bool:
        nonlocal tries
        tries += 1
        before = journal._writer.end
        journal.scalar("a", "b", 999_999, 1.0)
        return journal._writer.end >= before + 36

    until(room_again)
    assert journal.close(20)
    arrived = [p[2] for p in server.points()]
    lost = sum(loss["count"] for loss in server.json_frames(Kind.LOSS) if loss["kind"] == "frame")
    assert arrived[-1] == 999_999 and lost > 0
    assert len(arrived) + lost == 250_000 + tries


def test_an_upload_that_ends_after_its_journal_is_left_to_the_successor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class SlowStorage(MemoryServer):
        begun, go_on = threading.Event(), threading.Event()

        def upload(self, source: Path, url: str) -> None:
            self.begun.set()
            self.go_on.wait(20)
            super().upload(source, url)

    broken: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", broken.append)
    server = SlowStorage()
    journal = open_journal(tmp_path, server)
    source = journal.spool.reserve(".bin")
    source.write_bytes(b"content")
    call = {"method": "tasks.add_or_update_artifacts", "params": {}}
    journal.upload(Upload(source, "http://here/x", True, ((Kind.CALL, call),)))
    assert server.begun.wait(10)
    assert not journal.close(0.2)
    threads = [thread for thread in threading.enumerate() if thread.name == "trialbook-upload"]
    assert threads
    server.go_on.set()
    for thread in threads:
        thread.join(10)
    assert not broken
    assert server.json_frames(Kind.CALL) == []
    assert [recovered.complete for recovered in sync_all(tmp_path, lambda _: server)] == [True]
    assert server.files == {"http://here/x": b"content"}
    assert server.json_frames(Kind.CALL) == [call]
