"""A task as a whole: creating, changing, cloning."""

from collections.abc import Mapping
from typing import Any

import msgspec

from trialbook.base.clock import iso
from trialbook.base.ids import is_id, new_id
from trialbook.errors import BadField, MissingField, TaskStatusRefused
from trialbook.server.services.call import Call
from trialbook.server.services.changes import changed
from trialbook.server.services.dataset_names import DatasetNames
from trialbook.server.services.homes import place
from trialbook.server.services.own_wheel import OwnWheel
from trialbook.server.services.tasks.moves import require_all
from trialbook.server.stores.facets import text_of
from trialbook.server.stores.projects import ProjectStore
from trialbook.server.stores.tasks import TaskStore, task
from trialbook.wire.states import TASK_TYPES
from trialbook.wire.task_documents import Configuration, Parameter
from trialbook.wire.tasks import MoveTasks

_QUIET = frozenset({"name", "comment", "tags", "system_tags", "project", "status_message"})
"""Changes of these do not count as a sign of life."""

_MERGED = ("script", "execution", "models", "output")
_SCRIPT_TEXTS = frozenset(
    {"binary", "repository", "branch", "tag", "version_num", "entry_point", "working_dir", "diff"}
)


def parameter(item: Parameter, section: str, name: str) -> dict[str, Any]:
    """A hyper-parameter as it is stored: its value is a text."""
    found: dict[str, Any] = {"section": section, "name": name, "value": _text(item.value)}
    for field in ("type", "description"):
        if getattr(item, field) is not None:
            found[field] = getattr(item, field)
    return found


def configuration(item: Configuration, name: str) -> dict[str, Any]:
    """A configuration object as it is stored: its value is a text."""
    found: dict[str, Any] = {"name": name, "value": _text(item.value)}
    for field in ("type", "description"):
        if getattr(item, field) is not None:
            found[field] = getattr(item, field)
    return found


def _text(value: Any) -> str:
    if isinstance(value, dict | list):
        return msgspec.json.encode(value).decode()
    return text_of(value)


def stored_hyperparams(sections: Mapping[str, Mapping[str, Parameter]]) -> dict[str, dict[str, Any]]:
    """All hyper-parameters as they are stored."""
    return {
        section: {name: parameter(item, section, name) for name, item in items.items()}
        for section, items in sections.items()
    }


def stored_configuration(items: Mapping[str, Configuration]) -> dict[str, Any]:
    """All configuration objects as they are stored."""
    return {name: configuration(item, name) for name, item in items.items()}


class _Undone(Exception):
    """A trial went well."""


