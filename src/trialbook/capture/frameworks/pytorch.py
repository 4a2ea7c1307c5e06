"""PyTorch: what ``torch.save`` and TorchScript write, and what is read of it."""

import sys
from os import PathLike
from pathlib import Path
from types import ModuleType
from typing import Any

from trialbook.capture.frameworks.sink import Sink
from trialbook.capture.patches import Call, Patches

NAME = "PyTorch"


def watch(torch: ModuleType, sink: Sink, patches: Patches) -> None:
    """``torch.save``, ``torch.load``, their TorchScript forms, and the ``save`` of a scripted module."""

    def saved(call: Call) -> None:
        path = path_of(call.argument("f"))
        if path is not None and speaks():
            sink.models.saved(path, NAME)

    def loaded(call: Call) -> None:
        path = path_of(call.argument("f"))
        if path is not None and speaks() and not _loads_data():
            sink.models.loaded(path, NAME)

    def scripted(call: Call) -> None:
        path = path_of(call.argument("f", 1))
        if path is not None and speaks():
            sink.models.saved(path, NAME)

    for owner in (torch, torch.jit):
        patches.after(owner, "save", saved)
        patches.after(owner, "load", loaded)
    patches.after(torch.jit.RecursiveScriptModule, "save", scripted)


def path_of(target: Any) -> "str | PathLike[str] | None":
    """The path that a program gave, or that of its open file with all that was written so far; None for a buffer."""
    if isinstance(target, (str, PathLike)):
        return target
    name = getattr(target, "name", None)
    if not isinstance(name, str) or not Path(name).is_file():
        return None
    if not getattr(target, "closed", False) and target.writable():
        target.flush()
    return name


def _loads_data() -> bool:
    """Whether this is a worker of a ``DataLoader``: the tensors that it reads are samples, not weights."""
    data: Any = sys.modules.get("torch.utils.data")
    return data is not None and data.get_worker_info() is not None


def speaks() -> bool:
    """Whether this process saves for its group: rank 0, or no group at all."""
    distributed: Any = sys.modules.get("torch.distributed")
    if distributed is None or not distributed.is_available() or not distributed.is_initialized():
        return True
    return bool(distributed.get_rank() == 0)
