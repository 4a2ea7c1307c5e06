"""numpy, loaded at its first use: an idle server that has stored no point does not carry it.

Modules of this package write ``from trialbook.server.core.numeric import np`` and annotate as usual; with
``from __future__ import annotations`` no annotation touches the library.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
else:

    class _Numpy:
        def __getattr__(self, name: str) -> Any:
            value = getattr(import_module("numpy"), name)
            setattr(self, name, value)
            return value

    np = _Numpy()
    Ints = Floats = object

__all__ = ["Floats", "Ints", "np"]
