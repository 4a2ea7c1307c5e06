"""Projects as the place of other things: found, or made on the way."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate

from sqlalchemy.engine import Connection

from trialbook.errors import ProjectNotFound
from trialbook.server.services.call import Call
from trialbook.server.services.changes import Values, changed
from trialbook.server.stores.projects import ProjectStore, clean_path


def around(connection: Connection, projects: ProjectStore, id: str) -> list[str]:
    """The projects above and below one: they show its name or its numbers."""
    return [*projects.require(connection, id).path, *projects.descendants(connection, [id])]


def project_changed(
    call: Call,
    projects: ProjectStore,
    id: str,
    verb: str = "edited",
    before: Values | None = None,
    after: Values | None = None,
) -> None:
    """Tell of a change of a project that is still there; arguments as ``changed``."""
    near = around(call.connection, projects, id)
    changed(call, "project", id, verb, project=id, before=before, after=after, around=near)


@contextmanager
def new_projects(call: Call, projects: ProjectStore, name: str) -> Iterator[None]:
    """Tell of the project ``name`` and of those above it, as far as the block makes them; none for an empty name."""
    parts = clean_path(name).split("/") if name.strip("/ ") else []
    paths = accumulate(parts, "{}/{}".format)
    missing = [path for path in paths if projects.find_by_name(call.connection, path) is None]
    yield
    for path in missing:
        id = projects.find_by_name(call.connection, path)
        if id is not None:
            project_changed(call, projects, id, "created", after={"name": path})


@contextmanager
def new_names(call: Call, projects: ProjectStore, ids: list[str]) -> Iterator[None]:
    """Tell of each of these projects, and of those below, whose full name is another one after the block."""
    members = [*ids, *projects.descendants(call.connection, ids)]
    before = projects.names(call.connection, members)
    yield
    after = projects.names(call.connection, members)
    for id, name in after.items():
        if name != before.get(id):
            project_changed(call, projects, id, "renamed", {"name": before.get(id)}, {"name": name})


def place(call: Call, projects: ProjectStore, id: str | None, name: str | None = None) -> str | None:
    """The project by id or full path, made when missing; None when neither is given.

    Raises:
        ProjectNotFound: there is none of that id.
    """
    if id:
        if not projects.exists(call.connection, id):
            raise ProjectNotFound(f"there is no project {id!r}", id=id)
        return id
    return ensure_project(call, projects, name) if name else None


def ensure_project(call: Call, projects: ProjectStore, name: str) -> str:
    """The id of the project with that full path, made when it is missing."""
    known = projects.find_by_name(call.connection, clean_path(name))
    if known is not None:
        return known
    with new_projects(call, projects, name):
        return projects.ensure(call.connection, name, call.caller.user, call.now)
