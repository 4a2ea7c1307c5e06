"""Models: creating, changing, publishing, deleting."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from trialbook.base.clock import iso
from trialbook.base.ids import is_id, new_id
from trialbook.errors import BadField, MissingField, ModelInUse, ModelReady, ProjectNotFound
from trialbook.server.core.projection import Projection
from trialbook.server.services.call import Call
from trialbook.server.services.changes import changed, progressed
from trialbook.server.services.finding import Finding
from trialbook.server.services.homes import place
from trialbook.server.services.many import many
from trialbook.server.services.tasks.documents import Documents
from trialbook.server.services.tasks.lifecycle import Lifecycle
from trialbook.server.services.tasks.moves import ARCHIVED
from trialbook.server.services.usage import Usage
from trialbook.server.stores.models import ModelStore, document, model
from trialbook.server.stores.projects import ProjectStore
from trialbook.server.stores.tasks import TaskStore, task
from trialbook.wire.models import (
    CreateModel,
    EditModel,
    GetAllModels,
    GetAllModelsReply,
    MetadataItem,
    MoveModels,
    PublishModels,
)
from trialbook.wire.query import ManyReply

_MOMENTS = frozenset({"last_update", "last_change"})
_OPEN_WHEN_READY = frozenset(
    {"name", "comment", "tags", "system_tags", "metadata", "project", "task", "parent", "ready", "iteration"}
)


class Models:
    """Rules of models.

    Args:
        models, projects, tasks: the stores.
        lifecycle: publishes tasks, erases results.
        documents: knows the last values of metrics.
        finding: knows what lies below a project.
        usage: knows what is in use.
    """

    def __init__(
        self,
        models: ModelStore,
        projects: ProjectStore,
        tasks: TaskStore,
        lifecycle: Lifecycle,
        documents: Documents,
        finding: Finding,
        usage: Usage,
    ) -> None:
        self._models = models
        self._projects = projects
        self._tasks = tasks
        self._lifecycle = lifecycle
        self._documents = documents
        self._finding = finding
        self._usage = usage

    def get(self, call: Call, id: str) -> dict[str, Any]:
        """One model.

        Raises:
            ModelNotFound: there is none.
        """
        row = self._models.require(call.connection, id)
        metrics = self._documents.metrics(call.connection, [row.id], Projection(None)) or {}
        return document(row, metrics.get(row.id, {}))

    def find(self, call: Call, ask: GetAllModels, *, with_total: bool) -> GetAllModelsReply:
        """The models of one page."""
        projection = Projection(ask.only_fields)
        more = []
        if ask.include_subprojects and ask.project:
            more = [self._finding.below(call.connection, model.c.project, ask.project)]
            ask = self._finding.without(ask, "project")
        rows, total, scroll = self._models.find(call.connection, ask, more, with_total=with_total)
        metrics = self._documents.metrics(call.connection, [row.id for row in rows], projection) or {}
        found = [projection(document(row, metrics.get(row.id, {}))) for row in rows]
        return GetAllModelsReply(models=found, total=total, scroll_id=scroll)

    def frameworks(self, call: Call, projects: Sequence[str] | None) -> list[str]:
        """Frameworks in use, sorted."""
        return self._usage.frameworks(call.connection, projects)

    def create(self, call: Call, ask: CreateModel) -> tuple[str, bool]:
        """A new model; its id, and False when that id was there already."""
        if ask.id is not None:
            if not is_id(ask.id):
                raise BadField("id: must be 32 lower-case hexadecimal characters", field="id")
            if self._models.get(call.connection, ask.id) is not None:
                return ask.id, False
        id = ask.id or new_id()
        self._models.insert(
            call.connection,
            {
                "id": id,
                "name": ask.name,
                "uri": ask.uri,
                "user": call.caller.user or None,
                "project": self._project(call, ask.project) or self._project_of_task(call, ask.task),
                "task": ask.task or None,
                "parent": ask.parent or None,
                "comment": ask.comment,
                "framework": ask.framework or None,
                "ready": ask.ready,
                "created": call.now,
                "last_update": call.now,
                "last_change": call.now,
                "last_iteration": 0,
                "tags": sorted(set(ask.tags)),
                "system_tags": sorted(set(ask.system_tags)),
                "design": _design(ask.design),
                "labels": ask.labels,
                "metadata_items": _metadata(ask.metadata),
            },
        )
        row = self._models.require(call.connection, id)
        made = {"name": ask.name, "uri": ask.uri, "task": row.task, "ready": ask.ready}
        changed(call, "model", id, "created", project=row.project, after=made)
        return id, True

    def _project(self, call: Call, id: str | None) -> str | None:
        if id and not self._projects.exists(call.connection, id):
            raise ProjectNotFound(f"there is no project {id!r}", id=id)
        return id or None

    def _project_of_task(self, call: Call, id: str | None) -> str | None:
        row = self._tasks.get(call.connection, id, task.c.project) if id else None
        return row.project if row is not None else None

    def edit(self, call: Call, ask: EditModel) -> dict[str, Any]:
        """Change what the request names; the changed fields.

        Raises:
            ModelReady: a published model keeps its weights, design, labels and framework.
        """
        row = self._models.require(call.connection, ask.model)
        values: dict[str, Any] = {}
        for field in ("uri", "name", "comment", "framework", "labels", "ready", "task", "parent"):
            given = getattr(ask, field)
            if given is not None:
                values[field] = given
        for field in ("tags", "system_tags"):
            if getattr(ask, field) is not None:
                values[field] = sorted(set(getattr(ask, field)))
        if ask.project is not None:
            values["project"] = self._project(call, ask.project)
        if ask.design is not None:
            values["design"] = _design(ask.design)
        if ask.metadata is not None:
            values["metadata_items"] = _metadata(ask.metadata)
        # Clients send the whole model again on each change, so only a value that differs is a change.
        values = {name: value for name, value in values.items() if value != getattr(row, name)}
        refused = {name for name in values if name.removesuffix("_items") not in _OPEN_WHEN_READY}
        if row.ready and refused:
            raise ModelReady(
                f"model {row.id} is published: {', '.join(sorted(refused))} cannot be changed", id=row.id
            )
        if ask.iteration is not None and ask.iteration > row.last_iteration:
            values["last_iteration"] = ask.iteration
        if not values:
            return {}
        values |= {"last_update": call.now, "last_change": call.now}
        self._models.change(call.connection, row.id, values)
        self._changed(call, row, values)
        return {_wire_name(name): iso(value) if name in _MOMENTS else value for name, value in values.items()}

    def note_iteration(self, call: Call, id: str, iteration: int) -> None:
        """The model was written at an iteration of its task."""
        row = self._models.get(call.connection, id)
        if row is not None and iteration > row.last_iteration:
            self._models.change(call.connection, id, {"last_iteration": iteration, "last_update": call.now})
            progressed(call, "model", id, ["model"], listed=True)

    def set_ready(
        self, call: Call, id: str, *, publish_task: bool, force: bool
    ) -> tuple[int, dict[str, Any] | None]:
        """Publish a model and, on request, the task that made it."""
        row = self._models.require(call.connection, id)
        published = None
        if publish_task and row.task:
            maker = self._tasks.get(call.connection, row.task)
            if maker is not None and maker.status != "published":
                fields = self._lifecycle.publish(
                    call, row.task, force=force, publish_model=False, reason="", message=""
                )
                published = {"id": row.task, "data": {"updated": 1, "fields": fields}}
        if row.ready:
            return 0, published
        self._models.change(
            call.connection, id, {"ready": True, "last_update": call.now, "last_change": call.now}
        )
        self._changed(call, row, {"ready": True}, "published")
        return 1, published

    def delete(self, call: Call, id: str, *, force: bool) -> str:
        """Delete a model; the address of its weights.

        Raises:
            ModelReady: it is published; ``force`` overrides.
            ModelInUse: another task reads it; ``force`` overrides.
        """
        row = self._models.require(call.connection, id)
        if not force:
            users = [user for user in self._lifecycle.users_of_model(call.connection, id) if user != row.task]
            if users:
                raise ModelInUse(
                    f"model {id} is an input of {len(users)} tasks; use force", id=id, tasks=users[:20]
                )
            if row.ready:
                raise ModelReady(f"model {id} is published; use force", id=id)
        self._lifecycle.forget(call.connection, id)
        self._models.delete(call.connection, id)
        was = {"name": row.name, "uri": row.uri, "task": row.task}
        changed(call, "model", id, "deleted", project=row.project, before=was)
        return str(row.uri)

    def archive(self, call: Call, id: str, *, back: bool = False) -> None:
        """Put a model out of sight, or back."""
        row = self._models.require(call.connection, id)
        tags = {*row.system_tags} - {ARCHIVED} if back else {*row.system_tags, ARCHIVED}
        self._models.change(call.connection, id, {"system_tags": sorted(tags), "last_change": call.now})
        self._changed(call, row, {"system_tags": sorted(tags)}, "unarchived" if back else "archived")

    def publish_many(self, call: Call, ask: PublishModels) -> ManyReply:
        """Publish models."""
        act = partial(self.set_ready, call, publish_task=ask.publish_task, force=ask.force_publish_task)
        return many(call, ask.ids, act)

    def archive_many(self, call: Call, ids: list[str], *, back: bool = False) -> ManyReply:
        """Put models out of sight, or back."""
        return many(call, ids, partial(self.archive, call, back=back))

    def delete_many(self, call: Call, ids: list[str], *, force: bool) -> ManyReply:
        """Delete models; each answer has the address of its weights."""
        act = partial(self.delete, call, force=force)
        return many(call, ids, act, lambda url: {"deleted": True, "url": url})

    def move(self, call: Call, ask: MoveModels) -> str:
        """Put models into another project; its id.

        Raises:
            MissingField: no project is named.
        """
        project = place(call, self._projects, ask.project, ask.project_name)
        if project is None:
            raise MissingField("models.move needs project or project_name", field="project")
        for id in dict.fromkeys(ask.ids):
            self.place(call, id, project)
        return project

    def place(self, call: Call, id: str, project: str) -> None:
        """Put a model into another project."""
        row = self._models.require(call.connection, id)
        self._models.change(call.connection, id, {"project": project, "last_change": call.now})
        self._changed(call, row, {"project": project}, "moved")

    def set_metadata(self, call: Call, id: str, items: Sequence[MetadataItem], *, replace: bool) -> int:
        """Set named texts."""
        row = self._models.require(call.connection, id)
        found = {} if replace else dict(row.metadata_items)
        found.update(_metadata(list(items)))
        return self._store_metadata(call, row, found)

    def drop_metadata(self, call: Call, id: str, keys: Sequence[str]) -> int:
        """Remove named texts."""
        row = self._models.require(call.connection, id)
        found = {key: item for key, item in row.metadata_items.items() if key not in keys}
        return self._store_metadata(call, row, found)

    def _store_metadata(self, call: Call, row: Any, found: dict[str, Any]) -> int:
        if found == row.metadata_items:
            return 0
        self._models.change(
            call.connection,
            row.id,
            {"metadata_items": found, "last_update": call.now, "last_change": call.now},
        )
        self._changed(call, row, {"metadata_items": found})
        return 1

    @staticmethod
    def _changed(call: Call, row: Any, values: dict[str, Any], verb: str = "edited") -> None:
        home = values.get("project", row.project)
        changed(call, "model", row.id, verb, project=home, before=row._mapping, after=values)


def _wire_name(column: str) -> str:
    return "metadata" if column == "metadata_items" else column


def _design(given: Any) -> dict[str, Any]:
    if given is None:
        return {}
    if isinstance(given, dict):
        return given
    if isinstance(given, str):
        return {"design": given}
    raise BadField(f"design: must be an object or a string, not {given!r}", field="design")


def _metadata(given: Any) -> dict[str, Any]:
    """Named texts by name, from any of the spellings that clients use.

    Raises:
        BadField: none of them.
    """
    if given is None:
        return {}
    if not isinstance(given, list | dict):
        raise BadField(f"metadata: must be an object or a list of objects, not {given!r}", field="metadata")
    items = (
        given if isinstance(given, list) else [{"key": key, **_entry(item)} for key, item in given.items()]
    )
    found: dict[str, Any] = {}
    for item in items:
        if isinstance(item, MetadataItem):
            item = {"key": item.key, "value": item.value, "type": item.type}
        if not isinstance(item, dict) or not isinstance(item.get("key"), str):
            raise BadField("metadata: each item needs a key", field="metadata")
        value = item.get("value")
        found[item["key"]] = {
            "key": item["key"],
            "type": item.get("type"),
            "value": value if value is None or isinstance(value, str) else str(value),
        }
    return found


def _entry(item: Any) -> dict[str, Any]:
    return (
        {name: value for name, value in item.items() if name != "key"}
        if isinstance(item, dict)
        else {"value": item}
    )
