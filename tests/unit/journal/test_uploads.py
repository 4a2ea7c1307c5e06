"""Files on their way: what a storage that is away does to them, and to others."""

import logging
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support.waiting import until
from trialbook.errors import BodyTooLarge, ConnectionFailed, StorageRefused, UsageError
from trialbook.journal.delivery import Reply
from trialbook.journal.frames import Kind
from trialbook.journal.spool import HASH_LATER, Spool, Upload
from trialbook.journal.uploads import Uploader, deliver_spool, root_of


class Storages:
    """A transport to folders, of which some are away."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.away: dict[str, Exception] = {}
        self.tries: list[str] = []

    def send(self, body: bytes) -> Reply:
        raise AssertionError(body)

    def reachable(self, seconds: float) -> bool:
        return True

    def upload(self, source: Path, url: str) -> None:
        self.tries.append(url)
        problem = self.away.get(root_of(url))
        if problem is not None:
            raise problem
        target = self.top / url.replace("://", "/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


class Frames:
    def __init__(self) -> None:
        self.written: list[dict[str, Any]] = []

    def __call__(self, _kind: Kind, value: dict[str, Any]) -> bool:
        self.written.append(value)
        return True


def upload(spool: Spool, url: str, **value: Any) -> Upload:
    source = spool.reserve()
    source.write_bytes(b"abc")
    return Upload(source, url, True, ((Kind.CALL, {"url": url, **value}),))


def test_a_storage_that_is_away_delays_nobody_else(tmp_path: Path) -> None:
    spool, storages, frames = Spool(tmp_path / "spool"), Storages(tmp_path), Frames()
    storages.away["s3://far"] = ConnectionFailed("away")
    uploader = Uploader(spool, storages, frames)
    late = [uploader.add(upload(spool, f"s3://far/{number}")) for number in range(5)]
    until(lambda: storages.tries != [])
    assert uploader.add(upload(spool, "s3://near/x")).wait(20)
    until(lambda: uploader.stuck(patient=False))
    assert not uploader.stuck(patient=True)
    assert not late[0].wait(0.0) and late[0].error == "away"
    del storages.away["s3://far"]
    assert all(pending.wait(60) for pending in late)
    assert {value["url"] for value in frames.written} == {f"s3://far/{n}" for n in range(5)} | {"s3://near/x"}
    uploader.stop()
    assert list((tmp_path / "spool").iterdir()) == []


def test_files_of_one_address_arrive_in_order(tmp_path: Path) -> None:
    spool, storages, frames = Spool(tmp_path / "spool"), Storages(tmp_path), Frames()
    storages.away["s3://far"] = ConnectionFailed("away")
    uploader = Uploader(spool, storages, frames)
    pendings = [uploader.add(upload(spool, "s3://far/x", number=number)) for number in range(4)]
    until(lambda: len(storages.tries) >= 2)
    del storages.away["s3://far"]
    assert all(pending.wait(60) for pending in pendings)
    assert [value["number"] for value in frames.written] == [0, 1, 2, 3]
    uploader.stop()


def test_one_warning_for_a_storage_and_one_when_it_is_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spool, storages = Spool(tmp_path / "spool"), Storages(tmp_path)
    storages.away["gs://b"] = StorageRefused("gs://b refuses these credentials.")
    with caplog.at_level(logging.WARNING):
        uploader = Uploader(spool, storages, Frames())
        pendings = [uploader.add(upload(spool, f"gs://b/{number}")) for number in range(3)]
        until(lambda: len(storages.tries) >= 4)
        del storages.away["gs://b"]
        assert all(pending.wait(60) for pending in pendings)
    uploader.stop()
    texts = [record.getMessage() for record in caplog.records if record.name == "trialbook"]
    assert len(texts) == 2
    assert "refuses these credentials" in texts[0] and texts[1] == "gs://b takes files again"


@pytest.mark.parametrize(
    "error", [UsageError("no such scheme"), BodyTooLarge("too large"), PermissionError(13, "no")]
)
def test_T15_what_a_storage_does_not_take_is_kept_and_said(
    tmp_path: Path, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    spool, storages, frames = Spool(tmp_path / "spool"), Storages(tmp_path), Frames()
    storages.away["s3://far"] = error
    uploader = Uploader(spool, storages, frames)
    for _ in range(2):
        pending = uploader.add(upload(spool, "s3://far/x"))
        assert not pending.wait(20) and pending.error == str(error)
    assert frames.written == [] and str(error) in caplog.text and "trialbook sync" in caplog.text
    # The newest alone: a checkpoint that is written again and again would fill the disk.
    ((_, kept),) = spool.entries()
    assert kept.refused == str(error) and kept.source.read_bytes() == b"abc"
    assert len(list(spool.folder.iterdir())) == 2
    end = float("inf")
    tries = len(storages.tries)
    assert deliver_spool(spool, storages, frames, end, again=False) and len(storages.tries) == tries
    assert deliver_spool(spool, storages, frames, end) and len(spool.entries()) == 1
    storages.away.clear()
    assert uploader.add(upload(spool, "s3://far/x")).wait(20)
    uploader.stop()
    assert list(spool.folder.iterdir()) == [], "what has arrived takes the place of what was refused"


def test_T15_a_file_that_is_gone_is_not_kept(tmp_path: Path) -> None:
    spool, storages, frames = Spool(tmp_path / "spool"), Storages(tmp_path), Frames()
    gone = upload(spool, "s3://near/x")
    gone.source.unlink()
    uploader = Uploader(spool, storages, frames)
    assert not uploader.add(gone).wait(20)
    uploader.stop()
    assert frames.written == [] and spool.entries() == []


def test_recovery_sends_what_it_can(tmp_path: Path) -> None:
    spool, storages, frames = Spool(tmp_path / "spool"), Storages(tmp_path), Frames()
    storages.away["s3://far"] = ConnectionFailed("away")
    for url in ("s3://far/1", "s3://far/2", "s3://near/3"):
        spool.add(upload(spool, url, hash=HASH_LATER))
    end = float("inf")
    assert not deliver_spool(Spool(spool.folder), storages, frames, end)
    # The second file of a storage that is away is not even tried.
    assert storages.tries == ["s3://far/1", "s3://near/3"]
    sha = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert frames.written == [{"url": "s3://near/3", "hash": sha}]
    storages.away.clear()
    assert deliver_spool(Spool(spool.folder), storages, frames, end)
    assert [value["url"] for value in frames.written] == ["s3://near/3", "s3://far/1", "s3://far/2"]


@pytest.mark.parametrize(
    ("url", "root"),
    [
        ("s3://bucket/a/b", "s3://bucket"),
        ("s3://host:9000/bucket/a", "s3://host:9000/bucket"),
        ("azure://acc.blob.core.windows.net/c/a", "azure://acc.blob.core.windows.net/c"),
        ("http://host:1/files/a", "http://host:1"),
        ("/tmp/a", "the local folder"),
        ("file:///tmp/a", "the local folder"),
    ],
)
def test_what_one_failure_tells_about(url: str, root: str) -> None:
    assert root_of(url) == root


def test_a_withdrawn_upload_writes_no_frame_and_tells_when_it_is_over(tmp_path: Path) -> None:
    spool, storages, frames = Spool(tmp_path / "spool"), Storages(tmp_path), Frames()
    started, go, over = threading.Event(), threading.Event(), threading.Event()
    store = storages.upload

    def slow(source: Path, url: str) -> None:
        started.set()
        assert go.wait(20)
        store(source, url)

    storages.upload = slow  # type: ignore[method-assign]
    uploader = Uploader(spool, storages, frames)
    under_way = uploader.add(upload(spool, "s3://far/x"))
    assert started.wait(20)
    waiting = uploader.add(upload(spool, "s3://far/x"))
    assert uploader.withdraw("s3://far/x", over.set)
    assert not waiting.wait(0.0) and waiting.done.is_set()
    assert not over.is_set()
    go.set()
    assert over.wait(20)
    assert not under_way.wait(20) and under_way.done.is_set()
    # The address is free again, and nothing of it is under way.
    assert uploader.add(upload(spool, "s3://far/x", later=True)).wait(20)
    assert uploader.wait(20)
    assert not uploader.withdraw("s3://far/x", over.set)
    assert frames.written == [{"url": "s3://far/x", "later": True}]
    uploader.stop()
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_newer_file_takes_the_place_of_one_that_waits(tmp_path: Path) -> None:
    spool, storages, frames = Spool(tmp_path / "spool"), Storages(tmp_path), Frames()
    storages.away["s3://far"] = ConnectionFailed("away")
    uploader = Uploader(spool, storages, frames)
    other = uploader.add(upload(spool, "s3://far/first"))
    until(lambda: storages.tries != [])

    def version(content: bytes, **value: Any) -> Upload:
        made = upload(spool, "s3://far/x", **value)
        made.source.write_bytes(content)
        return made

    pendings = [uploader.add(version(content)) for content in (b"1", b"2", b"3")]
    told = uploader.add(version(b"4", iteration=4))
    # Not in the place of the first ones: it is newer than the one between.
    pendings += [uploader.add(version(content)) for content in (b"5", b"6")]
    assert len(spool.entries()) == 4
    assert len(list(spool.folder.glob("*.bin"))) == 4
    del storages.away["s3://far"]
    assert all(pending.wait(60) for pending in (other, *pendings, told))
    assert storages.tries.count("s3://far/x") == 3
    assert (tmp_path / "s3" / "far" / "x").read_bytes() == b"6"
    said = [{"url": "s3://far/x"}, {"url": "s3://far/x", "iteration": 4}, {"url": "s3://far/x"}]
    assert [frame for frame in frames.written if frame["url"] == "s3://far/x"] == said
    uploader.stop()
    assert list((tmp_path / "spool").iterdir()) == []
