"""A part of a version: by pattern, or one of several equal parts."""

import hashlib
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np

from trialbook.datasets.lineage import part_of
from trialbook.datasets.manifest import Root
from trialbook.datasets.patterns import Patterns, matcher
from trialbook.datasets.rows import LINK, Rows
from trialbook.errors import UsageError


@dataclass(frozen=True)
class Selection:
    """What to take of a version.

    Attributes:
        patterns: see ``patterns.matcher``; none is all.
        part: number of the part, from 0; None is all.
        parts: how many parts there are; they are disjoint, and together they are the version.
    """

    patterns: tuple[str, ...] = ()
    part: int | None = None
    parts: int = 1

    @classmethod
    def of(cls, patterns: Patterns = None, part: int | None = None, parts: int = 1) -> "Selection":
        """A selection from loosely given arguments.

        Raises:
            UsageError: the part is not one of the parts.
        """
        given = [patterns] if isinstance(patterns, str | PurePath) else patterns or ()
        listed = tuple(sorted(one if isinstance(one, str) else one.as_posix() for one in given))
        if part is not None and (parts < 1 or not 0 <= part < parts):
            raise UsageError(f"part {part} of {parts}: it must be between 0 and {parts - 1}")
        return cls(listed, part, parts if part is not None else 1)

    @property
    def name(self) -> str:
        """Tells views apart; empty for all."""
        names = []
        if self.patterns:
            names.append(hashlib.sha256("\0".join(self.patterns).encode()).hexdigest()[:16])
        if self.part is not None:
            names.append(f"part-{self.part}-of-{self.parts}")
        return "-".join(names)

    def rows(self, rows: Rows, root: Root) -> Rows:
        """The rows that are meant."""
        every = rows
        if self.part is not None:
            # Packs are the unit, so that a part reads no pack that another part reads; links are dealt out in turn.
            mine = set(part_of([ref.key for ref in root.packs], self.part, self.parts))
            numbers = np.array([number for number, key in enumerate(rows.packs) if key in mine], np.uint32)
            linked = rows.data["kind"] == LINK
            turn = (np.cumsum(linked) - 1) % self.parts == self.part
            rows = rows.take(np.where(linked, turn, np.isin(rows.data["pack"], numbers)))
        if self.patterns:
            wanted = matcher(self.patterns, among=every.paths)
            rows = rows.take(np.array([wanted(path) for path in rows.paths], bool))
        return rows
