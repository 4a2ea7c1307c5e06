"""Tasks: typed columns for what is filtered or sorted, JSON for the rest, facets for what there is many of."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from trialbook.errors import TaskNotFound, TaskRace, TaskStatusRefused
from trialbook.server.stores.database import Json, metadata
from trialbook.server.stores.facets import FacetStore, flatten, head, text_of
from trialbook.server.stores.query.fields import Collection
from trialbook.server.stores.query.patterns import folded
from trialbook.server.stores.query.select import run
from trialbook.wire.query import Query
from trialbook.wire.states import LOCKED

task = sa.Table(
    "task",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_head", sa.String(64), nullable=False),
    sa.Column("type", sa.String(64), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("status_reason", sa.Text, nullable=False),
    sa.Column("status_message", sa.Text, nullable=False),
    sa.Column("status_changed", sa.Double, nullable=False),
    sa.Column("project", sa.String(32), nullable=True),
    sa.Column("parent", sa.String(32), nullable=True, index=True),
    sa.Column("user", sa.String(32), nullable=True),
    sa.Column("comment", sa.Text, nullable=False),
    sa.Column("hidden", sa.Boolean, nullable=False),
    sa.Column("archived", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("queue", sa.String(32), nullable=True),
    sa.Column("status_before_queue", sa.String(16), nullable=True),
    sa.Column("created", sa.Double, nullable=False, index=True),
    sa.Column("started", sa.Double, nullable=True),
    sa.Column("completed", sa.Double, nullable=True),
    sa.Column("published", sa.Double, nullable=True),
    sa.Column("last_update", sa.Double, nullable=False, index=True),
    sa.Column("last_change", sa.Double, nullable=False),
    sa.Column("last_worker", sa.Text, nullable=True),
    sa.Column("last_worker_report", sa.Double, nullable=True),
    sa.Column("active_duration", sa.Integer, nullable=True),
    sa.Column("last_iteration", sa.BigInteger, nullable=False),
    sa.Column("tags", Json, nullable=False),
    sa.Column("system_tags", Json, nullable=False),
    sa.Column("script", Json, nullable=False),
    sa.Column("execution", Json, nullable=False),
    sa.Column("hyperparams", Json, nullable=False),
    sa.Column("configuration", Json, nullable=False),
    sa.Column("container", Json, nullable=False),
    sa.Column("models", Json, nullable=False),
    sa.Column("output", Json, nullable=False),
    sa.Column("runtime", Json, nullable=False),
    sa.Index("task_by_name", "name_head"),
    sa.Index("task_by_project", "project", "last_update"),
    sa.Index("task_by_project_and_name", "project", "name_head"),
    sa.Index("task_by_status", "status", "last_update"),
    sa.Index("task_by_start", "started"),
    sa.Index("task_by_end", "completed"),
    sa.Index("task_by_iteration", "last_iteration"),
    sa.Index("task_by_duration", "active_duration"),
    # Holds all that a table's total asks about, so that no row is read for it.
    sa.Index("task_shown", "hidden", "archived", "status", "project", "id"),
)

task_text = sa.Table(
    "task_text",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
)
"""What ``search_text`` looks at, in rows so narrow that all of them can be read."""

activity = sa.Table(
    "task_activity",
    metadata,
    sa.Column(
        "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True
    ),
    sa.Column("task", sa.String(32), nullable=False, index=True),
    sa.Column("time", sa.Double, nullable=False),
    sa.Column("user", sa.String(32), nullable=True),
    sa.Column("method", sa.String(64), nullable=False),
    sa.Column("from_status", sa.String(16), nullable=True),
    sa.Column("to_status", sa.String(16), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
)
"""Every move of a task's status."""

_PLAIN = (
    "id",
    "name",
    "type",
    "status",
    "status_reason",
    "status_message",
    "status_changed",
    "project",
    "parent",
    "user",
    "comment",
    "created",
    "started",
    "completed",
    "published",
    "last_update",
    "last_change",
    "last_worker",
    "last_worker_report",
    "active_duration",
    "last_iteration",
)
_MOMENTS = frozenset(
    {
        "created",
        "started",
        "completed",
        "published",
        "last_update",
        "last_change",
        "status_changed",
        "last_worker_report",
    }
)

