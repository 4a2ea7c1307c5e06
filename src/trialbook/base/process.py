"""What belongs to this process: values that a module keeps in it, and what a fork or a test must forget.

A module that keeps something says here what it is, instead of with ``global`` and a fork hook of its own:

    >>> current = Kept(None)
    >>> current.value = "a run"
    >>> forget()
    >>> current.value is None
    True
"""

import os
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Generic, TypeVar

T = TypeVar("T")

_kept: "list[Kept[Any]]" = []
_in_child: list[Callable[[], None]] = []
_in_parent: list[Callable[[], None]] = []


class Kept(Generic[T]):
    """A value of the process; a forked child goes on with that of its parent.

    Args:
        first: what it is at the beginning, and after ``forget``.
        lasting: ``forget`` leaves it, because what it stands for cannot be undone.

    Attributes:
        value: what it is now.
    """

    def __init__(self, first: T, *, lasting: bool = False) -> None:
        self._first = first
        self.value = first
        if not lasting:
            _kept.append(self)

    def forget(self) -> None:
        """Begin again."""
        self.value = self._first


class Lock:
    """A lock that a forked child finds open: whoever held it in the parent does not exist there."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        after_fork(self._renew)

    def _renew(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> bool:
        return self._lock.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.__exit__(kind, error, trace)


def after_fork(in_child: Callable[[], None], in_parent: Callable[[], None] | None = None) -> None:
    """Do something in each child that this process forks, and in this process beside it; in the order of the calls.

    Args:
        in_child: in the child, before the program goes on there.
        in_parent: in this process.
    """
    _in_child.append(in_child)
    if in_parent is not None:
        _in_parent.append(in_parent)


def forget() -> None:
    """Begin again with everything that is kept: for tests, which play many programs in one process."""
    for one in _kept:
        one.forget()


def _child() -> None:
    for act in _in_child:
        act()


def _parent() -> None:
    for act in _in_parent:
        act()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_child, after_in_parent=_parent)
