"""The one main task of this process."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trialbook.sdk.task import Task

_main: "Task | None" = None


def main_task() -> "Task | None":
    """The task that ``Task.init`` returned and that is not closed."""
    return _main


def set_main_task(task: "Task | None") -> None:
    """Only the life-cycle calls this."""
    global _main
    _main = task
