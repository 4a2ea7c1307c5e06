"""ROW frames: several points of one iteration in one record, for a step that reports all its numbers at once.

Beside one POINT for each, a row of ten is one checksum, one copy and one lock, and takes 152 bytes instead of 360.
``docs/design/journal.md`` has the layout.
"""

import struct
from collections.abc import Sequence
from zlib import crc32

from trialbook.journal.frames import CHECKSUM, OVERHEAD, Kind

MOST = 4096
"""Points of one ROW."""
FIXED = struct.Struct("<qd")
_checksum = CHECKSUM.pack


class Row:
    """Packs the points of one set of series.

    Args:
        series: their numbers, in the order of the values.
    """

    __slots__ = ("_head", "_pack", "_series", "bytes", "points")

    def __init__(self, series: Sequence[int]) -> None:
        many = self.points = len(series)
        length = FIXED.size + 12 * many
        self.bytes = OVERHEAD + length
        self._head = Kind.ROW << 24 | length
        self._series = struct.pack(f"<{many}I", *series)
        self._pack = struct.Struct(f"<Iqd{4 * many}s{many}d").pack

    def frame(self, iteration: int, time: float, values: Sequence[float]) -> bytes:
        """One whole frame.

        Raises:
            struct.error: the iteration is not an integer of 64 bits, or a value not a number.
        """
        body = self._pack(self._head, iteration, time, self._series, *values)
        return body + _checksum(crc32(body))


def decode(payload: bytes) -> list[tuple[int, int, float, float]]:
    """Series, iteration, time (seconds since the epoch) and value of each point of a ROW."""
    iteration, time = FIXED.unpack_from(payload)
    many = (len(payload) - FIXED.size) // 12
    numbers = struct.unpack_from(f"<{many}I", payload, FIXED.size)
    values = struct.unpack_from(f"<{many}d", payload, FIXED.size + 4 * many)
    return [(number, iteration, time, value) for number, value in zip(numbers, values, strict=True)]
