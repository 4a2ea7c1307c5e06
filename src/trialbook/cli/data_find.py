"""Looking at versions and fetching them: list, search, get, compare, verify."""

import sys
from collections.abc import Sequence

import click

from trialbook.base.unicode import one_line
from trialbook.cli.data_options import Several, answer, as_json, closed, find, named, quiet
from trialbook.wire.states import SHOWN


@click.command("list", cls=Several)
@named
@click.option("--filter", "patterns", multiple=True, help="Only paths that match; may be repeated.")
@click.option("--modified", is_flag=True, help="Only what the version itself brought or changed.")
@as_json
def listing(
    dataset_id: str | None,
    project: str | None,
    name: str | None,
    dataset_version: str | None,
    patterns: Sequence[str],
    modified: bool,
    json_output: bool,
) -> None:
    """List the files of a version with size and hash."""
    quiet(json_output)
    data = find(dataset_id, project, name, dataset_version)
    paths = data.list_files(dataset_id=data.id if modified else None)
    if patterns:
        from trialbook.datasets.patterns import matcher

        paths = list(filter(matcher(list(patterns), among=paths), paths))
    files, links = data.file_entries_dict, data.link_entries_dict
    rows = [
        {
            "path": path,
            "size": files[path].size if path in files else links[path].size,
            "hash": files[path].hash if path in files else links[path].hash,
            "link": links[path].link if path in links else None,
        }
        for path in paths
    ]
    total = sum(int(row["size"] or 0) for row in rows)
    lines = [
        f"{'?' if row['size'] is None else row['size']:>14}  {str(row['hash'] or '-')[:12]:12}  "
        f"{one_line(str(row['path']))}"
        for row in rows
    ]
    text = "\n".join([*lines, f"{len(rows)} files, {total} bytes"])
    answer(json_output, {"id": data.id, "version": data.version, "files": rows, "bytes": total}, text)


@click.command(cls=Several)
@click.option("--ids", multiple=True, help="Only these; may be repeated.")
@click.option("--project", help="Only this project and those below it.")
@click.option("--name", help="Regular expression, found in the name.")
@click.option("--tags", multiple=True, help="That a version must have; may be repeated.")
@click.option("--not-only-completed", is_flag=True, help="Open ones too.")
@click.option("--non-recursive-project-search", is_flag=True, help="Not the projects below.")
@as_json
def search(
    ids: Sequence[str],
    project: str | None,
    name: str | None,
    tags: Sequence[str],
    not_only_completed: bool,
    non_recursive_project_search: bool,
    json_output: bool,
) -> None:
    """Find versions of datasets."""
    from trialbook.sdk.dataset import Dataset

    quiet(json_output)
    found = Dataset.list_datasets(
        project, name, tags, list(ids) or None, not not_only_completed, not non_recursive_project_search
    )
    lines = [
        one_line(
            f"{one['id']}  {one['project']}/{one['name']} {one['version']}  "
            f"{SHOWN.get(one['status'], one['status'])}  "
            f"{one['created'][:19]}  {', '.join(one['tags'])}".rstrip()
        )
        for one in found
    ]
    answer(json_output, {"datasets": found}, "\n".join(lines) or "no dataset matches")


