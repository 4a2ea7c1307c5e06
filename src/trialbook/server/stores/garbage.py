"""Files that are to be deleted: written with the deletion of what named them, done by a loop that tries again."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.server.stores.database import metadata
from trialbook.server.stores.series import Id

file_garbage = sa.Table(
    "file_garbage",
    metadata,
    sa.Column("id", Id, primary_key=True, autoincrement=True),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("due", sa.Double, nullable=False, index=True),
    sa.Column("tries", sa.Integer, nullable=False),
)
"""Keys below ``/files``."""


def own_key(url: str, owner: str) -> str | None:
    """The key of a file of a task or model, if this server may hold it.

    Clients name the server in many ways, so the address is not compared. What they upload for a task lies in a folder
    that ends with the task's id: without it nothing is ever taken for the task's own.
    """
    path = unquote(urlsplit(url).path).lstrip("/").removeprefix("files/")
    folders = path.split("/")[:-1]
    return path if any(folder.endswith(f".{owner}") for folder in folders) else None


def add(connection: Connection, keys: Sequence[str], now: float) -> int:
    """Have files deleted; how many."""
    rows = [{"key": key, "due": now, "tries": 0} for key in dict.fromkeys(keys)]
    if rows:
        connection.execute(file_garbage.insert(), rows)
    return len(rows)


def due(connection: Connection, now: float, most: int) -> "list[sa.Row[Any]]":
    """What is to be tried now."""
    query = sa.select(file_garbage).where(file_garbage.c.due <= now).order_by(file_garbage.c.due)
    return list(connection.execute(query.limit(most)))


def done(connection: Connection, ids: Sequence[int]) -> None:
    """These are gone."""
    connection.execute(file_garbage.delete().where(file_garbage.c.id.in_(ids)))


def later(connection: Connection, id: int, tries: int, due: float) -> None:
    """This one could not be deleted yet."""
    connection.execute(file_garbage.update().where(file_garbage.c.id == id).values(tries=tries, due=due))
