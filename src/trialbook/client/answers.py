"""What an answer says of the file in it: which one, from where on, and whether it has begun at all."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse


def strong(reply: "BaseHTTPResponse") -> str:
    """The entity tag by which a download may go on in the middle; empty when there is none."""
    etag = reply.headers.get("ETag") or ""
    return "" if etag.startswith("W/") else etag


def starts(reply: "BaseHTTPResponse") -> int:
    """Where the part of a file begins that an answer holds; -1 when it does not tell."""
    found = re.match(r"bytes (\d{1,18})-", reply.headers.get("Content-Range", ""))
    return int(found[1]) if found else -1


def check_begun(reply: "BaseHTTPResponse", came: bool) -> None:
    """A connection that is cut in the head of an answer looks like one that ends after an empty file: the lines that
    tell its length are missing with the rest. A server that means it says ``Connection: close``, or speaks HTTP/1.0.

    Args:
        reply: read to its end.
        came: it had content.

    Raises:
        ProtocolError: it was cut.
    """
    from urllib3.exceptions import ProtocolError

    framed = "Content-Length" in reply.headers or "Transfer-Encoding" in reply.headers
    closing = reply.version == 10 or reply.headers.get("Connection", "").lower() == "close"
    if not came and not framed and not closing and reply.status in (200, 206):
        raise ProtocolError("the answer ended within its header")
