"""What surrounds a main task while it runs: console, exit, the server's wishes, recovery of earlier runs."""

import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from trialbook.base.guard import guard, guarded
from trialbook.capture import secrets
from trialbook.capture.command_lines import lines
from trialbook.capture.command_lines.lines import jobs
from trialbook.capture.exits import COMPLETED, ExitWatch, Outcome
from trialbook.capture.streams import ConsoleCapture
from trialbook.client import settings
from trialbook.errors import TrialbookError
from trialbook.journal.frames import Stream
from trialbook.sdk.offline import recovery
from trialbook.sdk.process import spawned
from trialbook.sdk.record import Record
from trialbook.sdk.task.frameworks import Frameworks
from trialbook.wire.states import ENDED

if TYPE_CHECKING:
    from trialbook.client.api import Completed, GetAllTasks

_log = logging.getLogger("trialbook")
_POLL_SECONDS = 3.0
_PING_SECONDS = 30.0
_NOT_RUNNING = frozenset({*ENDED.difference({"completed"}), "queued", "created"})
"""What somebody else made of the task while it runs here: only this process completes it."""


class Monitor(Protocol):
    """What watches the machine during a run."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


class Run:
    """Everything that ``Task.init`` switches on and ``Task.close`` switches off.

    Args:
        record: of the main task.
        remote: an agent runs this process: it sets the final status, not we.
        attached: another process owns the task.
        close: ends the task with an outcome; called at exit.
    """

    def __init__(
        self, record: Record, remote: bool, attached: bool, close: Callable[[Outcome], None]
    ) -> None:
        self.record = record
        self.remote = remote
        self.attached = attached
        self.aborted: str | None = None
        self.keep_status = False
        self.described = threading.Event()
        self.monitor: Monitor | None = None
        self.notebook: Monitor | None = None
        self.frameworks: Frameworks | None = None
        self.on_abort: tuple[Callable[[], Any] | None, float] = (None, 0.0)
        self._pid = os.getpid()
        self._close = close
        self._in_job = jobs.number is not None
        self._exits = ExitWatch(close, self._in_child, self._send_files)
        self._console: ConsoleCapture | None = None
        self._workers: spawned.Workers | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._started = time.monotonic()

    @property
    def ours(self) -> bool:
        """False in a forked child, which must not close the parent's task."""
        return os.getpid() == self._pid

    def begin(self, streams: bool | Mapping[str, bool], background: list[Callable[[], None]]) -> None:
        """Switch on.

        Args:
            streams: the ``auto_connect_streams`` of ``Task.init``.
            background: slow work to do in a thread after the start.
        """
        wanted = {"stdout": bool(streams), "stderr": bool(streams), "logging": False}
        if isinstance(streams, Mapping):
            wanted = {name: bool(streams.get(name, False)) for name in wanted}
        spawned.leave()
        if any(wanted.values()) and settings.console_is_shipped():
            self._workers = spawned.Workers(self.record.id, wanted, self.record.connection is None)
            self._console = ConsoleCapture(self._line, wanted["stdout"], wanted["stderr"], wanted["logging"])
            self._console.install()
        self._exits.install()
        if self._in_job and not self.record.settings.task_id:
            jobs.ended = self._job_ended
        if not self.attached:
            settings.announce_master(self.record.id)
        if self.monitor is not None:
            self.monitor.start()
        if self.notebook is not None:
            self.notebook.start()
        self._thread = threading.Thread(
            target=self._watch, args=(background,), name="trialbook-watch", daemon=True
        )
        self._thread.start()

    def end(self) -> None:
        """Switch off; nothing of this process is watched any more."""
        self._stop.set()
        if self.monitor is not None:
            with guard("monitor.stop"):
                self.monitor.stop()
        if self.notebook is not None:
            with guard("notebook.stop"):
                self.notebook.stop()
        if self.frameworks is not None:
            with guard("frameworks.end"):
                self.frameworks.end()
        if self._workers is not None:
            self._workers.end()
            self._workers = None
        if self._console is not None:
            self._console.remove()
            self._console = None
        self._exits.remove()
        jobs.ended = None
        lines.forget()
        if not self.attached:
            settings.announce_master(None)

    def watched_streams(self) -> list[Any]:
        """The streams whose text reaches the task's console."""
        return self._console.streams() if self._console is not None else []

    def watch_on(self) -> None:
        """Before a cell of a notebook."""
        if self._console is not None:
            self._console.again()

    def would_end(self, outcome: Outcome) -> None:
        """A notebook goes on after an error in a cell; when it does not, this is how it ended."""
        self._exits.outcome = outcome

    def flush_console(self) -> None:
        """Report a console line that has no end yet."""
        if self._console is not None:
            self._console.flush()

    def _line(self, text: str, level: int, stream: int) -> None:
        self.record.journal.text(secrets.masked_output(text), level, Stream(stream))

    def _job_ended(self, error: BaseException | None) -> None:
        """A run that a job of a sweep began ends with it; one that was there before goes on."""
        outcome = COMPLETED
        if error is not None:
            # It is raised after the last job, when this run has ended: its console would not have it.
            self._line("".join(traceback.format_exception(error)), logging.ERROR, Stream.REPORT)
            outcome = Outcome(
                "failed", f"Exception {error}"[:1000], f"{type(error).__name__}: {error}"[:4000]
            )
        self._close(outcome)

    @guarded("task.files", None)
    def _send_files(self) -> None:
        """The process ends. What it has cleaned up at its exit, such as a temporary folder, is gone when the task ends:
        files are sent before."""
        journal = self.record.journal if self.ours and self.record.has_journal else None
        if journal is not None and journal.online and not journal.away and journal.has_uploads:
            journal.flush(self.record.settings.close_timeout, uploads=True, patient=False)

    def _in_child(self) -> None:
        """A forked child ends: its own reports are sent, the task goes on."""
        self.flush_console()
        self.record.close(self.record.settings.close_timeout)

    def _watch(self, background: list[Callable[[], None]]) -> None:
        try:
            for work in background:
                if self._stop.is_set():
                    return
                with guard("task.background"):
                    work()
        finally:
            self.described.set()
        if self._stop.wait(0.5):
            return
        connection = self.record.connection
        if connection is None:
            return
        # What could not be sent now is sent by the next run; a server that is away is told by this run's own reports.
        with guard("task.recovery"), suppress(TrialbookError):
            recovery.recover(connection.settings, connection, skip=self.record.id)
        pinged = time.monotonic()
        while not self._stop.wait(_POLL_SECONDS):
            if self.remote or self.attached:
                continue
            with guard("task.watch"):
                self._ask()
                if time.monotonic() - pinged >= _PING_SECONDS:
                    pinged = time.monotonic()
                    self._ping()

    def _ping(self) -> None:
        """A sign of life; that the server does not know the task yet is not news."""
        with suppress(TrialbookError):
            self.record.api.tasks.ping({"task": self.record.id}, patience=1.0)

    def _ask(self) -> None:
        """Whether the page, or another program, wants this run to stop."""
        if self.record.has_journal and self.record.journal.refused:
            return
        ask: GetAllTasks = {
            "id": [self.record.id],
            "only_fields": ["status", "status_message", "status_reason", "project"],
            "search_hidden": True,
        }
        try:
            found = self.record.api.tasks.get_all(ask, patience=1.0).get("tasks") or []
        except TrialbookError:
            # The task may not be there yet, or the key be withdrawn: the shipper says what concerns the user.
            return
        if not found or self._stop.is_set():
            return
        with self.record.lock:
            # A task that began without the server learns here where it is.
            self.record.document.setdefault("project", found[0].get("project"))
        status = str(found[0].get("status"))
        message = str(found[0].get("status_message") or "")
        stopping = status == "in_progress" and "stopping" in message
        if not stopping and (status not in _NOT_RUNNING or self.record.document.get("status") == status):
            return
        if status == "created" and not self._arrived():
            return
        self.aborted = "abort request" if stopping else f"the task was set to {status}"
        self.keep_status = not stopping
        self._terminate()

    def _arrived(self) -> bool:
        return bool(self.record.document.get("project")) and time.monotonic() - self._started > 10.0

    def _terminate(self) -> None:
        _log.warning("task %s: %s; this process ends", self.record.id, self.aborted)
        self._stop.set()
        self._tell()
        os.kill(os.getpid(), signal.SIGTERM)

    def _tell(self) -> None:
        """Let the program save what it wants to save, as long as it has asked for."""
        callback, seconds = self.on_abort
        if callback is None:
            return
        told = threading.Thread(
            target=guarded("task.abort", None)(callback), name="trialbook-abort", daemon=True
        )
        told.start()
        told.join(seconds)


def default_name() -> str:
    """The script's file name, for a task without a name."""
    main = sys.modules.get("__main__")
    path = getattr(main, "__file__", None) or (sys.argv[0] if sys.argv else "")
    return Path(path).stem or "interactive"


def finish_status(record: Record, outcome: Outcome, publish: bool = False) -> None:
    """Write the final status, after everything that was reported."""
    ask: Completed = {
        "task": record.id,
        "force": True,
        "status_reason": outcome.reason,
        "status_message": outcome.message,
    }
    tasks = record.later.tasks
    with guard("task.status"):
        if outcome.status == "completed":
            if publish:
                ask["publish"] = True
            tasks.completed(ask)
        elif outcome.status == "failed":
            tasks.failed(ask)
        else:
            tasks.stopped(ask)
        record.document["status"] = outcome.status
