"""Journal bodies, written from docs/design/journal.md and not with the code under test."""

import json
import struct
import zlib
from collections.abc import Iterable
from typing import Any


def frame(kind: int, payload: bytes) -> bytes:
    """One whole frame."""
    head = struct.pack("<I", kind << 24 | len(payload)) + payload
    return head + struct.pack("<I", zlib.crc32(head))


def point(series: int, iteration: int, time: float, value: float) -> bytes:
    """POINT."""
    return frame(1, struct.pack("<Iqdd", series, iteration, time, value))


def row(iteration: int, time: float, values: dict[int, float]) -> bytes:
    """One ROW frame: values by series."""
    many = len(values)
    return frame(8, struct.pack(f"<qd{many}I{many}d", iteration, time, *values, *values.values()))


def points(series: int, rows: Iterable[tuple[int, float, float]]) -> bytes:
    """Several POINT frames of (iteration, time, value)."""
    return b"".join(point(series, *row) for row in rows)


def series(number: int, metric: str, variant: str) -> bytes:
    """SERIES."""
    name = metric.encode()
    return frame(2, struct.pack("<IH", number, len(name)) + name + variant.encode())


def text(line: str, time: float = 1.7e9, level: int = 20, stream: int = 0) -> bytes:
    """TEXT."""
    return frame(3, struct.pack("<dBB", time, level, stream) + line.encode())


def event(**fields: Any) -> bytes:
    """EVENT."""
    return frame(4, json.dumps(fields).encode())


def call(method: str, **params: Any) -> bytes:
    """CALL."""
    return frame(5, json.dumps({"method": method, "params": params}).encode())


def loss(kind: str, count: int, why: str) -> bytes:
    """LOSS."""
    return frame(6, json.dumps({"kind": kind, "count": count, "why": why}).encode())


def body(task: str, journal: str, first: int, frames: bytes, **header: Any) -> bytes:
    """The body of ``events.add_points``."""
    text = json.dumps(
        {"task": task, "journal": journal, "first": first, "host": "host-a", "pid": 7, **header}
    ).encode()
    return b"TBP1" + struct.pack("<I", len(text)) + text + frames
