"""Command lines of programs, as the libraries that read them see them.

Each file watches one library, from the import of ``Task`` on: programs usually read their command line first and call
``Task.init`` later, in the function of the command. Until then nothing but ``lines`` knows of it. When an agent runs
the program, the watchers let the stored values win.
"""

import importlib
from functools import cache
from types import ModuleType

from trialbook.capture import imports
from trialbook.capture.command_lines import argparse

# The module to wait for, and the file of this package that watches it with its function ``install``.
_LIBRARIES = (
    ("click.core", "click"),
    ("typer._click.core", "click"),
    ("fire", "fire"),
    ("jsonargparse", "jsonargparse"),
    ("absl.flags", "absl_flags"),
    ("hydra._internal.callbacks", "hydra_jobs"),
    ("hydra._internal.config_loader_impl", "hydra"),
    ("hydra.main", "hydra_parser"),
)


@cache
def install() -> None:
    """Begin to watch; libraries that are not imported yet are waited for."""
    argparse.install()
    for module, file in _LIBRARIES:
        imports.after(module, _Ready(file))


class _Ready:
    """Loads a watcher once its library is there."""

    def __init__(self, file: str) -> None:
        self._file = file

    def __call__(self, module: ModuleType) -> None:
        importlib.import_module(f"{__name__}.{self._file}").install(module)
