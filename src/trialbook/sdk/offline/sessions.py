"""Bringing an offline run to a server: as a new task, with its files, from its folder or a zip of it.

Sessions of the clearml SDK are read by ``foreign_session``.
"""

import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trialbook.base.files import read_json, write_json
from trialbook.base.ids import is_id, new_id
from trialbook.base.own_address import OFFER
from trialbook.client.calls import kept
from trialbook.errors import ConnectionFailed, UsageError
from trialbook.journal.delivery import Identity, read_acked
from trialbook.journal.frames import (
    SEGMENT_HEADER,
    SEGMENT_MAGIC,
    SEGMENT_VERSION,
    Frame,
    Kind,
    encode,
    encode_json,
    frames,
    gap,
)
from trialbook.journal.replay import StoredJournal, orphans, read_stream
from trialbook.sdk.offline import foreign_session
from trialbook.sdk.servers.connection import Connection
from trialbook.sdk.servers.nowhere import DATASET_NOTE, NO_SERVER, NOWHERE
from trialbook.sdk.storage import unpack

if TYPE_CHECKING:
    from trialbook.client.api import ChangeStatus

_SECONDS = 24 * 3600.0
_ENDS = frozenset({"tasks.completed", "tasks.failed", "tasks.stopped", "tasks.closed"})
_JSON = frozenset({Kind.EVENT, Kind.CALL, Kind.LOSS})


def import_session(path: Path, connection: Connection) -> str:
    """Send a session as a new task.

    Args:
        path: the folder of the session, or a zip of it, of Trialbook or of the clearml SDK; it is only read.
        connection: to the server.

    Returns:
        The id of the new task.

    Raises:
        UsageError: there is no session there, it is still written, or it is cut short.
        ConnectionFailed: the server went away; importing again makes another task.
    """
    import zipfile

    if not path.exists():
        raise UsageError(f"there is no offline session at {path}")
    with tempfile.TemporaryDirectory(prefix="trialbook-import-") as name:
        folder = path
        if path.is_file():
            folder = Path(name) / "unpacked"
            folder.mkdir()
            try:
                unpack(path if path.suffix.lower() == ".zip" else _as_zip(path, Path(name)), folder)
            except (zipfile.BadZipFile, EOFError, OSError) as error:
                raise UsageError(
                    f"{path} is not a zip of an offline session, or cut short: {error}"
                ) from error
        root = Path(name) / "journals"
        foreign = foreign_session.find(folder)
        if foreign is not None:
            journals = [StoredJournal(foreign_session.convert(foreign, root, connection.settings, path))]
        else:
            # All are copied before the first is sent: a session that is cut short is found out in time.
            journals = list(_Session(_journals(folder, path), connection).copies(root))
        task = journals[0].identity.task
        for journal in journals:
            with journal:
                if not journal.acquire() or not journal.ship(
                    connection.transport, time.monotonic() + _SECONDS
                ):
                    raise ConnectionFailed(
                        f"the server went away while {path} was imported; task {task} is incomplete. "
                        "Import the session again, which makes another task."
                    )
        return task


def _as_zip(path: Path, folder: Path) -> Path:
    """The archive under a name that says what it is."""
    target = folder / "session.zip"
    shutil.copyfile(path, target)
    return target


def _journals(folder: Path, path: Path) -> list[StoredJournal]:
    """The journals of the session, the main one first."""
    found = [StoredJournal(note.parent) for note in sorted(folder.glob("**/journal.json"))]
    if not found:
        raise UsageError(f"{path} does not hold an offline session (no journal.json, no task.json)")
    if len({journal.identity.task for journal in found}) > 1:
        raise UsageError(f"{path} holds the sessions of several tasks; name the folder of one")
    for journal in found:
        if not journal.acquire():
            raise UsageError(f"the run in {path} is still running; close it first")
        with journal:
            first = min((stored.first for stored in read_stream(journal.folder)), default=0)
        if first:
            raise UsageError(
                f"a part of the run in {path} is on a server already; `trialbook sync` sends the rest of it"
            )
    return sorted(found, key=lambda journal: (not journal.identity.main, journal.identity.created))


def settle(root: Path, connection: Connection, task: str | None = None, anyones: bool = False) -> None:
    """Give the files of runs that never had a server their address on one, before they are sent.

    Args:
        root: the journal folder of this host.
        connection: to the server that gets them.
        task: only of this task; None means all.
        anyones: also of runs that are meant for another server, as long as that has nothing of them.
    """
    for orphan in orphans(root, task):
        with orphan:
            identity = orphan.identity
            if (root / identity.task / DATASET_NOTE).exists():
                continue
            if read_acked(orphan.folder) or ((identity.server or identity.files) and not anyones):
                continue
            names = _addresses(identity, connection)
            target = orphan.folder.with_name(f"{orphan.folder.name}-settled")
            with tempfile.TemporaryDirectory(prefix=".settle-", dir=root) as folder:
                made = Path(folder) / "journal"
                settled = replace(identity, files=connection.settings.files_host)
                if anyones:
                    api = connection.settings.api_host
                    settled = replace(settled, server=api, server_id=connection.session.known_server or None)
                # The same journal: a crash right after the rename makes the same copy again, and nothing comes twice.
                _copy(orphan, made, settled, names, target)
                shutil.rmtree(target, ignore_errors=True)
                made.rename(target)
            shutil.rmtree(orphan.folder, ignore_errors=True)


