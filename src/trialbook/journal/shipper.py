"""The thread that sends a journal while its process lives."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue

from trialbook.base.retry import backoff
from trialbook.errors import ConnectionFailed, ServerFault, TrialbookError, Unauthorized
from trialbook.journal.delivery import Delivery

_log = logging.getLogger("trialbook")
PERIOD = 0.5


class Shipper:
    """Sends whatever has been written, at the latest half a second (``period``) later, while the process lives.

    Args:
        delivery: of the journal.
        chores: small work at each turn in this thread (the next segment, journals of dead children).
        task: named in messages.
    """

    def __init__(self, delivery: Delivery, chores: Callable[[], None], task: str) -> None:
        self._delivery = delivery
        self._chores = chores
        self._task = task
        self.period = PERIOD
        """Seconds that a report waits for others at most."""
        # A queue of this kind may be fed from a signal handler, which an event or a condition may not.
        self._turn: SimpleQueue[None] = SimpleQueue()
        self._change = threading.Condition()
        self._stopping = False
        self._failing = False
        self.refused: str | None = None
        """Why the server will never take the rest, once it said so."""
        self._thread: threading.Thread | None = threading.Thread(
            target=self._run, name="trialbook-shipper", daemon=True
        )
        try:
            self._thread.start()
        except RuntimeError:
            # Since Python 3.12 a process that is ending cannot start threads: whoever waits sends by itself then.
            self._thread = None

    def wake(self) -> None:
        """There is something to send; cheap and safe from any thread."""
        self._turn.put(None)

    def wait(self, offset: int, timeout: float) -> bool:
        """True when everything before ``offset`` is acknowledged within ``timeout`` seconds."""
        if self._thread is None:
            return self._send_here(offset, timeout)
        self._turn.put(None)
        with self._change:
            self._change.wait_for(
                lambda: self._delivery.acked >= offset or self.refused is not None or self._stopping, timeout
            )
            return self._delivery.acked >= offset

    @property
    def failing(self) -> bool:
        """True from a send that found no server until the next one that does."""
        return self._failing

    def presume_failing(self) -> None:
        """The caller has found no server a moment ago, and has said so."""
        self._failing = True

    def stop(self, timeout: float) -> None:
        """End the thread; what is under way is waited for up to ``timeout`` seconds."""
        self._stopping = True
        self._turn.put(None)
        with self._change:
            self._change.notify_all()
        if self._thread is not None:
            self._thread.join(timeout)

    def _send_here(self, offset: int, timeout: float) -> bool:
        end = time.monotonic() + timeout
        for wait in backoff(0.1, longest=1.0, deadline=end):
            try:
                while self._delivery.acked < offset and self._delivery.step():
                    pass
                break
            except (ConnectionFailed, ServerFault, Unauthorized) as error:
                self._lost(error)
                time.sleep(wait)
            except TrialbookError as error:
                self.refused = str(error)
                break
        return self._delivery.acked >= offset

    def _run(self) -> None:
        waits = backoff(0.1, longest=10.0)
        while not self._stopping:
            self._sleep()
            if self._stopping:
                return
            self._chores()
            try:
                while not self._stopping and self._delivery.step():
                    self._note()
                    self._chores()
            except (ConnectionFailed, ServerFault, Unauthorized) as error:
                self._lost(error)
                self._pause(next(waits))
                continue
            except TrialbookError as error:
                _log.error(
                    "the server refuses the reports of task %s: %s. They stay on this host; "
                    "`trialbook sync` sends them when the cause is gone, `trialbook sync --discard %s` removes them.",
                    self._task,
                    error,
                    self._task,
                )
                with self._change:
                    self.refused = str(error)
                    self._change.notify_all()
                return
            if self._failing:
                _log.warning("the server answers again; reports of task %s continue", self._task)
                self._failing = False
                waits = backoff(0.1, longest=10.0)
            self._note()

    def _sleep(self) -> None:
        """Until there is something to send, at most a period."""
        with suppress(Empty):
            self._turn.get(timeout=self.period)
            while True:
                self._turn.get_nowait()

    def _note(self) -> None:
        with self._change:
            self._change.notify_all()

    def _lost(self, error: TrialbookError) -> None:
        if not self._failing:
            _log.warning("%s Reports are kept on this host and sent later; your program continues.", error)
        self._failing = True

    def _pause(self, seconds: float) -> None:
        # A flush must not cut the pause short again and again while the server is away, a stop must.
        end = time.monotonic() + seconds
        while not self._stopping and (left := end - time.monotonic()) > 0:
            with self._change:
                self._change.wait_for(lambda: self._stopping, left)
