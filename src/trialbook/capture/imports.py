"""What to do right after a library is imported, without importing it.

A finder in front of ``sys.meta_path`` lets the others find a waited-for module and adds one call after its loader has
run it (PEP 451). It leaves ``sys.meta_path`` when nothing is waited for.
"""

import functools
import sys
import threading
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from trialbook.base.guard import guard

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

Ready = Callable[[ModuleType], None]
_lock = threading.RLock()
_waiting: dict[str, list[Ready]] = {}


def after(name: str, ready: Ready) -> Callable[[], None]:
    """Call ``ready`` with a module: at once when it is imported already, else right after its import.

    Args:
        name: dotted name of the module.
        ready: gets the module; its errors are logged and stay away from the program.

    Returns:
        A function that stops waiting.

    Example:
        >>> stop = after("wave", lambda module: print(module.__name__))
        >>> import wave
        wave
        >>> stop()
    """
    with _lock:
        module = sys.modules.get(name)
        if module is not None and not _beginning(module):
            _tell(ready, module)
            return lambda: None
        _waiting.setdefault(name, []).append(ready)
        if _finder not in sys.meta_path:
            sys.meta_path.insert(0, _finder)
    return functools.partial(_stop, name, ready)


def _stop(name: str, ready: Ready) -> None:
    with _lock:
        if ready in _waiting.get(name, []):
            _waiting[name].remove(ready)
            if not _waiting[name]:
                del _waiting[name]
        if not _waiting and _finder in sys.meta_path:
            sys.meta_path.remove(_finder)


def _beginning(module: ModuleType) -> bool:
    spec = getattr(module, "__spec__", None)
    return bool(getattr(spec, "_initializing", False))


def _tell(ready: Ready, module: ModuleType) -> None:
    with guard(f"capture.{module.__name__}"):
        ready(module)


def _imported(module: ModuleType) -> None:
    with _lock:
        told = _waiting.pop(module.__name__, [])
        if not _waiting and _finder in sys.meta_path:
            sys.meta_path.remove(_finder)
    for ready in told:
        _tell(ready, module)


class _Finder:
    """Finds nothing itself: it asks the other finders, and adds the call to what they found."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> "ModuleSpec | None":
        if fullname not in _waiting:
            return None
        for other in list(sys.meta_path):
            find = getattr(other, "find_spec", None)
            if other is self or find is None:
                continue
            spec: ModuleSpec | None = find(fullname, path, target)
            if spec is not None:
                with guard("capture.imports"):
                    _add_call(spec)
                return spec
        return None


def _add_call(spec: "ModuleSpec") -> None:
    # On the loader object itself, which is made for this module alone: programs ask a loader for its source, its data
    # files and its type, and a loader of ours in its place would have to answer all that.
    loader: Any = spec.loader
    run = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        del loader.exec_module
        run(module)
        _imported(module)

    loader.exec_module = exec_module


_finder = _Finder()
