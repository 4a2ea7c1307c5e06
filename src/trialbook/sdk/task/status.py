"""The life of a task from outside: status, moves between statuses, archive, publish, reset, delete, wait."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from trialbook.errors import (
    FileMissing,
    ModelNotFound,
    TaskStatusRefused,
    TrialbookError,
    UsageError,
    WireError,
)
from trialbook.sdk.connection import local_path
from trialbook.sdk.console import say
from trialbook.sdk.task.base import TaskBase
from trialbook.sdk.task_types import TaskStatusEnum

_PUBLISHABLE = ("completed", "stopped", "closed", "published")
_WAITED = (TaskStatusEnum.completed, TaskStatusEnum.stopped, TaskStatusEnum.closed)


class StatusMixin(TaskBase):
    """Members that read or move the status."""

    @property
    def status(self) -> str:
        """The status, asked from the server at each access; one of ``TaskStatusEnum``."""
        return self.get_status()

    def get_status(self) -> str:
        """The status, asked from the server; nothing else of this object is refreshed."""
        return str(self._asked("status") or "unknown")

    def get_status_message(self) -> str:
        """What was said with the last change of the status."""
        return str(self._asked("status_message") or "")

    def reload(self) -> None:
        """Read everything about the task from the server again."""
        self._record.reload()

    def mark_started(self, force: bool = False) -> None:
        """Set the status to in_progress.

        Args:
            force: from any status.

        Raises:
            TaskStatusRefused: the status does not allow it.
        """
        self._move("tasks.started", "in_progress", force, False)

    def started(self, ignore_errors: bool = True, force: bool = False) -> Any:
        """As ``mark_started``; a refusal is ignored by default."""
        return self._move("tasks.started", "in_progress", force, ignore_errors)

    def mark_stopped(self, force: bool = False, status_message: str | None = None) -> None:
        """Set the status to stopped (the page says "aborted"). The process that runs the task ends within seconds.

        Raises:
            TaskStatusRefused: the status does not allow it.
        """
        self._move("tasks.stopped", "stopped", force, False, "USER ABORTED", status_message)

    def stopped(
        self,
        ignore_errors: bool = True,
        force: bool = False,
        status_reason: str | None = None,
        status_message: str | None = None,
    ) -> Any:
        """As ``mark_stopped``; a refusal is ignored by default."""
        return self._move("tasks.stopped", "stopped", force, ignore_errors, status_reason, status_message)

    def mark_completed(
        self, ignore_errors: bool = True, status_message: str | None = None, force: bool = False
    ) -> None:
        """Set the status to completed."""
        self._move("tasks.completed", "completed", force, ignore_errors, "completed", status_message)

    def completed(self, ignore_errors: bool = True) -> Any:
        """As ``mark_completed``, under an older name."""
        return self._move("tasks.completed", "completed", False, ignore_errors, "completed")

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
        """
        self._move("tasks.failed", "failed", force, ignore_errors, status_reason, status_message)

    def mark_stop_request(self, force: bool = False, status_message: str | None = None) -> Any:
        """Ask the process that runs the task to stop; it does so by itself."""
        return self._move("tasks.stop", "", force, False, "abort request", status_message)

    def publish(self, ignore_errors: bool = True) -> Any:
        """Make the task, and its output models, final and read-only.

        Raises:
            UsageError: it is neither completed nor stopped.
        """
        status = self.get_status()
        if status not in _PUBLISHABLE:
            raise UsageError(f"task {self.id} is {status}; only a completed or stopped task can be published")
        self._record.flush()
        reply = self._called("tasks.publish", {"publish_model": True}, ignore_errors)
        if reply is not None:
            self._document()["status"] = "published"
        return reply

    def reset(self, set_started_on_success: bool = False, force: bool = False) -> None:
        """Erase the outputs (metrics, console, plots, artifacts) and make the task a draft again.

        Args:
            set_started_on_success: set it to in_progress afterwards.
            force: from any status, and also when an agent runs this process.

        Raises:
            TaskStatusRefused: the task is published.
        """
        if self._record.settings.task_id == self.id and not force:
            return
        if self._document().get("status") in ("published", "publishing"):
            raise TaskStatusRefused(
                f"task {self.id} is published and cannot be reset; clone it with Task.clone()"
            )
        self._record.flush()
        self._record.call("tasks.reset", {"task": self.id, "force": True})
        # The server has forgotten the old stream of reports with its content: the next report begins a new one.
        self._record.renew()
        if set_started_on_success:
            self._record.call("tasks.started", {"task": self.id, "force": True})
        self._record.reload()

    def get_archived(self) -> bool:
        """Whether the task is in the archive."""
        return "archived" in (self._document().get("system_tags") or [])

    def set_archived(self, archive: bool) -> None:
        """Put the task into the archive, or take it out."""
        tags = [tag for tag in self._document().get("system_tags") or [] if tag != "archived"]
        self._record.edit(system_tags=[*tags, "archived"] if archive else tags)

    def delete(
        self,
        delete_artifacts_and_models: bool = True,
        skip_models_used_by_other_tasks: bool = True,
        raise_on_error: bool = False,
    ) -> bool:
        """Delete the task.

        Args:
            delete_artifacts_and_models: also its files and output models.
            skip_models_used_by_other_tasks: keep models that another task takes as input.
            raise_on_error: False prints what went wrong.

        Returns:
            True when the task is gone.
        """
        try:
            self._delete(delete_artifacts_and_models, skip_models_used_by_other_tasks)
        except TrialbookError as error:
            if raise_on_error:
                raise
            say(f"Trialbook: task {self.id} was not deleted: {error}")
            return False
        return True

    def wait_for_status(
        self,
        status: Iterable[TaskStatusEnum | str] = _WAITED,
        raise_on_status: Iterable[TaskStatusEnum | str] | None = (TaskStatusEnum.failed,),
        check_interval_sec: float = 60.0,
    ) -> None:
        """Wait until the task has one of the statuses.

        Args:
            status: to wait for; published counts as completed.
            raise_on_status: raise when it has one of these.
            check_interval_sec: seconds between two looks.

        Raises:
            RuntimeError: the status is one of ``raise_on_status``.
        """
        wanted = {str(item) for item in status}
        if "completed" in wanted:
            wanted |= {"published", "publishing"}
        refused = {str(item) for item in raise_on_status or ()}
        while True:
            now = self.get_status()
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
        ask = {"id": [self.id], "only_fields": ["status", "status_message"], "search_hidden": True}
        found = self._record.call("tasks.get_all", ask).get("tasks") or []
        if not found:
            return None
        self._document().update({name: found[0].get(name) for name in ("status", "status_message")})
        return found[0].get(field)

    def _move(
        self,
        method: str,
        status: str,
        force: bool,
        ignore_errors: bool,
        reason: str | None = None,
        message: str | None = None,
    ) -> Any:
        params: dict[str, Any] = {"force": force}
        if reason:
            params["status_reason"] = reason
        if message:
            params["status_message"] = message
        if self._record.connection is None:
            self._record.journal.call(method, {"task": self.id, **params})
            self._document()["status"] = status or self._document().get("status")
            return None
        self._record.flush()
        reply = self._called(method, params, ignore_errors)
        if reply is not None:
            self._document().update(_fields(reply))
        return reply

    def _called(self, method: str, params: dict[str, Any], ignore_errors: bool) -> Any:
        try:
            return self._record.call(method, {"task": self.id, **params})
        except WireError:
            if not ignore_errors:
                raise
            return None

    def _delete(self, everything: bool, skip_used: bool) -> None:
        self._record.flush()
        document = self._record.fresh()
        models = [entry["model"] for entry in (document.get("models") or {}).get("output") or []]
        reply = self._record.call("tasks.delete", {"task": self.id, "force": True})
        if not everything:
            return
        urls = [
            str(artifact.get("uri"))
            for artifact in (document.get("execution") or {}).get("artifacts") or []
            if artifact.get("mode", "output") == "output"
        ]
        named: Mapping[str, Any] = reply.get("urls") or {}
        for group in ("event_urls", "artifact_urls"):
            urls += [str(url) for url in named.get(group) or []]
        for model in models:
            if skip_used and self._used(model):
                continue
            try:
                urls.append(
                    str(self._record.call("models.delete", {"model": model, "force": True}).get("url") or "")
                )
            except ModelNotFound:
                continue
        for url in dict.fromkeys(url for url in urls if url):
            self._remove_file(url)

    def _used(self, model: str) -> bool:
        ask = {"models.input.model": [model], "only_fields": ["id"], "page_size": 1}
        return bool(self._record.call("tasks.get_all", ask).get("tasks"))

    def _remove_file(self, url: str) -> None:
        try:
            path = local_path(url)
        except UsageError:
            return
        connection = self._record.connection
        if path is not None:
            path.unlink(missing_ok=True)
        elif connection is not None and connection.files.owns(url):
            try:
                connection.files.delete(url)
            except FileMissing:
                return


def _fields(reply: Mapping[str, Any]) -> dict[str, Any]:
    changed = reply.get("fields") or {}
    return {name: changed[name] for name in ("status", "status_reason", "status_message") if name in changed}