class Editing:
    """Changes of a task that are not a move of its status.

    Args:
        tasks, projects: the stores.
        names: keeps datasets apart.
        wheel: completes the addresses of this program among the packages of a task.
    """

    def __init__(
        self, tasks: TaskStore, projects: ProjectStore, names: DatasetNames, wheel: OwnWheel
    ) -> None:
        self._tasks = tasks
        self._names = names
        self._wheel = wheel
        self._projects = projects

    def create(self, call: Call, ask: Any) -> str:
        """A new task; its id. The same id again changes nothing.

        Raises:
            BadField: the id has not the shape of one, or the type is not known.
            ProjectNotFound: ``project`` does not exist.
        """
        if ask.id is not None:
            if not is_id(ask.id):
                raise BadField("id: must be 32 lower-case hexadecimal characters", field="id")
            if self._tasks.get(call.connection, ask.id) is not None:
                return str(ask.id)
        id = ask.id or new_id()
        values = self._sections(ask, {})
        execution = values.pop("execution", {})
        project = place(call, self._projects, ask.project, ask.project_name)
        self._tasks.insert(
            call.connection,
            {
                "id": id,
                "name": ask.name,
                "type": _type(ask.type),
                "status": "created",
                "status_reason": "",
                "status_message": "",
                "status_changed": call.now,
                "project": project,
                "parent": ask.parent or None,
                "user": call.caller.user or None,
                "comment": ask.comment,
                "created": call.now,
                "last_update": call.now,
                "last_change": call.now,
                "last_iteration": 0,
                "tags": sorted(set(ask.tags)),
                "system_tags": sorted(set(ask.system_tags)),
                "script": {},
                "hyperparams": {},
                "configuration": {},
                "container": {},
                "models": {},
                "output": {},
                "runtime": {},
                **values,
                "execution": execution,
            },
        )
        self._tasks.record(
            call.connection,
            id,
            time=call.now,
            user=call.caller.user or None,
            method=call.method,
            old=None,
            new="created",
            reason="",
            message="",
        )
        self._projects.touch(call.connection, project, call.now)
        made = {"name": ask.name, "type": ask.type, "status": "created", "project": project}
        changed(call, "task", id, "created", project=project, after=made)
        return id

    def validate(self, call: Call, ask: Any) -> None:
        """Refuse what ``create`` would refuse, and change nothing."""
        try:
            with call.attempt():
                self.create(call, ask)
                raise _Undone
        except _Undone:
            return

    def edit(self, call: Call, ask: Any, described: bool = False) -> dict[str, Any]:
        """Change what the request names; the changed fields.

        Args:
            call: of this request.
            ask: what changes.
            described: what only describes the task (name, comment, tags, project) may change in any status.

        Raises:
            TaskStatusRefused: the task has left ``created``, and ``force`` is false.
        """
        row = self._tasks.require(call.connection, ask.task, lock=True)
        told = {name for name in ask.__struct_fields__ if getattr(ask, name) is not None} - {"task", "force"}
        free = described and told <= _QUIET
        if not ask.force and not free and row.status != "created":
            raise TaskStatusRefused(
                f"a task that is {row.status} can only be edited with force", id=row.id, status=row.status
            )
        self._names.let_in(call.connection, row, ask.project)
        values = self._sections(ask, row._mapping)
        for field in ("name", "comment"):
            if getattr(ask, field) is not None:
                values[field] = getattr(ask, field)
        if ask.type is not None:
            values["type"] = _type(ask.type)
        for field in ("tags", "system_tags"):
            if getattr(ask, field) is not None:
                values[field] = sorted(set(getattr(ask, field)))
        if ask.project is not None:
            values["project"] = place(call, self._projects, ask.project)
        if ask.parent is not None:
            values["parent"] = ask.parent or None
        if not values:
            return {}
        self.change(call, row, values)
        return self._fields(call, row.id, values)

    def _fields(self, call: Call, id: str, values: dict[str, Any]) -> dict[str, Any]:
        moments = {"last_change": iso(call.now)}
        if values.keys() - _QUIET:
            moments["last_update"] = iso(call.now)
        return {**values, **moments}

    def change(self, call: Call, row: Any, values: Mapping[str, Any], verb: str = "edited") -> None:
        """Overwrite columns of a task, ``row`` as it was, and tell of it."""
        more: dict[str, Any] = {"last_change": call.now}
        if values.keys() - _QUIET:
            more["last_update"] = call.now
        self._tasks.change(call.connection, row.id, {**values, **more})
        self._projects.touch(call.connection, row.project, call.now)
        changed(
            call,
            "task",
            row.id,
            verb,
            project=values.get("project", row.project),
            before=row._mapping,
            after=values,
        )

    def move(self, call: Call, ask: MoveTasks) -> str:
        """Put tasks into another project; its id.

        Raises:
            MissingField: no project is named.
            TaskNotFound: a task is not there; then none is moved.
        """
        ids = list(dict.fromkeys(ask.ids))
        require_all(call, self._tasks, ids)
        project = call.in_one(lambda: place(call, self._projects, ask.project, ask.project_name))
        if project is None:
            raise MissingField("tasks.move needs project or project_name", field="project")
        call.each(ids, lambda id: self._move(call, id, project))
        return project

    def _move(self, call: Call, id: str, project: str) -> None:
        columns = (task.c.project, task.c.system_tags, task.c.runtime)
        row = self._tasks.require(call.connection, id, *columns, lock=True)
        self._names.let_in(call.connection, row, project)
        values = {"project": project}
        self._tasks.change(call.connection, id, {**values, "last_change": call.now})
        changed(call, "task", id, "moved", project=project, before=row._mapping, after=values)

    def packages(self, requirements: Any) -> Any:
        """Lists of packages as they are stored: the SDK by an address that can be installed from."""
        return self._wheel.completed(requirements)

    def _sections(self, ask: Any, old: Any) -> dict[str, Any]:
        """The JSON columns that a request changes."""
        values: dict[str, Any] = {}
        if ask.hyperparams is not None:
            values["hyperparams"] = stored_hyperparams(ask.hyperparams)
        if ask.configuration is not None:
            values["configuration"] = stored_configuration(ask.configuration)
        if ask.runtime is not None:
            values["runtime"] = ask.runtime
        if ask.container is not None:
            values["container"] = {name: _optional_text(name, value) for name, value in ask.container.items()}
        for field in _MERGED:
            given = getattr(ask, field)
            if given is not None:
                values[field] = {**old.get(field, {}), **_checked(field, given)}
        if "requirements" in values.get("script", ()):
            packages = self.packages(values["script"]["requirements"])
            values["script"] = {**values["script"], "requirements": packages}
        if ask.output_dest is not None:
            values["output"] = {
                **(values.get("output") or old.get("output", {})),
                "destination": ask.output_dest,
            }
        if "execution" in values:
            queue = values["execution"].pop("queue", None)
            if queue is not None and isinstance(queue, str):
                values["queue"] = queue or None
        return values

    def clone(self, call: Call, ask: Any) -> str:
        """A new task with the inputs of another; its id."""
        row = self._tasks.require(call.connection, ask.task)
        project = place(call, self._projects, ask.new_task_project) if ask.new_task_project else row.project
        tags = row.tags if ask.new_task_tags is None else ask.new_task_tags
        system_tags = (
            [tag for tag in row.system_tags if tag not in {"development", "archived"}]
            if ask.new_task_system_tags is None
            else ask.new_task_system_tags
        )
        execution = {**row.execution, **(ask.execution_overrides or {})}
        execution.pop("queue", None)
        execution["artifacts"] = [
            item for item in execution.get("artifacts") or () if item.get("mode") == "input"
        ]
        hyperparams = row.hyperparams
        if ask.new_task_hyperparams is not None:
            hyperparams = stored_hyperparams(ask.new_task_hyperparams)
        configured = row.configuration
        if ask.new_task_configuration is not None:
            configured = stored_configuration(ask.new_task_configuration)
        id = new_id()
        self._tasks.insert(
            call.connection,
            {
                "id": id,
                "name": ask.new_task_name or row.name,
                "type": row.type,
                "status": "created",
                "status_reason": "",
                "status_message": "",
                "status_changed": call.now,
                "project": project,
                "parent": ask.new_task_parent or row.parent or row.id,
                "user": call.caller.user or None,
                "comment": row.comment if ask.new_task_comment is None else ask.new_task_comment,
                "created": call.now,
                "last_update": call.now,
                "last_change": call.now,
                "last_iteration": 0,
                "tags": sorted(set(tags)),
                "system_tags": sorted(set(system_tags)),
                "script": row.script,
                "execution": execution,
                "hyperparams": hyperparams,
                "configuration": configured,
                "container": row.container if ask.new_task_container is None else ask.new_task_container,
                "models": {"input": row.models.get("input") or [], "output": []},
                "output": {"destination": row.output.get("destination")},
                "runtime": {},
            },
        )
        self._tasks.record(
            call.connection,
            id,
            time=call.now,
            user=call.caller.user or None,
            method=call.method,
            old=None,
            new="created",
            reason=f"clone of {row.id}",
            message="",
        )
        self._projects.touch(call.connection, project, call.now)
        made = {
            "name": ask.new_task_name or row.name,
            "type": row.type,
            "status": "created",
            "project": project,
        }
        changed(call, "task", id, "cloned", project=project, after={**made, "clone_of": row.id})
        return id


