"""Waiting between tries: exponential with full jitter, bounded in time."""

import random
import time
from collections.abc import Iterator


def backoff(
    first: float = 0.1, factor: float = 2.0, longest: float = 30.0, deadline: float | None = None
) -> Iterator[float]:
    """Yield the seconds to wait before each next try.

    Args:
        first: upper bound of the first wait, seconds.
        factor: growth of the upper bound.
        longest: the bound stops growing here, seconds.
        deadline: a ``time.monotonic()`` moment after which the sequence ends; None never ends.

    Yields:
        A random wait between half the bound and the bound.
    """
    bound = first
    while deadline is None or time.monotonic() < deadline:
        wait = bound * random.uniform(0.5, 1.0)
        if deadline is not None:
            wait = min(wait, max(0.0, deadline - time.monotonic()))
        yield wait
        bound = min(bound * factor, longest)
