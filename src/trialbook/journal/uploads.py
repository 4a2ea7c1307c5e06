"""Files on their way to storage.

Each is described in the journal's ``spool`` folder until it has arrived, so a killed process loses none; the
frames that make it visible (an artifact record, an image event) are written after it arrived.
"""

import hashlib
import json
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trialbook.base.files import read_json, write_json
from trialbook.base.retry import backoff
from trialbook.errors import (
    ConnectionFailed,
    ServerFault,
    SourceChanged,
    StorageRefused,
    TrialbookError,
    Unauthorized,
)
from trialbook.journal import snapshot
from trialbook.journal.delivery import Transport
from trialbook.journal.frames import Kind

_log = logging.getLogger("trialbook")
_THREADS = 2
HASH_LATER = "sha256-of-the-upload"
"""Stands in the frames of an upload for what takes a second per gigabyte to know."""
_LATER = (ConnectionFailed, ServerFault, StorageRefused, Unauthorized)
"""What another try, or a corrected setting, may cure."""
_STALLED_SECONDS = 60.0
_LOOK = 0.5
"""Seconds between two looks whether waiting is of use."""


@dataclass(frozen=True)
class Upload:
    """One file to store.

    Attributes:
        source: the file; below the spool folder when the journal owns the bytes.
        url: its destination.
        delete_source: delete the source when it arrived, or never can.
        remove: another file to delete once it arrived: the program's own, of which the source is a copy.
        then: frames to write after it arrived, as ``(kind, JSON)``; each ``HASH_LATER`` in them becomes the SHA-256 of
            the source.
        told: is given that SHA-256, in this process only.
    """

    source: Path
    url: str
    delete_source: bool = False
    then: tuple[tuple[Kind, dict[str, Any]], ...] = ()
    remove: Path | None = None
    told: Callable[[str], None] | None = None


