"""Recording the code of a notebook while its cells run."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trialbook.base.files import write_atomic
from trialbook.base.guard import guard
from trialbook.capture import notebook, secrets
from trialbook.capture.exits import COMPLETED, Outcome, uncaught
from trialbook.client import settings
from trialbook.sdk.record import Record
from trialbook.sdk.task.sources import code

_STOP_SECONDS = 10.0


def name() -> str:
    """The notebook's name; empty in a script, or when nobody tells it."""
    running = notebook.shell()
    return notebook.notebook_name(running, settings.notebook_session()) if running is not None else ""


class NotebookCode:
    """Keeps the task's code up to date: after each cell, in a thread of its own.

    Args:
        record: of the task.
        running: the shell.
        console: called before each cell.
        ended: gets the outcome that the notebook would have if it ended after the cell that ran.
    """

    def __init__(
        self, record: Record, running: Any, console: Callable[[], None], ended: Callable[[Outcome], None]
    ) -> None:
        self._record = record
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._cells = notebook.Cells(running, self._ran)
        self._shell = running
        self._console = console
        self._ended = ended
        self._thread = threading.Thread(target=self._run, name="trialbook-notebook", daemon=True)
        self._sent = ""

    def start(self) -> None:
        """Begin, with the cells that have run already."""
        self._cells.start()
        self._shell.events.register("pre_run_cell", self._before)
        self._wake.set()
        self._thread.start()

    def stop(self) -> None:
        """Record the last state and end."""
        self._cells.stop()
        self._shell.events.unregister("pre_run_cell", self._before)
        self._stop.set()
        self._wake.set()
        self._thread.join(_STOP_SECONDS)

    def _before(self, info: Any) -> None:
        self._console()

    def _ran(self, error: BaseException | None) -> None:
        self._ended(COMPLETED if error is None else uncaught(type(error), error))
        self._wake.set()

    def _run(self) -> None:
        ending = False
        while not ending:
            self._wake.wait()
            self._wake.clear()
            # Asked before the update: a cell that ran while an update was under way still gets its own.
            ending = self._stop.is_set()
            with guard("task.notebook"):
                self._update()

    def _update(self) -> None:
        text = self._cells.text()
        if text == self._sent:
            return
        self._sent = text
        folder: Path = self._record.settings.own_cache(self._record.id)
        script = folder / f"{name() or 'notebook'}.py"
        write_atomic(script, text.encode("utf-8", "replace"))
        code.put(
            self._record,
            {
                "diff": secrets.masked_text(text),
                "entry_point": script.name,
                "working_dir": ".",
                "requirements": code.requirements(self._record, script, None),
            },
        )
