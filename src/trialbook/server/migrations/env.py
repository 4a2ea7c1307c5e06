"""Alembic runs this; the connection comes from ``migrations.prepare`` or ``migrations.draft``."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from trialbook.server.schema import metadata
from trialbook.server.stores.database import Json


def render(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Our JSON column in the words of a step; the rest as Alembic writes it."""
    if kind == "type" and repr(item) == repr(Json):
        autogen.imports.add("from sqlalchemy.dialects import postgresql")
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_item=render,
    # SQLite cannot alter a column in place.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
