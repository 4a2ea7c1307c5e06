"""TensorBoard tags as charts: which title and series a tag becomes.

The watched writers use it, and programs that read event files themselves may; it obeys the two switches of ``Logger``.
"""

import re

from trialbook.base.process import Kept

_STEM = re.compile(r"^(.*?)(?:[_\-. ]|(?<=\D)(?=\d)).+$")
_grouped = Kept(False)
_single = Kept(False)
_changes = Kept(0)


def group(wanted: bool) -> None:
    """``Logger.tensorboard_auto_group_scalars``."""
    _grouped.value = wanted
    _changes.value += 1


def single(wanted: bool) -> None:
    """``Logger.tensorboard_single_series_per_graph``."""
    _single.value = wanted
    _changes.value += 1


def changes() -> int:
    """How often a switch was set: answers of ``chart_of`` are good until it differs."""
    return _changes.value


def is_single() -> bool:
    """Whether every tag has a chart of its own."""
    return _single.value


def chart_of(tag: str) -> tuple[str, str]:
    """Title and series of a tag.

    Args:
        tag: such as ``loss/train``.

    Returns:
        The part before the last ``/`` and the part after it; a tag without one is both, or with grouping stands under
        its first word.

    Example:
        >>> chart_of("model/layer 1/weights")
        ('model/layer 1', 'weights')
    """
    title, slash, series = tag.rpartition("/")
    if slash and title and series:
        return (tag, series) if _single.value else (title, series)
    if not _grouped.value or _single.value:
        return tag, tag
    found = _STEM.match(tag)
    return (found[1] if found and found[1] else tag), tag
