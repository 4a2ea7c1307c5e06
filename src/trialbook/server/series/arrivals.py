"""What one request brings, collected by task before anything is locked, then written in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.engine import Connection

from trialbook.base.unicode import storable
from trialbook.errors import BadRequest
from trialbook.server.core.numeric import Floats, Ints, np
from trialbook.server.series.columns import Points, join
from trialbook.server.series.store import MONITORS, Numbers, Prepared, prepare, store
from trialbook.server.stores import events, logs
from trialbook.server.stores.dialect import insert
from trialbook.server.stores.events import Stored
from trialbook.server.stores.logs import Entry, Packed
from trialbook.server.stores.series import SINGLE_ITERATION, name_hash, series_seen
from trialbook.wire.events import Event
from trialbook.wire.states import LEVEL_NAMES

_EXTRA = ("plot_str", "key", "url", "skip_validation")
_LONGEST_TIME = 9.0e12
REPORT, STDOUT, STDERR, LOGGING = 0, 1, 2, 3


def level_of(name: str | None) -> int:
    """10 … 50 of a level's name in any case; what is not known is an information."""
    return LEVEL_NAMES.get((name or "info").lower(), 20)


def microseconds(seconds: float, now: float) -> int:
    """Whole µs since the epoch; a moment that is not a number, or out of all reason, becomes ``now``."""
    return round((seconds if abs(seconds) < _LONGEST_TIME else now) * 1e6)


@dataclass(frozen=True, slots=True, eq=False)
class Scalars:
    """Scalars as columns: the place of each one's name, iteration, milliseconds since the epoch, value; and the
    names: owner, whether it is a model, ``allow_locked``, metric, variant."""

    index: Ints
    iteration: Ints
    timestamp: Floats
    value: Floats
    names: list[tuple[str, bool, bool, str, str]]

    def points(self, now: float) -> Points:
        """With times in µs; what is out of all reason becomes ``now``."""
        seconds = self.timestamp / 1e3
        seconds = np.where(np.abs(seconds) < _LONGEST_TIME, seconds, now)
        return Points(self.iteration, np.rint(seconds * 1e6).astype(np.int64), self.value)


