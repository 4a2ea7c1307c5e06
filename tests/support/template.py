"""Databases whose tables exist already: copies of one that was made by the server's own migrations, once per run."""

import shutil
import threading
import uuid
from pathlib import Path

from tests.support.postgres import Databases
from trialbook.server import migrations
from trialbook.server.stores.database import Database


def migrate(url: str) -> None:
    """Bring a database to the newest step, as the server does when it starts."""
    database = Database(url)
    try:
        migrations.prepare(database)
    finally:
        database.close()


class Templates:
    """Makes migrated databases.

    Args:
        folder: where the SQLite template is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._sqlite = folder / "template.db"
        self._lock = threading.Lock()

    def sqlite(self, file: Path) -> Path:
        """A migrated SQLite file at ``file``, whose folder is made when it is missing."""
        with self._lock:
            if not self._sqlite.exists():
                fresh = self._sqlite.with_name(f"{uuid.uuid4().hex}.db")
                migrate(f"sqlite:///{fresh}")
                # A closed database has no log beside it.
                assert not fresh.with_name(f"{fresh.name}-wal").exists()
                fresh.rename(self._sqlite)
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self._sqlite, file)
        file.chmod(0o600)
        return file

    @staticmethod
    def postgresql(server: Databases) -> str:
        """The address of a migrated database on that server."""
        return server.migrated_url(migrate)
