"""Table of the events that are neither points nor console: plots, images, vectors."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.base.unicode import storable
from trialbook.server.stores.codec import compress, decompress
from trialbook.server.stores.database import metadata
from trialbook.server.stores.dialect import insert
from trialbook.server.stores.graves import standing
from trialbook.server.stores.series import Id, name_hash, portions

event = sa.Table(
    "event",
    metadata,
    sa.Column("id", Id, primary_key=True, autoincrement=True),
    sa.Column("owner", sa.String(32), nullable=False),
    sa.Column("is_model", sa.Boolean, nullable=False),
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Column("metric", sa.Text, nullable=False),
    sa.Column("variant", sa.Text, nullable=False),
    sa.Column("metric_hash", sa.String(32), nullable=False),
    sa.Column("variant_hash", sa.String(32), nullable=False),
    sa.Column("iteration", sa.BigInteger, nullable=False),
    sa.Column("key_hash", sa.String(32), nullable=False),
    # Of an image: clients write over the files of old ones, whose events would show the new picture then.
    sa.Column("url_hash", sa.String(32), nullable=True),
    sa.Column("time", sa.BigInteger, nullable=False),
    sa.Column("worker", sa.Text, nullable=False, default=""),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Index(
        "event_identity",
        "owner",
        "kind",
        "metric_hash",
        "variant_hash",
        "iteration",
        "key_hash",
        unique=True,
    ),
    sa.Index("event_time", "owner", "kind", "time", "id"),
    sa.Index("event_url", "owner", "url_hash"),
    sqlite_autoincrement=True,
)
"""``payload`` is zstd of JSON with the fields that depend on the kind (``plot_str``, ``url``, ``values``
…)."""

PLOT, IMAGE, VECTOR = "plot", "image", "vector"
KINDS = {"plot": PLOT, "training_debug_image": IMAGE, "training_stats_vector": VECTOR}
"""Type on the wire → kind here."""

TYPES = {kind: name for name, kind in KINDS.items()}


class Stored(NamedTuple):
    """An event to be kept. ``time`` is µs since the epoch; ``fields`` holds what depends on the kind."""

    kind: str
    metric: str
    variant: str
    iteration: int
    key: str
    time: int
    worker: str
    fields: dict[str, Any]


def pack(owner: str, is_model: bool, events: Sequence[Stored]) -> list[dict[str, Any]]:
    """Events as rows, compressed and sorted: work that needs no lock.

    Args:
        owner: task or model id.
        is_model: what ``owner`` is.
        events: in order of arrival, so the last of the same identity stays.
    """
    rows: dict[tuple[object, ...], dict[str, Any]] = {}
    for one in events:
        body = msgspec.json.encode(one.fields)
        row = {
            "owner": owner,
            "is_model": is_model,
            "kind": one.kind,
            "metric": one.metric,
            "variant": one.variant,
            "metric_hash": name_hash(one.metric),
            "variant_hash": name_hash(one.variant),
            "iteration": one.iteration,
            "key_hash": name_hash(one.key),
            "url_hash": name_hash(one.fields["url"]) if one.kind == IMAGE else None,
            "time": one.time,
            "worker": storable(one.worker),
            "size": len(body),
            "payload": compress(body),
        }
        rows[tuple(row[name] for name in _IDENTITY)] = row
    # Sorted, so that two requests with the same events wait for each other instead of blocking each other.
    return [rows[identity] for identity in sorted(rows, key=str)]


def put(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Keep events; one with the identity of an older one takes its place.

    Args:
        connection: of a write transaction.
        rows: from ``pack``.
    """
    if rows:
        statement = insert(connection, event)
        columns = {
            name: statement.excluded[name]
            for name in ("is_model", "url_hash", "time", "worker", "size", "payload")
        }
        statement = statement.on_conflict_do_update(index_elements=list(_IDENTITY), set_=columns)
        connection.execute(statement, rows)
        images = [row for row in rows if row["kind"] == IMAGE]
        if images:
            _drop_overwritten(connection, images)