@click.command(cls=Several)
@named
@click.option(
    "--copy", "target", help="Folder of your own for the files; without it, the shared read-only copy."
)
@click.option("--link", "linked", help="Path of a symbolic link to the shared copy.")
@click.option("--part", type=int, help="Only this part, from 0.")
@click.option("--num-parts", type=int, help="Number of parts.")
@click.option("--files", "patterns", multiple=True, help="Only paths that match; nothing else is fetched.")
@click.option("--overwrite", is_flag=True, help="Empty the folder first.")
@as_json
def get(
    dataset_id: str | None,
    project: str | None,
    name: str | None,
    dataset_version: str | None,
    target: str | None,
    linked: str | None,
    part: int | None,
    num_parts: int | None,
    patterns: Sequence[str],
    overwrite: bool,
    json_output: bool,
) -> None:
    """Fetch a version, and print the folder."""
    from pathlib import Path

    quiet(json_output)
    data = closed(dataset_id, project, name, dataset_version)
    files = list(patterns) or None
    if target:
        folder = str(data.get_mutable_local_copy(target, overwrite, part, num_parts, files=files))
    else:
        folder = data.get_local_copy(part=part, num_parts=num_parts, files=files)
        if linked:
            place = Path(linked)
            if overwrite and place.is_symlink():
                place.unlink()
            if place.exists() or place.is_symlink():
                raise click.ClickException(f"{linked} exists; --overwrite replaces a link")
            place.symlink_to(folder, target_is_directory=True)
            folder = linked
    answer(json_output, {"id": data.id, "version": data.version, "folder": folder}, folder)


@click.command()
@click.option("--source", required=True, help="Id of the one version.")
@click.option("--target", required=True, help="Id of the other.")
@click.option("--verbose", is_flag=True, help="Print each path.")
@as_json
def compare(source: str, target: str, verbose: bool, json_output: bool) -> None:
    """What the target has that the source has not, and the other way round."""
    quiet(json_output)
    data = find(target, None, None, None)
    found = {
        "added": data.list_added_files(source),
        "modified": data.list_modified_files(source),
        "removed": data.list_removed_files(source),
    }
    lines = (
        [f"{word:9}{one_line(path)}" for word, paths in found.items() for path in paths] if verbose else []
    )
    counts = ", ".join(f"{len(paths)} {word}" for word, paths in found.items())
    answer(json_output, dict(found), "\n".join([*lines, counts]))


@click.command()
@named
@click.option("--folder", help="Copy to check; without it, the shared copy.")
@click.option("--filesize", is_flag=True, help="Compare sizes only.")
@click.option("--storage", is_flag=True, help="Check every stored byte instead of a copy.")
@as_json
def verify(
    dataset_id: str | None,
    project: str | None,
    name: str | None,
    dataset_version: str | None,
    folder: str | None,
    filesize: bool,
    storage: bool,
    json_output: bool,
) -> None:
    """Check a copy, or the storage, and say what was checked.

    Exit status 0 when all is as it should be, 1 when something is wrong or could not be checked, 2 when the command
    itself was wrong. Files of a folder that the version does not have are not looked at, links neither.
    """
    quiet(json_output)
    if storage and (folder or filesize):
        raise click.UsageError("--storage reads what is stored; --folder and --filesize are about a copy.")
    data = closed(dataset_id, project, name, dataset_version)
    if storage:
        wrong = data.verify_storage()
        checked = {"place": data.get_default_storage() or "its storage", "what": "stored bytes"}
    else:
        wrong = data.verify_dataset_hash(folder, filesize)
        what = "sizes" if filesize else "sizes and content"
        checked = {"place": folder or "the shared copy of this host", "what": what}
    sizes = [int(entry.size or 0) for entry in data.file_entries_dict.values()]
    links = len(data.link_entries_dict)
    counts = {"files": len(sizes), "bytes": sum(sizes), "links": links}
    bad = "1 is wrong" if len(wrong) == 1 else f"{len(wrong)} are wrong"
    said = (
        f"{data.name} {data.version} ({data.id}): {checked['what']} of {len(sizes)} files, {sum(sizes)} bytes, in "
        f"{checked['place']}: {bad if wrong else 'all as they should be'}"
        + (f"; {links} links are not looked at" if links else "")
    )
    lines = [f"wrong: {one_line(one)}" for one in wrong]
    answer(
        json_output,
        {"id": data.id, "version": data.version, **checked, **counts, "wrong": wrong},
        "\n".join([*lines, one_line(said)]),
    )
    sys.exit(1 if wrong else 0)
