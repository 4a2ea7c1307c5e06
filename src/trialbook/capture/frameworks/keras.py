"""Keras: models with their architecture, and the numbers of each epoch."""

import json
from collections.abc import Mapping
from os import PathLike, fspath
from types import ModuleType
from typing import Any

from trialbook.capture.frameworks.pytorch import speaks
from trialbook.capture.frameworks.sink import Sink
from trialbook.capture.patches import Call, Patches

_NAME = "Keras"


def watch(keras: ModuleType, sink: Sink, patches: Patches) -> None:
    """The methods and functions that save and load, and the end of each epoch of ``fit``.

    ``ModelCheckpoint`` calls the methods of the model. The list of callbacks is watched, not added to.
    """

    def saved(call: Call) -> None:
        path = _local(call.argument("filepath"))
        if path is not None and speaks():
            sink.models.saved(
                path, _NAME, _architecture(call.args[0] if call.args else call.argument("model"))
            )

    def loaded(call: Call) -> None:
        path = _local(call.argument("filepath"))
        if path is not None and speaks():
            sink.models.loaded(path, _NAME)

    def epoch_ended(call: Call) -> None:
        callbacks, logs = call.args[0], call.argument("logs")
        if isinstance(logs, Mapping) and speaks() and not _boarded(callbacks):
            _report(sink, logs, int(call.argument("epoch")))

    for name in ("save", "save_weights", "export"):
        patches.after(keras.Model, name, saved)
    patches.after(keras.Model, "load_weights", loaded)
    for owner in (keras.models, getattr(keras, "saving", None)):
        for name in ("save_model", "save_weights"):
            patches.after(owner, name, saved)
        for name in ("load_model", "load_weights"):
            patches.after(owner, name, loaded)
    patches.after(keras.callbacks.CallbackList, "on_epoch_end", epoch_ended, whole=False)


def _local(path: Any) -> "str | PathLike[str] | None":
    return path if isinstance(path, (str, PathLike)) and "://" not in fspath(path) else None


def _architecture(model: Any) -> str | None:
    """The layers as JSON; None for a model that cannot tell, such as one whose ``call`` is Python."""
    try:
        return json.dumps(json.loads(model.to_json()), indent=1)
    except (NotImplementedError, TypeError, ValueError, AttributeError):
        return None


def _boarded(callbacks: Any) -> bool:
    """Whether a TensorBoard callback reports the same numbers."""
    return any(kind.__name__ == "TensorBoard" for one in callbacks.callbacks for kind in type(one).__mro__)


def _report(sink: Sink, logs: Mapping[str, Any], epoch: int) -> None:
    for name, value in logs.items():
        # The optimizer's learning rate is among them, and has no two sides.
        series = "validation" if name.startswith("val_") else "train"
        sink.reports.report_scalar(name.removeprefix("val_"), series, float(value), epoch)
