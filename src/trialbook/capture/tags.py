"""TensorBoard tags as charts: which title and series a tag becomes.

The watched writers use it, and programs that read event files themselves may; it obeys the two switches of ``Logger``.
"""

import re

_STEM = re.compile(r"^(.*?)(?:[_\-. ]|(?<=\D)(?=\d)).+$")
_grouped = False
_single = False
_changes = 0


def group(wanted: bool) -> None:
    """``Logger.tensorboard_auto_group_scalars``."""
    global _grouped, _changes
    _grouped = wanted
    _changes += 1


def single(wanted: bool) -> None:
    """``Logger.tensorboard_single_series_per_graph``."""
    global _single, _changes
    _single = wanted
    _changes += 1


def changes() -> int:
    """How often a switch was set: answers of ``chart_of`` are good until it differs."""
    return _changes


def is_single() -> bool:
    """Whether every tag has a chart of its own."""
    return _single


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
        return (tag, series) if _single else (title, series)
    if not _grouped or _single:
        return tag, tag
    found = _STEM.match(tag)
    return (found[1] if found and found[1] else tag), tag
