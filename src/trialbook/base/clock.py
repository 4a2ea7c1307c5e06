"""Wall-clock time in the three forms that cross the wire, behind a Protocol so that tests own time."""

import time
from datetime import datetime, timezone
from typing import Protocol


class Clock(Protocol):
    """Where 'now' comes from: seconds since the epoch, UTC."""

    def __call__(self) -> float: ...


def now() -> float:
    """Seconds since the epoch, UTC."""
    return time.time()


def iso(seconds: float) -> str:
    """``2026-01-31T10:11:12.123456+00:00``: always six digits and a numeric zone, as released clients parse it."""
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="microseconds")


def parse_iso(text: str) -> float:
    """Seconds since the epoch from ISO-8601 text; a text without a zone is UTC.

    Raises:
        ValueError: the text is not a date.
    """
    cleaned = text.strip().replace("Z", "+00:00")
    moment = datetime.fromisoformat(cleaned)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return moment.timestamp()
