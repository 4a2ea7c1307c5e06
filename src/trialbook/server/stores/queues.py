"""Queues of tasks that wait for a worker."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from msgspec.structs import replace
from sqlalchemy.engine import Connection

from trialbook.base.clock import iso
from trialbook.errors import QueueNotFound, TaskRace
from trialbook.server.stores.database import Json, metadata
from trialbook.server.stores.facets import FacetStore, head
from trialbook.server.stores.projects import COMPANY
from trialbook.server.stores.query.fields import Collection
from trialbook.server.stores.query.select import run
from trialbook.wire.query import Query

queue = sa.Table(
    "queue",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_head", sa.String(64), nullable=False, index=True),
    sa.Column("hidden", sa.Boolean, nullable=False),
    sa.Column("user", sa.String(32), nullable=True),
    sa.Column("created", sa.Double, nullable=False),
    sa.Column("last_update", sa.Double, nullable=False),
    sa.Column("tags", Json, nullable=False),
    sa.Column("system_tags", Json, nullable=False),
)

queue_entry = sa.Table(
    "queue_entry",
    metadata,
    # Rising numbers are the order of arrival.
    sa.Column(
        "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True
    ),
    sa.Column("queue", sa.String(32), nullable=False),
    sa.Column("task", sa.String(32), nullable=False, unique=True),
    sa.Column("added", sa.Double, nullable=False),
    sa.Index("queue_entry_by_queue", "queue", "id"),
)

QUEUES = Collection(
    noun="queue",
    table=queue,
    columns={name: queue.c[name] for name in ("id", "name", "user", "created", "last_update")},
    times=frozenset({"created", "last_update"}),
    facets={"tags": "tags", "system_tags": "system_tags"},
    documents={},
    lists=frozenset({"id", "tags", "system_tags", "user"}),
    ranges=frozenset(),
    patterns=frozenset({"name"}),
    default_order=("name",),
)

GLUE_TAG = "k8s-glue"
"""Queues with this system tag are listed only when asked for."""


class QueueStore:
    """Rows of queues and their entries."""

    def __init__(self, facets: FacetStore) -> None:
        self._facets = facets

    def require(self, connection: Connection, id: str) -> "sa.Row[Any]":
        """The row.

        Raises:
            QueueNotFound: there is none.
        """
        row = connection.execute(sa.select(queue).where(queue.c.id == id)).first()
        if row is None:
            raise QueueNotFound(f"there is no queue {id!r}", id=id)
        return row

    def find_by_name(self, connection: Connection, name: str) -> str | None:
        """The id of the oldest queue of that name."""
        return connection.execute(
            sa.select(queue.c.id)
            .where(queue.c.name_head == head(name), queue.c.name == name)
            .order_by(queue.c.created)
            .limit(1)
        ).scalar_one_or_none()

    def default(self, connection: Connection) -> "sa.Row[Any] | None":
        """The queue that is tagged ``default``, else the one of that name."""
        field = QUEUES.find("system_tags")
        assert field is not None
        tagged = connection.execute(sa.select(queue).where(field.has(["default"])).limit(1)).first()
        if tagged is not None:
            return tagged
        named = self.find_by_name(connection, "default")
        return None if named is None else self.require(connection, named)

    def insert(self, connection: Connection, values: dict[str, Any]) -> None:
        """A new queue."""
        system_tags = values["system_tags"]
        connection.execute(
            queue.insert().values(**values, name_head=head(values["name"]), hidden=GLUE_TAG in system_tags)
        )
        for field in ("tags", "system_tags"):
            self._facets.replace(
                connection, values["id"], field, [("", tag) for tag in values[field]], fresh=True
            )

    def change(self, connection: Connection, id: str, values: dict[str, Any]) -> None:
        """Overwrite columns."""
        more: dict[str, Any] = {}
        if "name" in values:
            more["name_head"] = head(values["name"])
        if "system_tags" in values:
            more["hidden"] = GLUE_TAG in values["system_tags"]
        connection.execute(queue.update().where(queue.c.id == id).values(**values, **more))
        for field in ("tags", "system_tags"):
            if field in values:
                self._facets.replace(connection, id, field, [("", tag) for tag in values[field]])

    def delete(self, connection: Connection, id: str) -> None:
        """Forget a queue and its entries."""
        connection.execute(queue_entry.delete().where(queue_entry.c.queue == id))
        connection.execute(queue.delete().where(queue.c.id == id))
        self._facets.drop(connection, [id])

    def entries(self, connection: Connection, ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
        """The waiting tasks of queues, first come first."""
        found: dict[str, list[dict[str, Any]]] = {id: [] for id in ids}
        statement = sa.select(queue_entry).where(queue_entry.c.queue.in_(ids)).order_by(queue_entry.c.id)
        for row in connection.execute(statement):
            found[row.queue].append({"task": row.task, "added": iso(row.added)})
        return found

    def count(self, connection: Connection, id: str) -> int:
        """How many tasks wait."""
        statement = sa.select(sa.func.count()).select_from(queue_entry).where(queue_entry.c.queue == id)
        return int(connection.execute(statement).scalar_one())

    def add(self, connection: Connection, id: str, task: str, now: float) -> None:
        """Put a task at the end."""
        connection.execute(queue_entry.insert().values(queue=id, task=task, added=now))
        connection.execute(queue.update().where(queue.c.id == id).values(last_update=now))

    def remove(self, connection: Connection, task: str) -> str | None:
        """Take a task out of whatever queue holds it; that queue, None when none does."""
        left = queue_entry.delete().where(queue_entry.c.task == task).returning(queue_entry.c.queue)
        found: str | None = connection.execute(left).scalar()
        return found

    def holds(self, connection: Connection, task: str) -> bool:
        """True when the task waits in some queue."""
        query = sa.select(queue_entry.c.id).where(queue_entry.c.task == task)
        return connection.execute(query).first() is not None

    def reorder(self, connection: Connection, id: str, tasks: Sequence[str]) -> None:
        """Let some neighbours of a queue wait in this order.

        Args:
            connection: of a write transaction.
            id: the queue.
            tasks: all of them, and none of another queue.
        """
        where = sa.and_(queue_entry.c.queue == id, queue_entry.c.task.in_(tasks))
        # Locked: a worker that takes one of them at this moment makes the call fail, and the queue stays whole.
        rows = connection.execute(sa.select(queue_entry).where(where).with_for_update()).all()
        if len(rows) != len(tasks):
            raise TaskRace(
                f"the tasks of queue {id} changed in the same moment; read it again and repeat", id=id
            )
        added = {row.task: row.added for row in rows}
        connection.execute(queue_entry.delete().where(where))
        numbers = sorted(row.id for row in rows)
        values = [
            {"id": number, "queue": id, "task": task, "added": added[task]}
            for number, task in zip(numbers, tasks, strict=True)
        ]
        connection.execute(queue_entry.insert(), values)

    def pop(self, connection: Connection, id: str, now: float) -> Any:
        """The first entry, taken out, or None; no two callers get the same one."""
        # Two server processes on PostgreSQL: the second skips the row that the first holds.
        first = (
            sa.select(queue_entry.c.id).where(queue_entry.c.queue == id).order_by(queue_entry.c.id).limit(1)
        )
        statement = (
            queue_entry.delete()
            .where(queue_entry.c.id == first.with_for_update(skip_locked=True).scalar_subquery())
            .returning(queue_entry.c.task, queue_entry.c.added)
        )
        row = connection.execute(statement).first()
        if row is not None:
            connection.execute(queue.update().where(queue.c.id == id).values(last_update=now))
        return row

    def find(
        self, connection: Connection, ask: Query, *, with_total: bool = False
    ) -> "tuple[list[sa.Row[Any]], int | None, str | None]":
        """The queues of one page. Naming a queue shows it though it is hidden."""
        if ask.name and not ask.search_hidden:
            ask = replace(ask, search_hidden=True)
        return run(connection, QUEUES, ask, [queue], with_total=with_total)


def document(row: "sa.Row[Any]", entries: list[dict[str, Any]]) -> dict[str, Any]:
    """The queue as the wire shows it."""
    return {
        "id": row.id,
        "name": row.name,
        "user": row.user,
        "company": COMPANY,
        "created": iso(row.created),
        "last_update": iso(row.last_update),
        "tags": row.tags,
        "system_tags": row.system_tags,
        "entries": entries,
        "metadata": {},
    }
