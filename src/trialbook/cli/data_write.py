"""Making a version: create, add, remove, upload, close."""

from collections.abc import Sequence
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
from trialbook.wire.states import FINISHED

if TYPE_CHECKING:
    from trialbook.sdk.dataset import Dataset

CHUNK = click.option("--chunk-size", type=int, help="Size of a pack in MB; -1 makes one pack of all.")


@click.command(cls=Several)
@click.option("--project", help="Project; without it, that of the last parent.")
@click.option("--name", required=True, help="Name of the dataset.")
@click.option("--version", "dataset_version", help="Version; without it, one above the highest.")
@click.option("--parents", multiple=True, help="Id of a version that it starts from; may be repeated.")
@click.option("--tags", multiple=True, help="May be repeated.")
@click.option("--storage", help="Folder or address that takes the files; without it, the files server.")
@click.option("--description", help="A text.")
@click.option("--native", is_flag=True, help="Store smaller, in a way that only Trialbook reads.")
@as_json
def create(
    project: str | None,
    name: str,
    dataset_version: str | None,
    parents: Sequence[str],
    tags: Sequence[str],
    storage: str | None,
    description: str | None,
    native: bool,
    json_output: bool,
) -> None:
    """Begin a version, and print its id.

    It is empty, also when the dataset has versions already, unless --parents names what it starts from.
    """
    from trialbook.sdk.dataset import Dataset

    quiet(json_output)
    # Offline nobody can say what exists.
    asks = project and not parents and not load().offline
    there = newest(project, name, False) if asks else None
    made = Dataset.create(
        name, project, tags, list(parents), False, dataset_version, storage, description, native=native
    )
    remember(made)
    if there:
        click.echo(one_line(_begins_empty(made, there)), err=True)
    answer(
        json_output,
        {"id": made.id, "version": made.version},
        one_line(f"{made.id}  {made.project}/{made.name} {made.version}"),
    )


def _begins_empty(made: "Dataset", there: dict[str, Any]) -> str:
    """What whoever names a dataset that exists may have missed, and how to have meant the other thing."""
    said = (
        f"{made.name} is there already, as version {there['version']} ({there['id']}). "
        f"Version {made.version} begins empty, without parents: "
    )
    if there["status"] in FINISHED:
        return said + (
            f"if it should begin with the files of {there['version']}, undo with "
            f"`trialbook data delete --id {made.id}` and say --parents {there['id']}; `trialbook data sync` does that "
            "by itself"
        )
    return said + (
        f"if you meant to continue with {there['version']}, which is open, undo with "
        f"`trialbook data delete --id {made.id}` and say `trialbook data add --id {there['id']}`"
    )


@click.command(cls=Several)
@ID
@click.option("--files", multiple=True, help="Folders, files or wildcards; may be repeated.")
@click.option("--links", multiple=True, help="Address of external files; may be repeated.")
@click.option("--wildcard", multiple=True, help="Take only what matches; may be repeated.")
@click.option("--dataset-folder", help="Folder of the dataset that they land in.")
@click.option("--non-recursive", is_flag=True, help="Take only what lies directly in a folder.")
@click.option("--verbose", is_flag=True, help="Print each path.")
@as_json
def add(
    dataset_id: str | None,
    files: Sequence[str],
    links: Sequence[str],
    wildcard: Sequence[str],
    dataset_folder: str | None,
    non_recursive: bool,
    verbose: bool,
    json_output: bool,
) -> None:
    """Add files or links to the open version."""
    quiet(json_output)
    if not files and not links:
        raise click.UsageError("Name --files or --links.")
    _distinct(files)
    data = writable(dataset_id)
    patterns = list(wildcard) or None
    for one in links:
        # The method says what it could not reach and goes on; a command that added nothing has failed.
        _look(one, patterns, not non_recursive)
    count = sum(
        data.add_files(one, patterns, None, dataset_folder, not non_recursive, verbose) for one in files
    )
    if links:
        count += data.add_external_files(list(links), patterns, dataset_folder, not non_recursive, verbose)
    answer(json_output, {"id": data.id, "added": count}, f"{count} files added")


