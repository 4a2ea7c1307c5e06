"""The console by line number, and whether everything has arrived."""

from __future__ import annotations

from trialbook.server.rpc.registry import handles
from trialbook.server.services.bundle import Services
from trialbook.server.services.call import Call
from trialbook.wire import logs as wire
from trialbook.wire.events import EventsReply, TasksAsk
from trialbook.wire.table import RawReply


@handles("events.get_task_log")
def get_task_log(services: Services, call: Call, ask: wire.GetTaskLog) -> EventsReply:
    """Console reports: the latest ones, unless ``navigate_earlier`` is false."""
    return services.logs.get_task_log(call, ask)


@handles("events.download_task_log")
def download_task_log(services: Services, call: Call, ask: wire.DownloadTaskLog) -> RawReply:
    """The console as a file."""
    return services.logs.download_task_log(call, ask)


@handles("events.clear_task_log")
def clear_task_log(services: Services, call: Call, ask: wire.ClearTaskLog) -> wire.LogCleared:
    """Forget the console, or its older part."""
    return services.logs.clear_task_log(call, ask)


@handles("logs.range")
def read_lines(services: Services, call: Call, ask: wire.ReadLines) -> wire.LinesReply:
    """Lines by number."""
    return services.logs.read_lines(call, ask)


@handles("logs.search")
def search(services: Services, call: Call, ask: wire.SearchLines) -> wire.SearchReply:
    """Lines that match."""
    return services.logs.search(call, ask)


@handles("journals.status")
def status(services: Services, call: Call, ask: TasksAsk) -> wire.JournalsReply:
    """The journals of tasks."""
    return services.logs.status(call, ask)
