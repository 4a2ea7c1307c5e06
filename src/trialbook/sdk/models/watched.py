"""Files that a program writes and reads become models of its task, without a line of its own.

One path is one model, and a second save to it updates that model. What the program stores itself wins: a file given to
``OutputModel.update_weights`` or ``Task.update_output_model`` belongs to that model from then on. A model that was made
for it before disappears, and later saves to the path are the program's business alone: it may well store only the best
of them.
"""

import logging
import os
import queue
import threading
import weakref
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trialbook.base import globs, process
from trialbook.base.guard import guard
from trialbook.base.ids import new_id
from trialbook.capture.patches import quiet
from trialbook.errors import ConnectionFailed, ServerFault, TrialbookError
from trialbook.sdk.models.base import is_final
from trialbook.sdk.models.frameworks import guess_framework
from trialbook.sdk.models.input import InputModel
from trialbook.sdk.models.listing import add_model, remove_model
from trialbook.sdk.models.output import OutputModel, SlotModel
from trialbook.sdk.process import ranks
from trialbook.sdk.record import Record, record_of
from trialbook.sdk.storage.cache import origin
from trialbook.sdk.values import hocon

if TYPE_CHECKING:
    from trialbook.client.api import CreateModel
    from trialbook.sdk.current import Task

_log = logging.getLogger("trialbook")
_ASK_SECONDS = 3.0
"""How long a save may wait for a server that is asked about a model of an earlier run."""


_MOST_READ = 100
"""Files that one process lists as inputs; a program that reads more of them reads its data that way."""


class ChosenModels:
    """The models of one library, as far as their files match its patterns.

    Args:
        models: of the task.
        patterns: wildcards; none of them means all files.
    """

    def __init__(self, models: "WatchedModels", patterns: Sequence[str]) -> None:
        self._models = models
        self._patterns = patterns

    def saved(
        self,
        path: "str | os.PathLike[str]",
        framework: str,
        design: Mapping[str, Any] | str | None = None,
        parts: Sequence[Path] = (),
    ) -> None:
        """``Models.saved`` of ``capture.frameworks.sink``."""
        file = _absolute(path)
        if self._wants(file):
            self._models.saved(file, framework, design, parts)

    def loaded(self, path: "str | os.PathLike[str]", framework: str) -> None:
        """``Models.loaded`` of ``capture.frameworks.sink``."""
        file = _absolute(path)
        if self._wants(file):
            self._models.loaded(file, framework)

    def _wants(self, file: Path) -> bool:
        """``*.pt`` is for the name, ``checkpoints/*`` for the end of the path."""
        return not self._patterns or any(
            globs.fits(file.name, one) or globs.fits(str(file), f"*/{one.removeprefix('./')}")
            for one in self._patterns
        )


class _Automatic(SlotModel):
    """A model that a library has saved, without a line of code of the program."""

    @property
    def final(self) -> bool:
        """Whether it is published."""
        return is_final(self.id) or bool((self._known or {}).get("ready"))

    def knowing(self, known: Mapping[str, Any]) -> "_Automatic":
        """This model, with what the server has just said of it."""
        self._known = dict(known)
        return self


