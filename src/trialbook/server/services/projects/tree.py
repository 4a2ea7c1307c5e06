"""The tree of projects: statistics, tags in use, deletion."""

import time
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.base.clock import iso
from trialbook.errors import BadRequest, NameTaken
from trialbook.server.services.call import Call
from trialbook.server.services.changes import changed, progressed
from trialbook.server.services.homes import new_names
from trialbook.server.services.tasks.lifecycle import Lifecycle
from trialbook.server.stores import leaving
from trialbook.server.stores.facets import FacetStore
from trialbook.server.stores.models import ModelStore, model
from trialbook.server.stores.projects import ProjectStore
from trialbook.server.stores.query.fields import FacetField
from trialbook.server.stores.series import portions
from trialbook.server.stores.tasks import TaskStore, task

DELETED_AT_ONCE = 50
"""Tasks, or models, that one transaction deletes at most."""
DELETING_SECONDS = 0.05
"""After which it deletes no further one: what each takes differs much."""
MOVED_AT_ONCE = 500
"""Of how many it changes the project."""


class Tree:
    """What concerns a project and all that is in it.

    Args:
        projects, tasks, models, facets: the stores.
        lifecycle: deletes tasks.
    """

    def __init__(
        self,
        projects: ProjectStore,
        tasks: TaskStore,
        models: ModelStore,
        facets: FacetStore,
        lifecycle: Lifecycle,
    ) -> None:
        self._projects = projects
        self._tasks = tasks
        self._models = models
        self._facets = facets
        self._lifecycle = lifecycle

    def holding(self, connection: Connection, kind: str) -> set[str]:
        """The projects with pipelines, reports or datasets, in them or below them.

        Args:
            connection: any.
            kind: ``pipeline``, ``report`` or ``dataset``.
        """
        if kind == "report":
            found = self._tasks.projects_of(connection, type="report")
        else:
            found = self._tasks.projects_of(connection, mark=kind)
        return self._projects.with_ancestors(connection, found)

    def statistics(self, connection: Connection, ids: list[str]) -> dict[str, dict[str, Any]]:
        """Per project: counts of tasks by status in it and below it, its own tasks and models."""
        below = {id: [id, *self._projects.descendants(connection, [id])] for id in ids}
        everything = sorted({member for members in below.values() for member in members})
        rows = self._tasks.count_by_status(connection, everything) if everything else []
        by_project: dict[str, list[Any]] = {}
        for row in rows:
            by_project.setdefault(row.project, []).append(row)
        own_models = self._count_models(connection, ids)
        found: dict[str, dict[str, Any]] = {}
        for id, members in below.items():
            status_count: dict[str, int] = {}
            runtime, last = 0, 0.0
            for member in members:
                for row in by_project.get(member, ()):
                    status_count[row.status] = status_count.get(row.status, 0) + row.number
                    runtime += int(row.runtime or 0)
                    last = max(last, row.last_started or 0.0)
            active = {
                "status_count": status_count,
                "total_tasks": sum(status_count.values()),
                "total_runtime": runtime,
                "last_task_run": iso(last) if last else None,
            }
            found[id] = {
                "stats": {"active": active},
                "own_tasks": sum(row.number for row in by_project.get(id, ())),
                "own_models": own_models.get(id, 0),
            }
        return found

    @staticmethod
    def _count_models(connection: Connection, ids: list[str]) -> dict[str, int]:
        statement = (
            sa.select(model.c.project, sa.func.count())
            .where(model.c.project.in_(ids), model.c.hidden.is_(False))
            .group_by(model.c.project)
        )
        return {row[0]: row[1] for row in connection.execute(statement)}

    def tags(
        self, connection: Connection, table: sa.Table, projects: list[str] | None, field: str = "tags"
    ) -> list[str]:
        """Tags in use on the documents of a table, in some projects or everywhere."""
        owners = sa.select(table.c.id)
        if projects:
            column = table.c.id if "path" in table.c else table.c.project
            owners = owners.where(column.in_([*projects, *self._projects.descendants(connection, projects)]))
        return self._facets.values(connection, field, owners)

    def merge(self, call: Call, id: str, target: str) -> tuple[int, int]:
        """All of a project into another one; it is gone then. How many tasks and models, and projects, moved.

        Raises:
            ProjectNotFound: there is none.
            BadRequest: into itself, or into a project below it.
            NameTaken: the other one has a project of the same name below it.
        """
        connection = call.connection
        destination = self._mergeable(connection, id, target)
        moved = 0
        while some := self.merge_some(call, id, target):
            moved += some
        below = self._projects.children(connection, id)
        source = self._projects.require(connection, id).name
        with new_names(call, self._projects, below):
            for child in below:
                self._projects.move(connection, child, destination.name, call.caller.user, call.now)
        self._projects.delete(connection, [id])
        self._projects.touch(connection, target, call.now)
        changed(call, "project", id, "merged", before={"name": source}, around=[target, *below])
        return moved, len(below)

    def _mergeable(self, connection: Connection, id: str, target: str) -> Any:
        self._projects.require(connection, id)
        destination = self._projects.require(connection, target)
        if target == id or id in destination.path:
            raise BadRequest("a project cannot be merged into itself or into one below it", project=id)
        return destination

    def merge_some(self, call: Call, id: str, target: str) -> int:
        """Some tasks and models of a project into another one; how many. What may be refused is looked at first."""
        destination = self._mergeable(call.connection, id, target)
        for child in self._projects.children(call.connection, id):
            name = self._projects.require(call.connection, child).basename
            if self._projects.find_by_name(call.connection, f"{destination.name}/{name}") is not None:
                raise NameTaken(f"there is a project {name!r} below {destination.name!r} already", name=name)
        moved = _to_another(call, id, target)
        for one in (id, target):
            progressed(call, "project", one, listed=True)
        return moved

    def contents(self, connection: Connection, id: str) -> dict[str, int]:
        """How much is in a project and below it."""
        self._projects.require(connection, id)
        below = self._projects.descendants(connection, [id])
        found = {"projects": len(below)}
        archived = FacetField(model.c.id, "system_tags").has(["archived"])
        for noun, table, put_away in (("tasks", task, task.c.archived), ("models", model, archived)):
            statement = sa.select(sa.func.count()).select_from(table)
            statement = statement.where(table.c.project.in_([id, *below]))
            found[noun] = connection.execute(statement).scalar_one()
            found[f"non_archived_{noun}"] = connection.execute(
                statement.where(sa.not_(put_away))
            ).scalar_one()
        return found

    def delete(
        self, call: Call, id: str, *, force: bool, delete_contents: bool
    ) -> tuple[list[str], dict[str, int]]:
        """Delete a project and all below it. What they held follows: see ``follow``.

        Returns:
            The projects that still hold something, and counts of all that goes.

        Raises:
            BadRequest: it holds tasks or models, and ``force`` is false.
        """
        connection = call.connection
        self._projects.require(connection, id)
        ids = [id, *self._projects.descendants(connection, [id])]
        tasks, models = (
            connection.execute(
                sa.select(sa.func.count()).select_from(table).where(table.c.project.in_(ids))
            ).scalar_one()
            for table in (task, model)
        )
        if (tasks or models) and not force:
            raise BadRequest(
                f"the project holds {tasks} tasks and {models} models; use force to delete it anyway", id=id
            )
        names = self._projects.names(connection, ids)
        self._projects.delete(connection, ids)
        left = ids if tasks or models else []
        if left:
            leaving.add(connection, left, contents=delete_contents, now=call.now)
        for one, name in names.items():
            changed(call, "project", one, "deleted", before={"name": name})
        return left, {
            "deleted": len(ids),
            "disassociated_tasks": 0 if delete_contents else tasks,
            "deleted_models": models if delete_contents else 0,
            "deleted_tasks": tasks if delete_contents else 0,
        }

    def follow(self, call: Call, project: str) -> bool:
        """Some of what a deleted project held goes too, or has no project from now on; False when all is done."""
        connection = call.connection
        contents = leaving.locked(connection, project)
        if contents is None:
            return False
        if not contents:
            if _to_another(call, project, None):
                return True
        else:
            tasks = _some(connection, task, project, DELETED_AT_ONCE)
            deadline = time.monotonic() + DELETING_SECONDS
            for one in tasks:
                self._lifecycle.delete(call, one, force=True)
                if time.monotonic() > deadline:
                    break
            models = [] if tasks else _some(connection, model, project, DELETED_AT_ONCE)
            for one in models:
                self._lifecycle.forget(connection, one)
                self._models.delete(connection, one)
                changed(call, "model", one, "deleted", project=project)
            if tasks or models:
                return True
        leaving.done(connection, project)
        return False


def _some(connection: Connection, table: sa.Table, project: str, most: int) -> list[str]:
    query = sa.select(table.c.id).where(table.c.project == project).limit(most)
    return list(connection.execute(query).scalars())


def _to_another(call: Call, project: str, target: str | None) -> int:
    """Give some tasks or models another project, or none; how many."""
    for table in (task, model):
        some = _some(call.connection, table, project, MOVED_AT_ONCE)
        for few in portions(some):
            call.connection.execute(table.update().where(table.c.id.in_(few)).values(project=target))
        kind: Literal["task", "model"] = "task" if table is task else "model"
        was, now = {"project": project}, {"project": target}
        for one in some:
            changed(call, kind, one, "moved", project=target, before=was, after=now)
        if some:
            return len(some)
    return 0
