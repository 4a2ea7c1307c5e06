"""PyTorch Lightning: checkpoints of a trainer.

It writes them through a buffer, which ``torch.save`` does not tell from any other. What it reads is an open file for
``torch.load``, and is seen there.
"""

from os import PathLike, fspath
from types import ModuleType

from trialbook.capture.frameworks.pytorch import NAME
from trialbook.capture.frameworks.sink import Sink
from trialbook.capture.patches import Call, Patches


def watch(trainers: ModuleType, sink: Sink, patches: Patches) -> None:
    """``Trainer.save_checkpoint``, through which its ``ModelCheckpoint`` writes as well: once for each file."""

    def saved(call: Call) -> None:
        path = call.argument("filepath")
        # Paths may have a scheme; what is written elsewhere has no file here.
        local = isinstance(path, (str, PathLike)) and "://" not in fspath(path)
        if local and call.args[0].is_global_zero:
            sink.models.saved(path, NAME)

    patches.after(trainers.Trainer, "save_checkpoint", saved)