@dataclass(slots=True)
class Arrivals:
    """Everything for one task or model, in the order of arrival."""

    owner: str
    is_model: bool
    allow_locked: bool = False
    total: int = 0
    names: dict[tuple[str, str], int] = field(default_factory=dict)
    index: list[int] = field(default_factory=list)
    iteration: list[int] = field(default_factory=list)
    time: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    columns: list[tuple[Ints, Points]] = field(default_factory=list)
    untimed: bool = False
    events: list[Stored] = field(default_factory=list)
    entries: dict[str, list[Entry]] = field(default_factory=dict)

    def add(self, event: Event, worker: str, now: float) -> str | None:
        """Take one event.

        Returns:
            Why it cannot be stored; None when it was taken.
        """
        self.total += 1
        stamp = event.timestamp
        if stamp is None:
            self.untimed = True
            time = round(now * 1e6)
        else:
            time = microseconds(stamp / 1e3, now)
        if event.type == "training_stats_scalar":
            if event.value is None:
                return "a scalar needs a value"
            name = (event.metric or "", event.variant or "")
            place = self.names.get(name)
            if place is None:
                place = self.names[name] = len(self.names)
            self.index.append(place)
            self.iteration.append(event.iter or 0)
            self.time.append(time)
            self.value.append(event.value)
            return None
        if event.type == "log":
            entry = Entry(time, level_of(event.level), REPORT, event.msg or "")
            self.entries.setdefault(event.worker or worker, []).append(entry)
            return None
        kind = events.KINDS.get(event.type or "")
        if kind is None:
            return f"invalid event type {event.type}" if event.type else "an event needs a type"
        fields: dict[str, Any] = {
            name: given for name in _EXTRA if (given := getattr(event, name)) is not None
        }
        if kind == events.PLOT and "plot_str" not in fields:
            return "a plot needs plot_str"
        if kind == events.IMAGE and "url" not in fields:
            return "an image needs a url"
        if kind == events.VECTOR:
            if event.values is None:
                return "a vector needs values"
            fields["values"] = event.values
        self.events.append(
            Stored(
                kind,
                storable(event.metric or ""),
                storable(event.variant or ""),
                event.iter or 0,
                event.key or "",
                time,
                event.worker or worker,
                fields,
            )
        )
        return None

    def add_columns(self, names: list[tuple[str, str]], index: Ints, points: Points) -> None:
        """Take scalars: ``index`` says for each point which of the names it has; each name is there once."""
        places = [self.names.setdefault(name, len(self.names)) for name in names]
        self.columns.append((np.array(places, np.int64)[index], points))
        self.total += len(points)

    def sliced(self, series: int, lines: int, events: int, size: int) -> list[Arrivals]:
        """The same in parts of at most so many series, console reports, and events (or bytes of them).

        The same arrivals give the same parts each time: what was stored of a request that is sent again is known.
        """
        texts = [
            (worker, found[at : at + lines])
            for worker, found in self.entries.items()
            for at in range(0, len(found), lines)
        ]
        groups = _in_groups(self.events, events, size)
        if len(self.names) <= series and len(texts) <= len(self.entries) and len(groups) <= 1:
            return [self]
        parts = [Arrivals(self.owner, self.is_model, self.allow_locked, self.total, untimed=self.untimed)]
        parts += [Arrivals(self.owner, self.is_model, self.allow_locked, events=group) for group in groups]
        if self.names:
            index, points = self._columns()
            names = list(self.names)
            if len(names) > series:
                # As the database keeps them: neighbours are on few pages, where names in any order are on one each.
                names.sort(key=lambda name: [name_hash(storable(part)) for part in name])
                places = {name: place for place, name in enumerate(names)}
                index = np.array([places[name] for name in self.names], np.int64)[index]
            for start in range(0, len(names), series):
                part = Arrivals(self.owner, self.is_model, self.allow_locked, untimed=self.untimed)
                chosen = np.flatnonzero((index >= start) & (index < start + series))
                part.add_columns(names[start : start + series], index[chosen] - start, points.take(chosen))
                parts.append(part)
        for worker, found in texts:
            parts.append(Arrivals(self.owner, self.is_model, self.allow_locked, entries={worker: found}))
        return parts

    def _columns(self) -> tuple[Ints, Points]:
        parts = list(self.columns)
        if self.index:
            iteration, time = np.array(self.iteration, np.int64), np.array(self.time, np.int64)
            points = Points(iteration, time, np.array(self.value, np.float64))
            parts.append((np.array(self.index, np.int64), points))
        return np.concatenate([place for place, _ in parts]), join([part for _, part in parts])

    def prepare(self) -> Ready:
        """Points, events and console sorted and packed, and a digest that knows the same points again."""
        rows = events.pack(self.owner, self.is_model, self.events)
        console = [logs.pack(storable(worker), found) for worker, found in self.entries.items() if found]
        if not self.index and not self.columns:
            return Ready(self, None, None, rows, console)
        cleaned: dict[tuple[str, str], int] = {}
        places = [
            cleaned.setdefault((storable(metric), storable(variant)), len(cleaned))
            for metric, variant in self.names
        ]
        given, points = self._columns()
        index = np.array(places, np.int64)[given]
        digest = None
        if not self.untimed:
            mark = hashlib.blake2b(repr(list(cleaned)).encode("utf-8", "replace"), digest_size=16)
            for column in (index, points.iteration, points.time, points.value):
                mark.update(column.tobytes())
            digest = mark.hexdigest()
        prepared = prepare(self.owner, self.is_model, list(cleaned), index, points)
        return Ready(self, prepared, digest, rows, console)


def _in_groups(found: list[Stored], most: int, size: int) -> list[list[Stored]]:
    """Events in their order, so many together, fewer when they are long."""
    groups: list[list[Stored]] = []
    weight = size
    for one in found:
        if weight >= size or len(groups[-1]) >= most:
            groups.append([])
            weight = 0
        groups[-1].append(one)
        weight += sum(len(text) for text in one.fields.values() if isinstance(text, str))
    return groups


@dataclass(frozen=True, slots=True)
class Ready:
    """Arrivals with the work done that needs no lock."""

    arrivals: Arrivals
    points: Prepared | None
    digest: str | None
    rows: Sequence[dict[str, Any]] = ()
    console: Sequence[Packed] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """What came of it: kinds of changes for the pages, the progress, and series numbers to remember."""

    kinds: list[str]
    last_iteration: int | None
    numbers: list[int]


