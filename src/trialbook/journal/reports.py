"""What a program can say: numbers, text, events and calls, each a frame in the order of the calls."""

import struct
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from trialbook.errors import UsageError
from trialbook.journal.frames import (
    SINGLE_VALUE,
    Kind,
    Stream,
    encode_json,
    encode_point,
    encode_series,
    encode_text,
)
from trialbook.journal.rows import Row
from trialbook.journal.values import detached, number_of, unnamed, whole
from trialbook.journal.writer import Writer

_ROWS = 1000
"""Sets of series whose packing is remembered."""
LONGEST_TEXT = 1 << 20


class Reports(ABC):
    """The reporting half of a journal; the other half is its life."""

    _lock: threading.RLock
    _writer: Writer
    _numbers: dict[tuple[str, str], int]
    _rows: dict[tuple[tuple[str, str], ...], Row]

    def scalar(self, metric: str, variant: str, iteration: int, value: float) -> None:
        """Append one point with the current time.

        Raises:
            UsageError: the iteration is not an integer, the value not a number, or a name not a string.
        """
        try:
            number = self._numbers.get((metric, variant))
        except TypeError:
            raise unnamed(metric, variant) from None
        if number is None:
            # In a child, defining the series opens a journal of its own: only then is the writer the right one.
            number = self._define(metric, variant)
            if number is None:
                return
        if value.__class__ is not float:
            value = detached(value)
        try:
            self._writer.point(number, iteration, value)
        except (struct.error, TypeError, OverflowError):
            self._writer.point(number, whole(iteration), number_of(value))

    def row(self, series: tuple[tuple[str, str], ...], iteration: int, values: Sequence[float]) -> None:
        """Append one point to each of several series, with the current time: all of them or, on an error, none.

        Args:
            series: metric and variant of each; the same tuple at each step is fastest.
            iteration: of all of them.
            values: one for each.

        Raises:
            UsageError: the iteration is not an integer or a value not a number.
        """
        row = self._rows.get(series)
        if row is None:
            row = self._define_row(series)
            if row is None:
                return
        values = [value if value.__class__ is float else detached(value) for value in values]
        try:
            self._writer.row(row, iteration, values)
        except (struct.error, TypeError, OverflowError):
            self._writer.row(row, whole(iteration), [number_of(value) for value in values])

    def point_at(self, metric: str, variant: str, iteration: int, value: float, moment: float) -> None:
        """Append one point with a time of its own (seconds since the epoch)."""
        number = self._numbers.get((metric, variant))
        if number is None:
            number = self._define(metric, variant)
            if number is None:
                return
        self._writer.append(encode_point(number, iteration, moment, detached(value)))

    def single(self, name: str, value: float) -> None:
        """A value without an iteration; the newest one counts."""
        self.scalar("Summary", name, SINGLE_VALUE, value)

    def text(
        self, text: str, level: int = 20, stream: Stream = Stream.REPORT, moment: float | None = None
    ) -> None:
        """Append console text.

        Args:
            text: one or more lines.
            level: 10 debug … 50 critical.
            stream: where it came from.
            moment: seconds since the epoch; None is now.
        """
        if not self._affordable("text", text.count("\n") + 1):
            return
        moment = time.time() if moment is None else moment
        for start in range(0, len(text), LONGEST_TEXT):
            self._append(encode_text(moment, level, stream, text[start : start + LONGEST_TEXT]))

    def event(self, event: dict[str, Any]) -> None:
        """Append an event of the wire (a plot, an image that is stored already, a vector).

        Raises:
            UsageError: it has 16 MiB or more as JSON.
        """
        self._frame(Kind.EVENT, event)
        iteration = event.get("iter")
        if isinstance(iteration, int) and iteration > (self._writer.latest or 0):
            # A plot without an iteration has 0: it does not take the program back to its beginning.
            self._writer.latest = iteration

    def call(self, method: str, params: dict[str, Any]) -> None:
        """Have a changing method run in this place of the order, with the caller's permission."""
        self._frame(Kind.CALL, {"method": method, "params": params})
        self._shipper_wake()

    def _forget(self) -> None:
        """The names of series are defined anew: the stream that knew them is another one, or ends."""
        self._numbers, self._rows = {}, {}

    def _define(self, metric: str, variant: str) -> int | None:
        """The number of a new series; None when the disk has no room to say what it means."""
        if not isinstance(metric, str) or not isinstance(variant, str):
            return self._define(str(metric), str(variant))
        if not self._fresh():
            return None
        with self._lock:
            number = self._numbers.get((metric, variant))
            if number is None:
                number = len(self._numbers)
                if self._writer.append(encode_series(number, metric, variant)) is None:
                    return None
                self._numbers[metric, variant] = number
            return number

    def _define_row(self, series: tuple[tuple[str, str], ...]) -> Row | None:
        numbers = [self._define(metric, variant) for metric, variant in series]
        known = [number for number in numbers if number is not None]
        if len(known) < len(numbers):
            return None
        if len(self._rows) >= _ROWS:
            # A program that reports other names at each step gains nothing by their being remembered.
            self._rows.clear()
        row = self._rows[series] = Row(known)
        return row

    def _append(self, frame: bytes) -> None:
        if self._fresh():
            self._writer.append(frame)

    def _frame(self, kind: Kind, value: dict[str, Any]) -> None:
        try:
            frame = encode_json(kind, value)
        except ValueError as error:
            raise UsageError(f"too large to report: {error}. Upload it as an artifact instead.") from error
        self._append(frame)

    @abstractmethod
    def _fresh(self) -> bool:
        """Whether there is a stream of this process to append to."""

    @abstractmethod
    def _affordable(self, kind: str, count: int) -> bool:
        """Whether the disk budget allows what may be left out."""

    @abstractmethod
    def _shipper_wake(self) -> None:
        """Send soon."""
