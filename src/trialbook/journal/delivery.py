"""Bringing frames to the server: one body after the other, from the offset that the server holds."""

import contextlib
import logging
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from trialbook.base.files import read_json, write_json
from trialbook.errors import JournalError, JournalGap, TaskNotFound
from trialbook.journal.frames import body

_log = logging.getLogger("trialbook")


@dataclass(frozen=True)
class Identity:
    """Who writes a journal; the content of ``journal.json``."""

    journal: str
    task: str
    host: str
    pid: int
    created: float
    server: str | None = None
    server_id: str | None = None
    """Which server it is meant for, whatever address leads there; None while that was not known."""
    files: str | None = None
    main: bool = True
    """False for the journals of children and of tasks that this process does not run."""
    version: int = 1

    def save(self, folder: Path) -> None:
        """Write ``journal.json``."""
        write_json(folder / "journal.json", asdict(self))

    @staticmethod
    def load(folder: Path) -> "Identity":
        """Read ``journal.json``.

        Raises:
            JournalError: there is none, or a newer version wrote it.
        """
        try:
            found = read_json(folder / "journal.json")
        except ValueError as error:
            raise JournalError(f"{folder}/journal.json is damaged: {error}") from error
        if not isinstance(found, dict):
            raise JournalError(f"{folder} has no journal.json")
        if found.get("version") != 1:
            raise JournalError(
                f"{folder} was written by a newer Trialbook (version {found.get('version')}); update"
            )
        names = Identity.__dataclass_fields__
        return Identity(**{name: value for name, value in found.items() if name in names})


@dataclass(frozen=True)
class Reply:
    """What the server answered to a body."""

    acked: int
    warnings: list[str] = field(default_factory=list)


class Transport(Protocol):
    """The way to the server, handed in by the program that has a session.

    Promises: sending and uploading may be repeated; both raise ``ConnectionFailed`` or ``ServerFault`` when trying
    again later may help and another ``TrialbookError`` when it does not.
    """

    def send(self, body: bytes) -> Reply:
        """Deliver one body to ``events.add_points``."""
        ...

    def upload(self, source: Path, url: str) -> None:
        """Store a file at its destination; when this returns it is there as a whole."""
        ...

    def reachable(self, timeout: float) -> bool:
        """Whether anything takes connections there, within ``timeout`` seconds; says nothing of its health."""
        ...


class Piece(Protocol):
    """Whole frames and the offset of the first."""

    @property
    def first(self) -> int: ...

    @property
    def data(self) -> bytes: ...


class Source(Protocol):
    """Where the frames are kept until the server has them."""

    @property
    def end(self) -> int:
        """The offset after the last frame."""
        ...

    def span(self, offset: int) -> Piece | None:
        """Frames from ``offset`` on, at most a segment; None when there are none."""
        ...

    def release(self, offset: int) -> None:
        """Everything before ``offset`` is on the server and may go."""
        ...


class Delivery:
    """Sends what a source holds, in order; knows what is acknowledged.

    Args:
        identity: names the journal in each body.
        source: the frames.
        transport: the way to the server.
        folder: where ``acked`` is kept.
    """

    def __init__(self, identity: Identity, source: Source, transport: Transport, folder: Path) -> None:
        self._identity = identity
        self._source = source
        self._transport = transport
        self._folder = folder
        self.acked = read_acked(folder)

    def step(self) -> bool:
        """Send one body.

        Returns:
            True when there may be more to send.

        Raises:
            TrialbookError: as the transport; nothing is lost.
            JournalError: the server asks for frames that are no longer here.
        """
        piece = self._source.span(self.acked)
        if piece is None:
            return False
        try:
            reply = self._send(piece.first, piece.data)
        except JournalGap as gap:
            expected = gap.data.get("expected")
            if not isinstance(expected, int) or expected >= piece.first:
                raise
            self.acked = expected
            return True
        for warning in reply.warnings:
            _log.warning("the server skipped a step of task %s: %s", self._identity.task, warning)
        if reply.acked <= self.acked:
            raise JournalError(f"the server acknowledged offset {reply.acked}, not beyond {self.acked}")
        self.acked = reply.acked
        # No fsync: advisory, the server knows better. For the same reason a disk that is full does not matter.
        with contextlib.suppress(OSError):
            (self._folder / "acked").write_bytes(self.acked.to_bytes(8, "little"))
        self._source.release(self.acked)
        return True

    def ask(self) -> None:
        """Learn how far the server is: it may have more than this host knows, when a reply was lost.

        Raises:
            TrialbookError: as the transport.
        """
        try:
            self.acked = max(self.acked, self._send(self.acked, b"").acked)
        except JournalGap as gap:
            self.acked = min(self.acked, int(gap.data.get("expected") or 0))
        except TaskNotFound:
            # It is made by this very journal, from its first frame on.
            self.acked = 0

    def _send(self, first: int, data: bytes) -> Reply:
        header: dict[str, Any] = {
            "task": self._identity.task,
            "journal": self._identity.journal,
            "first": first,
            "host": self._identity.host,
            "pid": self._identity.pid,
            "backlog": max(0, self._source.end - first - len(data)),
        }
        return self._transport.send(body(header, data))


def read_acked(folder: Path) -> int:
    """The acknowledged offset as far as this host knows."""
    try:
        return int.from_bytes((folder / "acked").read_bytes()[:8], "little")
    except FileNotFoundError:
        return 0
