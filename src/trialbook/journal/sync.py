"""Recovery: sending what earlier processes left on this host."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from trialbook.errors import TrialbookError
from trialbook.journal.delivery import Identity, Transport
from trialbook.journal.frames import Kind
from trialbook.journal.replay import StoredJournal, orphans

_log = logging.getLogger("trialbook")


@dataclass(frozen=True)
class Recovery:
    """What became of one journal.

    Attributes:
        identity: who wrote it.
        complete: True when the server has everything.
        bytes: how many bytes of frames were waiting.
        error: why it could not be sent, when the server refused it.
    """

    identity: Identity
    complete: bool
    bytes: int
    error: str | None = None


def sync_all(
    root: Path,
    connect: Callable[[Identity], Transport | None],
    task: str | None = None,
    timeout: float = 3600.0,
    ended: Callable[[StoredJournal], None] | None = None,
) -> list[Recovery]:
    """Send the journals whose process is gone.

    Args:
        root: the journal folder of this host.
        connect: the way to the server that a journal names; None skips the journal.
        task: only journals of this task; None means all.
        timeout: seconds for all of them together.
        ended: called with each journal before it is sent; may append the final status that a killed process
            could not write.

    Returns:
        One entry per journal that was tried.
    """
    deadline = time.monotonic() + timeout
    done: list[Recovery] = []
    for journal in orphans(root, task):
        with journal:
            transport = connect(journal.identity)
            if transport is None:
                continue
            waiting = sum(frame.end - frame.start for frame in journal.frames())
            if journal.damaged:
                text = "%s: %d bytes are damaged on this disk; what is before and after them is sent"
                _log.warning(text, journal.folder, journal.damaged)
            try:
                if ended is not None:
                    ended(journal)
                complete = journal.ship(transport, deadline)
            except TrialbookError as error:
                _log.warning("%s was not sent: %s", journal.folder, error)
                done.append(Recovery(journal.identity, False, waiting, str(error)))
                continue
            done.append(Recovery(journal.identity, complete, waiting))
    return done


def has_final_status(journal: StoredJournal, methods: frozenset[str]) -> bool:
    """True when one of the frames that are left is a CALL of one of ``methods``."""
    wanted = [f'"method":"{method}"'.encode() for method in methods]
    return any(
        frame.kind == Kind.CALL and any(mark in frame.payload for mark in wanted)
        for frame in journal.frames()
    )
