"""What could not be kept, counted with its place, so that a page can say what is missing and where."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from trialbook.journal.frames import Kind, encode_json

_TELL_EVERY = 10.0


@dataclass(slots=True)
class Tally:
    """Reports of one kind that were left out.

    Attributes:
        count: how many.
        began: moment of the first, seconds since the epoch.
        ended: moment of the last.
        first: smallest iteration among them; None when none is known.
        last: greatest iteration.
    """

    count: int = 0
    began: float = 0.0
    ended: float = 0.0
    first: int | None = None
    last: int | None = None

    def add(self, count: int, moment: float, iteration: int | None) -> None:
        """Count some more."""
        self.merge(Tally(count, moment, moment, iteration, iteration))

    def merge(self, other: "Tally") -> None:
        """Count what another one has."""
        if not other.count:
            return
        if self.count:
            self.began, self.ended = min(self.began, other.began), max(self.ended, other.ended)
        else:
            self.began, self.ended = other.began, other.ended
        self.count += other.count
        known = [number for number in (self.first, self.last, other.first, other.last) if number is not None]
        if known:
            self.first, self.last = min(known), max(known)

    def loss(self, kind: str, why: str) -> dict[str, Any]:
        """The content of a LOSS frame."""
        fields: dict[str, Any] = {"kind": kind, "count": self.count, "why": why}
        fields |= {"began": self.began, "ended": self.ended}
        if self.first is not None:
            fields |= {"first": self.first, "last": self.last}
        return fields


class Losses:
    """What one journal has left out and not yet told. Its caller holds a lock."""

    def __init__(self) -> None:
        self._untold: dict[tuple[str, str], Tally] = {}
        self._told_at = -_TELL_EVERY

    def add(self, kind: str, why: str, count: int, iteration: int | None) -> bool:
        """Count what is left out now; True when it is the first for some time."""
        first = not self._untold and time.monotonic() - self._told_at > _TELL_EVERY
        self._untold.setdefault((kind, why), Tally()).add(count, time.time(), iteration)
        return first

    def merge(self, kind: str, why: str, lost: Tally) -> None:
        """Count what was left out before."""
        if lost.count:
            self._untold.setdefault((kind, why), Tally()).merge(lost)

    def tell(self, write: Callable[[bytes], bool], at_once: bool) -> None:
        """Write LOSS frames, every ten seconds at most.

        Args:
            write: appends a frame; False when there is no room for it.
            at_once: do not wait for the ten seconds.
        """
        if not self._untold or not (at_once or time.monotonic() - self._told_at >= _TELL_EVERY):
            return
        for (kind, why), tally in list(self._untold.items()):
            if not write(encode_json(Kind.LOSS, tally.loss(kind, why))):
                return
            self._told_at = time.monotonic()
            del self._untold[kind, why]
