"""Recovery: sending what earlier processes left on this host."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from trialbook.base.files import write_json
from trialbook.errors import ServerFault, TaskRace, TrialbookError, Unauthorized, WireError
from trialbook.journal.delivery import Identity, Transport
from trialbook.journal.frames import Kind
from trialbook.journal.replay import REFUSED, StoredJournal, orphans

_log = logging.getLogger("trialbook")
SET_ASIDE = (
    "the server does not take reports of task %s: %s. They are set aside on this host, and this is said once; "
    "`trialbook sync` tries again, `trialbook sync --discard %s` removes them."
)


@dataclass(frozen=True)
class Recovery:
    """What became of one journal.

    Attributes:
        identity: who wrote it.
        complete: True when the server has everything.
        bytes: how many bytes of frames were waiting.
        error: why it could not be sent, when the server refused it.
        refused: True when another try would hear the same.
    """

    identity: Identity
    complete: bool
    bytes: int
    error: str | None = None
    refused: bool = False


def sync_all(
    root: Path,
    connect: Callable[[Identity], Transport | None],
    task: str | None = None,
    timeout: float = 3600.0,
    ended: Callable[[StoredJournal], None] | None = None,
    refused: bool = True,
) -> list[Recovery]:
    """Send the journals whose process is gone.

    Args:
        root: the journal folder of this host.
        connect: the way to the server that a journal names; None skips the journal.
        task: only journals of this task; None means all.
        timeout: seconds for all of them together.
        ended: called with each journal before it is sent; may append the final status that a killed process
            could not write.
        refused: try those again that a server has refused before.

    Returns:
        One entry per journal that was tried.
    """
    deadline = time.monotonic() + timeout
    done: list[Recovery] = []
    for journal in orphans(root, task, refused):
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
                again = (journal.folder / REFUSED).is_file()
                if for_good(error):
                    write_json(journal.folder / REFUSED, {"error": str(error), "time": time.time()})
                    if not again:
                        _log.warning(SET_ASIDE, journal.identity.task, error, journal.identity.task)
                else:
                    _log.warning("%s was not sent: %s", journal.folder, error)
                done.append(Recovery(journal.identity, False, waiting, str(error), for_good(error)))
                continue
            done.append(Recovery(journal.identity, complete, waiting))
    return done


def for_good(error: TrialbookError) -> bool:
    """Whether the server has said no: another try at the same state of things would hear the same."""
    return isinstance(error, WireError) and not isinstance(error, (ServerFault, Unauthorized, TaskRace))


def has_final_status(journal: StoredJournal, methods: frozenset[str]) -> bool:
    """True when one of the frames that are left is a CALL of one of ``methods``."""
    wanted = [f'"method":"{method}"'.encode() for method in methods]
    return any(
        frame.kind == Kind.CALL and any(mark in frame.payload for mark in wanted)
        for frame in journal.frames()
    )
