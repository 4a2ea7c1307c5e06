"""Frees what deleted versions of datasets have left in the server's files."""

from trialbook.server.services.datasets.files import DatasetFiles
from trialbook.server.stores.database import Database
from trialbook.server.stores.datasets import DatasetStore


class DatasetSweep:
    """One round: every deleted owner whose repository this server holds.

    Args:
        database, store, files: where the trash and the objects are.
    """

    def __init__(self, database: Database, store: DatasetStore, files: DatasetFiles) -> None:
        self._database = database
        self._store = store
        self._files = files

    def __call__(self) -> bool:
        """False: it need not run again at once."""
        with self._database.read() as connection:
            waiting = self._store.waiting(connection)
        for row in waiting:
            if self._files.key(row.repository) is None:
                continue
            # No new reference can come: only a living version may name what it has or what its parents have, and it
            # holds a reference to each from its first moment on.
            with self._database.read() as connection:
                keep = self._store.referenced(connection, row.owner)
            self._files.free(row.repository, row.owner, keep)
            with self._database.write() as connection:
                self._store.swept(connection, [row.owner])
        return False
