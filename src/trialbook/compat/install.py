"""``install_as``: answer ``import clearml`` with Trialbook."""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

import trialbook
from trialbook.errors import UsageError

# Where the reference SDK keeps the names that scripts import from below the top.
_SUBMODULES = {
    "": "trialbook",
    "datasets": "trialbook.sdk.dataset",
    "task": "trialbook.sdk.task",
    "logger": "trialbook.sdk.logger",
    "model": "trialbook.sdk.models",
    "storage": "trialbook.sdk.storage",
    "task_parameters": "trialbook.sdk.task_parameters",
}


class _Door(MetaPathFinder, Loader):
    """Finds and loads the modules of one borrowed package name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        top, _, rest = fullname.partition(".")
        if top != self.name or rest not in _SUBMODULES:
            return None
        return ModuleSpec(fullname, self, is_package=not rest)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        rest = spec.name.partition(".")[2]
        return _Alias(spec.name, _SUBMODULES[rest])

    def exec_module(self, module: ModuleType) -> None:
        """Nothing runs: names are looked up in the home module when they are asked for."""


class _Alias(ModuleType):
    """A module whose names live in another one, found on first use."""

    def __init__(self, name: str, home: str) -> None:
        super().__init__(name, f"Trialbook under the name {name}.")
        self.__dict__["_home"] = home
        # `from clearml import X` for a missing X names this file, so that the reader sees who answers.
        self.__dict__["__file__"] = __file__
        self.__dict__["__version__"] = trialbook.__version__

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return getattr(import_module(self.__dict__["_home"]), name)
        except AttributeError:
            raise AttributeError(
                f"{self.__name__}.{name} is not part of Trialbook {trialbook.__version__}. "
                "The migration page lists what is; please report what your script needs."
            ) from None


def install_as(name: str = "clearml") -> None:
    """Make ``import NAME`` give Trialbook from now on in this process.

    Args:
        name: top-level package name to answer to.

    Raises:
        UsageError: the real package of that name is imported already; call this first.

    Example:
        >>> from trialbook.compat import install_as
        >>> install_as("clearml")
        >>> from clearml import Task
        >>> Task.__module__.split(".")[0]
        'trialbook'
    """
    if any(isinstance(finder, _Door) and finder.name == name for finder in sys.meta_path):
        return
    if name in sys.modules:
        raise UsageError(
            f"{name} is imported already: call install_as({name!r}) before the first `import {name}`."
        )
    sys.meta_path.insert(0, _Door(name))