def identity(item: Mapping[str, Any]) -> tuple[str, str]:
    """What tells artifacts apart."""
    return item["key"], item.get("mode") or "output"


def _type(text: str) -> str:
    if text not in TASK_TYPES:
        raise BadField(f"type: {text!r} is none of {', '.join(sorted(TASK_TYPES))}", field="type")
    return text


def _optional_text(name: str, value: Any) -> Any:
    if (
        name in {"image", "arguments", "setup_shell_script"}
        and value is not None
        and not isinstance(value, str)
    ):
        raise BadField(f"container.{name}: must be a string, not {value!r}", field=f"container.{name}")
    return value


def _checked(section: str, given: dict[str, Any]) -> dict[str, Any]:
    """Released clients refuse a reply in which these have another type, so they may not get in.

    Raises:
        BadField: a sub-field of the wrong type.
    """
    for name, value in given.items():
        path = f"{section}.{name}"
        if section == "script" and name in _SCRIPT_TEXTS and value is not None and not isinstance(value, str):
            raise BadField(f"{path}: must be a string, not {value!r}", field=path)
        if section == "script" and name == "requirements" and not isinstance(value, dict | None):
            raise BadField(f"{path}: must be an object, not {value!r}", field=path)
        listed = (section == "models" and name in {"input", "output"}) or path == "execution.artifacts"
        if listed and not (
            isinstance(value, list | None) and all(isinstance(item, dict) for item in value or ())
        ):
            raise BadField(f"{path}: must be a list of objects", field=path)
    found = {name: value for name, value in given.items() if value is not None}
    if "artifacts" in found and section == "execution":
        if any(not isinstance(item.get("key"), str) for item in found["artifacts"]):
            raise BadField("execution.artifacts: each needs a key", field="execution.artifacts")
        found["artifacts"] = sorted(
            ({"mode": "output", **item} for item in found["artifacts"]), key=lambda item: identity(item)
        )
    return found
