"""Sending what earlier runs left on this host: at the next ``Task.init``, by ``trialbook sync``, after a close that
ran out of time.
"""

import contextlib
import logging
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from trialbook.base.retry import backoff
from trialbook.client.calls import kept
from trialbook.client.settings import Settings, load, successor_environment
from trialbook.errors import ConnectionFailed, JournalError, ServerFault, TrialbookError
from trialbook.journal.delivery import Identity, Transport
from trialbook.journal.frames import Kind
from trialbook.journal.lock import holder
from trialbook.journal.replay import REFUSED, StoredJournal, orphans, remove
from trialbook.journal.sync import Recovery, has_final_status, sync_all
from trialbook.sdk.accounts import storage_settings
from trialbook.sdk.offline.sessions import settle
from trialbook.sdk.servers import connection as connections
from trialbook.sdk.servers import private_server
from trialbook.sdk.servers.connection import Connection
from trialbook.sdk.servers.nowhere import DATASET_NOTE

_log = logging.getLogger("trialbook")
_SUCCESSOR_SECONDS = 6 * 3600.0
_ACCOUNTS = "--accounts-from-stdin"
_FINAL = frozenset({"tasks.completed", "tasks.failed", "tasks.stopped", "tasks.closed"})


def recover(
    settings: Settings,
    connection: Connection | None = None,
    task: str | None = None,
    skip: str = "",
    timeout: float = 3600.0,
    anyones: bool = False,
) -> list[Recovery]:
    """Send journals whose process is gone, each to the server that it is meant for.

    Args:
        settings: of this process.
        connection: to the server. None opens one when there is something to send to it, and sends also what was
            recorded without any server: a person asked for it.
        task: only of this task; None means all.
        skip: never of this task.
        timeout: seconds for all of them.
        anyones: also what is meant for another server.

    Returns:
        One entry per journal that was tried; what is meant for another server is not among them.

    Raises:
        ConnectionFailed: the server is away.
        BadCredentials: the key is wrong.
    """
    asked = connection is None
    if connection is None:
        if not any(
            anyones or _maybe(settings, left.identity) for left in waiting(settings, task) if not left.held
        ):
            return []
        opened = connections.connect(settings)
        opened.session.token()
        for root in _roots(settings):
            settle(root, opened, task, anyones)
    else:
        opened = connection

    def way(identity: Identity) -> Transport | None:
        if identity.task == skip or _session_of(settings, identity) is not None:
            return None
        # An offline run belongs to whoever sends it on purpose.
        if not identity.server and not asked:
            return None
        return opened.transport if anyones or meant(identity, opened) else None

    def ended(journal: StoredJournal) -> None:
        close_killed(journal, opened)

    done = [
        recovered
        for root in _roots(settings)
        # What a server has refused is tried again only when a person asks for it.
        for recovered in sync_all(root, way, task, timeout, ended, refused=asked)
    ]
    sent = sum(1 for recovered in done if recovered.complete)
    if sent:
        _log.info("reports of %d earlier process(es) were sent", sent)
    return done


def _roots(settings: Settings) -> list[Path]:
    """Where journals may be; a folder for everybody's temporary files counts only when it is the user's own."""
    spare = settings.spare_journals
    mine = spare.is_dir() and (not hasattr(os, "getuid") or spare.parent.stat().st_uid == os.getuid())
    return [settings.journals, spare] if mine else [settings.journals]


def discard(settings: Settings, task: str) -> int:
    """Remove the reports of a task that a server has refused.

    Args:
        settings: of this process.
        task: its id.

    Returns:
        How many journals are gone; those that no server has refused stay.
    """
    gone = 0
    for root in _roots(settings):
        for journal in orphans(root, task):
            with journal:
                if (journal.folder / REFUSED).is_file():
                    remove(journal.folder)
                    gone += 1
    return gone


@dataclass(frozen=True)
class Waiting:
    """A journal on this host.

    Attributes:
        identity: who wrote it, and for which server.
        held: True while a process has it: the program that writes it, or one that sends it.
        pid: of that process; 0 when it is not known.
        session: the folder of a version of a dataset that was made offline: an import brings it, with its files.
    """

    identity: Identity
    held: bool
    pid: int = 0
    session: Path | None = None


