"""When the server was last used."""

import time
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send


class Activity:
    """Notes every request; one that is being answered, such as the stream of an open page, counts until its end.

    Args:
        app: what answers.
        clock: seconds, never going back.
    """

    def __init__(self, app: ASGIApp, clock: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._clock = clock
        self._under_way = 0
        self._last = clock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        self._under_way += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._under_way -= 1
            self._last = self._clock()

    def idle_seconds(self) -> float:
        """Since the end of the last request; 0 while there is one."""
        return 0.0 if self._under_way else self._clock() - self._last
