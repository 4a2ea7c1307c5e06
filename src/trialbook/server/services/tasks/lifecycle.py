"""A task's life, from its start to its deletion."""

from trialbook.server.services.tasks.deletion import Deletion
from trialbook.server.services.tasks.queueing import Queueing


class Lifecycle(Queueing, Deletion):
    """Moves of the status, queues, deletion.

    Args:
        tasks, projects, models, queues: the stores.
        erase: forgets the results of a task.
    """
