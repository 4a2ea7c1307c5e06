"""What a task is made of: creating, changing, cloning."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import structs

from trialbook.base.clock import iso
from trialbook.base.ids import is_id, new_id
from trialbook.errors import BadField, ProjectNotFound, TaskStatusRefused
from trialbook.server.services.call import Call, announce
from trialbook.server.stores.facets import text_of
from trialbook.server.stores.projects import ProjectStore
from trialbook.server.stores.tasks import TaskStore
from trialbook.wire.task_documents import Configuration, Parameter

TYPES = frozenset(
    {
        "training",
        "testing",
        "inference",
        "data_processing",
        "application",
        "monitor",
        "controller",
        "optimizer",
        "service",
        "qc",
        "custom",
    }
)
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


class Editing:
    """Changes of a task that are no move of its status.

    Args:
        tasks, projects: the stores.
    """

    def __init__(self, tasks: TaskStore, projects: ProjectStore) -> None:
        self._tasks = tasks
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
        project = self._project(call, ask.project, ask.project_name)
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
        announce(call, id, project)
        return id

    def _project(self, call: Call, id: str | None, name: str | None = None) -> str | None:
        if id:
            if not self._projects.exists(call.connection, id):
                raise ProjectNotFound(f"there is no project {id!r}", id=id)
            return id
        if name:
            return self._projects.ensure(call.connection, name, call.caller.user, call.now)
        return None

    def edit(self, call: Call, ask: Any) -> dict[str, Any]:
        """Change what the request names; the changed fields.

        Raises:
            TaskStatusRefused: the task has left ``created``, and ``force`` is false.
        """
        row = self._tasks.require(call.connection, ask.task, lock=True)
        if not ask.force and row.status != "created":
            raise TaskStatusRefused(
                f"a task that is {row.status} can only be edited with force", id=row.id, status=row.status
            )
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
            values["project"] = self._project(call, ask.project)
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

    def change(self, call: Call, row: Any, values: Mapping[str, Any]) -> None:
        """Overwrite columns of a task and tell the pages."""
        more: dict[str, Any] = {"last_change": call.now}
        if values.keys() - _QUIET:
            more["last_update"] = call.now
        self._tasks.change(call.connection, row.id, {**values, **more})
        self._projects.touch(call.connection, row.project, call.now)
        announce(call, row.id, row.project, values.get("project"))

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
        project = self._project(call, ask.new_task_project) if ask.new_task_project else row.project
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
        announce(call, id, project)
        return id


class Parts:
    """Changes of one part of a task: parameters, configuration, artifacts, models, packages.

    Args:
        tasks: the store.
        editing: writes and announces.
    """

    def __init__(self, tasks: TaskStore, editing: Editing) -> None:
        self._tasks = tasks
        self._editing = editing

    def _row(self, call: Call, id: str, *, force: bool, open_in: frozenset[str]) -> Any:
        row = self._tasks.require(call.connection, id, lock=True)
        if not force and row.status not in open_in:
            raise TaskStatusRefused(
                f"a task that is {row.status} can only be changed here with force", id=id, status=row.status
            )
        return row

    def edit_hyperparams(
        self, call: Call, id: str, items: Sequence[Parameter], replace: str, *, force: bool
    ) -> int:
        """Add and overwrite parameters; ``replace`` is none, section or all."""
        if replace not in {"none", "section", "all"}:
            raise BadField(
                f"replace_hyperparams: {replace!r} is not none, section or all", field="replace_hyperparams"
            )
        properties_only = all(item.section == "properties" for item in items) and replace != "all"
        row = self._row(call, id, force=force or properties_only, open_in=_NEW)
        sections = (
            {name: dict(section) for name, section in row.hyperparams.items()} if replace != "all" else {}
        )
        for section in {item.section or "" for item in items} if replace == "section" else ():
            sections[section] = {}
        for item in items:
            if not item.name or not item.section:
                raise BadField("hyperparams: each needs a section and a name", field="hyperparams")
            sections.setdefault(item.section, {})[item.name] = parameter(item, item.section, item.name)
        self._editing.change(call, row, {"hyperparams": sections})
        return 1

    def delete_hyperparams(self, call: Call, id: str, items: Sequence[Parameter], *, force: bool) -> int:
        """Remove parameters, or whole sections where no name is given."""
        properties_only = all(item.section == "properties" for item in items)
        row = self._row(call, id, force=force or properties_only, open_in=_NEW)
        sections = {name: dict(section) for name, section in row.hyperparams.items()}
        for item in items:
            if not item.name:
                sections.pop(item.section or "", None)
            elif item.section in sections:
                sections[item.section].pop(item.name, None)
                if not sections[item.section]:
                    del sections[item.section]
        return self._replace(call, row, "hyperparams", sections)

    def _replace(self, call: Call, row: Any, field: str, value: Any) -> int:
        if value == getattr(row, field):
            return 0
        self._editing.change(call, row, {field: value})
        return 1

    def edit_configuration(
        self, call: Call, id: str, items: Sequence[Configuration], *, replace: bool, force: bool
    ) -> int:
        """Add and overwrite configuration objects."""
        row = self._row(call, id, force=force, open_in=_NEW)
        found = {} if replace else dict(row.configuration)
        for item in items:
            if not item.name:
                raise BadField("configuration: each needs a name", field="configuration")
            found[item.name] = configuration(item, item.name)
        self._editing.change(call, row, {"configuration": found})
        return 1

    def delete_configuration(self, call: Call, id: str, names: Sequence[str], *, force: bool) -> int:
        """Remove configuration objects."""
        row = self._row(call, id, force=force, open_in=_NEW)
        return self._replace(
            call,
            row,
            "configuration",
            {name: item for name, item in row.configuration.items() if name not in names},
        )

    def add_artifacts(self, call: Call, id: str, items: Sequence[Any], *, force: bool) -> int:
        """Add and overwrite artifacts by (key, mode); the list stays sorted by key."""
        row = self._row(call, id, force=force, open_in=_OPEN)
        found = {_identity(item): item for item in row.execution.get("artifacts") or ()}
        for item in items:
            if not item.key:
                raise BadField("artifacts: each needs a key", field="artifacts")
            document = {name: value for name, value in structs.asdict(item).items() if value is not None}
            for number in ("content_size", "timestamp"):
                if number in document:
                    document[number] = int(document[number])
            found[_identity(document)] = document
        ordered = [found[identity] for identity in sorted(found)]
        self._editing.change(call, row, {"execution": {**row.execution, "artifacts": ordered}})
        return 1

    def delete_artifacts(self, call: Call, id: str, items: Sequence[Any], *, force: bool) -> int:
        """Remove artifacts."""
        row = self._row(call, id, force=force, open_in=_OPEN)
        gone = {(item.key, item.mode) for item in items}
        kept = [item for item in row.execution.get("artifacts") or () if _identity(item) not in gone]
        return self._replace(call, row, "execution", {**row.execution, "artifacts": kept})

    def add_model(self, call: Call, id: str, side: str, name: str, model: str) -> int:
        """Name a model of a task; any status."""
        if side not in {"input", "output"}:
            raise BadField(f"type: {side!r} is not input or output", field="type")
        row = self._row(call, id, force=True, open_in=_NEW)
        items = [item for item in row.models.get(side) or () if item.get("name") != name]
        known = [item.get("name") for item in row.models.get(side) or ()]
        entry = {"name": name, "model": model}
        items.insert(known.index(name) if name in known else len(items), entry)
        self._editing.change(call, row, {"models": {**row.models, side: items}})
        return 1

    def delete_models(self, call: Call, id: str, refs: Sequence[Mapping[str, str]]) -> int:
        """Remove named models from a task."""
        row = self._row(call, id, force=True, open_in=_NEW)
        gone = {(ref.get("type"), ref.get("name")) for ref in refs}
        models = {
            side: [item for item in items or () if (side, item.get("name")) not in gone]
            for side, items in row.models.items()
        }
        return self._replace(call, row, "models", models)

    def set_requirements(self, call: Call, id: str, requirements: dict[str, Any]) -> dict[str, Any]:
        """Replace the packages; any status."""
        row = self._row(call, id, force=True, open_in=_NEW)
        script = {**row.script, "requirements": requirements}
        self._editing.change(call, row, {"script": script})
        return {"script": script, "last_update": iso(call.now), "last_change": iso(call.now)}


_NEW = frozenset({"created"})
_OPEN = frozenset({"created", "in_progress"})


def _identity(item: Mapping[str, Any]) -> tuple[str, str]:
    return item["key"], item.get("mode") or "output"


def _type(text: str) -> str:
    if text not in TYPES:
        raise BadField(f"type: {text!r} is none of {', '.join(sorted(TYPES))}", field="type")
    return text


def _optional_text(name: str, value: Any) -> Any:
    if (
        name in {"image", "arguments", "setup_shell_script"}
        and value is not None
        and not isinstance(value, str)
    ):
        raise BadField(f"container.{name}: must be a text, not {value!r}", field=f"container.{name}")
    return value


def _checked(section: str, given: dict[str, Any]) -> dict[str, Any]:
    """Released clients refuse a reply in which these have another type, so they may not get in.

    Raises:
        BadField: a sub-field of the wrong type.
    """
    for name, value in given.items():
        path = f"{section}.{name}"
        if section == "script" and name in _SCRIPT_TEXTS and value is not None and not isinstance(value, str):
            raise BadField(f"{path}: must be a text, not {value!r}", field=path)
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
            ({"mode": "output", **item} for item in found["artifacts"]), key=lambda item: _identity(item)
        )
    return found
