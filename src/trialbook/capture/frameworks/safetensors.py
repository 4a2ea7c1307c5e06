"""safetensors with PyTorch: files of tensors."""

from types import ModuleType

from trialbook.capture.frameworks.pytorch import NAME, speaks
from trialbook.capture.frameworks.sink import Sink
from trialbook.capture.patches import Call, Patches


def watch(safetensors: ModuleType, sink: Sink, patches: Patches) -> None:
    """``save_file``, ``load_file``, ``save_model`` and ``load_model`` of ``safetensors.torch``."""

    def saved(call: Call) -> None:
        if speaks():
            sink.models.saved(call.argument("filename"), NAME)

    def loaded(call: Call) -> None:
        if speaks():
            sink.models.loaded(call.argument("filename"), NAME)

    for name in ("save_file", "save_model"):
        patches.after(safetensors, name, saved)
    for name in ("load_file", "load_model"):
        patches.after(safetensors, name, loaded)
