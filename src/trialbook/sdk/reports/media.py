"""The ring of media files of a title and series: the n-th overwrites the one that is ``limit`` back."""

import threading


class Media:
    """Numbers for the files of each title and series."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str], int] = {}

    def next(self, title: str, series: str, limit: int) -> int:
        """The next number below ``limit``."""
        key = (str(title), str(series))
        with self._lock:
            count = self._counts.get(key, 0)
            self._counts[key] = count + 1
        return count % max(1, limit)
