"""What a task is called and where it belongs: name, comment, tags, project, type, parent, links."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trialbook.base.ids import is_id
from trialbook.errors import UsageError
from trialbook.sdk.names import join, task_folder
from trialbook.sdk.storage import check_writable
from trialbook.sdk.task.base import TaskBase
from trialbook.sdk.task_types import TaskTypes


class IdentityMixin(TaskBase):
    """Members that may change at any status."""

    @property
    def name(self) -> str:
        """The task's name."""
        return str(self._document().get("name") or "")

    @name.setter
    def name(self, value: str) -> None:
        self.set_name(value)

    def set_name(self, name: str) -> None:
        """Rename the task."""
        if not name:
            raise UsageError("a task needs a name")
        self._record.edit(name=str(name))

    @property
    def comment(self) -> str:
        """The description."""
        return str(self._document().get("comment") or "")

    @comment.setter
    def comment(self, value: str) -> None:
        self.set_comment(value)

    def set_comment(self, comment: str) -> None:
        """Replace the description."""
        self._record.edit(comment=str(comment))

    @property
    def project(self) -> str:
        """Id of the project."""
        return str(self._document().get("project") or "")

    def get_project_name(self) -> str:
        """Full path of the project."""
        return self._record.project()

    @property
    def parent(self) -> str | None:
        """Id of the parent task."""
        return self._document().get("parent")

    def set_parent(self, parent: Any) -> None:
        """Set the parent: an id or a task; None for no parent.

        Raises:
            UsageError: the task itself, or no id.
        """
        value = getattr(parent, "id", parent)
        if value == self.id:
            raise UsageError("a task cannot be its own parent")
        if value is not None and not is_id(value):
            raise UsageError(f"parent must be a task or a task id, got {parent!r}")
        self._record.edit(parent=value or "")

    @property
    def task_type(self) -> str:
        """What the task is for; equal to a member of ``TaskTypes``."""
        return str(self._document().get("type") or TaskTypes.training.value)

    def set_task_type(self, task_type: TaskTypes | str) -> None:
        """Change what the task is for."""
        self._record.edit(type=TaskTypes.of(task_type).value)

    @property
    def data(self) -> dict[str, Any]:
        """The task's document as the server has it."""
        return self._document()

    def get_tags(self) -> list[str]:
        """The tags."""
        return list(self._document().get("tags") or [])

    def set_tags(self, tags: Sequence[str] | str) -> None:
        """Replace the tags."""
        self._record.edit(tags=_unique(tags))

    def add_tags(self, tags: Sequence[str] | str) -> None:
        """Add tags; those that are there stay once. A text is one tag."""
        self._record.edit(tags=_unique([*self.get_tags(), *_unique(tags)]))

    def remove_tags(self, tags: Sequence[str] | str) -> None:
        """Remove tags; unknown ones are ignored."""
        gone = set(_unique(tags))
        self._record.edit(tags=[tag for tag in self.get_tags() if tag not in gone])

    def get_system_tags(self) -> list[str]:
        """Tags that carry a meaning for the server, such as ``archived``."""
        return list(self._document().get("system_tags") or [])

    def get_output_log_web_page(self) -> str:
        """Address of the run's page."""
        connection = self._record.connection
        settings = connection.settings if connection else self._record.settings
        host = settings.web_host or settings.api_host
        return f"{host}/projects/{self.project or '*'}/tasks/{self.id}/output/log"

    @property
    def cache_dir(self) -> Path:
        """Folder for files of this task on this host; reading it does not make it."""
        return self._record.settings.cache_dir / self.id

    @property
    def output_uri(self) -> str | None:
        """Where models go; None leaves them where they are."""
        return (
            (self._document().get("output") or {}).get("destination")
            or self._document().get("output_dest")
            or None
        )

    @output_uri.setter
    def output_uri(self, value: str | bool | None) -> None:
        connection = self._record.connection
        files = (connection.settings if connection else self._record.settings).files_host
        destination = files if value is True else (value or "")
        if destination:
            check_writable(destination)
        output = {**(self._document().get("output") or {}), "destination": destination}
        self._document()["output"] = output
        self._record.change("tasks.edit", {"force": True, "output_dest": destination})

    def get_output_destination(self, extra_path: str | None = None, **_: Any) -> str | None:
        """Where files of this task go: destination, project, name and id, and ``extra_path``; None without one."""
        root = self.output_uri
        if not root:
            return None
        parts = [task_folder(self._record.project(), self.name, self.id)]
        return join(root, *parts, *([extra_path] if extra_path else []))

    def get_progress(self) -> int | None:
        """How far the run says it is, 0 to 100; None when it says nothing."""
        value = (self._document().get("runtime") or {}).get("progress")
        return int(value) if value is not None else None

    def set_progress(self, progress: int) -> None:
        """Say how far the run is, 0 to 100; anything else is ignored."""
        if isinstance(progress, int) and 0 <= progress <= 100:
            self._set_runtime(progress=str(progress))

    def _set_runtime(self, **values: Any) -> None:
        runtime = {**(self._document().get("runtime") or {}), **values}
        self._record.edit(runtime=runtime)


def _unique(tags: Sequence[str] | str) -> list[str]:
    listed = [tags] if isinstance(tags, str) else [str(tag) for tag in tags]
    return list(dict.fromkeys(tag for tag in listed if tag))
