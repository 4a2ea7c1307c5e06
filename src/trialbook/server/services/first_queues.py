"""The queues that every server has from its first start."""

from trialbook.base.clock import Clock
from trialbook.base.ids import new_id
from trialbook.server.stores.database import Database
from trialbook.server.stores.queues import QueueStore
from trialbook.server.stores.users import UserStore

NAMES = ("default", "services")
"""Users of the reference enqueue to them without making them first."""

_MADE = "first_queues"


def make_first_queues(database: Database, queues: QueueStore, users: UserStore, clock: Clock) -> None:
    """Make what is missing of them, once: a queue that an administrator deletes stays deleted."""
    with database.write() as connection:
        if users.shared_value(connection, _MADE) is not None:
            return
        users.set_shared_value(connection, _MADE, "1")
        for name in NAMES:
            if queues.find_by_name(connection, name) is None:
                now = clock()
                values = {"id": new_id(), "name": name, "user": None, "created": now, "last_update": now}
                queues.insert(connection, {**values, "tags": [], "system_tags": []})
