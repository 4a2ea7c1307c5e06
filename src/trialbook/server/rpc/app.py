"""What answers at which address."""

import logging

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trialbook.base.ids import new_id
from trialbook.blobs.faults import FAILS
from trialbook.errors import ServerFault, StorageDamaged, StorageFull
from trialbook.server.core.database_faults import damaged, failing, out_of_room
from trialbook.server.rpc import api_page, envelope
from trialbook.server.rpc.calls import LATEST, Calls, method_of
from trialbook.server.rpc.files import Files
from trialbook.server.rpc.own_package import OwnPackage
from trialbook.server.rpc.pages import Pages, wants_page
from trialbook.server.rpc.stream import Stream
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
        fault: ServerFault = StorageFull(
            "the server's disk is full; it takes nothing until there is room again: see docs/howto/recovery.md",
            request=id,
        )
    elif damaged(error):
        _log.error(
            "%s failed (request %s): the database is damaged (%s). docs/howto/recovery.md says how to restore it.",
            name, id, getattr(error, "orig", error),
        )  # fmt: skip
        fault = StorageDamaged(
            "the server's database is damaged: what this call asks for cannot be read. Its administrator finds in "
            "docs/howto/recovery.md how to restore it",
            request=id,
        )
    elif why := failing(error):
        _log.error(
            "%s failed (request %s): the disk of the data folder fails (%s). docs/howto/recovery.md says what to do.",
            name, id, why,
        )  # fmt: skip
        fault = ServerFault(FAILS.format(why=why), request=id)
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


class OneRequestEach:
    """Ends the connection after each answer to a client that must not share one.

    The released clearml forks after its session has a connection, and both processes then read from one socket: each
    may get the other's answer. Its servers never keep a connection, so it does not notice; neither may we.

    Args:
        app: what answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or not _forks(scope):
            await self._app(scope, receive, send)
            return

        async def closing(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [pair for pair in message.get("headers", ()) if pair[0].lower() != b"connection"]
                message = {**message, "headers": [*kept, (b"connection", b"close")]}
            await send(message)

        await self._app(scope, receive, closing)


def _forks(scope: Scope) -> bool:
    headers = scope["headers"]
    if any(name in (b"x-clearml-client", b"x-trains-client") for name, _ in headers):
        return True
    # Its files are sent by a library without those headers.
    files = scope["path"] == "/files" or scope["path"].startswith("/files/")
    return files and any(
        name == b"user-agent" and value.lower().startswith(b"python-requests/") for name, value in headers
    )


def build_app(calls: Calls, stream: Stream, files: Files, pages: Pages, package: OwnPackage) -> Starlette:
    """The application."""

    async def listen(request: Request) -> Response:
        return await stream.answer(request)

    async def file(request: Request) -> Response:
        return await files.answer(request)

    async def sdk(request: Request) -> Response:
        return await package.answer(request)

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
            Route("/sdk", sdk),
            Route("/sdk/{path:path}", sdk),
            Route("/api", _api_page),
            Route("/api/openapi.json", _api_document),
            Route("/{path:path}", anything, methods=["GET", "HEAD", "POST", "PUT"]),
        ],
        exception_handlers={Exception: _fault},
        middleware=[Middleware(OneRequestEach)],
    )
