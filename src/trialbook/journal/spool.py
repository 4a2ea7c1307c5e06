"""Files that wait for their way to storage, on disk."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from trialbook.base.files import read_json, write_json
from trialbook.journal import snapshot
from trialbook.journal.frames import Kind

HASH_LATER = "sha256-of-the-upload"
"""Stands in the frames of an upload for what takes a second per gigabyte to know."""
STALLED_SECONDS = 60.0
"""A storage that takes nothing for so long is waited for no longer."""
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
        refused: why its storage does not take it, once that said so; such a file waits for somebody who asks again.
    """

    source: Path
    url: str
    delete_source: bool = False
    then: tuple[tuple[Kind, dict[str, Any]], ...] = ()
    remove: Path | None = None
    told: Callable[[str], None] | None = None
    refused: str = ""


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
            if self.stalled is not None and now - self.stalled > STALLED_SECONDS:
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
        _write(note, upload)
        return note

    def refuse(self, note: Path, upload: Upload, why: str) -> None:
        """Keep an upload that its storage does not take; it takes the place of an earlier such one to the address."""
        self.supersede(upload.url, note)
        _write(note, replace(upload, refused=why))

    def supersede(self, url: str, by: Path) -> None:
        """Forget what the storage did not take at an address: something newer is there, or waits."""
        for note, upload in self.entries():
            if upload.refused and upload.url == url and note != by:
                self.finish(note, upload, arrived=False)

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
            upload = Upload(Path(value["source"]), value["url"], value["delete_source"], then, remove)
            found.append((note, replace(upload, refused=str(value.get("refused") or ""))))
        return found

    def withdraw(self, url: str) -> None:
        """Forget the uploads to an address that nobody carries."""
        for note, upload in self.entries():
            if upload.url == url:
                self.finish(note, upload, arrived=False)

    def finish(self, note: Path, upload: Upload, arrived: bool) -> None:
        """Forget an upload that arrived or never will."""
        if arrived and upload.remove is not None:
            upload.remove.unlink(missing_ok=True)
        if upload.delete_source:
            snapshot.forget(upload.source)
        note.unlink(missing_ok=True)

    def refused(self) -> list[Upload]:
        """What storages did not take, oldest first."""
        return [upload for _, upload in self.entries() if upload.refused]

    def size(self) -> int:
        """Bytes kept in the spool."""
        if not self.folder.is_dir():
            return 0
        return sum(path.stat().st_size for path in self.folder.glob("*.bin") if path.exists())


def _write(note: Path, upload: Upload) -> None:
    write_json(
        note,
        {
            "source": str(upload.source),
            "url": upload.url,
            "delete_source": upload.delete_source,
            "then": [[int(kind), value] for kind, value in upload.then],
            "remove": str(upload.remove) if upload.remove else None,
            "refused": upload.refused,
        },
    )
