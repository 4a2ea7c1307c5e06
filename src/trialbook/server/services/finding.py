"""Constraints that span two nouns."""

from typing import Any, TypeVar

import sqlalchemy as sa
from msgspec import structs
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from trialbook.server.stores.projects import ProjectStore
from trialbook.server.stores.query.lists import parse
from trialbook.wire.query import Query

Q = TypeVar("Q", bound=Query)


class Finding:
    """Helps ``get_all`` of tasks and models.

    Args:
        projects: the tree.
    """

    def __init__(self, projects: ProjectStore) -> None:
        self._projects = projects

    def below(self, connection: Connection, column: "sa.Column[Any]", projects: Any) -> ColumnElement[bool]:
        """True where the document is in one of the projects or below it."""
        buckets = parse("project", projects)
        wanted = [*buckets.any, *buckets.all]
        inside = [*wanted, *self._projects.descendants(connection, wanted)] if wanted else []
        outside = (
            [*buckets.none, *self._projects.descendants(connection, buckets.none)] if buckets.none else []
        )
        parts: list[ColumnElement[bool]] = []
        if inside:
            parts.append(column.in_(inside))
        if outside:
            parts.append(sa.or_(column.is_(None), column.not_in(outside)))
        found = sa.and_(*parts) if parts else sa.false() if buckets.null else sa.true()
        return sa.or_(found, column.is_(None)) if buckets.null else found

    @staticmethod
    def without(ask: Q, *names: str) -> Q:
        """The request without some constraints."""
        return structs.replace(ask, **dict.fromkeys(names))
