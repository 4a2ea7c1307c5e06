"""A lock on a file that the system releases when its holder dies, however it dies."""

import contextlib
import os
import sys
from pathlib import Path
from types import TracebackType

if sys.platform == "win32":
    import msvcrt

    def _try(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _wait(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_LOCK, 1)

else:
    import fcntl

    def _try(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _wait(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX)


def holder(path: Path) -> int | None:
    """The process that holds the lock on a file: its id; 0 when it is not known, None when nobody does."""
    if not path.exists():
        return None
    lock = FileLock(path)
    with contextlib.suppress(OSError):
        text = path.read_bytes()[1:]
        if lock.acquire():
            lock.release()
            return None
        return int(text) if text.isdigit() else 0
    return 0


class FileLock:
    """Held from ``acquire`` to ``release``; also a context manager that waits.

    Args:
        path: the lock file; it is created and stays.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def acquire(self, wait: bool = False) -> bool:
        """Take the lock.

        Args:
            wait: True waits as long as another holds it; False answers at once.

        Returns:
            Whether it is held now.
        """
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        if wait:
            _wait(handle)
        elif not _try(handle):
            os.close(handle)
            return False
        self._handle = handle
        # Behind the byte that some systems lock. A full disk must not keep the lock from being had.
        with contextlib.suppress(OSError):
            os.ftruncate(handle, 0)
            os.write(handle, f" {os.getpid()}".encode())
        return True

    def release(self) -> None:
        """Give it back; harmless when it is not held."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def forget(self) -> None:
        """In a forked child: drop the inherited handle. The parent keeps the lock through its own."""
        self.release()

    def __enter__(self) -> "FileLock":
        self.acquire(wait=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
