"""The kinds of tasks and the states that they go through. Each member equals its text."""

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
        """The member for a text.

        Args:
            value: a member or its text.

        Returns:
            The member.

        Raises:
            UsageError: there is no such type.
        """
        try:
            return cls(value)
        except ValueError as error:
            raise UsageError(f"unknown task type {value!r}; one of {', '.join(cls.__members__)}") from error


class TaskStatusEnum(str, Enum):
    """Where a task is in its life."""

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
