"""What answers at which address."""

import logging

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from trialbook.base.ids import new_id
from trialbook.errors import ServerFault
from trialbook.server.rpc import envelope
from trialbook.server.rpc.calls import LATEST, Calls, method_of
from trialbook.server.rpc.stream import Stream

_log = logging.getLogger("trialbook.server")


async def _fault(request: Request, error: Exception) -> Response:
    """The last line of defence: a client that gets no envelope repeats its call for ever."""
    id = new_id()
    name = (method_of(request.url.path) or (request.url.path, LATEST))[0]
    _log.error("%s failed (request %s)", name, id, exc_info=error)
    fault = ServerFault(f"the server failed; its log has the details under request {id}", request=id)
    return Response(envelope.failure(name, LATEST, fault, id), 500, media_type="application/json")


def build_app(calls: Calls, stream: Stream) -> Starlette:
    """The application."""

    async def call(request: Request) -> Response:
        return await calls.answer(request)

    async def listen(request: Request) -> Response:
        return await stream.answer(request)

    verbs = ["GET", "POST", "PUT"]
    return Starlette(
        routes=[
            Route("/stream", listen, methods=["POST"]),
            Route("/{path:path}", call, methods=verbs),
        ],
        exception_handlers={Exception: _fault},
    )
