"""What is stored instead of NaN and infinite values, where a program asks for it. By default they are kept."""

import logging
import math
import threading
from typing import Any

from trialbook.journal.values import detached

_log = logging.getLogger("trialbook")
_NAN, _INF = "NaN", "infinite"
substitutes: dict[str, tuple[float, int]] = {}
"""Kind of value → what is stored instead, and how many of them lie between two warnings. Empty: all are kept."""
_seen: dict[str, int] = {}
_lock = threading.Lock()


def substitute(kind: str, value: float | None, warn_period: int) -> None:
    """Store ``value`` instead of NaN or infinite values from now on; None keeps them."""
    with _lock:
        _seen.pop(kind, None)
        if value is None:
            substitutes.pop(kind, None)
        else:
            substitutes[kind] = (float(value), max(0, int(warn_period)))


def for_nan(value: float | None, warn_period: int) -> None:
    """What to store instead of NaN."""
    substitute(_NAN, value, warn_period)


def for_infinite(value: float | None, warn_period: int) -> None:
    """What to store instead of infinite values."""
    substitute(_INF, value, warn_period)


def replaced(title: str, series: str, value: Any) -> Any:
    """The value, or what is stored instead of it."""
    try:
        number = float(detached(value))
    except (TypeError, ValueError, OverflowError):
        # The journal says what is wrong with it.
        return value
    kind = _NAN if math.isnan(number) else (_INF if math.isinf(number) else "")
    wanted = substitutes.get(kind)
    if wanted is None:
        return value
    instead, period = wanted
    with _lock:
        count = _seen.get(kind, 0)
        _seen[kind] = count + 1
    if period and count % period == 0:
        _log.warning(
            "%s/%s: %s is reported as %s (value %d of its kind)", title, series, value, instead, count + 1
        )
    return instead
