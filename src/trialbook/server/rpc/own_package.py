"""``/sdk``: the package of this version, for pip on other machines.

It is the open product itself, so nobody needs a key.
"""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response

from trialbook.server.services.own_wheel import OwnWheel

_SAFE = {"X-Content-Type-Options": "nosniff"}


class OwnPackage:
    """Answers for the wheels that this server keeps.

    Args:
        wheel: makes and finds them.
    """

    def __init__(self, wheel: OwnWheel) -> None:
        self._wheel = wheel

    async def answer(self, request: Request) -> Response:
        """``/sdk/<digest>/<file>`` is a wheel; ``/sdk`` and ``/sdk/current`` are the line by which pip installs it."""
        parts = request.path_params.get("path", "").split("/")
        if parts in ([""], ["current"]):
            line = await run_in_threadpool(self._wheel.requirement, str(request.base_url).rstrip("/"))
            return PlainTextResponse(f"{line}\n", headers={**_SAFE, "Cache-Control": "no-cache"})
        found = await run_in_threadpool(self._wheel.find, *parts) if len(parts) == 2 else None
        if found is None:
            return PlainTextResponse(
                "This server keeps no such package. GET /sdk tells the one that it has.\n", 404, _SAFE
            )
        kept = {**_SAFE, "Cache-Control": "public, max-age=31536000, immutable"}
        return FileResponse(found, media_type="application/zip", headers=kept)
