"""``application/x-trialbook-columns``: every point of series, as docs/design/series-store.md has it."""

import json
import sys
from array import array
from dataclasses import dataclass, replace

from trialbook.errors import ServerFault

TYPE = "application/x-trialbook-columns"
_MAGIC = b"TBR1"


@dataclass(frozen=True)
class Series:
    """The points of one series, by iteration: columns of equal length, times in seconds since the epoch."""

    task: str
    metric: str
    variant: str
    iteration: "array[int]"
    time: "array[float]"
    value: "array[float]"


def decode(body: bytes) -> list[Series]:
    """The series of a reply.

    Raises:
        ServerFault: it is no such reply, or is cut short.
    """
    if body[:4] != _MAGIC:
        raise ServerFault("the server answered with something that is not points")
    start = 8 + int.from_bytes(body[4:8], "little")
    found = []
    for one in json.loads(body[8:start])["series"]:
        length, at = one["length"], start + one["offset"]
        if at + 24 * length > len(body):
            raise ServerFault("the points that the server sent are cut short")
        iteration, time, value = array("q"), array("d"), array("d")
        for column in (iteration, time, value):
            column.frombytes(memoryview(body)[at : at + 8 * length])
            at += 8 * length
            if sys.byteorder == "big":
                column.byteswap()
        found.append(Series(one["task"], one["metric"], one["variant"], iteration, time, value))
    return found


def newest_of_each(series: Series) -> Series:
    """Of points with equal iteration the last one; the points are in the order (iteration, time, arrival)."""
    iterations = series.iteration
    end = len(iterations) - 1
    kept = [at for at, number in enumerate(iterations) if at == end or iterations[at + 1] != number]
    if len(kept) == len(iterations):
        return series
    return replace(
        series,
        iteration=array("q", (iterations[at] for at in kept)),
        time=array("d", (series.time[at] for at in kept)),
        value=array("d", (series.value[at] for at in kept)),
    )
