"""The Trainer of Hugging Face's transformers: arguments, what it logs, and checkpoints as wholes.

Titles, series and sections are those of the callback that transformers itself has for ``report_to="clearml"``, so that
runs of both kinds lie in the same charts.
"""

import json
from os import PathLike
from pathlib import Path
from types import ModuleType
from typing import Any

from trialbook.capture.frameworks.boosting import parameters
from trialbook.capture.frameworks.sink import Sink
from trialbook.capture.patches import Call, Patches

NAME = "Transformers"
_SUMMARY = frozenset(
    {
        "epoch",
        "total_flos",
        "train_loss",
        "train_runtime",
        "train_samples_per_second",
        "train_steps_per_second",
    }
)
"""One number for the whole training."""
_PARTS = ("eval", "test")
_REPORTS_ITSELF = frozenset({"ClearMLCallback", "TensorBoardCallback"})
"""Callbacks whose numbers are on the task already."""


def watch(trainer: ModuleType, sink: Sink, patches: Patches) -> None:
    """``transformers.trainer``: the events of a trainer, and the functions that write a checkpoint or a model.

    A checkpoint is a folder, of which the files (weights, optimizer, random states …) are of no use alone: it is one
    model, and the saves within it are not seen one by one.
    """

    def begun(call: Call) -> None:
        handler, arguments = call.args[0], call.argument("args")
        if not call.argument("state").is_world_process_zero or "ClearMLCallback" in _callbacks(handler):
            return
        sink.parameters.connected(parameters(arguments.to_dict()), NAME)
        config = getattr(handler.model, "config", None)
        if config is not None and hasattr(config, "to_dict"):
            text = json.dumps(config.to_dict(), indent=2, default=str)
            sink.parameters.described("Model Configuration", text)

    def logged(call: Call) -> None:
        state = call.argument("state")
        if state.is_world_process_zero and not _callbacks(call.args[0]) & _REPORTS_ITSELF:
            _report(sink, call.argument("logs") or {}, int(state.global_step))

    # Callbacks are code of the user, which may save and plot.
    patches.after(trainer.CallbackHandler, "on_train_begin", begun, whole=False)
    patches.after(trainer.CallbackHandler, "on_log", logged, whole=False)

    def checkpointed(call: Call) -> None:
        one: Any = call.args[0]
        if one.is_world_process_zero():
            folder = Path(one.args.output_dir) / f"checkpoint-{one.state.global_step}"
            # A search of parameters has a folder per trial.
            trial = getattr(one.state, "best_model_checkpoint", None) if not folder.is_dir() else None
            sink.models.saved(trial or folder, NAME)

    def saved(call: Call) -> None:
        one: Any = call.args[0]
        folder = call.argument("output_dir") or one.args.output_dir
        if isinstance(folder, (str, PathLike)) and one.is_world_process_zero():
            sink.models.saved(folder, NAME)

    patches.after(trainer.Trainer, "_save_checkpoint", checkpointed)
    patches.after(trainer.Trainer, "save_model", saved)


def _callbacks(handler: Any) -> set[str]:
    return {type(one).__name__ for one in handler.callbacks}


def _report(sink: Sink, logs: dict[str, Any], step: int) -> None:
    for name, value in logs.items():
        if not isinstance(value, (int, float)):
            continue
        part = next((part for part in _PARTS if name.startswith(f"{part}_")), None)
        if name in _SUMMARY:
            sink.reports.report_single_value(name, float(value))
        elif part is not None:
            sink.reports.report_scalar(part, name.removeprefix(f"{part}_"), float(value), step)
        else:
            sink.reports.report_scalar("train", name, float(value), step)
