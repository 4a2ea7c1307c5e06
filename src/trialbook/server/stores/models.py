"""Models: weights and what belongs to them."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from trialbook.base.clock import iso
from trialbook.errors import ModelNotFound
from trialbook.server.stores.database import Json, metadata
from trialbook.server.stores.facets import FacetStore, head, text_of
from trialbook.server.stores.projects import COMPANY
from trialbook.server.stores.query.fields import Collection
from trialbook.server.stores.query.select import run
from trialbook.wire.query import Query

model = sa.Table(
    "model",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_head", sa.String(64), nullable=False, index=True),
    sa.Column("uri", sa.Text, nullable=False),
    # An address may be longer than an index entry.
    sa.Column("uri_head", sa.String(64), nullable=False, index=True),
    sa.Column("hidden", sa.Boolean, nullable=False),
    sa.Column("user", sa.String(32), nullable=True),
    sa.Column("project", sa.String(32), nullable=True),
    sa.Column("task", sa.String(32), nullable=True, index=True),
    sa.Column("parent", sa.String(32), nullable=True),
    sa.Column("comment", sa.Text, nullable=False),
    sa.Column("framework", sa.Text, nullable=True),
    sa.Column("ready", sa.Boolean, nullable=False),
    sa.Column("created", sa.Double, nullable=False, index=True),
    sa.Column("last_update", sa.Double, nullable=False),
    sa.Column("last_change", sa.Double, nullable=False),
    sa.Column("last_iteration", sa.BigInteger, nullable=False),
    sa.Column("tags", Json, nullable=False),
    sa.Column("system_tags", Json, nullable=False),
    sa.Column("design", Json, nullable=False),
    sa.Column("labels", Json, nullable=False),
    sa.Column("metadata_items", Json, nullable=False),
    sa.Index("model_by_project", "project", "last_update"),
)

_PLAIN = (
    "id",
    "name",
    "uri",
    "user",
    "project",
    "task",
    "parent",
    "comment",
    "framework",
    "ready",
    "created",
    "last_update",
    "last_change",
    "last_iteration",
)

MODELS = Collection(
    noun="model",
    table=model,
    columns={name: model.c[name] for name in _PLAIN},
    times=frozenset({"created", "last_update", "last_change"}),
    facets={"tags": "tags", "system_tags": "system_tags", "metadata": "metadata"},
    documents={"design": model.c.design, "labels": model.c.labels},
    lists=frozenset(
        {"id", "user", "project", "task", "parent", "framework", "uri", "tags", "system_tags", "metadata"}
    ),
    ranges=frozenset({"last_iteration"}),
    patterns=frozenset({"name", "comment"}),
    equals=frozenset({"ready"}),
    searched=("id", "name", "comment", "tags", "framework"),
    measured=True,
    default_order=("-last_update",),
)


class ModelStore:
    """Rows of models and their facets."""

    def __init__(self, facets: FacetStore) -> None:
        self._facets = facets

    def get(self, connection: Connection, id: str) -> "sa.Row[Any] | None":
        """The row, or None."""
        return connection.execute(sa.select(model).where(model.c.id == id)).first()

    def require(self, connection: Connection, id: str) -> "sa.Row[Any]":
        """The row.

        Raises:
            ModelNotFound: there is none.
        """
        row = self.get(connection, id)
        if row is None:
            raise ModelNotFound(f"there is no model {id!r}", id=id)
        return row

    def insert(self, connection: Connection, values: dict[str, Any]) -> None:
        """A new model; every column but the derived ones must be given."""
        connection.execute(model.insert().values(**values, **_derived(values)))
        self._write_facets(connection, values["id"], values, fresh=True)

    def change(self, connection: Connection, id: str, values: Mapping[str, Any]) -> None:
        """Overwrite columns."""
        connection.execute(model.update().where(model.c.id == id).values(**values, **_derived(values)))
        self._write_facets(connection, id, values, fresh=False)

    def _write_facets(
        self, connection: Connection, id: str, values: Mapping[str, Any], *, fresh: bool
    ) -> None:
        for field in ("tags", "system_tags"):
            if field in values:
                self._facets.replace(connection, id, field, [("", tag) for tag in values[field]], fresh=fresh)
        if "metadata_items" in values:
            pairs = [(key, text_of(item.get("value"))) for key, item in values["metadata_items"].items()]
            self._facets.replace(connection, id, "metadata", pairs, fresh=fresh)

    def delete(self, connection: Connection, id: str) -> None:
        """Forget a model."""
        connection.execute(model.delete().where(model.c.id == id))
        self._facets.drop(connection, [id])

    def of_task(self, connection: Connection, task: str) -> "list[sa.Row[Any]]":
        """The models that a task made."""
        return list(connection.execute(sa.select(model).where(model.c.task == task)))

    def find(
        self,
        connection: Connection,
        ask: Query,
        more: list[ColumnElement[bool]] | None = None,
        *,
        with_total: bool = False,
    ) -> "tuple[list[sa.Row[Any]], int | None, str | None]":
        """The models of one page; see ``query.select.run``."""
        uris = getattr(ask, "uri", None)
        listed = uris if isinstance(uris, list) else [uris] if uris else []
        plain = [uri for uri in listed if isinstance(uri, str)]
        more = list(more or [])
        if plain and len(plain) == len(listed) and not any(uri.startswith(("-", "__$")) for uri in plain):
            more.append(model.c.uri_head.in_([head(uri) for uri in plain]))
        return run(connection, MODELS, ask, [model], more, with_total=with_total)


def _derived(values: Mapping[str, Any]) -> dict[str, Any]:
    derived: dict[str, Any] = {}
    for field in ("name", "uri"):
        if field in values:
            derived[f"{field}_head"] = head(values[field])
    if "system_tags" in values:
        derived["hidden"] = "hidden" in values["system_tags"]
    return derived


def document(row: "sa.Row[Any]", metrics: dict[str, Any]) -> dict[str, Any]:
    """The model as the wire shows it."""
    return {
        **{name: getattr(row, name) for name in _PLAIN},
        "company": COMPANY,
        "created": iso(row.created),
        "last_update": iso(row.last_update),
        "last_change": iso(row.last_change),
        "tags": row.tags,
        "system_tags": row.system_tags,
        "design": row.design,
        "labels": row.labels,
        "metadata": row.metadata_items,
        "last_metrics": metrics,
    }
