"""What one request, and all of them together, may take: lengths, counts, bytes under way, time.

Every limit is told with words that say what to do; docs/reference/server-settings.md lists them.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from trialbook.base.unicode import LONGEST_NAME
from trialbook.errors import BadField, BadRequest, ServerBusy, TooManyRequests

NAME_LENGTH = LONGEST_NAME
LIST_LENGTH = 10_000
"""Values in a list of a request."""
COUNTS: Mapping[str, int] = {"order_by": 16, "only_fields": 500, "search_text": 64, "metrics": 100_000}
"""Values in lists of which each costs more, or less, than usual."""
NAMES = 30_000
"""Names in an object of a request, such as the labels of a model."""
PARAMETERS = 10_000
"""Parameters in a request, over all sections: each is a row of an index."""
TESTS = 200
"""Parts of a query of which each is a test of its own: more of them than a database reads in one expression."""
BATCH_EVENTS = 500_000
"""Lines of a batch of events."""
LINE_BYTES = 16 << 20
"""Bytes of one of them."""
PATH_BYTES = 2_048
"""Bytes of a file's path."""
STRANGER_BYTES = 16 << 10
"""Body of a caller who has not shown who it is: a log-in has a few hundred bytes."""
BYTES_UNDER_WAY = 512 << 20
"""Bodies of all calls that are read, unpacked or parsed at a moment; each caller may hold half."""
LARGE_BYTES = 1 << 20
"""A body with more, unpacked, takes its turn: a quarter of the threads work for such."""
PARSED_FACTOR = 4
"""A JSON text costs so many times its bytes once it is parsed."""
REQUESTS_PER_CALLER = 128
"""Uploads, and bodies of calls, of one caller that are under way."""
IDLE_SECONDS = 30.0
"""A request whose next bytes do not come for so long is ended."""
PACE = 200
"""Bytes a second that a body must keep up on average, once it takes longer than a minute."""
PACE_FROM_SECONDS = 60.0

CONTENT = frozenset(
    {
        "comment", "description", "readme", "report", "value", "msg", "plot_str", "data", "diff", "text", "docker_cmd",
        "setup_shell_script", "arguments", "preferences", "status_reason", "status_message", "ui_cache", "url", "uri",
        "body", "error", "image", "config_text", "design", "output_dest", "progress", "conda", "pip", "secret_key",
        "new_task_comment",
    }
)  # fmt: skip
"""Fields that hold what users write or what programs report: only the body's size limits them."""
ADDRESSES = frozenset({"uri", "url", "output_dest"})
"""Those of them that must lead somewhere."""


def check_fields(params: Mapping[str, Any]) -> None:
    """Refuse lengths and counts that no request needs.

    Raises:
        BadField: names the field, what it has and the most.
    """
    for name, value in params.items():
        if len(name) > NAME_LENGTH:
            raise BadField(
                f"a field's name has {len(name)} characters; at most {NAME_LENGTH} are allowed",
                field=name[:100],
            )
        if isinstance(value, str):
            _check_text(name, name, value)
        elif isinstance(value, list):
            most = COUNTS.get(name, LIST_LENGTH)
            if len(value) > most:
                raise BadField(
                    f"{name}: {len(value)} values; at most {most} are allowed in one request: send several",
                    field=name,
                )
            for one in value:
                if isinstance(one, str):
                    _check_text(name, name, one)
                elif isinstance(one, dict):
                    _check_nested(name, one, 8)
        elif isinstance(value, dict):
            _check_nested(name, value, 8)
            if name == "hyperparams":
                many = sum(len(section) for section in value.values() if isinstance(section, dict))
                check_many(name, many, PARAMETERS, "parameters")


def check_many(where: str, many: int, most: int, what: str) -> None:
    """Refuse more of something than one request may have.

    Raises:
        BadField: names the field, what it has and the most.
    """
    if many > most:
        raise BadField(
            f"{where}: {many} {what}; at most {most} are allowed in one request: send several", field=where
        )


