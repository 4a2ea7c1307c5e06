"""Request bodies: size, compression, JSON, query string."""

import json
import math
import zlib
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request

from trialbook.base.numerals import natural
from trialbook.errors import BadRequest, BodyTooLarge

try:
    from compression import zstd
except ImportError:
    from backports import zstd


async def read(request: Request, limit: int) -> bytes:
    """The whole body as it came.

    Raises:
        BodyTooLarge: over ``limit`` bytes; nothing more is read then.
    """
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and natural(declared) > limit:
        raise _too_large(natural(declared), limit)
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise _too_large(size, limit)
        parts.append(part)
    return b"".join(parts)


def _too_large(size: int, limit: int) -> BodyTooLarge:
    return BodyTooLarge(
        f"the body has {size} bytes or more, the limit is {limit}; send less at once, or raise the server's limit",
        limit=limit,
    )


def unpack(body: bytes, encoding: str, limit: int) -> bytes:
    """The body without its ``Content-Encoding``.

    Raises:
        BadRequest: an encoding that is not known, or bytes that are not in it.
        BodyTooLarge: it would unpack to more than ``limit`` bytes.
    """
    encoding = encoding.strip().lower()
    if encoding in {"", "identity"}:
        return body
    try:
        if encoding in {"gzip", "x-gzip", "deflate"}:
            stream = zlib.decompressobj(wbits=47 if encoding != "deflate" else 15)
            unpacked = stream.decompress(body, limit + 1)
            whole = stream.eof
        elif encoding == "zstd":
            machine = zstd.ZstdDecompressor()
            unpacked = machine.decompress(body, limit + 1)
            whole = machine.eof
        else:
            raise BadRequest(f"Content-Encoding {encoding!r} is not known here; send gzip, zstd or none")
    except (zlib.error, zstd.ZstdError) as error:
        raise BadRequest(f"the body is not valid {encoding}: {error}") from None
    if len(unpacked) > limit:
        raise _too_large(len(unpacked), limit)
    if not whole:
        raise BadRequest(f"the {encoding} body ends too early")
    return unpacked


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
        clean = False
    except RecursionError:
        raise BadRequest("the body is nested too deep") from None
    if not isinstance(value, dict):
        raise BadRequest(f"the body must be a JSON object, not {_kind(value)}")
    return value if clean else _cleaned(value)


def _lenient(body: bytes) -> Any:
    """Python's own parser takes NaN and Infinity, which other clients write."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"the body is not JSON: {error}") from None


def _kind(value: Any) -> str:
    names = {
        list: "a list",
        str: "a text",
        int: "a number",
        float: "a number",
        bool: "a boolean",
        type(None): "null",
    }
    return names.get(type(value), "that")


def _cleaned(value: Any) -> Any:
    """Without what a database cannot hold: zero characters and lone surrogates in texts."""
    if isinstance(value, str):
        if "\x00" in value:
            value = value.replace("\x00", "\ufffd")
        return value.encode("utf-8", "replace").decode() if _has_surrogate(value) else value
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    return value


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in text)


def query_values(query: str) -> dict[str, Any]:
    """The query string as request fields: numerals and booleans are converted, a repeated name is a list."""
    found: dict[str, Any] = {}
    for name, text in parse_qsl(query, keep_blank_values=True):
        value = _scalar(text)
        if name in found:
            earlier = found[name]
            found[name] = [*earlier, value] if isinstance(earlier, list) else [earlier, value]
        else:
            found[name] = value
    return found


def _scalar(text: str) -> Any:
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        # "1_000", "١" and "nan" are texts here.
        if text.isascii() and "_" not in text and math.isfinite(number) and len(text) < 19:
            return number
    return text
