"""Running elsewhere: the run of this process, a function of it, or this process as if it were elsewhere."""

import os
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from trialbook.base.ids import is_id
from trialbook.client import settings as settings_module
from trialbook.errors import TaskNotFound, UsageError
from trialbook.sdk import current
from trialbook.sdk.console import say
from trialbook.sdk.servers import connection as connections
from trialbook.sdk.task.inputs.parameters import counted
from trialbook.sdk.task.query import QueryMixin
from trialbook.sdk.task.running.lifecycle import LifecycleMixin
from trialbook.sdk.task.running.queues import QueuesMixin

if TYPE_CHECKING:
    from typing_extensions import Self

FUNCTION_SECTION = "Function"
_NAME = "func_name"
_DESCRIBED_SECONDS = 120.0


class RemoteMixin(LifecycleMixin, QueryMixin, QueuesMixin):
    """Members that send work elsewhere."""

    _functions: dict[str, Callable[..., Any]] | None = None

    @classmethod
    def debug_simulate_remote_task(cls, task_id: str, reset_task: bool = False) -> None:
        """Make the next ``Task.init`` behave as if an agent ran this process as that task.

        Parameters, arguments and configuration then come from the task; ``running_locally()`` is False. When an agent
        really runs the process, nothing happens.

        Args:
            task_id: the task; its outputs are added to.
            reset_task: erase its outputs first.

        Raises:
            UsageError: a task runs already, or this process works offline.
            TaskNotFound: there is no such task.

        Example:
            >>> draft = Task.create("Examples", "to be tried here")
            >>> draft.set_parameter("General/rate", 0.5)
            >>> task.close()
            >>> Task.debug_simulate_remote_task(draft.id)
            >>> task = Task.init("Examples", "any name")
            >>> task.connect({"rate": 0.1})
            {'rate': 0.5}
        """
        settings = settings_module.load()
        if settings.task_id and not settings.simulated:
            return
        if current.main_task() is not None:
            raise UsageError("debug_simulate_remote_task must come before Task.init")
        if settings.offline:
            raise UsageError("debug_simulate_remote_task needs the server, and this process works offline")
        if not is_id(task_id):
            raise TaskNotFound(f"{task_id!r} is not a task id: 32 hexadecimal characters")
        session = connections.connect().session
        session.api.tasks.get_by_id({"task": task_id})
        if reset_task:
            session.api.tasks.reset({"task": task_id, "force": True})
        settings_module.simulate(task_id)
        # The connection carries the settings, and they name the task from now on.
        connections.disconnect()

    @classmethod
    def import_offline_session(cls, session_folder_zip: str | Path) -> str | None:
        """Send a run that worked offline to the server, as a new task.

        Everything in it is kept: code, parameters, metrics with their times, console, plots, images, artifacts and
        models, whose addresses then name the real server. The session is only read: importing it again makes another
        task. (``trialbook sync`` sends each offline run of this host once instead.)

        Args:
            session_folder_zip: the folder that ``get_offline_mode_folder`` named, or a zip of it.

        Returns:
            The id of the new task.

        Raises:
            UsageError: there is no session, it is cut short or still written, or this process works offline.
            ConnectionFailed: the server is away.

        Example:
            >>> task.close()
            >>> Task.set_offline(True)
            >>> offline = Task.init("Examples", "on the train")
            >>> offline.get_logger().report_scalar("loss", "train", 0.5, 1)
            >>> folder = offline.get_offline_mode_folder()
            >>> offline.close()
            >>> Task.set_offline(False)
            >>> imported = Task.get_task(Task.import_offline_session(folder))
            >>> imported.get_reported_scalars()
            {'loss': {'train': {'x': [1], 'y': [0.5]}}}
        """
        if settings_module.load().offline:
            raise UsageError("import_offline_session needs the server, and this process works offline")
        from trialbook.sdk.offline.sessions import import_session

        return import_session(Path(session_folder_zip).expanduser(), connections.connect())

    def execute_remotely(
        self, queue_name: str | None = None, clone: bool = False, exit_process: bool = True
    ) -> "Self | None":
        """Go on somewhere else: put this run, or a copy of it, into a queue and end this process.

        What was recorded so far goes with it: parameters, configuration, code, uncommitted changes and packages; the
        call waits until these are found. When an agent runs the process already, nothing happens.

        Args:
            queue_name: of the queue. None ends the process and leaves the task as a draft.
            clone: queue a copy; this run ends as completed.
            exit_process: leave with status 0. False needs ``clone``.

        Returns:
            The queued task, when the process continues; None when an agent runs it.

        Raises:
            UsageError: neither ``clone`` nor ``exit_process``; or a task that is not of this process, without a queue.
            QueueNotFound: no queue of that name; the run continues then.
            ConnectionFailed: this process works offline, or the server is away.

        Example:
            >>> copy = task.execute_remotely("default", clone=True, exit_process=False)
            >>> copy.status
            'queued'
        """
        if settings_module.load().task_id:
            return None
        if not clone and not exit_process:
            raise UsageError(
                "execute_remotely(clone=False) moves this very run elsewhere, so this process must end: "
                "pass exit_process=True, or clone=True"
            )
        self._record.require_connection("execute_remotely")
        if not current.is_main(self):
            return self._queue_other(queue_name, clone)
        # Looked up first, so that a wrong name stops nothing.
        queue = self._find_queue(queue_name) if queue_name else None
        self._described()
        if clone:
            queued = self.clone(self, parent=self.id)
            if queue:
                self.enqueue(queued, queue_id=queue)
            if not exit_process:
                return queued
            self.close()
            _leave()
        self._hand_over(queue)
        _leave()

    def create_function_task(
        self,
        func: Callable[..., Any],
        func_name: str | None = None,
        task_name: str | None = None,
        **kwargs: Any,
    ) -> "Self | None":
        """Make a task that runs this script up to this call, and then the function instead of the rest.

        Args:
            func: the function. It is not called here.
            func_name: a name that no other function of this script has; None is the function's own.
            task_name: of the new task; None is "<this task> <function>".
            kwargs: arguments of the function; they can be edited on the task, in the section "Function".

        Returns:
            The new draft; None when an agent runs another function of the script. When an agent runs this very
            function, the call does not return: the process ends with it.

        Raises:
            UsageError: not the task of ``Task.init``, or another function has the name.
            ConnectionFailed: this process works offline, or the server is away.

        Example:
            >>> def train(epochs):
            ...     print("training for", epochs)
            >>> step = task.create_function_task(train, epochs=3)
            >>> step.status, step.get_parameters()["Function/epochs"]
            ('created', '3')
        """
        if not current.is_main(self):
            raise UsageError("create_function_task belongs to the task that Task.init returned")
        name = func_name or str(getattr(func, "__name__", "")) or "function"
        known = self._functions if self._functions is not None else {}
        self._functions = known
        if name in known and known[name] is not func:
            raise UsageError(f"another function is called {name!r} already; pass func_name")
        known[name] = func
        wanted = self._wanted_function()
        if wanted is None:
            return self._function_task(name, task_name, kwargs)
        if wanted != name:
            return None
        arguments = self._overridden(FUNCTION_SECTION, kwargs, counted(kwargs))
        arguments.pop(_NAME, None)
        func(**arguments)
        self.close()
        _leave()

    # -- inside ---

    def _wanted_function(self) -> str | None:
        """The function that the task of an agent is about; None when it is the whole script."""
        if not self._record.settings.task_id:
            return None
        item: Mapping[str, Any] = self._sections().get(FUNCTION_SECTION, {}).get(_NAME) or {}
        return str(item.get("value") or "") or None

    def _function_task(self, name: str, task_name: str | None, kwargs: Mapping[str, Any]) -> "Self":
        self._record.require_connection("create_function_task")
        self._described()
        made = self.clone(self, name=task_name or f"{self.name} {name}", parent=self.id)
        made.set_parameter(
            f"{FUNCTION_SECTION}/{_NAME}", name, description="the function that this task runs"
        )
        if kwargs:
            made.connect(dict(kwargs), FUNCTION_SECTION)
        made.reload()
        return made

    def _described(self) -> None:
        """Code, packages and everything that was reported are on the server when this returns."""
        from trialbook.sdk.task.sources.code import finish_describing

        if self._run is not None:
            self._run.described.wait(_DESCRIBED_SECONDS)
        finish_describing(_DESCRIBED_SECONDS)
        self._record.flush(_DESCRIBED_SECONDS)

    def _queue_other(self, queue_name: str | None, clone: bool) -> "Self":
        if not queue_name:
            raise UsageError("a task that this process does not run needs queue_name")
        queued = self.clone(self) if clone else self
        self.enqueue(queued, queue_name, force=not clone)
        queued.reload()
        return queued

    def _hand_over(self, queue: str | None) -> None:
        """End the run here without a final status, and make the task a draft, or queue it."""
        run = self._run
        if run is not None:
            run.keep_status = True
        record, session = self._record, self._record.require_connection("execute_remotely").session
        document = record.fresh()
        self.close()
        # Not a run of this host any more: the next Task.init here must not take it again.
        tags = [tag for tag in document.get("system_tags") or [] if tag != "development"]
        session.api.tasks.reset({"task": self.id, "force": True})
        session.api.tasks.edit({"task": self.id, "force": True, "system_tags": tags})
        if queue:
            session.api.tasks.enqueue({"task": self.id, "queue": queue}, repeat=False)
            say(f"Trialbook: task {self.id} waits in the queue; this process ends.")
        else:
            say(f"Trialbook: task {self.id} is a draft; this process ends.")


def _leave() -> NoReturn:
    sys.stdout.flush()
    if threading.current_thread() is threading.main_thread():
        sys.exit(0)
    # A thread cannot end the process in any other way.
    os._exit(0)
