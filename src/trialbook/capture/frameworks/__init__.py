"""Bindings: what other libraries write, plot and log, seen without a line of the program's own.

Each file of this package watches one library. It has one function, ``watch(module, sink, patches)``, which is called
with the library's module once the program has imported it, and replaces functions through ``patches`` only.
``BINDINGS`` is the table of them; a file is loaded when its library is.
"""

import importlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from types import ModuleType

from trialbook.base.guard import guard
from trialbook.capture import imports
from trialbook.capture.frameworks.sink import Sink
from trialbook.capture.patches import Patches


@dataclass(frozen=True)
class Binding:
    """One library that can be watched.

    Attributes:
        keys: names in ``auto_connect_frameworks``; any of them that is switched off switches the binding off.
        module: the library's module to wait for.
        file: of this package.
    """

    keys: tuple[str, ...]
    module: str
    file: str


BINDINGS = (
    Binding(("joblib", "scikit"), "joblib", "joblib"),
    Binding(("pytorch",), "torch", "pytorch"),
    Binding(("pytorch",), "safetensors.torch", "safetensors"),
    Binding(("pytorch",), "pytorch_lightning.trainer.trainer", "lightning"),
    Binding(("pytorch",), "lightning.pytorch.trainer.trainer", "lightning"),
    Binding(("transformers", "pytorch"), "transformers.trainer", "transformers"),
    Binding(("keras", "tensorflow"), "keras", "keras"),
    Binding(("keras", "tensorflow"), "tf_keras", "keras"),
    Binding(("tensorflow",), "tensorflow", "tensorflow"),
    Binding(("xgboost",), "xgboost", "xgboost"),
    Binding(("lightgbm",), "lightgbm", "lightgbm"),
    Binding(("catboost",), "catboost", "catboost"),
    Binding(("fastai",), "fastai.learner", "fastai"),
    Binding(("tensorboard",), "tensorboard.summary.writer.event_file_writer", "tensorboard"),
    Binding(("tensorboard",), "tensorboardX.event_file_writer", "tensorboard"),
    Binding(("tensorboard",), "tensorflow.python.summary.writer.event_file_writer", "tensorboard"),
    Binding(("tensorboard",), "tensorflow.python.ops.gen_summary_ops", "tensorflow_summaries"),
    Binding(("matplotlib",), "matplotlib.figure", "matplotlib"),
    Binding(("matplotlib",), "matplotlib.pyplot", "pyplot"),
    Binding(("matplotlib",), "matplotlib_inline.backend_inline", "matplotlib_inline"),
)


class Watch:
    """The bindings of one run.

    Args:
        sink_of: what a binding reports to, by its keys; None switches it off.
    """

    def __init__(self, sink_of: Callable[[tuple[str, ...]], Sink | None]) -> None:
        self._patches: list[tuple[Binding, Patches]] = []
        self._stops: list[tuple[Binding, Callable[[], None]]] = []
        for binding in BINDINGS:
            sink = sink_of(binding.keys)
            if sink is not None:
                stop = imports.after(binding.module, self._watching(binding, sink))
                self._stops.append((binding, stop))

    def _watching(self, binding: Binding, sink: Sink) -> Callable[[ModuleType], None]:
        def ready(module: ModuleType) -> None:
            patches = Patches(binding.file)
            self._patches.append((binding, patches))
            importlib.import_module(f"{__name__}.{binding.file}").watch(module, sink, patches)

        return ready

    def leave(self, key: str) -> None:
        """Put back the functions of one library, and do not watch it any more.

        Args:
            key: one of a binding's keys.
        """
        self._end([binding for binding in BINDINGS if key in binding.keys])

    def end(self) -> None:
        """Stop waiting, and put every function back."""
        self._end(BINDINGS)

    def _end(self, bindings: Collection[Binding]) -> None:
        for binding, stop in self._stops:
            if binding in bindings:
                stop()
        for binding, patches in reversed(self._patches):
            if binding in bindings:
                with guard(f"capture.{patches.place}"):
                    patches.undo()
        self._stops = [(binding, stop) for binding, stop in self._stops if binding not in bindings]
        self._patches = [(binding, patches) for binding, patches in self._patches if binding not in bindings]
