"""``matplotlib.pyplot.show``, and a back end that needs no display where an agent runs the program."""

from collections.abc import Callable
from typing import Any

from trialbook.base.guard import guard
from trialbook.capture.frameworks.matplotlib import figures_of
from trialbook.capture.frameworks.sink import Sink
from trialbook.capture.patches import Patches

HEADLESS = "agg"
_WITHOUT_WINDOWS = frozenset({"agg", "cairo", "pdf", "pgf", "ps", "svg", "template"})


def watch(pyplot: Any, sink: Sink, patches: Patches) -> None:
    """``show`` reports the open figures; remote, every choice of a back end is the one without windows."""
    figures = figures_of(sink)

    def showing(original: Callable[..., Any]) -> Callable[..., Any]:
        def show(*args: Any, **kwargs: Any) -> Any:
            if patches.on:
                with guard("capture.pyplot"):
                    # Before: when the windows are closed, and ``show`` returns, the figures are gone.
                    managers = pyplot._pylab_helpers.Gcf.get_all_fig_managers()
                    figures.seen([manager.canvas.figure for manager in managers])
            answer = original(*args, **kwargs)
            if patches.on and pyplot.get_backend().lower() in _WITHOUT_WINDOWS:
                # A window that is closed ends its figure; where there is none, nobody would, and the next figure
                # would be drawn on top of this one. Who holds a figure keeps it.
                pyplot.close("all")
            return answer

        return show

    patches.around(pyplot, "show", showing)
    if sink.remote:
        pyplot.switch_backend(HEADLESS)
        patches.around(pyplot, "switch_backend", _headless(patches))


def _headless(patches: Patches) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def switching(original: Callable[..., Any]) -> Callable[..., Any]:
        def switch_backend(newbackend: Any) -> Any:
            return original(HEADLESS if patches.on else newbackend)

        return switch_backend

    return switching
