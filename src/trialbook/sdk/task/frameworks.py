"""What bindings see becomes models, reports and parameters of a task."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from trialbook.capture.frameworks import BINDINGS, Watch
from trialbook.capture.frameworks.sink import Sink
from trialbook.sdk.current import Task
from trialbook.sdk.models.watched import ChosenModels, WatchedModels
from trialbook.sdk.record import record_of

_log = logging.getLogger("trialbook")
_END_SECONDS = 5.0
_Merge = Callable[[str, Mapping[str, Any], Mapping[str, str]], None]
KNOWN = frozenset(key for binding in BINDINGS for key in binding.keys) | {
    "detect_repository",
    "hydra",
    "jsonargparse",
}
# Names that programs written for ClearML may use; nothing of them is watched.
SILENT = frozenset({"gradio", "megengine", "tfdefines"})


class Frameworks:
    """The watched libraries of a run.

    Args:
        task: of this process.
        wanted: the ``auto_connect_frameworks`` of ``Task.init``: all, none, or by name whether, or which files
            (a wildcard or a list of them).
        merge: records values in a section of the task's parameters, with their descriptions.
    """

    def __init__(self, task: Task, wanted: bool | Mapping[str, Any], merge: _Merge) -> None:
        self._task = task
        self._record = record_of(task)
        self._wanted = wanted
        self._newest = 0
        self._weights = WatchedModels(task)
        self._parameters = _Parameters(task, merge)
        _check_names(wanted)
        self._watch = Watch(self._sink)

    def wants(self, key: str) -> bool:
        """Whether a library is watched, as far as the program says."""
        chosen = self._wanted.get(key, True) if isinstance(self._wanted, Mapping) else True
        return bool(self._wanted) and bool(chosen)

    def _sink(self, keys: tuple[str, ...]) -> Sink | None:
        patterns: list[str] = []
        if not self._wanted:
            return None
        for key in keys:
            chosen = self._wanted.get(key, True) if isinstance(self._wanted, Mapping) else True
            if not chosen:
                return None
            if not isinstance(chosen, bool):
                patterns += [chosen] if isinstance(chosen, str) else [str(one) for one in chosen]
        models = ChosenModels(self._weights, patterns)
        settings = self._record.settings
        remote = bool(settings.task_id) and not settings.simulated
        return Sink(self._task.get_logger(), models, self._parameters, self._iteration, remote)

    def _iteration(self) -> int:
        """Without the offset of a continued run, which the logger adds."""
        newest = self._record.journal.latest
        if newest is not None and newest >= 0:
            # Values without an iteration have one far below 0.
            self._newest = max(0, newest - self._record.offset)
        return self._newest

    def leave(self, key: str) -> None:
        """Do not watch a library any more: another one reports what it does.

        Args:
            key: a name of ``auto_connect_frameworks``.
        """
        self._watch.leave(key)

    def end(self) -> None:
        """Stop watching; models that were loaded are on the record after it."""
        self._watch.end()
        self._weights.end(_END_SECONDS)


def _check_names(wanted: bool | Mapping[str, Any]) -> None:
    unknown = [name for name in wanted if name not in KNOWN | SILENT] if isinstance(wanted, Mapping) else []
    if unknown:
        known = ", ".join(sorted(KNOWN))
        _log.warning("auto_connect_frameworks has no %s; it has %s", ", ".join(map(repr, unknown)), known)


class _Parameters:
    """Settings of libraries, as the task's parameters and configurations."""

    def __init__(self, task: Task, merge: _Merge) -> None:
        self._task = task
        self._merge = merge

    def connected(self, values: Mapping[str, Any], section: str) -> None:
        self._merge(section, dict(values), {})

    def described(self, name: str, text: str) -> None:
        self._task.set_configuration_object(name, config_text=text)
