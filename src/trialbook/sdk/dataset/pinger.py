"""A sign of life for an open dataset: a task that is silent for hours is taken for lost."""

import threading
import weakref

from trialbook.base.guard import guard
from trialbook.sdk.task import Task

_PERIOD = 120.0


class Pinger:
    """Pings until it is stopped, or the task object is no longer used.

    Args:
        task: of the dataset.
    """

    def __init__(self, task: Task) -> None:
        self._stop = threading.Event()
        # The thread holds no reference to the task: a forgotten dataset goes silent.
        weakref.finalize(task, self._stop.set)
        record = task._record
        self._thread = threading.Thread(
            target=_run, args=(self._stop, weakref.ref(record)), name="dataset-ping", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """No more signs."""
        self._stop.set()


def _run(stop: threading.Event, target: "weakref.ref[object]") -> None:
    while not stop.wait(_PERIOD):
        record = target()
        if record is None:
            return
        with guard("dataset.ping"):
            record.call("tasks.ping", {"task": record.id})  # type: ignore[attr-defined]
        del record
