"""The steps of the schema's history add up to the tables, on both databases."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from trialbook.errors import ConfigurationError
from trialbook.server import migrations
from trialbook.server.schema import metadata
from trialbook.server.stores.database import Database


def test_steps_add_up_to_the_tables(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    migrations.prepare(database)
    with database.read() as connection:
        assert migrations.current(connection) == migrations.HEAD
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    migrations.prepare(database)
    database.close()


def test_head_is_the_newest_step() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations.FOLDER))
    assert ScriptDirectory.from_config(config).get_current_head() == migrations.HEAD


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'newer.db'}")
    migrations.prepare(database)
    with database.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigurationError, match="newer Trialbook"):
        migrations.prepare(database)
    database.close()


def test_S12_who_is_disabled_comes_back_without_old_tokens(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    config = Config()
    config.set_main_option("script_location", str(migrations.FOLDER))
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0007")
        for name, out in (("in", False), ("out", True)):
            connection.execute(
                sa.text(
                    "INSERT INTO user_account (id, name, role, created, preferences, disabled)"
                    " VALUES (:id, :name, 'user', 1, '{}', :out)"
                ),
                {"id": name, "name": name, "out": out},
            )
    migrations.prepare(database)
    with database.read() as connection:
        found = connection.execute(sa.text("SELECT id, token_epoch FROM user_account ORDER BY id"))
        assert [tuple(row) for row in found] == [("in", 0), ("out", 1)]
    database.close()