TASKS = Collection(
    noun="task",
    table=task,
    columns={**{name: task.c[name] for name in _PLAIN}, "execution.queue": task.c.queue},
    times=_MOMENTS,
    facets={
        "tags": "tags",
        "system_tags": "system_tags",
        "hyperparams": "hyperparams",
        "runtime": "runtime",
        "models.input.model": "models.input.model",
        "models.output.model": "models.output.model",
    },
    documents={
        "script": task.c.script,
        "execution": task.c.execution,
        "output": task.c.output,
        "container": task.c.container,
        "configuration": task.c.configuration,
    },
    lists=frozenset(
        {
            "id",
            "user",
            "tags",
            "system_tags",
            "type",
            "status",
            "project",
            "parent",
            "hyperparams",
            "execution.queue",
            "models.input.model",
            "models.output.model",
        }
    ),
    ranges=frozenset({"active_duration", "last_iteration"}),
    patterns=frozenset({"name", "comment"}),
    equals=frozenset({"runtime"}),
    searched=("id", "name", "comment", "tags", "script.repository", "script.entry_point"),
    measured=True,
    default_order=("-last_update",),
    flags={"archived": task.c.archived},
    texts=task_text,
)
_SEARCHED = frozenset({"name", "comment", "tags", "script"})


class TaskStore:
    """Rows of tasks, their facets and their history."""

    def __init__(self, facets: FacetStore) -> None:
        self._facets = facets

    def get(
        self, connection: Connection, id: str, *columns: "sa.Column[Any]", lock: bool = False
    ) -> "sa.Row[Any] | None":
        """The row, or None; ``lock`` keeps other writers off it until the transaction ends."""
        statement = sa.select(*(columns or (task,))).where(task.c.id == id)
        return connection.execute(statement.with_for_update() if lock else statement).first()

    def require(
        self, connection: Connection, id: str, *columns: "sa.Column[Any]", lock: bool = False
    ) -> "sa.Row[Any]":
        """The row.

        Raises:
            TaskNotFound: there is none.
        """
        row = self.get(connection, id, *columns, lock=lock)
        if row is None:
            raise TaskNotFound(f"there is no task {id!r}", id=id)
        return row

    def require_open(self, connection: Connection, task_id: str, allow_locked: bool = False) -> None:
        """Check that results may be added to a task.

        Raises:
            TaskNotFound: there is none.
            TaskStatusRefused: it is published, and ``allow_locked`` is false.
        """
        row = self.require(connection, task_id, task.c.status)
        if row.status in LOCKED and not allow_locked:
            raise TaskStatusRefused(f"task {task_id} is published: nothing can be added to it", id=task_id)

    def insert(self, connection: Connection, values: dict[str, Any]) -> None:
        """A new task; every JSON column must be given."""
        connection.execute(task.insert().values(**values, **self._derived(values)))
        for field, pairs in _facet_pairs(values):
            if pairs:
                self._facets.replace(connection, values["id"], field, pairs, fresh=True)
        connection.execute(task_text.insert().values(id=values["id"], text=_searched(values["id"], values)))

    def change(
        self, connection: Connection, id: str, values: Mapping[str, Any], *, only_from: str | None = None
    ) -> None:
        """Overwrite columns, and the facets that belong to them.

        Raises:
            TaskRace: the status is no longer ``only_from``.
        """
        where = task.c.id == id
        if only_from is not None:
            where = sa.and_(where, task.c.status == only_from)
        done = connection.execute(task.update().where(where).values(**values, **self._derived(values)))
        if only_from is not None and done.rowcount == 0:
            raise TaskRace(
                f"another client changed task {id} in the same moment; read it again and repeat", id=id
            )
        for field, pairs in _facet_pairs(values):
            self._facets.replace(connection, id, field, pairs)
        if not _SEARCHED.isdisjoint(values):
            row = self.get(connection, id, *(task.c[name] for name in sorted(_SEARCHED)))
            if row is not None:
                text = _searched(id, row._mapping)
                connection.execute(task_text.update().where(task_text.c.id == id).values(text=text))

    @staticmethod
    def _derived(values: Mapping[str, Any]) -> dict[str, Any]:
        derived: dict[str, Any] = {}
        if "name" in values:
            derived["name_head"] = head(values["name"])
        if "system_tags" in values:
            derived["hidden"] = "hidden" in values["system_tags"]
            derived["archived"] = "archived" in values["system_tags"]
        return derived

    def events_arrived(
        self,
        connection: Connection,
        task_id: str,
        last_iteration: int | None,
        now: float,
        worker: str | None = None,
    ) -> None:
        """Results were added: the task is alive, and may have come further.

        Args:
            connection: of a write transaction.
            task_id: the task.
            last_iteration: the greatest iteration that arrived; None when none counts.
            now: seconds since the epoch.
            worker: who sent them.
        """
        values: dict[str, Any] = {"last_update": now}
        if last_iteration is not None:
            values["last_iteration"] = sa.case(
                (task.c.last_iteration < last_iteration, last_iteration), else_=task.c.last_iteration
            )
        if worker:
            values["last_worker"] = worker
        connection.execute(task.update().where(task.c.id == task_id).values(**values))

    def delete(self, connection: Connection, id: str) -> None:
        """Forget a task and its history."""
        connection.execute(task.delete().where(task.c.id == id))
        connection.execute(task_text.delete().where(task_text.c.id == id))
        connection.execute(activity.delete().where(activity.c.task == id))
        self._facets.drop(connection, [id])

    def orphan(self, connection: Connection, parent: str) -> list[str]:
        """Children lose this parent; their ids."""
        children = list(connection.execute(sa.select(task.c.id).where(task.c.parent == parent)).scalars())
        if children:
            connection.execute(task.update().where(task.c.parent == parent).values(parent=None))
        return children

    def record(
        self,
        connection: Connection,
        id: str,
        *,
        time: float,
        user: str | None,
        method: str,
        old: str | None,
        new: str,
        reason: str,
        message: str,
    ) -> None:
        """Add a move to the task's history."""
        connection.execute(
            activity.insert().values(
                task=id,
                time=time,
                user=user,
                method=method,
                from_status=old,
                to_status=new,
                reason=reason,
                message=message,
            )
        )

    def history(self, connection: Connection, id: str) -> "list[sa.Row[Any]]":
        """The moves, oldest first."""
        return list(
            connection.execute(sa.select(activity).where(activity.c.task == id).order_by(activity.c.id))
        )

    def silent(
        self, connection: Connection, before: float, limit: int = 100, only: str | None = None
    ) -> list[str]:
        """Ids of running tasks without a sign of life since a moment; ``only`` asks about one."""
        statement = (
            sa.select(task.c.id)
            .where(task.c.status == "in_progress", task.c.last_update < before)
            .limit(limit)
        )
        if only is not None:
            statement = statement.where(task.c.id == only)
        return list(connection.execute(statement).scalars())

    def find(
        self,
        connection: Connection,
        ask: Query,
        columns: list[Any],
        more: list[ColumnElement[bool]] | None = None,
        *,
        with_total: bool = False,
    ) -> "tuple[list[sa.Row[Any]], int | None, str | None]":
        """The tasks of one page; see ``query.select.run``."""
        return run(connection, TASKS, ask, columns, more, with_total=with_total)

    def projects_of(
        self, connection: Connection, *, type: str | None = None, mark: str | None = None
    ) -> list[str]:
        """Ids of the projects that hold a task of a type, or with a system tag."""
        field = TASKS.find("system_tags")
        assert field is not None
        what = task.c.type == type if type is not None else field.has([str(mark)])
        found = sa.select(task.c.project).where(task.c.project.is_not(None), what).distinct()
        return list(connection.execute(found).scalars())

    def count_by_status(self, connection: Connection, projects: Sequence[str]) -> "list[sa.Row[Any]]":
        """Per project and status: number of tasks that are not hidden, summed run time, last start."""
        statement = (
            sa.select(
                task.c.project,
                task.c.status,
                sa.func.count().label("number"),
                sa.func.sum(task.c.active_duration).label("runtime"),
                sa.func.max(task.c.started).label("last_started"),
            )
            .where(task.c.project.in_(projects), task.c.hidden.is_(False))
            .group_by(task.c.project, task.c.status)
        )
        return list(connection.execute(statement))


def _searched(id: str, values: Mapping[Any, Any]) -> str:
    script = values["script"]
    parts = (
        id,
        values["name"],
        values["comment"],
        *values["tags"],
        script.get("repository") or "",
        script.get("entry_point") or "",
    )
    return folded("\n".join(parts))


def _facet_pairs(values: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    found: list[tuple[str, list[tuple[str, str]]]] = []
    found += [
        (field, [("", tag) for tag in values[field]]) for field in ("tags", "system_tags") if field in values
    ]
    if "hyperparams" in values:
        pairs = [
            (f"{section}.{name}", text_of(item.get("value")))
            for section, items in values["hyperparams"].items()
            for name, item in items.items()
        ]
        found.append(("hyperparams", pairs))
    if "runtime" in values:
        found.append(("runtime", flatten(values["runtime"])))
    if "models" in values:
        for side in ("input", "output"):
            ids = [item["model"] for item in values["models"].get(side) or () if item.get("model")]
            found.append((f"models.{side}.model", [("", id) for id in ids]))
    return found
