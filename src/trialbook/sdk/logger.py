"""Reporting: scalars, plots, tables, pictures and text of one task."""

import logging
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from trialbook.base.guard import guard
from trialbook.capture import tags
from trialbook.capture.secrets import masked_output
from trialbook.capture.streams import records_to, unwatched_write
from trialbook.errors import UsageError
from trialbook.journal.frames import Stream
from trialbook.journal.rows import MOST
from trialbook.journal.values import number_of, whole
from trialbook.sdk import current
from trialbook.sdk.record import Record
from trialbook.sdk.reports import numbers
from trialbook.sdk.reports.media import Media
from trialbook.sdk.reports.pictures import PicturesMixin
from trialbook.sdk.values.argument_types import checked
from trialbook.wire.states import LEVELS

_REMEMBERED = 1000
"""Sets of names whose charts are remembered."""


@checked
class Logger(PicturesMixin):
    """Reports to one task. Get it from ``Logger.current_logger()``, ``task.get_logger()`` or ``task.logger``.

    Every call returns at once: the report is safe on this host then, and on the server within a second.

    Example:
        >>> logger = task.get_logger()
        >>> logger.report_scalar("loss", "train", value=0.5, iteration=1)
        >>> logger.report_single_value("accuracy", 0.93)
    """

    def __init__(self, record: Record, shown_streams: Callable[[], list[Any]] = list) -> None:
        self._record = record
        self._destination: str | None = None
        self._media = Media()
        self._charts: dict[tuple[str, ...], tuple[tuple[str, str], ...]] = {}
        self._shown_streams = shown_streams

    @classmethod
    def current_logger(cls) -> "Logger | None":
        """The logger of the task that this process runs.

        Returns:
            The logger; None when there is no task.

        Example:
            >>> Logger.current_logger().report_scalar("loss", "train", 0.5, 1)
        """
        task = current.task_of_this_process()
        found: Logger | None = task.get_logger() if task is not None else None
        return found

    # -- numbers ---

    def report_scalar(self, title: str, series: str, value: float, iteration: int | None = None) -> None:
        """Add one point to a line.

        Args:
            title: the chart. Any string.
            series: the line in it. Any string.
            value: a number; NaN and infinities are kept and shown as gaps.
            iteration: an integer; None is 0.

        Raises:
            UsageError: the value is not a number or the iteration not an integer.

        Example:
            >>> for step in range(3):
            ...     logger.report_scalar("loss", "train", 1 / (step + 1), step)
        """
        if iteration is None:
            iteration = 0
        if self._record.offset:
            iteration = whole(iteration) + self._record.offset
        if numbers.substitutes:
            value = numbers.replaced(title, series, value)
        self._record.journal.scalar(title, series, iteration, value)

    def report_scalars(self, values: Mapping[str, float], iteration: int | None = None) -> None:
        """Add one point to each of several lines, in one record: the cheapest way for a step that has many numbers.

        Args:
            values: numbers by name. The part of a name before its last ``/`` is the chart, the rest the line in it; a
                name without ``/`` is both. Either all of them are reported or, when one is not a number, none.
            iteration: an integer; None is 0.

        Raises:
            UsageError: a value is not a number or the iteration not an integer.

        Example:
            >>> for step in range(3):
            ...     logger.report_scalars({"loss/train": 1 / (step + 1), "loss/val": 0.5, "rate": 0.01}, step)
        """
        if iteration is None:
            iteration = 0
        if self._record.offset:
            iteration = whole(iteration) + self._record.offset
        names = tuple(values)
        series = self._charts.get(names)
        if series is None:
            series = self._chart(names)
        if numbers.substitutes or len(names) > MOST:
            for (title, line), value in zip(
                series, [number_of(value) for value in values.values()], strict=True
            ):
                self._record.journal.scalar(title, line, iteration, numbers.replaced(title, line, value))
        elif names:
            self._record.journal.row(series, iteration, tuple(values.values()))

    def _chart(self, names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        if len(self._charts) >= _REMEMBERED:
            self._charts.clear()
        found = self._charts[names] = tuple(_chart_of(str(name)) for name in names)
        return found

    def report_single_value(self, name: str, value: float) -> None:
        """Set a value that has no iteration, such as a final accuracy; the newest one counts.

        Args:
            name: of the value.
            value: a number.

        Raises:
            UsageError: it is not a number.

        Example:
            >>> logger.report_single_value("accuracy", 0.93)
            >>> task.get_reported_single_value("accuracy")
            0.93
        """
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

        Raises:
            UsageError: there is no such level.

        Example:
            >>> logger.report_text("epoch 1 is over", level="warning", print_console=False)
        """
        text = str(msg)
        number = LEVELS.get(level.lower()) if isinstance(level, str) else level
        if number is None or not hasattr(number, "__index__"):
            raise UsageError(f"level is a number or one of {', '.join(LEVELS)}, not {level!r}")
        self._record.journal.text(masked_output(text), int(number))
        if print_console:
            # The unwatched stream, since the line is in the task's console already.
            with guard("logger.print"):
                unwatched_write(sys.stdout, text + "\n")

    @classmethod
    def set_reporting_nan_value(cls, value: float | None, warn_period: int = 1000) -> None:
        """Store a number instead of NaN, in this process from now on. By default NaN is kept and shown as a gap.

        Args:
            value: what is stored; None keeps NaN.
            warn_period: a warning at every so many of them; 0 for none.

        Example:
            >>> Logger.set_reporting_nan_value(0.0)
            >>> Logger.set_reporting_nan_value(None)
        """
        numbers.for_nan(value, warn_period)

    @classmethod
    def set_reporting_inf_value(cls, value: float | None, warn_period: int = 1000) -> None:
        """Store a number instead of infinite values, in this process from now on. By default they are kept.

        Args:
            value: what is stored; None keeps them.
            warn_period: a warning at every so many of them; 0 for none.

        Example:
            >>> Logger.set_reporting_inf_value(1e9)
            >>> Logger.set_reporting_inf_value(None)
        """
        numbers.for_infinite(value, warn_period)

    @classmethod
    def tensorboard_auto_group_scalars(cls, group_scalars: bool = False) -> None:
        """How TensorBoard tags without ``/`` become charts.

        Args:
            group_scalars: True puts tags with the same beginning (up to ``_`` or a number) into one chart; False gives
                each a chart of its own.

        Example:
            >>> from trialbook.capture.tags import chart_of
            >>> chart_of("loss_train"), chart_of("loss/train")
            (('loss_train', 'loss_train'), ('loss', 'train'))
            >>> Logger.tensorboard_auto_group_scalars(True)
            >>> chart_of("loss_train")
            ('loss', 'loss_train')
            >>> Logger.tensorboard_auto_group_scalars(False)
        """
        tags.group(bool(group_scalars))

    @classmethod
    def tensorboard_single_series_per_graph(cls, single_series: bool = False) -> None:
        """Whether every TensorBoard tag becomes a chart of its own.

        Args:
            single_series: True gives each series its own chart, also ``loss/train`` and ``loss/val``.

        Example:
            >>> from trialbook.capture.tags import chart_of
            >>> Logger.tensorboard_single_series_per_graph(True)
            >>> chart_of("loss/train")
            ('loss/train', 'train')
            >>> Logger.tensorboard_single_series_per_graph(False)
        """
        tags.single(bool(single_series))

    def capture_logging(self) -> AbstractContextManager[None]:
        """Bring the records of the ``logging`` module to the task's console inside a ``with``, each once.

        For runs whose streams are not captured, or records that no handler prints.

        Returns:
            A context manager.

        Example:
            >>> import logging
            >>> with task.get_logger().capture_logging():
            ...     logging.getLogger("data").warning("loaded")
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

        Example:
            >>> logger.set_flush_period(2)
            >>> logger.get_flush_period()
            2.0
        """
        if isinstance(period, bool) or not isinstance(period, (int, float)) or not 0 < period < 1e6:
            raise UsageError(f"the period is a number of seconds above 0, not {period!r}")
        self._record.journal.period = float(period)

    def get_flush_period(self) -> float | None:
        """How long a report waits for others at most.

        Returns:
            Seconds; None when nothing is sent, because the run works offline.

        Example:
            >>> logger.get_flush_period()
            0.5
        """
        return self._record.journal.period if self._record.connection is not None else None

    def flush(self, wait: bool = False) -> bool:
        """Send what was reported.

        Args:
            wait: return when the server has it (at most a minute), pictures included.

        Returns:
            True, or with ``wait`` whether it arrived.

        Example:
            >>> logger.report_scalar("loss", "train", 0.5, 1)
            >>> logger.flush(wait=True)
            True
        """
        if not self._record.has_journal:
            return True
        if wait:
            return self._record.journal.flush(60.0, uploads=True)
        self._record.journal.wake()
        return True


def _chart_of(name: str) -> tuple[str, str]:
    title, _, line = name.rpartition("/")
    return (title, line) if title and line else (name, name)
