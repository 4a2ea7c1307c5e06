"""The task's status machine, as a table."""

from enum import Enum


class Status(str, Enum):
    """The states of a task."""

    CREATED = "created"
    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    STOPPED = "stopped"
    CLOSED = "closed"
    FAILED = "failed"
    COMPLETED = "completed"
    PUBLISHING = "publishing"
    PUBLISHED = "published"
    UNKNOWN = "unknown"

    __str__ = str.__str__


MOVES: dict[str, frozenset[str]] = {
    "created": frozenset({"queued", "in_progress"}),
    "queued": frozenset({"created", "in_progress", "stopped"}),
    "in_progress": frozenset({"stopped", "failed", "created", "completed"}),
    "stopped": frozenset(
        {"closed", "created", "failed", "queued", "in_progress", "published", "publishing", "completed"}
    ),
    "closed": frozenset({"created", "failed", "published", "publishing", "stopped"}),
    "failed": frozenset({"created", "stopped", "published", "queued"}),
    "completed": frozenset({"published", "in_progress", "created"}),
    "publishing": frozenset({"published"}),
    "published": frozenset(),
    "unknown": frozenset(),
}
"""From each status, where a task may go without force. Staying is always allowed."""

ENDED = frozenset({"stopped", "closed", "failed", "completed", "published"})
LOCKED = frozenset({"published", "publishing"})


def allowed(old: str, new: str) -> bool:
    """True when a task may move from ``old`` to ``new`` without force."""
    return old == new or new in MOVES.get(old, frozenset())
