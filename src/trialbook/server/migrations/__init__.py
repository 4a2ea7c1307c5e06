"""The history of the schema. ``HEAD`` is compared with the database at each start; Alembic, which takes a while to
import, is loaded only when they differ.

A new step: change the tables, then ``python -m trialbook.server.migrations.draft NAME``, read what it wrote, and set
``HEAD``. tests/contract/test_migrations.py proves that the steps add up to the tables on both databases.
"""

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.errors import ConfigurationError
from trialbook.server.stores.database import Database, unusable

HEAD = "0012"
FOLDER = Path(__file__).parent
_LOCK = 7_245_381_004
"""PostgreSQL's advisory lock that keeps two starting servers from migrating at once."""


def current(connection: Connection) -> str | None:
    """The version of the database; None when it is empty."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def prepare(database: Database) -> None:
    """Bring the database to this version's schema.

    Raises:
        ConfigurationError: it cannot be reached, or was written by a newer version.
    """
    try:
        with database.read() as connection:
            found = current(connection)
    except sa.exc.DBAPIError as error:
        raise unusable(error, database) from None
    if found == HEAD:
        return
    with database.write() as connection:
        if database.dialect == "postgresql":
            connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        _upgrade(connection)


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    # Another server may have come first, or be newer.
    found = current(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise ConfigurationError(
            f"the database was written by a newer Trialbook (schema {found}, this version knows {HEAD});"
            " upgrade with: pip install --upgrade trialbook"
        )
    command.upgrade(config, "head")
