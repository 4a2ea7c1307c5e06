"""Figures of notebooks: what stands below a cell, whether the cell asked for it or ended with it open."""

from collections.abc import Callable
from typing import Any

from trialbook.base.guard import guard
from trialbook.capture.frameworks.matplotlib import figures_of
from trialbook.capture.frameworks.sink import Sink
from trialbook.capture.patches import Patches


def watch(module: Any, sink: Sink, patches: Patches) -> None:
    """``show`` of the inline back end, which ``pyplot.show`` and the end of a cell call."""
    figures = figures_of(sink)

    def showing(original: Callable[..., Any]) -> Callable[..., Any]:
        def show(*args: Any, **kwargs: Any) -> Any:
            if patches.on:
                with guard("capture.matplotlib_inline"):
                    managers = module.Gcf.get_all_fig_managers()
                    # Before: it closes them.
                    figures.seen([manager.canvas.figure for manager in managers])
            return original(*args, **kwargs)

        return show

    patches.around(module, "show", showing)
