"""XGBoost: boosters, parameters, and the metrics of each round."""

from os import PathLike
from types import ModuleType
from typing import Any

from trialbook.base.guard import guard
from trialbook.capture.frameworks.boosting import Trainings, parameters
from trialbook.capture.frameworks.sink import Sink
from trialbook.capture.patches import Call, Patches, quiet

_NAME = "XGBoost"


def watch(xgboost: ModuleType, sink: Sink, patches: Patches) -> None:
    """``save_model`` and ``load_model`` of boosters and of the scikit-learn classes, and ``train``, which both use.

    The rounds are seen in the container of callbacks that every training has; nothing is added to it.
    """

    def saved(call: Call) -> None:
        sink.models.saved(call.argument("fname"), _NAME)

    def loaded(call: Call) -> None:
        path = call.argument("fname")
        if isinstance(path, (str, PathLike)):
            sink.models.loaded(path, _NAME)

    for owner in (xgboost.Booster, getattr(xgboost, "XGBModel", None)):
        patches.after(owner, "save_model", saved)
        patches.after(owner, "load_model", loaded)

    trainings = Trainings()

    def round_ended(call: Call) -> None:
        if xgboost.collective.get_rank() == 0:
            _report(sink, trainings, call.args[0], int(call.argument("epoch")))

    patches.after(xgboost.callback.CallbackContainer, "after_iteration", round_ended, whole=False)

    def connecting(original: Any) -> Any:
        def train(*args: Any, **kwargs: Any) -> Any:
            if patches.on:
                with guard("capture.xgboost.parameters"), quiet():
                    call = Call(original, args, kwargs)
                    rounds = call.argument("num_boost_round")
                    given = parameters(call.argument("params"), num_boost_round=rounds)
                    sink.parameters.connected(given, _NAME)
            return original(*args, **kwargs)

        return train

    # The scikit-learn classes have taken the function by its name.
    for owner in (xgboost, getattr(xgboost, "sklearn", None)):
        patches.around(owner, "train", connecting)


def _report(sink: Sink, trainings: Trainings, container: Any, epoch: int) -> None:
    for data, metrics in container.history.items():
        for metric, values in metrics.items():
            # Cross-validation has a mean and a deviation.
            newest = values[-1][0] if isinstance(values[-1], tuple) else values[-1]
            sink.reports.report_scalar(trainings.chart(data, container), metric, float(newest), epoch)
