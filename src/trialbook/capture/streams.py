"""The console: what a program prints goes where it went before, and to a sink as well."""

import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TextIO

from trialbook.base.guard import guard
from trialbook.capture.folding import LineFolder

STDOUT, STDERR, LOGGING = 1, 2, 3


class TextSink(Protocol):
    """Takes whole lines.

    Args of a call: text without the last line end, level (10 debug … 50 critical), stream (1 out, 2 error, 3 logging).
    """

    def __call__(self, text: str, level: int, stream: int) -> None: ...


class _Tee:
    """Watches one stream by an attribute of the stream object itself: whoever keeps a reference to it (a logging
    handler, a progress bar) is seen as well, and the object stays what it was.
    """

    def __init__(self, stream: TextIO, sink: TextSink, number: int) -> None:
        self._stream = stream
        self._level = 40 if number == STDERR else 20
        self._folder = LineFolder(lambda text: sink(text, self._level_of(text), number))
        self._number = number
        self._original = stream.write
        self._inside = threading.local()

    @property
    def stream(self) -> TextIO:
        """What is watched."""
        return self._stream

    def install(self) -> bool:
        """False when the stream's object does not allow it."""
        try:
            self._stream.write = self._write  # type: ignore[method-assign]
        except AttributeError:
            return False
        return True

    def remove(self) -> None:
        """Stop watching."""
        self.flush()
        with guard("capture.remove"):
            if self._stream.__dict__.get("write") == self._write:
                del self._stream.__dict__["write"]

    def flush(self) -> None:
        """Give out a line that has no end yet."""
        with guard("capture.flush"):
            self._folder.flush()

    def _write(self, text: str) -> int:
        count = self._original(text)
        if not getattr(self._inside, "busy", False):
            self._inside.busy = True
            try:
                with guard("capture.write"):
                    self._folder.write(text)
            finally:
                self._inside.busy = False
        return count

    def _level_of(self, text: str) -> int:
        return 40 if self._number == STDERR and "Traceback (most recent call last)" in text else 20


class _LogHandler(logging.Handler):
    def __init__(self, sink: TextSink) -> None:
        super().__init__()
        self._sink = sink
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        with guard("capture.logging"):
            self._sink(self.format(record), record.levelno, LOGGING)


@contextmanager
def records_to(sink: TextSink, shown: Callable[[], list[Any]]) -> Iterator[None]:
    """Give the records of the logging module to a sink, except those that a watched stream shows already.

    Args:
        sink: gets the lines.
        shown: the streams that are watched now.
    """
    handler = _LogHandler(sink)
    handler.addFilter(lambda record: not _printed(record, shown()))
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)


def _printed(record: logging.LogRecord, shown: list[Any]) -> bool:
    """Whether a handler on the record's way writes it to one of the streams."""
    logger: logging.Logger | None = logging.getLogger(record.name)
    while logger is not None:
        for handler in logger.handlers:
            stream = getattr(handler, "stream", None)
            if record.levelno >= handler.level and any(stream is one for one in shown):
                return True
        logger = logger.parent if logger.propagate else None
    return False


class ConsoleCapture:
    """Watches standard output, standard error and, without the latter, the logging module.

    Args:
        sink: gets the lines.
        stdout: watch standard output.
        stderr: watch standard error; logging records that go there are seen with it.
        logs: watch logging; has an effect only without ``stderr``, so that nothing comes twice.
    """

    def __init__(self, sink: TextSink, stdout: bool = True, stderr: bool = True, logs: bool = False) -> None:
        self._sink = sink
        self._wanted = {STDOUT: stdout, STDERR: stderr}
        self._logs = logs and not stderr
        self._tees: list[_Tee] = []
        self._handler: _LogHandler | None = None

    def install(self) -> None:
        """Begin."""
        streams: list[tuple[int, Any]] = [(STDOUT, sys.stdout), (STDERR, sys.stderr)]
        seen: list[Any] = []
        for number, stream in streams:
            if not self._wanted[number] or stream is None or any(stream is other for other in seen):
                continue
            tee = _Tee(stream, self._sink, number)
            with guard("capture.install"):
                if tee.install():
                    self._tees.append(tee)
                    seen.append(stream)
        if self._logs:
            self._handler = _LogHandler(self._sink)
            logging.getLogger().addHandler(self._handler)

    def streams(self) -> list[Any]:
        """The stream objects that are watched."""
        return [tee.stream for tee in self._tees]

    def flush(self) -> None:
        """Give out lines that have no end yet."""
        for tee in self._tees:
            tee.flush()

    def remove(self) -> None:
        """End; the streams are as they were."""
        for tee in self._tees:
            tee.remove()
        self._tees = []
        if self._handler is not None:
            logging.getLogger().removeHandler(self._handler)
            self._handler = None
