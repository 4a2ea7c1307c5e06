"""Wire types and methods of the console, and of journals: whether everything has arrived."""

from typing import Annotated, Literal

import msgspec

from trialbook.wire.events import EventsReply, TasksAsk
from trialbook.wire.table import METHODS, Permission, RawReply, owners, reads, writes


class GetTaskLog(msgspec.Struct, frozen=True, kw_only=True):
    """Console reports. ``from_timestamp`` (milliseconds) is not included itself."""

    task: str
    batch_size: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 500
    order: Literal["asc", "desc"] | None = None
    navigate_earlier: bool = True
    from_timestamp: float | None = None


class DownloadTaskLog(msgspec.Struct, frozen=True, kw_only=True):
    """The whole console as a file: lines of text, or of JSON."""

    task: str
    line_type: Literal["text", "json"] = "text"
    line_format: str = "{asctime} {worker} {level} {msg}"


class ClearTaskLog(msgspec.Struct, frozen=True, kw_only=True):
    """``threshold_sec``: what is younger stays; 0 or absent forgets everything."""

    task: str
    threshold_sec: Annotated[float, msgspec.Meta(ge=0)] | None = None
    allow_locked: bool = False


class LogCleared(msgspec.Struct, frozen=True, kw_only=True):
    """How many reports were forgotten."""

    deleted: int


class ReadLines(msgspec.Struct, frozen=True, kw_only=True):
    """Console lines by number, from 0; a negative ``start`` counts from the end."""

    task: str
    start: int = 0
    count: Annotated[int, msgspec.Meta(ge=1, le=20_000)] = 1000


class ConsoleLine(msgspec.Struct, frozen=True, kw_only=True):
    """``number`` never changes; ``time`` in seconds; level 10 debug … 50 critical; stream 0 report_text, 1
    stdout, 2 stderr, 3 logging."""

    number: int
    time: float
    level: int
    stream: int
    text: str
    worker: str


class LinesReply(msgspec.Struct, frozen=True, kw_only=True):
    """Lines in order; the console has lines ``first`` (0, unless older ones were forgotten) to ``total``, not
    included."""

    lines: list[ConsoleLine]
    total: int
    first: int = 0


class SearchLines(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of a console that contain a text, or match a regular expression."""

    task: str
    text: str
    regex: bool = False
    match_case: bool = False
    start: Annotated[int, msgspec.Meta(ge=0)] = 0
    limit: Annotated[int, msgspec.Meta(ge=0, le=5000)] = 200


class SearchReply(msgspec.Struct, frozen=True, kw_only=True):
    """``count`` lines match in what was searched; ``next_line`` says where to go on when time was over
    before the end."""

    lines: list[ConsoleLine]
    count: int
    total: int
    next_line: int | None = None


class Loss(msgspec.Struct, frozen=True, kw_only=True):
    """Reports that were left out: what kind, how many, why, and where: ``began`` and ``ended`` are seconds since the
    epoch, ``first`` and ``last`` the iterations between which it was."""

    kind: str
    count: int
    why: str
    began: float | None = None
    ended: float | None = None
    first: int | None = None
    last: int | None = None


class JournalStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One journal: ``backlog`` is how many bytes its host still held when it last sent; moments in
    seconds."""

    journal: str
    host: str
    pid: int
    acked: int
    backlog: int
    first_seen: float
    last_seen: float
    losses: list[Loss]


class TaskJournals(msgspec.Struct, frozen=True, kw_only=True):
    """The journals of a task; ``complete`` when none has a backlog and nothing was dropped."""

    task: str
    complete: bool
    backlog: int
    lost: int
    journals: list[JournalStatus]


class JournalsReply(msgspec.Struct, frozen=True, kw_only=True):
    """By task, in the order of the request."""

    tasks: list[TaskJournals]


reads("events.get_task_log", owners("task"), GetTaskLog, EventsReply, "Console reports of a task.")


METHODS.add(
    "events.download_task_log",
    access=owners("task"),
    request=DownloadTaskLog,
    reply=RawReply,
    permit=Permission.READ,
    transaction="own",
    summary="The whole console of a task as a file.",
)


reads("logs.range", owners("task"), ReadLines, LinesReply, "Console lines by number.")


reads("logs.search", owners("task"), SearchLines, SearchReply, "Search the whole console of a task.")


reads(
    "journals.status",
    owners("tasks"),
    TasksAsk,
    JournalsReply,
    "Whether everything that was reported has arrived.",
)


writes(
    "events.clear_task_log",
    owners("task"),
    ClearTaskLog,
    LogCleared,
    "Forget the console of a task, or its older part.",
    "2.19",
    "slices",
)
