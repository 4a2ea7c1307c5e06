"""``POST /stream``: live updates as server-sent events."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from concurrent.futures import Executor

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from trialbook.base.ids import new_id
from trialbook.base.numerals import natural
from trialbook.errors import BadField, NoCredentials, TooSlow, WireError
from trialbook.server.core.hub import Hub
from trialbook.server.core.limits import Budget, Share
from trialbook.server.rpc import body as bodies
from trialbook.server.rpc import envelope, session
from trialbook.server.rpc.arriving import drain
from trialbook.server.services.accounts import Accounts

_LIMIT = 1 << 20
_MOST_TOPICS = 2_000
_ASK_AGAIN_SECONDS = 60.0
"""A stream may outlast the token that opened it."""


class Topics(msgspec.Struct, frozen=True):
    """What a page listens to."""

    topics: list[str]


class Stream:
    """The endpoint.

    Args:
        hub: where changes come from.
        accounts: who may listen.
        executor: threads for what touches the database.
    """

    def __init__(self, hub: Hub, accounts: Accounts, executor: Executor) -> None:
        self._hub = hub
        self._accounts = accounts
        self._executor = executor
        self._budget = Budget(64 << 20)

    async def answer(self, request: Request) -> Response:
        """One listener, until it or the server goes."""
        try:
            loop = asyncio.get_running_loop()
            caller = await loop.run_in_executor(
                self._executor, session.identify, request, self._accounts, "stream"
            )
            if not caller.user:
                raise NoCredentials("log in first")
            with Share(self._budget, caller.user) as share:
                content = await bodies.read(request, _LIMIT, share)
            try:
                asked = msgspec.json.decode(content, type=Topics)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise BadField(
                    f'the body must be {{"topics": [string, …]}}: {error}', field="topics"
                ) from None
            if len(asked.topics) > _MOST_TOPICS:
                raise BadField(
                    f"{len(asked.topics)} topics; at most {_MOST_TOPICS} are allowed: listen several times",
                    field="topics",
                )
        except ClientDisconnect:
            return Response(status_code=400)
        except WireError as error:
            if not isinstance(error, TooSlow):
                await drain(request, _LIMIT)
            return Response(
                envelope.failure("stream", "2.34", error, new_id()),
                error.code,
                {"Connection": "close"},
                media_type="application/json",
            )
        last = request.headers.get("last-event-id", "")
        mark, _, number = last.partition("-")
        # What another server numbered, this one does not know: the page looks again.
        after: int | None = None
        if last:
            known = mark == self._hub.mark and number.isascii() and number.isdigit()
            after = natural(number) if known else -1
        return StreamingResponse(
            self._events(request, frozenset(asked.topics), after),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    async def _events(
        self, request: Request, topics: frozenset[str], after: int | None
    ) -> AsyncIterator[bytes]:
        yield b": listening\n\n"
        asked, ended = time.monotonic(), self._accounts.ended
        async for change in self._hub.listen(topics, after):
            # Something was ended here, or may have been by another server.
            if ended != self._accounts.ended or time.monotonic() - asked > _ASK_AGAIN_SECONDS:
                asked, ended = time.monotonic(), self._accounts.ended
                if not await self._may_still(request):
                    return
            if change is None:
                yield b": alive\n\n"
            elif isinstance(change, str):
                yield f"event: {change}\ndata: {{}}\n\n".encode()
            else:
                data = json.dumps({"topic": change.topic, "kind": change.kind, "keys": list(change.keys)})
                yield f"id: {self._hub.mark}-{change.number}\nevent: change\ndata: {data}\n\n".encode()

    async def _may_still(self, request: Request) -> bool:
        """Whether whoever opened a stream could open it again."""
        try:
            caller = await asyncio.get_running_loop().run_in_executor(
                self._executor, session.identify, request, self._accounts, "stream"
            )
        except WireError:
            return False
        return bool(caller.user)