def _look(link: str, patterns: list[str] | None, recursive: bool) -> None:
    # A command starts faster without these.
    from trialbook.sdk.dataset.links import find
    from trialbook.sdk.servers.connection import connect

    find(connect(), link, patterns, recursive)


@click.command(cls=Several)
@ID
@click.option(
    "--files", multiple=True, required=True, help="Path, folder, wildcard or link; may be repeated."
)
@click.option("--non-recursive", is_flag=True, help="A pattern stays in its folder.")
@click.option("--verbose", is_flag=True, help="Print each path.")
@as_json
def remove(
    dataset_id: str | None, files: Sequence[str], non_recursive: bool, verbose: bool, json_output: bool
) -> None:
    """Take files out of the open version."""
    from trialbook.sdk.dataset.given import required

    quiet(json_output)
    data = writable(dataset_id)
    known = {entry.link for entry in data.link_entries_dict.values()}
    for one in files:
        required("data remove", "--files", one)
        if not (data.list_files(one, not non_recursive) if "://" not in one else one in known or "*" in one):
            raise click.ClickException(f"{data.id} has no {one}; nothing was removed")
    count = sum(data.remove_files(one, not non_recursive, verbose) for one in files)
    answer(json_output, {"id": data.id, "removed": count}, f"{count} files removed")


def _distinct(files: Sequence[str]) -> None:
    """Refuse files and folders, which a shell may have made of a wildcard, whose files would land on each other.

    Raises:
        UsageError: there is nothing at a path; nothing has been added.
    """
    from trialbook.datasets.sources.scan import scan_folder
    from trialbook.sdk.dataset.members.content import sources_of

    taken: dict[str, Path] = {}
    found = [(one, base) for text in files for one, base in [sources_of(text)]]
    if sum(len(one) for one, _ in found) < 2:
        return
    for sources, base in found:
        for source in sources if base is None else ():
            for path in scan_folder(source).paths if source.is_dir() else [source.name]:
                other = taken.setdefault(path, source)
                if other != source:
                    raise click.ClickException(
                        f"{other} and {source} both have a file that would become {path!r}, and one would replace the "
                        "other: add them one by one with --dataset-folder, or put the wildcard in quotes, as in "
                        f"--files '{source.parent / '*'}', which keeps the names of the folders. Nothing was added."
                    )


@click.command(cls=Several)
@ID
@click.option("--storage", help="Folder or address that takes the files.")
@CHUNK
@click.option("--verbose", is_flag=True, help="Print what was stored.")
@as_json
def upload(
    dataset_id: str | None, storage: str | None, chunk_size: int | None, verbose: bool, json_output: bool
) -> None:
    """Store the files of the open version; call it again after an interruption."""
    quiet(json_output)
    data = writable(dataset_id)
    with going_on(data):
        data.upload(not json_output, verbose, storage, None, chunk_size)
    answer(json_output, {"id": data.id, "dirty": data.is_dirty()}, f"{data.id} is stored")


@click.command(cls=Several)
@ID
@click.option("--storage", help="Folder or address that takes the files.")
@CHUNK
@click.option("--disable-upload", is_flag=True, help="Fail when files wait, instead of uploading them.")
@click.option("--verbose", is_flag=True, help="Print numbers.")
@as_json
def close(
    dataset_id: str | None,
    storage: str | None,
    chunk_size: int | None,
    disable_upload: bool,
    verbose: bool,
    json_output: bool,
) -> None:
    """Upload what waits, and close the version: it cannot change any more."""
    quiet(json_output)
    data = writable(dataset_id)
    with going_on(data):
        if not disable_upload and data.is_dirty():
            data.upload(not json_output, verbose, storage, None, chunk_size)
        data.finalize(verbose)
    remember(None)
    answer(
        json_output,
        {"id": data.id, "version": data.version},
        f"{data.id} is closed as version {data.version}",
    )


@click.command("set-version")
@ID
@click.argument("text")
def set_version(dataset_id: str | None, text: str) -> None:
    """Give the open version another version text."""
    data = writable(dataset_id)
    data.version = text
    click.echo(f"{data.id} is version {data.version}")
