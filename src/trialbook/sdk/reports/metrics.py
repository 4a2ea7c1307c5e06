"""Events as they are on the wire, for programs that make their own."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from trialbook.errors import UsageError
from trialbook.sdk.record import Record
from trialbook.wire.states import LEVELS

_SCALAR, _LOG = "training_stats_scalar", "log"
_KINDS = frozenset({_SCALAR, "training_stats_vector", "training_debug_image", "plot", _LOG})


class Metrics:
    """The way of a task's events to the server. Get it from ``task.metrics_manager``.

    Example:
        >>> event = {"type": "training_stats_scalar", "metric": "loss", "variant": "train", "iter": 1, "value": 0.5}
        >>> task.metrics_manager.write_events([event])
    """

    def __init__(self, record: Record) -> None:
        self._record = record

    def write_events(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Report events; they are safe on this host when this returns.

        Args:
            events: each with ``type`` (training_stats_scalar, training_stats_vector, training_debug_image, plot or
                log), ``metric``, ``variant``, ``iter``, and what its type needs. ``timestamp`` is in milliseconds since
                the epoch; without one it is now. Log events need ``msg`` instead.

        Raises:
            UsageError: an event of another type, or without what it needs; the events before it are reported.
        """
        for event in events:
            self._write(dict(event))

    def flush(self) -> bool:
        """Wait until the server has them, at most ten seconds; True when it has."""
        return self._record.flush()

    def _write(self, event: dict[str, Any]) -> None:
        kind = event.get("type")
        if kind not in _KINDS:
            raise UsageError(f"an event's type is one of {', '.join(sorted(_KINDS))}, not {kind!r}")
        needed = {_LOG: ("msg",), _SCALAR: ("metric", "variant", "value")}.get(kind, ("metric", "variant"))
        missing = [name for name in needed if event.get(name) is None]
        if missing:
            raise UsageError(f"the {kind} event has no {', '.join(missing)}")
        event.setdefault("timestamp", int(time.time() * 1000))
        event.setdefault("iter", 0)
        moment = float(event["timestamp"]) / 1000.0
        journal = self._record.journal
        if kind == _SCALAR:
            journal.point_at(
                str(event["metric"]), str(event["variant"]), int(event["iter"]), float(event["value"]), moment
            )
        elif kind == _LOG:
            level = event.get("level", 20)
            number = LEVELS.get(level.lower(), 20) if isinstance(level, str) else int(level)
            journal.text(str(event["msg"]), number, moment=moment)
        else:
            journal.event(event)
