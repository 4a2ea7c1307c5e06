"""json-lines into events: fast when every line is as it should be, exact about the line when one is not."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import Any, TypeVar

import msgspec

from trialbook.errors import BadRequest, EmptyBatch
from trialbook.server.core import limits, loose_json
from trialbook.server.core.numeric import np
from trialbook.server.series.arrivals import Collector, Scalars
from trialbook.wire.events import Event

T = TypeVar("T")
_PIECE = 256 << 10
_decoder = msgspec.json.Decoder(Event)


class _Scalar(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, tag_field="type", tag="training_stats_scalar"
):
    """A scalar as clients of ClearML write it, with nothing missing."""

    task: str
    timestamp: float
    value: float
    iter: int = 0
    metric: str = ""
    variant: str = ""
    model_event: bool = False
    allow_locked: bool = False


class _Other(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What else there is, by type."""

    task: str | None = None
    timestamp: float | None = None
    metric: str | None = None
    variant: str | None = None
    iter: int | None = None
    values: list[float] | None = None
    plot_str: str | None = None
    key: str | None = None
    url: str | None = None
    msg: str | None = None
    level: str | None = None
    worker: str | None = None
    model_event: bool | None = None
    allow_locked: bool | None = None
    skip_validation: bool | None = None


class _Log(_Other, frozen=True, kw_only=True, gc=False, tag_field="type", tag="log"):
    pass


class _Plot(_Other, frozen=True, kw_only=True, gc=False, tag_field="type", tag="plot"):
    pass


class _Image(_Other, frozen=True, kw_only=True, gc=False, tag_field="type", tag="training_debug_image"):
    pass


class _Vector(_Other, frozen=True, kw_only=True, gc=False, tag_field="type", tag="training_stats_vector"):
    pass


_fast = msgspec.json.Decoder(_Scalar | _Log | _Plot | _Image | _Vector)
_name = attrgetter("task", "model_event", "allow_locked", "metric", "variant")
_iteration, _timestamp, _value = attrgetter("iter"), attrgetter("timestamp"), attrgetter("value")
_others = tuple(field for field in _Other.__struct_fields__)


def collect(body: bytes, collector: Collector) -> None:
    """Give every line of a body to a collector.

    A line whose fields have wrong types is counted as an error, the others are taken.

    Raises:
        EmptyBatch: there is no line.
        BadRequest: a line is not a JSON object; the message has its number, from 0. Or there are too many.
    """
    if not body.strip():
        raise EmptyBatch("the batch is empty: send one JSON object a line")
    many = body.count(b"\n") + 1
    if many > limits.BATCH_EVENTS:
        # Each is some hundred bytes once it is decoded, however short its line.
        raise BadRequest(
            f"the batch has {many} lines; at most {limits.BATCH_EVENTS} are allowed in one request: send several"
        )
    pieces = list(_pieces(body))
    try:
        lines = _decoded(_fast, pieces)
        scalars = [line for line in lines if type(line) is _Scalar]
        columns = _columns(scalars)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OverflowError):
        _exactly(body, pieces, collector)
        return
    if scalars:
        collector.take_scalars(columns)
    if len(scalars) < len(lines):
        for number, line in enumerate(lines):
            if type(line) is not _Scalar:
                fields = {field: getattr(line, field) for field in _others}
                collector.take(Event(type=str(line.__struct_config__.tag), **fields), number)


class _Places(dict[tuple[str, bool, bool, str, str], int]):
    """Numbers names in the order in which they come."""

    def __missing__(self, name: tuple[str, bool, bool, str, str]) -> int:
        place = self[name] = len(self)
        return place


def _columns(scalars: list[_Scalar]) -> Scalars:
    """The scalars as columns, without a line of Python for each."""
    names, many = _Places(), len(scalars)
    return Scalars(
        np.fromiter(map(names.__getitem__, map(_name, scalars)), np.int64, many),
        np.fromiter(map(_iteration, scalars), np.int64, many),
        np.fromiter(map(_timestamp, scalars), np.float64, many),
        np.fromiter(map(_value, scalars), np.float64, many),
        list(names),
    )


def _pieces(body: bytes) -> Iterator[memoryview]:
    """The body, cut at ends of lines: the decoder keeps every other thread waiting while it is at work.

    Raises:
        BadRequest: a line is too long.
    """
    view, start = memoryview(body), 0
    while start < len(body):
        end = body.find(b"\n", start + _PIECE) + 1 or len(body)
        if end - start > limits.LINE_BYTES + _PIECE:
            raise BadRequest(
                f"a line of the batch has more than {limits.LINE_BYTES} bytes: keep such a thing in an artifact"
            )
        yield view[start:end]
        start = end


def _decoded(decoder: msgspec.json.Decoder[T], pieces: list[memoryview]) -> list[T]:
    found: list[T] = []
    for piece in pieces:
        found += decoder.decode_lines(piece)
    return found


def _exactly(body: bytes, pieces: list[memoryview], collector: Collector) -> None:
    try:
        events = _decoded(_decoder, pieces)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        _one_by_one(body, collector)
        return
    for line, event in enumerate(events):
        collector.take(event, line)


def _one_by_one(body: bytes, collector: Collector) -> None:
    lines = [line for line in body.split(b"\n") if line.strip()]
    # Every line must parse before one is taken: a batch with a broken line is refused as a whole.
    values = [_parse(line, number) for number, line in enumerate(lines)]
    for number, value in enumerate(values):
        try:
            event = msgspec.convert(value, Event, strict=False)
        except msgspec.ValidationError as error:
            collector.refuse(f"invalid event: {error}")
            continue
        collector.take(event, number)


def _parse(line: bytes, number: int) -> dict[str, Any]:
    try:
        value = loose_json.parse(line)
    except ValueError as error:
        raise BadRequest(f"item {number} of the batch is not JSON: {error}", index=number) from None
    if not isinstance(value, dict):
        raise BadRequest(f"item {number} of the batch is not a JSON object", index=number)
    return value
