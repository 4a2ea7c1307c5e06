"""Multipart uploads, part by part as they arrive."""

import re
from collections.abc import AsyncIterator
from typing import Literal
from urllib.parse import unquote

from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from trialbook.errors import BadRequest
from trialbook.server.rpc.arriving import arriving

Piece = tuple[Literal["begin"], str] | tuple[Literal["data"], bytes] | tuple[Literal["end"], None]

_NAME = re.compile(rb'(?:^|;)\s*name="((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_EXTENDED = re.compile(rb"(?:^|;)\s*name\*=utf-8'[^']*'([^;\s]+)", re.IGNORECASE)


class _Reader:
    """Turns the parser's callbacks into pieces."""

    def __init__(self, boundary: bytes) -> None:
        self.pieces: list[Piece] = []
        self.finished = False
        self._field = b""
        self._value = b""
        self._disposition = b""
        self.parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._header_field,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_finished,
                "on_part_data": self._data,
                "on_part_end": self._end,
                "on_end": self._finish,
            },
        )

    def _begin(self) -> None:
        self._disposition = b""

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._field.strip().lower() == b"content-disposition":
            self._disposition = self._value
        self._field = self._value = b""

    def _headers_finished(self) -> None:
        self.pieces.append(("begin", part_name(self._disposition)))

    def _data(self, data: bytes, start: int, end: int) -> None:
        self.pieces.append(("data", bytes(data[start:end])))

    def _end(self) -> None:
        self.pieces.append(("end", None))

    def _finish(self) -> None:
        self.finished = True


def part_name(disposition: bytes) -> str:
    """The name of a part: raw UTF-8 between quotes, or percent-encoded in the extended form.

    Raises:
        BadRequest: it has none.
    """
    extended = _EXTENDED.search(disposition)
    if extended:
        return unquote(extended[1].decode("ascii", "replace"))
    plain = _NAME.search(disposition)
    if not plain:
        raise BadRequest("a part of the upload has no name; the name is the path of the file")
    return re.sub(rb"\\(.)", rb"\1", plain[1]).decode("utf-8", "replace")


async def pieces(request: Request) -> AsyncIterator[Piece]:
    """The parts of a request.

    Raises:
        BadRequest: the body is not multipart, or ends too early.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind != b"multipart/form-data" or b"boundary" not in options:
        raise BadRequest("an upload is multipart/form-data; the name of each part is the path of the file")
    try:
        reader = _Reader(options[b"boundary"])
        async for chunk in arriving(request):
            if chunk:
                reader.parser.write(chunk)
            for piece in reader.pieces:
                yield piece
            reader.pieces.clear()
    except ValueError as error:
        # The parser's own errors are ValueErrors.
        raise BadRequest(f"the upload is not valid multipart: {error}") from None
    if not reader.finished:
        raise BadRequest("the upload ended too early")
