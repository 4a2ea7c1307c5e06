"""Datasets as wholes: list, delete, rename, move."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from trialbook.base.unicode import findable
from trialbook.client.calls import filled
from trialbook.errors import TaskNotDeletable, TrialbookError, UsageError
from trialbook.sdk.console import advice, say
from trialbook.sdk.dataset.given import both_named, online
from trialbook.sdk.dataset.members.base import DatasetBase
from trialbook.sdk.dataset.trash import delete_url, sweep
from trialbook.sdk.dataset.versions.loading import load
from trialbook.sdk.dataset.versions.opened import Opened
from trialbook.sdk.servers.connection import Connection
from trialbook.wire.states import FINISHED

if TYPE_CHECKING:
    from trialbook.client.api import GetDatasets, RenameDataset

_COMPLETED = list(FINISHED)
_PAGE = 500


class WholesMixin(DatasetBase):
    """Members that concern several versions."""

    @classmethod
    def list_datasets(
        cls,
        dataset_project: str | None = None,
        partial_name: str | None = None,
        tags: Sequence[str] | None = None,
        ids: Sequence[str] | None = None,
        only_completed: bool = True,
        recursive_project_search: bool = True,
        include_archived: bool = True,
    ) -> list[dict[str, Any]]:
        """Versions that match everything that is given.

        Args:
            dataset_project: path of a project.
            partial_name: regular expression, found anywhere in the dataset's name; ``re.escape`` takes it literally.
            tags: that a version must have, all of them.
            ids: only these.
            only_completed: False lists open ones too.
            recursive_project_search: also projects below ``dataset_project``.
            include_archived: also those in the archive.

        Returns:
            Dicts with name, project, id, created, version, tags and status, the last changed first.

        Example:
            >>> [one["id"] for one in Dataset.list_datasets("Vision", partial_name="^digits$")][0] == data.id
            True
        """
        if ids is not None and not list(ids):
            return []
        ask: GetDatasets = {
            "project": dataset_project,
            "name_pattern": None if partial_name is None else findable(partial_name),
            "tags": list(tags or ()),
            "ids": list(ids or ()),
            "statuses": _COMPLETED if only_completed else [],
            "recursive": recursive_project_search,
            "archived": include_archived,
        }
        session = online("Dataset.list_datasets").session
        found = session.api.datasets.get_all(filled(ask))
        names = ("name", "project", "id", "created", "version", "tags", "status")
        return [{name: one.get(name) for name in names} for one in found["versions"]]

    @classmethod
    def delete(
        cls,
        dataset_id: str | None = None,
        dataset_project: str | None = None,
        dataset_name: str | None = None,
        force: bool = False,
        dataset_version: str | float | None = None,
        entire_dataset: bool = False,
        shallow_search: bool = False,
        delete_files: bool = True,
        delete_external_files: bool = False,
    ) -> None:
        """Delete one version, or all versions of a dataset. What other versions need stays.

        Args:
            dataset_id: of the version; then nothing else may be given to look for.
            dataset_project: path of its project.
            dataset_name: of the dataset.
            force: also versions that others descend from, that a task uses, or that are published.
            dataset_version: exactly this version.
            entire_dataset: every version that matches; needs ``force``.
            shallow_search: look at the 500 last changed versions only.
            delete_files: free what nobody else needs; False deletes the record and leaves the storage alone.
            delete_external_files: delete the objects behind links that the version brought, where this process may.

        Raises:
            UsageError: nothing to look for, an id together with a project or a name, no version or several match, or
                ``entire_dataset`` without ``force``. Nothing is deleted.
            TaskNotDeletable: it is in use and ``force`` is off. Nothing is deleted.

        Example:
            >>> Dataset.delete(dataset_id=data.id)
        """
        if dataset_id and (dataset_project or dataset_name):
            raise both_named()
        if not (dataset_id or dataset_project or dataset_name):
            raise UsageError(
                advice(
                    "Dataset.delete needs dataset_id, or dataset_project and dataset_name",
                    "name a version with --id, or with --project and --name",
                )
            )
        if entire_dataset and not force:
            raise UsageError(
                advice(
                    "entire_dataset=True deletes every version: say force=True as well",
                    "--entire-dataset deletes every version: say --force as well",
                )
            )
        connection = online("Dataset.delete")
        ask: GetDatasets = {
            "ids": [dataset_id] if dataset_id else [],
            "project": dataset_project,
            "name": dataset_name,
            "version": None if dataset_version is None else str(dataset_version).strip() or None,
            "archived": True,
            "page_size": _PAGE if shallow_search else None,
        }
        found = connection.session.api.datasets.get_all(filled(ask))["versions"]
        if not found:
            raise UsageError("no dataset matches: nothing was deleted")
        if len(found) > 1 and not entire_dataset:
            which = advice(
                "name one with dataset_version or dataset_id, or say entire_dataset=True and force=True",
                "name one with --version or --id, or say --entire-dataset --force",
            )
            raise UsageError(f"{len(found)} versions match: {which}. Nothing was deleted.")
        chosen = {one["id"] for one in found}
        if not force:
            _require_unused(connection, chosen)
        for one in found:
            if delete_external_files:
                _delete_links(connection, load(str(one["id"])))
            receipt = connection.session.api.datasets.delete(
                {"dataset": one["id"], "force": force, "delete_files": delete_files}
            )
            if delete_files:
                sweep(connection, receipt["sweeps"], receipt["urls"])

    @classmethod
    def move_to_project(cls, new_dataset_project: str, dataset_project: str, dataset_name: str) -> None:
        """Put all versions of a dataset into another project; ids stay.

        Args:
            new_dataset_project: path of the project; made when missing.
            dataset_project: path of the project that it is in.
            dataset_name: of the dataset. Unknown names are only warned about.

        Raises:
            NameTaken: the project has a dataset of that name.

        Example:
            >>> Dataset.move_to_project("Archive/Vision", dataset_project="Vision", dataset_name="digits")
            >>> Dataset.get(data.id).project
            'Archive/Vision'
        """
        cls._renamed({"project": dataset_project, "name": dataset_name, "new_project": new_dataset_project})

    @classmethod
    def rename(cls, new_dataset_name: str, dataset_project: str, dataset_name: str) -> None:
        """Rename all versions of a dataset; ids and versions stay. Upper and lower case make different names.

        Args:
            new_dataset_name: the new name.
            dataset_project: path of the project that it is in.
            dataset_name: the name so far. Unknown names are only warned about.

        Raises:
            NameTaken: the project has a dataset of that name.

        Example:
            >>> Dataset.rename("numbers", dataset_project="Vision", dataset_name="digits")
            >>> Dataset.get(data.id).name
            'numbers'
        """
        cls._renamed({"project": dataset_project, "name": dataset_name, "new_name": new_dataset_name})

    @staticmethod
    def _renamed(ask: "RenameDataset") -> None:
        if not online("Dataset.rename").session.api.datasets.rename(ask)["updated"]:
            name, project = ask["name"], ask["project"]
            say(f"Trialbook: there is no dataset {name!r} in project {project!r}; nothing was changed")


def _require_unused(connection: Connection, chosen: set[str]) -> None:
    """All or nothing: versions that are deleted together do not stand in each other's way."""
    for one in chosen:
        said = connection.session.api.datasets.delete({"dataset": one, "dry_run": True})
        others = [who for who in [*said["children"], *said["used_by"]] if who not in chosen]
        if others:
            force = advice("force=True", "--force")
            raise TaskNotDeletable(
                f"dataset {one} is used by {', '.join(others[:5])}; {force} deletes it anyway. Nothing was deleted."
            )


def _delete_links(connection: Connection, version: Opened) -> None:
    for path, entry in version.entries[1].items():
        if entry.parent_dataset_id != version.id:
            continue
        try:
            delete_url(connection, entry.link)
        except (TrialbookError, OSError) as error:
            say(f"Trialbook: the external file {entry.link} of {path} was not deleted: {error}")
