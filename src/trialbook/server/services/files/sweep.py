"""Deletes the files that deletions left behind; a storage that is away is tried again, later and later."""

from collections.abc import Callable

from trialbook.base.clock import Clock
from trialbook.blobs.store import BlobStore
from trialbook.errors import FileMissing, TrialbookError
from trialbook.server.stores import garbage
from trialbook.server.stores.database import Database

_FIRST_WAIT = 30.0
_LONGEST_WAIT = 86_400.0
_MOST_TRIES = 30
_AT_ONCE = 200


class FileSweep:
    """One round takes up to 200 files.

    Args:
        database: where the list is.
        blobs: where the files are.
        clock: now.
        needed: whether a file must stay, because a version of a dataset reads it.
    """

    def __init__(
        self, database: Database, blobs: BlobStore, clock: Clock,
        needed: Callable[[str], bool] = lambda key: False,
    ) -> None:  # fmt: skip
        self._needed = needed
        self._database = database
        self._blobs = blobs
        self._clock = clock

    def __call__(self) -> bool:
        """Delete what is due; True when there may be more."""
        now = self._clock()
        with self._database.read() as connection:
            rows = garbage.due(connection, now, _AT_ONCE)
        left = [row for row in rows if not self._deleted(row.key) and row.tries < _MOST_TRIES]
        if rows:
            with self._database.write() as connection:
                again = {row.id for row in left}
                garbage.done(connection, [row.id for row in rows if row.id not in again])
                for row in left:
                    wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2**row.tries)
                    garbage.later(connection, row.id, row.tries + 1, now + wait)
        return len(rows) >= _AT_ONCE and not left

    def _deleted(self, key: str) -> bool:
        if self._needed(key):
            return True
        try:
            self._blobs.delete(key)
        except FileMissing:
            # Its client was faster, or it lies on another storage.
            return True
        except TrialbookError:
            return False
        return True
