"""Watching the functions of other libraries: their results stay what they are, and everything can be put back."""

import contextvars
import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from trialbook.base.guard import guard

_inside: contextvars.ContextVar[bool] = contextvars.ContextVar("trialbook_inside", default=False)


@dataclass
class Call:
    """One call of a watched function.

    Attributes:
        function: the original.
        args: positional arguments, with ``self`` or ``cls`` first when it is a method.
        kwargs: arguments by name.
        result: what it returned; None before it has.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    result: Any = None

    def argument(self, name: str, position: int | None = None, default: Any = None) -> Any:
        """An argument by its name.

        Args:
            name: in the function's signature.
            position: where it stands among ``args``, for functions whose signature cannot be read (compiled code).
            default: when the call leaves it out and the signature has none.
        """
        if name in self.kwargs:
            return self.kwargs[name]
        if position is not None:
            return self.args[position] if position < len(self.args) else default
        bound = inspect.signature(self.function).bind_partial(*self.args, **self.kwargs)
        bound.apply_defaults()
        return bound.arguments.get(name, default)


Seen = Callable[[Call], None]


class Patches:
    """The functions that one binding has replaced.

    Args:
        place: name for the log, such as ``"pytorch"``.
    """

    def __init__(self, place: str) -> None:
        self.place = place
        self._on = True
        self._undo: list[Callable[[], None]] = []
        self._last: list[Callable[[], None]] = []
        self._replaced: list[tuple[Any, Any]] = []

    def after(self, owner: Any, name: str, seen: Seen, whole: bool = True) -> None:
        """Call ``seen`` after each successful call of ``owner.name``, in the same thread.

        Calls that a watched function makes of other watched functions are not seen: what the user called counts once.

        Args:
            owner: a module or a class; without such an attribute nothing happens, since libraries change.
            name: of the function, method, class method or static method.
            seen: gets the call; its errors are logged and stay away from the program.
            whole: False sees what happens inside as well: for functions that run code of the user, such as ``fit``.
        """

        def around(original: Callable[..., Any]) -> Callable[..., Any]:
            def run(*args: Any, **kwargs: Any) -> Any:
                if not self._on or _inside.get():
                    return original(*args, **kwargs)
                with quiet() if whole else nullcontext():
                    result = original(*args, **kwargs)
                with quiet(), guard(f"capture.{self.place}"):
                    seen(Call(original, args, kwargs, result))
                return result

            return run

        self.around(owner, name, around)

    def around(self, owner: Any, name: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        """Replace ``owner.name`` by ``make(original)``, for what ``after`` cannot do: other arguments, a check before.

        The replacement must guard its own work, pass the result on, and do nothing when ``self.on`` is false. A
        function of several modules gets one replacement for all of them, also in the module that it comes from: it is
        pickled by its name, and must be what stands there.

        Args:
            owner: a module or a class; without such an attribute nothing happens.
            name: of the function, method, class method or static method.
            make: gets the plain function (of a class method too) and returns one with the same parameters.
        """
        found = inspect.getattr_static(owner, name, None)
        if found is None:
            return
        module = inspect.ismodule(owner)
        if module and any(made is found for _, made in self._replaced):
            return
        replacement = next((made for known, made in self._replaced if module and known is found), None)
        if replacement is None:
            kind = type(found) if isinstance(found, (classmethod, staticmethod)) else None
            original = found.__func__ if kind is not None else found
            replacement = functools.wraps(original)(make(original))
            if kind is not None:
                replacement = kind(replacement)
            self._replaced.append((found, replacement))
        inherited = not module and inspect.isclass(owner) and name not in vars(owner)
        self._put(owner, name, found, replacement, inherited)
        home = sys.modules.get(getattr(found, "__module__", None) or "") if module else None
        own = str(getattr(found, "__name__", ""))
        if home is not None and getattr(home, own, None) is found:
            self._put(home, own, found, replacement, False)

    def _put(self, owner: Any, name: str, found: Any, replacement: Any, inherited: bool) -> None:
        setattr(owner, name, replacement)
        self._undo.append(lambda: _put_back(owner, name, replacement, found, inherited))

    def at_end(self, call: Callable[[], None]) -> None:
        """Call this before everything is put back: the run still takes reports then."""
        self._last.append(call)

    @property
    def on(self) -> bool:
        """False after ``undo``: a replacement that somebody else has wrapped since is still called then."""
        return self._on

    def undo(self) -> None:
        """Put everything back, last first."""
        for call in self._last:
            with guard(f"capture.{self.place}.end"):
                call()
        self._on = False
        while self._undo:
            with guard(f"capture.{self.place}.undo"):
                self._undo.pop()()


def _put_back(owner: Any, name: str, replacement: Any, found: Any, inherited: bool) -> None:
    if inspect.getattr_static(owner, name, None) is not replacement:
        return
    if inherited:
        delattr(owner, name)
    else:
        setattr(owner, name, found)


@contextmanager
def quiet() -> Iterator[None]:
    """Inside, watched functions are not seen: for what Trialbook itself calls, and for calls within calls."""
    token = _inside.set(True)
    try:
        yield
    finally:
        _inside.reset(token)
