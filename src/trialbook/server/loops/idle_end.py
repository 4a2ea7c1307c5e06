"""Ends a server that nobody uses, so that a private one does not stay for ever."""

import logging
from collections.abc import Callable

_log = logging.getLogger("trialbook.server")


class IdleEnd:
    """One round ends the server when it was not used for long enough and no task runs.

    A run that sleeps for longer than that sends nothing; its task is in progress nevertheless, until it ends or the
    watchdog finds it silent.

    Args:
        running: whether any task runs.
        idle_seconds: how long ago the server was last used.
        limit: seconds.
        end: asks the server to stop.
    """

    def __init__(
        self,
        running: Callable[[], bool],
        idle_seconds: Callable[[], float],
        limit: float,
        end: Callable[[], None],
    ) -> None:
        self._running = running
        self._idle_seconds = idle_seconds
        self._limit = limit
        self._end = end

    def __call__(self) -> bool:
        """False: it need not run again at once."""
        if self._idle_seconds() < self._limit:
            return False
        if self._running():
            return False
        # Someone may have come while the tasks were read.
        if self._idle_seconds() >= self._limit:
            _log.warning(
                "nobody used this server for %.3g hours, so it ends; the next script starts it again",
                self._limit / 3600,
            )
            self._end()
        return False
