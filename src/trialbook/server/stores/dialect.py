"""The INSERT of the connected database: both know ``ON CONFLICT``, each by a class of its own."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection


def insert(connection: Connection, table: sa.Table) -> Any:
    """An INSERT with ``on_conflict_do_update``, ``on_conflict_do_nothing`` and ``excluded``."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)
