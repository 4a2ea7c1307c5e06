"""Files on their way to storage.

Each is described in the journal's ``spool`` folder until it has arrived, so a killed process loses none; the
frames that make it visible (an artifact record, an image event) are written after it arrived.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trialbook.base.files import read_json, write_json
from trialbook.base.retry import backoff
from trialbook.errors import ConnectionFailed, ServerFault, TrialbookError
from trialbook.journal.delivery import Transport
from trialbook.journal.frames import Kind

_log = logging.getLogger("trialbook")
_THREADS = 2


@dataclass(frozen=True)
class Upload:
    """One file to store.

    Attributes:
        source: the file; below the spool folder when the journal owns the bytes.
        url: its destination.
        delete_source: delete the source when it arrived, or never can.
        remove: another file to delete once it arrived: the program's own, of which the source is a copy.
        then: frames to write after it arrived, as ``(kind, JSON)``.
    """

    source: Path
    url: str
    delete_source: bool = False
    then: tuple[tuple[Kind, dict[str, Any]], ...] = ()
    remove: Path | None = None


@dataclass
class Pending:
    """The handle of an upload that was accepted."""

    done: threading.Event = field(default_factory=threading.Event)
    error: str | None = None

    def wait(self, timeout: float | None = None) -> bool:
        """True when the file has arrived within ``timeout`` seconds (None: as long as it takes)."""
        return self.done.wait(timeout) and self.error is None


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
            upload.source.unlink(missing_ok=True)
        note.unlink(missing_ok=True)

    def size(self) -> int:
        """Bytes kept in the spool."""
        if not self.folder.is_dir():
            return 0
        return sum(path.stat().st_size for path in self.folder.glob("*.bin") if path.exists())


class Uploader:
    """Two threads that bring the spool's files to storage; uploads to one URL keep their order.

    Args:
        spool: the notes.
        transport: the way to storage.
        write: appends a frame to the journal.
    """

    def __init__(
        self, spool: Spool, transport: Transport, write: Callable[[Kind, dict[str, Any]], None]
    ) -> None:
        self._spool = spool
        self._transport = transport
        self._write = write
        self._change = threading.Condition()
        self._queue: deque[tuple[Path, Upload, Pending]] = deque()
        self._busy: set[str] = set()
        self._threads: list[threading.Thread] = []
        self._stopping = False

    def add(self, upload: Upload) -> Pending:
        """Accept an upload; returns at once."""
        note = self._spool.add(upload)
        pending = Pending()
        with self._change:
            self._queue.append((note, upload, pending))
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

    def stop(self) -> None:
        """Start nothing more. An upload that is under way is not waited for; its note stays."""
        with self._change:
            self._stopping = True
            self._change.notify_all()

    def _run(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._stopping or self._ready() is not None)
                if self._stopping:
                    return
                index = self._ready()
                if index is None:
                    continue
                note, upload, pending = self._queue[index]
                del self._queue[index]
                self._busy.add(upload.url)
            try:
                self._carry(note, upload, pending)
            finally:
                with self._change:
                    self._busy.discard(upload.url)
                    self._change.notify_all()

    def _ready(self) -> int | None:
        for index, (_, upload, _) in enumerate(self._queue):
            if upload.url not in self._busy:
                return index
        return None

    def _carry(self, note: Path, upload: Upload, pending: Pending) -> None:
        for wait in backoff(0.2, longest=10.0):
            if self._stopping:
                return
            try:
                self._transport.upload(upload.source, upload.url)
                break
            except (ConnectionFailed, ServerFault):
                with self._change:
                    self._change.wait_for(lambda: self._stopping, wait)
            except (TrialbookError, OSError) as error:
                _log.warning("%s was not uploaded to %s: %s", upload.source, upload.url, error)
                pending.error = str(error)
                self._spool.finish(note, upload, arrived=False)
                pending.done.set()
                return
        if self._stopping:
            return
        for kind, value in upload.then:
            self._write(kind, value)
        self._spool.finish(note, upload, arrived=True)
        pending.done.set()


def deliver_spool(
    spool: Spool, transport: Transport, write: Callable[[Kind, dict[str, Any]], None], deadline: float
) -> bool:
    """Upload what an earlier process left.

    Args:
        spool: of the journal that is recovered.
        transport: the way to storage.
        write: sends a frame that makes a file visible.
        deadline: ``time.monotonic()`` moment to stop at.

    Returns:
        True when nothing is left. A file that can never be uploaded is reported and dropped.
    """
    for note, upload in spool.entries():
        if time.monotonic() > deadline:
            return False
        try:
            transport.upload(upload.source, upload.url)
        except (ConnectionFailed, ServerFault):
            return False
        except (TrialbookError, OSError) as error:
            _log.warning("%s was not uploaded to %s: %s", upload.source, upload.url, error)
            spool.finish(note, upload, arrived=False)
            continue
        for kind, value in upload.then:
            write(kind, value)
        spool.finish(note, upload, arrived=True)
    return True
