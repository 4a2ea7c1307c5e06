"""Projects: a tree by full path."""

import hashlib
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.base.clock import iso
from trialbook.base.ids import new_id
from trialbook.errors import BadRequest, NameTaken, ProjectMoveRefused, ProjectNotFound, ProjectTooDeep
from trialbook.server.stores.database import Json, metadata
from trialbook.server.stores.facets import FacetStore, head
from trialbook.server.stores.query.fields import Collection
from trialbook.server.stores.query.select import run
from trialbook.wire.query import Query

COMPANY = "d1bd92a3b039400cbafc60a7a5b1e52b"
DEEPEST = 10

project = sa.Table(
    "project",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    # A full path may be longer than an index entry, so its digest keeps it unique.
    sa.Column("name_digest", sa.String(32), nullable=False, unique=True),
    sa.Column("name_head", sa.String(64), nullable=False, index=True),
    sa.Column("basename", sa.Text, nullable=False),
    sa.Column("parent", sa.String(32), nullable=True, index=True),
    sa.Column("depth", sa.Integer, nullable=False),
    sa.Column("hidden", sa.Boolean, nullable=False),
    sa.Column("user", sa.String(32), nullable=True),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("created", sa.Double, nullable=False),
    sa.Column("last_update", sa.Double, nullable=False, index=True),
    sa.Column("tags", Json, nullable=False),
    sa.Column("system_tags", Json, nullable=False),
    sa.Column("path", Json, nullable=False),
    sa.Column("default_output_destination", sa.Text, nullable=True),
)

PROJECTS = Collection(
    noun="project",
    table=project,
    columns={
        name: project.c[name]
        for name in (
            "id",
            "name",
            "basename",
            "description",
            "user",
            "created",
            "last_update",
            "default_output_destination",
        )
    },
    times=frozenset({"created", "last_update"}),
    # A project's parent in a query means any ancestor, unless the search is shallow.
    facets={"tags": "tags", "system_tags": "system_tags", "parent": "path"},
    documents={},
    lists=frozenset({"id", "tags", "system_tags", "parent", "user"}),
    ranges=frozenset(),
    patterns=frozenset({"name", "basename", "description"}),
    searched=("id", "name", "description"),
    default_order=("name",),
)


def digest(name: str) -> str:
    """What keeps a full path unique."""
    return hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()


def clean_path(name: str) -> str:
    """A full path without blanks around its parts and without empty parts.

    Raises:
        BadRequest: nothing is left.
        ProjectTooDeep: more than ten levels.
    """
    parts = [part.strip() for part in name.split("/")]
    parts = [part for part in parts if part]
    if not parts:
        raise BadRequest("a project needs a name", field="name")
    if len(parts) > DEEPEST:
        raise ProjectTooDeep(
            f"a project path may have {DEEPEST} levels, this one has {len(parts)}: join some of its names"
        )
    return "/".join(parts)