class WatchedModels:
    """Output and input models of the task of this process, one for each path."""

    def __init__(self, task: "Task") -> None:
        self._task = task
        self._record = record_of(task)
        self._saved: dict[Path, _Automatic] = {}
        self._explicit: set[Path] = set()
        self._mine: set[str] = set()
        self._read: dict[Path, None] = {}
        # What an earlier run of the task has made; models that this run makes are known better.
        self._before = _listed(self._record, "output")
        self.begin()
        _live.add(self)
        self._record.on_weights = self._claimed

    def begin(self) -> None:
        """Begin with a lock and a thread of this process."""
        self._lock = threading.RLock()
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def saved(
        self, file: Path, framework: str, design: Mapping[str, Any] | str | None, parts: Sequence[Path] = ()
    ) -> None:
        """A file or folder of weights was written, or files whose names begin alike."""
        if not ranks.is_first() or not (parts or file.exists()):
            # Every rank holds the same weights; a file that is not there any more has nothing to be taken.
            return
        with self._lock, quiet():
            if self._owned(file):
                return
            model = self._saved.get(file)
            if model is None or model.final:
                model = self._saved[file] = self._output(file, framework)
                self._mine.add(model.id)
            text = hocon.dump(design) if isinstance(design, Mapping) else design
            if text and model.config_text != text:
                model.update_design(config_text=text)
            if parts:
                model.update_weights_package(
                    [str(part) for part in parts], target_filename=f"{file.name}.zip"
                )
            else:
                model.update_weights(str(file), auto_delete_file=False)

    def loaded(self, file: Path, framework: str) -> None:
        """A file or folder of weights was read."""
        with self._lock:
            # What the run itself has written is not an input of it.
            if file in self._saved or self._owned(file) or file in self._read or not ranks.is_first():
                return
            self._read[file] = None
            if len(self._read) > _MOST_READ:
                if len(self._read) == _MOST_READ + 1:
                    _log.warning(
                        "more than %d files were loaded as models; further ones are not listed. Name those that are: "
                        "auto_connect_frameworks={'pytorch': 'checkpoints/*'}",
                        _MOST_READ,
                    )
                return
        # The server is asked beside, so that a slow one does not hold up the program's ``load``.
        self._later(lambda: self._register(file, framework))

    def end(self, seconds: float) -> None:
        """Take no more; what was taken is on the record afterwards.

        Args:
            seconds: to wait for a slow server.
        """
        self._record.on_weights = None
        thread, self._thread = self._thread, None
        if thread is not None:
            self._work.put(None)
            thread.join(seconds)

    # -- output models ---

    def _owned(self, file: Path) -> bool:
        return file in self._explicit or any(parent in self._explicit for parent in file.parents)

    def _output(self, file: Path, framework: str) -> "_Automatic":
        listed = _listed(self._record, "output")
        for slot in _slots(file, self._saved):
            found = listed.get(slot)
            if found is None:
                return self._named(slot, framework or guess_framework(file.name))
            if self._before.get(slot) == found and found not in self._mine:
                model = self._continued(slot, found)
                if model is not None:
                    return model
        raise AssertionError("there is always another number")

    def _named(self, slot: str, framework: str) -> "_Automatic":
        return _Automatic(slot, self._task, name=f"{self._task.name} - {slot}", framework=framework)

    def _continued(self, slot: str, id: str) -> "_Automatic | None":
        """A model that an earlier run made; None when it is final, or the server does not say that it is not."""
        connection = self._record.connection
        if connection is None:
            return None
        try:
            known = connection.session.api.models.get_by_id({"model": id}, patience=_ASK_SECONDS)["model"]
        except TrialbookError:
            return None
        if known.get("ready"):
            return None
        return _Automatic(slot, self._task, base_model_id=id).knowing(known)

    # -- what the program stores itself ---

    def _claimed(self, path: Path, model: OutputModel) -> list[OutputModel]:
        """The program gives the weights of a file, or of a folder, to a model of its own.

        Returns:
            The models that were made for it; they are withdrawn.
        """
        withdrawn: list[OutputModel] = []
        with guard("models.claimed"), self._lock:
            file = _absolute(path)
            if model in self._saved.values():
                # Our own call below, for the file or for a part of it.
                return withdrawn
            self._explicit.add(file)
            self._mine.add(model.id)
            for known in [one for one in self._saved if one == file or file in one.parents]:
                automatic = self._saved.pop(known)
                if automatic.id != model.id and not automatic.final:
                    self._drop(automatic)
                    withdrawn.append(automatic)
        return withdrawn

    def _drop(self, model: OutputModel) -> None:
        record = self._record
        url, own = model.url, f".{model.id[:8]}/" in model.url

        def erase() -> None:
            if own and record.connection is not None:
                record.connection.storage.delete(url)

        remove_model(record, "output", model.id)
        under_way = own and record.journal.withdraw(url, erase)
        record.later.models.delete({"model": model.id, "force": True})
        if not under_way:
            self._later(erase)

    # -- input models ---

    def _register(self, file: Path, framework: str) -> None:
        url = origin(file) or file.resolve().as_uri()
        record = self._record
        model = None
        if record.connection is not None:
            try:
                model = InputModel.import_model(url, name=file.stem, framework=framework).id
            except (ConnectionFailed, ServerFault):
                _log.debug("the server is away; %s is registered when it is back", url)
        if model is None:
            model = new_id()
            fields: CreateModel = {
                "id": model,
                "name": file.stem,
                "uri": url,
                "framework": framework,
                "ready": True,
            }
            record.later.models.create(fields)
        listed = _listed(self._record, "input")
        if model not in (*listed.values(), *_listed(self._record, "output").values()):
            slot = next(slot for slot in _slots(file, self._read) if slot not in listed)
            add_model(record, "input", slot, model)

    def _later(self, work: Callable[[], None]) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=_run, args=(self._work,), name="trialbook-models", daemon=True
                )
                self._thread.start()
        self._work.put(work)


def _run(work: "queue.SimpleQueue[Callable[[], None] | None]") -> None:
    while (item := work.get()) is not None:
        with guard("models.watched"), quiet():
            item()


def _absolute(path: "str | os.PathLike[str]") -> Path:
    # Links stay: the name that the program gave is the name of the model.
    return Path(os.path.abspath(path))  # noqa: PTH100


def _listed(record: Record, side: str) -> dict[str, str]:
    entries = (record.document.get("models") or {}).get(side) or []
    return {str(entry["name"]): str(entry["model"]) for entry in entries}


def _slots(file: Path, known: Collection[Path]) -> Iterator[str]:
    """Names for a file's model, the best first: two folders, or two formats, of one run each have their own.

    Args:
        file: whose model it is.
        known: files that have one already, in their order.
    """
    yield file.stem
    first = next((other for other in known if other.stem == file.stem and other != file), None)
    if first is not None and first.parent == file.parent:
        # Two formats in one folder: the folder's name would be as good for the other one.
        yield file.name
    yield f"{file.parent.name}/{file.stem}"
    yield f"{file.parent.name}/{file.name}"
    number = 2
    while True:
        yield f"{file.stem} {number}"
        number += 1


_live: "weakref.WeakSet[WatchedModels]" = weakref.WeakSet()


def _in_child() -> None:
    for models in list(_live):
        # The parent's thread does not exist here, and its lock may be held by one.
        models.begin()


process.after_fork(_in_child)
