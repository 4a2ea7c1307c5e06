"""A call that came over HTTP."""

from dataclasses import dataclass, field

from starlette.requests import Request

from trialbook.server.services.call import Call


@dataclass
class HttpCall(Call):
    """A call, and what only log-in and the form of the answer ask about.

    Attributes:
        version: protocol version that the caller asked for, such as ``(2, 23)``.
        request: the HTTP request; None in internal calls.
        reply_headers: sent with the answer.
    """

    version: tuple[int, int] = (2, 34)
    request: Request | None = None
    reply_headers: list[tuple[str, str]] = field(default_factory=list)
