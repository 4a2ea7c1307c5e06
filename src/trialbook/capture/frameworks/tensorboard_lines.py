"""Where an event of TensorBoard goes: title, series and iteration.

A tag names the chart (``trialbook.capture.tags``). The log directory joins in where the tag alone would mix what
different writers report, and the step moves on where a writer begins again at 0.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

from trialbook.capture import tags

SPLITS = frozenset(
    {"train", "training", "val", "valid", "validation", "dev", "eval", "evaluation", "test", "testing"}
)
"""Last parts of log directories that say which part of the data a writer is for."""


@dataclass
class Axis:
    """The iterations of one chart, which its lines share.

    Attributes:
        highest: greatest iteration so far.
        begins: where each round of its lines begins; a second ``fit`` is the second round.
    """

    highest: int = 0
    begins: list[int] = field(default_factory=lambda: [0])


class Line:
    """What one writer reports under one tag.

    Args:
        title: the chart.
        series: the line in it.
        axis: of the chart.
    """

    __slots__ = ("_axis", "_begin", "_last", "_round", "_top", "series", "title")

    def __init__(self, title: str, series: str, axis: Axis) -> None:
        self.title = title
        self.series = series
        self._axis = axis
        # A tag that appears later in a second round belongs to it.
        self._round = len(axis.begins) - 1
        self._begin = axis.begins[-1]
        self._last = 0
        self._top = 0

    def place(self, step: int) -> int:
        """The iteration of a step: the step itself until the counter falls to less than half of what it was.

        Args:
            step: as the program gave it.

        Example:
            >>> line = Line("loss", "train", Axis())
            >>> [line.place(step) for step in (0, 10, 9, 20, 0, 10)]
            [0, 10, 9, 20, 21, 31]
        """
        if 0 <= step * 2 < self._last:
            self._restart()
        elif step > self._last:
            self._last = step
        placed = step + self._begin
        if placed > self._top:
            self._top = placed
            if placed > self._axis.highest:
                self._axis.highest = placed
        return placed

    def _restart(self) -> None:
        self._round += 1
        self._last = 0
        begins = self._axis.begins
        if self._round == len(begins):
            begins.append(self._axis.highest + 1)
        # Lines of one chart go on together, but one that counts epochs has no gap of a thousand batches.
        shared, own = begins[self._round], self._top + 1
        self._begin = shared if own * 2 >= shared else own


class Lines:
    """Finds the line of a log directory and a tag."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], Line] = {}
        self._axes: dict[str, Axis] = {}
        self._owners: dict[tuple[str, str], str] = {}
        self._changes = tags.changes()

    def line(self, folder: str, tag: str) -> Line:
        """The line; the same object until a switch of ``Logger`` changes how tags are read.

        Args:
            folder: log directory of the writer.
            tag: of the value.
        """
        if self._changes != tags.changes():
            self._changes = tags.changes()
            self._lines.clear()
        found = self._lines.get((folder, tag))
        if found is None:
            title, series = self._chart(os.path.abspath(folder), tag)  # noqa: PTH100 (links stay as they are)
            found = Line(title, series, self._axes.setdefault(title, Axis()))
            self._lines[folder, tag] = found
        return found

    def _chart(self, folder: str, tag: str) -> tuple[str, str]:
        title, series = tags.chart_of(tag)
        part = _part(folder, tag)
        split = Path(folder).name
        if part is not None:
            chart = (f"{tag}/{part}" if tags.is_single() else tag, part)
        elif split.lower() in SPLITS:
            chart = _labelled(title, series, split)
        else:
            chart = (title, series)
        owner = self._owners.setdefault(chart, folder)
        if owner == folder:
            return chart
        for label in (_between(owner, folder), folder):
            named = _labelled(title, series, label)
            if self._owners.setdefault(named, folder) == folder:
                return named
        return chart


def _labelled(title: str, series: str, label: str) -> tuple[str, str]:
    """``loss`` of ``train/`` is the line ``train`` of the chart ``loss``."""
    named = label if series == title else f"{label}: {series}"
    return (f"{title} ({label})", named) if tags.is_single() else (title, named)


def _between(owner: str, folder: str) -> str:
    """What distinguishes a directory from another one."""
    path = os.path.relpath(folder, os.path.commonpath([owner, folder]))
    return Path(folder).name if path == os.curdir else path


def _part(folder: str, tag: str) -> str | None:
    """The name of a line that ``add_scalars`` wrote: it makes a directory for each, below that of the writer.

    PyTorch names it ``<tag>_<line>``, tensorboardX ``<tag>/<line>``.
    """
    parent, name = os.path.split(folder)
    flat = tag.replace("/", "_") + "_"
    if name.startswith(flat) and name != flat:
        return name[len(flat) :]
    return name if parent.endswith(os.sep + tag) else None
