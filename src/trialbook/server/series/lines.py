"""json-lines into events: fast when every line is as it should be, exact about the line when one is not."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from trialbook.errors import BadRequest, EmptyBatch
from trialbook.server.series.arrivals import Collector
from trialbook.wire.events import Event

_decoder = msgspec.json.Decoder(Event)


def collect(body: bytes, collector: Collector) -> None:
    """Give every line of a body to a collector.

    A line whose fields have wrong types is counted as an error, the others are taken.

    Raises:
        EmptyBatch: there is no line.
        BadRequest: a line is no JSON object; the message has its number, from 0.
    """
    if not body.strip():
        raise EmptyBatch("the batch is empty: send one JSON object a line")
    try:
        events = _decoder.decode_lines(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        _one_by_one(body, collector)
        return
    take = collector.take
    for line, event in enumerate(events):
        take(event, line)


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
        # Python's own parser takes the NaN and Infinity that other clients write.
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"item {number} of the batch is not JSON: {error}", index=number) from None
    if not isinstance(value, dict):
        raise BadRequest(f"item {number} of the batch is no JSON object", index=number)
    return value
