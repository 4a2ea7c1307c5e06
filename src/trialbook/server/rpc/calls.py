"""The RPC endpoint: bytes in, envelope out."""

import asyncio
import logging
import re
from concurrent.futures import Executor
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from trialbook.base.clock import Clock
from trialbook.base.ids import new_id
from trialbook.base.numerals import natural
from trialbook.errors import BadRequest, BodyTooLarge, MethodNotFound, WireError
from trialbook.server.rpc import body as bodies
from trialbook.server.rpc import envelope, session
from trialbook.server.rpc.context import Context
from trialbook.server.rpc.dispatch import Dispatcher, lookup
from trialbook.server.services.bundle import Services
from trialbook.server.settings import Settings
from trialbook.server.stores.database import Database
from trialbook.wire.table import Method, RawBody, RawReply

LATEST = "2.34"
_PATH = re.compile(r"(?:^|/)(?:v(?P<version>[0-9]+(?:\.[0-9]+)?)/)?(?P<name>[A-Za-z_]\w*\.[A-Za-z_]\w*)/?$")
_DRAIN = 4
_LONGEST_VERSION = 20

_log = logging.getLogger("trialbook.server")


def method_of(path: str) -> tuple[str, str] | None:
    """Method name and version of a path; None when it has not the shape of a call."""
    found = _PATH.search(path)
    return (found["name"], found["version"] or LATEST) if found else None


def _version(text: str) -> tuple[int, int]:
    major, _, minor = text.partition(".")
    if len(text) > _LONGEST_VERSION:
        raise BadRequest(f"{text[:_LONGEST_VERSION]}… is no version of this protocol; the newest is {LATEST}")
    return natural(major), natural(minor or "0")


class Calls:
    """Answers calls in a pool of threads.

    Args:
        dispatcher: runs handlers.
        services: for the context.
        database: for the context.
        executor: the threads.
        settings: limits.
        clock: now.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        services: Services,
        database: Database,
        executor: Executor,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._dispatcher = dispatcher
        self._services = services
        self._database = database
        self._executor = executor
        self._settings = settings
        self._clock = clock

    async def answer(self, request: Request) -> Response:
        """One call."""
        found = method_of(request.url.path)
        name, version = found or (request.url.path.strip("/"), LATEST)
        method = None
        try:
            if found is None:
                raise MethodNotFound(f"there is nothing at {request.url.path}; a call is /service.action")
            method = lookup(name, _version(version))
            raw = method.request is RawBody
            limit = self._settings.batch_limit if raw else self._settings.json_limit
            content = await bodies.read(request, limit)
        except BodyTooLarge as error:
            await self._drain(request)
            return self._refused(name, version, error, new_id())
        except WireError as error:
            return self._refused(name, version, error, new_id())
        except ClientDisconnect:
            return Response(status_code=400)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._run, request, method, version, content, limit)

    async def _drain(self, request: Request) -> None:
        # A client that is still sending would see a broken pipe, not the answer.
        try:
            rest = _DRAIN * self._settings.batch_limit
            async for part in request.stream():
                rest -= len(part)
                if rest < 0:
                    return
        except (ClientDisconnect, RuntimeError):
            return

    def _run(self, request: Request, method: Method, version: str, content: bytes, limit: int) -> Response:
        id = new_id()
        try:
            content = bodies.unpack(content, request.headers.get("content-encoding", ""), limit)
            if method.request is RawBody:
                params: Any = RawBody(
                    request.headers.get("content-type", ""), content, request.headers.get("accept", "")
                )
            else:
                params = {**bodies.query_values(request.url.query), **bodies.parse_object(content)}
            context = Context(
                services=self._services,
                database=self._database,
                caller=session.identify(request, self._services.accounts, method.name),
                now=self._clock(),
                method=method.name,
                dispatch=self._dispatcher.nested,
                worker=request.headers.get("x-clearml-worker")
                or request.headers.get("x-trains-worker")
                or "",
                version=_version(version),
                origin=session.origin(request),
                request=request,
            )
            reply = self._dispatcher.run(context, method, params)
        except WireError as error:
            level = logging.ERROR if error.code >= 500 else logging.INFO
            _log.log(
                level, "%s refused (request %s): %d/%d %s", method.name, id, error.code, error.subcode, error
            )
            return self._refused(method.name, version, error, id)
        _log.debug("%s answered (%d bytes asked)", method.name, len(content))
        if isinstance(reply, RawReply) and not isinstance(reply.body, bytes):
            return StreamingResponse(reply.body, media_type=reply.content_type, headers=dict(reply.headers))
        if isinstance(reply, RawReply):
            return Response(reply.body, media_type=reply.content_type, headers=dict(reply.headers))
        response = Response(
            envelope.success(method.name, version, reply, method.since),
            media_type="application/json",
            headers={"Cache-Control": "no-store"},
        )
        for header, value in context.reply_headers:
            response.headers.append(header, value)
        return response

    @staticmethod
    def _refused(name: str, version: str, error: WireError, id: str) -> Response:
        return Response(
            envelope.failure(name, version[:_LONGEST_VERSION], error, id),
            status_code=error.code,
            media_type="application/json",
            headers={"Cache-Control": "no-store"},
        )
