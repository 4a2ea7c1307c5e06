"""The console by line number, and whether everything has arrived."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from trialbook.base.clock import iso
from trialbook.server.core.patterns import program, quoted
from trialbook.server.series import listing
from trialbook.server.services.call import Call
from trialbook.server.services.changes import progressed
from trialbook.server.services.events import Events
from trialbook.server.stores import journals, log_search, logs
from trialbook.server.stores.database import Database
from trialbook.wire import logs as wire
from trialbook.wire.events import EventsReply, TasksAsk
from trialbook.wire.table import RawReply

_DOWNLOADED_AT_ONCE = 2_000


class Logs:
    """Reads the console of runs.

    Args:
        events: knows whose console there is.
    """

    def __init__(self, events: Events) -> None:
        self._events = events

    def get_task_log(self, call: Call, ask: wire.GetTaskLog) -> EventsReply:
        """Console reports: the latest ones, unless ``navigate_earlier`` is false."""
        connection = call.connection
        self._events.require(connection, ask.task)
        held = logs.totals(connection, ask.task)
        first, end = held.first_entry, held.entries
        if ask.from_timestamp is not None:
            read = logs.before if ask.navigate_earlier else logs.after
            found = read(connection, ask.task, int(ask.from_timestamp), ask.batch_size)
        elif ask.navigate_earlier:
            found = logs.entries(connection, ask.task, max(first, end - ask.batch_size), end)
        else:
            found = logs.entries(connection, ask.task, first, first + ask.batch_size)
        order = ask.order or ("desc" if ask.navigate_earlier else "asc")
        shown = [listing.log_document(ask.task, entry, worker) for entry, worker in found]
        if order == "desc":
            shown.reverse()
        return EventsReply(events=shown, returned=len(shown), total=end - first)

    def download_task_log(self, call: Call, ask: wire.DownloadTaskLog) -> RawReply:
        """The console as a file."""
        with call.read() as connection:
            self._events.require(connection, ask.task)
            held = logs.totals(connection, ask.task)
        name = f"task_{ask.task}.log"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        parts = _written(call.database, ask, held.first_entry, held.entries)
        return RawReply("text/plain; charset=utf-8", parts, headers)

    def clear_task_log(self, call: Call, ask: wire.ClearTaskLog) -> wire.LogCleared:
        """Forget the console, or its older part."""
        before = round((call.now - ask.threshold_sec) * 1e6) if ask.threshold_sec else None

        def forget(_: Sequence[str]) -> list[int]:
            self._events.require_open(call.connection, ask.task, False, ask.allow_locked, call.caller)
            return [logs.forget(call.connection, ask.task, before)]

        deleted = 0
        while gone := sum(call.in_slices([ask.task], forget)):
            deleted += gone
        progressed(call, "task", ask.task, ["log"])
        return wire.LogCleared(deleted=deleted)

    def read_lines(self, call: Call, ask: wire.ReadLines) -> wire.LinesReply:
        """Lines by number."""
        self._events.require(call.connection, ask.task)
        held = logs.totals(call.connection, ask.task)
        start = max(held.first_line, held.lines + ask.start if ask.start < 0 else ask.start)
        found = logs.lines(call.connection, ask.task, start, start + ask.count)
        return wire.LinesReply(
            lines=[_shown(line) for line in found], total=held.lines, first=held.first_line
        )

    def search(self, call: Call, ask: wire.SearchLines) -> wire.SearchReply:
        """Lines that match."""
        self._events.require(call.connection, ask.task)
        wanted = ask.text if ask.regex else quoted(ask.text)
        pattern = program(wanted if ask.match_case else f"(?i){wanted}")
        total = logs.totals(call.connection, ask.task).lines
        text = None if ask.regex else ask.text
        found = log_search.search(call.connection, ask.task, pattern, text, ask.start, ask.limit)
        return wire.SearchReply(
            lines=[_shown(line) for line in found.hits],
            count=found.total,
            total=total,
            next_line=found.next_line,
        )

    def status(self, call: Call, ask: TasksAsk) -> wire.JournalsReply:
        """The journals of tasks."""
        held: dict[str, list[wire.JournalStatus]] = {owner: [] for owner in ask.tasks}
        for row in journals.of_owners(call.connection, ask.tasks):
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


def _shown(line: logs.Line) -> wire.ConsoleLine:
    number, time, level, stream, text, worker = line
    return wire.ConsoleLine(
        number=number, time=time / 1e6, level=level, stream=stream, text=text, worker=worker
    )


def _written(database: Database, ask: wire.DownloadTaskLog, start: int, end: int) -> Iterator[bytes]:
    """The file, some entries at a time: each read has a snapshot of its own, because entries never change and a slow
    client must not hold one open."""
    for at in range(start, end, _DOWNLOADED_AT_ONCE):
        with database.read() as connection:
            found = logs.entries(connection, ask.task, at, min(at + _DOWNLOADED_AT_ONCE, end))
        rows = []
        for entry, worker in found:
            document = listing.log_document(ask.task, entry, worker)
            if ask.line_type == "json":
                rows.append(msgspec.json.encode(document))
            else:
                rows.append(_line(ask.line_format, {**document, "asctime": iso(entry.time / 1e6)}).encode())
        rows.append(b"")
        yield b"\n".join(rows)


def _line(form: str, values: dict[str, Any]) -> str:
    # Not str.format: a format text from the network could read attributes.
    for name, value in values.items():
        form = form.replace(f"{{{name}}}", str(value)) if name != "msg" else form
    return form.replace("{msg}", values["msg"])


def _status(owner: str, found: list[wire.JournalStatus]) -> wire.TaskJournals:
    backlog = sum(one.backlog for one in found)
    lost = sum(loss.count for one in found for loss in one.losses)
    return wire.TaskJournals(
        task=owner, complete=not backlog and not lost, backlog=backlog, lost=lost, journals=found
    )
