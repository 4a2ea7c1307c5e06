"""The console by line number, and whether everything has arrived."""

from __future__ import annotations

import re

from trialbook.errors import BadPattern
from trialbook.server.rpc.context import Context
from trialbook.server.rpc.registry import handles
from trialbook.server.stores import journals, logs
from trialbook.wire import events as wire


def _shown(line: logs.Line) -> wire.ConsoleLine:
    number, time, level, stream, text, worker = line
    return wire.ConsoleLine(
        number=number, time=time / 1e6, level=level, stream=stream, text=text, worker=worker
    )


@handles("logs.range")
def read_lines(context: Context, ask: wire.ReadLines) -> wire.LinesReply:
    """Lines by number."""
    context.services.events.require(context.connection, ask.task)
    total = logs.totals(context.connection, ask.task).lines
    start = max(0, total + ask.start) if ask.start < 0 else ask.start
    found = logs.lines(context.connection, ask.task, start, start + ask.count)
    return wire.LinesReply(lines=[_shown(line) for line in found], total=total)


@handles("logs.search")
def search(context: Context, ask: wire.SearchLines) -> wire.SearchReply:
    """Lines that match."""
    context.services.events.require(context.connection, ask.task)
    try:
        pattern = re.compile(
            ask.text if ask.regex else re.escape(ask.text), 0 if ask.match_case else re.IGNORECASE
        )
    except (re.error, RecursionError, OverflowError) as error:
        raise BadPattern(f"{ask.text!r} is not a regular expression: {error}", field="text") from None
    total = logs.totals(context.connection, ask.task).lines
    found = logs.search(context.connection, ask.task, pattern, ask.start, ask.limit)
    return wire.SearchReply(
        lines=[_shown(line) for line in found.hits], count=found.total, total=total, next_line=found.next_line
    )


@handles("journals.status")
def status(context: Context, ask: wire.TasksAsk) -> wire.JournalsReply:
    """The journals of tasks."""
    held: dict[str, list[wire.JournalStatus]] = {owner: [] for owner in ask.tasks}
    for row in journals.of_owners(context.connection, ask.tasks):
        held[row.owner].append(
            wire.JournalStatus(
                journal=row.id,
                host=row.host,
                pid=row.pid,
                acked=row.acked,
                backlog=row.backlog,
                first_seen=row.first_seen,
                last_seen=row.last_seen,
                losses=[wire.Loss(**loss) for loss in row.losses],
            )
        )
    return wire.JournalsReply(tasks=[_status(owner, found) for owner, found in held.items()])


def _status(owner: str, found: list[wire.JournalStatus]) -> wire.TaskJournals:
    backlog = sum(one.backlog for one in found)
    lost = sum(loss.count for one in found for loss in one.losses)
    return wire.TaskJournals(
        task=owner, complete=not backlog and not lost, backlog=backlog, lost=lost, journals=found
    )
