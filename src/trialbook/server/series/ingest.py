"""A journal's body into the database: exactly once, in order. The rules are in docs/design/journal.md."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError

from trialbook.base.guard import guard
from trialbook.base.unicode import storable
from trialbook.errors import BadRequest, JournalGap, TaskRace, WireError
from trialbook.server.core.numeric import np
from trialbook.server.series.arrivals import LOGGING, Arrivals, Collector, Ready, Written, microseconds, write
from trialbook.server.series.columns import Points
from trialbook.server.series.decode import UNNAMED, Header, Run, Span, spans
from trialbook.server.series.store import Numbers, Prepared, prepare
from trialbook.server.stores import journals
from trialbook.server.stores.database import Database
from trialbook.server.stores.logs import Entry
from trialbook.wire.events import AddPointsReply, Event
from trialbook.wire.logs import Loss

_WARNING = 30
_LONGEST_CONTENT = 4000


class Owners(Protocol):
    """What the door needs to know about tasks and models."""

    def require_open(self, connection: Connection, owner: str, is_model: bool, allow_locked: bool) -> None:
        """Raise when nothing may be added to it."""

    def arrived(
        self, connection: Connection, owner: str, is_model: bool, last_iteration: int | None, worker: str
    ) -> None:
        """Something was added."""


@dataclass(frozen=True, slots=True)
class Known:
    """What this process remembers of a journal: the offset that it has reached, and what its numbers mean."""

    acked: int
    names: dict[int, tuple[str, str]]


class Journals:
    """A cache of ``Known``; whoever uses an entry compares its offset with the locked row."""

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Known] = OrderedDict()

    def get(self, journal: str) -> Known | None:
        """What was remembered."""
        with self._lock:
            return self._known.get(journal)

    def keep(self, journal: str, known: Known) -> None:
        """Remember what has been committed."""
        with self._lock:
            self._known[journal] = known
            self._known.move_to_end(journal)
            while len(self._known) > self._most:
                self._known.popitem(last=False)

    def load(self, database: Database, journal: str) -> Known:
        """Read it from the database."""
        with database.read() as connection:
            query = sa.select(journals.journal.c.acked).where(journals.journal.c.id == journal)
            acked = connection.execute(query).scalar()
            return Known(acked or 0, journals.names(connection, journal))


@dataclass(slots=True)
class Step:
    """A span with the work done that needs no lock."""

    span: Span
    points: Prepared | None
    others: list[Ready]


@dataclass(slots=True)
class Plan:
    """A body, decoded from the offset that the journal was believed to have reached."""

    header: Header
    length: int
    known: Known
    names: dict[int, tuple[str, str]]
    defined: dict[int, tuple[str, str]]
    steps: list[Step]
    problem: BadRequest | None = None


def plan(header: Header, frames: memoryview, known: Known, worker: str, now: float) -> Plan:
    """Decode, group and pack everything that is new to the server.

    Frames that are damaged, or use a series that was never defined, become the plan's ``problem``: what is
    known of the journal may be out of date, and only ``apply`` can tell.
    """
    ready = Plan(header, len(frames), known, dict(known.names), {}, [])
    skip = max(0, known.acked - header.first)
    try:
        for span in spans(frames, skip) if skip < len(frames) else ():
            ready.steps.append(_step(ready, span, worker, now))
    except BadRequest as problem:
        ready.problem = problem
    return ready


def _step(ready: Plan, span: Span, worker: str, now: float) -> Step:
    task = ready.header.task
    fresh = {local: (storable(metric), storable(variant)) for local, (metric, variant) in span.names.items()}
    ready.names.update(fresh)
    ready.defined.update(fresh)
    points = _points(task, ready, span.run(), now) if span.count else None
    collector = Collector(worker, now)
    for event in span.events:
        _collect(collector, task, event)
    _console(collector, task, span, worker, now)
    return Step(span, points, [arrivals.prepare() for arrivals in collector.owners.values()])


def _points(task: str, ready: Plan, run: Run, now: float) -> Prepared:
    names = ready.names
    locals_ = _distinct(run.local)
    unknown = [local for local in locals_ if local not in names]
    if unknown and UNNAMED in names:
        # What they were called was damaged with the rest; the values are shown all the same.
        called = {local: (names[UNNAMED][0], f"series {local}") for local in unknown}
        names.update(called)
        ready.defined.update(called)
        unknown = []
    if unknown:
        raise BadRequest(
            f"series {unknown[0]} was never defined in this journal: its SERIES frame must come first"
        )
    places: dict[tuple[str, str], int] = {}
    table = np.zeros(max(locals_) + 1 if max(locals_) < 2**22 else 1, np.int64)
    if len(table) > 1 or locals_ == [0]:
        table[locals_] = [places.setdefault(names[local], len(places)) for local in locals_]
        index = table[run.local]
    else:
        which = {local: places.setdefault(names[local], len(places)) for local in locals_}
        index = np.array([which[local] for local in run.local.tolist()], np.int64)
    seconds = run.seconds
    # Not a number compares false, so it becomes the server's time as well.
    sane = np.abs(seconds) < 9.0e12
    if not bool(sane.all()):
        seconds = np.where(sane, seconds, now)
    time = np.rint(seconds * 1e6).astype(np.int64)
    return prepare(task, False, list(places), index, Points(run.iteration, time, run.value))


def _distinct(local: Any) -> list[int]:
    most = int(local.max())
    if most >= 2**22:
        return [int(number) for number in np.unique(local)]
    seen = np.zeros(most + 1, bool)
    seen[local] = True
    return [int(number) for number in np.flatnonzero(seen)]


def _collect(collector: Collector, task: str, value: dict[str, Any]) -> None:
    try:
        event = msgspec.convert(value, Event, strict=False)
    except msgspec.ValidationError as error:
        collector.refuse(f"invalid event: {error}")
        return
    # Everything in a journal belongs to its task, except what names a model.
    owner = event.task if event.model_event and event.task else task
    collector.take(msgspec.structs.replace(event, task=owner, allow_locked=False))


def _console(collector: Collector, task: str, span: Span, worker: str, now: float) -> None:
    """The console text of a span, its losses, and the events that could not be taken, as console entries."""
    found = [Entry(microseconds(text.time, now), text.level, text.stream, text.text) for text in span.texts]
    moment = round(now * 1e6)
    for loss in span.losses:
        place = f" (iterations {loss.first} to {loss.last})" if loss.first is not None else ""
        text = f"{loss.count} reports of kind {loss.kind} were dropped: {loss.why}{place}"
        found.append(Entry(moment, _WARNING, LOGGING, text))
    for why, many in collector.errors.items():
        found.append(Entry(moment, _WARNING, LOGGING, f"{many} reports could not be stored: {why}"))
    if found:
        arrivals = collector.owners.setdefault((task, False), Arrivals(task, False))
        arrivals.entries.setdefault(worker, []).extend(found)


class Stale(Exception):
    """The journal has moved since the plan was made: make it again from what is known now."""

    def __init__(self, known: Known) -> None:
        super().__init__("the journal has moved")
        self.known = known


@dataclass(slots=True)
class Outcome:
    """What applying a plan did; ``known`` is None when it was nothing new."""

    reply: AddPointsReply
    known: Known | None
    kinds: dict[str, list[str]] = field(default_factory=dict)
    remember: list[tuple[Prepared, list[int]]] = field(default_factory=list)


def apply(
    connection: Connection,
    ready: Plan,
    numbers: Numbers,
    owners: Owners,
    call: Callable[[str, dict[str, Any]], Any],
    worker: str,
    now: float,
    last_try: bool = False,
) -> Outcome:
    """Write a plan.

    Args:
        connection: of a write transaction.
        ready: the plan.
        numbers: this process's cache of series numbers.
        owners: tasks and models.
        call: runs a method in this transaction, undoing it when it is refused.
        worker: who sends.
        now: seconds.
        last_try: a call that meets another transaction is refused then, where it would have the body tried
        again.

    Raises:
        JournalGap: frames before the first one are missing.
        Stale: the journal is not where the plan believed it to be.
        BadRequest: the frames are damaged, or use a series that was never defined.
        WireError: the task does not exist, or nothing may be added to it.
    """
    header = ready.header
    row, fresh = journals.lock(connection, header.journal, header.task, now)
    if row.owner != header.task:
        raise BadRequest(f"journal {header.journal} belongs to task {row.owner}, not to {header.task}")
    if header.first > row.acked:
        text = f"the server has the frames before {row.acked}, this body starts at {header.first}"
        raise JournalGap(text, expected=row.acked)
    end = header.first + ready.length
    if end <= row.acked:
        if fresh:
            owners.require_open(connection, header.task, False, False)
        _touch(connection, header, row.acked, row.losses, now, None)
        return Outcome(AddPointsReply(acked=row.acked), None)
    if row.acked != ready.known.acked:
        raise Stale(Known(row.acked, journals.names(connection, header.journal)))
    if ready.problem is not None:
        raise ready.problem
    writer = _Writer(
        connection, ready, numbers, owners, call, worker, now, allow_locked=not fresh, last_try=last_try
    )
    warnings = writer.run()
    journals.define(connection, header.journal, ready.defined)
    losses = [loss for step in ready.steps for loss in step.span.losses]
    _touch(connection, header, end, row.losses, now, losses)
    reply = AddPointsReply(
        acked=end,
        points=sum(step.span.count for step in ready.steps),
        events=sum(len(step.span.events) for step in ready.steps),
        texts=sum(len(step.span.texts) for step in ready.steps),
        calls=sum(step.span.call is not None for step in ready.steps) - len(warnings),
        warnings=warnings,
    )
    return Outcome(reply, Known(end, ready.names), writer.kinds, writer.remember)


def total(replies: list[AddPointsReply]) -> AddPointsReply:
    """One reply for the slices of a body."""
    return AddPointsReply(
        acked=replies[-1].acked,
        points=sum(one.points for one in replies),
        events=sum(one.events for one in replies),
        texts=sum(one.texts for one in replies),
        calls=sum(one.calls for one in replies),
        warnings=[why for one in replies for why in one.warnings],
    )


def _touch(
    connection: Connection,
    header: Header,
    acked: int,
    losses: Any,
    now: float,
    more: list[Loss] | None,
) -> None:
    values: dict[str, Any] = {
        "acked": acked,
        "host": storable(header.host),
        "pid": header.pid,
        "backlog": max(0, header.backlog),
        "last_seen": now,
    }
    if more:
        values["losses"] = journals.add_losses(losses, more)
    table = journals.journal
    connection.execute(sa.update(table).where(table.c.id == header.journal).values(values))


def _content(params: dict[str, Any]) -> str:
    """What a call held that was refused: nothing that somebody reported is gone without a trace."""
    text = msgspec.json.encode(params).decode()
    return text if len(text) <= _LONGEST_CONTENT else f"{text[:_LONGEST_CONTENT]}…"


class _Writer:
    """Applies the steps of a plan in order."""

    def __init__(
        self,
        connection: Connection,
        ready: Plan,
        numbers: Numbers,
        owners: Owners,
        call: Callable[[str, dict[str, Any]], Any],
        worker: str,
        now: float,
        allow_locked: bool,
        last_try: bool,
    ) -> None:
        self._connection = connection
        self._plan = ready
        self._numbers = numbers
        self._owners = owners
        self._call = call
        self._worker = worker
        self._now = now
        self._allow_locked = allow_locked
        self._last_try = last_try
        self._open: set[tuple[str, bool]] = set()
        self.kinds: dict[str, list[str]] = {}
        self.remember: list[tuple[Prepared, list[int]]] = []

    def run(self) -> list[str]:
        """Write everything; the refusals of calls, as texts."""
        task = self._plan.header.task
        warnings: list[str] = []
        for step in self._plan.steps:
            readies = [Ready(Arrivals(task, False), step.points, None)] if step.points is not None else []
            for ready in (*readies, *step.others):
                self._write(ready)
            if step.span.call is not None:
                why = self._run_call(step.span.call.method, step.span.call.params)
                if why:
                    warnings.append(why)
                    arrivals = Arrivals(task, False)
                    moment = round(self._now * 1e6)
                    text = f"{why}. What it said: {_content(step.span.call.params)}"
                    arrivals.entries[self._worker] = [Entry(moment, _WARNING, LOGGING, text)]
                    self._write(arrivals.prepare())
        return warnings

    def _run_call(self, method: str, params: dict[str, Any]) -> str | None:
        held: WireError | DBAPIError | None = None
        done = False
        # A method that fails because of a mistake in it, or of a value that the database cannot hold, must
        # not hold up the stream for ever. The database itself failing is another matter: then the whole body
        # fails and is sent again.
        with guard(f"journal call {method}"):
            try:
                self._call(method, params)
            except (WireError, InternalError, InterfaceError, OperationalError) as error:
                held = error
            done = True
        if isinstance(held, TaskRace) and not self._last_try:
            # Two transactions met; the whole body is tried again from the start.
            raise held
        if isinstance(held, WireError):
            return f"{method} was refused: {held.message}"
        if held is not None:
            raise held
        if not done:
            return f"{method} failed in the server; its log says why"
        self._open.clear()
        return None

    def _check(self, owner: str, is_model: bool) -> None:
        if (owner, is_model) not in self._open:
            # A journal that began before the task was published may end; a new one may not begin.
            self._owners.require_open(self._connection, owner, is_model, self._allow_locked)
            self._open.add((owner, is_model))

    def _write(self, ready: Ready) -> None:
        arrivals = ready.arrivals
        self._check(arrivals.owner, arrivals.is_model)
        done: Written = write(self._connection, self._numbers, ready, self._now)
        self._owners.arrived(
            self._connection, arrivals.owner, arrivals.is_model, done.last_iteration, self._worker
        )
        kinds = self.kinds.setdefault(arrivals.owner, [])
        kinds.extend(kind for kind in done.kinds if kind not in kinds)
        if ready.points is not None and done.numbers:
            self.remember.append((ready.points, done.numbers))
