"""What a task is called and where it belongs: name, comment, tags, project, type, parent, links."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trialbook.base.ids import is_id
from trialbook.base.unicode import storable
from trialbook.errors import UsageError
from trialbook.sdk.names import checked, join, task_folder
from trialbook.sdk.servers.nowhere import NOWHERE
from trialbook.sdk.servers.projects import project_ids
from trialbook.sdk.task.answers import View, server_session
from trialbook.sdk.task.base import TaskBase
from trialbook.wire.states import TaskTypes

if TYPE_CHECKING:
    from trialbook.client.api import CreateProject, MoveTasks

_log = logging.getLogger("trialbook")


class IdentityMixin(TaskBase):
    """Members that may change at any status."""

    @property
    def name(self) -> str:
        """The task's name.

        Example:
            >>> task.name
            'example'
        """
        return str(self._document().get("name") or "")

    @name.setter
    def name(self, value: str) -> None:
        self.set_name(value)

    def set_name(self, name: str) -> None:
        """Rename the task; at any status.

        Args:
            name: the new name.

        Raises:
            UsageError: it is empty or too long.

        Example:
            >>> task.set_name("with a larger net")
            >>> task.name
            'with a larger net'
        """
        self._record.edit(name=checked("a task", storable(str(name or ""))))

    def rename(self, new_name: str) -> bool:
        """The same as ``set_name``.

        Args:
            new_name: the new name.

        Returns:
            True.

        Raises:
            UsageError: it is empty.

        Example:
            >>> task.rename("with a larger net")
            True
        """
        self.set_name(new_name)
        return True

    @property
    def comment(self) -> str:
        """The description.

        Example:
            >>> task.set_comment("Rate halved after epoch 3.")
            >>> task.comment
            'Rate halved after epoch 3.'
        """
        return str(self._document().get("comment") or "")

    @comment.setter
    def comment(self, value: str) -> None:
        self.set_comment(value)

    def set_comment(self, comment: str) -> None:
        """Replace the description; at any status.

        Args:
            comment: the new one; an empty string clears it.

        Example:
            >>> task.set_comment("Rate halved after epoch 3.")
            >>> Task.get_task(task.id).comment
            'Rate halved after epoch 3.'
        """
        self._record.edit(comment=str(comment))

    @property
    def project(self) -> str:
        """Id of the project.

        Example:
            >>> task.project == Task.get_project_id("Examples")
            True
        """
        return str(self._document().get("project") or "")

    def get_project_name(self) -> str:
        """Full path of the project.

        Returns:
            The path; empty when the task has no project yet.

        Example:
            >>> task.get_project_name()
            'Examples'
        """
        return self._record.project()

    def move_to_project(
        self,
        new_project_id: str | None = None,
        new_project_name: str | None = None,
        system_tags: Sequence[str] | None = None,
    ) -> bool:
        """Put the task into another project.

        Args:
            new_project_id: id of the project.
            new_project_name: its full path instead; made when missing.
            system_tags: of a project that is made.

        Returns:
            True.

        Raises:
            UsageError: both or neither.
            ProjectNotFound: there is no project of that id.

        Example:
            >>> task.move_to_project(new_project_name="Examples/Moved")
            True
            >>> task.get_project_name()
            'Examples/Moved'
        """
        if bool(new_project_id) == bool(new_project_name):
            raise UsageError("move_to_project takes either new_project_id or new_project_name")
        target: MoveTasks = {"ids": [self.id]}
        if new_project_id:
            target["project"] = new_project_id
        else:
            target["project_name"] = str(new_project_name)
        if new_project_name and system_tags and not project_ids(server_session(), new_project_name):
            ask: CreateProject = {"name": new_project_name, "system_tags": list(system_tags)}
            self._record.api.projects.create(ask, repeat=False)
        self._record.flush()
        answer = self._record.api.tasks.move(target)
        self._document()["project"] = answer["project_id"]
        self._record.project_name = None
        return True

    def set_project(self, project_id: str | None = None, project_name: str | None = None) -> None:
        """Put the task into another project, as ``move_to_project``.

        Args:
            project_id: id of the project.
            project_name: its full path instead; made when missing.

        Raises:
            UsageError: both or neither.
            ProjectNotFound: there is no project of that id.

        Example:
            >>> task.set_project(project_name="Examples/Moved")
            >>> task.get_project_name()
            'Examples/Moved'
        """
        self.move_to_project(project_id, project_name)

    @property
    def parent(self) -> str | None:
        """Id of the parent task.

        Example:
            >>> Task.clone(task).parent == task.id
            True
        """
        return self._document().get("parent")

    def set_parent(self, parent: Any) -> None:
        """Set the parent.

        Args:
            parent: an id or a task; None for no parent.

        Raises:
            UsageError: the task itself, no id, or the task is published.

        Example:
            >>> draft.set_parent(task)
            >>> draft.parent == task.id
            True
        """
        value = getattr(parent, "id", parent)
        if value == self.id:
            raise UsageError("a task cannot be its own parent")
        if value is not None and not is_id(value):
            raise UsageError(f"parent must be a task or a task id, got {parent!r}")
        self._record.require_unpublished("The parent")
        self._record.edit(parent=value or "")

    @property
    def task_type(self) -> str:
        """What the task is for; equal to a member of ``TaskTypes``.

        Example:
            >>> task.task_type
            'training'
            >>> task.task_type == TaskTypes.training
            True
        """
        return str(self._document().get("type") or TaskTypes.training.value)

    def set_task_type(self, task_type: TaskTypes | str) -> None:
        """Change what the task is for.

        Args:
            task_type: a member of ``TaskTypes`` or its value.

        Raises:
            UsageError: there is no such type, or the task is neither a draft nor running.

        Example:
            >>> task.set_task_type(TaskTypes.inference)
            >>> task.task_type
            'inference'
        """
        kind = TaskTypes.of(task_type).value
        self._record.require_editable("The type")
        self._record.edit(type=kind)

    @property
    def data(self) -> View:
        """The task's document as the server has it, readable by key and by attribute.

        Example:
            >>> task.data.name == task.data["name"] == task.name
            True
        """
        return View(self._document())

    def get_tags(self) -> list[str]:
        """The tags.

        Returns:
            A new list.

        Example:
            >>> task.set_tags(["baseline", "digits"])
            >>> task.get_tags()
            ['baseline', 'digits']
        """
        return list(self._document().get("tags") or [])

    def set_tags(self, tags: Sequence[str] | str) -> None:
        """Replace the tags; at any status.

        Args:
            tags: the new ones; a string is one tag.

        Example:
            >>> task.set_tags(["first"])
            >>> task.set_tags(["second"])
            >>> task.get_tags()
            ['second']
        """
        self._record.edit(tags=_unique(tags))

    def add_tags(self, tags: Sequence[str] | str) -> None:
        """Add tags; those that are there stay once. When an agent runs this process nothing happens.

        Args:
            tags: a string is one tag, also when it has blanks.

        Example:
            >>> task.set_tags(["first"])
            >>> task.add_tags(["first", "second"])
            >>> task.get_tags()
            ['first', 'second']
        """
        if self._record.own and self._record.settings.task_id:
            return
        self._record.edit(tags=_unique([*self.get_tags(), *_unique(tags)]))

    def remove_tags(self, tags: Sequence[str] | str) -> None:
        """Remove tags.

        Args:
            tags: a string is one tag; unknown ones are ignored.

        Example:
            >>> task.set_tags(["baseline", "digits"])
            >>> task.remove_tags("baseline")
            >>> task.get_tags()
            ['digits']
        """
        gone = set(_unique(tags))
        self._record.edit(tags=[tag for tag in self.get_tags() if tag not in gone])

    def get_system_tags(self) -> list[str]:
        """Tags that carry a meaning for the server, such as ``archived``.

        Returns:
            A new list.

        Example:
            >>> draft.set_archived(True)
            >>> draft.get_system_tags()
            ['archived']
        """
        return list(self._document().get("system_tags") or [])

    def get_output_log_web_page(self) -> str:
        """Address of the run's page.

        Returns:
            ``<host>/projects/<project id>/tasks/<task id>/output/log``.

        Example:
            >>> task.get_output_log_web_page().endswith(f"/tasks/{task.id}/output/log")
            True
        """
        connection = self._record.connection
        settings = connection.settings if connection else self._record.settings
        host = settings.web_host or settings.api_host
        return f"{host}/projects/{self.project or '*'}/tasks/{self.id}/output/log"

    @property
    def cache_dir(self) -> Path:
        """Folder for files of this task on this host; reading it does not make it.

        Example:
            >>> task.cache_dir.mkdir(parents=True, exist_ok=True)
            >>> _ = (task.cache_dir / "tokens.txt").write_text("the a of")
        """
        return self._record.settings.cache_dir / self.id

    @property
    def output_uri(self) -> str | None:
        """Where models go; None leaves them where they are.

        Example:
            >>> task.output_uri is None
            True
            >>> task.output_uri = "/tmp/store"
            >>> task.output_uri
            '/tmp/store'
        """
        return (
            (self._document().get("output") or {}).get("destination")
            or self._document().get("output_dest")
            or None
        )

    @output_uri.setter
    def output_uri(self, value: str | bool | None) -> None:
        self._record.require_unpublished("The destination")
        connection = self._record.connection
        files = (connection.settings if connection else self._record.settings).files_host or NOWHERE
        destination = files if value is True else (value or "")
        if destination:
            from trialbook.sdk.storage import check_writable

            check_writable(destination)
        output = {**(self._document().get("output") or {}), "destination": destination}
        self._document()["output"] = output
        self._record.changes.tasks.edit({"task": self.id, "force": True, "output_dest": destination})

    @property
    def storage_uri(self) -> str | None:
        """An older name of ``output_uri``.

        Example:
            >>> task.output_uri = "/tmp/store"
            >>> task.storage_uri
            '/tmp/store'
        """
        return self.output_uri

    @storage_uri.setter
    def storage_uri(self, value: str | bool | None) -> None:
        self.output_uri = value

    def get_output_destination(self, extra_path: str | None = None, **_: Any) -> str | None:
        """Where files of this task go.

        Args:
            extra_path: added at the end.

        Returns:
            ``<destination>/<project>/<task name>.<task id>`` and ``extra_path``; None when the task has no destination.

        Example:
            >>> task.output_uri = "/tmp/store"
            >>> task.get_output_destination("models") == f"/tmp/store/Examples/example.{task.id}/models"
            True
        """
        root = self.output_uri
        if not root:
            return None
        parts = [task_folder(self._record.project(), self.name, self.id)]
        return join(root, *parts, *([extra_path] if extra_path else []))

    def get_progress(self) -> int | None:
        """How far the run says it is.

        Returns:
            0 to 100; 100 for a completed task; None when it said nothing.

        Example:
            >>> task.get_progress() is None
            True
            >>> task.set_progress(30)
            >>> task.get_progress()
            30
        """
        if self._document().get("status") in ("completed", "published"):
            return 100
        value = (self._document().get("runtime") or {}).get("progress")
        return int(value) if value is not None else None

    def set_progress(self, progress: int) -> None:
        """Say how far the run is; the table of tasks shows it.

        Args:
            progress: 0 to 100; anything else is ignored with a warning.

        Example:
            >>> for epoch in range(4):
            ...     task.set_progress(100 * (epoch + 1) // 4)
        """
        if isinstance(progress, bool) or not isinstance(progress, int) or not 0 <= progress <= 100:
            _log.warning("set_progress takes an integer from 0 to 100, not %r; it is ignored", progress)
            return
        self._record.set_runtime(progress=str(progress))


def _unique(tags: Sequence[str] | str) -> list[str]:
    listed = [tags] if isinstance(tags, str) else [str(tag) for tag in tags]
    return list(dict.fromkeys(checked("a tag", storable(tag)) for tag in listed if tag))
