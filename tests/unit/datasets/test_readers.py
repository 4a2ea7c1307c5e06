"""Small files that are read by processes beside: the same packs, and nothing lost when one of them is killed."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from tests.unit.datasets.conftest import Write
from trialbook.datasets.ingest import readers
from trialbook.datasets.ingest import run as ingest
from trialbook.datasets.ingest.readers import Readers
from trialbook.datasets.ingest.reading import UNREAD, Ask, read_batch
from trialbook.datasets.repository import Repository
from trialbook.datasets.sources.scan import scan_folder
from trialbook.datasets.sources.sniff import Policy
from trialbook.datasets.storage.folder import FolderBlobs

FILES = 1500
VERSION = "a" * 32


@pytest.fixture
def source(write: Write) -> Path:
    chance = random.Random(3)
    twice = chance.randbytes(3000)
    made = {
        f"{n % 13}/{n}{'ü' if n % 10 == 0 else ''}": (
            b"",
            twice,
            chance.randbytes(chance.randrange(9000)),
            b"the same words " * chance.randrange(900),
        )[n % 4]
        for n in range(FILES)
    }
    made["large"] = chance.randbytes(600_000)
    return write(made)


def asks(folder: Path, policy: Policy) -> list[Ask]:
    scan = scan_folder(folder)
    files = [f"{scan.root}/{path}" for path in scan.paths]
    return [
        Ask(files[n : n + 100], scan.paths[n : n + 100], scan.facts[n : n + 100].tobytes(), policy)
        for n in range(0, len(files), 100)
    ]


def alone(folder: Path, policy: Policy) -> list[bytes]:
    room = memoryview(bytearray(4 << 20))
    found = []
    for ask in asks(folder, policy):
        numbers = np.frombuffer(read_batch(ask, room).numbers, "<u8").reshape(-1, 5)
        found.append(room[: int((numbers[:, 2] + numbers[:, 3]).max())].tobytes())
    return found


def members(given: Iterator[tuple[readers.Found, memoryview]]) -> Iterator[bytes]:
    for found, room in given:
        numbers = np.frombuffer(found.numbers, "<u8").reshape(-1, 5)
        yield room[: int((numbers[:, 2] + numbers[:, 3]).max())].tobytes()


def others() -> list[psutil.Process]:
    return [
        one
        for one in psutil.Process().children()
        if "trialbook.datasets.ingest.reading" in str(one.cmdline())
    ]


def ready(team: Readers) -> None:
    """Wait until every process takes orders: else this one would do all the work of a small test."""
    until = time.monotonic() + 60
    while not all(one.hello() for one in team._readers) and time.monotonic() < until:
        os.sched_yield()
    assert all(one.ready for one in team._readers)


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "_WORTH", 100)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("native", [False, True])
def test_batches_come_in_order_and_are_those_of_one_process(source: Path, native: bool) -> None:
    policy = Policy(native=native)
    with Readers(FILES, 4) as team:
        ready(team)
        assert len(others()) == 3
        assert list(members(team.read(asks(source, policy)))) == alone(source, policy)
        # Twice, for a run of small files may follow a large one.
        assert list(members(team.read(asks(source, policy)))) == alone(source, policy)
    assert others() == []


def kill_others() -> None:
    for one in others():
        one.send_signal(signal.SIGKILL)
        one.wait()


@pytest.mark.usefixtures("eager")
def test_a_process_that_is_killed_costs_nothing(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "_OWN", 0)
    with Readers(FILES, 3) as team:
        ready(team)
        reading = members(team.read(asks(source, Policy())))
        got = [next(reading)]
        kill_others()
        got += reading
    assert got == alone(source, Policy())


@pytest.mark.usefixtures("eager")
def test_a_process_that_is_killed_with_an_order_is_told(
    source: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(readers, "_OWN", 0)
    hand_out = Readers._hand_out

    def then_kill(team: Readers, *arguments: Any) -> None:
        hand_out(team, *arguments)
        kill_others()

    with Readers(FILES, 3) as team:
        ready(team)
        for one in others():
            # So that the order is there, and the answer is not.
            one.send_signal(signal.SIGSTOP)
        monkeypatch.setattr(Readers, "_hand_out", then_kill)
        assert list(members(team.read(asks(source, Policy())))) == alone(source, Policy())
    assert "ended" in caplog.text


@pytest.mark.usefixtures("eager")
def test_a_process_that_cannot_start_is_not_needed(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "_PROGRAM", "raise SystemExit(3)")
    with Readers(FILES, 2) as team:
        for one in others():
            one.wait()
        assert list(members(team.read(asks(source, Policy())))) == alone(source, Policy())


def test_few_files_need_no_process() -> None:
    with Readers(100, 8):
        assert others() == []
    with Readers(1_000_000, 1):
        assert others() == []


@pytest.mark.usefixtures("eager")
def test_processes_end_with_the_one_that_started_them(source: Path) -> None:
    program = f"""
