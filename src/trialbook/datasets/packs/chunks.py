"""Cutting a file where its content says so: an insertion moves the cuts around it and no others."""

import numpy as np
from blake3 import blake3

from trialbook.datasets.manifest.rows import Array

FEWEST_BITS, MOST_BITS = 16, 20
_WINDOW = 16
_BLOCK = 128 << 10
_WEIGHTS = tuple(np.uint32(value) for value in (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F))
_SHIFT = np.uint32(0x165667B1)
"""Keeps a run of zeros from being one cut after the other."""
_PER_FILE = 14


def bits_for(size: int) -> int:
    """How large the chunks of a file are: 2 to the power of this on average."""
    return min(MOST_BITS, max(FEWEST_BITS, (size >> _PER_FILE).bit_length()))


class Cutter:
    """Takes a file in parts, gives its chunks. The format document has the rule.

    Args:
        bits: from ``bits_for``.
    """

    def __init__(self, bits: int) -> None:
        self.bits = bits
        self.sizes: list[int] = []
        self.digests: list[bytes] = []
        self._fewest, self._most = (1 << bits) // 4, (1 << bits) * 4
        self._limit = np.uint32((1 << 32) // ((1 << bits) * 3 // 4))
        self._open = b""
        self._cuts: list[int] = []

    def feed(self, part: bytes | memoryview) -> None:
        """The next bytes of the file."""
        seen = len(self._open)
        self._open += part
        self._cuts += _cuts(self._open, max(0, seen - _WINDOW + 1), self._limit)
        self._take(False)

    def finish(self) -> None:
        """The file is over."""
        self._take(True)

    def _take(self, last: bool) -> None:
        data, start, number = memoryview(self._open), 0, 0
        while start < len(data):
            while number < len(self._cuts) and self._cuts[number] < start + self._fewest:
                number += 1
            end = start + self._most
            if number < len(self._cuts):
                end = min(end, self._cuts[number])
            if end > len(data):
                if not last:
                    break
                end = len(data)
            self.sizes.append(end - start)
            self.digests.append(blake3(data[start:end]).digest())
            start = end
        self._open = bytes(data[start:])
        self._cuts = [cut - start for cut in self._cuts[number:] if cut > start]


def _cuts(data: bytes, start: int, limit: np.uint32) -> list[int]:
    """Places behind a window whose bytes ask for a cut, for windows that begin at ``start`` or later."""
    raw = np.frombuffer(data, np.uint8)
    found: list[Array] = []
    for first in range(start, len(raw) - _WINDOW + 1, _BLOCK):
        # Blocks that the nearest cache holds; four interleaved rows of windows cover every place.
        for shift in range(4):
            block = raw[first + shift : min(first + _BLOCK + _WINDOW - 1, len(raw))]
            words = block[: len(block) // 4 * 4].view("<u4")
            count = min(len(words) - 3, _BLOCK // 4)
            if count < 1:
                continue
            total = words[:count] * _WEIGHTS[0]
            for number in (1, 2, 3):
                total += words[number : count + number] * _WEIGHTS[number]
            total += _SHIFT
            hits = np.flatnonzero(total < limit)
            if len(hits):
                found.append(hits * 4 + (first + shift + _WINDOW))
    return sorted(np.concatenate(found).tolist()) if found else []
