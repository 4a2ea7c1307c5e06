"""Frames: the records of a journal. ``docs/design/journal.md`` has the layout; this file is its only encoder.

head (kind << 24 | length, u32) · payload · CRC-32 of both (u32), little-endian, no padding
"""

import json
import re
import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import Any, NamedTuple
from zlib import crc32

from trialbook.base.unicode import storable


class Kind(IntEnum):
    """What a frame holds."""

    POINT = 1
    SERIES = 2
    TEXT = 3
    EVENT = 4
    CALL = 5
    LOSS = 6
    GAP = 7
    ROW = 8


class Stream(IntEnum):
    """Where a console line came from."""

    REPORT = 0
    STDOUT = 1
    STDERR = 2
    LOGGING = 3


SEGMENT_MAGIC = b"TBJ1"
SEGMENT_VERSION = 1
SEGMENT_HEADER = struct.Struct("<4sIQ")
BODY_MAGIC = b"TBP1"
OVERHEAD = 8
LONGEST = (1 << 24) - 1
_LONGEST_GAP = 4 << 20
SINGLE_VALUE = -(1 << 31)
"""Iteration of a single value; its metric is ``Summary``."""

_HEAD = struct.Struct("<I")
_SERIES = struct.Struct("<IH")
_TEXT = struct.Struct("<dBB")
POINT_BODY = struct.Struct("<IIqdd")
"""Head, series, iteration, time, value: a POINT frame without its checksum."""
CHECKSUM = struct.Struct("<I")
POINT_HEAD = Kind.POINT << 24 | 28
POINT_BYTES = 36


class Frame(NamedTuple):
    """A frame that was read: where it starts and ends in the buffer, and its payload."""

    kind: int
    payload: bytes
    start: int
    end: int


def encode(kind: Kind, payload: bytes) -> bytes:
    """One whole frame.

    Raises:
        ValueError: the payload has 16 MiB or more.
    """
    if len(payload) > LONGEST:
        raise ValueError(f"a frame holds less than 16 MiB, this one has {len(payload)} bytes")
    body = _HEAD.pack(kind << 24 | len(payload)) + payload
    return body + CHECKSUM.pack(crc32(body))


def encode_point(series: int, iteration: int, time: float, value: float) -> bytes:
    """A POINT frame: 36 bytes."""
    body = POINT_BODY.pack(POINT_HEAD, series, iteration, time, value)
    return body + CHECKSUM.pack(crc32(body))


def encode_series(number: int, metric: str, variant: str) -> bytes:
    """A SERIES frame, which comes before the first POINT of its number."""
    name = storable(metric).encode()[:65535]
    return encode(Kind.SERIES, _SERIES.pack(number, len(name)) + name + storable(variant).encode())


def encode_text(time: float, level: int, stream: int, text: str) -> bytes:
    """A TEXT frame of one or more lines."""
    return encode(Kind.TEXT, _TEXT.pack(time, level, stream) + utf8(text))


def encode_json(kind: Kind, value: dict[str, Any]) -> bytes:
    """An EVENT, CALL or LOSS frame."""
    return encode(kind, json.dumps(value, separators=(",", ":")).encode())


def utf8(text: str) -> bytes:
    """UTF-8 for any text; a lone surrogate becomes a question mark, since the wire is strict UTF-8."""
    return text.encode("utf-8", "replace")


def gap(start: int, end: int) -> bytes:
    """A GAP frame for a part of the stream that cannot be read any more, 4 MiB of it at most.

    Args:
        start: offset of the first byte that is missing.
        end: offset of the next intact frame, 8 bytes on at least.
    """
    length = end - start
    if length > _LONGEST_GAP:
        # What is left must have room for another frame.
        length = _LONGEST_GAP - OVERHEAD
    return encode(Kind.GAP, bytes(length - OVERHEAD))


def frames(buffer: bytes | memoryview, start: int = 0) -> Iterator[Frame]:
    """The frames of a buffer, up to the first that is absent, torn or damaged."""
    view = memoryview(buffer)
    size = len(view)
    while start + OVERHEAD <= size:
        (head,) = _HEAD.unpack_from(view, start)
        end = start + OVERHEAD + (head & 0xFFFFFF)
        if head == 0 or end > size:
            return
        (checksum,) = CHECKSUM.unpack_from(view, end - 4)
        if checksum != crc32(view[start : end - 4]):
            return
        yield Frame(head >> 24, bytes(view[start + 4 : end - 4]), start, end)
        start = end


def valid_end(buffer: bytes | memoryview, start: int = 0) -> int:
    """Where the intact frames of a buffer end."""
    end = start
    for frame in frames(buffer, start):
        end = frame.end
    return end


_KINDS = re.compile(rb"[\x01-\x06\x08]")


def next_intact(buffer: bytes, start: int) -> int | None:
    """Where the next intact frame begins at or after ``start``; None when there is none.

    Used behind a damaged frame, whose own length cannot be trusted.
    """
    view, at = memoryview(buffer), start
    # The kind is the last byte of the head; looking for it first passes over text and empty pages at once.
    while (found := _KINDS.search(buffer, at + 3)) is not None:
        at = found.start() - 3
        length = int.from_bytes(view[at : at + 3], "little")
        end = at + OVERHEAD + length
        if end <= len(buffer) and _plausible(buffer, at, length):
            (checksum,) = CHECKSUM.unpack_from(view, end - 4)
            if checksum == crc32(view[at : end - 4]):
                return at
        at += 1
    return None


def _plausible(buffer: bytes, at: int, length: int) -> bool:
    """Cheap, so that few checksums are taken of spans that are not a frame."""
    kind = buffer[at + 3]
    if kind == Kind.POINT:
        return length == POINT_BYTES - OVERHEAD
    if kind == Kind.ROW:
        return length >= 28 and length % 12 == 4
    if kind == Kind.SERIES:
        return _SERIES.size <= length <= 1 << 18
    if kind == Kind.TEXT:
        return length >= _TEXT.size and buffer[at + 12] <= 100 and buffer[at + 13] <= 3
    return length >= 2 and buffer[at + 4] == 0x7B and buffer[at + 3 + length] == 0x7D


def decode_point(payload: bytes) -> tuple[int, int, float, float]:
    """Series, iteration, time (seconds since the epoch) and value of a POINT."""
    series, iteration, time, value = struct.unpack("<Iqdd", payload)
    return series, iteration, time, value


def decode_series(payload: bytes) -> tuple[int, str, str]:
    """Number, metric and variant of a SERIES."""
    number, length = _SERIES.unpack_from(payload)
    name = payload[_SERIES.size :]
    return number, name[:length].decode(), name[length:].decode()


def decode_text(payload: bytes) -> tuple[float, int, int, str]:
    """Time, level, stream and text of a TEXT."""
    time, level, stream = _TEXT.unpack_from(payload)
    return time, level, stream, payload[_TEXT.size :].decode()


def body(header: dict[str, Any], span: bytes) -> bytes:
    """A delivery body: magic, header and whole frames."""
    text = json.dumps(header, separators=(",", ":")).encode()
    return BODY_MAGIC + _HEAD.pack(len(text)) + text + span
