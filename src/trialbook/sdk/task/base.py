"""What every concern of ``Task`` may use."""

from typing import Any

from trialbook.errors import UsageError
from trialbook.sdk.record import Record

_EDITABLE = ("created", "in_progress")


class TaskBase:
    """Holds the record; the mixins of the sibling files add the public members."""

    _record: Record

    @property
    def id(self) -> str:
        """The task's id: 32 hexadecimal characters."""
        return self._record.id

    @property
    def task_id(self) -> str:
        """The same as ``id``."""
        return self._record.id

    def _document(self) -> dict[str, Any]:
        return self._record.document

    def _sync_artifacts(self, end: bool = False) -> None:
        """Store the changes of registered artifacts; the artifacts mixin does it."""

    def _editable(self) -> bool:
        """Whether content may change: the task is a draft or runs, as far as this object knows."""
        return str(self._record.document.get("status") or "created") in _EDITABLE

    def _artifact_ready(self) -> None:
        """Wait until the files that this process stores have arrived; the artifacts mixin does it."""

    def _require_unpublished(self, what: str) -> None:
        """Results may also come after the end of a run; what is published stays as it is."""
        if self._record.document.get("status") in ("published", "publishing"):
            raise UsageError(
                f"{what} of task {self.id} cannot change: it is published. "
                "Clone it with Task.clone() and edit the copy."
            )

    def _require_editable(self, what: str) -> None:
        """Content may change only while the task is a draft or runs."""
        status = str(self._record.document.get("status") or "created")
        if status not in _EDITABLE:
            raise UsageError(
                f"{what} of task {self.id} cannot change: it is {status}. Clone it with Task.clone() and edit the copy."
            )
