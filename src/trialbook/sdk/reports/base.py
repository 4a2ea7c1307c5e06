"""What every kind of report may use."""

import time
from typing import TYPE_CHECKING, Any

from trialbook.errors import UsageError
from trialbook.sdk.record import Record

if TYPE_CHECKING:
    from trialbook.journal.journal import Journal


class ReporterBase:
    """Holds the task's record."""

    _record: Record

    @property
    def _offset(self) -> int:
        """Added to each iteration."""
        return self._record.offset

    def _journal(self) -> "Journal":
        """Where reports go."""
        return self._record.journal

    def _iteration(self, iteration: int | None) -> int:
        try:
            return (0 if iteration is None else int(iteration)) + self._offset
        except (TypeError, ValueError) as error:
            raise UsageError(f"iteration must be an integer, got {iteration!r}") from error

    def _event(
        self, kind: str, title: str, series: str, iteration: int | None, **more: Any
    ) -> dict[str, Any]:
        return {
            "type": kind,
            "metric": str(title),
            "variant": str(series),
            "iter": self._iteration(iteration),
            "timestamp": int(time.time() * 1000),
            **more,
        }


def model_event(model: str, event: dict[str, Any]) -> dict[str, Any]:
    """The event as one of a model instead of a task."""
    return {**event, "task": model, "model_event": True}
