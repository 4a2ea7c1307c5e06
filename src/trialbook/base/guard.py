"""The one place where a broad ``except`` lives: what watches a user's program may never break it."""

import functools
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_log = logging.getLogger("trialbook")
_lock = threading.Lock()
_failures: Counter[str] = Counter()


def failures() -> dict[str, int]:
    """How often each guarded place has failed in this process."""
    with _lock:
        return dict(_failures)


@contextmanager
def guard(place: str) -> Iterator[None]:
    """Run a block; on any error log it once per place, count it, and go on.

    Args:
        place: a stable name such as ``capture.stdout``; the first failure of a place is logged with its traceback.
    """
    try:
        yield
    except Exception as error:
        with _lock:
            _failures[place] += 1
            first = _failures[place] == 1
        if first:
            _log.warning(
                "%s failed and is skipped from here on when it fails again: %s", place, error, exc_info=True
            )


def guarded(place: str, default: T) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """``guard`` as a decorator; the call answers ``default`` when it failed."""

    def wrap(function: Callable[P, T]) -> Callable[P, T]:
        @functools.wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> T:
            with guard(place):
                return function(*args, **kwargs)
            return default

        return run

    return wrap
