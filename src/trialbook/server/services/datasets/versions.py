"""Datasets: versions are tasks; here is what makes a task one, and what keeps its files as long as they are needed."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from sqlalchemy.engine import Connection

from trialbook.base import versions
from trialbook.errors import BadField, NameTaken, TaskNotDeletable, TaskNotFound, TaskStatusRefused
from trialbook.server.services.call import Call
from trialbook.server.services.changes import changed
from trialbook.server.services.datasets.files import DatasetFiles
from trialbook.server.services.datasets.reading import DatasetReading
from trialbook.server.services.homes import ensure_project, project_changed
from trialbook.server.services.tasks.deletion import Survey
from trialbook.server.services.tasks.documents import Documents
from trialbook.server.services.tasks.editing import Editing
from trialbook.server.services.tasks.lifecycle import Lifecycle
from trialbook.server.services.tasks.parts import Parts
from trialbook.server.stores import events
from trialbook.server.stores.dataset_lists import DATASET, HIDDEN, PART, DatasetLists
from trialbook.server.stores.datasets import DatasetStore, object_key
from trialbook.server.stores.projects import ProjectStore
from trialbook.server.stores.tasks import TaskStore
from trialbook.wire import datasets as wire
from trialbook.wire.states import FINISHED
from trialbook.wire.task_documents import Parameter
from trialbook.wire.tasks import CreateTask, EditTask


def _clean(name: str, field: str) -> str:
    """A dataset's name; with slashes it stands in folders of its own, as the clearml SDK has it.

    Raises:
        BadField: it cannot be used.
    """
    name = name.strip()
    if not name or any(part != part.strip() or part in ("", PART) for part in name.split("/")):
        raise BadField(
            f"{field}: {name[:200]!r} is not a name of a dataset: parts between '/' may not be empty",
            field=field,
        )
    return name


def _needs(ask: wire.CommitDataset) -> dict[str, int]:
    """Bytes by key of what a version needs.

    A pack of ours that it knows through a version of the clearml SDK has that one's name for it; where it lies tells
    the key.
    """
    found = {item.key: item.bytes for item in ask.objects}
    for name, url in ask.places.items():
        key = object_key(unquote(urlsplit(url).path)) if "/" in name else None
        if key is not None and f"packs/{name}.zip" in found:
            found[key] = found[f"packs/{name}.zip"]
    return found


def _artifacts(row: Any) -> dict[str, str]:
    entries = (row.execution or {}).get("artifacts") or ()
    return {str(item.get("key")): str(item["uri"]) for item in entries if item.get("uri")}


class Datasets(DatasetReading):
    """Changes of datasets.

    Args:
        store, lists, tasks, projects: the stores.
        editing, parts, lifecycle: what they do to the task.
        files: the part of the storage that this server holds.
        documents: shows the task of a version.
    """

    def __init__(
        self,
        store: DatasetStore,
        lists: DatasetLists,
        tasks: TaskStore,
        projects: ProjectStore,
        editing: Editing,
        parts: Parts,
        lifecycle: Lifecycle,
        files: DatasetFiles,
        documents: Documents,
    ) -> None:
        super().__init__(store, lists, tasks, files, documents)
        self._projects = projects
        self._editing = editing
        self._parts = parts
        self._lifecycle = lifecycle

    def create(self, call: Call, ask: wire.CreateDataset) -> tuple[str, str]:
        """A new version; its id and version text.

        Raises:
            BadField: the name or the project cannot be used.
            TaskNotFound: a parent, or the task, is not there.
            TaskStatusRefused: a parent is not finished.
        """
        name = _clean(ask.name, "name")
        if not ask.project.strip("/ "):
            raise BadField("project: a dataset needs a project", field="project")
        if ask.id is not None and self._store.get(call.connection, ask.id) is not None:
            row = self._tasks.require(call.connection, ask.id)
            return ask.id, str(row.runtime.get("version") or "")
        for one in sorted({*ask.parents, *ask.pins}):
            self._require_final(call, one)
        place = self._place(call, ask.project, name)
        version = ask.version or self._next(call, place)
        runtime = {
            "orig_dataset_name": name,
            "version": version,
            **dict.fromkeys(("ds_file_count", "ds_link_count", "ds_total_size"), 0),
            **dict.fromkeys(("ds_change_add", "ds_change_remove", "ds_change_modify", "ds_change_size"), 0),
            "ds_total_size_compressed": 0,
        }
        id = self._adopt(call, ask, name, place) if ask.task else self._insert(call, ask, name, place)
        runtime["orig_dataset_id"] = id
        row = self._tasks.require(call.connection, id)
        self._editing.change(call, row, {"runtime": {**row.runtime, **runtime}})
        item = Parameter(section="properties", name="version", value=version, type="str")
        self._parts.edit_hyperparams(call, id, [item], "none", force=True)
        self._store.begin(call.connection, id, ask.parents, ask.pins)
        return id, version

    def _require_final(self, call: Call, id: str) -> None:
        # Locked, so that nobody deletes it before the child is known.
        row = self._tasks.require(call.connection, id, lock=True)
        if DATASET not in row.system_tags:
            raise TaskNotFound(f"{id} is a task, but not a dataset", id=id)
        if row.status not in FINISHED:
            mine = self._store.get(call.connection, id)
            if mine is None or mine.finished is None:
                raise TaskStatusRefused(
                    f"dataset version {id} is {row.status}: finalize it before it becomes a parent", id=id
                )

    def _place(self, call: Call, path: str, name: str) -> str:
        above = ensure_project(call, self._projects, f"{path.strip('/')}/{PART}")
        self._tag_project(call, above, [HIDDEN])
        place = ensure_project(call, self._projects, f"{path.strip('/')}/{PART}/{name}")
        self._tag_project(call, place, [DATASET, HIDDEN])
        # Two that are created at the same moment must not get the same version.
        self._lists.lock_project(call.connection, place)
        return place

    def _tag_project(self, call: Call, id: str, tags: Sequence[str]) -> None:
        row = self._projects.require(call.connection, id)
        if not set(tags) <= set(row.system_tags):
            values = {"system_tags": [*row.system_tags, *tags]}
            self._projects.update(call.connection, id, values, call.now)
            project_changed(call, self._projects, id, before=row._mapping, after=values)

    def _next(self, call: Call, place: str) -> str:
        known = self._lists.versions_in(call.connection, place)
        for text in sorted(known, key=versions.order, reverse=True):
            found = versions.successor(text)
            if found is not None:
                return found
        return versions.FIRST

    def _insert(self, call: Call, ask: wire.CreateDataset, name: str, place: str) -> str:
        made = CreateTask(
            id=ask.id,
            name=name,
            type="data_processing",
            project=place,
            comment=ask.description,
            tags=ask.tags,
            system_tags=[DATASET, "development"],
            script=ask.script,
            output_dest=ask.output_dest,
        )
        id = self._editing.create(call, made)
        self._lifecycle.started(call, id, force=True, reason="", message="")
        return id

    def _adopt(self, call: Call, ask: wire.CreateDataset, name: str, place: str) -> str:
        row = self._tasks.require(call.connection, str(ask.task), lock=True)
        edit = EditTask(
            task=row.id,
            force=True,
            name=name,
            type="data_processing",
            project=place,
            tags=sorted({*row.tags, *ask.tags}),
            system_tags=sorted({*row.system_tags, DATASET}),
            comment=ask.description or None,
            output_dest=ask.output_dest,
        )
        self._editing.edit(call, edit)
        return str(row.id)

    def commit(self, call: Call, ask: wire.CommitDataset) -> None:
        """Finish a version. The same commit again changes nothing.

        Raises:
            TaskNotFound: there is no such version.
            TaskStatusRefused: it is finished with another content.
            BadField: its manifest is not in the storage.
        """
        row = self._tasks.require(call.connection, ask.dataset, lock=True)
        known = self._store.get(call.connection, ask.dataset)
        if known is None:
            raise TaskNotFound(f"there is no dataset version {ask.dataset}", id=ask.dataset)
        if known.finished is not None:
            if known.root == ask.root:
                return
            raise TaskStatusRefused(
                f"dataset version {ask.dataset} is finished with another content", id=ask.dataset
            )
        self._files.require_root(ask.repository, ask.dataset, ask.root)
        self._store.refer(call.connection, row.id, _needs(ask))
        self._store.finish(
            call.connection,
            row.id,
            {
                "root": ask.root,
                "repository": ask.repository,
                "places": ask.places,
                "files": ask.files,
                "links": ask.links,
                "bytes": ask.bytes,
                "stored": ask.stored,
                "finished": call.now,
            },
        )
        if ask.artifacts:
            self._parts.add_artifacts(call, row.id, ask.artifacts, force=True)
        runtime = {**self._tasks.require(call.connection, row.id).runtime, **ask.runtime}
        self._editing.edit(call, EditTask(task=row.id, force=True, runtime=runtime, script=ask.script))
        if not ask.keep_open and row.status not in FINISHED:
            self._lifecycle.ended(call, row.id, "completed", force=True, reason="", message="")
        if ask.configuration:
            # Last: with ten thousand names in it, it makes every look at the task slower.
            items = list(ask.configuration.values())
            self._parts.edit_configuration(call, row.id, items, replace=False, force=True)

    def delete(self, call: Call, ask: wire.DeleteDataset) -> wire.DeleteDatasetReply:
        """Delete a version, or say what that would do.

        Raises:
            TaskNotFound: there is none.
            TaskNotDeletable: it has children, is used, or is published, and ``force`` is false.
        """
        connection = call.connection
        row = self._tasks.require(connection, ask.dataset, lock=True)
        if DATASET not in row.system_tags:
            raise TaskNotFound(f"{ask.dataset} is a task, but not a dataset", id=ask.dataset)
        children = sorted(
            {*self._store.children(connection, [row.id]), *self._store.foreign(connection, row.id)}
        )
        users = [one for one in self._store.users(connection, row.id) if one not in children]
        if not ask.force and not ask.dry_run:
            self._check_unused(row, children, users)
        known = self._store.get(connection, row.id)
        own, others = self._store.shares(connection, row.id)
        gone = {key: size for key, size in own.items() if key not in others}
        kept = [
            wire.KeptObject(key=key, bytes=own[key], used_by=sorted(names)) for key, names in others.items()
        ]
        receipt = wire.DeleteDatasetReply(
            deleted=not ask.dry_run,
            children=children,
            used_by=users,
            freed=sum(gone.values()) if ask.delete_files else 0,
            freed_objects=len(gone) if ask.delete_files else 0,
            kept=sorted(kept, key=lambda item: item.key)[:1000],
        )
        if ask.dry_run:
            return receipt
        candidates = {row.id: _artifacts(row), **self._inherited(connection, row.id)}
        self._store.forget(connection, row.id, call.now, free=ask.delete_files)
        needed = {
            url
            for owner, items in candidates.items()
            for name, url in items.items()
            if self._store.is_needed(connection, owner, name, leaving=row.id)
        }
        survey = Survey(tuple(events.image_urls(connection, row.id)) if ask.delete_files else ())
        done = self._lifecycle.delete(call, row.id, force=True, survey=survey)
        urls = done["urls"] if ask.delete_files else None
        base = f"{known.repository.rstrip('/')}/" if known is not None and known.repository else None
        listed = [url for group in (urls or {}).values() for url in group]
        if urls is not None:
            listed += [
                url for owner, items in candidates.items() if owner != row.id for url in items.values()
            ]
        listed = [url for url in dict.fromkeys(listed) if url not in needed]
        sweeps = self.sweeps(call) if ask.delete_files else []
        return wire.DeleteDatasetReply(
            **{
                name: getattr(receipt, name)
                for name in receipt.__struct_fields__
                if name not in ("urls", "sweeps")
            },
            urls=[url for url in listed if url and not (base and url.startswith(base))],
            sweeps=sweeps,
        )

    def _inherited(self, connection: Connection, id: str) -> dict[str, dict[str, str]]:
        """What a version reads of deleted versions of the clearml SDK, by version and artifact."""
        found = {owner: dict(items) for owner, items in self._store.kept(connection, id).items()}
        known = self._store.get(connection, id)
        for key, url in (known.places if known is not None else {}).items():
            owner, slash, artifact = key.partition("/")
            if slash and self._tasks.get(connection, owner) is None:
                found.setdefault(owner, {})[artifact] = url
        return found

    @staticmethod
    def _check_unused(row: Any, children: list[str], users: list[str]) -> None:
        if row.status == "published":
            raise TaskNotDeletable(
                f"dataset version {row.id} is published; use force to delete it", id=row.id
            )
        if children or users:
            what = [f"{len(children)} versions descend from it"] if children else []
            what += [f"{len(users)} tasks use it"] if users else []
            raise TaskNotDeletable(
                f"dataset version {row.id} is in use: {' and '.join(what)}; use force to delete it anyway",
                id=row.id,
                children=children,
                used_by=users,
            )

    def swept(self, call: Call, owners: Sequence[str]) -> int:
        """Callers have freed what these had left; how many there were."""
        return self._store.swept(call.connection, owners)

    def sweeps(self, call: Call) -> list[wire.Sweep]:
        """What waits to be freed by callers, because its storage is not this server's."""
        return [
            wire.Sweep(
                owner=row.owner,
                repository=row.repository,
                keep=sorted(self._store.referenced(call.connection, row.owner)),
            )
            for row in self._store.waiting(call.connection)
            if self._files.key(row.repository) is None
        ]

    def rename(self, call: Call, ask: wire.RenameDataset) -> int:
        """Another name or project for every version of a dataset; how many there were.

        Raises:
            BadField: the name cannot be used.
            NameTaken: there is a dataset of that name; two of each version would stand in it.
        """
        connection = call.connection
        old = self._projects.find_by_name(connection, f"{ask.project.strip('/')}/{PART}/{ask.name.strip()}")
        rows = self._lists.tasks_in(connection, old) if old else []
        if not rows:
            return 0
        name = _clean(ask.name if ask.new_name is None else ask.new_name, "new_name")
        place = self._place(call, ask.new_project or ask.project, name)
        if place != old and self._lists.tasks_in(connection, place):
            raise NameTaken(
                f"there is a dataset {name!r} in {ask.new_project or ask.project!r} already: choose another name, or "
                "put the versions into it one after the other as its children",
                name=name,
            )
        for row in rows:
            self._named(call, row, place, name)
        if old is not None and old != place and not self._lists.in_use(connection, old):
            self._projects.delete(connection, [old])
            changed(call, "project", old, "deleted", before={"name": f"{ask.project}/{PART}/{ask.name}"})
        return len(rows)

    def follow(self, call: Call, project: str, name: str) -> None:
        """The clearml SDK renames a dataset by its project, and then looks for versions of the new name."""
        if DATASET in self._projects.require(call.connection, project).system_tags:
            for row in self._lists.tasks_in(call.connection, project):
                self._named(call, row, project, name)

    def _named(self, call: Call, row: Any, place: str, name: str) -> None:
        runtime = {**row.runtime, "orig_dataset_name": name}
        values = {"project": place, "name": name, "runtime": runtime, "last_change": call.now}
        self._tasks.change(call.connection, row.id, values)
        changed(call, "task", row.id, "renamed", project=place, before=row._mapping, after=values)
