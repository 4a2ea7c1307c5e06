"""``tf.summary`` of TensorFlow 2, whose writers are not in Python: read on the way to them.

All its functions, and the TensorBoard callback of Keras on TensorFlow, end in ``gen_summary_ops.write_summary``. Inside
a ``tf.function`` it is called once, while the graph is made, with values that are not there yet; these are not seen.
"""

import importlib
from typing import Any

from trialbook.capture.frameworks.sink import Sink
from trialbook.capture.frameworks.tensorboard import Events
from trialbook.capture.patches import Call, Patches

_SIGNATURES = {
    "create": ("writer", "logdir"),
    "write": ("writer", "step", "tensor", "tag", "summary_metadata"),
}


def watch(module: Any, sink: Sink, patches: Patches) -> None:
    """``create_summary_file_writer``, for the log directory, and ``write_summary``."""
    events = Events(sink)
    # By the identity of the writer's handle, which another one may have later; it is entered anew then.
    folders: dict[int, str] = {}

    def created(call: Call) -> None:
        writer, folder = _arguments(call, "create")
        folders[id(writer)] = _text(folder)

    def written(call: Call) -> None:
        writer, step, tensor, tag, metadata = _arguments(call, "write")
        if not hasattr(tensor, "numpy"):
            return
        messages = importlib.import_module("tensorflow.core.framework.summary_pb2")
        about = messages.SummaryMetadata.FromString(_plain(metadata))
        value = _plain(tensor)
        if isinstance(value, bytes):
            value = [value]
        elif getattr(value, "dtype", None) is not None and value.dtype.kind == "O":
            # An array of texts.
            value = value.reshape(-1).tolist()
        plugin = about.plugin_data.plugin_name
        events.tensor(folders.get(id(writer), ""), _text(tag), int(_plain(step)), plugin, value)

    patches.after(module, "create_summary_file_writer", created)
    patches.after(module, "write_summary", written)
    patches.at_end(events.finish)


def _arguments(call: Call, function: str) -> list[Any]:
    return [call.argument(name, place) for place, name in enumerate(_SIGNATURES[function])]


def _plain(value: Any) -> Any:
    return value.numpy() if hasattr(value, "numpy") else value


def _text(value: Any) -> str:
    found = _plain(value)
    return found.decode() if isinstance(found, bytes) else str(found)
