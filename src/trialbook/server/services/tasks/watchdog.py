"""A running task that gives no sign of life is stopped, so that the page does not show a dead run as running."""

from trialbook.base.clock import Clock
from trialbook.server.core.hub import Hub
from trialbook.server.services.call import Call
from trialbook.server.services.tasks.lifecycle import Lifecycle
from trialbook.server.stores.database import Database
from trialbook.server.stores.tasks import TaskStore

REASON = "Forced stop (non-responsive)"


class Watchdog:
    """One round looks at up to a hundred tasks.

    Args:
        database, tasks, lifecycle, hub: what it works with.
        clock: now.
        silence: seconds without a sign of life.
    """

    def __init__(
        self,
        database: Database,
        tasks: TaskStore,
        lifecycle: Lifecycle,
        hub: Hub,
        clock: Clock,
        silence: float,
    ) -> None:
        self._database = database
        self._tasks = tasks
        self._lifecycle = lifecycle
        self._hub = hub
        self._clock = clock
        self._silence = silence

    def __call__(self) -> bool:
        """Stop silent tasks; True when there may be more."""
        now = self._clock()
        with self._database.read() as connection:
            silent = self._tasks.silent(connection, now - self._silence)
        for id in silent:
            call = Call.of_loop(self._database, now, "watchdog")
            with call.write() as connection:
                # It may have spoken since it was listed.
                if id not in self._tasks.silent(connection, now - self._silence, only=id):
                    continue
                self._lifecycle.ended(call, id, "stopped", force=False, reason=REASON, message=REASON)
            call.changes.tell(self._hub.publish)
        return len(silent) >= 100
