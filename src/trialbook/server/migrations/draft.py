"""``python -m trialbook.server.migrations.draft NAME``: write the next step from what the tables say and the steps so
far do not. Read it before it is committed: a rename looks like a drop and an add.
"""

import argparse
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from trialbook.server.migrations import FOLDER
from trialbook.server.stores.database import Database


def draft(name: str) -> Path:
    """The file of the new step."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    number = 1 + len(list(ScriptDirectory.from_config(config).walk_revisions()))
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/draft.db")
        with database.write() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            script = command.revision(config, name, autogenerate=True, rev_id=f"{number:04d}")
        database.close()
    if script is None or isinstance(script, list):
        raise RuntimeError("Alembic did not write exactly one file")
    return Path(script.path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m trialbook.server.migrations.draft")
    parser.add_argument("name")
    print(draft(parser.parse_args().name))  # noqa: T201
