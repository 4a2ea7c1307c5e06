"""Making and finding versions: ``create``, ``get``."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from trialbook.base import versions
from trialbook.base.ids import is_id
from trialbook.client import settings as settings_module
from trialbook.client.calls import filled
from trialbook.datasets.sources.sniff import Policy
from trialbook.errors import UsageError
from trialbook.sdk import current
from trialbook.sdk.console import advice, say
from trialbook.sdk.dataset.given import both_named, online, version_text
from trialbook.sdk.dataset.members.base import DatasetBase, version_of
from trialbook.sdk.dataset.versions import replay, sessions
from trialbook.sdk.dataset.versions.loading import from_server
from trialbook.sdk.dataset.versions.making import make
from trialbook.sdk.dataset.versions.opened import Opened
from trialbook.sdk.record import record_of
from trialbook.sdk.servers.connection import Connection
from trialbook.sdk.storage import check_writable
from trialbook.sdk.task import Task
from trialbook.wire.states import FINISHED

if TYPE_CHECKING:
    from typing_extensions import Self

    from trialbook.client.api import CreateDataset, DatasetVersion, GetDatasets

_log = logging.getLogger("trialbook")
_SHALLOW = 500
_COMPLETED = list(FINISHED)
_Version = TypeVar("_Version", bound=Mapping[str, Any])


class MakingMixin(DatasetBase):
    """The members that give a ``Dataset``."""

    @classmethod
    def create(
        cls,
        dataset_name: str | None = None,
        dataset_project: str | None = None,
        dataset_tags: Sequence[str] | None = None,
        parent_datasets: "Sequence[str | Self] | None" = None,
        use_current_task: bool = False,
        dataset_version: str | float | None = None,
        output_uri: str | Path | None = None,
        description: str | None = None,
        *,
        native: bool = False,
    ) -> "Self":
        """Begin a version.

        Args:
            dataset_name: of the dataset; None is the name of this process's task, which without a project becomes the
                version itself, as with ``use_current_task``.
            dataset_project: path of its project; None is that of this process's task, else the last parent's.
            dataset_tags: of the new version.
            parent_datasets: finished versions, or their ids, that it starts from; at one path the later one wins.
            use_current_task: the task of this process becomes the version, and continues when that is finalized.
            dataset_version: None is one above the highest version of this dataset, "1.0.0" for the first.
            output_uri: a folder or an address that takes the files; None is the files server.
            description: shown with the version.
            native: store with zstd and equal files once, which the clearml SDK cannot read.

        Returns:
            The version, open for writing.

        Raises:
            UsageError: no name or project, no task to use, or a parent that is not finalized.

        Example:
            >>> _ = pathlib.Path("labels.csv").write_text("name,digit")
            >>> data = Dataset.create("digits", "Vision")
            >>> data.add_files("labels.csv")
            1
            >>> data.finalize(auto_upload=True)
            True
        """
        main = _main() or (Task.current_task() if use_current_task else None)
        if dataset_name is None and not dataset_project and not use_current_task and main is not None:
            say(
                f"Trialbook: neither name nor project of the dataset is given: task {main.id} becomes the version"
            )
            use_current_task = True
        if use_current_task and main is None:
            raise UsageError("use_current_task needs a task: call Task.init first")
        if dataset_name is not None and not dataset_name.strip():
            raise UsageError(
                "a dataset needs a name: " + advice("Dataset.create(dataset_name=...)", "--name")
            )
        if not dataset_name and not dataset_project and main is not None:
            dataset_project = _visible(main.get_project_name())
        name = dataset_name or (main.name if main is not None else "")
        parents = [version_of(parent) for parent in parent_datasets or ()]
        for parent in parents:
            if not parent.is_final() and not sessions.seal(parent):
                raise UsageError(f"the parent {parent.id}{parent.called()} is open: {parent.first_close()}")
        project = dataset_project or (_visible(main.get_project_name()) if main is not None else "")
        if not project and parents:
            project = parents[-1].project
        if not name:
            raise UsageError(
                "a dataset needs a name: " + advice("Dataset.create(dataset_name=...)", "--name")
            )
        if not project:
            raise UsageError(
                "a dataset needs a project: " + advice("Dataset.create(dataset_project=...)", "--project")
            )
        output_uri = str(output_uri) if output_uri else None
        if output_uri:
            check_writable(output_uri)
        policy = Policy(native=True) if native else Policy(aliases=False)
        # As ClearML takes it: an empty string is none.
        wished = "" if dataset_version is None else str(dataset_version).strip()
        dataset_version = version_text(wished) if wished else None
        if settings_module.load().offline:
            made = sessions.create(
                name, project, list(dataset_tags or ()), parents, dataset_version, description or "", policy
            )
            return cls._over(made)
        ask: CreateDataset = {
            "name": name,
            "project": project,
            "tags": list(dict.fromkeys(dataset_tags or ())),
            "parents": [parent.id for parent in parents],
            "task": main.id if use_current_task and main is not None else None,
            "version": dataset_version,
            "output_dest": str(output_uri) if output_uri else None,
            "description": description or "",
            "script": {
                **replay.script(),
                "diff": replay.begun(
                    dataset_name=name,
                    dataset_project=project,
                    dataset_tags=list(dataset_tags or ()),
                    parent_datasets=[parent.id for parent in parents],
                    dataset_version=dataset_version,
                    output_uri=str(output_uri) if output_uri else None,
                    description=description,
                    native=native or None,
                ),
            },
        }
        if use_current_task and main is not None:
            main.flush()
        if dataset_version:
            same: GetDatasets = {"name": name, "project": project, "version": dataset_version}
            for twin in cls._search(online("Dataset.create"), same)[:1]:
                say(
                    f"Trialbook: {name} has a version {dataset_version} already ({twin['id']}); who asks for that "
                    "version gets the new one as soon as it is finalized"
                )
        return cls._over(make(ask, parents, policy, main if use_current_task else None))

    @classmethod
    def get(
        cls,
        dataset_id: str | None = None,
        dataset_project: str | None = None,
        dataset_name: str | None = None,
        dataset_tags: Sequence[str] | None = None,
        only_completed: bool = False,
        only_published: bool = False,
        include_archived: bool = False,
        auto_create: bool = False,
        writable_copy: bool = False,
        dataset_version: str | float | None = None,
        alias: str | None = None,
        overridable: bool = False,
        shallow_search: bool = False,
        **kwargs: Any,
    ) -> "Self":
        """One version.

        Args:
            dataset_id: its id; then nothing else may be given to look for.
            dataset_project: path of its project.
            dataset_name: of the dataset.
            dataset_tags: that it must have, all of them.
            only_completed: completed or published ones only.
            only_published: published ones only.
            include_archived: also those in the archive.
            auto_create: make a new, open version when there is none.
            writable_copy: return a new, open child of what was found.
            dataset_version: exactly this version.
            alias: note "alias: id" in the section "Datasets" of the parameters of this process's task.
            overridable: when an agent runs this process, the id that stands under the alias wins over the arguments.
            shallow_search: look at the 500 last changed versions only.
            kwargs: ``silence_alias_warnings`` and nothing else.

        Returns:
            Of several the one with the highest version; when none has a version like 1.2.3, the last changed one.

        Raises:
            UsageError: nothing to look for, an id together with a project or a name, an unknown argument, or there is
                no such version.

        Example:
            >>> found = Dataset.get(dataset_project="Vision", dataset_name="digits", only_completed=True)
            >>> found.id == data.id
            True
        """
        unknown = kwargs.keys() - {"silence_alias_warnings", "_dataset_version"}
        if unknown:
            raise UsageError(f"Dataset.get does not know {', '.join(sorted(unknown))}")
        connection = online("Dataset.get")
        main = _main()
        if alias and overridable and main is not None and settings_module.load().task_id:
            wished = main.get_parameter(f"Datasets/{alias}")
            if wished:
                dataset_id, dataset_project, dataset_name = str(wished), None, None
                dataset_tags = dataset_version = None
        if dataset_id and (dataset_project or dataset_name):
            raise both_named()
        if not (dataset_id or dataset_project or dataset_name or dataset_tags or dataset_version):
            raise UsageError(
                advice(
                    "Dataset.get needs dataset_id, or dataset_project and dataset_name, tags or a version",
                    "name a version with --id, or with --project and --name",
                )
            )
        statuses = ["published"] if only_published else _COMPLETED if only_completed else []
        ask: GetDatasets = {
            "ids": [dataset_id] if dataset_id else [],
            "name": dataset_name,
            "project": dataset_project,
            "tags": list(dataset_tags or ()),
            "version": None if dataset_version is None else str(dataset_version).strip() or None,
            "statuses": statuses,
            "archived": include_archived or bool(dataset_id),
            "page_size": _SHALLOW if shallow_search else None,
        }
        found = cls._search(connection, ask)
        if not found:
            if dataset_id or not auto_create:
                raise UsageError(f"there is no dataset with {_said(ask)}")
            return cls.create(dataset_name, dataset_project, dataset_tags, dataset_version=dataset_version)
        chosen = highest(found)
        if chosen["status"] == "created":
            raise UsageError(f"dataset {chosen['id']} is a draft that was never started")
        version = from_server(chosen, connection)
        made = cls._over(version)
        if main is not None and main.id != made.id:
            _note_use(main, version, alias, bool(kwargs.get("silence_alias_warnings")))
        if writable_copy:
            return cls.create(version.name, version.project, parent_datasets=[made])
        if chosen["status"] not in _COMPLETED and version.pinger is None:
            _log.info("dataset %s is still open", made.id)
        return made

    @staticmethod
    def _search(connection: Connection, ask: "GetDatasets") -> "list[DatasetVersion]":
        ids = ask.get("ids")
        if ids and not is_id(ids[0]):
            return []
        return connection.session.api.datasets.get_all(filled(ask))["versions"]


def highest(found: Sequence[_Version]) -> _Version:
    """The one with the highest version; the first, which changed last, when none has a version that can be ordered.

    Of two that have one version text, a finished one: what somebody begins under it hides nothing.
    """
    ordered = [one for one in found if versions.is_version(str(one.get("version") or ""))]
    if not ordered:
        same = {one.get("version") for one in found}
        return next((one for one in found if len(same) == 1 and one.get("status") in _COMPLETED), found[0])

    def rank(one: _Version) -> tuple[versions.Order, bool, str]:
        finished = one.get("status") in _COMPLETED
        return versions.order(str(one["version"])), finished, str(one.get("last_update") or "")

    return max(ordered, key=rank)


def _said(ask: Mapping[str, Any]) -> str:
    named = {
        "ids": "id",
        "project": "project",
        "name": "name",
        "tags": "tags",
        "version": "version",
        "statuses": "status",
    }
    parts = [f"{word} {ask[key]!r}" for key, word in named.items() if ask.get(key)]
    return ", ".join(parts) or "these conditions"


def _main() -> Task | None:
    running = current.main_task()
    return running if isinstance(running, Task) else None


def _visible(path: str) -> str:
    return path.partition("/.datasets/")[0]


def _note_use(main: Task, made: Opened, alias: str | None, silent: bool) -> None:
    if alias:
        main.set_parameter(f"Datasets/{alias}", made.id)
    elif not silent:
        _log.info("Dataset.get(alias=...) notes in the task's parameters which version it used")
    runtime = main.data.get("runtime") or {}
    used = list(dict.fromkeys([*(runtime.get("datasets") or []), made.id]))
    known = {**(runtime.get("orig_datasets") or {}), f"{made.name}/{made.number}": made.id}
    record_of(main).set_runtime(datasets=used, orig_datasets=known)
