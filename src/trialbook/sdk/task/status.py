"""The life of a task from outside: status, moves between statuses, archive, publish, reset, wait."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from trialbook.client.calls import filled
from trialbook.errors import TaskNotFound, TaskStatusRefused, UsageError, WireError
from trialbook.sdk import current
from trialbook.sdk.console import say
from trialbook.sdk.task.answers import Response
from trialbook.sdk.task.base import TaskBase
from trialbook.wire.states import ENDED, TaskStatusEnum

if TYPE_CHECKING:
    from trialbook.client.api import Call, Completed, TasksCalls, Updated

_PUBLISHABLE = ENDED - {"failed"}
_WAITED = (TaskStatusEnum.completed, TaskStatusEnum.stopped, TaskStatusEnum.closed)


class StatusMixin(TaskBase):
    """Members that read or move the status."""

    _publish_at_end: bool = False

    @property
    def status(self) -> str:
        """The status, asked from the server at each access; one of ``TaskStatusEnum``.

        Example:
            >>> draft.status, task.status
            ('created', 'in_progress')
        """
        return self.get_status()

    def get_status(self) -> str:
        """The status, asked from the server; nothing else of this object is refreshed.

        Returns:
            One of the ten values of ``TaskStatusEnum``.

        Example:
            >>> task.get_status()
            'in_progress'
        """
        return str(self._asked("status") or "unknown")

    def get_status_message(self) -> str:
        """What was said with the last change of the status.

        Returns:
            The text; empty when nothing was said.

        Example:
            >>> draft.mark_started()
            >>> draft.mark_failed(status_message="the loss is not finite")
            >>> draft.get_status_message()
            'the loss is not finite'
        """
        return str(self._asked("status_message") or "")

    def reload(self) -> None:
        """Read everything about the task from the server again.

        Raises:
            ConnectionFailed: the server is away.
            TaskNotFound: the task was deleted.

        Example:
            >>> other = Task.get_task(task.id)
            >>> task.set_name("with a larger net")
            >>> other.reload()
            >>> other.name
            'with a larger net'
        """
        self._record.reload()

    def mark_started(self, force: bool = False) -> None:
        """Set the status to in_progress.

        Args:
            force: from any status.

        Raises:
            TaskStatusRefused: the status does not allow it.

        Example:
            >>> draft.mark_started()
            >>> draft.status
            'in_progress'
        """
        self._move(self._moves.started, "in_progress", force, False)

    def started(self, ignore_errors: bool = True, force: bool = False) -> Response | None:
        """As ``mark_started``; a refusal is ignored by default.

        Args:
            ignore_errors: False raises when the status does not allow it.
            force: from any status.

        Returns:
            The server's answer; None when it refused.

        Raises:
            TaskStatusRefused: the status does not allow it, and errors are not ignored.

        Example:
            >>> draft.started().updated
            1
        """
        return self._move(self._moves.started, "in_progress", force, ignore_errors)

    def mark_stopped(self, force: bool = False, status_message: str | None = None) -> None:
        """Set the status to stopped (the web UI says "aborted"). The process that runs the task ends within seconds.

        Args:
            force: from any status.
            status_message: shown with it.

        Raises:
            TaskStatusRefused: the status does not allow it.

        Example:
            >>> draft.mark_started()
            >>> draft.mark_stopped(status_message="not needed any more")
            >>> draft.status
            'stopped'
        """
        self._move(self._moves.stopped, "stopped", force, False, "USER ABORTED", status_message)

    def stopped(
        self,
        ignore_errors: bool = True,
        force: bool = False,
        status_reason: str | None = None,
        status_message: str | None = None,
    ) -> Response | None:
        """As ``mark_stopped``; a refusal is ignored by default.

        Args:
            ignore_errors: False raises when the status does not allow it.
            force: from any status.
            status_reason: short, shown beside the status.
            status_message: longer.

        Returns:
            The server's answer; None when it refused.

        Raises:
            TaskStatusRefused: the status does not allow it, and errors are not ignored.

        Example:
            >>> draft.mark_started()
            >>> draft.stopped().updated
            1
        """
        return self._move(self._moves.stopped, "stopped", force, ignore_errors, status_reason, status_message)

    def mark_completed(
        self, ignore_errors: bool = True, status_message: str | None = None, force: bool = False
    ) -> None:
        """Set the status to completed.

        Args:
            ignore_errors: False raises when the status does not allow it.
            status_message: shown with it.
            force: from any status.

        Raises:
            TaskStatusRefused: the status does not allow it, and errors are not ignored.

        Example:
            >>> draft.mark_started()
            >>> draft.mark_completed()
            >>> draft.status
            'completed'
        """
        reply = self._move(
            self._moves.completed, "completed", force, ignore_errors, "completed", status_message
        )
        if self._publish_at_end and reply is not None:
            self.publish(ignore_errors)

    def completed(self, ignore_errors: bool = True) -> Response | None:
        """As ``mark_completed``, under an older name.

        Args:
            ignore_errors: False raises when the status does not allow it.

        Returns:
            The server's answer; None when it refused.

        Raises:
            TaskStatusRefused: the status does not allow it, and errors are not ignored.

        Example:
            >>> draft.mark_started()
            >>> draft.completed().updated
            1
        """
        return self._move(self._moves.completed, "completed", False, ignore_errors, "completed")

    def mark_failed(
        self,
        ignore_errors: bool = True,
        status_reason: str | None = None,
        status_message: str | None = None,
        force: bool = False,
    ) -> None:
        """Set the status to failed.

        Args:
            ignore_errors: False raises when the status does not allow it.
            status_reason: short, shown beside the status.
            status_message: longer.
            force: from any status.

        Raises:
            TaskStatusRefused: the status does not allow it, and errors are not ignored.

        Example:
            >>> draft.mark_started()
            >>> draft.mark_failed(status_message="the loss is not finite")
            >>> draft.status
            'failed'
        """
        self._move(self._moves.failed, "failed", force, ignore_errors, status_reason, status_message)

    def mark_stop_request(self, force: bool = False, status_message: str | None = None) -> Response | None:
        """Ask the process that runs the task to stop; it does so by itself, within seconds.

        Args:
            force: from any status.
            status_message: shown with it.

        Returns:
            The server's answer.

        Raises:
            TaskStatusRefused: the status does not allow it.

        Example:
            >>> draft.mark_started()
            >>> draft.mark_stop_request(status_message="not needed any more").updated
            1
        """
        return self._move(self._moves.stop, "", force, False, "abort request", status_message)

    def register_abort_callback(
        self, callback_function: Callable[[], Any] | None, callback_execution_timeout: float = 30.0
    ) -> None:
        """Have a function called when somebody stops this run in the web UI, before the process ends.

        Args:
            callback_function: called without arguments, in a thread of its own; None takes the last one back.
            callback_execution_timeout: seconds that it has; then the process ends all the same.

        Raises:
            UsageError: not the task of ``Task.init``, or not a function.

        Example:
            >>> task.register_abort_callback(lambda: print("saving"), callback_execution_timeout=5)
        """
        if not current.is_main(self) or self._run is None:
            raise UsageError("register_abort_callback belongs to the task that Task.init returned")
        if callback_function is not None and not callable(callback_function):
            raise UsageError(f"callback_function must be a function, not {callback_function!r}")
        self._run.on_abort = callback_function, float(callback_execution_timeout)

    def publish(self, ignore_errors: bool = True) -> Response | None:
        """Make the task, and its output models, final and read-only.

        Args:
            ignore_errors: False raises when the server refuses.

        Returns:
            The server's answer; None when it refused.

        Raises:
            UsageError: it is neither completed nor stopped.

        Example:
            >>> task.close()
            >>> _ = task.publish()
            >>> task.status
            'published'
        """
        status = self.get_status()
        if status not in _PUBLISHABLE:
            raise UsageError(f"task {self.id} is {status}; only a completed or stopped task can be published")
        self._record.flush()
        publish = self._record.api.tasks.publish
        reply = self._called(lambda: publish({"task": self.id, "publish_model": True}), ignore_errors)
        if reply is not None:
            self._document()["status"] = "published"
        return reply

    def publish_on_completion(self, enable: bool = True) -> None:
        """Publish the task right after it is completed.

        Args:
            enable: False takes it back.

        Example:
            >>> task.publish_on_completion()
            >>> task.publish_on_completion(False)
        """
        self._publish_at_end = bool(enable)

    def reset(self, set_started_on_success: bool = False, force: bool = False) -> None:
        """Erase the outputs (metrics, console, plots, artifacts) and make the task a draft again.

        Args:
            set_started_on_success: set it to in_progress afterwards.
            force: from any status, and also when an agent runs this process.

        Raises:
            TaskStatusRefused: the task is published.

        Example:
            >>> draft.mark_started()
            >>> draft.mark_completed()
            >>> draft.reset()
            >>> draft.status
            'created'
        """
        if self._record.settings.task_id == self.id and not force:
            return
        if self._document().get("status") in ("published", "publishing"):
            raise TaskStatusRefused(
                f"task {self.id} is published and cannot be reset; clone it with Task.clone()"
            )
        self._record.flush()
        self._record.api.tasks.reset({"task": self.id, "force": True})
        # The server has forgotten the old stream of reports with its content: the next report begins a new one.
        self._record.renew()
        if set_started_on_success:
            self._record.api.tasks.started({"task": self.id, "force": True})
        self._record.reload()

    def get_archived(self) -> bool:
        """Whether the task is in the archive.

        Returns:
            True when it is.

        Example:
            >>> draft.set_archived(True)
            >>> draft.get_archived()
            True
        """
        return "archived" in (self._document().get("system_tags") or [])

    def set_archived(self, archive: bool) -> None:
        """Put the task into the archive, or take it out; at any status. A task that waits in a queue leaves it.

        Args:
            archive: True hides it from lists.

        Example:
            >>> task.set_archived(True)
            >>> task.get_archived()
            True
        """
        tags = [tag for tag in self._document().get("system_tags") or [] if tag != "archived"]
        tags += ["archived"] if archive else []
        if self._record.own:
            self._record.edit(system_tags=tags)
            return
        # The server takes a task that waits out of its queue.
        tasks = self._record.api.tasks
        (tasks.archive if archive else tasks.unarchive)({"tasks": [self.id]})
        self._document()["system_tags"] = tags

    def wait_for_status(
        self,
        status: TaskStatusEnum | str | Iterable[TaskStatusEnum | str] = _WAITED,
        raise_on_status: TaskStatusEnum | str | Iterable[TaskStatusEnum | str] | None = (
            TaskStatusEnum.failed,
        ),
        check_interval_sec: float = 60.0,
    ) -> None:
        """Wait until the task has one of the statuses.

        Args:
            status: to wait for, one or several; published counts as completed.
            raise_on_status: raise when it has one of these.
            check_interval_sec: seconds between two looks.

        Raises:
            RuntimeError: the status is one of ``raise_on_status``.
            TaskNotFound: the task was deleted meanwhile.
            UsageError: there is no such status, none at all is named, or the seconds are negative.

        Example:
            >>> task.mark_completed()
            >>> task.wait_for_status(check_interval_sec=1)
        """
        wanted = _statuses("status", status)
        if not wanted:
            raise UsageError("status names no status: one that the task may reach, such as 'completed'")
        if check_interval_sec < 0:
            raise UsageError(f"check_interval_sec must not be negative, got {check_interval_sec!r}")
        if "completed" in wanted:
            wanted |= {"published", "publishing"}
        refused = _statuses("raise_on_status", raise_on_status or ())
        while True:
            now = self._asked("status")
            if now is None:
                raise TaskNotFound(f"the task {self.id} does not exist any more", id=self.id)
            if now in refused:
                raise RuntimeError(f"task {self.id} is {now}: {self.get_status_message()}")
            if now in wanted:
                self.reload()
                return
            time.sleep(check_interval_sec)

    # -- inside ---

    def _asked(self, field: str) -> Any:
        if self._record.connection is None:
            return self._document().get(field)
        self._record.flush()
        found = self._record.api.tasks.get_all(
            {"id": [self.id], "only_fields": ["status", "status_message"], "search_hidden": True}
        )["tasks"]
        if not found:
            return None
        self._document().update({name: found[0].get(name) for name in ("status", "status_message")})
        return found[0].get(field)

    @property
    def _moves(self) -> "TasksCalls":
        return self._record.moves.tasks

    def _move(
        self,
        method: "Call[Completed, Updated | None]",
        status: str,
        force: bool,
        ignore_errors: bool,
        reason: str | None = None,
        message: str | None = None,
    ) -> Response | None:
        ask: Completed = {"task": self.id, "force": force, "status_reason": reason, "status_message": message}
        reply = self._called(lambda: method(filled(ask)), ignore_errors)
        if reply is not None:
            self._document().update(_fields(reply))
        elif self._record.connection is None:
            self._document()["status"] = status or self._document().get("status")
        return reply

    def _called(self, method: Callable[[], Mapping[str, Any] | None], ignore_errors: bool) -> Response | None:
        try:
            return None if (reply := method()) is None else Response(reply)
        except WireError as error:
            if not ignore_errors:
                raise
            say(f"Trialbook: the status of task {self.id} stays as it is: {error}")
            return None


def _fields(reply: Mapping[str, Any]) -> dict[str, Any]:
    changed = reply.get("fields") or {}
    return {name: changed[name] for name in ("status", "status_reason", "status_message") if name in changed}


def _statuses(argument: str, given: Iterable[TaskStatusEnum | str]) -> set[str]:
    known = [status.value for status in TaskStatusEnum]
    try:
        found = {str(item) for item in ([given] if isinstance(given, str) else given)}
    except TypeError:
        raise UsageError(f"{argument} is a status or a list of them, got {given!r}") from None
    for item in found:
        if item not in known:
            raise UsageError(f"{argument}: there is no status {item!r}; there are {', '.join(known)}")
    return found