def _drop_overwritten(connection: Connection, images: Sequence[dict[str, Any]]) -> None:
    """An image whose file belongs to a later iteration now is no longer an image."""
    names = ("kind", "metric_hash", "variant_hash")
    where = [event.c[name] == sa.bindparam(f"its_{name}") for name in names]
    # Found by the address alone, and the owner is named there only: beside these a planner would take the index with
    # more of the columns, and look at all images of the variant.
    held = event.alias("held")
    same = sa.select(held.c.id).where(
        held.c.owner == sa.bindparam("its_owner"), held.c.url_hash == sa.bindparam("its_url_hash")
    )
    statement = sa.delete(event).where(
        event.c.id.in_(same), *where, event.c.iteration < sa.bindparam("its_iteration")
    )
    given = (*names, "owner", "url_hash", "iteration")
    rows = [{f"its_{name}": row[name] for name in given} for row in images]
    connection.execute(statement, rows)


def image_urls(connection: Connection, owner: str) -> list[str]:
    """Where the images of a task are, each once. A minute for a million, so no lock is held for it where there may be
    so many."""
    query = sa.select(event.c.payload).where(_matching([owner], IMAGE, None)).order_by(event.c.id)
    return _urls(connection.execute(query))


class _Place(msgspec.Struct, frozen=True):
    url: str = ""


_PLACE = msgspec.json.Decoder(_Place, strict=False)


def _urls(rows: Iterable[Any]) -> list[str]:
    found = (_PLACE.decode(decompress(row.payload)).url for row in rows)
    return list(dict.fromkeys(url for url in found if url))


def drop_images(connection: Connection, owner: str, most: int = 1000) -> list[str]:
    """Forget images of a task, the oldest first and at most so many; where they were."""
    return _take_images(connection, _matching([owner], IMAGE, None), most)[1]


def take_erased_images(connection: Connection, owner: str, most: int) -> tuple[int, list[str]]:
    """The same for images that no reader sees any more; how many they were, and where."""
    return _take_images(connection, sa.and_(event.c.owner == owner, event.c.kind == IMAGE), most)


def _take_images(connection: Connection, where: sa.ColumnElement[bool], most: int) -> tuple[int, list[str]]:
    query = sa.select(event.c.id, event.c.payload).where(where).order_by(event.c.id).limit(most)
    rows = connection.execute(query).all()
    for some in portions(rows):
        connection.execute(sa.delete(event).where(event.c.id.in_([row.id for row in some])))
    return len(rows), _urls(rows)


_IDENTITY = ("owner", "kind", "metric_hash", "variant_hash", "iteration", "key_hash")


def document(row: Any) -> dict[str, Any]:
    """An event as the wire shows it."""
    fields: dict[str, Any] = msgspec.json.decode(decompress(row.payload))
    return {
        "task": row.owner,
        "type": TYPES[row.kind],
        "metric": row.metric,
        "variant": row.variant,
        "iter": row.iteration,
        "timestamp": row.time // 1000,
        "worker": row.worker,
        "model_event": row.is_model,
        **fields,
    }


Filter = Mapping[str, Collection[str]] | None
"""Metric → variants, where no variants means all of them; None means every metric."""


def _matching(owners: Sequence[str], kind: str, wanted: Filter) -> sa.ColumnElement[bool]:
    where = sa.and_(event.c.owner.in_(owners), event.c.kind == kind, standing(event.c.owner))
    if wanted is None:
        return where
    choices: list[sa.ColumnElement[bool]] = []
    for metric, variants in wanted.items():
        choice = event.c.metric_hash == name_hash(metric)
        if variants:
            choice = sa.and_(choice, event.c.variant_hash.in_([name_hash(variant) for variant in variants]))
        choices.append(choice)
    return sa.and_(where, sa.or_(sa.false(), *choices))


def newest(
    connection: Connection, owners: Sequence[str], kind: str, iterations: int, wanted: Filter = None
) -> list[dict[str, Any]]:
    """Per owner, metric and variant the events of its last ``iterations`` iterations, oldest first."""
    columns = (event.c.owner, event.c.metric_hash, event.c.variant_hash)
    rank = sa.func.dense_rank().over(partition_by=columns, order_by=event.c.iteration.desc()).label("place")
    ranked = sa.select(event.c.id, rank).where(_matching(owners, kind, wanted)).subquery()
    query = (
        sa.select(event)
        .join(ranked, ranked.c.id == event.c.id)
        .where(ranked.c.place <= iterations)
        .order_by(event.c.owner, event.c.metric, event.c.variant, event.c.iteration, event.c.id)
    )
    return [document(row) for row in connection.execute(query)]


def count(connection: Connection, owner: str, kind: str) -> int:
    """How many events of a kind a task has."""
    query = sa.select(sa.func.count()).select_from(event).where(_matching([owner], kind, None))
    return int(connection.execute(query).scalar_one())