def waiting(settings: Settings, task: str | None = None) -> list[Waiting]:
    """What is kept on this host, oldest first.

    Args:
        settings: of this process.
        task: only of this task; None means all.
    """
    found = []
    for root in _roots(settings):
        for path in sorted(root.glob(f"{task or '*'}/*/journal.json")):
            # It may be sent, and gone, at any moment.
            with contextlib.suppress(JournalError, OSError):
                pid = holder(path.parent / "lock")
                identity = Identity.load(path.parent)
                found.append(Waiting(identity, pid is not None, pid or 0, _session_of(settings, identity)))
    return sorted(found, key=lambda one: one.identity.created)


def _session_of(settings: Settings, identity: Identity) -> Path | None:
    folders = (root / identity.task for root in _roots(settings))
    return next((folder for folder in folders if (folder / DATASET_NOTE).exists()), None)


def meant(identity: Identity, connection: Connection) -> bool:
    """Whether a journal's server is the one of a connection. A run that had no server fits every one.

    Raises:
        ConnectionFailed: the server is away.
    """
    settings = connection.settings
    if not identity.server:
        return True
    here = connection.session.server()
    if identity.server_id and here:
        return identity.server_id == here
    files = identity.files or f"{identity.server}/files"
    return identity.server == settings.api_host or connection.files.owns(files)


def _maybe(settings: Settings, identity: Identity) -> bool:
    """Whether it is worth to ask the server of the settings; the private one is not started for others."""
    return bool(settings.api_host) or not identity.server or private_server.had(settings, identity.server)


def close_killed(journal: StoredJournal, connection: Connection) -> None:
    """Give a killed run its final status, unless it wrote one, or somebody changed the task since."""
    if not journal.identity.main or has_final_status(journal, _FINAL):
        return
    try:
        document = connection.session.api.tasks.get_by_id({"task": journal.identity.task})["task"]
    except (ConnectionFailed, ServerFault):
        raise
    except TrialbookError:
        # Made by the journal itself: it has never been on the server.
        document = {"status": "in_progress"}
    if document.get("status") != "in_progress":
        return
    journal.append(
        Kind.CALL,
        kept(
            lambda changes: changes.tasks.stopped(
                {
                    "task": journal.identity.task,
                    "force": True,
                    "status_reason": "Process lost",
                    "status_message": f"Process {journal.identity.pid} on {journal.identity.host} ended without "
                    "closing the task; its reports were recovered",
                }
            )
        ),
    )


def sync_in_background(task: str, settings: Settings, log: Path) -> int:
    """Start a process of its own that sends what is left of a task, for as long as that takes (six hours at most).

    Args:
        task: its id.
        settings: of this process; what was set in memory only is handed on.
        log: file for its messages.

    Returns:
        The id of the process.
    """
    accounts = storage_settings.given()
    with _log_file(log) as output:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "trialbook.sdk.offline.recovery",
                task,
                *([_ACCOUNTS] if accounts else []),
            ],
            stdin=subprocess.PIPE if accounts else subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=successor_environment(settings),
            start_new_session=True,
        )
    if process.stdin is not None and accounts:
        # Through a pipe: keys belong neither on the disk nor into an environment or a command line that others see.
        with process.stdin as pipe:
            pipe.write(accounts)
    # It outlives this process on purpose; without this, the interpreter would warn about a child that still runs.
    process.returncode = 0
    return process.pid


def _log_file(log: Path) -> IO[bytes]:
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        return open(log, "ab", opener=lambda path, flags: os.open(path, flags, 0o600))
    except OSError:
        # A disk without room for a log must not keep the reports here.
        return Path(os.devnull).open("wb")


def main(arguments: list[str]) -> int:
    """``python -m trialbook.sdk.offline.recovery [TASK]``: what a closing process leaves to its successor."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    settings = load()
    if _ACCOUNTS in arguments:
        arguments.remove(_ACCOUNTS)
        storage_settings.take_over(sys.stdin.buffer.read())
    task = arguments[0] if arguments else None
    problem = ""
    for wait in backoff(1.0, longest=30.0, deadline=time.monotonic() + _SUCCESSOR_SECONDS):
        try:
            done = recover(settings, task=task)
        except (ConnectionFailed, ServerFault) as error:
            problem = str(error)
        except TrialbookError as error:
            _log.error("%s", error)
            return 1
        else:
            refused = [recovered.error for recovered in done if recovered.error]
            if refused or all(recovered.complete for recovered in done):
                _log.info("task %s: %d journal(s), %s", task, len(done), "; ".join(refused) or "all sent")
                return 1 if refused else 0
            problem = "the server did not take all of it"
        _log.info("task %s: %s; trying again in %.0f s", task, problem, wait)
        time.sleep(wait)
    _log.error(
        "task %s: given up for now (%s); the next Task.init or `trialbook sync` continues", task, problem
    )
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