@dataclass
class Pending:
    """The handle of an upload that was accepted."""

    done: threading.Event = field(default_factory=threading.Event)
    error: str | None = None
    """Why it will never arrive or, while it is tried again, why it has not arrived yet."""
    stalled: float | None = None
    """Since when (``time.monotonic()``) its storage does not take it."""

    def wait(self, timeout: float | None = None) -> bool:
        """True when the file has arrived within ``timeout`` seconds (None: as long as it takes).

        A storage that has been away, or has refused, for a minute is waited for no longer; the file stays on this
        host and is sent later.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while not self.done.wait(_LOOK if end is None else max(0.0, min(_LOOK, end - time.monotonic()))):
            now = time.monotonic()
            if end is not None and now >= end:
                return False
            if self.stalled is not None and now - self.stalled > _STALLED_SECONDS:
                return False
        return self.error is None


class Spool:
    """The uploads of one journal, on disk and in order.

    Args:
        folder: the journal's ``spool`` folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._next = 0

    def reserve(self, suffix: str = ".bin") -> Path:
        """A fresh file name in the spool for bytes that have no file of their own."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._lock:
            number = self._next
            self._next += 1
        return self.folder / f"{number}{suffix}"

    def add(self, upload: Upload) -> Path:
        """Note an upload on disk; returns its note."""
        note = self.reserve(".json")
        write_json(
            note,
            {
                "source": str(upload.source),
                "url": upload.url,
                "delete_source": upload.delete_source,
                "then": [[int(kind), value] for kind, value in upload.then],
                "remove": str(upload.remove) if upload.remove else None,
            },
        )
        return note

    def entries(self) -> list[tuple[Path, Upload]]:
        """The notes that are left, oldest first."""
        if not self.folder.is_dir():
            return []
        notes = sorted(
            (path for path in self.folder.glob("*.json") if path.stem.isdigit()),
            key=lambda path: int(path.stem),
        )
        found = []
        for note in notes:
            value = read_json(note)
            then = tuple((Kind(kind), payload) for kind, payload in value["then"])
            remove = Path(value["remove"]) if value.get("remove") else None
            found.append(
                (note, Upload(Path(value["source"]), value["url"], value["delete_source"], then, remove))
            )
        return found

    def finish(self, note: Path, upload: Upload, arrived: bool) -> None:
        """Forget an upload that arrived or never will."""
        if arrived and upload.remove is not None:
            upload.remove.unlink(missing_ok=True)
        if upload.delete_source:
            snapshot.forget(upload.source)
        note.unlink(missing_ok=True)

    def size(self) -> int:
        """Bytes kept in the spool."""
        if not self.folder.is_dir():
            return 0
        return sum(path.stat().st_size for path in self.folder.glob("*.bin") if path.exists())


@dataclass
class _Root:
    """A storage that did not take a file."""

    waits: Iterator[float]
    due: float
    since: float


@dataclass
class _Waiting:
    note: Path
    upload: Upload
    pending: Pending


class Uploader:
    """Two threads that bring the spool's files to storage.

    Uploads to one URL keep their order. A storage that is away, fails or refuses is asked again after a while; files
    for others do not wait for it.

    Args:
        spool: the notes.
        transport: the way to storage.
        write: appends a frame to the journal; False when it takes none any more.
    """

    def __init__(
        self, spool: Spool, transport: Transport, write: Callable[[Kind, dict[str, Any]], bool]
    ) -> None:
        self._spool = spool
        self._transport = transport
        self._write = write
        self._change = threading.Condition()
        self._queue: deque[_Waiting] = deque()
        self._busy: set[str] = set()
        self._roots: dict[str, _Root] = {}
        self._threads: list[threading.Thread] = []
        self._stopping = False

    def add(self, upload: Upload) -> Pending:
        """Accept an upload; returns at once."""
        note = self._spool.add(upload)
        pending = Pending()
        with self._change:
            self._queue.append(_Waiting(note, upload, pending))
            if len(self._threads) < _THREADS:
                self._help()
            self._change.notify()
        return pending

    def _help(self) -> None:
        thread = threading.Thread(target=self._run, name="trialbook-upload", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            # Since Python 3.12 a process that is ending cannot start threads; its successor finds the note.
            if not self._threads:
                self._queue.clear()
            return
        self._threads.append(thread)

    def wait(self, timeout: float) -> bool:
        """True when nothing is left within ``timeout`` seconds."""
        with self._change:
            return self._change.wait_for(lambda: not self._queue and not self._busy, timeout)

    def stuck(self, patient: bool) -> bool:
        """True when all that is left waits for storages that did not take it.

        Args:
            patient: only when they have not for a minute.
        """
        with self._change:
            urls = [*self._busy, *(waiting.upload.url for waiting in self._queue)]
            found = [self._roots.get(root_of(url)) for url in urls]
            limit = time.monotonic() - (_STALLED_SECONDS if patient else 0.0)
            return bool(found) and all(root is not None and root.since <= limit for root in found)

    def stop(self) -> None:
        """Start nothing more. An upload that is under way is not waited for; its note stays."""
        with self._change:
            self._stopping = True
            self._change.notify_all()

    def _run(self) -> None:
        while True:
            with self._change:
                waiting = self._next()
                while waiting is None and not self._stopping:
                    self._change.wait(self._pause())
                    waiting = self._next()
                if self._stopping or waiting is None:
                    return
                self._queue.remove(waiting)
                self._busy.add(waiting.upload.url)
            again = True
            try:
                again = not self._carry(waiting)
            finally:
                with self._change:
                    self._busy.discard(waiting.upload.url)
                    if again:
                        self._queue.appendleft(waiting)
                    self._change.notify_all()

    def _next(self) -> _Waiting | None:
        now = time.monotonic()
        passed: set[str] = set()
        for waiting in self._queue:
            url = waiting.upload.url
            root = self._roots.get(root_of(url))
            if url not in self._busy and url not in passed and (root is None or root.due <= now):
                return waiting
            passed.add(url)
        return None

    def _pause(self) -> float | None:
        """Seconds to the next try of a storage; None when none is waited for."""
        dues = [root.due for root in self._roots.values()]
        return max(0.01, min(dues) - time.monotonic()) if self._queue and dues else None

    def _carry(self, waiting: _Waiting) -> bool:
        """Whether it is dealt with."""
        upload, pending = waiting.upload, waiting.pending
        try:
            then = _stored(self._transport, upload)
        except _LATER as error:
            self._failed(waiting, error)
            return False
        except (TrialbookError, OSError) as error:
            _log.warning("%s was not uploaded to %s: %s", upload.source, upload.url, error)
            pending.error = str(error)
            self._spool.finish(waiting.note, upload, arrived=False)
            pending.done.set()
            return True
        with self._change:
            back = self._roots.pop(root_of(upload.url), None)
        if back is not None:
            _log.warning("%s takes files again", root_of(upload.url))
        if not all(self._write(kind, value) for kind, value in then):
            # The journal has ended meanwhile; whoever sends the rest of it finds the note.
            pending.error = "the journal ended before the file was noted; its successor sends it"
            pending.done.set()
            return True
        self._spool.finish(waiting.note, upload, arrived=True)
        pending.error = None
        pending.done.set()
        return True

    def _failed(self, waiting: _Waiting, error: TrialbookError) -> None:
        name = root_of(waiting.upload.url)
        now = time.monotonic()
        with self._change:
            root = self._roots.get(name)
            if root is None:
                root = self._roots[name] = _Root(backoff(0.2, longest=30.0), now, now)
                _log.warning(
                    "%s Files for %s are kept on this host and sent later; your program goes on.", error, name
                )
            root.due = now + next(root.waits)
            for other in (waiting, *self._queue):
                if root_of(other.upload.url) == name:
                    other.pending.error = str(error)
                    other.pending.stalled = root.since


def _stored(transport: Transport, upload: Upload) -> list[tuple[Kind, dict[str, Any]]]:
    """Store a file; the frames that make it visible."""
    source = snapshot.settle(upload.source)
    hashed = any(HASH_LATER in json.dumps(value) for _, value in upload.then)
    digest = _digest(source) if hashed else ""
    transport.upload(source, upload.url)
    if not snapshot.unchanged(upload.source, source):
        raise SourceChanged(f"{source} was changed while it was sent")
    if hashed and upload.told is not None:
        upload.told(digest)
    return [(kind, _completed(value, digest) if hashed else value) for kind, value in upload.then]


def _digest(path: Path) -> str:
    total = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            total.update(block)
    return total.hexdigest()


def _completed(value: Any, digest: str) -> Any:
    if isinstance(value, dict):
        return {name: _completed(item, digest) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_completed(item, digest) for item in value]
    return digest if value == HASH_LATER else value


def root_of(url: str) -> str:
    """The storage of an address: scheme, host and bucket; what one failure tells about."""
    scheme, mark, rest = url.partition("://")
    if not mark or scheme == "file":
        return "the local folder"
    parts = rest.split("/")
    depth = 1 if scheme in ("http", "https", "gs") or (scheme == "s3" and ":" not in parts[0]) else 2
    return f"{scheme}://{'/'.join(parts[:depth])}"


def deliver_spool(
    spool: Spool, transport: Transport, write: Callable[[Kind, dict[str, Any]], object], deadline: float
) -> bool:
    """Upload what an earlier process left.

    Args:
        spool: of the journal that is recovered.
        transport: the way to storage.
        write: sends a frame that makes a file visible.
        deadline: ``time.monotonic()`` moment to stop at.

    Returns:
        True when nothing is left. A file that can never be uploaded is reported and dropped; one whose storage is
        away, or refuses, stays, and so do the later ones for that storage.
    """
    away: set[str] = set()
    for note, upload in spool.entries():
        if root_of(upload.url) in away:
            continue
        if time.monotonic() > deadline:
            return False
        try:
            then = _stored(transport, upload)
        except _LATER as error:
            _log.warning("%s Files for %s stay on this host.", error, root_of(upload.url))
            away.add(root_of(upload.url))
            continue
        except (TrialbookError, OSError) as error:
            _log.warning("%s was not uploaded to %s: %s", upload.source, upload.url, error)
            spool.finish(note, upload, arrived=False)
            continue
        for kind, value in then:
            write(kind, value)
        spool.finish(note, upload, arrived=True)
    return not away
