"""How long the end of a run waits for its server."""

import time

from trialbook.journal.delivery import Transport
from trialbook.journal.shipper import Shipper

_AWAY_SECONDS, _AGAIN_SECONDS = 1.5, 0.2
_SILENT_SECONDS = 0.6
_ANSWER_SECONDS = 0.9


class Patience:
    """How long to wait for a server: to the end of the time when it works, shortly when it is gone."""

    def __init__(
        self, shipper: Shipper, transport: Transport | None, timeout: float, patient: bool, again: bool
    ) -> None:
        self.gave_up = again
        self._away_seconds = _AGAIN_SECONDS if again else _AWAY_SECONDS
        self._shipper = shipper
        self._transport = transport
        self._patient = patient
        self._began = self._moved = time.monotonic()
        self._end = self._began + timeout
        self._acked = -1
        self._asked = False

    @property
    def next(self) -> float:
        """Seconds to wait before looking again."""
        left = max(0.0, self._end - time.monotonic())
        return left if self._patient else min(left, 0.1)

    def is_over(self, acked: int) -> bool:
        """Whether waiting on is of no use."""
        now = time.monotonic()
        if now >= self._end:
            return True
        if self._patient:
            return False
        if acked != self._acked:
            self._acked, self._moved = acked, now
        if self._shipper.failing:
            self.gave_up = now - self._began > self._away_seconds
            return self.gave_up
        if now - self._moved > _SILENT_SECONDS and not self._asked and self._transport is not None:
            # A dead link and a server that hangs show only by silence. A busy server is silent as well, but answers a
            # small question.
            self._asked = True
            if not self._transport.reachable(_ANSWER_SECONDS):
                self._shipper.presume_failing()
                self.gave_up = True
                return True
        return False
