"""Which function answers which method."""

import importlib
import pkgutil
from collections.abc import Callable
from typing import Any, TypeVar

from trialbook.server.services.bundle import Services
from trialbook.wire.catalogue import METHODS

Handler = Callable[[Services, Any, Any], Any]
F = TypeVar("F", bound=Callable[..., Any])

_handlers: dict[str, Handler] = {}


def handles(*names: str) -> Callable[[F], F]:
    """Bind a function ``(services, call, ask) -> reply`` to methods of the table."""

    def bind(function: F) -> F:
        for name in names:
            if name in _handlers:
                raise ValueError(f"{name} has two handlers")
            _handlers[name] = function
        return function

    return bind


def load() -> dict[str, Handler]:
    """Every handler by method name.

    Raises:
        RuntimeError: a method has no handler, or a handler no method.
    """
    package = importlib.import_module("trialbook.server.rpc.handlers")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    declared = {method.name for method in METHODS}
    if declared != _handlers.keys():
        missing, stray = sorted(declared - _handlers.keys()), sorted(_handlers.keys() - declared)
        raise RuntimeError(
            f"method table and handlers differ; without handler: {missing}; without method: {stray}"
        )
    return dict(_handlers)
