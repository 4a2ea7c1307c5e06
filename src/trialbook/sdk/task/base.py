"""What every concern of ``Task`` may use."""

from typing import TYPE_CHECKING, Any

from trialbook.sdk.record import Record

if TYPE_CHECKING:
    from typing_extensions import Self

    from trialbook.sdk.task.run import Run


class TaskBase:
    """Holds the record; the mixins of the sibling files add the public members."""

    _record: Record
    _run: "Run | None" = None
    """What surrounds the task while it is the main one of this process."""

    @property
    def id(self) -> str:
        """The task's id: 32 hexadecimal characters.

        Example:
            >>> Task.get_task(task.id).id == task.id
            True
        """
        return self._record.id

    @property
    def task_id(self) -> str:
        """The same as ``id``.

        Example:
            >>> task.task_id == task.id
            True
        """
        return self._record.id

    @classmethod
    def _wrap(cls, record: Record) -> "Self":
        self = cls.__new__(cls)
        self._record = record
        return self

    def _document(self) -> dict[str, Any]:
        return self._record.document

    def _sync_artifacts(self, end: bool = False) -> None:
        """Store the changes of registered artifacts; the artifacts mixin does it."""

    def _artifact_ready(self) -> None:
        """Wait until the files that this process stores have arrived; the artifacts mixin does it."""
