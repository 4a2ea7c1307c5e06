"""Links that log a browser in once."""

from __future__ import annotations

import hashlib
import secrets
import threading
from typing import TYPE_CHECKING

from trialbook.errors import Forbidden

if TYPE_CHECKING:
    from trialbook.server.services.caller import Caller

SECONDS = 300.0
_MOST = 1_000


class Links:
    """Kept in memory: they live for minutes, and who restarted the server makes a new one."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, Caller]] = {}
        self._lock = threading.Lock()

    def make(self, caller: Caller, now: float) -> str:
        """A secret that stands for the caller until it is used, or ``SECONDS`` are over."""
        secret = secrets.token_urlsafe(32)
        with self._lock:
            self._known = {name: held for name, held in self._known.items() if held[0] > now}
            while len(self._known) >= _MOST:
                del self._known[next(iter(self._known))]
            self._known[_name(secret)] = (now + SECONDS, caller)
        return secret

    def take(self, secret: str, now: float) -> Caller:
        """Whom it stands for; nobody can take it again.

        Raises:
            Forbidden: it is unknown, too old, or was used.
        """
        with self._lock:
            until, caller = self._known.pop(_name(secret), (0.0, None))
        if caller is None or until <= now:
            raise Forbidden(
                "this link was used already or is older than five minutes: run `trialbook open` again"
            )
        return caller


def _name(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()
