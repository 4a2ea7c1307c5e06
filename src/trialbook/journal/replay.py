"""Reading the journals that an earlier process left on this host, and sending them."""

import contextlib
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from trialbook.base.guard import guard
from trialbook.errors import ConnectionFailed, JournalError, ServerFault, Unauthorized
from trialbook.journal.delivery import Delivery, Identity, Transport, read_acked
from trialbook.journal.frames import (
    SEGMENT_HEADER,
    SEGMENT_MAGIC,
    SEGMENT_VERSION,
    Frame,
    Kind,
    encode_json,
    frames,
    valid_end,
)
from trialbook.journal.lock import FileLock
from trialbook.journal.uploads import Spool, deliver_spool


@dataclass(frozen=True)
class Stored:
    """A segment file that was read: the offset of its first frame and its intact frames."""

    path: Path
    first: int
    data: bytes
    torn: int

    @property
    def end(self) -> int:
        return self.first + len(self.data)


def read_segment(path: Path) -> Stored | None:
    """The intact frames of a segment file; None for a prepared one that was never used.

    Raises:
        JournalError: a newer version wrote it.
    """
    raw = path.read_bytes()
    if len(raw) < SEGMENT_HEADER.size or raw[:4] != SEGMENT_MAGIC:
        return None
    _, version, first = SEGMENT_HEADER.unpack_from(raw)
    if version != SEGMENT_VERSION:
        raise JournalError(f"{path} was written by a newer Trialbook; update")
    end = valid_end(raw, SEGMENT_HEADER.size)
    torn = len(raw[end:].rstrip(b"\0"))
    return Stored(path, first, raw[SEGMENT_HEADER.size : end], torn)


class StoredJournal:
    """A journal whose process is gone. Use it as a context manager: it holds the journal's lock meanwhile.

    Args:
        folder: the journal's folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.identity = Identity.load(folder)
        self.spool = Spool(folder / "spool")
        self._lock = FileLock(folder / "lock")
        self._segments: list[Stored] = []
        self._tail: list[bytes] = []

    def acquire(self) -> bool:
        """Take the journal over; False when its process, or another recovery, holds it."""
        if not self._lock.acquire():
            return False
        self._segments = self._load()
        return True

    def __enter__(self) -> "StoredJournal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()

    @property
    def end(self) -> int:
        """The offset after the last intact frame."""
        return self._segments[-1].end if self._segments else 0

    @property
    def complete(self) -> bool:
        """True when everything was acknowledged and no file waits."""
        return read_acked(self.folder) >= self.end and not self.spool.entries()

    def frames(self) -> list[Frame]:
        """All frames that are still on this host, in order."""
        return [frame for stored in self._segments for frame in frames(stored.data)]

    def span(self, offset: int) -> "_Piece | None":
        """Frames from ``offset`` to the end of their segment.

        Raises:
            JournalError: they are no longer here.
        """
        for stored in self._segments:
            if stored.first <= offset < stored.end:
                return _Piece(offset, stored.data[offset - stored.first :])
        if offset < self.end:
            raise JournalError(f"{self.folder}: the frames at offset {offset} are no longer on this host")
        return None

    def release(self, offset: int) -> None:
        """Delete the segments before ``offset``, except the last, which marks the end of the stream."""
        for stored in self._segments[:-1]:
            if stored.end <= offset:
                stored.path.unlink(missing_ok=True)
        self._segments = [
            stored for stored in self._segments if stored.end > offset or stored is self._segments[-1]
        ]

    def append(self, kind: Kind, value: dict[str, Any]) -> None:
        """Add a frame after the last intact one, on disk."""
        frame = encode_json(kind, value)
        last = self._segments[-1] if self._segments else None
        first = last.end if last else 0
        number = 1 + max((int(path.stem) for path in self.folder.glob("*.seg")), default=-1)
        path = self.folder / f"{number:08d}.seg"
        path.write_bytes(SEGMENT_HEADER.pack(SEGMENT_MAGIC, SEGMENT_VERSION, first) + frame)
        self._segments.append(Stored(path, first, frame, 0))

    def ship(self, transport: Transport, deadline: float) -> bool:
        """Send everything, then delete the folder.

        Args:
            transport: the way to the server.
            deadline: ``time.monotonic()`` moment after which nothing new is begun.

        Returns:
            True when nothing is left on this host.

        Raises:
            TrialbookError: the server refuses the journal for good.
        """
        delivery = Delivery(self.identity, self, transport, self.folder)
        try:
            if not deliver_spool(self.spool, transport, self.append, deadline):
                return False
            while delivery.step():
                if time.monotonic() > deadline:
                    return False
        except (ConnectionFailed, ServerFault, Unauthorized):
            return False
        self.discard()
        return True

    def discard(self) -> None:
        """Delete the journal with everything in it."""
        remove(self.folder)

    def _load(self) -> list[Stored]:
        found = [stored for path in self.folder.glob("*.seg") if (stored := read_segment(path)) is not None]
        found.sort(key=lambda stored: stored.first)
        return found


@dataclass(frozen=True)
class _Piece:
    first: int
    data: bytes


def remove(folder: Path) -> None:
    """Delete a journal's folder, and its task's folder when that was the last one."""
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):
        # Refused by the system while another process has a journal there.
        folder.parent.rmdir()


def orphans(root: Path, task: str | None = None) -> list[StoredJournal]:
    """The journals whose process is gone, locked for the caller.

    Args:
        root: the journal folder of this host.
        task: only those of this task; None means all.

    Returns:
        Journals to be used with ``with``, oldest first. Damaged ones are reported once and left alone.
    """
    found: list[StoredJournal] = []
    tasks = [root / task] if task else (sorted(root.iterdir()) if root.is_dir() else [])
    for folder in tasks:
        for candidate in sorted(folder.iterdir()) if folder.is_dir() else []:
            if not (candidate / "journal.json").is_file():
                continue
            with guard("journal.orphans"):
                journal = StoredJournal(candidate)
                if journal.acquire():
                    found.append(journal)
    found.sort(key=lambda journal: journal.identity.created)
    return found