def page(connection: Connection, owner: str, kind: str, start: int, stop: int) -> list[dict[str, Any]]:
    """Events ``start`` to ``stop`` (not included) of a kind, by time."""
    query = sa.select(event).where(_matching([owner], kind, None))
    query = query.order_by(event.c.time, event.c.id).offset(start).limit(max(0, stop - start))
    return [document(row) for row in connection.execute(query)]


def iterations(
    connection: Connection,
    owner: str,
    kind: str,
    wanted: Filter,
    many: int,
    below: int | None = None,
    above: int | None = None,
) -> list[int]:
    """Iterations with events: the last ones, falling, or with ``above`` the next ones, rising."""
    query = sa.select(event.c.iteration).where(_matching([owner], kind, wanted)).distinct().limit(many)
    if above is not None:
        query = query.where(event.c.iteration > above).order_by(event.c.iteration)
    else:
        query = query.order_by(event.c.iteration.desc())
        if below is not None:
            query = query.where(event.c.iteration < below)
    return list(connection.execute(query).scalars())


def at(
    connection: Connection, owner: str, kind: str, wanted: Filter, iterations: Sequence[int]
) -> dict[int, list[dict[str, Any]]]:
    """The events of some iterations, by iteration."""
    query = sa.select(event).where(_matching([owner], kind, wanted), event.c.iteration.in_(iterations))
    found: dict[int, list[dict[str, Any]]] = {iteration: [] for iteration in iterations}
    for row in connection.execute(query.order_by(event.c.metric, event.c.variant, event.c.id)):
        found[row.iteration].append(document(row))
    return found


def names(connection: Connection, owners: Sequence[str], kind: str | None) -> list[tuple[str, str, str]]:
    """(owner, metric, variant) of the events of a kind, or of all kinds."""
    query = sa.select(event.c.owner, event.c.metric, event.c.variant).distinct()
    query = query.where(event.c.owner.in_(owners), standing(event.c.owner))
    if kind is not None:
        query = query.where(event.c.kind == kind)
    rows = connection.execute(query.order_by(event.c.owner, event.c.metric, event.c.variant))
    return [(owner, metric, variant) for owner, metric, variant in rows]


def ends(connection: Connection, owner: str, kind: str, wanted: Filter) -> tuple[int, int] | None:
    """The least and the greatest iteration with such events."""
    column = event.c.iteration
    query = sa.select(sa.func.min(column), sa.func.max(column)).where(_matching([owner], kind, wanted))
    low, high = connection.execute(query).one()
    return None if low is None else (low, high)


def neighbour(
    connection: Connection,
    owner: str,
    kind: str,
    wanted: Filter,
    iteration: int,
    beside: tuple[str, str] | None,
    *,
    earlier: bool,
) -> dict[str, Any] | None:
    """The event before or after a place in the order (iteration, metric, variant).

    Args:
        connection: one snapshot.
        owner: task or model id.
        kind: of events.
        wanted: only these.
        iteration: of the place.
        beside: metric and variant of the place; None passes over the whole iteration.
        earlier: before, else after.
    """
    column = event.c.iteration
    query = sa.select(event).where(_matching([owner], kind, wanted))
    beyond = column < iteration if earlier else column > iteration
    if beside is not None:
        # Compared by name, as they are sorted; a name may be long, so no index serves it, but an iteration has few.
        here = sa.tuple_(event.c.metric, event.c.variant)
        place = sa.tuple_(sa.literal(beside[0]), sa.literal(beside[1]))
        beyond = sa.or_(beyond, sa.and_(column == iteration, here < place if earlier else here > place))
    order = (column, event.c.metric, event.c.variant, event.c.id)
    ordered = query.where(beyond).order_by(*(one.desc() if earlier else one.asc() for one in order))
    row = connection.execute(ordered.limit(1)).first()
    return None if row is None else document(row)


def vectors(
    connection: Connection, owner: str, metric: str, variant: str, most: int
) -> list[tuple[int, list[float]]]:
    """Iteration and values of the last vectors of a metric and variant, oldest first."""
    query = sa.select(event).where(_matching([owner], VECTOR, {metric: [variant]}))
    rows = connection.execute(query.order_by(event.c.iteration.desc(), event.c.id.desc()).limit(most)).all()
    return [(row.iteration, document(row).get("values") or []) for row in reversed(rows)]


def erase(connection: Connection, owner: str) -> None:
    """Forget the events of a task or model."""
    connection.execute(sa.delete(event).where(event.c.owner == owner))
