"""How far a transfer is: a bar for a person at a terminal, a line now and then in a log."""

import sys
import time

from trialbook.base.unicode import one_line
from trialbook.sdk.console import put, say

_MIB = 1 << 20
_BAR = 24

report_every = {"upload": 64 * _MIB, "download": 64 * _MIB}
"""Bytes between two lines about a transfer; 0 says nothing."""


class Meter:
    """Reports one transfer. Call it with the bytes that are there.

    Args:
        what: such as ``Uploading model.pt``.
        total: bytes; 0 when it is not known.
        step: bytes between two lines in a log; 0 reports nothing.
        bar: False writes lines also at a terminal: for what runs beside a program.
    """

    def __init__(self, what: str, total: int, step: int, bar: bool = True) -> None:
        self._what = one_line(what)
        self._total = total
        self._step = step
        self._next = step
        self._began = time.monotonic()
        self._drawn = 0.0
        self._ended = False
        self._terminal = bar and step > 0 and sys.stderr is not None and sys.stderr.isatty()

    def __call__(self, done: int) -> None:
        if self._step <= 0 or max(self._total, done) < self._step:
            return
        if self._ended:
            return
        self._ended = done >= self._total > 0
        if self._terminal:
            if self._ended or time.monotonic() - self._drawn > 0.1:
                self._drawn = time.monotonic()
                self._draw(done)
        elif self._ended or done >= self._next:
            self._next = done - done % self._step + self._step
            say(f"Trialbook: {self._what}: {self._counted(done)}")

    def _counted(self, done: int) -> str:
        speed = done / _MIB / max(1e-3, time.monotonic() - self._began)
        of = f" of {self._total / _MIB:.0f}" if self._total else ""
        return f"{done / _MIB:.0f}{of} MiB, {speed:.0f} MiB/s"

    def _draw(self, done: int) -> None:
        part = min(1.0, done / self._total) if self._total else 0.0
        bar = "█" * int(part * _BAR) + "░" * (_BAR - int(part * _BAR))
        put(sys.stderr, f"\r{self._what} {bar} {self._counted(done)}  {chr(10) if self._ended else ''}")
