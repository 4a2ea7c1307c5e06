"""A task as this process knows it: its document, how it changes, and its journal."""

import atexit
import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from trialbook.base.guard import guard
from trialbook.base.ids import new_id
from trialbook.client.calls import nouns
from trialbook.client.settings import Settings
from trialbook.errors import ConnectionFailed, JournalError, UsageError
from trialbook.sdk.servers import known_servers
from trialbook.sdk.servers.connection import Connection
from trialbook.sdk.servers.nowhere import NOWHERE

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from trialbook.client.api import Artifact, Calls, Changes, EditTaskFields

    # The journal comes with the first report.
    from trialbook.journal.delivery import Identity
    from trialbook.journal.journal import Journal

_FLUSH_SECONDS = 10.0
_EDITABLE = ("created", "in_progress")
REPLACES = "replaces"
"""In the runtime of a task: id of the archived one that has its earlier run."""


_reporting: "set[Record]" = set()


def _close_left() -> None:
    """Reports to tasks that this process does not run are sent before it ends."""
    for record in list(_reporting):
        if not record.main:
            with guard("record.exit"):
                record.close(record.settings.close_timeout)


atexit.register(_close_left)


def of_this_process(task: str) -> "list[Record]":
    """The records of a task through which this process reports."""
    return [record for record in list(_reporting) if record.id == task]


def settle() -> None:
    """Wait until the server has what this process reported so far: who asks it next sees it."""
    for record in list(_reporting):
        if record.connection is not None:
            record.settle()


