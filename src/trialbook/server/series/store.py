"""Points into the database: one batch row per owner and request, and the statistics of every series in it.

Both are written in the caller's transaction, so a reader never sees a point without its statistics, or the
reverse.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.server.core.numeric import Ints, np
from trialbook.server.series.columns import Batch, Points
from trialbook.server.series.packing import pack_batch
from trialbook.server.series.statistics import (
    COLUMNS,
    Statistics,
    from_columns,
    group,
    merge,
    single_columns,
    stored,
    summarise,
    to_lists,
)
from trialbook.server.stores.series import (
    SINGLE_ITERATION,
    create,
    numbers_of,
    overwrite,
    portions,
    series,
    series_batch,
)

MONITORS = frozenset((":monitor:machine", ":monitor:gpu"))
"""Metrics that do not move a task's ``last_iteration``."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """What a call stored: number of points, and the greatest iteration that counts as progress, or None."""

    points: int
    last_iteration: int | None


class Numbers:
    """The numbers of series that this process has met, so that a busy journal costs no look-up.

    An entry may be stale after a process erased the series, or gave them to another owner: ``store`` reads the
    statistics of every series that it writes to, notices that the owner has no such row and asks again.
    """

    def __init__(self, most: int = 200_000) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, str, str], int] = OrderedDict()

    def of(
        self, connection: Connection, owner: str, names: Sequence[tuple[str, str]], fresh: bool
    ) -> list[int | None]:
        """One number per name, None for a series that does not exist. ``fresh`` does not trust the cache."""
        known: list[int | None] = [None] * len(names)
        if not fresh:
            with self._lock:
                known = [self._known.get((owner, metric, variant)) for metric, variant in names]
        unknown = [name for name, number in zip(names, known, strict=True) if number is None]
        if not unknown:
            return known
        found = numbers_of(connection, owner, unknown)
        return [
            found.get(name) if number is None else number for name, number in zip(names, known, strict=True)
        ]

    def remember(self, owner: str, names: Sequence[tuple[str, str]], numbers: Sequence[int]) -> None:
        """Keep numbers that are committed; before that, a rollback would leave numbers of nothing."""
        with self._lock:
            for (metric, variant), number in zip(names, numbers, strict=True):
                self._known[owner, metric, variant] = number
            while len(self._known) > self._most:
                self._known.popitem(last=False)


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """The points of one owner, sorted, summed up and packed but for the series numbers: work that needs no
    lock."""

    owner: str
    is_model: bool
    names: list[tuple[str, str]]
    batch: Batch | None
    statistics: Statistics | None
    singles: dict[int, tuple[int, float]]
    last_iteration: int | None


def prepare(
    owner: str, is_model: bool, names: Sequence[tuple[str, str]], index: Ints, points: Points
) -> Prepared:
    """Everything about a set of points that can be done before the write transaction.

    Args:
        owner: task or model id.
        is_model: what ``owner`` is.
        names: cleaned (metric, variant) pairs, each once; only those that a point refers to are stored.
        index: for each point its place in ``names``.
        points: in the order of arrival, at least one.
    """
    single = points.iteration == SINGLE_ITERATION
    singles: dict[int, tuple[int, float]] = {}
    if bool(single.any()):
        some = points.take(np.flatnonzero(single))
        whose = index[single].tolist()
        for name, time, value in zip(whose, some.time.tolist(), some.value.tolist(), strict=True):
            if name not in singles or time >= singles[name][0]:
                singles[name] = (time, value)
        rest = np.flatnonzero(~single)
        index, points = index[rest], points.take(rest)
    batch, statistics = None, None
    if len(points):
        batch = group(index, points)
        statistics = summarise(batch)
    used = sorted({*singles, *(batch.ids.tolist() if batch else ())})
    place = {name: at for at, name in enumerate(used)}
    if batch is not None:
        batch = Batch(
            np.array([place[name] for name in batch.ids.tolist()], np.int64), batch.starts, batch.points
        )
    progress: list[int] = []
    if batch is not None and statistics is not None:
        quiet = np.array([names[used[at]][0] in MONITORS for at in batch.ids.tolist()])
        progress = statistics.last_iter[~quiet].tolist()
    return Prepared(
        owner,
        is_model,
        [names[name] for name in used],
        batch,
        statistics,
        {place[name]: held for name, held in singles.items()},
        max(progress, default=None),
    )


