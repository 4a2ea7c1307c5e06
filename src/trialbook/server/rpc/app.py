"""What answers at which address."""

import logging

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from trialbook.base.ids import new_id
from trialbook.errors import ServerFault
from trialbook.server.rpc import api_page, envelope
from trialbook.server.rpc.calls import LATEST, Calls, method_of
from trialbook.server.rpc.files import Files
from trialbook.server.rpc.pages import Pages, wants_page
from trialbook.server.rpc.stream import Stream
from trialbook.server.stores.database import out_of_room
from trialbook.wire.catalogue import METHODS

_log = logging.getLogger("trialbook.server")


async def _fault(request: Request, error: Exception) -> Response:
    """The last line of defence: a client that gets no envelope repeats its call for ever."""
    id = new_id()
    name = (method_of(request.url.path) or (request.url.path, LATEST))[0]
    if out_of_room(error):
        _log.error(
            "%s failed (request %s): the disk is full. Clients send it again until there is room.", name, id
        )
        fault = ServerFault(
            "the server's disk is full; it takes nothing until there is room again", request=id
        )
    else:
        _log.error("%s failed (request %s)", name, id, exc_info=error)
        fault = ServerFault(f"the server failed; its log has the details under request {id}", request=id)
    # The HTTP server hangs up after an unforeseen error: a client that is not told would send its next call into that.
    told = {"Connection": "close"}
    return Response(envelope.failure(name, LATEST, fault, id), 500, told, media_type="application/json")


async def _api_page(_request: Request) -> Response:
    return HTMLResponse(
        api_page.page(), headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    )


async def _api_document(_request: Request) -> Response:
    return Response(api_page.document(), media_type="application/json")


def build_app(calls: Calls, stream: Stream, files: Files, pages: Pages) -> Starlette:
    """The application."""

    async def listen(request: Request) -> Response:
        return await stream.answer(request)

    async def file(request: Request) -> Response:
        return await files.answer(request)

    async def anything(request: Request) -> Response:
        found = method_of(request.url.path)
        if found is not None and METHODS.get(found[0]) is not None:
            return await calls.answer(request)
        if request.method in {"GET", "HEAD"}:
            built = pages.static(request)
            if built is not None:
                return built
            if wants_page(request):
                return pages.index()
        return await calls.answer(request)

    on_files = ["GET", "HEAD", "POST", "PUT", "DELETE"]
    return Starlette(
        routes=[
            Route("/stream", listen, methods=["POST"]),
            Route("/files", file, methods=on_files),
            Route("/files/{path:path}", file, methods=on_files),
            Route("/api", _api_page),
            Route("/api/openapi.json", _api_document),
            Route("/{path:path}", anything, methods=["GET", "HEAD", "POST", "PUT"]),
        ],
        exception_handlers={Exception: _fault},
    )