import os, signal
from trialbook.datasets.ingest import readers
readers._WORTH = 100
team = readers.Readers({FILES}, 3).__enter__()
for one in team._readers:
    while not one.hello(): pass
print(*[one._process.pid for one in team._readers], flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert done.returncode == -signal.SIGKILL
    pids = [int(word) for word in done.stdout.split()]
    assert len(pids) == 2
    until = time.monotonic() + 60
    while any(map(psutil.pid_exists, pids)) and time.monotonic() < until:
        os.sched_yield()
    assert not any(map(psutil.pid_exists, pids))


@pytest.mark.parametrize("processors", [1, 4])
@pytest.mark.parametrize("aliases", [False, True])
@pytest.mark.usefixtures("eager")
def test_the_same_version(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch, processors: int, aliases: bool
) -> None:
    """However many processes read, and however a file is written: the same bytes under the same names."""

    def commit(name: str, direct: bool) -> str:
        repository = Repository(FolderBlobs(tmp_path / name), tmp_path / f"{name}-cache", lambda: 1.0)
        monkeypatch.setattr("trialbook.datasets.draft.storing._MUCH", 0.0 if direct else 1.0)
        draft = repository.begin(VERSION, policy=Policy(aliases=aliases, pack_bytes=300_000))
        draft.add_folder(source)
        # One that is not any more what it was when it was seen.
        (source / "3/3").write_bytes(name[:1].encode() * 5)
        os.utime(source / "3/3", (7, 7))
        draft.upload()
        draft.finish()
        assert repository.verify(VERSION) == []
        assert repository.open(VERSION).read("3/3") == name[:1].encode() * 5
        return repository.open(VERSION).root_id

    one = commit("one", False)
    monkeypatch.setattr(ingest, "Readers", lambda files, _: Readers(files, processors))
    assert commit("other", True) == one


def test_what_is_not_as_it_was_seen_is_not_read(tmp_path: Path) -> None:
    for name in ("same", "longer", "shorter", "gone", "later"):
        (tmp_path / name).write_bytes(b"1234")
    scan = scan_folder(tmp_path)
    (tmp_path / "longer").write_bytes(b"12345")
    (tmp_path / "shorter").write_bytes(b"123")
    (tmp_path / "gone").unlink()
    os.utime(tmp_path / "later", (9, 9))
    files = [f"{tmp_path}/{path}" for path in scan.paths]
    found = read_batch(Ask(files, scan.paths, scan.facts.tobytes(), Policy()), memoryview(bytearray(9000)))
    methods = np.frombuffer(found.numbers, "<u8").reshape(-1, 5)[:, 4].tolist()
    assert dict(zip(scan.paths, methods, strict=True)) == {
        "same": 0,
        "longer": UNREAD,
        "shorter": UNREAD,
        "gone": UNREAD,
        "later": UNREAD,
    }