def write(connection: Connection, numbers: Numbers, ready: Ready, now: float) -> Written:
    """Store the arrivals of one task.

    Args:
        connection: of a write transaction.
        numbers: this process's cache.
        ready: from ``Arrivals.prepare``.
        now: seconds.
    """
    arrivals = ready.arrivals
    kinds: list[str] = []
    ids: list[int] = []
    progress: list[int] = []
    if ready.points is not None:
        if ready.points.last_iteration is not None:
            progress.append(ready.points.last_iteration)
        if ready.digest is None or _first_time(connection, arrivals.owner, ready.digest, now):
            ids = store(connection, numbers, ready.points, now)
            kinds.append("series")
    if ready.rows:
        events.put(connection, ready.rows)
        progress.extend(
            event.iteration
            for event in arrivals.events
            if event.metric not in MONITORS and event.iteration != SINGLE_ITERATION
        )
        kinds.append("events")
    for packed in ready.console:
        logs.append(connection, arrivals.owner, packed)
    if ready.console:
        kinds.append("log")
    return Written(kinds, max(progress, default=None), ids)


def _first_time(connection: Connection, owner: str, digest: str, now: float) -> bool:
    # Clients of ClearML send a whole request again when its reply is lost. The same event overwrites
    # itself there; here the same set of points is taken once, so that counts and means stay exact.
    statement = insert(connection, series_seen).on_conflict_do_nothing(index_elements=["owner", "digest"])
    row = {"owner": owner, "digest": digest, "at": now}
    return connection.execute(statement.returning(series_seen.c.digest), row).first() is not None


@dataclass(slots=True)
class Collector:
    """Sorts events by task or model.

    Attributes:
        worker: for events that name none.
        now: seconds, for events without a timestamp.
    """

    worker: str
    now: float
    owners: dict[tuple[str, bool], Arrivals] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    added: int = 0

    def take(self, event: Event, line: int = 0) -> None:
        """Collect one event, or count why not.

        Raises:
            BadRequest: events of one task disagree about ``allow_locked``.
        """
        if not event.task or not event.task.isprintable():
            self.refuse("an event needs a task")
            return
        arrivals = self._of(event.task, bool(event.model_event), bool(event.allow_locked), f"item {line}: ")
        why = arrivals.add(event, self.worker, self.now)
        if why is None:
            self.added += 1
        else:
            arrivals.total -= 1
            self.refuse(why)

    def _of(self, owner: str, is_model: bool, allow_locked: bool, where: str = "") -> Arrivals:
        arrivals = self.owners.get((owner, is_model))
        if arrivals is None:
            arrivals = self.owners[owner, is_model] = Arrivals(owner, is_model, allow_locked=allow_locked)
        elif arrivals.allow_locked != allow_locked:
            raise BadRequest(f"{where}events of task {owner} differ in allow_locked: send them separately")
        return arrivals

    def take_scalars(self, scalars: Scalars) -> None:
        """Collect many scalars at once.

        Raises:
            BadRequest: events of one task disagree about ``allow_locked``.
        """
        points = scalars.points(self.now)
        groups: dict[tuple[str, bool, bool], list[int]] = {}
        for place, name in enumerate(scalars.names):
            groups.setdefault(name[:3], []).append(place)
        within = np.empty(len(scalars.names), np.int64)
        for places in groups.values():
            within[places] = np.arange(len(places))
        for (owner, is_model, allow_locked), places in groups.items():
            index, part = scalars.index, points
            if len(groups) > 1:
                mine = np.zeros(len(scalars.names), np.bool_)
                mine[places] = True
                chosen = np.flatnonzero(mine[index])
                index, part = index[chosen], points.take(chosen)
            if not owner or not owner.isprintable():
                self.refuse("an event needs a task", len(index))
                continue
            names = [scalars.names[place][3:] for place in places]
            self._of(owner, is_model, allow_locked).add_columns(names, within[index], part)
            self.added += len(index)

    def refuse(self, why: str, many: int = 1) -> None:
        """Count events that are not stored."""
        self.errors[why] = self.errors.get(why, 0) + many

    def drop(self, arrivals: Arrivals, why: str) -> None:
        """Take the events of an owner out again."""
        self.added -= arrivals.total
        self.refuse(why, arrivals.total)
