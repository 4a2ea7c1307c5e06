"""The kinds of tasks, the states that they go through, and the levels of console lines: the only lists of them.

Plain Python, because the SDK has them before it has any library. Each member equals its text.
"""

from enum import Enum

from trialbook.errors import UsageError


class TaskTypes(str, Enum):
    """What a task is for.

    Example:
        >>> TaskTypes.training == "training"
        True
    """

    training = "training"
    testing = "testing"
    inference = "inference"
    data_processing = "data_processing"
    application = "application"
    monitor = "monitor"
    controller = "controller"
    optimizer = "optimizer"
    service = "service"
    qc = "qc"
    custom = "custom"

    def __str__(self) -> str:
        return self.value

    @classmethod
    def of(cls, value: "TaskTypes | str") -> "TaskTypes":
        """The member for a string.

        Args:
            value: a member or its value.

        Returns:
            The member.

        Raises:
            UsageError: there is no such type.

        Example:
            >>> TaskTypes.of("inference") is TaskTypes.inference
            True
        """
        try:
            return cls(value)
        except ValueError as error:
            raise UsageError(f"unknown task type {value!r}; one of {', '.join(cls.__members__)}") from error


class TaskStatusEnum(str, Enum):
    """Where a task is in its life.

    Example:
        >>> TaskStatusEnum.in_progress == task.status
        True
    """

    created = "created"
    queued = "queued"
    in_progress = "in_progress"
    stopped = "stopped"
    closed = "closed"
    failed = "failed"
    completed = "completed"
    published = "published"
    publishing = "publishing"
    unknown = "unknown"

    def __str__(self) -> str:
        return self.value


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

FINISHED = ("completed", "published", "closed")
"""A dataset version in one of these is whole and never changes."""
ENDED = frozenset({*FINISHED, "stopped", "failed"})
"""Nothing runs any more."""
LOCKED = frozenset({"published", "publishing"})
"""Nothing may be added."""
TASK_TYPES = frozenset(TaskTypes.__members__)

SHOWN = {"created": "draft", "in_progress": "running", "stopped": "aborted"}
"""What people call a status where the wire has another word; the page says the same (``widgets/Status.tsx``)."""

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
"""Levels of console lines, as numbers of Python's ``logging``."""
LEVEL_NAMES = {**LEVELS, "warn": 30, "fatal": 50}
"""The same, with the other names that clients send."""


def may_move(old: str, new: str) -> bool:
    """True when a task may move from ``old`` to ``new`` without force."""
    return old == new or new in MOVES.get(old, frozenset())
