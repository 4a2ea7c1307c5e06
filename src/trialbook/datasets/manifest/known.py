"""Content that is stored already, by its BLAKE3: what a draft need not store again."""

import numpy as np

from trialbook.datasets.manifest.rows import FILE, Array, Rows, known


class Known:
    """An index over rows.

    Args:
        rows: of a draft's parents and of its own stored packs.
    """

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        usable = np.flatnonzero((rows.data["kind"] == FILE) & known(rows.data["b3"]))
        first = rows.data["b3"][usable, 0]
        order = np.argsort(first, kind="stable")
        self._places: Array = usable[order]
        self._first: Array = first[order]
        self.sizes: frozenset[int] = frozenset(np.unique(rows.data["size"][usable]).tolist())

    @property
    def empty(self) -> bool:
        """Whether nothing is known at all."""
        return not len(self._first)

    def find(self, b3: bytes) -> list[int]:
        """The places of rows with that content."""
        words = np.frombuffer(b3, "<u8")
        low = int(np.searchsorted(self._first, words[0], "left"))
        high = int(np.searchsorted(self._first, words[0], "right"))
        candidates = self._places[low:high]
        return [int(place) for place in candidates if (self.rows.data["b3"][place] == words).all()]

    def any_of(self, digests: Array) -> Array:
        """Which of many, of shape (n, 4), may be known: cheap, and True too often rather than never."""
        if not len(self._first):
            return np.zeros(len(digests), bool)
        words = digests[:, 0]
        place = np.searchsorted(self._first, words)
        found: Array = self._first[np.minimum(place, len(self._first) - 1)] == words
        return found