def _check_nested(where: str, found: Mapping[str, Any], depth: int) -> None:
    """Names inside objects, such as those of parameters; lists in them are counted by the method that takes them."""
    check_many(where, len(found), NAMES, "names")
    for name, value in found.items():
        if len(name) > NAME_LENGTH:
            raise BadField(
                f"{where}: a name has {len(name)} characters; at most {NAME_LENGTH} are allowed", field=where
            )
        if isinstance(value, str) and name in {"name", "section", "key", "type", "metric", "variant", "task"}:
            _check_text(f"{where}.{name}", name, value)
        elif isinstance(value, dict) and depth:
            _check_nested(f"{where}.{name}", value, depth - 1)


def _check_text(where: str, name: str, value: str) -> None:
    if len(value) > NAME_LENGTH and name not in CONTENT:
        raise BadField(
            f"{where}: {len(value)} characters; at most {NAME_LENGTH} are allowed. Keep long texts in a comment, a "
            "configuration or an artifact",
            field=where,
        )


def check_path(path: str) -> None:
    """Refuse a path that no file system holds.

    Raises:
        BadRequest: it is too long.
    """
    size = len(path.encode(errors="replace"))
    if size > PATH_BYTES:
        raise BadRequest(
            f"the path has {size} bytes; at most {PATH_BYTES} are allowed: shorten the names of project, task or "
            "the file",
            path=path[:200],
        )


class Crowd:
    """How many requests each caller has under way.

    Args:
        most: of one caller.
        what: for the message, such as ``"uploads"``.
    """

    def __init__(self, most: int = REQUESTS_PER_CALLER, what: str = "requests") -> None:
        self._most = most
        self._what = what
        self._lock = threading.Lock()
        self._now: Counter[str] = Counter()

    @contextmanager
    def one_more(self, caller: str) -> Iterator[None]:
        """Count one request while the block runs.

        Raises:
            TooManyRequests: the caller has as many as it may.
        """
        with self._lock:
            if self._now[caller] >= self._most:
                raise TooManyRequests(
                    f"you have {self._most} {self._what} under way, more are not taken: wait until some are done"
                )
            self._now[caller] += 1
        try:
            yield
        finally:
            with self._lock:
                self._now[caller] -= 1
                if not self._now[caller]:
                    del self._now[caller]


class Budget:
    """Bytes of bodies that are in memory.

    Args:
        total: of all callers; one caller may hold half of it.
    """

    def __init__(self, total: int = BYTES_UNDER_WAY) -> None:
        self._total = total
        self._lock = threading.Lock()
        self._held: Counter[str] = Counter()
        self._sum = 0

    @property
    def held(self) -> int:
        """Bytes taken at the moment."""
        return self._sum

    def take(self, caller: str, size: int) -> bool:
        """Take bytes; False when there is no room for them now. A body that is alone is always taken."""
        with self._lock:
            full = self._sum + size > self._total
            greedy = self._held[caller] + size > self._total // 2
            if (full and self._sum) or (greedy and self._held[caller]):
                return False
            self._sum += size
            self._held[caller] += size
            return True

    def give(self, caller: str, size: int) -> None:
        """Give bytes back."""
        with self._lock:
            self._sum -= size
            self._held[caller] -= size
            if not self._held[caller]:
                del self._held[caller]


class Share:
    """What one request holds of a budget; given back at the end of its block."""

    def __init__(self, budget: Budget, caller: str) -> None:
        self._budget = budget
        self._caller = caller
        self._size = 0

    def __enter__(self) -> Share:
        return self

    def __exit__(self, *_: object) -> None:
        self._budget.give(self._caller, self._size)
        self._size = 0

    def fits(self, size: int) -> bool:
        """Hold ``size`` bytes in all from now on; False when there is no room."""
        more = size - self._size
        if more > 0 and not self._budget.take(self._caller, more):
            return False
        if more > 0:
            self._size = size
        return True

    def hold(self, size: int) -> None:
        """As ``fits``.

        Raises:
            ServerBusy: there is no room.
        """
        if not self.fits(size):
            raise ServerBusy("too many large requests are under way: send it again in a moment")
