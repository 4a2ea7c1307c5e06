"""The frames of a journal body as columns and lists, without a Python loop over points.

The layout is in docs/design/journal.md. A run of POINT frames is an array of 36-byte records, so it is read,
and its checksums are verified, by numpy.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from trialbook.errors import BadRequest
from trialbook.server.core import loose_json
from trialbook.server.core.numeric import Floats, Ints, np
from trialbook.wire.logs import Loss

MAGIC = b"TBP1"
POINT, SERIES, TEXT, EVENT, CALL, LOSS, GAP, ROW = 1, 2, 3, 4, 5, 6, 7, 8
POINT_PAYLOAD = 28
POINT_FRAME = 36
UNNAMED = -1
"""Number of a series that no journal defines; its name is for points whose own names were in a GAP."""
_POINT_HEAD = (POINT << 24) | POINT_PAYLOAD
_U32 = struct.Struct("<I")
_SERIES_HEAD = struct.Struct("<IH")
_TEXT_HEAD = struct.Struct("<dBB")


class Header(msgspec.Struct, frozen=True):
    """What a body says about itself."""

    task: str
    journal: str
    first: int
    host: str = ""
    pid: int = 0
    backlog: int = 0


@dataclass(frozen=True, slots=True)
class Text:
    """A console report: time in seconds, level 10 … 50, stream 0 … 3, text of one or more lines."""

    time: float
    level: int
    stream: int
    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A method to run in this place of the order."""

    method: str
    params: dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Points as sent: series numbers of the journal, iterations, seconds, values."""

    local: Ints
    iteration: Ints
    seconds: Floats
    value: Floats


@dataclass(slots=True)
class Span:
    """All frames up to a CALL (or the end), and that CALL."""

    points: list[bytes | memoryview] = field(default_factory=list)
    count: int = 0
    names: dict[int, tuple[str, str]] = field(default_factory=dict)
    texts: list[Text] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    call: Call | None = None
    frames: int = 0

    def run(self) -> Run:
        """The points in the order in which they were reported."""
        data: Any = self.points[0] if len(self.points) == 1 else b"".join(self.points)
        records = np.frombuffer(data, _record())
        return Run(
            records["series"].astype(np.int64),
            records["iteration"].astype(np.int64),
            records["time"].astype(np.float64),
            records["value"].astype(np.float64),
        )


def split(body: bytes) -> tuple[Header, memoryview]:
    """The header of an ``events.add_points`` body, and its frames.

    Raises:
        BadRequest: no such body.
    """
    if body[:4] != MAGIC or len(body) < 8:
        raise BadRequest(
            "the body does not start with TBP1: events.add_points takes journal frames (docs/design/journal.md)"
        )
    (length,) = _U32.unpack_from(body, 4)
    if 8 + length > len(body):
        raise BadRequest(f"the header says {length} bytes, the body has {len(body) - 8}")
    try:
        header = msgspec.json.decode(body[8 : 8 + length], type=Header)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"the header of the body is not valid: {error}") from None
    if not 0 <= header.first < 2**62:
        raise BadRequest(f"first must be an offset from 0, not {header.first}")
    if not 0 < len(header.journal) <= 64 or not (header.journal.isprintable() and header.task.isprintable()):
        raise BadRequest("journal and task must be ids: 1 to 64 printable characters")
    return header, memoryview(body)[8 + length :]


def spans(frames: memoryview, offset: int = 0) -> Iterator[Span]:
    """Cut frames into spans at each CALL; the last span may have none.

    Args:
        frames: whole frames, back to back.
        offset: where to start; must be a frame boundary.

    Raises:
        BadRequest: a frame is cut, of an unknown kind, or its checksum does not hold.
    """
    span = Span()
    end = len(frames)
    while offset < end:
        if end - offset < 8:
            raise BadRequest(f"the frame at byte {offset} of the body is cut")
        (head,) = _U32.unpack_from(frames, offset)
        if head == _POINT_HEAD:
            count = points_ahead(frames, offset)
            part = frames[offset : offset + POINT_FRAME * count]
            if len(part) < POINT_FRAME * count:
                raise BadRequest(f"the frame at byte {offset} of the body is cut")
            _verify(part, offset)
            span.points.append(part)
            span.count += count
            span.frames += count
            offset += len(part)
            continue
        kind, length = head >> 24, head & 0xFFFFFF
        stop = offset + 8 + length
        if stop > end:
            raise BadRequest(f"the frame at byte {offset} of the body is cut")
        if kind == ROW:
            stop, count = _take_rows(span, frames, offset, head)
            span.frames += count
            offset = stop
            continue
        if zlib.crc32(frames[offset : stop - 4]) != _U32.unpack_from(frames, stop - 4)[0]:
            raise BadRequest(f"the checksum of the frame at byte {offset} of the body does not hold")
        _take(span, kind, bytes(frames[offset + 4 : stop - 4]), offset)
        span.frames += 1
        offset = stop
        if span.call is not None:
            yield span
            span = Span()
    if span.frames:
        yield span


def _take_rows(span: Span, frames: memoryview, offset: int, head: int) -> tuple[int, int]:
    """Take the ROW frames of one length that follow one another, as the POINT records that they stand for.

    Returns:
        Where they end, and how many they are.
    """
    length = head & 0xFFFFFF
    points, rest = divmod(length - 16, 12)
    if points < 1 or rest:
        raise BadRequest(
            f"the ROW frame at byte {offset} of the body has {length} bytes: not 16 and 12 for each point"
        )
    size = length + 8
    stop = offset
    while stop + size <= len(frames) and _U32.unpack_from(frames, stop)[0] == head:
        if zlib.crc32(frames[stop : stop + size - 4]) != _U32.unpack_from(frames, stop + size - 4)[0]:
            raise BadRequest(f"the checksum of the frame at byte {stop} of the body does not hold")
        stop += size
    fields = [("head", "<u4"), ("iteration", "<i8"), ("time", "<f8"), ("series", "<u4", (points,))]
    rows = np.frombuffer(
        frames[offset:stop], np.dtype([*fields, ("value", "<f8", (points,)), ("crc", "<u4")])
    )
    found = np.zeros(len(rows) * points, _record())
    found["series"] = rows["series"].reshape(-1)
    found["value"] = rows["value"].reshape(-1)
    found["iteration"] = np.repeat(rows["iteration"], points)
    found["time"] = np.repeat(rows["time"], points)
    span.points.append(found.tobytes())
    span.count += len(found)
    return stop, len(rows)


def _take(span: Span, kind: int, payload: bytes, offset: int) -> None:
    if kind == SERIES and len(payload) >= _SERIES_HEAD.size:
        local, length = _SERIES_HEAD.unpack_from(payload)
        names = payload[_SERIES_HEAD.size :]
        span.names[local] = (
            names[:length].decode("utf-8", "replace"),
            names[length:].decode("utf-8", "replace"),
        )
    elif kind == TEXT and len(payload) >= _TEXT_HEAD.size:
        time, level, stream = _TEXT_HEAD.unpack_from(payload)
        span.texts.append(Text(time, level, stream, payload[_TEXT_HEAD.size :].decode("utf-8", "replace")))
    elif kind == GAP:
        why = "a part of the journal was damaged on the disk of its host"
        span.losses.append(Loss(kind="frame", count=max(1, (len(payload) + 8) // POINT_FRAME), why=why))
        span.names[UNNAMED] = ("Damaged journal", "")
    elif kind in (EVENT, CALL, LOSS):
        value = _object(payload, offset)
        if kind == EVENT:
            span.events.append(value)
        elif kind == LOSS:
            span.losses.append(_loss(value, offset))
        else:
            params = value.get("params")
            span.call = Call(str(value.get("method", "")), params if isinstance(params, dict) else {})
    else:
        raise BadRequest(
            f"the frame at byte {offset} of the body is of kind {kind} with {len(payload)} bytes: not known"
        )


def _object(payload: bytes, offset: int) -> dict[str, Any]:
    try:
        try:
            value = msgspec.json.decode(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            value = loose_json.parse(payload)
        else:
            value = value if b"\\u" not in payload else loose_json.cleaned(value)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"the frame at byte {offset} of the body does not hold JSON: {error}") from None
    if not isinstance(value, dict):
        raise BadRequest(f"the frame at byte {offset} of the body does not hold a JSON object")
    return value


def _loss(value: dict[str, Any], offset: int) -> Loss:
    try:
        return msgspec.convert(value, Loss, strict=False)
    except msgspec.ValidationError as error:
        raise BadRequest(f"the LOSS frame at byte {offset} of the body is not valid: {error}") from None


def _record() -> Any:
    return np.dtype(
        [
            ("head", "<u4"),
            ("series", "<u4"),
            ("iteration", "<i8"),
            ("time", "<f8"),
            ("value", "<f8"),
            ("crc", "<u4"),
        ]
    )


def series_of(frames: memoryview, offset: int, many: int) -> set[int]:
    """The numbers of the series that a run of POINT frames is about."""
    if many == 1:
        return set(_U32.unpack_from(frames, offset + 4))
    column = np.frombuffer(frames, "<u4", 9 * many - 1, offset + 4)[::9]
    return set(np.unique(column).tolist())


def series_of_row(frames: memoryview, offset: int, many: int) -> set[int]:
    """The numbers of the series of one ROW frame with so many points."""
    return set(np.frombuffer(frames, "<u4", many, offset + 20).tolist())


def points_ahead(frames: memoryview, offset: int) -> int:
    """How many POINT frames follow one another; the window grows, so mixed bodies are not scanned again and
    again."""
    most = (len(frames) - offset) // POINT_FRAME
    count, window = 1, 32
    while count < most:
        many = min(window, most - count)
        # A head is 4 bytes every 36: nine u32 columns, of which the first is looked at.
        heads = np.frombuffer(frames, "<u4", 9 * many, offset + POINT_FRAME * count)[::9]
        other = np.flatnonzero(heads != _POINT_HEAD)
        if len(other):
            return count + int(other[0])
        count += many
        window *= 8
    return count


_tables: list[Any] = []


def _crc_tables() -> list[Any]:
    """CRC-32 of 32 fixed-length bytes is, up to a constant, the XOR of one table entry per byte: these
    tables.

    CRC-32 is affine over GF(2): crc(a ^ b) = crc(a) ^ crc(b) ^ crc(0). So table p maps a byte at position p
    to what it adds to the checksum of 32 zero bytes, and the head, the same in every POINT frame, goes into
    the constant.
    """
    if not _tables:
        size = POINT_FRAME - 4
        zero = zlib.crc32(bytes(size))
        built = []
        for position in range(4, size):
            block = bytearray(size)
            entries = []
            for byte in range(256):
                block[position] = byte
                entries.append(zlib.crc32(block) ^ zero)
            built.append(np.array(entries, np.uint32))
        constant = np.uint32(zlib.crc32(_U32.pack(_POINT_HEAD) + bytes(size - 4)))
        _tables.extend([constant, *built])
    return _tables


def _verify(part: memoryview, offset: int) -> None:
    count = len(part) // POINT_FRAME
    if count <= 16:
        for at in range(0, len(part), POINT_FRAME):
            if zlib.crc32(part[at : at + 32]) != _U32.unpack_from(part, at + 32)[0]:
                raise BadRequest(f"the checksum of the frame at byte {offset + at} of the body does not hold")
        return
    constant, *tables = _crc_tables()
    for start in range(0, count, 4096):
        # 4096 frames at a time stay in the processor's cache.
        some = part[start * POINT_FRAME : (start + 4096) * POINT_FRAME]
        columns = np.ascontiguousarray(np.frombuffer(some, np.uint8).reshape(-1, POINT_FRAME).T)
        found = np.full(columns.shape[1], constant, np.uint32)
        for position, table in enumerate(tables, start=4):
            found ^= table[columns[position]]
        wrong = np.flatnonzero(found != np.ascontiguousarray(columns[32:36].T).view("<u4").reshape(-1))
        if len(wrong):
            at = offset + (start + int(wrong[0])) * POINT_FRAME
            raise BadRequest(f"the checksum of the frame at byte {at} of the body does not hold")
