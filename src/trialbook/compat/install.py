"""``install_as``: answer ``import clearml`` with Trialbook."""

import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from importlib.metadata import Distribution, DistributionFinder
from os import PathLike
from pathlib import Path
from types import ModuleType

import trialbook
from trialbook.compat.names import ABSENT, HOMES, INTERFACE
from trialbook.errors import UsageError


class _Door(DistributionFinder, Loader):
    """Finds and loads the modules of one borrowed package name, and answers for its installed distribution."""

    def __init__(self, name: str) -> None:
        self.name = name

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        top, _, rest = fullname.partition(".")
        if top != self.name:
            return None
        if rest in HOMES:
            # Each is a package: `from clearml import X` then asks here for a missing X, which can say why.
            return ModuleSpec(fullname, self, is_package=True)
        if rest in ABSENT or rest.rpartition(".")[2][:1].isupper():
            raise ImportError(_missing(fullname, rest), name=fullname)
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        rest = spec.name.partition(".")[2]
        return _Alias(spec.name, rest)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing runs: names are looked up in the home module when they are asked for."""

    def find_distributions(self, context: DistributionFinder.Context | None = None) -> Iterable[Distribution]:
        """Libraries that offer a tracker ask whether its distribution is installed, and which version."""
        if context is None or context.name is None or context.name.lower() == self.name:
            yield _Installed(self.name)


class _Installed(Distribution):
    """The distribution of a borrowed name: the interface that it offers, and who offers it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def read_text(self, filename: str) -> str | None:
        if filename != "METADATA":
            return None
        return f"Metadata-Version: 2.1\nName: {self._name}\nVersion: {_version()}\n"

    def locate_file(self, path: "str | PathLike[str]") -> Path:
        raise FileNotFoundError(f"{self._name} is answered by Trialbook and has no files of its own")


class _Alias(ModuleType):
    """A module whose names live in another one, found on first use."""

    def __init__(self, name: str, rest: str) -> None:
        super().__init__(name, f"Trialbook under the name {name}.")
        self.__dict__["_rest"] = rest
        # `from clearml import X` for a missing X names this file, so that the reader sees who answers.
        self.__dict__["__file__"] = __file__
        self.__dict__["__version__"] = _version()

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        rest: str = self.__dict__["_rest"]
        below = f"{rest}.{name}" if rest else name
        try:
            return getattr(import_module(HOMES[rest]), name)
        except AttributeError:
            if below in HOMES:
                # `clearml.model` is there after `import clearml` alone.
                return import_module(f"{self.__name__}.{name}")
            raise AttributeError(_missing(f"{self.__name__}.{name}", below)) from None


def _version() -> str:
    return f"{INTERFACE}+trialbook.{trialbook.__version__}"


def _missing(full: str, rest: str) -> str:
    while rest and rest not in ABSENT:
        rest = rest.rpartition(".")[0]
    reason = f": {ABSENT[rest]}" if rest else ""
    return (
        f"{full} is not part of Trialbook {trialbook.__version__}{reason}. A script that needs it runs with the "
        f"released package {full.partition('.')[0]}, which speaks to a Trialbook server unchanged: start it with "
        "`python` instead of `trialbook run`."
    )


def install_as(name: str = "clearml") -> None:
    """Make ``import NAME`` give Trialbook from now on in this process.

    ``importlib.metadata`` then knows a distribution of that name, whose version tells which interface is offered.

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
