"""Waiting for something to become true, with a deadline instead of a fixed sleep."""

import threading
import time
from collections.abc import Callable


def until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    """Return once ``true()`` is true; fail the test when it is not in time."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        threading.Event().wait(0.01)
