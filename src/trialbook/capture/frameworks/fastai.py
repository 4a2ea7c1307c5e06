"""fastai: losses and metrics of a learner, its settings, and how its weights and gradients spread.

Its files are written and read by ``torch.save`` and ``torch.load``, and are seen there.
"""

import weakref
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from trialbook.capture.frameworks.pytorch import speaks
from trialbook.capture.frameworks.sink import Sink
from trialbook.capture.patches import Call, Patches


def watch(learners: ModuleType, sink: Sink, patches: Patches) -> None:
    """The events of a ``Learner``; its callbacks stay as they are, and so does what it exports."""
    fits: weakref.WeakKeyDictionary[Any, _Fit] = weakref.WeakKeyDictionary()

    def told(call: Call) -> None:
        learner, event = call.args[0], call.argument("event_name")
        if event == "before_fit" and _wanted(learner):
            fit = fits.setdefault(learner, _Fit())
            fit.begin(sink, learner)
        fit = fits.get(learner, _NONE)
        if not fit.on:
            return
        if event == "after_batch" and learner.training and len(learner.yb):
            fit.batch_ended(sink, learner)
        elif event == "after_backward" and learner.iter == learner.n_iter - 1:
            _spread(sink, "gradients", [one.grad for one in learner.model.parameters()], fit.epochs)
        elif event == "after_epoch":
            fit.epoch_ended(sink, learner)
        elif event == "after_fit":
            fit.on = False

    patches.after(learners.Learner, "__call__", told, whole=False)


def _wanted(learner: Any) -> bool:
    """A training of the first rank that TensorBoard is not told of; the search for a learning rate is none."""
    names = {kind.__name__ for one in learner.cbs for kind in type(one).__mro__}
    return speaks() and "LRFinder" not in names and not any("TensorBoard" in name for name in names)


@dataclass
class _Fit:
    """One learner's trainings, which follow each other on one axis.

    Attributes:
        on: one is under way.
        batches, epochs: that have ended.
    """

    on: bool = False
    batches: int = 0
    epochs: int = 0

    def begin(self, sink: Sink, learner: Any) -> None:
        self.on = True
        settings = {
            "epochs": int(learner.n_epoch),
            "batch_size": getattr(learner.dls, "bs", None),
            "loss": _name(learner.loss_func),
            "optimizer": _name(getattr(learner, "opt_func", None)),
            "model": _name(learner.model),
            **{
                name: value
                for name, value in learner.opt.hypers[-1].items()
                if isinstance(value, (int, float))
            },
        }
        known = {name: value for name, value in settings.items() if value is not None}
        sink.parameters.connected(known, "fastai")

    def batch_ended(self, sink: Sink, learner: Any) -> None:
        sink.reports.report_scalar("batch", "loss", float(learner.loss), self.batches)
        for name in ("lr", "mom"):
            if name in learner.opt.hypers[-1]:
                value = float(learner.opt.hypers[-1][name])
                sink.reports.report_scalar("schedule", name, value, self.batches)
        self.batches += 1

    def epoch_ended(self, sink: Sink, learner: Any) -> None:
        recorder = learner.recorder
        names = [name for name in recorder.metric_names if name not in ("epoch", "time")]
        for name, value in zip(names, recorder.values[-1], strict=False):
            side, mark, metric = name.partition("_")
            known = mark and side in ("train", "valid")
            title, series = (metric, side) if known else (name, "valid")
            if value is not None:
                sink.reports.report_scalar(title, series, float(value), self.epochs)
        _spread(sink, "weights", [one.data for one in learner.model.parameters()], self.epochs)
        self.epochs += 1


_NONE = _Fit()


def _name(value: Any) -> str | None:
    return None if value is None else str(getattr(value, "__name__", type(value).__name__))


def _spread(sink: Sink, title: str, tensors: list[Any], epoch: int) -> None:
    """Mean and deviation over all numbers of some tensors, once an epoch."""
    tensors = [one.double() for one in tensors if one is not None]
    count = sum(one.numel() for one in tensors)
    if not count:
        return
    mean = sum(float(one.sum()) for one in tensors) / count
    squares = sum(float(one.square().sum()) for one in tensors) / count
    sink.reports.report_scalar(title, "mean", mean, epoch)
    sink.reports.report_scalar(title, "deviation", max(0.0, squares - mean * mean) ** 0.5, epoch)
