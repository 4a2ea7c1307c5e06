"""``trialbook data sync``: a version equal to a folder, in one step."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trialbook.base.unicode import one_line
from trialbook.cli.data_options import (
    ID,
    Several,
    answer,
    as_json,
    going_on,
    newest,
    quiet,
    remember,
    writable,
)
from trialbook.client.settings import load
from trialbook.errors import TrialbookError
from trialbook.journal.lock import FileLock
from trialbook.wire.states import FINISHED

if TYPE_CHECKING:
    from trialbook.sdk.dataset import Dataset


@click.command(cls=Several)
@ID
@click.option("--project", help="Project, to begin a version when none is open.")
@click.option("--name", help="Name of the dataset, to begin a version when none is open.")
@click.option(
    "--parents", multiple=True, help="Id of a version that it starts from; without it, the highest one."
)
@click.option("--version", "dataset_version", help="Version of the new one.")
@click.option("--tags", multiple=True, help="May be repeated.")
@click.option("--storage", help="Folder or address that takes the files.")
@click.option("--folder", required=True, help="Folder to be equal to.")
@click.option("--dataset-folder", help="Only this folder of the dataset.")
@click.option("--skip-close", is_flag=True, help="Leave the version open.")
@click.option("--verbose", is_flag=True, help="Print the numbers.")
@as_json
def sync(
    dataset_id: str | None,
    project: str | None,
    name: str | None,
    parents: Sequence[str],
    dataset_version: str | None,
    tags: Sequence[str],
    storage: str | None,
    folder: str,
    dataset_folder: str | None,
    skip_close: bool,
    verbose: bool,
    json_output: bool,
) -> None:
    """Make a version equal to a folder, upload and close it, in one step.

    With --project and --name a child of the highest version is made; a folder without changes leaves no new version.
    Of several that sync one dataset on this machine at once, each waits for the one before.
    """
    from trialbook.sdk.dataset import Dataset

    quiet(json_output)
    if not folder or not Path(folder).expanduser().is_dir():
        raise click.ClickException(f"there is no folder {folder!r}; no version was made")
    fresh = name is not None
    turn = _turn(project, name) if name is not None else nullcontext()
    with turn:
        if name is not None:
            found = list(parents) or _highest(project, name)
            before = {str(one["id"]) for one in _versions(project, name)}
            data = Dataset.create(name, project, tags, found, False, dataset_version, storage)
            remember(data)
            _tell_others(data, before)
        else:
            data = writable(dataset_id)
        _sync(data, fresh, folder, dataset_folder, skip_close, verbose, json_output)


def _sync(
    data: "Dataset",
    fresh: bool,
    folder: str,
    dataset_folder: str | None,
    skip_close: bool,
    verbose: bool,
    json_output: bool,
) -> None:
    with going_on(data):
        try:
            removed, added, modified = data.sync_folder(folder, dataset_folder, verbose)
        except (TrialbookError, OSError):
            if fresh:
                data.discard()
                remember(None)
            raise
        if fresh and data.get_dependency_graph()[data.id] and not (removed or added or modified):
            data.discard()
            remember(None)
            answer(
                json_output,
                {"id": None, "removed": 0, "added": 0, "modified": 0},
                "nothing has changed; no new version",
            )
            return
        data.upload(show_progress=not json_output)
        if not skip_close:
            data.finalize()
            remember(None)
    counts = {"removed": removed, "added": added, "modified": modified}
    text = ", ".join(f"{count} {word}" for word, count in counts.items())
    answer(json_output, {"id": data.id, "version": data.version, **counts}, f"{data.id}  {text}")


def _highest(project: str | None, name: str) -> list[str]:
    found = newest(project, name, True)
    return [str(found["id"])] if found else []


@contextmanager
def _turn(project: str | None, name: str) -> Iterator[None]:
    """One sync of a dataset at a time on this machine: the second finds what the first has made, and not a version
    that is being made beside it."""
    named = f"{load().api_host}\n{project or ''}\n{name}".encode("utf-8", "surrogateescape")
    lock = FileLock(load().own_cache("datasets") / f"sync-{hashlib.sha256(named).hexdigest()[:32]}.lock")
    if not lock.acquire():
        click.echo(one_line(f"waiting for another sync of {name} on this machine"), err=True)
        lock.acquire(wait=True)
    try:
        yield
    finally:
        lock.release()


def _tell_others(data: "Dataset", before: set[str]) -> None:
    """Name versions that others have made meanwhile, on other machines, or that were left open."""
    for one in _versions(data.project, data.name):
        if one["id"] == data.id or (one["id"] in before and one["status"] in FINISHED):
            continue
        how = "was made at the same moment" if one["id"] not in before else "is open"
        click.echo(
            one_line(
                f"version {one['version']} ({one['id']}) {how}; {data.version} does not have what it brings: "
                f"`trialbook data list --id {one['id']}` shows it, `trialbook data delete --id {one['id']}` gives it up"
            ),
            err=True,
        )


def _versions(project: str | None, name: str) -> list[dict[str, Any]]:
    from trialbook.sdk.dataset import Dataset

    return Dataset.list_datasets(
        project, f"^{re.escape(name)}$", only_completed=False, recursive_project_search=False
    )
