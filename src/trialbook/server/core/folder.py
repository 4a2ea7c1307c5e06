"""The data folder: one server at a time, and never an older server on newer data."""

import contextlib
import errno
import fcntl
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trialbook.base.files import own_file, own_folder, read_json, write_json
from trialbook.errors import ConfigurationError

_log = logging.getLogger("trialbook.server")
FORMAT = 1
"""Version of the layout of the data folder; the database has its own (see ``server/migrations``)."""


def close_database(path: Path) -> None:
    """Let nobody else read a database file, and what SQLite puts beside it, wherever it lies; say so when they could.

    Args:
        path: of the database.

    Raises:
        ConfigurationError: it belongs to another account.
    """
    try:
        # The others take the mode of the first one.
        opened = [own_file(Path(f"{path}{end}")) for end in ("", "-wal", "-shm", "-journal")]
    except OSError as error:
        raise ConfigurationError(
            f"other accounts can read the database {path}, which holds the key that signs tokens, and it cannot be "
            f"closed to them ({error.strerror}): chown it to the account of the server"
        ) from None
    if any(opened):
        _log.warning(
            "other accounts could read the database %s until now: it holds the key that signs tokens. It is closed to "
            "them (0600). If they may have read it, end all keys and sessions",
            path,
        )


class DataFolder:
    """The folder, locked for this process. The lock goes with the process, however it ends.

    Args:
        path: the folder; made when missing.

    Raises:
        ConfigurationError: another server uses it, it is from a newer version, or it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            # Innermost first: what a start that fails takes away again.
            self._made = [folder for folder in [path, *path.parents] if not folder.exists()]
            self._fresh = bool(self._made) or (path.is_dir() and not any(path.iterdir()))
            if own_folder(path) and any(path.iterdir()):
                _log.warning(
                    "other accounts could read the data folder %s until now: it holds the key that signs tokens. "
                    "It is closed to them (0700). If they may have read it, end all keys and sessions",
                    path,
                )
            self._lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigurationError(
                f"the data folder {path} cannot be used: {error.strerror}; name another one with --data DIR"
            ) from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(self._lock, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(self._lock)
            raise ConfigurationError(
                f"the data folder {path} is in use by another Trialbook server (process {owner});"
                " stop that one or name another folder with --data DIR"
            ) from None
        try:
            # One that gave up may have taken the file away between our opening and our locking it.
            if os.fstat(self._lock).st_ino != (path / "lock").stat().st_ino:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            self._check_version()
            os.ftruncate(self._lock, 0)
            os.pwrite(self._lock, str(os.getpid()).encode(), 0)
        except OSError as error:
            os.close(self._lock)
            raise ConfigurationError(
                f"the data folder {path} cannot be written ({error.strerror}): docs/howto/recovery.md says what to do"
                " about its disk"
            ) from None
        except ConfigurationError:
            os.close(self._lock)
            raise

    def _check_version(self) -> None:
        marker = self.path / "format.json"
        try:
            found = read_json(marker)
            layout = FORMAT if found is None else found["format"]
        except (ValueError, TypeError, KeyError):
            layout = None
        if type(layout) is not int:
            raise ConfigurationError(
                f"{marker} is damaged, so its disk is to be suspected: look at the database too, as"
                f' docs/howto/recovery.md says. Then write {{"format": {FORMAT}}} into it and start again'
            )
        if layout > FORMAT:
            raise ConfigurationError(
                f"the data folder {self.path} was written by a newer Trialbook (format {layout}, this version"
                f" knows {FORMAT}); upgrade with: pip install --upgrade trialbook"
            )
        if found is None:
            write_json(marker, {"format": FORMAT})

    def announce(self, facts: Mapping[str, Any]) -> None:
        """Tell other programs of this machine where the server is.

        Raises:
            ConfigurationError: the disk takes no more files.
        """
        try:
            write_json(self.announcement, dict(facts))
        except OSError as error:
            raise ConfigurationError(
                f"the data folder {self.path} cannot be written ({error.strerror}): docs/howto/recovery.md says what"
                " to do about its disk"
            ) from None

    @property
    def files(self) -> Path:
        """Uploaded files."""
        return self.path / "files"

    @property
    def uploads(self) -> Path:
        """Files that have come in part."""
        return self.path / "uploads"

    @property
    def credentials(self) -> Path:
        """The first administrator's key."""
        return self.path / "credentials.json"

    @property
    def announcement(self) -> Path:
        """Where the running server is."""
        return self.path / "server.json"

    def abandon(self) -> None:
        """Take away what this start has made, when nothing was there before and nothing else has come since."""
        if not self._fresh or {entry.name for entry in self.path.iterdir()} - {"lock", "format.json"}:
            return
        with contextlib.suppress(OSError):
            (self.path / "format.json").unlink(missing_ok=True)
            (self.path / "lock").unlink()
            for folder in self._made:
                folder.rmdir()

    def close(self) -> None:
        """Let another server in."""
        os.close(self._lock)
