"""What XGBoost, LightGBM and CatBoost have in common: parameters of many types, and a number per metric and round."""

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


def _plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(_plain(one) for one in value.values())
    if isinstance(value, (list, tuple)):
        return all(_plain(one) for one in value)
    # Numbers of NumPy have ``item``; arrays of it are data.
    return isinstance(value, (str, bool, int, float)) or (
        hasattr(value, "item") and getattr(value, "ndim", 1) == 0
    )
