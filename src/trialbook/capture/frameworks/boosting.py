"""What XGBoost, LightGBM and CatBoost have in common: parameters of many types, and a number per metric and round.

A data set is a chart and its metrics are the lines: objectives of searches are written so, as ``validation_0`` and
``rmse``.
"""

import weakref
from collections.abc import Mapping
from typing import Any


def parameters(given: Any, **more: Any) -> dict[str, Any]:
    """Those of a training's parameters that can be recorded: no functions, no objects, none that are not set.

    Args:
        given: a dict, or pairs.
        more: further parameters.
    """
    return {
        str(name): value
        for name, value in {**dict(given or {}), **more}.items()
        if value is not None and _plain(value)
    }


class Trainings:
    """Numbers the trainings of a run, so that the curves of two do not lie in one line."""

    def __init__(self) -> None:
        self._numbers: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()
        self._begun = 0

    def chart(self, data: str, training: Any) -> str:
        """The chart of a data set: its name for the first training, ``NAME - 1`` for the second, and so on.

        Args:
            data: name of the data set.
            training: an object that lives as long as the training and is the same in all its rounds.
        """
        if training not in self._numbers:
            self._numbers[training] = self._begun
            self._begun += 1
        number = self._numbers[training]
        return f"{data} - {number}" if number else data


def _plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(_plain(one) for one in value.values())
    if isinstance(value, (list, tuple)):
        return all(_plain(one) for one in value)
    # Numbers of NumPy have ``item``; arrays of it are data.
    return isinstance(value, (str, bool, int, float)) or (
        hasattr(value, "item") and getattr(value, "ndim", 1) == 0
    )
