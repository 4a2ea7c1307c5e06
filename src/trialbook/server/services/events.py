"""What comes in: points, console, plots, images. One door for journals, one for clients of ClearML."""

from __future__ import annotations

import threading
from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.base.unicode import storable
from trialbook.errors import EventsNotAdded, ModelReady, ServerFault, TaskRace, WireError
from trialbook.server.series import ingest, lines, slices
from trialbook.server.series.arrivals import Arrivals, Collector, Ready, Written, write
from trialbook.server.series.decode import Header, split
from trialbook.server.series.erase import clear, erase_all, erase_owner
from trialbook.server.series.store import Numbers
from trialbook.server.services import others
from trialbook.server.services.call import Call
from trialbook.server.services.caller import Caller
from trialbook.server.services.changes import progressed
from trialbook.server.stores import graves
from trialbook.server.stores.graves import Buried
from trialbook.server.stores.models import ModelStore
from trialbook.server.stores.tasks import TaskStore, task
from trialbook.wire.events import AddPointsReply, AddReply, DeleteForTask, Event
from trialbook.wire.table import Permission

_TRIES = 8


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

    def erase(self, call: Call, ask: DeleteForTask) -> None:
        """Forget what was reported.

        Raises:
            TaskNotFound, ModelNotFound, TaskStatusRefused, ModelReady: as ``require_open``.
        """
        self.require_open(call.connection, ask.task, ask.model_events, ask.allow_locked, call.caller)
        erase_owner(call.connection, ask.task)
        progressed(call, "model" if ask.model_events else "task", ask.task, ("series", "log", "events"))

    def add_points(self, call: Call, body: bytes) -> AddPointsReply:
        """Take a journal's body.

        Everything that needs no lock is done before the transaction. When the journal has moved meanwhile
        (the same body came twice, or through another server process), or two transactions met, it starts
        again.
        """
        with self._turns:
            header, frames = split(body)
        worker = storable(call.worker or header.host)
        known = self._journals.get(header.journal) or self._journals.load(call.database, header.journal)
        pieces = slices.of_journal(header, frames)
        plans: list[ingest.Plan] = []
        with self._turns:
            at = known
            for piece in pieces if len(pieces) > 1 else ():
                plans.append(ingest.plan(*piece, at, worker, call.now))
                end = piece[0].first + len(piece[1])
                at = ingest.Known(max(at.acked, end), plans[-1].names)
        if any(one.problem is not None for one in plans):
            # What is damaged is refused as a whole.
            pieces, plans = [(header, frames)], []
        replies = []
        for number, piece in enumerate(pieces):
            replies.append(self._take_piece(call, *piece, known, worker, plans[number] if plans else None))
            if number + 1 == len(pieces):
                break
            moved = self._journals.get(header.journal)
            if plans and (moved is None or moved.names is not plans[number].names):
                # Others write the same journal: what was planned from here on may be out of date.
                plans = []
            known = moved or self._journals.load(call.database, header.journal)
        return ingest.total(replies)

    def _take_piece(
        self,
        call: Call,
        header: Header,
        frames: memoryview,
        known: ingest.Known,
        worker: str,
        planned: ingest.Plan | None,
    ) -> AddPointsReply:
        at_once: set[str] = set()
        for attempt in range(_TRIES):
            ready = planned
            if ready is None:
                with self._turns:
                    ready = ingest.plan(header, frames, known, worker, call.now)
            planned = None
            arrivals = _Owners(self, self._tasks, call, at_once)
            try:
                with call.write() as connection:
                    outcome = ingest.apply(
                        connection,
                        ready,
                        self._numbers,
                        arrivals,
                        call.nested,
                        worker,
                        call.now,
                        last_try=attempt + 1 == _TRIES,
                    )
            except ingest.Stale as stale:
                known = stale.known
            except Buried as found:
                if not clear(call.database, found.owner):
                    # It was reset by a call in this very body, which no other transaction sees.
                    at_once.add(found.owner)
                known = self._journals.load(call.database, header.journal)
            except (sa.exc.DBAPIError, TaskRace) as error:
                if not (isinstance(error, TaskRace) or _met(error)):
                    raise
                known = self._journals.load(call.database, header.journal)
            else:
                if outcome.known is not None:
                    self._journals.keep(header.journal, outcome.known)
                for prepared, numbers in outcome.remember:
                    self._numbers.remember(prepared.owner, prepared.names, numbers)
                self._tell(call, outcome.kinds, arrivals.projects)
                return outcome.reply
        # 500 and not 400: a shipper gives up on a refusal, and nothing is wrong with what it sent.
        raise ServerFault(f"journal {header.journal} met other writers {_TRIES} times in a row; send again")

    def add_batch(self, call: Call, body: bytes) -> AddReply:
        """Take json-lines.

        Raises:
            EmptyBatch, BadRequest: the batch is refused as a whole.
            EventsNotAdded: not one event could be stored.
        """
        collector = Collector(call.worker, call.now)
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
            self._add_some(call, collector, some, begun)
        return self._counted(collector)

    def _add_some(
        self, call: Call, collector: Collector, readies: list[Ready], begun: set[tuple[str, bool]]
    ) -> None:
        """Write a slice; ``begun`` has whose earlier slices were taken: these may end, also if they are locked now."""
        errors, added = dict(collector.errors), collector.added
        for attempt in range(_TRIES):
            collector.errors, collector.added = dict(errors), added
            owners = _Owners(self, self._tasks, call)
            try:
                with call.write() as connection:
                    done = self._write_all(connection, call, collector, owners, readies, begun)
            except Buried as found:
                clear(call.database, found.owner)
            except sa.exc.DBAPIError as error:
                if attempt + 1 == _TRIES or not _met(error):
                    raise
            else:
                self._remember(call, owners, done)
                begun |= {(ready.arrivals.owner, ready.arrivals.is_model) for ready, _ in done}
                return

    def add(self, call: Call, event: Event) -> AddReply:
        """Take one event, in the transaction of the call.

        Raises:
            TaskNotFound, ModelNotFound, TaskStatusRefused, ModelReady: nothing can be added there.
            EventsNotAdded: the event is not complete.
        """
        collector = Collector(call.worker, call.now)
        collector.take(event)
        owners = _Owners(self, self._tasks, call)
        kinds: dict[str, list[str]] = {}
        for arrivals in collector.owners.values():
            self.require_open(
                call.connection, arrivals.owner, arrivals.is_model, arrivals.allow_locked, call.caller
            )
            if arrivals.total:
                ready = arrivals.prepare()
                written = self._write_one(call.connection, call, owners, ready)
                kinds[arrivals.owner] = written.kinds
        # Series numbers are not remembered here: an outer call may still undo this transaction.
        self._tell(call, kinds, owners.projects)
        return self._counted(collector)

    def _write_all(
        self,
        connection: Connection,
        call: Call,
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
                self.require_open(connection, arrivals.owner, arrivals.is_model, may, call.caller)
            except Buried:
                raise
            except WireError as error:
                collector.drop(arrivals, error.message)
            else:
                done.append((ready, self._write_one(connection, call, owners, ready)))
        return done

    def _write_one(self, connection: Connection, call: Call, owners: _Owners, ready: Ready) -> Written:
        arrivals: Arrivals = ready.arrivals
        written = write(connection, self._numbers, ready, call.now)
        worker = storable(next(iter(arrivals.entries), call.worker))
        owners.arrived(connection, arrivals.owner, arrivals.is_model, written.last_iteration, worker)
        return written

    def _remember(self, call: Call, owners: _Owners, done: list[tuple[Ready, Written]]) -> None:
        kinds: dict[str, list[str]] = {}
        for ready, written in done:
            if ready.points is not None and written.numbers:
                self._numbers.remember(ready.points.owner, ready.points.names, written.numbers)
            kinds[ready.arrivals.owner] = written.kinds
        self._tell(call, kinds, owners.projects)

    @staticmethod
    def _counted(collector: Collector) -> AddReply:
        wrong = sum(collector.errors.values())
        if not collector.added:
            reasons = "; ".join(f"{many} × {why}" for why, many in list(collector.errors.items())[:5])
            raise EventsNotAdded(
                f"no event was stored: {reasons}", errors=wrong, errors_info=collector.errors
            )
        return AddReply(added=collector.added, errors=wrong, errors_info=collector.errors)

    @staticmethod
    def _tell(call: Call, kinds: dict[str, list[str]], projects: dict[str, str | None]) -> None:
        for owner, changed in kinds.items():
            # Only tasks have a project here.
            ours = owner in projects
            progressed(
                call, "task" if ours else "model", owner, changed, project=projects.get(owner), listed=ours
            )


class _Owners:
    """Tasks and models as one journal's body meets them; knows afterwards which tasks changed, and their
    projects."""

    def __init__(self, events: Events, tasks: TaskStore, call: Call, at_once: Collection[str] = ()) -> None:
        self._at_once = at_once
        self._events = events
        self._tasks = tasks
        self._now = call.now
        self._caller = call.caller
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
