"""TensorFlow: saved models and checkpoints. Keras has a binding of its own."""

from os import PathLike, fspath
from pathlib import Path
from types import ModuleType
from typing import Any

from trialbook.capture.frameworks.sink import Sink
from trialbook.capture.patches import Call, Patches

_NAME = "TensorFlow"


def watch(tensorflow: ModuleType, sink: Sink, patches: Patches) -> None:
    """``saved_model.save`` and ``load``; checkpoints that ``train.Checkpoint`` and its manager write and read."""

    def saved(call: Call) -> None:
        folder = _local(call.argument("export_dir"))
        if folder is not None:
            sink.models.saved(folder, _NAME)

    def loaded(call: Call) -> None:
        folder = _local(call.argument("export_dir"))
        if folder is not None:
            sink.models.loaded(folder, _NAME)

    def checked(call: Call) -> None:
        # The result, not the argument: ``save`` adds a number.
        prefix = _local(call.result)
        if prefix is not None:
            parts = [path for path in prefix.parent.glob(f"{prefix.name}.*") if path.is_file()]
            sink.models.saved(prefix, _NAME, parts=sorted(parts))

    def restored(call: Call) -> None:
        prefix = _local(call.args[1] if len(call.args) > 1 else call.argument("save_path"))
        # Without a path, as on a first start, nothing is read.
        if prefix is not None and prefix.with_name(f"{prefix.name}.index").exists():
            sink.models.loaded(prefix, _NAME)

    patches.after(tensorflow.saved_model, "save", saved)
    patches.after(tensorflow.saved_model, "load", loaded)
    for name in ("save", "write"):
        patches.after(tensorflow.train.Checkpoint, name, checked)
    for name in ("restore", "read"):
        patches.after(tensorflow.train.Checkpoint, name, restored)
    # It does not use the public methods of the checkpoint that it was given.
    patches.after(tensorflow.train.CheckpointManager, "save", checked)


def _local(path: Any) -> Path | None:
    return (
        Path(path)
        if isinstance(path, (str, PathLike)) and fspath(path) and "://" not in fspath(path)
        else None
    )
