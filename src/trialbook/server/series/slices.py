"""A long request in slices, each a transaction of its own, so that nobody else waits for all of it.

A journal's body is cut between frames: each slice is what a client with shorter bodies would have sent, so the offset
in the database says after each how far the journal is, and nothing is stored twice. Points without a journal are cut by
series, the same way each time, and each slice has a digest of its own.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator

import msgspec

from trialbook.errors import BodyTooLarge
from trialbook.server.core.limits import BATCH_EVENTS
from trialbook.server.series.arrivals import Ready
from trialbook.server.series.decode import (
    EVENT,
    POINT,
    POINT_FRAME,
    ROW,
    SERIES,
    TEXT,
    Header,
    points_ahead,
    series_of,
    series_of_row,
)

SERIES_AT_ONCE = 500
"""Series that one transaction writes to: each has a row, and places in four indexes."""
LINES_AT_ONCE = 10_000
"""Console reports of one transaction."""
EVENTS_AT_ONCE = 500
"""Plots, pictures and other events of one transaction."""
EVENT_BYTES_AT_ONCE = 4 << 20
"""Their size, at which fewer are enough; one that is larger goes alone."""
AT_ONCE = (SERIES_AT_ONCE, LINES_AT_ONCE, EVENTS_AT_ONCE, EVENT_BYTES_AT_ONCE)
_SHORT = 32 << 10
_U32 = struct.Struct("<I")
_WINDOW = 1 << 16


def of_journal(header: Header, frames: memoryview) -> list[tuple[Header, memoryview]]:
    """A body as several that follow one another; one that is short, or damaged, is left as it is.

    Raises:
        BodyTooLarge: it has too many frames that are not points: each becomes an object.
    """
    cuts = [0, *_cuts(frames), len(frames)] if len(frames) > _SHORT else [0, len(frames)]
    return [
        (msgspec.structs.replace(header, first=header.first + start), frames[start:stop])
        for start, stop in itertools.pairwise(cuts)
    ]


def _cuts(frames: memoryview) -> Iterator[int]:
    """Offsets of frames before which enough has come together."""
    at, begun, end = 0, 0, len(frames)
    texts = events = sizes = others = 0
    series: set[int] = set()
    while at + 8 <= end:
        (head,) = _U32.unpack_from(frames, at)
        kind, size = head >> 24, (head & 0xFFFFFF) + 8
        many = 1
        if kind == POINT and size == POINT_FRAME:
            many = min(points_ahead(frames, at), _WINDOW)
            fresh = series_of(frames, at, many)
            if len(fresh) > SERIES_AT_ONCE:
                many = SERIES_AT_ONCE
                fresh = series_of(frames, at, many)
        elif kind == SERIES:
            fresh = set(_U32.unpack_from(frames, at + 4))
        elif kind == ROW and at + size <= end and size > 24:
            fresh = series_of_row(frames, at, (size - 24) // 12)
        else:
            fresh = set()
        if at > begun and (
            texts >= LINES_AT_ONCE
            or events >= EVENTS_AT_ONCE
            or sizes >= EVENT_BYTES_AT_ONCE
            or len(series | fresh if len(fresh) > 1 else series) > SERIES_AT_ONCE
        ):
            yield at
            begun, texts, events, sizes, series = at, 0, 0, 0, set()
        series |= fresh
        others += kind != POINT
        if others > BATCH_EVENTS:
            raise BodyTooLarge(
                f"the body has more than {BATCH_EVENTS} frames beside points, the most in one request: send several",
                limit=BATCH_EVENTS,
            )
        texts += kind == TEXT
        events += kind == EVENT
        sizes += size if kind == EVENT else 0
        at += many * size


def of_arrivals(readies: list[Ready]) -> Iterator[list[Ready]]:
    """What is written together: all of a usual request at once."""
    some: list[Ready] = []
    weight = 0.0
    for ready in readies:
        series = len(ready.points.names) if ready.points is not None else 0
        texts = sum(map(len, ready.arrivals.entries.values()))
        packed = sum(len(row["payload"]) for row in ready.rows)
        events = len(ready.rows) / EVENTS_AT_ONCE + packed / EVENT_BYTES_AT_ONCE
        more = series / SERIES_AT_ONCE + texts / LINES_AT_ONCE + events
        if some and weight + more > 1:
            yield some
            some, weight = [], 0.0
        some.append(ready)
        weight += more
    if some:
        yield some
