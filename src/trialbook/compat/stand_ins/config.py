"""Where a program runs."""

from trialbook.sdk.task import Task


def running_remotely() -> bool:
    """Whether an agent runs this program."""
    return not Task.running_locally()
