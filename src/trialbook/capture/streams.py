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
_WRITER = "_trialbook_writer"
# Py_TPFLAGS_HEAPTYPE: the class was made by a class statement.
_HEAP = 1 << 9
_unseen = threading.local()


class TextSink(Protocol):
    """Takes whole lines.

    Args of a call: text without the last line end, level (10 debug … 50 critical), stream (1 out, 2 error, 3 logging).
    """

    def __call__(self, text: str, level: int, stream: int) -> None: ...


class _Writer:
    """``write`` of a watched stream, over the one that it had. What is written through several of them, one around the
    other, is seen once."""

    def __init__(self, inner: Callable[[str], int], seen: Callable[[str], None], inside: Any) -> None:
        self.inner = inner
        self._seen = seen
        self._inside = inside

    def __call__(self, text: str) -> int:
        if getattr(self._inside, "busy", False) or getattr(_unseen, "now", False):
            return self.inner(text)
        self._inside.busy = True
        try:
            count = self.inner(text)
            with guard("capture.write"):
                self._seen(text)
        finally:
            self._inside.busy = False
        return count


class _Tee:
    """Watches one stream by an attribute of the stream object itself: whoever keeps a reference to it (a logging
    handler, a progress bar) is seen as well, and the object stays what it was.

    IPython replaces the attribute while a cell runs and then puts back what it found, or what there was before us. So a
    stream whose class is written in Python gets a class of its own, where the attribute cannot be lost; ``again`` puts
    it back on the others.
    """

    def __init__(self, stream: TextIO, sink: TextSink, number: int) -> None:
        self._stream = stream
        self._level = 40 if number == STDERR else 20
        self._folder = LineFolder(lambda text: sink(text, self._level_of(text), number))
        self._number = number
        self._inside = threading.local()
        self._class: type[Any] | None = None

    @property
    def stream(self) -> TextIO:
        """What is watched."""
        return self._stream

    def install(self) -> bool:
        """False when the stream's object does not allow it."""
        stream: Any = self._stream
        try:
            inner = stream.write
            if hasattr(type(stream), "__dict__") and type(stream).__flags__ & _HEAP:
                self._class = type(stream)
                stream.__class__ = _watched(type(stream))
                stream.__dict__.pop("write", None)
                stream.__dict__[_WRITER] = self._writer(inner)
            else:
                stream.write = self._writer(inner)
        except (AttributeError, TypeError):
            self._class = None
            return False
        return True

    def again(self) -> None:
        """Watch on when somebody has put the stream's own ``write`` back."""
        stream: Any = self._stream
        if self._class is None and not isinstance(stream.write, _Writer):
            stream.write = self._writer(stream.write)

    def remove(self) -> None:
        """Stop watching."""
        self.flush()
        with guard("capture.remove"):
            stream: Any = self._stream
            if self._class is not None:
                inner = stream.__dict__.pop(_WRITER).inner
                stream.__class__ = self._class
                if getattr(inner, "__self__", None) is not stream:
                    stream.write = inner
            elif isinstance(stream.__dict__.get("write"), _Writer):
                del stream.__dict__["write"]

    def flush(self) -> None:
        """Give out a line that has no end yet."""
        with guard("capture.flush"):
            self._folder.flush()

    def _writer(self, inner: Callable[[str], int]) -> _Writer:
        return _Writer(inner, self._folder.write, self._inside)

    def _level_of(self, text: str) -> int:
        return 40 if self._number == STDERR and "Traceback (most recent call last)" in text else 20


def _watched(kind: type[Any]) -> type[Any]:
    """The class of a stream, with a ``write`` that stays watched whoever assigns to it."""

    def get(stream: Any) -> _Writer:
        writer: _Writer = stream.__dict__[_WRITER]
        return writer

    def put(stream: Any, write: Any) -> None:
        now: _Writer = stream.__dict__[_WRITER]
        # Somebody who wraps what he found, and puts it back afterwards, must not make the way longer each time.
        inner = write.inner if isinstance(write, _Writer) else write
        stream.__dict__[_WRITER] = _Writer(inner, now._seen, now._inside)

    return type(
        kind.__name__, (kind,), {"write": property(get, put), "__module__": kind.__module__, "__slots__": ()}
    )


def unwatched_write(stream: Any, text: str) -> None:
    """Write to a stream without what watches it."""
    _unseen.now = True
    try:
        stream.write(text)
    finally:
        _unseen.now = False


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

    def again(self) -> None:
        """Before a cell of a notebook runs: watch on, whatever the notebook did to the streams after the last one."""
        for tee in self._tees:
            with guard("capture.again"):
                tee.again()

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
