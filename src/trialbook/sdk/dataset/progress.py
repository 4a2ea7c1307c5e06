"""A line at the terminal that says how far a transfer is."""

import sys
import threading
import time

from trialbook.sdk.console import put

_PERIOD = 0.1
_WIDTH = 24


class Progress:
    """A bar on standard error; nothing where that is not a terminal.

    Args:
        what: such as "upload".
        files, total: what there is to do, bytes.
        shown: False never prints.
    """

    def __init__(self, what: str, files: int, total: int, shown: bool = True) -> None:
        self._what, self._files, self._total = what, files, total
        self._done_files = self._done = 0
        self._began = time.monotonic()
        self._last = 0.0
        self._lock = threading.Lock()
        self._shown = shown and total > 0 and sys.stderr is not None and sys.stderr.isatty()

    def add(self, files: int, size: int) -> None:
        """So much more is done; any thread may call."""
        with self._lock:
            self._done_files += files
            self._done += size
            if self._shown and time.monotonic() - self._last > _PERIOD:
                self._print("")

    def end(self) -> None:
        """Leave the last state on a line of its own."""
        if self._shown:
            self._print("\n")

    def _print(self, end: str) -> None:
        self._last = time.monotonic()
        part = min(1.0, self._done / self._total)
        rate = self._done / max(1e-6, self._last - self._began)
        bar = ("█" * int(part * _WIDTH)).ljust(_WIDTH, "·")
        counts = f"{self._done_files}/{self._files} files  {size(self._done)}  {size(rate)}/s"
        text = f"\r{self._what} {bar} {part:4.0%}  {counts} "
        put(sys.stderr, text + end)


def size(count: float) -> str:
    """Bytes for people.

    Example:
        >>> size(1536)
        '1.5 KB'
    """
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1024 or unit == "GB":
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GB"
