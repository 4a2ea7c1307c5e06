"""Making, renaming, moving, merging and deleting projects."""

from functools import partial
from typing import Any

from trialbook.base.clock import iso
from trialbook.errors import Forbidden, MissingField
from trialbook.server.services.call import Call
from trialbook.server.services.changes import changed
from trialbook.server.services.dataset_names import DatasetNames
from trialbook.server.services.datasets.versions import Datasets
from trialbook.server.services.homes import new_names, new_projects, place, project_changed
from trialbook.server.services.projects.tree import Tree
from trialbook.server.stores import retention
from trialbook.server.stores.projects import ProjectStore
from trialbook.wire import projects as wire
from trialbook.wire.table import Permission

_FIELDS = ("name", "description", "tags", "system_tags", "default_output_destination")


class Editing:
    """Changes of projects.

    Args:
        projects: the store.
        tree: what a project holds.
        datasets: take the name of their project.
        names: keeps datasets apart.
    """

    def __init__(self, projects: ProjectStore, tree: Tree, datasets: Datasets, names: DatasetNames) -> None:
        self._names = names
        self._projects = projects
        self._tree = tree
        self._datasets = datasets

    def create(self, call: Call, ask: wire.CreateProject) -> str:
        """A new project, with those above it that are missing; its id.

        Raises:
            NameTaken: the full path exists.
        """
        with new_projects(call, self._projects, ask.name):
            return self._projects.create(
                call.connection,
                ask.name,
                call.caller.user,
                call.now,
                description=ask.description,
                tags=ask.tags,
                system_tags=ask.system_tags,
                default_output_destination=ask.default_output_destination,
            )

    def edit(self, call: Call, ask: wire.UpdateProject) -> dict[str, Any]:
        """Change what the request names; the changed fields.

        Raises:
            ProjectNotFound, ProjectMoveRefused, NameTaken: see the store.
        """
        given = {name: getattr(ask, name) for name in _FIELDS if getattr(ask, name) is not None}
        row = self._projects.require(call.connection, ask.project)
        with new_names(call, self._projects, [ask.project]):
            values = self._projects.update(call.connection, ask.project, given, call.now)
        if "basename" in values:
            self._datasets.follow(call, ask.project, values["basename"])
        fields = {name: values[name] for name in (*_FIELDS, "basename") if name in values}
        other = {name: value for name, value in fields.items() if name not in {"name", "basename"}}
        project_changed(call, self._projects, ask.project, before=row._mapping, after=other)
        if fields:
            fields["last_update"] = iso(call.now)
        return fields

    def move(self, call: Call, ask: wire.MoveProject) -> int:
        """Another place in the tree; how many projects have another path now."""
        projects = self._projects
        with new_names(call, projects, [ask.project]), new_projects(call, projects, ask.new_location):
            return len(
                projects.move(call.connection, ask.project, ask.new_location, call.caller.user, call.now)
            )

    def merge(self, call: Call, ask: wire.MergeProject) -> tuple[int, int]:
        """All of a project into another one; how many tasks and models, and projects, moved.

        Raises:
            MissingField: no other project is named.
            BadRequest, NameTaken: see ``Tree.merge``.
        """

        def begin() -> tuple[str, int]:
            target = place(call, self._projects, ask.destination_project, ask.destination_project_name)
            if target is None:
                raise MissingField(
                    "projects.merge needs destination_project or destination_project_name",
                    field="destination_project",
                )
            self._names.keep_apart(call.connection, ask.project, target)
            return target, self._tree.merge_some(call, ask.project, target)

        target, some = call.in_one(begin)
        entities = some
        while some:
            some = call.in_one(partial(self._tree.merge_some, call, ask.project, target))
            entities += some
        last, projects = call.in_one(partial(self._tree.merge, call, ask.project, target))
        return entities + last, projects

    def delete(self, call: Call, ask: wire.DeleteProject) -> dict[str, int]:
        """Delete a project and all below it; counts of what went.

        Raises:
            BadRequest: it holds tasks or models, and ``force`` is false.
        """
        how = {"force": ask.force, "delete_contents": ask.delete_contents}
        left, done = call.in_one(partial(self._tree.delete, call, ask.project, **how))
        for one in left:
            while call.in_one(partial(self._tree.follow, call, one)):
                pass
        return done

    def retention(self, call: Call, id: str | None) -> wire.Retention:
        """How long things are kept in a project, or in all that say nothing."""
        if id:
            self._projects.require(call.connection, id)
        return wire.Retention(**retention.get(call.connection, id or ""))

    def set_retention(self, call: Call, ask: wire.SetRetention) -> wire.Retention:
        """Say how long.

        Raises:
            Forbidden: the rule for all projects is the administrators'.
        """
        if ask.project:
            self._projects.require(call.connection, ask.project)
        elif not call.caller.may(Permission.ADMIN):
            raise Forbidden("the rule for all projects is the administrator's; name a project")
        before = retention.get(call.connection, ask.project or "")
        values = {name: getattr(ask, name) for name in retention.FIELDS}
        retention.put(call.connection, ask.project or "", values)
        changed(
            call, "project", ask.project or "", "retention", project=ask.project, before=before, after=values
        )
        return wire.Retention(**values)
