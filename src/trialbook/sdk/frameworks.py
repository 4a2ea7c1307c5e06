"""What bindings see becomes models, reports and parameters of a task."""

import fnmatch
import logging
import os
import queue
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trialbook.base.guard import guard
from trialbook.base.ids import new_id
from trialbook.capture.frameworks import BINDINGS, Watch
from trialbook.capture.frameworks.sink import Sink
from trialbook.capture.patches import quiet
from trialbook.errors import ConnectionFailed, ServerFault
from trialbook.sdk import hocon, ranks
from trialbook.sdk.models import InputModel, OutputModel
from trialbook.sdk.models.frameworks import guess_framework
from trialbook.sdk.models.listing import add_model

if TYPE_CHECKING:
    from trialbook.sdk.task import Task

_log = logging.getLogger("trialbook")
_END_SECONDS = 5.0
KNOWN = frozenset(key for binding in BINDINGS for key in binding.keys) | {
    "detect_repository",
    "hydra",
    "jsonargparse",
}
# Names that programs written for the reference may use; nothing of them is watched.
SILENT = frozenset({"gradio", "megengine", "tfdefines"})


class Frameworks:
    """The watched libraries of a run.

    Args:
        task: of this process.
        wanted: the ``auto_connect_frameworks`` of ``Task.init``: all, none, or by name whether, or which files
            (a wildcard or a list of them).
    """

    def __init__(self, task: "Task", wanted: bool | Mapping[str, Any]) -> None:
        self._task = task
        self._wanted = wanted
        self._newest = 0
        self._weights = _Weights(task)
        self._parameters = _Parameters(task)
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
        models = _Chosen(self._weights, patterns)
        settings = self._task._record.settings
        remote = bool(settings.task_id) and not settings.simulated
        return Sink(self._task.get_logger(), models, self._parameters, self._iteration, remote)

    def _iteration(self) -> int:
        """Without the offset of a continued run, which the logger adds."""
        newest = self._task._record.journal.latest
        if newest is not None and newest >= 0:
            # Values without an iteration have one far below 0.
            self._newest = max(0, newest - self._task.get_logger()._offset)
        return self._newest

    def end(self) -> None:
        """Stop watching; models that were loaded are on the record after it."""
        self._watch.end()
        self._weights.end(_END_SECONDS)


def _check_names(wanted: bool | Mapping[str, Any]) -> None:
    unknown = [name for name in wanted if name not in KNOWN | SILENT] if isinstance(wanted, Mapping) else []
    if unknown:
        known = ", ".join(sorted(KNOWN))
        _log.warning("auto_connect_frameworks has no %s; it has %s", ", ".join(map(repr, unknown)), known)


class _Chosen:
    """The models of one binding, as far as their files match its patterns."""

    def __init__(self, weights: "_Weights", patterns: list[str]) -> None:
        self._weights = weights
        self._patterns = patterns

    def saved(
        self, path: "str | os.PathLike[str]", framework: str, design: Mapping[str, Any] | str | None = None
    ) -> None:
        file = _absolute(path)
        if self._wants(file):
            self._weights.saved(file, framework, design)

    def loaded(self, path: "str | os.PathLike[str]", framework: str) -> None:
        file = _absolute(path)
        if self._wants(file):
            self._weights.loaded(file, framework)

    def _wants(self, file: Path) -> bool:
        """``*.pt`` is for the name, ``checkpoints/*`` for the end of the path."""
        return not self._patterns or any(
            fnmatch.fnmatch(file.name, one) or fnmatch.fnmatch(str(file), f"*/{one.lstrip('./')}")
            for one in self._patterns
        )


def _absolute(path: "str | os.PathLike[str]") -> Path:
    # Links stay: the name that the program gave is the name of the model.
    return Path(os.path.abspath(path))  # noqa: PTH100


class _Weights:
    """Output and input models of the task, one for each path."""

    def __init__(self, task: "Task") -> None:
        self._task = task
        self._lock = threading.Lock()
        self._saved: dict[Path, OutputModel] = {}
        self._read: set[Path] = set()
        self._work: queue.SimpleQueue[tuple[Path, str] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def saved(self, file: Path, framework: str, design: Mapping[str, Any] | str | None) -> None:
        if not ranks.is_first() or not file.exists():
            # Every rank holds the same weights; a file that is not there any more has nothing to be taken.
            return
        with self._lock, quiet():
            model = self._saved.get(file)
            if model is None:
                model = self._saved[file] = self._output(file, framework)
            text = hocon.dump(design) if isinstance(design, Mapping) else design
            if text and model.config_text != text:
                model.update_design(config_text=text)
            model.update_weights(str(file), auto_delete_file=False)

    def _output(self, file: Path, framework: str) -> OutputModel:
        slot = file.stem
        known = self._task.models.output
        if slot in known.keys():  # noqa: SIM118 (a list of models, not a dict)
            # A continued run takes its model up again; two folders of one run each have their own.
            ours = {model.id for model in self._saved.values()}
            found = known.get(slot)
            if found.id not in ours:
                return self._named(file, framework, slot, found.id)
            slot = f"{file.parent.name}/{file.stem}"
        return self._named(file, framework, slot, None)

    def _named(self, file: Path, framework: str, slot: str, known: str | None) -> OutputModel:
        model = OutputModel(
            self._task,
            name=f"{self._task.name} - {slot}",
            framework=framework or guess_framework(file.name),
            base_model_id=known,
        )
        model._slot = slot
        return model

    def loaded(self, file: Path, framework: str) -> None:
        with self._lock:
            # What the run itself has written is no input of it.
            if file in self._saved or file in self._read or not ranks.is_first():
                return
            self._read.add(file)
            if self._thread is None:
                self._thread = threading.Thread(target=self._register, name="trialbook-models", daemon=True)
                self._thread.start()
        self._work.put((file, framework))

    def _register(self) -> None:
        """The server is asked here, so that a slow one does not hold up the program's ``load``."""
        while (item := self._work.get()) is not None:
            file, framework = item
            with guard("frameworks.loaded"), quiet():
                self._register_one(file, framework)

    def _register_one(self, file: Path, framework: str) -> None:
        url = file.as_uri()
        record = self._task._record
        model = None
        if record.connection is not None:
            try:
                model = InputModel.import_model(url, name=file.stem, framework=framework).id
            except (ConnectionFailed, ServerFault):
                _log.debug("the server is away; %s is registered when it is back", url)
        if model is None:
            model = new_id()
            fields = {"id": model, "name": file.stem, "uri": url, "framework": framework, "ready": True}
            record.journal.call("models.create", fields)
        add_model(record, "input", file.stem, model)

    def end(self, seconds: float) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            self._work.put(None)
            thread.join(seconds)


class _Parameters:
    """Settings of libraries, as the task's parameters and configurations."""

    def __init__(self, task: "Task") -> None:
        self._task = task

    def connected(self, values: Mapping[str, Any], section: str) -> None:
        self._task._merge(section, dict(values), {})

    def described(self, name: str, text: str) -> None:
        self._task.set_configuration_object(name, config_text=text)
