"""Journals that a disk has damaged: what can be read is sent, and what cannot is named."""

import os
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.journal.server import MemoryServer
from trialbook.base.ids import new_id
from trialbook.journal import replay
from trialbook.journal.delivery import Identity
from trialbook.journal.frames import SEGMENT_HEADER, Kind, encode_point, encode_series, encode_text, frames
from trialbook.journal.rows import Row
from trialbook.journal.sync import sync_all
from trialbook.journal.writer import Writer

HEAD = SEGMENT_HEADER.size


def written(root: Path, count: int, segment_bytes: int = 4 << 20) -> Path:
    """A journal of one series with a line of text after every tenth point; its process is gone."""
    identity = Identity(new_id(), "t" * 32, "host", os.getpid(), time.time(), server="http://here")
    folder = root / identity.task / identity.journal
    folder.mkdir(parents=True)
    identity.save(folder)
    (folder / "lock").touch()
    writer = Writer(folder, lambda: None, segment_bytes)
    writer.append(encode_series(0, "loss", "train"))
    for number in range(count):
        writer.append(encode_point(0, number, 1.7e9, float(number)))
        if number % 10 == 9:
            writer.append(encode_text(1.7e9, 20, 1, f"line {number}"))
    writer.close()
    return folder


def recovered(root: Path, server: MemoryServer) -> list[int]:
    """The iterations that arrive."""
    (done,) = sync_all(root, lambda _: server, timeout=20)
    assert done.complete, done.error
    assert not any(root.iterdir())
    return [point[2] for point in server.points()]


def gaps(server: MemoryServer) -> list[int]:
    return [
        frame.end - frame.start
        for applied in server.applied.values()
        for frame in applied
        if frame.kind == Kind.GAP
    ]


def spoil(path: Path, at: int, data: bytes) -> None:
    raw = bytearray(path.read_bytes())
    raw[at : at + len(data)] = data
    path.write_bytes(raw)


def starts(path: Path) -> list[int]:
    """Where the frames of a segment begin in its file."""
    return [frame.start for frame in frames(path.read_bytes(), HEAD)]


def frames_end(path: Path) -> int:
    """Where the last frame of a segment ends in its file."""
    return [frame.end for frame in frames(path.read_bytes(), HEAD)][-1]


def test_one_damaged_record_costs_one_record(tmp_path: Path) -> None:
    (segment,) = written(tmp_path, 100).glob("*.seg")
    spoil(segment, starts(segment)[30] + 20, b"\xff")
    server = MemoryServer()
    arrived = recovered(tmp_path, server)
    assert len(arrived) == 99 and arrived == sorted(arrived)
    assert gaps(server) == [36]


def test_behind_a_damaged_record_a_row_is_found(tmp_path: Path) -> None:
    folder = written(tmp_path, 3)
    (segment,) = folder.glob("*.seg")
    end = frames_end(segment)
    spoil(segment, end, encode_point(0, 3, 1.7e9, 3.0) + Row([0, 0]).frame(4, 1.7e9, (4.0, 5.0)))
    spoil(segment, end + 20, b"\xff")
    server = MemoryServer()
    assert recovered(tmp_path, server) == [0, 1, 2, 4, 4] and gaps(server) == [36]


def test_a_page_that_was_never_written_costs_a_page(tmp_path: Path) -> None:
    (segment,) = written(tmp_path, 1000).glob("*.seg")
    spoil(segment, 8192, bytes(4096))
    server = MemoryServer()
    arrived = recovered(tmp_path, server)
    assert 1000 - 4096 // 36 - 2 <= len(arrived) < 1000 - 4096 // 40 and arrived == sorted(arrived)
    assert arrived[-1] == 999 and len(gaps(server)) == 1


def test_a_segment_without_its_header_is_put_where_it_fits(tmp_path: Path) -> None:
    folder = written(tmp_path, 2000, segment_bytes=8192)
    spoil(sorted(folder.glob("*.seg"))[3], 0, bytes(HEAD))
    server = MemoryServer()
    assert recovered(tmp_path, server) == list(range(2000)) and not gaps(server)


def test_a_segment_that_is_gone_is_named(tmp_path: Path) -> None:
    folder = written(tmp_path, 2000, segment_bytes=8192)
    sorted(folder.glob("*.seg"))[3].unlink()
    server = MemoryServer()
    arrived = recovered(tmp_path, server)
    assert arrived[0] == 0 and arrived[-1] == 1999 and 1700 < len(arrived) < 1900
    assert len(gaps(server)) == 1


def test_the_last_record_of_a_killed_process_is_no_damage(tmp_path: Path) -> None:
    folder = written(tmp_path, 99)
    (segment,) = folder.glob("*.seg")
    spoil(segment, starts(segment)[-1] + 20, b"\xff")
    journal = replay.StoredJournal(folder)
    with journal:
        assert journal.acquire() and journal.damaged == 0
    server = MemoryServer()
    assert recovered(tmp_path, server) == list(range(98)) and not gaps(server)


def test_a_gap_does_not_cover_what_the_server_has(tmp_path: Path) -> None:
    folder = written(tmp_path, 100)
    (segment,) = folder.glob("*.seg")
    found = starts(segment)
    server = MemoryServer()
    # Its last reply was lost, so the host does not know that half of the hole has arrived.
    identity = Identity.load(folder)
    server.have[identity.journal] = found[40] - HEAD
    server.applied[identity.journal] = list(frames(segment.read_bytes()[HEAD : found[40]]))
    spoil(segment, found[20], bytes(found[60] - found[20]))
    arrived = recovered(tmp_path, server)
    assert arrived[-1] == 99 and gaps(server) == [found[60] - found[40]]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 7000), st.binary(min_size=1, max_size=90)), max_size=5))
def test_whatever_is_not_touched_arrives(tmp_path: Path, damage: list[tuple[int, bytes]]) -> None:
    root = tmp_path / new_id()
    folder = written(root, 200)
    (segment,) = folder.glob("*.seg")
    before = list(frames(segment.read_bytes(), HEAD))
    original = segment.read_bytes()
    for at, data in damage:
        spoil(segment, HEAD + at, data[: max(0, before[-1].end - HEAD - at)])
    changed = segment.read_bytes()
    kept = [
        frame for frame in before if changed[frame.start : frame.end] == original[frame.start : frame.end]
    ]
    server = MemoryServer()
    (done,) = sync_all(root, lambda _: server, timeout=20)
    assert done.complete, done.error
    arrived = [
        frame.payload for applied in server.applied.values() for frame in applied if frame.kind != Kind.GAP
    ]
    assert arrived == [frame.payload for frame in kept]


def test_a_server_that_came_back_from_a_backup_does_not_stop_the_stream(tmp_path: Path) -> None:
    writer = Writer(tmp_path, lambda: None, segment_bytes=4096)
    for number in range(1000):
        writer.append(encode_point(0, number, 1.7e9, 1.0))
    writer.release(30_000)
    piece = writer.span(36)
    assert piece is not None
    (lost,) = frames(piece.data)
    assert lost.kind == Kind.GAP and writer.span(36 + lost.end).first == 36 + lost.end  # type: ignore[union-attr]
    writer.close()


@pytest.mark.parametrize("length", [8, 36, 4 << 20, (4 << 20) + 1, 9 << 20])
def test_gaps_of_any_length_end_at_the_next_frame(tmp_path: Path, length: int) -> None:
    from trialbook.journal.frames import gap

    reached = 0
    while reached < length:
        (frame,) = frames(gap(reached, length))
        reached += frame.end
    assert reached == length
