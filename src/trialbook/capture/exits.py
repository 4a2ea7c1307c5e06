"""How a process ends: normally, by an exception, by ``sys.exit(n)``, by a signal. Watched, never changed."""

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Any, NoReturn

from trialbook.base.guard import guard
from trialbook.capture import leaving
from trialbook.capture.secrets import masked_output

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGQUIT") if hasattr(signal, name))
_PATIENCE = 15.0


@dataclass(frozen=True)
class Outcome:
    """The final status that an ending deserves."""

    status: str
    reason: str = ""
    message: str = ""


COMPLETED = Outcome("completed", "completed")


def uncaught(kind: type[BaseException], value: BaseException | None) -> Outcome:
    """The outcome of an exception that nobody caught."""
    if issubclass(kind, KeyboardInterrupt):
        return Outcome("stopped", "USER ABORTED", "Interrupted from the keyboard")
    text = masked_output(str(value)[:100_000])
    return Outcome("failed", f"Exception {text}"[:1000], f"{kind.__name__}: {text}"[:4000])


_watching: list["ExitWatch"] = []


class _Exit(SystemExit):
    """A ``SystemExit`` that tells when nobody caught it: it is then freed by the interpreter itself, so there is no
    Python frame below. Without this, a caught ``sys.exit(1)`` would mark a good run as failed.
    """

    watch: "ExitWatch | None" = None

    def __del__(self) -> None:
        watch, self.watch = self.watch, None
        if watch is not None and sys._getframe().f_back is None:
            watch._exited(self.code)


class ExitWatch:
    """Calls ``finish`` once, when the process ends.

    Args:
        finish: gets the outcome; runs in the main thread at exit, or in a thread when a terminated process hangs.
        in_child: called instead when a forked child ends through ``sys.exit``.
        early: called before what the program had registered with ``atexit`` when the watch began.
    """

    def __init__(
        self,
        finish: Callable[[Outcome], None],
        in_child: Callable[[], None],
        early: Callable[[], None] | None = None,
    ) -> None:
        self._finish = finish
        self._early = early
        self._in_child = in_child
        self._pid = os.getpid()
        self._outcome = COMPLETED
        self._interrupted = False
        self._begun = threading.Event()
        self._excepthook: Callable[..., Any] | None = None
        self._exit: Callable[..., Any] | None = None
        self._handlers: dict[int, Any] = {}
        self._unwatch: Callable[[], None] | None = None

    @property
    def outcome(self) -> Outcome:
        """What is known so far."""
        return self._outcome

    @outcome.setter
    def outcome(self, outcome: Outcome) -> None:
        self._outcome = outcome

    def install(self) -> None:
        """Begin to watch. Signals are watched only when this is the main thread."""
        self._excepthook = sys.excepthook
        sys.excepthook = self._on_exception
        self._exit = sys.exit
        sys.exit = self._on_exit
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                with guard("exits.signal"):
                    self._handlers[number] = signal.signal(number, self._on_signal)
        with guard("exits.watch"):
            self._unwatch = leaving.watch(self._on_leaving)
        _watching.append(self)
        if self._early is not None:
            atexit.register(self._early)

    def remove(self) -> None:
        """Stop watching and put everything back, unless somebody has replaced it since."""
        # A bound method is a new object at each access, so only equality can recognise it.
        if sys.excepthook == self._on_exception and self._excepthook is not None:
            sys.excepthook = self._excepthook
        if sys.exit == self._on_exit and self._exit is not None:
            sys.exit = self._exit
        if threading.current_thread() is threading.main_thread():
            for number, handler in self._handlers.items():
                with guard("exits.signal"):
                    if signal.getsignal(number) == self._on_signal:
                        signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        self._handlers = {}
        if self._unwatch is not None:
            self._unwatch()
            self._unwatch = None
        if self in _watching:
            _watching.remove(self)
        if self._early is not None:
            atexit.unregister(self._early)

    def _on_exception(
        self, kind: type[BaseException], value: BaseException, trace: TracebackType | None
    ) -> None:
        if os.getpid() == self._pid:
            self._outcome = uncaught(kind, value)
            self._interrupted = issubclass(kind, KeyboardInterrupt)
        (self._excepthook or sys.__excepthook__)(kind, value, trace)

    def _on_exit(self, status: Any = None) -> NoReturn:
        # No local name for the exception: its traceback would refer to itself through this frame, and then it would
        # be freed by the garbage collector at some other moment.
        raise self._leaving(status)

    def _leaving(self, status: Any) -> SystemExit:
        if os.getpid() != self._pid or threading.current_thread() is not threading.main_thread():
            return SystemExit(status)
        error = _Exit(status)
        error.watch = self
        return error

    def _on_leaving(self, code: Any) -> None:
        if threading.current_thread() is threading.main_thread() and os.getpid() == self._pid:
            self._exited(code)

    def _exited(self, code: Any) -> None:
        if self._outcome is COMPLETED and code not in (None, 0):
            self._outcome = Outcome("failed", masked_output(f"Exit code {code}"[:100_000])[:1000])

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        earlier = self._handlers.get(number)
        if os.getpid() == self._pid:
            name = signal.Signals(number).name
            self._outcome = Outcome("stopped", "USER ABORTED", f"Stopped by {name}")
            if not callable(earlier) and earlier != signal.SIG_IGN:
                threading.Thread(
                    target=self._insist, args=(number,), name="trialbook-exit", daemon=True
                ).start()
        if callable(earlier):
            earlier(number, frame)
        elif earlier != signal.SIG_IGN:
            # Unwinds the program as a normal exit does; the shell sees the same code as after the bare signal.
            raise SystemExit(128 + number)

    def _insist(self, number: int) -> None:
        """A thread that never ends, or code that swallows ``SystemExit``, must not keep a terminated process alive."""
        if self._begun.wait(_PATIENCE):
            return
        self._run()
        os._exit(128 + number)

    def _at_exit(self) -> None:
        if os.getpid() != self._pid:
            with guard("exits.child"):
                self._in_child()
            return
        self._run()
        if self._interrupted:
            _remember_interrupt()

    def _run(self) -> None:
        if self._begun.is_set():
            return
        self._begun.set()
        with guard("exits.finish"):
            self._finish(self._outcome)


def _at_exit() -> None:
    for watch in _watching:
        watch._at_exit()


# From the import on, so that what a program registers afterwards, also before its task begins, runs before the task
# ends and can still report.
atexit.register(_at_exit)


def _remember_interrupt() -> None:
    """Let the process still die of SIGINT, which a shell needs to end its script too.

    The interpreter keeps "the last program text ended by Ctrl-C" in one flag for the whole process, and each text that
    runs sets it anew: a named tuple or data class that some thread defines while the process ends makes it exit with 1.
    """
    try:
        exec("raise KeyboardInterrupt")
    except KeyboardInterrupt:
        return