def _addresses(identity: Identity, connection: Connection) -> dict[str, str]:
    """The addresses in a journal that are those of its server, and what they are at the one that gets it."""
    settings = connection.settings
    return {
        identity.files or NOWHERE: settings.files_host,
        f"{identity.server or NO_SERVER}{OFFER}": f"{settings.api_host}{OFFER}",
    }


class _Session:
    """The journals of a session for another task: new ids, and files that belong to the real server.

    Args:
        journals: of one task.
        connection: names the server.
    """

    def __init__(self, journals: list[StoredJournal], connection: Connection) -> None:
        self._journals = journals
        self._connection = connection
        self.task = new_id()
        identity = journals[0].identity
        # What the session made gets ids of its own: it may be imported again.
        self._names: dict[str, str] = {identity.task: self.task}
        for payload in self._calls():
            made = str((payload.get("params") or {}).get("id") or "")
            if str(payload.get("method")).endswith(".create") and is_id(made):
                self._names.setdefault(made, new_id())
        self._names |= _addresses(identity, connection)

    def copies(self, target: Path) -> Iterator[StoredJournal]:
        """Written below ``target``, ready to be sent, in order."""
        settings = self._connection.settings
        for journal in self._journals:
            identity = replace(
                journal.identity,
                journal=new_id(),
                task=self.task,
                server=settings.api_host,
                server_id=self._connection.session.known_server or None,
                files=settings.files_host,
            )
            folder = target / self.task / identity.journal
            end = _lost(self.task, identity) if identity.main and not self._ended(journal) else None
            _copy(journal, folder, identity, self._names, folder, end)
            yield StoredJournal(folder)

    def _ended(self, journal: StoredJournal) -> bool:
        return any(
            frame.kind == Kind.CALL and json.loads(frame.payload).get("method") in _ENDS
            for frame in _frames(journal.folder)
        )

    def _calls(self) -> Iterator[dict[str, Any]]:
        for journal in self._journals:
            for frame in _frames(journal.folder):
                if frame.kind == Kind.CALL:
                    yield json.loads(frame.payload)
            for _, upload in journal.spool.entries():
                yield from (value for kind, value in upload.then if kind == Kind.CALL)


def _copy(
    journal: StoredJournal,
    folder: Path,
    identity: Identity,
    names: Mapping[str, str],
    final: Path,
    end: dict[str, Any] | None = None,
) -> None:
    """A journal with other names in it.

    Args:
        journal: is only read.
        folder: of the copy.
        identity: of the copy.
        names: texts and what stands in their place.
        final: where the folder will be when it is sent.
        end: a last call to add.
    """
    (folder / "spool").mkdir(parents=True)
    body = bytearray()
    for frame in _frames(journal.folder):
        if frame.kind in _JSON:
            body += encode_json(Kind(frame.kind), _renamed(json.loads(frame.payload), names))
        else:
            body += encode(Kind(frame.kind), frame.payload)
    if end is not None:
        body += encode_json(Kind.CALL, end)
    head = SEGMENT_HEADER.pack(SEGMENT_MAGIC, SEGMENT_VERSION, 0)
    (folder / "00000000.seg").write_bytes(head + bytes(body))
    spool = journal.folder / "spool"
    for note in spool.glob("*.json"):
        if not note.stem.isdigit():
            continue
        value = _renamed(read_json(note), names)
        # The path may be that of another host: the file lies beside its note.
        file = spool / Path(str(value["source"]).replace("\\", "/")).name
        if not file.is_file():
            raise UsageError(
                f"{journal.folder} lacks the file {file.name} for {value['url']}; it is cut short"
            )
        shutil.copyfile(file, folder / "spool" / file.name)
        there = str(final / "spool" / file.name)
        write_json(
            folder / "spool" / note.name, {**value, "source": there, "delete_source": True, "remove": None}
        )
    identity.save(folder)


def _frames(folder: Path) -> Iterator[Frame]:
    """The frames of a journal; a GAP where the disk has lost some."""
    reached = 0
    for stored in read_stream(folder):
        for run in stored.runs:
            while reached < run.first:
                lost = gap(reached, run.first)
                yield from frames(lost)
                reached += len(lost)
            yield from frames(run.data)
            reached = run.end


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for old, new in names.items():
            value = value.replace(old, new)
        return value
    if isinstance(value, Mapping):
        return {_renamed(key, names): _renamed(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    return value


def _lost(task: str, identity: Identity) -> dict[str, Any]:
    """The status of a run that could not write one."""
    message = f"Process {identity.pid} on {identity.host} ended without closing the task, offline"
    ask: ChangeStatus = {
        "task": task,
        "force": True,
        "status_reason": "Process lost",
        "status_message": message,
    }
    return kept(lambda changes: changes.tasks.stopped(ask))
