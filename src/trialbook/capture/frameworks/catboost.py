"""CatBoost: models, parameters and learning curves."""

from os import PathLike
from types import ModuleType

from trialbook.capture.frameworks.boosting import Trainings, parameters
from trialbook.capture.frameworks.sink import Sink
from trialbook.capture.patches import Call, Patches

_NAME = "CatBoost"


class _Training:
    """One call of ``fit``."""


def watch(catboost: ModuleType, sink: Sink, patches: Patches) -> None:
    """``save_model``, ``load_model`` and ``fit``.

    The curves are read after ``fit``, on a processor of any kind: CatBoost takes callbacks on the CPU alone, and hands
    each of them the whole history at each round.
    """

    def saved(call: Call) -> None:
        sink.models.saved(call.argument("fname"), _NAME)

    def loaded(call: Call) -> None:
        path = call.argument("fname")
        if isinstance(path, (str, PathLike)):
            sink.models.loaded(path, _NAME)

    trainings = Trainings()

    def fitted(call: Call) -> None:
        model = call.args[0]
        sink.parameters.connected(parameters(model.get_params()), _NAME)
        period = call.argument("metric_period") or model.get_params().get("metric_period") or 1
        training = _Training()
        last = int(model.get_all_params()["iterations"]) - 1
        for data, metrics in model.get_evals_result().items():
            for metric, values in metrics.items():
                for number, value in enumerate(values):
                    # The last round is told whether it is the turn of its number or not.
                    iteration = min(number * int(period), last)
                    sink.reports.report_scalar(
                        trainings.chart(data, training), metric, float(value), iteration
                    )

    patches.after(catboost.CatBoost, "save_model", saved)
    patches.after(catboost.CatBoost, "load_model", loaded)
    for name in ("CatBoost", "CatBoostClassifier", "CatBoostRegressor", "CatBoostRanker"):
        patches.after(getattr(catboost, name, None), "fit", fitted, whole=False)
