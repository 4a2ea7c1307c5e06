"""Request bodies: size, compression, JSON, query string."""

import asyncio
import math
import time
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request

from trialbook.base.numerals import natural
from trialbook.errors import BadRequest, BodyTooLarge
from trialbook.server.core import loose_json
from trialbook.server.core.limits import Share
from trialbook.server.rpc.arriving import arriving

try:
    from compression import zstd
except ImportError:
    from backports import zstd

_PIECE = 1 << 20
_ROOM_SECONDS = 10.0
_LOOK_SECONDS = 0.02


async def read(request: Request, limit: int, share: Share, weight: int = 1) -> bytes:
    """The whole body as it came.

    Args:
        request: not read before.
        limit: greatest body, bytes.
        share: what this request holds of the room for bodies.
        weight: bytes that each byte of the body takes in the end.

    Raises:
        BodyTooLarge: over ``limit`` bytes; nothing more is read then.
        ServerBusy: there is no room for it.
        TooSlow: it stopped coming.
    """
    text = request.headers.get("content-length", "")
    declared = natural(text) if text.isascii() and text.isdigit() else 0
    if declared > limit:
        raise _too_large(declared, limit)
    await _room(share, declared * weight)
    parts: list[bytes] = []
    size = 0
    async for part in arriving(request):
        size += len(part)
        if size > limit:
            raise _too_large(size, limit)
        if size > declared:
            await _room(share, size * weight)
        parts.append(part)
    return b"".join(parts)


async def _room(share: Share, size: int) -> None:
    """Wait for room; a client that is told to come back later does no better."""
    deadline = time.monotonic() + _ROOM_SECONDS
    while not share.fits(size):
        if time.monotonic() > deadline:
            share.hold(size)
            return
        await asyncio.sleep(_LOOK_SECONDS)


def _too_large(size: int, limit: int) -> BodyTooLarge:
    return BodyTooLarge(
        f"the body has {size} bytes or more, the limit is {limit}; send less at once, or raise the server's limit",
        limit=limit,
    )


def unpack(body: bytes, encoding: str, limit: int, share: Share, weight: int = 1) -> bytes:
    """The body without its ``Content-Encoding``.

    Args:
        body: as it came.
        encoding: gzip, deflate, zstd or none.
        limit: greatest body once it is unpacked, bytes.
        share, weight: as ``read`` has them.

    Raises:
        BadRequest: an encoding that is not known, or bytes that are not in it.
        BodyTooLarge: it would unpack to more than ``limit`` bytes.
        ServerBusy: there is no room for it.
    """
    encoding = encoding.strip().lower()
    if encoding in {"", "identity"}:
        return body
    if encoding in {"gzip", "x-gzip", "deflate"}:
        pieces = _inflated(body, 47 if encoding != "deflate" else 15)
    elif encoding == "zstd":
        pieces = _unpacked(body)
    else:
        raise BadRequest(f"Content-Encoding {encoding[:100]!r} is not known here; send gzip, zstd or none")
    parts: list[bytes] = []
    size = 0
    try:
        # In pieces: what a few KB unpack to is not known before.
        for piece in pieces:
            size += len(piece)
            if size > limit:
                raise _too_large(size, limit)
            share.hold((len(body) + size) * weight)
            parts.append(piece)
    except (zlib.error, zstd.ZstdError) as error:
        raise BadRequest(f"the body is not valid {encoding}: {error}") from None
    except EOFError:
        raise BadRequest(f"the {encoding} body ends too early") from None
    return b"".join(parts)


def _inflated(body: bytes, wbits: int) -> Iterator[bytes]:
    stream = zlib.decompressobj(wbits=wbits)
    rest = body
    while not stream.eof:
        piece = stream.decompress(rest, _PIECE)
        rest = stream.unconsumed_tail
        if not piece and not rest and not stream.eof:
            raise EOFError
        yield piece


def _unpacked(body: bytes) -> Iterator[bytes]:
    machine = zstd.ZstdDecompressor()
    rest = body
    while not machine.eof:
        piece = machine.decompress(rest, _PIECE)
        rest = b""
        if not piece and machine.needs_input and not machine.eof:
            raise EOFError
        yield piece


def parse_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a body; an empty body is an empty object.

    Raises:
        BadRequest: not JSON, or not an object.
    """
    if not body.strip():
        return {}
    try:
        value = msgspec.json.decode(body)
        clean = b"\\u0000" not in body
    except (msgspec.DecodeError, UnicodeDecodeError):
        value = _lenient(body)
        clean = True
    except RecursionError:
        raise BadRequest("the body is nested too deep") from None
    if not isinstance(value, dict):
        raise BadRequest(f"the body must be a JSON object, not {_kind(value)}")
    if clean:
        return value
    try:
        found: dict[str, Any] = loose_json.cleaned(value)
        return found
    except ValueError as error:
        raise BadRequest(f"the body cannot be read: {error}") from None


def _lenient(body: bytes) -> Any:
    try:
        return loose_json.parse(body)
    except ValueError as error:
        raise BadRequest(f"the body is not JSON: {error}") from None


def _kind(value: Any) -> str:
    names = {
        list: "a list",
        str: "a string",
        int: "a number",
        float: "a number",
        bool: "a boolean",
        type(None): "null",
    }
    return names.get(type(value), "that")


def query_values(query: str) -> dict[str, Any]:
    """The query string as request fields: numerals and booleans are converted, a repeated name is a list."""
    # Not a new list for each value: a line of one name again and again would cost the square of its length.
    given: dict[str, list[Any]] = {}
    for name, text in parse_qsl(query, keep_blank_values=True):
        given.setdefault(name, []).append(_scalar(text))
    found = {name: values if len(values) > 1 else values[0] for name, values in given.items()}
    cleaned: dict[str, Any] = loose_json.cleaned(found)
    return cleaned


def _scalar(text: str) -> Any:
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    for kind in (int, float) if len(text) < 40 else ():
        try:
            number = kind(text)
        except ValueError:
            continue
        # "1_000", "١" and "nan" are texts here.
        if text.isascii() and "_" not in text and math.isfinite(number) and len(text) < 19:
            return number
    return text