class Record:
    """The document of one task and the two ways to change it.

    A task that this process runs (``own``) is changed here first and on the server through the journal, in order
    with its reports. Any other task is changed on the server at once.

    Args:
        document: as ``tasks.get_by_id`` answers it.
        connection: None when this process works offline.
        settings: of the process.
        own: whether this process runs the task.
    """

    def __init__(
        self, document: dict[str, Any], connection: Connection | None, settings: Settings, own: bool = False
    ) -> None:
        self.document = document
        self.connection = connection
        self.settings = settings
        self.own = own
        self.main = False
        self.offset = 0
        """Added to each reported iteration: of a continued run, or as the program says."""
        self.project_name: str | None = None
        self.on_weights: Callable[[Path, Any], Sequence[Any]] | None = None
        """Told of each file that a model of the task takes its weights from, with that model; answers the models that
        libraries have made of it, which are withdrawn."""
        self.lock = threading.RLock()
        self.storing: dict[str, Artifact] = {}
        """Artifacts that this process stores, by name: other handles of the task see them before the server does."""
        self._journal: Journal | None = None
        self._closed = False

    @property
    def id(self) -> str:
        """The task's id."""
        return str(self.document["id"])

    @property
    def journal(self) -> "Journal":
        """The journal of this process for the task; opened at the first report."""
        if self._journal is None:
            with self.lock:
                if self._journal is None:
                    self._journal = self._open()
                    _reporting.add(self)
        return self._journal

    def _open(self) -> "Journal":
        from trialbook.journal.journal import Journal

        settings = self.settings
        try:
            return Journal(
                settings.journals,
                self.identity(),
                self.connection.transport if self.connection else None,
                settings.journal_budget,
                settings.spare_journals,
            )
        except OSError as error:
            raise JournalError(
                f"reports can be kept neither in {settings.journals} nor in {settings.spare_journals} ({error}). Make "
                "room there, or name another folder: TRIALBOOK_CACHE_DIR (sdk.storage.cache.default_base_dir)."
            ) from error

    @property
    def has_journal(self) -> bool:
        """Whether anything was reported in this process."""
        return self._journal is not None

    def identity(self) -> "Identity":
        """What ``journal.json`` says of a new journal."""
        from trialbook.journal.delivery import Identity

        connection = self.connection
        return Identity(
            journal=new_id(),
            task=self.id,
            host=self.settings.worker or socket.gethostname(),
            pid=os.getpid(),
            created=time.time(),
            server=connection.settings.api_host if connection else self.settings.api_host or None,
            server_id=self._server_id(),
            files=connection.settings.files_host if connection else self.settings.files_host or None,
            main=self.main,
        )

    def _server_id(self) -> str | None:
        """Which server the reports are meant for: as it said now, or when it was last here."""
        connection = self.connection
        address = connection.settings.api_host if connection else self.settings.api_host
        told = connection.session.known_server if connection else ""
        if told:
            known_servers.remember(self.settings.own_cache(), address, told)
        return told or (known_servers.recall(self.settings.cache_dir, address) if address else "") or None

    @property
    def api(self) -> "Calls":
        """The methods of the server, run at once.

        Raises:
            ConnectionFailed: by each of them: offline, or the server is away.
        """
        calls: Calls = nouns(self._call)
        return calls

    @property
    def later(self) -> "Changes":
        """The methods that change something, run by the journal in order with the reports."""
        changes: Changes = nouns(lambda method, params: self.journal.call(method, params))
        return changes

    @property
    def changes(self) -> "Changes":
        """The methods that change something: run in order with the task's reports when this process runs it, else at
        once."""
        changes: Changes = nouns(self._change)
        return changes

    @property
    def moves(self) -> "Calls":
        """The methods of the server, run after what was reported so far has arrived; offline the journal keeps what is
        asked, and the answer is None."""
        calls: Calls = nouns(self._call_or_keep)
        return calls

    def _call(self, method: str, params: dict[str, Any], **how: Any) -> Any:
        return self.require_connection(method).session.call(method, params, **how)

    def _change(self, method: str, params: dict[str, Any]) -> None:
        if self.own and not self._closed:
            self.journal.call(method, params)
        else:
            self._call(method, params)

    def _call_or_keep(self, method: str, params: dict[str, Any]) -> Any:
        if self.connection is None:
            return self.journal.call(method, params)
        self.flush()
        return self._call(method, params)

    def require_connection(self, what: str) -> Connection:
        """The connection.

        Raises:
            ConnectionFailed: this process works offline.
        """
        if self.connection is None:
            raise ConnectionFailed(
                f"{what} needs the server, and this process works offline (Task.set_offline, TRIALBOOK_OFFLINE_MODE)."
            )
        return self.connection

    def edit(self, **fields: "Unpack[EditTaskFields]") -> None:
        """``tasks.edit``, here and on the server."""
        with self.lock:
            self.document.update(fields)
            self.changes.tasks.edit({"task": self.id, "force": True, **fields})

    def flush(self, timeout: float = _FLUSH_SECONDS) -> bool:
        """Wait until the server has what was reported so far; True when it has."""
        return self._journal.flush(timeout) if self._journal is not None and not self._closed else True

    def settle(self) -> bool:
        """As ``flush``, but a server that is away is not waited for: the question that follows finds out by itself."""
        if self._journal is None or self._closed:
            return True
        return self._journal.flush(_FLUSH_SECONDS, patient=False)

    def fresh(self) -> dict[str, Any]:
        """The document after a reload; offline, the local one."""
        self.reload()
        return self.document

    def reload(self) -> None:
        """Read the document from the server, after what was reported so far has arrived."""
        if self.connection is None:
            return
        self.flush()
        for other in of_this_process(self.id):
            if other is not self:
                other.settle()
        document = self.api.tasks.get_by_id({"task": self.id})["task"]
        with self.lock:
            self.document = document

    def renew(self) -> None:
        """Begin a new journal with the next report; for when the server has forgotten the old one."""
        with self.lock:
            journal, self._journal, self._closed = self._journal, None, False
        if journal is not None:
            journal.close(_FLUSH_SECONDS)

    def project(self) -> str:
        """The full path of the task's project; empty when it has none."""
        if self.project_name is None:
            known = self.document.get("project_name")
            project = self.document.get("project")
            if not project and known:
                self.project_name = str(known)
            elif project and self.connection is not None:
                found = self.api.projects.get_by_id({"project": project})["project"]
                self.project_name = str(found["name"])
        return self.project_name or ""

    def place(self) -> tuple[str, str, str]:
        """Where files of the task go: address, project and name."""
        settings = self.connection.settings if self.connection else self.settings
        return settings.files_host or NOWHERE, self.project(), str(self.document.get("name") or "")

    @property
    def editable(self) -> bool:
        """Whether content may change: the task is a draft or runs, as far as this object knows."""
        return str(self.document.get("status") or "created") in _EDITABLE

    def require_editable(self, what: str) -> None:
        """Content may change only while the task is a draft or runs.

        Raises:
            UsageError: it has ended.
        """
        if not self.editable:
            raise UsageError(
                f"{what} of task {self.id} cannot change: it is {self.document.get('status')}. "
                "Clone it with Task.clone() and edit the copy."
            )

    def require_unpublished(self, what: str) -> None:
        """Results may also come after the end of a run; what is published stays as it is.

        Raises:
            UsageError: it is published.
        """
        if self.document.get("status") in ("published", "publishing"):
            raise UsageError(
                f"{what} of task {self.id} cannot change: it is published. "
                "Clone it with Task.clone() and edit the copy."
            )

    def set_runtime(self, **values: Any) -> None:
        """Change some facts about the run."""
        self.edit(runtime={**(self.document.get("runtime") or {}), **values})

    def close(self, timeout: float) -> bool:
        """Close the journal; True when nothing stays on this host."""
        _reporting.discard(self)
        # From here on it is a task like any other: changes go to the server at once, reports are refused.
        self._closed = True
        return self._journal.close(timeout) if self._journal is not None else True


class Recorded(Protocol):
    """Who hangs on a record: a task."""

    _record: Record


def record_of(task: Recorded) -> Record:
    """The record of a task, for the rooms beside ``sdk/task``; for a program it is none of the task's members."""
    return task._record