class ProjectStore:
    """Rows of projects and their facets."""

    def __init__(self, facets: FacetStore) -> None:
        self._facets = facets

    def find_by_name(self, connection: Connection, name: str) -> str | None:
        """The id of the project with that full path."""
        return connection.execute(
            sa.select(project.c.id).where(project.c.name_digest == digest(name), project.c.name == name)
        ).scalar_one_or_none()

    def require(self, connection: Connection, id: str) -> "sa.Row[Any]":
        """The row.

        Raises:
            ProjectNotFound: there is none.
        """
        row = connection.execute(sa.select(project).where(project.c.id == id)).first()
        if row is None:
            raise ProjectNotFound(f"there is no project {id!r}", id=id)
        return row

    def exists(self, connection: Connection, id: str) -> bool:
        """True when there is such a project."""
        return connection.execute(sa.select(project.c.id).where(project.c.id == id)).first() is not None

    def create(self, connection: Connection, name: str, user: str, now: float, **values: Any) -> str:
        """A new project, with the parents that are missing.

        Raises:
            NameTaken: the full path exists.
        """
        path = clean_path(name)
        if self.find_by_name(connection, path) is not None:
            raise NameTaken(f"there is a project {path!r} already", name=path)
        return self._insert(connection, path, user, now, values)

    def ensure(self, connection: Connection, name: str, user: str, now: float) -> str:
        """The id of the project with that full path, made when missing."""
        path = clean_path(name)
        return self.find_by_name(connection, path) or self._insert(connection, path, user, now, {})

    def _insert(
        self, connection: Connection, path: str, user: str, now: float, values: dict[str, Any]
    ) -> str:
        above, _, basename = path.rpartition("/")
        parent = self.ensure(connection, above, user, now) if above else None
        ancestors: list[str] = []
        if parent is not None:
            row = self.require(connection, parent)
            ancestors = [*row.path, parent]
        id = new_id()
        system_tags = sorted(set(values.pop("system_tags", ())))
        tags = sorted(set(values.pop("tags", ())))
        connection.execute(
            project.insert().values(
                id=id,
                name=path,
                name_digest=digest(path),
                name_head=head(path),
                basename=basename,
                parent=parent,
                depth=path.count("/"),
                hidden="hidden" in system_tags,
                user=user,
                description=values.pop("description", ""),
                created=now,
                last_update=now,
                tags=tags,
                system_tags=system_tags,
                path=ancestors,
                **values,
            )
        )
        self._facets.replace(connection, id, "tags", [("", tag) for tag in tags], fresh=True)
        self._facets.replace(connection, id, "system_tags", [("", tag) for tag in system_tags], fresh=True)
        self._facets.replace(connection, id, "path", [("", ancestor) for ancestor in ancestors], fresh=True)
        return id

    def update(self, connection: Connection, id: str, changes: dict[str, Any], now: float) -> dict[str, Any]:
        """Change columns; the new values as they were stored.

        Raises:
            ProjectNotFound: there is none.
            ProjectMoveRefused: the new name is below another parent.
            NameTaken: the new name exists.
        """
        row = self.require(connection, id)
        changes = dict(changes)
        for field in ("tags", "system_tags"):
            if field in changes:
                changes[field] = sorted(set(changes[field]))
                self._facets.replace(connection, id, field, [("", tag) for tag in changes[field]])
        if "system_tags" in changes:
            changes["hidden"] = "hidden" in changes["system_tags"]
        if "name" in changes:
            changes.update(self._rename(connection, row, changes["name"]))
        if changes:
            connection.execute(project.update().where(project.c.id == id).values(**changes, last_update=now))
        return changes

    def _rename(self, connection: Connection, row: "sa.Row[Any]", name: str) -> dict[str, Any]:
        path = clean_path(name)
        if path == row.name:
            return {"name": path}
        if path.rpartition("/")[0] != row.name.rpartition("/")[0]:
            raise ProjectMoveRefused(
                f"a rename may not move the project: {row.name!r} must stay below its parent", name=path
            )
        if self.find_by_name(connection, path) is not None:
            raise NameTaken(f"there is a project {path!r} already", name=path)
        self._rename_below(connection, row, path)
        return {
            "name": path,
            "basename": path.rpartition("/")[2],
            "name_digest": digest(path),
            "name_head": head(path),
        }

    def _rename_below(self, connection: Connection, row: "sa.Row[Any]", path: str) -> list[str]:
        below = self.descendants(connection, [row.id])
        for id in below:
            old = connection.execute(sa.select(project.c.name).where(project.c.id == id)).scalar_one()
            new = path + old[len(row.name) :]
            connection.execute(
                project.update()
                .where(project.c.id == id)
                .values(name=new, name_digest=digest(new), name_head=head(new))
            )
        return below

    def move(self, connection: Connection, id: str, above: str, user: str, now: float) -> list[str]:
        """Put a project below another path, or at the top; the ids of all that have another path now.

        Raises:
            ProjectNotFound: there is none.
            ProjectMoveRefused: into itself.
            ProjectTooDeep: more than ten levels.
            NameTaken: a project of that name is there already.
        """
        row = self.require(connection, id)
        path = clean_path(f"{above}/{row.basename}")
        if path == row.name:
            return []
        if f"{path}/".startswith(f"{row.name}/"):
            raise ProjectMoveRefused(f"{row.name!r} cannot be moved into itself", name=path)
        if self.find_by_name(connection, path) is not None:
            raise NameTaken(f"there is a project {path!r} already", name=path)
        members = {
            id: row,
            **{below: self.require(connection, below) for below in self.descendants(connection, [id])},
        }
        for member in members.values():
            clean_path(path + member.name[len(row.name) :])
        parent_path = path.rpartition("/")[0]
        parent = self.ensure(connection, parent_path, user, now) if parent_path else None
        ancestors = [*self.require(connection, parent).path, parent] if parent else []
        self._rename_below(connection, row, path)
        connection.execute(
            project.update()
            .where(project.c.id == id)
            .values(name=path, name_digest=digest(path), name_head=head(path), parent=parent, last_update=now)
        )
        for one, member in members.items():
            new = [*ancestors, *member.path[len(row.path) :]]
            depth = len(new)
            connection.execute(project.update().where(project.c.id == one).values(path=new, depth=depth))
            self._facets.replace(connection, one, "path", [("", ancestor) for ancestor in new])
        return list(members)

    def descendants(self, connection: Connection, ids: Sequence[str]) -> list[str]:
        """Ids of every project below these."""
        field = PROJECTS.find("parent")
        assert field is not None
        return list(connection.execute(sa.select(project.c.id).where(field.has(list(ids)))).scalars())

    def with_ancestors(self, connection: Connection, ids: Sequence[str]) -> set[str]:
        """These projects and all that they lie in."""
        rows = connection.execute(sa.select(project.c.id, project.c.path).where(project.c.id.in_(ids)))
        return {id for row in rows for id in (row.id, *row.path)}

    def names(self, connection: Connection, ids: Sequence[str]) -> dict[str, str]:
        """The full names of projects, by id; of those that there are."""
        rows = connection.execute(sa.select(project.c.id, project.c.name).where(project.c.id.in_(ids)))
        return {row.id: row.name for row in rows}

    def children(self, connection: Connection, id: str) -> list[str]:
        """Ids of the projects right below one, by name."""
        query = sa.select(project.c.id).where(project.c.parent == id).order_by(project.c.name)
        return list(connection.execute(query).scalars())

    def touch(self, connection: Connection, id: str | None, now: float) -> None:
        """Something in the project changed."""
        if id:
            connection.execute(project.update().where(project.c.id == id).values(last_update=now))

    def delete(self, connection: Connection, ids: Sequence[str]) -> None:
        """Forget projects."""
        connection.execute(project.delete().where(project.c.id.in_(ids)))
        self._facets.drop(connection, ids)

    def find(
        self,
        connection: Connection,
        ask: Query,
        *,
        shallow: bool = False,
        parents: Any = None,
        with_total: bool = False,
        among: set[str] | None = None,
    ) -> "tuple[list[sa.Row[Any]], int | None, str | None]":
        """The projects of one page; see ``query.select.run``.

        Args:
            connection: any.
            ask: the request.
            shallow: only direct children of ``parents``, or top-level projects when there are none.
            parents: one id or several.
            with_total: count everything that matches too.
            among: only these; None is all.
        """
        more = [] if among is None else [project.c.id.in_(sorted(among))]
        if shallow:
            wanted = parents if isinstance(parents, list) else [parents] if parents else []
            more.append(project.c.parent.in_(wanted) if wanted else project.c.parent.is_(None))
        return run(connection, PROJECTS, ask, [project], more, with_total=with_total)


def document(row: "sa.Row[Any]") -> dict[str, Any]:
    """The project as the wire shows it."""
    return {
        "id": row.id,
        "name": row.name,
        "basename": row.basename,
        "description": row.description,
        "user": row.user,
        "company": COMPANY,
        "created": iso(row.created),
        "last_update": iso(row.last_update),
        "tags": row.tags,
        "system_tags": row.system_tags,
        "default_output_destination": row.default_output_destination,
        "parent": row.parent,
        "path": row.path,
    }
