"""What comes in: points, console, plots, images. One door for journals, one for the reference's clients."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable
from contextlib import AbstractContextManager
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.base.unicode import storable
from trialbook.errors import EventsNotAdded, ModelReady, ServerFault, TaskRace, WireError
from trialbook.server.series import ingest, lines, slices
from trialbook.server.series.arrivals import Arrivals, Collector, Ready, Written, write
from trialbook.server.series.decode import Header, split
from trialbook.server.series.erase import clear, erase_all
from trialbook.server.series.store import Numbers
from trialbook.server.services import others
from trialbook.server.services.accounts import Caller
from trialbook.server.stores import graves
from trialbook.server.stores.database import Database
from trialbook.server.stores.graves import Buried
from trialbook.server.stores.models import ModelStore
from trialbook.server.stores.tasks import TaskStore, task
from trialbook.wire.events import AddPointsReply, AddReply, Event
from trialbook.wire.table import Permission

_TRIES = 8


class Session(Protocol):
    """The call that brings something."""

    published: list[tuple[str, str, tuple[str, ...]]]

    @property
    def database(self) -> Database: ...
    @property
    def connection(self) -> Connection: ...
    @property
    def caller(self) -> Caller: ...
    @property
    def now(self) -> float: ...
    @property
    def worker(self) -> str: ...
    def publish(self, topic: str, kind: str, keys: Iterable[str] = ()) -> None: ...
    def write(self) -> AbstractContextManager[Connection]: ...
    def call(self, method: str, params: dict[str, Any]) -> Any: ...


class Events:
    """Stores what is reported.

    Args:
        tasks, models: what can be reported to.
    """

    def __init__(self, tasks: TaskStore, models: ModelStore) -> None:
        self._tasks = tasks
        self._models = models
        self._numbers = Numbers()
        self._journals = ingest.Journals()
        # Two requests are decoded at a time, first come first served: sixteen at once would not be done earlier, but
        # each would wait for all.
        self._turns = threading.Semaphore(2)

    def require(self, connection: Connection, owner: str, is_model: bool = False) -> None:
        """Check that a task or model exists.

        Raises:
            TaskNotFound, ModelNotFound: it does not.
        """
        if is_model:
            self._models.require(connection, owner)
        else:
            self._tasks.require(connection, owner, task.c.id)

    def require_open(
        self,
        connection: Connection,
        owner: str,
        is_model: bool,
        allow_locked: bool,
        caller: Caller,
        *,
        at_once: bool = False,
    ) -> None:
        """Check that something may be added, and that nothing of former results is in its way.

        ``at_once`` deletes what is left of former results here and now, however long that takes.

        Raises:
            Buried: former results must be cleared first.
            Forbidden: the caller only runs and reports, and this is somebody else's that has ended.
            TaskNotFound, ModelNotFound: there is no such task or model.
            TaskStatusRefused, ModelReady: it is published.
        """
        if not is_model:
            # Whoever reports to a task takes its row first, so that two of them wait and never block each
            # other.
            self._tasks.get(connection, owner, task.c.id, lock=True)
            self._tasks.require_open(connection, owner, allow_locked)
            if not caller.may(Permission.WRITE):
                others.require_unfinished(connection, caller, [owner])
        elif self._models.require(connection, owner).ready and not allow_locked:
            raise ModelReady(f"model {owner} is published: nothing can be added to it", id=owner)
        first = graves.before(connection, owner)
        if first is not None:
            if not at_once:
                raise Buried(first)
            erase_all(connection, first)

    def add_points(self, session: Session, body: bytes) -> AddPointsReply:
        """Take a journal's body.

        Everything that needs no lock is done before the transaction. When the journal has moved meanwhile
        (the same body came twice, or through another server process), or two transactions met, it starts
        again.
        """
        with self._turns:
            header, frames = split(body)
        worker = storable(session.worker or header.host)
        known = self._journals.get(header.journal) or self._journals.load(session.database, header.journal)
        pieces = slices.of_journal(header, frames)
        plans: list[ingest.Plan] = []
        with self._turns:
            at = known
            for piece in pieces if len(pieces) > 1 else ():
                plans.append(ingest.plan(*piece, at, worker, session.now))
                end = piece[0].first + len(piece[1])
                at = ingest.Known(max(at.acked, end), plans[-1].names)
        if any(one.problem is not None for one in plans):
            # What is damaged is refused as a whole.
            pieces, plans = [(header, frames)], []
        replies = []
        for number, piece in enumerate(pieces):
            replies.append(self._take_piece(session, *piece, known, worker, plans[number] if plans else None))
            if number + 1 == len(pieces):
                break
            moved = self._journals.get(header.journal)
            if plans and (moved is None or moved.names is not plans[number].names):
                # Others write the same journal: what was planned from here on may be out of date.
                plans = []
            known = moved or self._journals.load(session.database, header.journal)
        return ingest.total(replies)

    def _take_piece(
        self,
        session: Session,
        header: Header,
        frames: memoryview,
        known: ingest.Known,
        worker: str,
        planned: ingest.Plan | None,
    ) -> AddPointsReply:
        told = len(session.published)
        at_once: set[str] = set()
        for attempt in range(_TRIES):
            ready = planned
            if ready is None:
                with self._turns:
                    ready = ingest.plan(header, frames, known, worker, session.now)
            planned = None
            arrivals = _Owners(self, self._tasks, session, at_once)
            try:
                with session.write() as connection:
                    outcome = ingest.apply(
                        connection,
                        ready,
                        self._numbers,
                        arrivals,
                        session.call,
                        worker,
                        session.now,
                        last_try=attempt + 1 == _TRIES,
                    )
            except ingest.Stale as stale:
                known = stale.known
            except Buried as found:
                del session.published[told:]
                if not clear(session.database, found.owner):
                    # It was reset by a call in this very body, which no other transaction sees.
                    at_once.add(found.owner)
                known = self._journals.load(session.database, header.journal)
            except (sa.exc.DBAPIError, TaskRace) as error:
                del session.published[told:]
                if not (isinstance(error, TaskRace) or _met(error)):
                    raise
                known = self._journals.load(session.database, header.journal)
            else:
                if outcome.known is not None:
                    self._journals.keep(header.journal, outcome.known)
                for prepared, numbers in outcome.remember:
                    self._numbers.remember(prepared.owner, prepared.names, numbers)
                self._tell(session, outcome.kinds, arrivals.projects)
                return outcome.reply
        # 500 and not 400: a shipper gives up on a refusal, and nothing is wrong with what it sent.
        raise ServerFault(f"journal {header.journal} met other writers {_TRIES} times in a row; send again")

    def add_batch(self, session: Session, body: bytes) -> AddReply:
        """Take json-lines.

        Raises:
            EmptyBatch, BadRequest: the batch is refused as a whole.
            EventsNotAdded: not one event could be stored.
        """
        collector = Collector(session.worker, session.now)
        with self._turns:
            lines.collect(body, collector)
            readies = [
                part.prepare()
                for arrivals in sorted(collector.owners.values(), key=lambda one: one.owner)
                if arrivals.total
                for part in arrivals.sliced(*slices.AT_ONCE)
            ]
        begun: set[tuple[str, bool]] = set()
        for some in slices.of_arrivals(readies):
            self._add_some(session, collector, some, begun)
        return self._counted(collector)

    def _add_some(
        self, session: Session, collector: Collector, readies: list[Ready], begun: set[tuple[str, bool]]
    ) -> None:
        """Write a slice; ``begun`` has whose earlier slices were taken: these may end, also if they are locked now."""
        errors, added = dict(collector.errors), collector.added
        told = len(session.published)
        for attempt in range(_TRIES):
            collector.errors, collector.added = dict(errors), added
            owners = _Owners(self, self._tasks, session)
            try:
                with session.write() as connection:
                    done = self._write_all(connection, session, collector, owners, readies, begun)
            except Buried as found:
                del session.published[told:]
                clear(session.database, found.owner)
            except sa.exc.DBAPIError as error:
                del session.published[told:]
                if attempt + 1 == _TRIES or not _met(error):
                    raise
            else:
                self._remember(session, owners, done)
                begun |= {(ready.arrivals.owner, ready.arrivals.is_model) for ready, _ in done}
                return

    def add(self, session: Session, event: Event) -> AddReply:
        """Take one event, in the transaction of the call.

        Raises:
            TaskNotFound, ModelNotFound, TaskStatusRefused, ModelReady: nothing can be added there.
            EventsNotAdded: the event is not complete.
        """
        collector = Collector(session.worker, session.now)
        collector.take(event)
        owners = _Owners(self, self._tasks, session)
        kinds: dict[str, list[str]] = {}
        for arrivals in collector.owners.values():
            self.require_open(
                session.connection, arrivals.owner, arrivals.is_model, arrivals.allow_locked, session.caller
            )
            if arrivals.total:
                ready = arrivals.prepare()
                written = self._write_one(session.connection, session, owners, ready)
                kinds[arrivals.owner] = written.kinds
        # Series numbers are not remembered here: an outer call may still undo this transaction.
        self._tell(session, kinds, owners.projects)
        return self._counted(collector)

    def _write_all(
        self,
        connection: Connection,
        session: Session,
        collector: Collector,
        owners: _Owners,
        readies: list[Ready],
        begun: set[tuple[str, bool]],
    ) -> list[tuple[Ready, Written]]:
        done: list[tuple[Ready, Written]] = []
        # In one order in all requests, for the same reason: they come sorted by owner.
        for ready in readies:
            arrivals = ready.arrivals
            may = arrivals.allow_locked or (arrivals.owner, arrivals.is_model) in begun
            try:
                self.require_open(connection, arrivals.owner, arrivals.is_model, may, session.caller)
            except Buried:
                raise
            except WireError as error:
                collector.drop(arrivals, error.message)
            else:
                done.append((ready, self._write_one(connection, session, owners, ready)))
        return done

    def _write_one(self, connection: Connection, session: Session, owners: _Owners, ready: Ready) -> Written:
        arrivals: Arrivals = ready.arrivals
        written = write(connection, self._numbers, ready, session.now)
        worker = storable(next(iter(arrivals.entries), session.worker))
        owners.arrived(connection, arrivals.owner, arrivals.is_model, written.last_iteration, worker)
        return written

    def _remember(self, session: Session, owners: _Owners, done: list[tuple[Ready, Written]]) -> None:
        kinds: dict[str, list[str]] = {}
        for ready, written in done:
            if ready.points is not None and written.numbers:
                self._numbers.remember(ready.points.owner, ready.points.names, written.numbers)
            kinds[ready.arrivals.owner] = written.kinds
        self._tell(session, kinds, owners.projects)

    @staticmethod
    def _counted(collector: Collector) -> AddReply:
        wrong = sum(collector.errors.values())
        if not collector.added:
            reasons = "; ".join(f"{many} × {why}" for why, many in list(collector.errors.items())[:5])
            raise EventsNotAdded(
                f"not one event was stored: {reasons}", errors=wrong, errors_info=collector.errors
            )
        return AddReply(added=collector.added, errors=wrong, errors_info=collector.errors)

    @staticmethod
    def _tell(session: Session, kinds: dict[str, list[str]], projects: dict[str, str | None]) -> None:
        for owner, changed in kinds.items():
            # The pages of a task and of a model listen to different things; only tasks have a project here.
            noun = "task" if owner in projects else "model"
            for kind in changed:
                session.publish(f"{noun}:{owner}", kind, [owner])
            if owner in projects:
                session.publish("tasks", "tasks", [owner])
                if projects[owner]:
                    session.publish(f"project:{projects[owner]}", "tasks", [owner])


class _Owners:
    """Tasks and models as one journal's body meets them; knows afterwards which tasks changed, and their
    projects."""

    def __init__(
        self, events: Events, tasks: TaskStore, session: Session, at_once: Collection[str] = ()
    ) -> None:
        self._at_once = at_once
        self._events = events
        self._tasks = tasks
        self._now = session.now
        self._caller = session.caller
        self.projects: dict[str, str | None] = {}

    def require_open(self, connection: Connection, owner: str, is_model: bool, allow_locked: bool) -> None:
        at_once = owner in self._at_once
        self._events.require_open(connection, owner, is_model, allow_locked, self._caller, at_once=at_once)

    def arrived(
        self, connection: Connection, owner: str, is_model: bool, last_iteration: int | None, worker: str
    ) -> None:
        if is_model:
            return
        if owner not in self.projects:
            row = self._tasks.get(connection, owner, task.c.project)
            self.projects[owner] = row.project if row is not None else None
        self._tasks.events_arrived(connection, owner, last_iteration, self._now, worker)


def _met(error: Exception) -> bool:
    """True when PostgreSQL ended this transaction because it met another one."""
    return getattr(getattr(error, "orig", None), "sqlstate", None) in {"40001", "40P01"}