def store(connection: Connection, numbers: Numbers, ready: Prepared, now: float) -> list[int]:
    """Write one batch row and the statistics.

    Args:
        connection: of a write transaction.
        numbers: this process's cache.
        ready: from ``prepare``.
        now: seconds.

    Returns:
        The numbers of ``ready.names``, to be handed to ``numbers.remember`` after the commit.
    """
    ids = _write_statistics(connection, numbers, ready)
    if ready.batch is not None:
        batch = Batch(np.array(ids, np.int64)[ready.batch.ids], ready.batch.starts, ready.batch.points)
        connection.execute(
            sa.insert(series_batch).inline(),
            [
                {
                    "owner": ready.owner,
                    "points": len(batch.points),
                    "received": now,
                    "payload": pack_batch(batch),
                }
            ],
        )
    return ids


def _write_statistics(connection: Connection, numbers: Numbers, ready: Prepared) -> list[int]:
    """The numbers of all series, of which the new ones are made."""
    owner, names = ready.owner, ready.names
    ids = numbers.of(connection, owner, names, fresh=False)
    rows = _rows(connection, owner, [number for number in ids if number is not None])
    if len(rows) < len(ids) - ids.count(None):
        ids = numbers.of(connection, owner, names, fresh=True)
        rows = _rows(connection, owner, [number for number in ids if number is not None])
    columns = _updates([_NEW if number is None else rows[number] for number in ids], ready)
    fresh = [at for at, number in enumerate(ids) if number is None]
    if fresh:
        # With what they hold in the end: a second statement would move them in three indexes.
        some = {name: [held[at] for at in fresh] for name, held in columns.items() if name != "id"}
        made = create(connection, owner, ready.is_model, [names[at] for at in fresh], some)
        late = [names[at] for at in fresh if names[at] not in made]
        if late:
            # Another server process made them meanwhile: they are series like the others.
            made |= numbers_of(connection, owner, late)
            rows |= _rows(connection, owner, [made[name] for name in late])
        for at in fresh:
            ids[at] = made[names[at]]
        if late:
            columns = _updates([_NEW if number is None else rows.get(number, _NEW) for number in ids], ready)
    old = [at for at, number in enumerate(ids) if number in rows]
    if old:
        overwrite(connection, {name: [held[at] for at in old] for name, held in columns.items()})
    return [number for number in ids if number is not None]


_HELD = tuple(series.c[name] for name in ("id", *COLUMNS, "single_value", "single_time", "version"))
_ZEROS: dict[str, float] = {"count": 0, "nonfinite": 0, "total": 0.0, "version": 0}
_NEW = tuple(_ZEROS.get(column.name) for column in _HELD)
"""A series without points, as ``_rows`` would find it."""


def _rows(connection: Connection, owner: str, ids: Sequence[int]) -> dict[int, Any]:
    rows: dict[int, Any] = {}
    # Locked in one order, so that two requests with the same series wait for each other instead of blocking each
    # other.
    for some in portions(sorted(ids)):
        # Of the owner: what it reported before may have been given to another task meanwhile.
        mine = sa.and_(series.c.id.in_(some), series.c.owner == owner)
        query = sa.select(*_HELD).where(mine).order_by(series.c.id).with_for_update()
        rows.update({row.id: row for row in connection.execute(query)})
    return rows


def _updates(rows: Sequence[Any], ready: Prepared) -> dict[str, list[Any]]:
    """What the rows hold with the new points, as columns."""
    held: dict[str, Sequence[Any]] = dict(
        zip((column.name for column in _HELD), zip(*rows, strict=True), strict=True)
    )
    statistics = from_columns(held)
    if ready.batch is not None and ready.statistics is not None:
        statistics = merge(statistics, ready.statistics.spread(ready.batch.ids, len(rows)))
    columns = to_lists(statistics)
    for name in ("single_value", "single_time", "id"):
        columns[name] = list(held[name])
    for at, (time, value) in ready.singles.items():
        known = columns["single_time"][at]
        if known is None or time >= known:
            columns["single_time"][at], columns["single_value"][at] = time, stored(value)
    for at, time in enumerate(columns["single_time"]):
        if time is not None and not columns["count"][at]:
            shown = columns["single_value"][at]
            for name, value in single_columns(float("nan") if shown is None else shown, time).items():
                columns[name][at] = value
    columns["version"] = [version + 1 for version in held["version"]]
    return columns
