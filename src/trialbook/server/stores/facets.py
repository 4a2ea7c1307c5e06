"""Values that documents hold many of, one row each, so that a filter on them is an index look-up on both databases:
tags, system tags, hyper-parameters, runtime values, metadata, references to models, ancestors of projects.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.server.stores.database import metadata

HEAD = 64
"""Characters of a value that are indexed: PostgreSQL refuses index entries above some 2 700 bytes."""

facet = sa.Table(
    "facet",
    metadata,
    sa.Column(
        "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True
    ),
    sa.Column("owner", sa.String(32), nullable=False),
    sa.Column("field", sa.String(32), nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("key_head", sa.String(HEAD), nullable=False, server_default=""),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("head", sa.String(HEAD), nullable=False),
    sa.Column("number", sa.Double, nullable=True),
    sa.Index("facet_by_owner", "owner", "field"),
    sa.Index("facet_by_value", "field", "head", "owner"),
    # Serves "sort the tasks by this parameter" without a sort.
    sa.Index("facet_by_key", "field", "key_head", "number", "head", "owner"),
)


def head(text: str) -> str:
    """The part of a value that is indexed."""
    return text[:HEAD]


def number_of(text: str) -> float | None:
    """The value as a finite number, for order and ranges."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if number - number == 0 else None


def text_of(value: Any) -> str:
    """A scalar as the text that filters compare with."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def flatten(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Leaves of nested mappings as (dotted path, text)."""
    found: list[tuple[str, str]] = []
    for key, value in values.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping):
            found += flatten(value, f"{path}.")
        else:
            found.append((path, text_of(value)))
    return found


class FacetStore:
    """Keeps the rows of a document in step with the document."""

    def replace(
        self,
        connection: Connection,
        owner: str,
        field: str,
        pairs: Iterable[tuple[str, str]],
        *,
        fresh: bool = False,
    ) -> None:
        """Make the rows of one field of one document hold exactly these (key, value) pairs.

        Args:
            connection: of a write transaction.
            owner: id of the document.
            field: first-level name.
            pairs: no key twice, except with different values.
            fresh: the document is new, so there is nothing to compare with.
        """
        wanted = dict.fromkeys(pairs)
        if not fresh:
            rows = connection.execute(
                sa.select(facet.c.id, facet.c.key, facet.c.value).where(
                    facet.c.owner == owner, facet.c.field == field
                )
            )
            stale: list[int] = []
            for row in rows:
                if (row.key, row.value) in wanted:
                    del wanted[row.key, row.value]
                else:
                    stale.append(row.id)
            for start in range(0, len(stale), 1000):
                connection.execute(facet.delete().where(facet.c.id.in_(stale[start : start + 1000])))
        if wanted:
            connection.execute(
                facet.insert(),
                [
                    {
                        "owner": owner,
                        "field": field,
                        "key": key,
                        "key_head": head(key),
                        "value": value,
                        "head": head(value),
                        "number": number_of(value),
                    }
                    for key, value in wanted
                ],
            )

    def drop(self, connection: Connection, owners: Sequence[str]) -> None:
        """Forget documents."""
        for start in range(0, len(owners), 1000):
            connection.execute(facet.delete().where(facet.c.owner.in_(owners[start : start + 1000])))

    def values(self, connection: Connection, field: str, owners: "sa.Select[Any] | None" = None) -> list[str]:
        """Every value in use, sorted.

        Args:
            connection: any.
            field: first-level name.
            owners: a select of the ids to look at; None means all.
        """
        statement = sa.select(facet.c.value).where(facet.c.field == field).distinct()
        if owners is not None:
            statement = statement.where(facet.c.owner.in_(owners))
        return sorted(connection.execute(statement).scalars())
