"""joblib, and scikit-learn through it: estimators that are dumped and loaded."""

from os import PathLike
from types import ModuleType
from typing import Any

from trialbook.capture.frameworks.sink import Sink
from trialbook.capture.patches import Call, Patches

_FRAMEWORKS = {
    "sklearn": "ScikitLearn",
    "xgboost": "XGBoost",
    "lightgbm": "LightGBM",
    "catboost": "CatBoost",
    "torch": "PyTorch",
    "keras": "Keras",
}


def watch(joblib: ModuleType, sink: Sink, patches: Patches) -> None:
    """``joblib.dump`` and ``joblib.load`` of a file; open files and plain ``pickle`` are the program's own business."""

    def dumped(call: Call) -> None:
        path = call.argument("filename")
        if isinstance(path, (str, PathLike)):
            sink.models.saved(path, _framework(call.argument("value")))

    def loaded(call: Call) -> None:
        path = call.argument("filename")
        if isinstance(path, (str, PathLike)):
            sink.models.loaded(path, _framework(call.result))

    patches.after(joblib, "dump", dumped)
    patches.after(joblib, "load", loaded)


def _framework(value: Any) -> str:
    """The library that the object's class, or one that it derives from, comes from."""
    for kind in type(value).__mro__:
        name = _FRAMEWORKS.get(kind.__module__.partition(".")[0])
        if name:
            return name
    return "joblib"
