"""Trialbook keeps the whole life of a machine-learning experiment in one place.

The public names are loaded on first use (PEP 562), so ``import trialbook`` itself loads no third-party module.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from trialbook.base.version import __version__

if TYPE_CHECKING:
    from trialbook.sdk.dataset import Dataset
    from trialbook.sdk.logger import Logger
    from trialbook.sdk.models import InputModel, Model, OutputModel
    from trialbook.sdk.storage import StorageManager
    from trialbook.sdk.task import Task
    from trialbook.wire.states import TaskTypes

_HOMES = {
    "Dataset": "trialbook.sdk.dataset",
    "Task": "trialbook.sdk.task",
    "Logger": "trialbook.sdk.task",
    "Model": "trialbook.sdk.models",
    "InputModel": "trialbook.sdk.models",
    "OutputModel": "trialbook.sdk.models",
    "StorageManager": "trialbook.sdk.storage",
    "TaskTypes": "trialbook.wire.states",
}

__all__ = [
    "Dataset",
    "InputModel",
    "Logger",
    "Model",
    "OutputModel",
    "StorageManager",
    "Task",
    "TaskTypes",
    "__version__",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'trialbook' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
