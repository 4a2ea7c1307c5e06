"""What a project held that was deleted by a server which then ended."""

import time

from trialbook.base.clock import Clock
from trialbook.server.core.hub import Hub
from trialbook.server.services.call import Call
from trialbook.server.services.projects.tree import Tree
from trialbook.server.stores import leaving
from trialbook.server.stores.database import Database

_SECONDS = 1.0


class Leaving:
    """One round goes on with it for a while.

    Args:
        database, tree, hub: what it works with.
        clock: now.
    """

    def __init__(self, database: Database, tree: Tree, hub: Hub, clock: Clock) -> None:
        self._database = database
        self._tree = tree
        self._hub = hub
        self._clock = clock

    def __call__(self) -> bool:
        """Clear; True when there is more."""
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            with self._database.read() as connection:
                project = leaving.oldest(connection)
            if project is None:
                return False
            call = Call.of_loop(self._database, self._clock(), "projects.delete")
            with call.write():
                self._tree.follow(call, project)
            call.changes.tell(self._hub.publish)
        return True
