"""What the values in TensorBoard's events hold, as plain Python and numpy.

The messages are those of ``tensorflow/core/framework/summary.proto`` and ``tensor.proto``.
"""

import importlib
from typing import Any

_TYPES = {
    1: "f4",
    2: "f8",
    3: "i4",
    4: "u1",
    5: "i2",
    6: "i1",
    9: "i8",
    10: "?",
    17: "u2",
    19: "f2",
    22: "u4",
    23: "u8",
}
"""numpy's names of the numeric ``DataType`` values."""
_FIELDS = {
    1: "float_val",
    2: "double_val",
    9: "int64_val",
    10: "bool_val",
    22: "uint32_val",
    23: "uint64_val",
}
_HALF = 19
_STRING = 7
_SUFFIXES = (
    "/text_summary",
    "/image_summary",
    "/scalar_summary",
    "/histogram_summary",
    "/audio_summary",
    "/pr_curves",
)
_PARAMETERS = ("tensorboard.plugins.hparams.plugin_data_pb2", "tensorboardX.proto.plugin_hparams_pb2")
_BEGINNINGS = ((b"GIF8", ".gif"), (b"\x89PNG", ".png"), (b"\xff\xd8", ".jpg"), (b"RIFF", ".wav"))


def array(tensor: Any) -> Any:
    """A ``TensorProto`` of numbers as a numpy array, of texts as a list of bytes."""
    if tensor.dtype == _STRING:
        return list(tensor.string_val)
    import numpy

    kind = numpy.dtype(_TYPES[tensor.dtype])
    shape = tuple(dimension.size for dimension in tensor.tensor_shape.dim)
    if tensor.tensor_content:
        return numpy.frombuffer(tensor.tensor_content, kind.newbyteorder("<")).reshape(shape)
    if tensor.dtype == _HALF:
        flat = numpy.array(tensor.half_val, "u2").view("f2")
    else:
        flat = numpy.array(getattr(tensor, _FIELDS.get(tensor.dtype, "int_val")), kind)
    if not shape:
        return flat
    # The last number stands for all that follow.
    return numpy.pad(
        flat, (0, int(numpy.prod(shape)) - flat.size), "edge" if flat.size else "constant"
    ).reshape(shape)


def name_of(tag: str) -> str:
    """The tag without what a plugin appended."""
    for suffix in _SUFFIXES:
        if tag.endswith(suffix) and tag != suffix:
            return tag[: -len(suffix)]
    return tag


def suffix_of(data: bytes) -> str:
    """How a file with this content is named; pictures by default."""
    return next((suffix for beginning, suffix in _BEGINNINGS if data.startswith(beginning)), ".png")


def hyperparameters(module: str, content: bytes) -> dict[str, Any]:
    """What ``add_hparams`` recorded.

    Args:
        module: of the event's class; the plugin's message is from the same package.
        content: of the plugin's metadata.

    Returns:
        Parameters by name; empty for the other two messages of the plugin.
    """
    package = module.partition(".")[0]
    messages = importlib.import_module(next(name for name in _PARAMETERS if name.startswith(f"{package}.")))
    data = messages.HParamsPluginData.FromString(content)
    return {name: _plain(value) for name, value in data.session_start_info.hparams.items()}


def _plain(value: Any) -> Any:
    kind = value.WhichOneof("kind")
    found: Any = getattr(value, kind) if kind else None
    if kind == "number_value" and found.is_integer() and abs(found) < 2**53:
        # The message knows floats only; a batch size of 32.0 is none.
        return int(found)
    return found


def pr_curve(table: Any) -> dict[str, Any]:
    """A figure of precision over recall.

    Args:
        table: rows of true and false positives, true and false negatives, precision and recall by threshold.
    """
    precision, recall = table[4], table[5]
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines",
                "x": recall.tolist(),
                "y": precision.tolist(),
                "hovertemplate": "recall %{x}<br>precision %{y}<extra></extra>",
            }
        ],
        "layout": {
            "xaxis": {"title": {"text": "recall"}, "range": [0, 1.02]},
            "yaxis": {"title": {"text": "precision"}, "range": [0, 1.05]},
        },
    }
