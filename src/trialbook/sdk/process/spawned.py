"""The console of worker processes that do not fork: multiprocessing's ``spawn`` and ``forkserver``, and what stands on
them (pools, data loaders).

Such a worker begins as an empty interpreter and knows nothing of the run. So a small companion travels with the process
object that multiprocessing pickles for it; where the worker unpickles that, its streams are watched.
"""

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

from trialbook.base.guard import guard
from trialbook.base.process import Kept
from trialbook.capture import imports
from trialbook.capture.patches import Patches
from trialbook.capture.streams import ConsoleCapture

if TYPE_CHECKING:
    from trialbook.sdk.record import Record

_COMPANION = "_trialbook_companion"
_console: "Kept[_WorkerConsole | None]" = Kept(None)


class Workers:
    """Sends companions with the workers that this process starts.

    Args:
        task: whose console the workers print to.
        streams: ``stdout``, ``stderr`` and ``logging``: which of them are recorded.
        offline: the run has no server.
    """

    def __init__(self, task: str, streams: Mapping[str, bool], offline: bool) -> None:
        self._companion = _Companion(task, dict(streams), offline)
        self._patches = Patches("spawned")
        self._stop = imports.after("multiprocessing.process", self._watch)

    def end(self) -> None:
        """Send no more."""
        self._stop()
        self._patches.undo()

    def _watch(self, module: ModuleType) -> None:
        self._patches.around(getattr(module, "BaseProcess", None), "start", self._accompanied)

    def _accompanied(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def start(process: Any, *args: Any, **kwargs: Any) -> Any:
            if self._patches.on:
                vars(process)[_COMPANION] = self._companion
            try:
                return original(process, *args, **kwargs)
            finally:
                vars(process).pop(_COMPANION, None)

        return start


class _Companion:
    def __init__(self, task: str, streams: dict[str, bool], offline: bool) -> None:
        self._arguments = (task, streams, offline)

    def __reduce__(self) -> tuple[Callable[..., None], tuple[Any, ...]]:
        return _arrived, self._arguments


def leave() -> None:
    """This process watches its streams by itself from now on: it has called ``Task.init`` or ``Task.current_task``."""
    console, _console.value = _console.value, None
    if console is not None:
        console.end()


def _arrived(task: str, streams: dict[str, bool], offline: bool) -> None:
    with guard("spawned.begin"):
        if _console.value is None:
            _console.value = _WorkerConsole(task, streams, offline)


def _flush_at_end(capture: ConsoleCapture) -> None:
    from multiprocessing import util

    util.Finalize(None, capture.flush, exitpriority=0)


class _WorkerConsole:
    """Watches the streams of a worker. Most workers print nothing: the way to the task is opened by the first line."""

    def __init__(self, task: str, streams: Mapping[str, bool], offline: bool) -> None:
        from multiprocessing import util

        self._task = task
        self._offline = offline
        self._record: Record | None = None
        self._capture = ConsoleCapture(
            self._line,
            streams.get("stdout", True),
            streams.get("stderr", True),
            streams.get("logging", False),
        )
        self._capture.install()
        # A worker's workers.
        self._workers = Workers(task, streams, offline)
        # Not ``atexit``, without which a worker of the fork server ends. That one forgets, when its function begins,
        # what is registered now, so it is asked for once more then.
        _flush_at_end(self._capture)
        util.register_after_fork(self._capture, _flush_at_end)

    def end(self) -> None:
        """Watch no longer."""
        self._workers.end()
        self._capture.remove()

    def _line(self, text: str, level: int, stream: int) -> None:
        from trialbook.capture.secrets import masked_output
        from trialbook.journal.frames import Stream

        record = self._record = self._record or self._opened()
        record.journal.text(masked_output(text), level, Stream(stream))

    def _opened(self) -> "Record":
        # Here and not above, so that a worker that prints nothing does not wait for these imports.
        from trialbook.client import settings
        from trialbook.sdk.record import Record
        from trialbook.sdk.servers import connection

        way = None if self._offline else connection.connect()
        read = way.settings if way is not None else settings.load()
        return Record({"id": self._task}, way, read, own=True)
