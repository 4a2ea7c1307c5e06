"""The RPC endpoint: bytes in, envelope out."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from trialbook.base.clock import Clock
from trialbook.base.ids import new_id
from trialbook.base.numerals import natural
from trialbook.errors import BadRequest, BodyTooLarge, MethodNotFound, TooSlow, WireError
from trialbook.server.core import limits
from trialbook.server.core.limits import Budget, Crowd, Share
from trialbook.server.rpc import body as bodies
from trialbook.server.rpc import envelope, session
from trialbook.server.rpc.arriving import drain
from trialbook.server.rpc.dispatch import Dispatcher, lookup
from trialbook.server.rpc.http_call import HttpCall
from trialbook.server.services.bundle import Services
from trialbook.server.services.caller import Caller
from trialbook.server.settings import Settings
from trialbook.wire.table import Method, RawBody, RawReply

LATEST = "2.34"
_PATH = re.compile(r"(?:^|/)(?:v(?P<version>[0-9]+(?:\.[0-9]+)?)/)?(?P<name>[A-Za-z_]\w*\.[A-Za-z_]\w*)/?$")
_LONGEST_VERSION = 20
_DRAIN = 4
"""A refused body is read and dropped up to so many times the greatest one, so that the client sees the answer."""

_log = logging.getLogger("trialbook.server")


def method_of(path: str) -> tuple[str, str] | None:
    """Method name and version of a path; None when it has not the shape of a call."""
    found = _PATH.search(path)
    return (found["name"], found["version"] or LATEST) if found else None


def _shown(request: Request) -> str:
    return request.url.path[:200]


def _version(text: str) -> tuple[int, int]:
    major, _, minor = text.partition(".")
    if len(text) > _LONGEST_VERSION:
        raise BadRequest(
            f"{text[:_LONGEST_VERSION]}… is not a version of this protocol; the newest is {LATEST}"
        )
    return natural(major), natural(minor or "0")


class _Large(Exception):
    """A body unpacks to more than a call may bring that does not wait for its turn."""


class Turns:
    """How many calls of each person stand on a thread; more of theirs wait here, in their order.

    Belongs to one event loop.

    Args:
        most: of one person.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._of: dict[str, tuple[asyncio.Semaphore, list[None]]] = {}

    @asynccontextmanager
    async def of(self, person: str) -> AsyncIterator[None]:
        """Wait for a turn, and hold it while the block runs."""
        turns, there = self._of.setdefault(person, (asyncio.Semaphore(self._most), []))
        # Those who wait count too: what they wait for stays until the last has gone.
        there.append(None)
        try:
            async with turns:
                yield
        finally:
            there.pop()
            if not there:
                del self._of[person]


class Calls:
    """Answers calls in a pool of threads.

    Args:
        dispatcher: runs handlers.
        services: knows who calls.
        open_call: a call on the database.
        executor: the threads.
        settings: limits.
        clock: now.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        services: Services,
        open_call: Callable[..., HttpCall],
        executor: Executor,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._dispatcher = dispatcher
        self._services = services
        self._open_call = open_call
        self._executor = executor
        self._settings = settings
        self._clock = clock
        self._budget = Budget(settings.body_memory)
        self._crowd = Crowd(settings.caller_requests, "calls")
        # Others wait for their turn here, not on a thread, so that calls with little to say find one.
        quarter = max(2, settings.threads // 4)
        self._large = asyncio.Semaphore(quarter)
        # Whatever one person asks for, and however long that takes, others are answered.
        self._turns = Turns(max(1, settings.threads - quarter))

    async def answer(self, request: Request) -> Response:
        """One call."""
        found = method_of(request.url.path)
        name, version = found or (request.url.path.strip("/"), LATEST)
        share: Share | None = None
        try:
            if found is None:
                raise MethodNotFound(f"there is nothing at {_shown(request)}; a call is /service.action")
            method = lookup(name, _version(version))
            # Nothing is read, unpacked or parsed for somebody who may not call.
            caller = await self._caller(request, method)
            if caller is not None:
                self._dispatcher.permit(caller, method)
            known = caller is not None and caller.user
            limit = self._settings.batch_limit if method.request is RawBody else self._settings.json_limit
            limit = limit if known else min(limit, limits.STRANGER_BYTES)
            who = f"{caller.user} {caller.access_key}" if caller and known else session.origin(request)
            with self._crowd.one_more(who), Share(self._budget, who) as share:
                weight = 1 if method.request is RawBody else limits.PARSED_FACTOR
                content = await bodies.read(request, limit, share, weight)
                work = partial(self._run, request, method, version, content, limit, caller, share)
                run = partial(asyncio.get_running_loop().run_in_executor, self._executor, work)
                # Of a person, not of a key: everybody can make keys.
                person = caller.user if caller else who
                if len(content) <= limits.LARGE_BYTES:
                    with suppress(_Large):
                        async with self._turns.of(person):
                            return await run(False)
                async with self._large, self._turns.of(person):
                    return await run(True)
        except WireError as error:
            if share is None or not isinstance(error, TooSlow):
                await drain(request, _DRAIN * self._settings.batch_limit)
            return self._refused(name, version, error, new_id(), unread=True)
        except ClientDisconnect:
            return Response(status_code=400)

    async def _caller(self, request: Request, method: Method) -> Caller | None:
        """Who calls; None when only the key in a log-in tells, which takes a thread its time to check."""
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            known = self._services.accounts.remembered(value.strip())
            if known is not None:
                return known
        elif scheme.lower() == "basic" and method.name == "auth.login":
            return None
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._executor, session.identify, request, self._services.accounts, method.name
        )

    def _run(
        self, request: Request, method: Method, version: str, content: bytes, limit: int, caller: Caller | None,
        share: Share, large: bool,
    ) -> Response:  # fmt: skip
        id = new_id()
        try:
            weight = 1 if method.request is RawBody else limits.PARSED_FACTOR
            encoding = request.headers.get("content-encoding", "")
            try:
                most = limit if large else min(limit, limits.LARGE_BYTES)
                content = bodies.unpack(content, encoding, most, share, weight)
            except BodyTooLarge:
                if most == limit:
                    raise
                raise _Large from None
            if method.request is RawBody:
                params: Any = RawBody(
                    request.headers.get("content-type", ""), content, request.headers.get("accept", "")
                )
            else:
                params = {**bodies.query_values(request.url.query), **bodies.parse_object(content)}
            call = self._open_call(
                caller=caller or session.identify(request, self._services.accounts, method.name),
                now=self._clock(),
                method=method.name,
                dispatch=self._dispatcher.nested,
                worker=request.headers.get("x-clearml-worker")
                or request.headers.get("x-trains-worker")
                or "",
                version=_version(version),
                origin=session.origin(request),
                accepts=request.headers.get("accept", ""),
                request=request,
            )
            reply = self._dispatcher.run(call, method, params)
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
        for header, value in call.reply_headers:
            response.headers.append(header, value)
        return response

    @staticmethod
    def _refused(name: str, version: str, error: WireError, id: str, unread: bool = False) -> Response:
        # Whatever of the body is still on its way must not be taken for the next request.
        close = {"Connection": "close"} if unread else {}
        return Response(
            envelope.failure(name[: limits.NAME_LENGTH], version[:_LONGEST_VERSION], error, id),
            status_code=error.code,
            media_type="application/json",
            headers={"Cache-Control": "no-store", **close},
        )
