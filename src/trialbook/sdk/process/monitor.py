"""The resource monitor of a run: what the machine does, beside what the program reports."""

import math
import threading
import time
from pathlib import Path

from trialbook.base.guard import guard
from trialbook.base.process import Kept
from trialbook.client import settings
from trialbook.machine.gpu import Gpus
from trialbook.machine.usage import Usage
from trialbook.sdk.record import Recorded, record_of

MACHINE, GPU = ":monitor:machine", ":monitor:gpu"
_SAMPLE_SECONDS = 0.5
_REPORT_SECONDS = 30.0
_TREE_SECONDS = 2.0
_SETTLE_SECONDS = 3.0
_SHARE = 0.004
"""Of one processor: looks become rarer where they cost more than this."""
_timeout = Kept(1800.0)


def set_timeout(seconds: float) -> None:
    """How long the first report is waited for before the axis becomes seconds."""
    _timeout.value = seconds


class Axis:
    """On what the machine's values stand: iterations once the program reports, seconds when it does not.

    Args:
        timeout: seconds to wait for the first report; None is the process's setting.

    Example:
        >>> axis = Axis(100.0)
        >>> axis.place(10.0, None), axis.place(120.0, None), axis.place(130.0, 7), axis.place(140.0, 5)
        (None, 120, 7, 7)
    """

    def __init__(self, timeout: float | None = None) -> None:
        self._timeout = timeout
        self._greatest: int | None = None

    def place(self, elapsed: float, latest: int | None) -> int | None:
        """The iteration for a point now; None while the first report is waited for.

        Args:
            elapsed: seconds since the start.
            latest: iteration of the last report.
        """
        # A single value has no iteration; its number is far below zero.
        if latest is not None and latest > -(1 << 31):
            self._greatest = latest if self._greatest is None else max(self._greatest, latest)
        if self._greatest is not None:
            return self._greatest
        limit = _timeout.value if self._timeout is None else self._timeout
        return int(elapsed) if elapsed >= limit else None


class ResourceMonitor:
    """Looks twice a second, reports the means every half minute. Costs less than a hundredth of a processor.

    Args:
        task: whose run is watched.
        report_seconds: between two points of a series.
        sample_seconds: between two looks, at least.
    """

    def __init__(
        self, task: Recorded, report_seconds: float = _REPORT_SECONDS, sample_seconds: float = _SAMPLE_SECONDS
    ) -> None:
        self._record = record_of(task)
        self._report_seconds = report_seconds
        self._sample_seconds = sample_seconds
        self._axis = Axis()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="trialbook-monitor", daemon=True)

    def start(self) -> None:
        """Begin, in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """End; what was seen since the last report is dropped."""
        self._stop.set()

    def _run(self) -> None:
        # Not while the program starts: importing costs it time, and an import under way when it is interrupted makes
        # CPython forget the interrupt (`namedtuple` evaluates text), so that it would exit with 1 instead.
        if self._stop.wait(min(_SETTLE_SECONDS, self._report_seconds / 4)):
            return
        with guard("monitor"):
            usage = Usage(Path.cwd())
            gpus = Gpus(settings.visible_gpus())
            if len(gpus):
                self._record.set_runtime(**gpus.facts())
            self._watch(usage, gpus)

    def _watch(self, usage: Usage, gpus: Gpus) -> None:
        began = reported = time.monotonic()
        tree_at = -math.inf
        sums: dict[tuple[str, str], tuple[float, int]] = {}
        wait = self._sample_seconds
        while not self._stop.wait(wait):
            spent, now = time.thread_time(), time.monotonic()
            self._axis.place(now - began, self._record.journal.latest)
            with guard("monitor.look"):
                seen = {(MACHINE, name): value for name, value in usage.look().items()}
                seen |= {(GPU, name): value for name, value in gpus.look().items()}
                if now - tree_at >= min(_TREE_SECONDS, self._report_seconds / 2):
                    tree_at = now
                    seen[MACHINE, "memory_used_gb"] = usage.tree_memory()
                for key, value in seen.items():
                    total, count = sums.get(key, (0.0, 0))
                    sums[key] = (total + value, count + 1)
            if now - reported >= self._report_seconds:
                reported = now
                self._report(now - began, sums)
                sums = {}
            wait = max(self._sample_seconds, (time.thread_time() - spent) / _SHARE)

    def _report(self, elapsed: float, sums: dict[tuple[str, str], tuple[float, int]]) -> None:
        journal = self._record.journal
        iteration = self._axis.place(elapsed, journal.latest)
        if iteration is None or self._stop.is_set():
            return
        moment = time.time()
        with guard("monitor.report"):
            for (metric, series), (total, count) in sums.items():
                journal.point_at(metric, series, iteration, total / count, moment)
