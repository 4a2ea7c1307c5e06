"""LightGBM: boosters, parameters, and the metrics of each round."""

import inspect
from os import PathLike
from types import ModuleType
from typing import Any

from trialbook.base.guard import guard
from trialbook.capture.frameworks.boosting import parameters
from trialbook.capture.frameworks.sink import Sink
from trialbook.capture.patches import Call, Patches, quiet

_NAME = "LightGBM"


def watch(lightgbm: ModuleType, sink: Sink, patches: Patches) -> None:
    """Boosters that are saved and made from a file, and ``train``, which the scikit-learn classes use as well."""

    def saved(call: Call) -> None:
        sink.models.saved(call.argument("filename"), _NAME)

    def made(call: Call) -> None:
        _read(sink, call.argument("model_file"))

    patches.after(lightgbm.Booster, "save_model", saved)
    patches.after(lightgbm.Booster, "__init__", made)

    def training(original: Any) -> Any:
        def train(*args: Any, **kwargs: Any) -> Any:
            if patches.on:
                with guard("capture.lightgbm.train"), quiet():
                    args, kwargs = _watched(original, args, kwargs, sink)
            return original(*args, **kwargs)

        return train

    # The scikit-learn classes have taken the function by its name.
    for owner in (lightgbm, getattr(lightgbm, "sklearn", None)):
        patches.around(owner, "train", training)


def _read(sink: Sink, path: Any) -> None:
    if isinstance(path, (str, PathLike)):
        sink.models.loaded(path, _NAME)


def _watched(
    train: Any, args: tuple[Any, ...], kwargs: dict[str, Any], sink: Sink
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments with one more callback: the rounds are told to callbacks alone."""
    call = inspect.signature(train).bind(*args, **kwargs)
    call.apply_defaults()
    given = call.arguments
    sink.parameters.connected(parameters(given["params"], num_boost_round=given["num_boost_round"]), _NAME)
    _read(sink, given.get("init_model"))

    def round_ended(environment: Any) -> None:
        with guard("capture.lightgbm.round"), quiet():
            for result in environment.evaluation_result_list or ():
                data, metric, value = _parts(result)
                sink.reports.report_scalar(data, metric, float(value), int(environment.iteration))

    # Before the callback that stops early (30), which leaves by an exception.
    round_ended.order = 29  # type: ignore[attr-defined]
    given["callbacks"] = [*(given["callbacks"] or ()), round_ended]
    return call.args, call.kwargs


def _parts(result: Any) -> tuple[str, str, Any]:
    """Data set, metric and value: a record since LightGBM 4.7, a tuple before."""
    if isinstance(result, tuple):
        return result[0], result[1], result[2]
    return result.dataset_name, result.metric_name, result.metric_value
