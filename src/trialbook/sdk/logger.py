"""Reporting: scalars, plots, tables, pictures and text of one task."""

import logging
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from trialbook.base.guard import guard
from trialbook.capture.streams import records_to
from trialbook.errors import UsageError
from trialbook.journal.frames import Stream
from trialbook.sdk import current, numbers
from trialbook.sdk.media import Media
from trialbook.sdk.record import Record
from trialbook.sdk.reports.pictures import PicturesMixin

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}


class Logger(PicturesMixin):
    """Reports to one task. Get it from ``Logger.current_logger()``, ``task.get_logger()`` or ``task.logger``.

    Every call returns at once: the report is safe on this host then, and on the server within a second.

    Example:
        >>> Logger.current_logger() is None
        True
    """

    def __init__(self, record: Record, place: Callable[[], tuple[str, str, str]]) -> None:
        self._record = record
        self._place = place
        self._offset = 0
        self._destination: str | None = None
        self._media = Media()
        self._shown_streams: Callable[[], list[Any]] = list

    @classmethod
    def current_logger(cls) -> "Logger | None":
        """The logger of the task that this process runs; None when there is none."""
        from trialbook.sdk.task import Task

        task = current.main_task() or Task.current_task()
        return task.get_logger() if task is not None else None

    # -- numbers ---

    def report_scalar(self, title: str, series: str, value: float, iteration: int | None = None) -> None:
        """Add one point to a line.

        Args:
            title: the chart. Any text.
            series: the line in it. Any text.
            value: a number; NaN and infinities are kept and shown as gaps.
            iteration: an integer; None is 0.

        Raises:
            UsageError: the value is no number or the iteration no integer.

        Example:
            >>> Logger.report_scalar
            <function Logger.report_scalar at ...>
        """
        if iteration is None:
            iteration = 0
        if self._offset:
            iteration = iteration + self._offset
        if numbers.substitutes:
            value = numbers.replaced(title, series, value)
        self._record.journal.scalar(title, series, iteration, value)

    def report_single_value(self, name: str, value: float) -> None:
        """Set a value that has no iteration, such as a final accuracy; the newest one counts."""
        self._record.journal.single(str(name), value)

    # -- text ---

    def report_text(
        self, msg: str, level: int | str = logging.INFO, print_console: bool = True, *_: Any, **__: Any
    ) -> None:
        """Add a line to the console of the task.

        Args:
            msg: one or more lines.
            level: of the ``logging`` module, as number or name.
            print_console: also print it here.
        """
        text = str(msg)
        number = _LEVELS.get(level.lower(), logging.INFO) if isinstance(level, str) else int(level)
        self._record.journal.text(text, number)
        if print_console:
            # The unwatched stream, since the line is in the task's console already.
            with guard("logger.print"):
                write = type(sys.stdout).write
                write(sys.stdout, text + "\n")

    @classmethod
    def set_reporting_nan_value(cls, value: float | None, warn_period: int = 1000) -> None:
        """Store a number instead of NaN, in this process from now on. By default NaN is kept and shown as a gap.

        Args:
            value: what is stored; None keeps NaN.
            warn_period: a warning at every so many of them; 0 for none.
        """
        numbers.for_nan(value, warn_period)

    @classmethod
    def set_reporting_inf_value(cls, value: float | None, warn_period: int = 1000) -> None:
        """Store a number instead of infinite values, in this process from now on. By default they are kept.

        Args:
            value: what is stored; None keeps them.
            warn_period: a warning at every so many of them; 0 for none.
        """
        numbers.for_infinite(value, warn_period)

    def capture_logging(self) -> AbstractContextManager[None]:
        """Bring the records of the ``logging`` module to the task's console inside a ``with``, each once.

        For runs whose streams are not captured, or records that no handler prints.

        Example:
            >>> with task.get_logger().capture_logging():  # doctest: +SKIP
            ...     logging.getLogger("data").info("loaded")
        """
        return records_to(
            lambda text, level, stream: self._record.journal.text(text, level, Stream(stream)),
            self._shown_streams,
        )

    def set_flush_period(self, period: float) -> None:
        """How long a report waits for others, so that they are sent together.

        Args:
            period: seconds, more than 0.

        Raises:
            UsageError: it is no such number.
        """
        if isinstance(period, bool) or not isinstance(period, (int, float)) or not 0 < period < 1e6:
            raise UsageError(f"the period is a number of seconds above 0, not {period!r}")
        self._record.journal.period = float(period)

    def get_flush_period(self) -> float | None:
        """How many seconds a report waits for others at most; None when nothing is sent, because it works offline."""
        return self._record.journal.period if self._record.connection is not None else None

    def flush(self, wait: bool = False) -> bool:
        """Send what was reported.

        Args:
            wait: return when the server has it (at most a minute), pictures included.

        Returns:
            True, or with ``wait`` whether it arrived.
        """
        if not self._record.has_journal:
            return True
        if wait:
            return self._record.journal.flush(60.0, uploads=True)
        self._record.journal.wake()
        return True
