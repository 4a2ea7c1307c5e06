"""Seeing ``raise SystemExit(n)`` that nobody catches. The interpreter tells no hook of it, so each version is asked in
its own way; where there is none, only ``sys.exit(n)`` is seen.
"""

import gc
import sys
from collections.abc import Callable
from types import CodeType
from typing import Any


def watch(leaving: Callable[[Any], None]) -> Callable[[], None] | None:
    """Have uncaught exits told.

    Args:
        leaving: gets the exit's code; called in the thread that it leaves.

    Returns:
        A function that ends the watch, or None where nothing can be watched.
    """
    if hasattr(sys, "monitoring"):
        return _watch_unwinding(leaving)
    if sys.implementation.name == "cpython":
        return _watch_code(leaving)
    return None


def _watch_unwinding(leaving: Callable[[Any], None]) -> Callable[[], None] | None:
    """Python 3.12 and later call back when a frame is left by an exception; leaving the outermost one, nobody can catch
    it any more."""
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined,unused-ignore]

    def unwound(code: CodeType, offset: int, error: BaseException) -> None:
        if isinstance(error, SystemExit) and sys._getframe(1).f_back is None:
            leaving(error.code)

    for tool in (4, 3):
        if monitoring.get_tool(tool) is None:
            monitoring.use_tool_id(tool, "trialbook")
            monitoring.register_callback(tool, monitoring.events.PY_UNWIND, unwound)
            monitoring.set_events(tool, monitoring.events.PY_UNWIND)

            def end(tool: int = tool) -> None:
                monitoring.set_events(tool, 0)
                monitoring.free_tool_id(tool)

            return end
    return None


class _WatchedCode:
    """``SystemExit.code`` that notices who reads it: the interpreter itself does, without any Python frame below, when
    it is about to end the process with that code. Behaves as the original in all else.
    """

    def __init__(self, original: Any, leaving: Callable[[Any], None]) -> None:
        self.original = original
        self._leaving = leaving
        self.__doc__ = original.__doc__

    def __get__(self, instance: SystemExit | None, owner: type | None = None) -> Any:
        if instance is None:
            return self.original
        code = self.original.__get__(instance, owner)
        if sys._getframe().f_back is None:
            self._leaving(code)
        return code

    def __set__(self, instance: SystemExit, code: Any) -> None:
        self.original.__set__(instance, code)

    def __delete__(self, instance: SystemExit) -> None:
        self.original.__delete__(instance)


def _watch_code(leaving: Callable[[Any], None]) -> Callable[[], None] | None:
    """Python 3.10 and 3.11, whose internals no longer change: the attribute is replaced in the class's own dictionary,
    which cannot be reached by ordinary means."""
    (members, *_) = gc.get_referents(SystemExit.__dict__)
    original = members.get("code") if isinstance(members, dict) else None
    if original is None or isinstance(original, _WatchedCode):
        return None
    # Here, since it takes milliseconds that other programs need not wait for.
    import ctypes

    watched = _WatchedCode(original, leaving)

    def put(value: Any) -> None:
        members["code"] = value
        ctypes.pythonapi.PyType_Modified(ctypes.py_object(SystemExit))

    def end() -> None:
        if members.get("code") is watched:
            put(original)

    put(watched)
    return end
