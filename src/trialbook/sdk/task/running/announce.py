"""What ``Task.init`` prints."""

from trialbook.sdk.console import say
from trialbook.sdk.task.running.decide import Move
from trialbook.sdk.task.running.start import DEFERRED, Started


def announce(started: Started, page: str) -> None:
    """Print the task's id, how it came to be, and where to look at it.

    Args:
        started: the task that begins.
        page: address of its results.
    """
    decision, record = started.decision, started.record
    if decision.move is Move.ATTACH:
        return
    how = {
        Move.NEW: "created new task",
        Move.REUSE: "overwriting (reusing) task",
        Move.CONTINUE: "continuing task",
    }[decision.move]
    say(f"Trialbook task: {how} id={record.id}")
    if started.kept:
        say(
            f"Trialbook: the run that it replaces is in the archive, as id={started.kept}; restore it there to keep it"
        )
    if decision.move is Move.CONTINUE:
        say(
            f"Trialbook: iterations continue at {started.offset}. A continued run cannot be reproduced from its record "
            "alone."
        )
    connection = record.connection
    if connection is not None and connection.started:
        say(
            f"Trialbook: no server is configured; your private one was started at {connection.settings.web_host}"
        )
    if connection is not None and (record.document.get("project") or decision.why == DEFERRED):
        # Without a tab the page opens on what there is by then: curves, else the console.
        say(f"Trialbook results page: {page.removesuffix('/output/log')}")
