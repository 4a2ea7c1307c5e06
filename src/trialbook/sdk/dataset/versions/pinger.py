"""A sign of life for an open dataset: a task that is silent for hours is taken for lost."""

import threading
import weakref

from trialbook.base.guard import guard
from trialbook.sdk.record import Record
from trialbook.sdk.task import Task

_PERIOD = 120.0


class Pinger:
    """Pings until it is stopped, or the task object is no longer used.

    Args:
        task: of the dataset.
        record: of that task.
    """

    def __init__(self, task: Task, record: Record) -> None:
        self._stop = threading.Event()
        # The thread holds no reference to the task: a forgotten dataset goes silent.
        weakref.finalize(task, self._stop.set)
        self._thread = threading.Thread(
            target=_run, args=(self._stop, weakref.ref(record)), name="dataset-ping", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """No more signs."""
        self._stop.set()


def _run(stop: threading.Event, target: "weakref.ref[Record]") -> None:
    while not stop.wait(_PERIOD):
        record = target()
        if record is None:
            return
        with guard("dataset.ping"):
            record.api.tasks.ping({"task": record.id})
        del record
