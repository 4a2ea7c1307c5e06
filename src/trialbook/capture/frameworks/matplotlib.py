"""matplotlib: figures that are saved to a file or shown, also through seaborn, pandas and others that draw with it."""

import hashlib
import io
import json
import threading
import weakref
from collections.abc import Iterable
from os import PathLike
from types import ModuleType
from typing import Any

from trialbook.base.guard import guard
from trialbook.capture.frameworks.sink import Sink
from trialbook.capture.interactive.figure import heading, interactive, is_pictures
from trialbook.capture.patches import Call, Patches, quiet

SERIES = "figure"
_ROUND = 100
"""So many names for figures without a title, and for figures of one title and iteration; then they begin again."""


def watch(module: ModuleType, sink: Sink, patches: Patches) -> None:
    """``Figure.savefig`` with a path, and ``Figure.show``; what goes to a buffer is the program's own business."""
    figures = figures_of(sink)

    def saved(call: Call) -> None:
        if isinstance(call.argument("fname"), (str, PathLike)):
            figures.seen([call.args[0]])

    patches.after(module.Figure, "savefig", saved)
    patches.after(module.Figure, "show", lambda call: figures.seen([call.args[0]]))
    patches.at_end(lambda: forget(sink))


class Figures:
    """Reports figures, each content once.

    Args:
        sink: takes them.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._lock = threading.Lock()
        self._known: weakref.WeakKeyDictionary[Any, bytes] = weakref.WeakKeyDictionary()
        self._untitled = 0
        self._counts: dict[tuple[str, int], int] = {}

    def seen(self, figures: Iterable[Any]) -> None:
        """Report those that differ from what was reported of them."""
        with self._lock, quiet():
            for figure in figures:
                with guard("capture.matplotlib.figure"):
                    self._one(figure)

    def _one(self, figure: Any) -> None:
        if not figure.get_axes():
            return
        content = _content(figure)
        if self._known.get(figure) == content:
            return
        self._known[figure] = content
        iteration = self._sink.iteration()
        self._sink.reports.report_matplotlib_figure(
            self._title(figure, iteration), SERIES, figure, iteration, report_image=is_pictures(figure)
        )

    def _title(self, figure: Any, iteration: int) -> str:
        title = heading(figure)
        if not title:
            self._untitled = self._untitled % _ROUND + 1
            return f"untitled {self._untitled:02d}"
        if (title, iteration) not in self._counts:
            # Another iteration begins: the names of earlier ones are not met again.
            self._counts = {known: count for known, count in self._counts.items() if known[0] != title}
        count = self._counts.get((title, iteration), 0) % _ROUND + 1
        self._counts[title, iteration] = count
        return f"{title} ({count})" if count > 1 else title


def _content(figure: Any) -> bytes:
    """The same for two looks at a figure between which nothing changed."""
    converted = None
    with guard("capture.matplotlib.convert"):
        converted = interactive(figure)
    if converted is not None:
        return hashlib.sha256(json.dumps(converted, default=str).encode()).digest()
    # Coarse: a change that moves no pixel of a small picture is none.
    pixels = io.BytesIO()
    figure.savefig(pixels, format="raw", dpi=50)
    return hashlib.sha256(pixels.getbuffer()).digest()


_figures: dict[Any, Figures] = {}


def figures_of(sink: Sink) -> Figures:
    """One for the run: what is saved and then shown is one figure, whichever module the calls are in.

    Args:
        sink: of any binding of the run.
    """
    return _figures.setdefault(sink.reports, Figures(sink))


def forget(sink: Sink) -> None:
    """The run is over."""
    _figures.pop(sink.reports, None)
