"""What ``Task.init`` prints."""

from typing import TYPE_CHECKING

from trialbook.sdk.console import say
from trialbook.sdk.task.decide import Decision, Move
from trialbook.sdk.task.start import DEFERRED

if TYPE_CHECKING:
    from trialbook.sdk.task import Task


def announce(task: "Task", decision: Decision, offset: int, kept: str = "") -> None:
    """Print the task's id, how it came to be, and where to look at it.

    Args:
        task: that begins.
        decision: of ``Task.init``.
        offset: of iterations.
        kept: id of the archived task that has the results of the run that this one replaces.
    """
    if decision.move is Move.ATTACH:
        return
    how = {
        Move.NEW: "created new task",
        Move.REUSE: "overwriting (reusing) task",
        Move.CONTINUE: "continuing task",
    }[decision.move]
    say(f"Trialbook task: {how} id={task.id}")
    if kept:
        say(
            f"Trialbook: the run that it replaces is in the archive, as id={kept}; restore it there to keep it"
        )
    if decision.move is Move.CONTINUE:
        say(
            f"Trialbook: iterations go on at {offset}. A continued run cannot be reproduced from its record alone."
        )
    connection = task._record.connection
    if connection is not None and connection.started:
        say(
            f"Trialbook: no server is configured; your private one was started at {connection.settings.web_host}"
        )
    if connection is not None and (task._record.document.get("project") or decision.why == DEFERRED):
        # Without a tab the page opens on what there is by then: curves, else the console.
        say(f"Trialbook results page: {task.get_output_log_web_page().removesuffix('/output/log')}")
