"""The tree of projects: statistics, tags in use, deletion."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.base.clock import iso
from trialbook.errors import BadRequest
from trialbook.server.services.call import Call, announce, announce_model
from trialbook.server.services.lifecycle import Lifecycle
from trialbook.server.stores.facets import FacetStore
from trialbook.server.stores.models import ModelStore, model
from trialbook.server.stores.projects import ProjectStore
from trialbook.server.stores.query.fields import FacetField
from trialbook.server.stores.tasks import TaskStore, task


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
        self._projects.require(connection, id)
        destination = self._projects.require(connection, target)
        if target == id or id in destination.path:
            raise BadRequest("a project cannot be merged into itself or into one below it", project=id)
        moved = 0
        for table in (task, model):
            leaving = table.update().where(table.c.project == id).values(project=target)
            gone = connection.execute(leaving.returning(table.c.id)).scalars().all()
            moved += len(gone)
            for one in gone:
                if table is task:
                    announce(call, one, id, target)
                else:
                    announce_model(call, one)
        below = self._projects.children(connection, id)
        for child in below:
            self._projects.move(connection, child, destination.name, call.caller.user, call.now)
        self._projects.delete(connection, [id])
        self._projects.touch(connection, target, call.now)
        call.publish("projects", "projects", [id, target, *below])
        return moved, len(below)

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

    def delete(self, call: Call, id: str, *, force: bool, delete_contents: bool) -> dict[str, int]:
        """Delete a project and all below it.

        Raises:
            BadRequest: it holds tasks or models, and ``force`` is false.
        """
        connection = call.connection
        self._projects.require(connection, id)
        ids = [id, *self._projects.descendants(connection, [id])]
        homes: dict[str, str] = {
            row.id: row.project
            for row in connection.execute(sa.select(task.c.id, task.c.project).where(task.c.project.in_(ids)))
        }
        tasks = list(homes)
        models = list(connection.execute(sa.select(model.c.id).where(model.c.project.in_(ids))).scalars())
        if (tasks or models) and not force:
            raise BadRequest(
                f"the project holds {len(tasks)} tasks and {len(models)} models; use force to delete it anyway",
                id=id,
            )
        done = {"disassociated_tasks": 0, "deleted_models": 0, "deleted_tasks": 0}
        if delete_contents:
            for one in tasks:
                self._lifecycle.delete(call, one, force=True)
            for one in models:
                if self._models.get(connection, one) is not None:
                    self._lifecycle.forget(connection, one)
                    self._models.delete(connection, one)
                    announce_model(call, one)
            done["deleted_tasks"], done["deleted_models"] = len(tasks), len(models)
        elif tasks or models:
            connection.execute(task.update().where(task.c.project.in_(ids)).values(project=None))
            connection.execute(model.update().where(model.c.project.in_(ids)).values(project=None))
            done["disassociated_tasks"] = len(tasks)
            for one, home in homes.items():
                announce(call, one, home)
            for one in models:
                announce_model(call, one)
        self._projects.delete(connection, ids)
        call.publish("projects", "projects", ids)
        return {"deleted": len(ids), **done}
