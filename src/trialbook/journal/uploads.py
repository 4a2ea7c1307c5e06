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
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trialbook.base.guard import guard
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
from trialbook.journal.spool import HASH_LATER, STALLED_SECONDS, Pending, Spool, Upload

_log = logging.getLogger("trialbook")
_THREADS = 2
_LATER = (ConnectionFailed, ServerFault, StorageRefused, Unauthorized)
"""What another try, or a corrected setting, may cure."""


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
        self._withdrawn: dict[str, Callable[[], None]] = {}
        self._noting: set[str] = set()
        self._refused: set[str] = set()
        self._roots: dict[str, _Root] = {}
        self._threads: list[threading.Thread] = []
        self._stopping = False

    def add(self, upload: Upload) -> Pending:
        """Accept an upload; returns at once.

        It takes the place of one that still waits and says the same of the same address: a program that writes its
        checkpoints faster than they are stored would fill the disk with what is overwritten at once.
        """
        note = self._spool.add(upload)
        with self._change:
            same = [place for place, known in enumerate(self._queue) if known.upload.url == upload.url]
            # The last of them alone: what is stored in the end must be the newest.
            place = same[-1] if same and _says_the_same(self._queue[same[-1]].upload, upload) else None
            old = None if place is None else self._queue[place]
            pending = Pending() if old is None else old.pending
            if place is None:
                self._queue.append(_Waiting(note, upload, pending))
            else:
                self._queue[place] = _Waiting(note, upload, pending)
            if len(self._threads) < _THREADS:
                self._help()
            self._change.notify()
        if old is not None:
            self._spool.finish(old.note, old.upload, arrived=False)
        return pending

    def withdraw(self, url: str, then: Callable[[], None]) -> bool:
        """Give up the uploads to an address; none of their frames is written after this.

        Args:
            url: where they go.
            then: called once an upload that is under way has ended, in its thread.

        Returns:
            True when one is under way.
        """
        with self._change:
            gone = [waiting for waiting in self._queue if waiting.upload.url == url]
            for waiting in gone:
                self._queue.remove(waiting)
            self._change.wait_for(lambda: url not in self._noting)
            busy = url in self._busy
            if busy:
                self._withdrawn[url] = then
        for waiting in gone:
            self._give_up(waiting)
        if url in self._refused:
            self._spool.withdraw(url)
        return busy

    def _give_up(self, waiting: _Waiting) -> None:
        waiting.pending.error = "it was withdrawn"
        self._spool.finish(waiting.note, waiting.upload, arrived=False)
        waiting.pending.done.set()

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
            limit = time.monotonic() - (STALLED_SECONDS if patient else 0.0)
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
                self._end(waiting, again)

    def _end(self, waiting: _Waiting, again: bool) -> None:
        url = waiting.upload.url
        withdrawn = False
        while True:
            with self._change:
                then = self._withdrawn.pop(url, None)
                if then is None:
                    # In one step with the look: from now on nothing is under way.
                    self._busy.discard(url)
                    if again and not withdrawn:
                        self._queue.appendleft(waiting)
                    self._change.notify_all()
                    break
            withdrawn = True
            with guard("uploads.withdrawn"):
                then()
        if again and withdrawn:
            self._give_up(waiting)

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
            _set_aside(self._spool, waiting.note, upload, error)
            self._refused.add(upload.url)
            pending.error = str(error)
            pending.done.set()
            return True
        with self._change:
            back = self._roots.pop(root_of(upload.url), None)
        if back is not None:
            _log.warning("%s takes files again", root_of(upload.url))
        with self._change:
            withdrawn = upload.url in self._withdrawn
            if not withdrawn:
                self._noting.add(upload.url)
        if withdrawn:
            self._give_up(waiting)
            return True
        try:
            noted = all(self._write(kind, value) for kind, value in then)
        finally:
            with self._change:
                self._noting.discard(upload.url)
                self._change.notify_all()
        if not noted:
            # The journal has ended meanwhile; whoever sends the rest of it finds the note.
            pending.error = "the journal ended before the file was noted; its successor sends it"
            pending.done.set()
            return True
        self._spool.finish(waiting.note, upload, arrived=True)
        if upload.url in self._refused:
            self._spool.supersede(upload.url, waiting.note)
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
                    "%s Files for %s are kept on this host and sent later; your program continues.",
                    error,
                    name,
                )
            root.due = now + next(root.waits)
            for other in (waiting, *self._queue):
                if root_of(other.upload.url) == name:
                    other.pending.error = str(error)
                    other.pending.stalled = root.since


def _set_aside(spool: Spool, note: Path, upload: Upload, error: TrialbookError | OSError) -> None:
    """Keep a file that its storage does not take, and forget one that is not there any more."""
    if isinstance(error, SourceChanged) or not upload.source.exists():
        _log.warning("%s was not uploaded to %s: %s", upload.source, upload.url, error)
        spool.finish(note, upload, arrived=False)
        return
    with suppress(OSError):
        # Without room for the reason it waits like any other file that has not arrived.
        spool.refuse(note, upload, str(error))
    if not upload.refused:
        text = "%s is not taken: %s. It is kept on this host; `trialbook sync` tries again, and says how it is removed."
        _log.warning(text, upload.url, error)


def _says_the_same(old: Upload, new: Upload) -> bool:
    # What somebody is told of, or waits to be deleted, is a promise about that very file.
    promised = old.told is not None or old.remove is not None
    return not promised and old.delete_source and old.then == new.then


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
    spool: Spool,
    transport: Transport,
    write: Callable[[Kind, dict[str, Any]], object],
    deadline: float,
    again: bool = True,
) -> bool:
    """Upload what an earlier process left.

    Args:
        spool: of the journal that is recovered.
        transport: the way to storage.
        write: sends a frame that makes a file visible.
        deadline: ``time.monotonic()`` moment to stop at.
        again: try those again that their storage has refused.

    Returns:
        True when nothing is left but what was refused. One whose storage is away, or lets nobody in, stays, and so do
        the later ones for that storage.
    """
    away: set[str] = set()
    for note, upload in spool.entries():
        if root_of(upload.url) in away or (upload.refused and not again):
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
            _set_aside(spool, note, upload, error)
            continue
        for kind, value in then:
            write(kind, value)
        spool.finish(note, upload, arrived=True)
    return not away
