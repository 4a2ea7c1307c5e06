"""The parts of a task, changed one by one: parameters, configuration, artifacts, models, packages."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import structs

from trialbook.base.clock import iso
from trialbook.errors import BadField, TaskStatusRefused
from trialbook.server.services.call import Call
from trialbook.server.services.tasks.editing import Editing, configuration, identity, parameter
from trialbook.server.stores.tasks import TaskStore
from trialbook.wire.task_documents import Configuration, Parameter

_NEW = frozenset({"created"})
_OPEN = frozenset({"created", "in_progress"})


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
        found = {identity(item): item for item in row.execution.get("artifacts") or ()}
        for item in items:
            if not item.key:
                raise BadField("artifacts: each needs a key", field="artifacts")
            document = {name: value for name, value in structs.asdict(item).items() if value is not None}
            for number in ("content_size", "timestamp"):
                if number in document:
                    document[number] = int(document[number])
            found[identity(document)] = document
        ordered = [found[identity] for identity in sorted(found)]
        self._editing.change(call, row, {"execution": {**row.execution, "artifacts": ordered}})
        return 1

    def delete_artifacts(self, call: Call, id: str, items: Sequence[Any], *, force: bool) -> int:
        """Remove artifacts."""
        row = self._row(call, id, force=force, open_in=_OPEN)
        gone = {(item.key, item.mode) for item in items}
        kept = [item for item in row.execution.get("artifacts") or () if identity(item) not in gone]
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
        script = {**row.script, "requirements": self._editing.packages(requirements)}
        self._editing.change(call, row, {"script": script})
        return {"script": script, "last_update": iso(call.now), "last_change": iso(call.now)}
