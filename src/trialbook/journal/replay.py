"""Reading the journals that an earlier process left on this host, and sending them."""

import contextlib
import itertools
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from trialbook.base.files import write_json
from trialbook.base.guard import guard
from trialbook.errors import ConnectionFailed, JournalError, ServerFault, Unauthorized, WireError
from trialbook.journal.delivery import Delivery, Identity, Transport, read_acked
from trialbook.journal.frames import (
    OVERHEAD,
    SEGMENT_HEADER,
    SEGMENT_MAGIC,
    SEGMENT_VERSION,
    Frame,
    Kind,
    encode_json,
    frames,
    gap,
    next_intact,
    valid_end,
)
from trialbook.journal.lock import FileLock
from trialbook.journal.spool import Spool
from trialbook.journal.uploads import deliver_spool


@dataclass(frozen=True)
class Run:
    """Intact frames, back to back, and the offset of the first."""

    first: int
    data: bytes

    @property
    def end(self) -> int:
        """The offset after them."""
        return self.first + len(self.data)


@dataclass(frozen=True)
class Stored:
    """A segment file that was read.

    Attributes:
        path: the file.
        first: offset of its first frame.
        runs: its intact frames; between two runs lies a damaged part.
        torn: bytes after the last intact frame: what a killed process was just writing.
    """

    path: Path
    first: int
    runs: tuple[Run, ...]
    torn: int

    @property
    def end(self) -> int:
        """The offset after the last intact frame."""
        return self.runs[-1].end if self.runs else self.first

    @property
    def data(self) -> bytes:
        """The intact frames."""
        return b"".join(run.data for run in self.runs)


def read_segment(path: Path) -> Stored | None:
    """The intact frames of a segment file; None for a prepared one that was never used, or without its header.

    Raises:
        JournalError: a newer version wrote it.
    """
    raw = path.read_bytes()
    if len(raw) < SEGMENT_HEADER.size or raw[:4] != SEGMENT_MAGIC:
        return None
    _, version, first = SEGMENT_HEADER.unpack_from(raw)
    if version != SEGMENT_VERSION:
        raise JournalError(f"{path} was written by a newer Trialbook; update")
    return _parsed(path, raw, first)


def _parsed(path: Path, raw: bytes, first: int) -> Stored:
    start: int | None = SEGMENT_HEADER.size
    runs, shift, end = [], first - SEGMENT_HEADER.size, SEGMENT_HEADER.size
    while start is not None:
        end = valid_end(raw, start)
        if end > start:
            runs.append(Run(start + shift, raw[start:end]))
        # No frame is shorter than its overhead, so none can begin nearer.
        start = next_intact(raw, end + OVERHEAD)
    return Stored(path, first, tuple(runs), len(raw[end:].rstrip(b"\0")))


def read_stream(folder: Path) -> list[Stored]:
    """The segments of a journal in the order of their frames.

    Raises:
        JournalError: a newer version wrote it.
    """
    found, headless = [], []
    for path in sorted(folder.glob("*.seg")):
        stored = read_segment(path)
        if stored is not None:
            found.append(stored)
        elif len(raw := path.read_bytes()) > SEGMENT_HEADER.size and any(raw):
            headless.append((path, raw))
    found.sort(key=lambda stored: (stored.first, stored.end))
    for path, raw in headless:
        first = _place(found, _parsed(path, raw, 0).end)
        if first is not None:
            found.append(_parsed(path, raw, first))
            found.sort(key=lambda stored: (stored.first, stored.end))
    return found


def _place(found: list[Stored], length: int) -> int | None:
    """The offset of a segment that has lost its header: where its frames fill a hole exactly."""
    ends = [0, *(stored.end for stored in found)]
    starts = [stored.first for stored in found]
    holes = [end for end, start in zip(ends, starts, strict=False) if start - end == length]
    return holes[0] if holes and length else None


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
        if not (self.folder / "journal.json").exists():
            # Somebody sent it a moment ago; what we hold is the lock of a folder that is gone.
            self._lock.release()
            return False
        self._segments = read_stream(self.folder)
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

    @property
    def damaged(self) -> int:
        """Bytes of the stream that cannot be read any more, although frames after them can."""
        runs = self._runs()
        holes = sum(after.first - before.end for before, after in itertools.pairwise(runs))
        start = read_acked(self.folder)
        return holes + max(0, runs[0].first - start if runs else 0)

    def frames(self) -> list[Frame]:
        """All intact frames that are still on this host, in order."""
        return [frame for run in self._runs() for frame in frames(run.data)]

    def span(self, offset: int) -> Run | None:
        """Frames from ``offset`` to the end of their run; a GAP where the disk has lost them."""
        for run in self._runs():
            if offset < run.first:
                return Run(offset, gap(offset, run.first))
            if offset < run.end:
                return Run(offset, run.data[offset - run.first :])
        return None

    def _runs(self) -> list[Run]:
        return [run for stored in self._segments for run in stored.runs]

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
        self._segments.append(Stored(path, first, (Run(first, frame),), 0))

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
            # A storage that is away keeps its files here, not the reports.
            again = (self.folder / REFUSED).is_file()
            stored = deliver_spool(self.spool, transport, self.append, deadline, again)
            if self.damaged:
                # The server may have more than this host knows, and a gap must not cover what it has.
                delivery.ask()
            while delivery.step():
                if time.monotonic() > deadline:
                    return False
        except (ConnectionFailed, ServerFault, Unauthorized):
            return False
        if not stored:
            return False
        if (why := set_aside(self.folder, self.spool)) is not None:
            raise WireError(why)
        self.discard()
        return True

    def discard(self) -> None:
        """Delete the journal with everything in it."""
        remove(self.folder)


def remove(folder: Path) -> None:
    """Delete a journal's folder, and its task's folder when that was the last one."""
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):
        # Refused by the system while another process has a journal there.
        folder.parent.rmdir()


REFUSED = "refused.json"
"""In the folder of a journal that the server will not take; it holds the reason."""


def set_aside(folder: Path, spool: Spool) -> str | None:
    """Mark a journal of which everything is sent but the files that their storage does not take.

    Returns:
        Which those are and why; None when there is none.
    """
    refused = spool.refused()
    if not refused:
        return None
    others = f", and {len(refused) - 1} more" if len(refused) > 1 else ""
    why = f"{refused[0].url} is not taken{others}: {refused[0].refused}"
    write_json(folder / REFUSED, {"error": why, "time": time.time()})
    return why


def orphans(root: Path, task: str | None = None, refused: bool = True) -> list[StoredJournal]:
    """The journals whose process is gone, locked for the caller.

    Args:
        root: the journal folder of this host.
        task: only those of this task; None means all.
        refused: also those that a server has refused.

    Returns:
        Journals to be used with ``with``, oldest first. Damaged ones are reported once and left alone.
    """
    found: list[StoredJournal] = []
    tasks = [root / task] if task else (sorted(root.iterdir()) if root.is_dir() else [])
    for folder in tasks:
        for candidate in sorted(folder.iterdir()) if folder.is_dir() else []:
            if not (candidate / "journal.json").is_file():
                continue
            if not refused and (candidate / REFUSED).is_file():
                continue
            with guard("journal.orphans"):
                journal = StoredJournal(candidate)
                if journal.acquire():
                    found.append(journal)
    found.sort(key=lambda journal: journal.identity.created)
    return found
