"""Datasets as wholes: publish, squash, rename, move, describe, delete."""

import re
import sys
from collections.abc import Sequence

import click

from trialbook.base.unicode import one_line
from trialbook.cli.data_options import Several, answer, as_json, find, named, quiet, remember, remembered


@click.command()
@named
@as_json
def publish(
    dataset_id: str | None,
    project: str | None,
    name: str | None,
    dataset_version: str | None,
    json_output: bool,
) -> None:
    """Make a closed version permanent."""
    quiet(json_output)
    data = find(dataset_id, project, name, dataset_version)
    data.publish()
    answer(json_output, {"id": data.id, "status": "published"}, f"{data.id} is published")


@click.command(cls=Several)
@click.option("--name", required=True, help="Name of the new dataset.")
@click.option("--ids", multiple=True, required=True, help="Id of a version, in order; repeated.")
@click.option("--storage", help="Folder or address of the new version.")
@as_json
def squash(name: str, ids: Sequence[str], storage: str | None, json_output: bool) -> None:
    """Make one version of several, and print its id."""
    from trialbook.sdk.dataset import Dataset

    quiet(json_output)
    made = Dataset.squash(name, list(ids), output_url=storage)
    answer(json_output, {"id": made.id, "version": made.version}, made.id)


@click.command()
@click.option("--project", required=True, help="Project of the dataset.")
@click.option("--name", required=True, help="Name of the dataset.")
@click.argument("new_name")
def rename(project: str, name: str, new_name: str) -> None:
    """Give all versions of a dataset another name."""
    from trialbook.sdk.dataset import Dataset

    _require(project, name)
    Dataset.rename(new_name, project, name)


@click.command()
@click.option("--project", required=True, help="Project of the dataset.")
@click.option("--name", required=True, help="Name of the dataset.")
@click.argument("new_project")
def move(project: str, name: str, new_project: str) -> None:
    """Put all versions of a dataset into another project."""
    from trialbook.sdk.dataset import Dataset

    _require(project, name)
    Dataset.move_to_project(new_project, project, name)


def _require(project: str, name: str) -> None:
    """Fail where the class only warns.

    Raises:
        ClickException: there is no such dataset.
    """
    from trialbook.sdk.dataset import Dataset

    pattern = f"^{re.escape(name)}$"
    if not Dataset.list_datasets(project, pattern, only_completed=False, recursive_project_search=False):
        raise click.ClickException(
            f"there is no dataset {name!r} in project {project!r}; nothing was changed"
        )


@click.command("set-description")
@named
@click.argument("text")
def set_description(
    dataset_id: str | None, project: str | None, name: str | None, dataset_version: str | None, text: str
) -> None:
    """Replace the description of a version."""
    find(dataset_id, project, name, dataset_version).set_description(text)


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what waits.")
@as_json
def clean(dry_run: bool, json_output: bool) -> None:
    """Free what versions deleted in the browser left in storages that only clients reach.

    Folders and buckets of your own are such storages. Exit status 1 when some of it could not be freed.
    """
    from trialbook.sdk.dataset.trash import free_deleted, waiting_to_be_freed

    quiet(json_output)
    freed, waiting = (0, waiting_to_be_freed()) if dry_run else free_deleted()
    lines = [one_line(f"{one['owner']}  {one['repository']}") for one in waiting]
    counts = f"{freed} objects freed, {len(waiting)} deleted versions wait"
    listed = [{"id": one["owner"], "repository": one["repository"]} for one in waiting]
    answer(json_output, {"freed": freed, "waiting": listed}, "\n".join([*lines, counts]))
    sys.exit(1 if waiting and not dry_run else 0)


@click.command()
@named
@click.option("--force", is_flag=True, help="Also versions that are used, published, or have children.")
@click.option("--entire-dataset", is_flag=True, help="Every version that matches; needs --force.")
@click.option("--keep-files", is_flag=True, help="Delete the record, leave the storage alone.")
@click.option("--delete-external-files", is_flag=True, help="Delete the objects behind links too.")
@as_json
def delete(
    dataset_id: str | None,
    project: str | None,
    name: str | None,
    dataset_version: str | None,
    force: bool,
    entire_dataset: bool,
    keep_files: bool,
    delete_external_files: bool,
    json_output: bool,
) -> None:
    """Delete a version, or a whole dataset. What other versions need stays."""
    from trialbook.sdk.dataset import Dataset

    quiet(json_output)
    Dataset.delete(
        dataset_id,
        project,
        name,
        force,
        dataset_version,
        entire_dataset,
        delete_files=not keep_files,
        delete_external_files=delete_external_files,
    )
    if dataset_id is not None and dataset_id == remembered():
        remember(None)
    answer(json_output, {"deleted": True}, "deleted")
