"""A full disk costs a report, never the program: what needed a file is counted as lost and told."""

import errno
import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class _Journal(Protocol):
    def left_out(self, kind: str, error: OSError) -> None: ...


class _Record(Protocol):
    @property
    def journal(self) -> _Journal: ...


class _Reporter(Protocol):
    @property
    def _record(self) -> _Record: ...


R = TypeVar("R", bound=_Reporter)


def spared(
    kind: str, default: T
) -> Callable[[Callable[Concatenate[R, P], T]], Callable[Concatenate[R, P], T]]:
    """For methods that write a file beside the journal.

    Args:
        kind: of the loss: "image" or "file".
        default: what the method answers when the disk is full. Other errors pass.
    """

    def wrap(method: Callable[Concatenate[R, P], T]) -> Callable[Concatenate[R, P], T]:
        @functools.wraps(method)
        def run(self: R, /, *args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return method(self, *args, **kwargs)
            except OSError as error:
                if error.errno not in _FULL:
                    raise
                self._record.journal.left_out(kind, error)
                return default

        return run

    return wrap
