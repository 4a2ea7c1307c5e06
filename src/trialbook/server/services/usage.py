"""What the tasks of projects have in use: series, hyper-parameters, parents."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.server.stores.facets import facet, head
from trialbook.server.stores.models import model
from trialbook.server.stores.projects import ProjectStore
from trialbook.server.stores.series import series
from trialbook.server.stores.tasks import task

MOST = 1000


class Usage:
    """Reads names and values for the filters of a task table.

    Args:
        projects: the tree.
    """

    def __init__(self, projects: ProjectStore) -> None:
        self._projects = projects

    def _owners(
        self, connection: Connection, projects: Sequence[str] | None, below: bool
    ) -> "sa.Select[Any] | None":
        if not projects:
            return None
        wanted = [*projects, *(self._projects.descendants(connection, projects) if below else ())]
        return sa.select(task.c.id).where(task.c.project.in_(wanted))

    def series(
        self, connection: Connection, projects: Sequence[str] | None, below: bool, start: int, many: int
    ) -> "list[sa.Row[Any]]":
        """Metric and variant with their md5, by name."""
        columns = (series.c.metric, series.c.metric_hash, series.c.variant, series.c.variant_hash)
        statement = sa.select(*columns).where(series.c.is_model.is_(False)).distinct()
        owners = self._owners(connection, projects, below)
        if owners is not None:
            statement = statement.where(series.c.owner.in_(owners))
        ordered = statement.order_by(series.c.metric, series.c.variant)
        return list(connection.execute(ordered.offset(start).limit(many)))

    def parameters(
        self, connection: Connection, projects: Sequence[str] | None, below: bool
    ) -> list[tuple[str, str]]:
        """Section and name, sorted."""
        statement = sa.select(facet.c.key).where(facet.c.field == "hyperparams").distinct()
        owners = self._owners(connection, projects, below)
        if owners is not None:
            statement = statement.where(facet.c.owner.in_(owners))
        keys = connection.execute(statement).scalars()
        return sorted((section, name) for section, _, name in (key.partition(".") for key in keys))

    def values(
        self, connection: Connection, projects: Sequence[str] | None, below: bool, section: str, name: str
    ) -> list[str]:
        """Every value of a hyper-parameter: numbers by size, then texts."""
        key = f"{section}.{name}"
        statement = sa.select(facet.c.number, facet.c.value).distinct()
        statement = statement.where(
            facet.c.field == "hyperparams", facet.c.key_head == head(key), facet.c.key == key
        )
        owners = self._owners(connection, projects, below)
        if owners is not None:
            statement = statement.where(facet.c.owner.in_(owners))
        rows = connection.execute(statement).all()
        return [
            row.value
            for row in sorted(rows, key=lambda row: (row.number is None, row.number or 0.0, row.value))
        ]

    def types(self, connection: Connection, projects: Sequence[str] | None) -> list[str]:
        """Types of tasks, sorted."""
        statement = sa.select(task.c.type).distinct()
        if projects:
            statement = statement.where(task.c.project.in_(projects))
        return sorted(connection.execute(statement).scalars())

    def frameworks(self, connection: Connection, projects: Sequence[str] | None) -> list[str]:
        """Frameworks of models, sorted."""
        statement = sa.select(model.c.framework).where(model.c.framework.is_not(None)).distinct()
        if projects:
            statement = statement.where(model.c.project.in_(projects))
        return sorted(connection.execute(statement).scalars())

    def metadata(
        self, connection: Connection, projects: Sequence[str] | None, below: bool, key: str | None = None
    ) -> list[str]:
        """Names of the texts on models, or the values of one, sorted."""
        column = facet.c.key if key is None else facet.c.value
        statement = sa.select(column).where(facet.c.field == "metadata").distinct()
        if key is not None:
            statement = statement.where(facet.c.key_head == head(key), facet.c.key == key)
        if projects:
            wanted = [*projects, *(self._projects.descendants(connection, projects) if below else ())]
            owners = sa.select(model.c.id).where(model.c.project.in_(wanted))
            statement = statement.where(facet.c.owner.in_(owners))
        return sorted(connection.execute(statement).scalars())

    def parents(
        self, connection: Connection, projects: Sequence[str] | None, below: bool
    ) -> "list[sa.Row[Any]]":
        """Tasks that tasks of the projects name as their parent, by name."""
        children = sa.select(task.c.parent).where(task.c.parent.is_not(None))
        owners = self._owners(connection, projects, below)
        if owners is not None:
            children = children.where(task.c.id.in_(owners))
        statement = sa.select(task.c.id, task.c.name, task.c.project).where(task.c.id.in_(children))
        return list(connection.execute(statement.order_by(task.c.name, task.c.id).limit(MOST)))
