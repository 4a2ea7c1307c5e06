"""The server's own work, in one thread: each job in its turn, none able to end the thread."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trialbook.base.guard import guard


@dataclass(frozen=True)
class Job:
    """Something to do again and again.

    Attributes:
        name: for the log.
        period: seconds between the end of one round and the start of the next.
        work: one round; True asks for the next one at once, because there is more to do.
    """

    name: str
    period: float
    work: Callable[[], bool | None]


class Loops:
    """Runs jobs until stopped.

    Args:
        jobs: in the order of their turns.
    """

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = jobs
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="loops", daemon=True)

    def start(self) -> None:
        """Begin; the first round of each job comes after its period, so that start-up stays quick."""
        self._thread.start()

    def stop(self) -> None:
        """End after the round that runs."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        due = {job.name: time.monotonic() + job.period for job in self._jobs}
        while not self._stop.wait(max(0.0, min(due.values()) - time.monotonic())):
            for job in self._jobs:
                if due[job.name] <= time.monotonic() and not self._stop.is_set():
                    more = self._round(job)
                    due[job.name] = time.monotonic() + (0.0 if more else job.period)

    @staticmethod
    def _round(job: Job) -> bool:
        more: bool | None = False
        with guard(f"loop.{job.name}"):
            more = job.work()
        return bool(more)
